package grammar_test

import (
	"fmt"

	"github.com/iliumdb/ilium/grammar/ast"
)

// statement returns a statement of any kind.
func (r *random) statement() ast.Statement {
	switch r.below(12) {
	case 0:
		return &ast.Explain{Statement: r.selection()}
	case 1:
		return r.batch()
	case 2, 3:
		return r.change()
	case 4, 5:
		return r.selection()
	case 6:
		return r.tableStatement()
	case 7:
		return r.schemaStatement()
	case 8:
		return r.functionStatement()
	case 9:
		return r.roleStatement()
	case 10:
		return r.permissionStatement()
	default:
		return r.otherStatement()
	}
}

func (r *random) selectors() []ast.Selector {
	if r.below(4) == 0 {
		return []ast.Selector{{Expression: &ast.Star{}}}
	}
	return some(r, 1, 3, func() ast.Selector {
		s := ast.Selector{Expression: r.term(3, true)}
		if r.chance() {
			s.Alias = r.anyName()
		}
		return s
	})
}

func (r *random) selection() ast.Statement {
	s := &ast.Select{JSON: true, Distinct: true, Selectors: r.selectors(), From: r.table(), AllowFiltering: r.chance()}
	s.Where = some(r, 0, 3, r.relation)
	s.GroupBy = some(r, 0, 2, func() ast.Term { return r.term(2, true) })
	s.OrderBy = some(r, 0, 2, func() ast.Ordering {
		o := ast.Ordering{Column: r.anyName(), Descending: r.chance()}
		if r.chance() {
			o.ANN = r.value()
		}
		return o
	})
	if r.chance() {
		s.PerPartitionLimit = r.integer()
	}
	if r.chance() {
		s.Limit = r.integer()
	}
	return s
}

func (r *random) change() ast.Statement {
	switch r.below(4) {
	case 0:
		return &ast.Insert{
			Table: r.table(), Columns: some(r, 1, 3, r.anyName), Values: some(r, 1, 3, r.value), IfNotExists: r.chance(), Using: r.using(),
		}
	case 1:
		value := one[ast.Term](r, r.marker(), &ast.Literal{Kind: ast.StringLiteral, Text: r.text()})
		return &ast.InsertJSON{Table: r.table(), Value: value, DefaultUnset: r.chance(), IfNotExists: r.chance(), Using: r.using()}
	case 2:
		u := &ast.Update{Table: r.table(), Using: r.using(), Where: r.where(), Assignments: some(r, 1, 3, r.assignment)}
		for i := range u.Assignments { // every column once
			rename(u.Assignments[i].Target, fmt.Sprintf("c%d", i))
		}
		u.IfExists, u.If = r.ifClause()
		return u
	default:
		d := &ast.Delete{Targets: some(r, 0, 3, r.target), Table: r.table(), Where: r.where()}
		if r.chance() {
			d.Using = ast.Using{{Kind: ast.UsingTimestamp, Value: r.integer()}}
		}
		d.IfExists, d.If = r.ifClause()
		return d
	}
}

func (r *random) ifClause() (exists bool, conditions []ast.Relation) {
	if r.chance() {
		return true, nil
	}
	return false, r.conditions()
}

func (r *random) assignment() ast.Assignment {
	if r.chance() {
		return ast.Assignment{Target: r.target(), Kind: ast.Assign, Value: r.value()}
	}
	return ast.Assignment{Target: r.column(), Kind: one(r, ast.Add, ast.Subtract, ast.Prepend), Value: r.value()}
}

func rename(target ast.Target, text string) {
	switch target := target.(type) {
	case *ast.Column:
		target.Name = ast.Name{Text: text}
	case *ast.Element:
		target.Operand.(*ast.Column).Name = ast.Name{Text: text}
	case *ast.Field:
		target.Operand.(*ast.Column).Name = ast.Name{Text: text}
	}
}

