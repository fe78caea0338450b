package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// create builds a CREATE statement, which begins at the word CREATE.
func (b *builder) create(c gen.ICreateStatementContext) ast.Statement {
	at := position(c)
	switch {
	case c.GetKeyspace() != nil:
		k := c.GetKeyspace()
		return &ast.CreateKeyspace{
			Pos:         at,
			IfNotExists: k.GetAbsent() != nil,
			Keyspace:    b.objectName(k.GetKeyspace(), "keyspace"),
			Properties:  b.properties(k.GetValues()),
		}
	case c.GetTable() != nil:
		return b.createTable(at, c.GetTable())
	case c.GetIndex() != nil:
		return b.createIndex(at, c.GetIndex())
	case c.GetView() != nil:
		return b.createView(at, c.GetView())
	case c.GetType_() != nil:
		return b.createType(at, c.GetType_())
	case c.GetTrigger() != nil:
		t := c.GetTrigger()
		return &ast.CreateTrigger{
			Pos:         at,
			IfNotExists: t.GetAbsent() != nil,
			Trigger:     b.name(t.GetTrigger()),
			Table:       b.table(t.GetTable()),
			Class:       of(t.GetClass()).content(),
		}
	case c.GetRole() != nil:
		return b.createRole(at, c.GetRole())
	case c.GetUser() != nil:
		return b.createUser(at, c.GetUser())
	case c.GetFunction() != nil:
		return b.createFunction(at, c.GetReplace() != nil, c.GetFunction())
	default:
		return b.createAggregate(at, c.GetReplace() != nil, c.GetAggregate())
	}
}

func (b *builder) createTable(at ast.Pos, c gen.ICreateTableContext) ast.Statement {
	table, absent := b.table(c.GetTable()), c.GetAbsent() != nil
	if c.GetSource() != nil {
		like := &ast.CreateTableLike{Pos: at, IfNotExists: absent, Table: table, Source: b.table(c.GetSource())}
		for _, option := range c.GetLikeOptions() {
			if option.GetIndexes() != nil {
				like.Indexes = true
			} else {
				like.Properties = b.addProperty(like.Properties, option.GetValue())
			}
		}
		return like
	}
	s := &ast.CreateTable{Pos: at, IfNotExists: absent, Table: table}
	for _, item := range c.GetColumns() {
		if item.GetKey() != nil {
			s.PrimaryKeys = append(s.PrimaryKeys, primaryKey(item.GetKey()))
			continue
		}
		column := b.column(item.GetColumn())
		s.Columns = append(s.Columns, column)
		if item.GetPrimary() != nil {
			key := ast.PrimaryKey{Pos: of(item.GetPrimary()).position(), Partition: []ast.Name{column.Name}}
			s.PrimaryKeys = append(s.PrimaryKeys, key)
		}
	}
	s.Options = b.tableOptions(c.GetOptions_())
	return s
}

func (b *builder) column(c gen.IColumnDefinitionContext) ast.ColumnDefinition {
	return ast.ColumnDefinition{
		Name:   b.name(c.GetColumn()),
		Type:   b.dataType(c.GetValue()),
		Static: c.GetStatic_() != nil,
		Mask:   b.mask(c.GetMask()),
	}
}

// mask returns the function after MASKED WITH, or nil if c is.
func (b *builder) mask(c gen.IColumnMaskContext) *ast.Call {
	switch {
	case c == nil:
		return nil
	case c.GetFunction() != nil:
		return &ast.Call{Function: b.functionName(c.GetFunction()), Arguments: b.terms(c.GetArguments().GetItems())}
	default:
		at := position(c)
		system := ast.Name{Pos: at, Text: "system"}
		return &ast.Call{Function: ast.Qualified{Keyspace: system, Name: ast.Name{Pos: at, Text: "mask_default"}}, Arguments: []ast.Term{}}
	}
}

func primaryKey(c gen.IPrimaryKeyContext) ast.PrimaryKey {
	return ast.PrimaryKey{Pos: position(c), Partition: namesOf(c.GetPartition()), Clustering: namesOf(c.GetClustering())}
}