func (r *random) batch() ast.Statement {
	return &ast.Batch{
		Kind:       one(r, ast.LoggedBatch, ast.UnloggedBatch, ast.CounterBatch),
		Using:      r.using(),
		Statements: some(r, 0, 3, r.change),
	}
}

func (r *random) columns(least int) []ast.ColumnDefinition {
	return some(r, least, 3, func() ast.ColumnDefinition {
		return ast.ColumnDefinition{Name: r.anyName(), Type: r.dataType(3), Static: r.chance(), Mask: r.mask()}
	})
}

func (r *random) mask() *ast.Call {
	if r.chance() {
		return nil
	}
	return &ast.Call{Function: r.qualify(r.functionName()), Arguments: some(r, 0, 2, r.value)}
}

func (r *random) primaryKey() ast.PrimaryKey {
	return ast.PrimaryKey{Partition: some(r, 1, 2, r.anyName), Clustering: some(r, 0, 2, r.anyName)}
}

func (r *random) tableOptions(compact bool) ast.TableOptions {
	return ast.TableOptions{
		ClusteringOrder: some(r, 0, 2, func() ast.ColumnOrder { return ast.ColumnOrder{Column: r.anyName(), Descending: r.chance()} }),
		CompactStorage:  compact && r.chance(),
		Properties:      r.properties(0),
	}
}

func (r *random) rename() *ast.Rename {
	return &ast.Rename{IfExists: r.chance(), Renames: some(r, 1, 2, func() ast.NewName { return ast.NewName{From: r.anyName(), To: r.anyName()} })}
}

func (r *random) tableStatement() ast.Statement {
	switch r.below(4) {
	case 0:
		return &ast.CreateTableLike{IfNotExists: r.chance(), Table: r.table(), Source: r.table(), Indexes: r.chance(), Properties: r.properties(0)}
	case 1:
		return &ast.AlterTable{IfExists: r.chance(), Table: r.table(), Change: r.tableChange()}
	case 2:
		return &ast.DropTable{IfExists: r.chance(), Table: r.table()}
	default:
		return &ast.CreateTable{
			IfNotExists: r.chance(), Table: r.table(), Columns: r.columns(1), PrimaryKeys: some(r, 0, 2, r.primaryKey), Options: r.tableOptions(true),
		}
	}
}

func (r *random) tableChange() ast.TableChange {
	drop := &ast.DropColumns{IfExists: r.chance(), Columns: some(r, 1, 2, r.anyName)}
	if r.chance() {
		drop.Timestamp = &ast.Literal{Kind: ast.IntegerLiteral, Text: "-5"}
	}
	return one[ast.TableChange](r,
		&ast.AddColumns{IfNotExists: r.chance(), Columns: r.columns(1)},
		drop,
		r.rename(),
		&ast.AlterColumnType{Column: r.anyName(), Type: r.dataType(2)},
		&ast.MaskColumn{IfExists: r.chance(), Column: r.anyName(), Mask: r.mask()},
		&ast.DropCompactStorage{},
		&ast.SetProperties{Properties: r.properties(1)},
	)
}

func (r *random) fields(least int) []ast.FieldDefinition {
	return some(r, least, 3, func() ast.FieldDefinition { return ast.FieldDefinition{Name: r.anyName(), Type: r.dataType(2)} })
}