func (b *builder) tableOptions(contexts []gen.ITableOptionContext) ast.TableOptions {
	var options ast.TableOptions
	for _, c := range contexts {
		switch {
		case c.GetCompact() != nil:
			options.CompactStorage = true
		case c.GetValue() != nil:
			options.Properties = b.addProperty(options.Properties, c.GetValue())
		}
		for _, order := range c.GetOrder() {
			options.ClusteringOrder = append(options.ClusteringOrder, ast.ColumnOrder{
				Column:     b.name(order.GetColumn()),
				Descending: is(order.GetDirection(), gen.CqlLexerK_DESC),
			})
		}
	}
	return options
}

// properties returns what follows WITH, or nil if c is.
func (b *builder) properties(c gen.IPropertiesContext) []ast.Property {
	if c == nil {
		return nil
	}
	var properties []ast.Property
	for _, property := range c.GetValues() {
		properties = b.addProperty(properties, property)
	}
	return properties
}

func (b *builder) addProperty(properties []ast.Property, c gen.IPropertyContext) []ast.Property {
	property := ast.Property{Name: b.name(c.GetKey())}
	for _, before := range properties {
		if before.Name.Text == property.Name.Text {
			b.fail(property.Name.Pos, "Multiple definitions for property '%s'", property.Name.Text)
			return properties // keeps the search above short
		}
	}
	if c.GetMap_() != nil {
		property.Value = b.propertyMap(c.GetMap_())
	} else {
		property.Value = b.propertyValue(c.GetValue())
	}
	return append(properties, property)
}

func (b *builder) propertyValue(c gen.IPropertyValueContext) ast.Term {
	if c.GetLiteral() != nil {
		return literal(of(c.GetLiteral()))
	}
	word := b.name(c.GetKeyword())
	return &ast.Literal{Pos: word.Pos, Kind: ast.KeywordLiteral, Text: word.Text}
}

// propertyMap builds a map of literals without duplicate keys.
func (b *builder) propertyMap(c gen.IMapLiteralContext) *ast.Map {
	result := &ast.Map{Pos: position(c), Entries: entries(c.GetKeys(), c.GetValues(), b.term)}
	const suffix = " (bind variables are not supported in DDL queries)"
	seen := make(map[string]bool, len(result.Entries))
	for _, entry := range result.Entries {
		key, ok := constant(entry.Key)
		if !ok {
			b.fail(entry.Key.Position(), "Invalid property name: %s%s", entry.Key, ifMarker(entry.Key, suffix))
			break
		}
		if _, ok := constant(entry.Value); !ok {
			b.fail(entry.Value.Position(), "Invalid property value: %s for property: %s%s", entry.Value, entry.Key, ifMarker(entry.Value, suffix))
			break
		}
		if seen[key.Text] {
			b.fail(key.Pos, "Multiple definition for property %s", key.Text)
			break
		}
		seen[key.Text] = true
	}
	return result
}

// constant returns t if it is a literal other than null.
func constant(t ast.Term) (*ast.Literal, bool) {
	l, ok := t.(*ast.Literal)
	return l, ok && l.Kind != ast.NullLiteral
}

func ifMarker(t ast.Term, text string) string {
	if _, ok := t.(*ast.Marker); ok {
		return text
	}
	return ""
}

func (b *builder) createType(at ast.Pos, c gen.ICreateTypeContext) ast.Statement {
	return &ast.CreateType{
		Pos:         at,
		IfNotExists: c.GetAbsent() != nil,
		Type:        b.typeName(c.GetType_()),
		Fields:      b.fields(c.GetFields()),
	}
}

func (b *builder) fields(contexts []gen.IFieldDefinitionContext) []ast.FieldDefinition {
	fields := make([]ast.FieldDefinition, len(contexts))
	for i, c := range contexts {
		fields[i] = ast.FieldDefinition{Name: b.name(c.GetField()), Type: b.dataType(c.GetValue())}
	}
	return fields
}