func (r *random) schemaStatement() ast.Statement {
	typeName, flag := r.qualify(r.name()), r.chance()
	index := &ast.CreateIndex{Custom: r.chance(), IfNotExists: flag, Table: r.table(), Properties: r.properties(0)}
	index.Targets = some(r, 0, 3, func() ast.IndexTarget {
		return ast.IndexTarget{Kind: ast.IndexTargetKind(r.below(int(ast.FullTarget) + 1)), Column: r.anyName()}
	})
	if r.chance() {
		index.Index = r.anyName()
		index.Class = &ast.Literal{Kind: ast.StringLiteral, Text: r.text()}
	}
	return one[ast.Statement](r,
		&ast.CreateKeyspace{IfNotExists: flag, Keyspace: r.anyName(), Properties: r.properties(1)},
		&ast.AlterKeyspace{IfExists: flag, Keyspace: r.anyName(), Properties: r.properties(1)},
		&ast.DropKeyspace{IfExists: flag, Keyspace: r.anyName()},
		&ast.CreateType{IfNotExists: flag, Type: typeName, Fields: r.fields(1)},
		&ast.AlterType{IfExists: flag, Type: typeName, Change: one[ast.TypeChange](r,
			&ast.AddField{IfNotExists: r.chance(), Field: r.fields(1)[0]}, &ast.AlterFieldType{Field: r.anyName(), Type: r.dataType(2)}, r.rename(),
		)},
		&ast.DropType{IfExists: flag, Type: typeName},
		index,
		&ast.DropIndex{IfExists: flag, Index: r.table()},
		&ast.CreateMaterializedView{
			IfNotExists: flag, View: r.table(), Selectors: r.selectors(), From: r.table(), Where: some(r, 0, 2, r.relation),
			PrimaryKey: r.primaryKey(), Options: r.tableOptions(false),
		},
		&ast.AlterMaterializedView{IfExists: flag, View: r.table(), Properties: r.properties(1)},
		&ast.DropMaterializedView{IfExists: flag, View: r.table()},
	)
}

func (r *random) functionStatement() ast.Statement {
	name, flag := r.qualify(r.functionName()), r.chance()
	parameters := r.types()
	aggregate := &ast.CreateAggregate{
		OrReplace: r.chance(), IfNotExists: flag, Aggregate: name, Parameters: parameters, StateFunction: r.functionName(), StateType: r.dataType(2),
	}
	if r.chance() {
		aggregate.FinalFunction = r.functionName()
		aggregate.InitCondition = r.value()
	}
	if r.chance() {
		parameters = nil
	}
	return one[ast.Statement](r,
		&ast.CreateFunction{
			OrReplace: r.chance(), IfNotExists: flag, Function: name, Parameters: r.fields(0), CalledOnNullInput: r.chance(),
			Returns: r.dataType(2), Language: ast.Name{Text: "java"}, Body: r.text(),
		},
		&ast.DropFunction{IfExists: flag, Function: name, Parameters: parameters},
		aggregate,
		&ast.DropAggregate{IfExists: flag, Aggregate: name, Parameters: parameters},
		&ast.CreateTrigger{IfNotExists: flag, Trigger: r.anyName(), Table: r.table(), Class: r.text()},
		&ast.DropTrigger{IfExists: flag, Trigger: r.anyName(), Table: r.table()},
	)
}

func (r *random) password() ast.RoleOption {
	return one(r,
		ast.RoleOption{Kind: ast.Password, Text: r.text()},
		ast.RoleOption{Kind: ast.HashedPassword, Text: r.text()},
		ast.RoleOption{Kind: ast.GeneratedPassword},
	)
}

func (r *random) roleOptions() []ast.RoleOption {
	options := []ast.RoleOption{
		r.password(),
		{Kind: ast.Superuser, Enabled: r.chance()},
		{Kind: ast.Login, Enabled: r.chance()},
		{Kind: ast.Options, Options: r.propertyMap()},
		{Kind: ast.AccessToDatacenters, All: true},
		{Kind: ast.AccessToDatacenters, Names: some(r, 1, 2, r.text)},
		{Kind: ast.AccessFromCIDRs, All: true},
		{Kind: ast.AccessFromCIDRs, Names: some(r, 1, 2, r.text)},
	}
	first := r.below(len(options) + 1)
	return options[first : first+r.below(len(options)-first+1)]
}

func (r *random) userOptions() []ast.RoleOption {
	options := []ast.RoleOption{r.password(), {Kind: ast.Superuser, Enabled: r.chance()}}
	first := r.below(3)
	return options[first : first+r.below(3-first)]
}

func (r *random) user() ast.Name { return ast.Name{Text: r.text(), Quoted: true} }

func (r *random) roleStatement() ast.Statement {
	flag := r.chance()
	return one[ast.Statement](r,
		&ast.CreateRole{IfNotExists: flag, Role: r.anyName(), Options: r.roleOptions()},
		&ast.AlterRole{IfExists: flag, Role: r.anyName(), Options: r.roleOptions()},
		&ast.DropRole{IfExists: flag, Role: r.anyName()},
		&ast.CreateUser{IfNotExists: flag, User: r.user(), Options: r.userOptions()},
		&ast.AlterUser{IfExists: flag, User: r.user(), Options: r.userOptions()},
		&ast.DropUser{IfExists: flag, User: r.user()},
		&ast.AddIdentity{IfNotExists: flag, Identity: r.text(), Role: r.user()},
		&ast.DropIdentity{IfExists: flag, Identity: r.text()},
		&ast.GrantRole{Role: r.anyName(), Grantee: r.anyName()},
		&ast.RevokeRole{Role: r.anyName(), Grantee: r.anyName()},
	)
}

func (r *random) permissions() ast.Permissions {
	all := []ast.Permission{"CREATE", "ALTER", "DROP", "SELECT", "MODIFY", "AUTHORIZE", "DESCRIBE", "EXECUTE", "UNMASK", "SELECT_MASKED"}
	first := r.below(len(all))
	return one(r, ast.Permissions{All: true}, ast.Permissions{Names: all[first : first+1+r.below(len(all)-first)]})
}

func (r *random) resource() ast.Resource {
	resource := ast.Resource{Kind: ast.ResourceKind(1 + r.below(int(ast.MBeansResource)))}
	switch resource.Kind {
	case ast.KeyspaceResource, ast.AllTables, ast.AllFunctionsInKeyspace:
		resource.Keyspace = r.anyName()
	case ast.TableResource:
		resource.Name = r.table()
	case ast.RoleResource:
		resource.Role = r.anyName()
	case ast.FunctionResource:
		resource.Name = r.qualify(r.functionName())
		resource.Parameters = r.types()
	case ast.MBeanResource, ast.MBeansResource:
		resource.Pattern = r.text()
	}
	return resource
}

func (r *random) permissionStatement() ast.Statement {
	list := &ast.ListPermissions{Permissions: r.permissions(), NoRecursive: r.chance()}
	roles := &ast.ListRoles{NoRecursive: r.chance()}
	if r.chance() {
		resource := r.resource()
		list.Resource = &resource
	}
	if r.chance() {
		list.Of, roles.Of = r.anyName(), r.anyName()
	}
	return one[ast.Statement](r,
		&ast.GrantPermissions{Permissions: r.permissions(), Resource: r.resource(), Grantee: r.anyName()},
		&ast.RevokePermissions{Permissions: r.permissions(), Resource: r.resource(), Grantee: r.anyName()},
		list,
		roles,
		&ast.ListUsers{},
		&ast.ListSuperusers{},
	)
}

func (r *random) otherStatement() ast.Statement {
	describe := &ast.Describe{Kind: ast.DescribeKind(r.below(int(ast.DescribeAggregate) + 1)), WithInternals: r.chance()}
	switch describe.Kind {
	case ast.DescribeSchema:
		describe.Full = r.chance()
	case ast.DescribeKeyspace:
		describe.Only = r.chance()
		if r.chance() {
			describe.Name.Name = r.anyName()
		}
	case ast.DescribeAny, ast.DescribeTable, ast.DescribeIndex, ast.DescribeMaterializedView:
		describe.Name = r.table()
	case ast.DescribeType:
		describe.Name = r.qualify(r.name())
	case ast.DescribeFunction, ast.DescribeAggregate:
		describe.Name = r.qualify(r.functionName())
	}
	return one[ast.Statement](r, &ast.Truncate{Table: r.table()}, &ast.Use{Keyspace: r.anyName()}, describe)
}