// alter builds an ALTER statement, which begins at the word ALTER.
func (b *builder) alter(c gen.IAlterStatementContext) ast.Statement {
	at := position(c)
	switch {
	case c.GetKeyspace() != nil:
		k := c.GetKeyspace()
		return &ast.AlterKeyspace{
			Pos:        at,
			IfExists:   k.GetPresent() != nil,
			Keyspace:   b.objectName(k.GetKeyspace(), "keyspace"),
			Properties: b.properties(k.GetValues()),
		}
	case c.GetTable() != nil:
		t := c.GetTable()
		return &ast.AlterTable{Pos: at, IfExists: t.GetPresent() != nil, Table: b.table(t.GetTable()), Change: b.tableChange(t)}
	case c.GetView() != nil:
		v := c.GetView()
		return &ast.AlterMaterializedView{
			Pos:        at,
			IfExists:   v.GetPresent() != nil,
			View:       b.table(v.GetView()),
			Properties: b.properties(v.GetValues()),
		}
	case c.GetType_() != nil:
		t := c.GetType_()
		return &ast.AlterType{Pos: at, IfExists: t.GetPresent() != nil, Type: b.typeName(t.GetType_()), Change: b.typeChange(t)}
	case c.GetRole() != nil:
		r := c.GetRole()
		return &ast.AlterRole{Pos: at, IfExists: r.GetPresent() != nil, Role: b.roleName(r.GetRole()), Options: b.roleOptions(r.GetValues())}
	default:
		u := c.GetUser()
		return &ast.AlterUser{
			Pos:      at,
			IfExists: u.GetPresent() != nil,
			User:     b.userName(u.GetUser(), quotedUser),
			Options:  userOptions(u.GetPassword(), u.GetSuperuser()),
		}
	}
}

func (b *builder) tableChange(c gen.IAlterTableContext) ast.TableChange {
	switch {
	case c.GetAlter() != nil:
		return b.alterColumn(c.GetAlter())
	case c.GetAdd() != nil:
		add := &ast.AddColumns{IfNotExists: c.GetAdd().GetAbsent() != nil}
		for _, column := range c.GetAdd().GetColumns() {
			add.Columns = append(add.Columns, b.column(column))
		}
		return add
	case c.GetDrop() != nil:
		d := c.GetDrop()
		if d.GetCompact() != nil {
			return &ast.DropCompactStorage{}
		}
		drop := &ast.DropColumns{IfExists: d.GetPresent() != nil, Columns: namesOf(d.GetColumns())}
		if d.GetTimestamp() != nil {
			drop.Timestamp = literal(of(d.GetTimestamp()))
		}
		return drop
	case c.GetRenames() != nil:
		return b.rename(c.GetRenames())
	default:
		return &ast.SetProperties{Properties: b.properties(c.GetValues())}
	}
}

func (b *builder) alterColumn(c gen.IAlterColumnContext) ast.TableChange {
	column := b.name(c.GetColumn())
	if c.GetValue() != nil {
		return &ast.AlterColumnType{Column: column, Type: b.dataType(c.GetValue())}
	}
	return &ast.MaskColumn{IfExists: c.GetPresent() != nil, Column: column, Mask: b.mask(c.GetMask())}
}

func (b *builder) rename(c gen.IRenameColumnsContext) *ast.Rename {
	rename := &ast.Rename{IfExists: c.GetPresent() != nil}
	for _, r := range c.GetRenames() {
		rename.Renames = append(rename.Renames, ast.NewName{From: b.name(r.GetFrom()), To: b.name(r.GetTo())})
	}
	return rename
}

func (b *builder) typeChange(c gen.IAlterTypeContext) ast.TypeChange {
	switch {
	case c.GetAdded() != nil:
		field := ast.FieldDefinition{Name: b.name(c.GetAdded().GetField()), Type: b.dataType(c.GetAdded().GetValue())}
		return &ast.AddField{IfNotExists: c.GetAbsent() != nil, Field: field}
	case c.GetRenames() != nil:
		return b.rename(c.GetRenames())
	default:
		return &ast.AlterFieldType{Field: b.name(c.GetField()), Type: b.dataType(c.GetValue())}
	}
}
