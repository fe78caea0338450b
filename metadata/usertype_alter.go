package metadata

import (
	"cmp"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func alterType(s *schema.Schema, c *Change, st *ast.AlterType) (*schema.Schema, *Event, error) {
	keyspace, err := c.target(st.Type, "ALTER", "")
	if err != nil {
		return nil, nil, err
	}
	k, name := s.Keyspace(keyspace), st.Type.Name.Text
	if k == nil || k.Type(name) == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, schema.Invalid("Type %s.%s doesn't exist", keyspace, name)
	}
	old := k.Type(name)
	fields := slices.Clone(old.Fields())
	switch change := st.Change.(type) {
	case *ast.AddField:
		fields, err = addField(k, old, fields, change)
	case *ast.Rename:
		err = renameFields(old, fields, change)
	default:
		err = schema.Invalid("Altering field types is no longer supported")
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := userType(k, name, fields)
	if err != nil {
		return nil, nil, err
	}
	if t.Equal(old) {
		return s, nil, nil
	}
	if k, err = replaceType(k, t); err != nil {
		return nil, nil, err
	}
	return s.With(k), &Event{Updated, Type, keyspace, name}, nil
}

func addField(k *schema.Keyspace, old *cqltype.Type, fields []cqltype.Field, add *ast.AddField) ([]cqltype.Field, error) {
	_, typeName := old.UDTName()
	name := add.Field.Name.Text
	t, err := ResolveType(k, add.Field.Type)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(fields, func(f cqltype.Field) bool { return f.Name == name }) {
		if add.IfNotExists {
			return fields, nil
		}
		return nil, schema.Invalid("Cannot add field %s to type %s.%s: a field with name %s already exists", name, k.Name, typeName, name)
	}
	fields = append(fields, cqltype.Field{Name: name, Type: t})
	if _, err := userType(k, typeName, fields); err != nil {
		return nil, err
	}
	if t.References(k.Name, typeName) {
		return nil, schema.Invalid("Cannot add new field %s of type %s to user type %s.%s as it would create a circular reference",
			name, t, k.Name, typeName)
	}
	var tables []string // whose rows could not be found anymore: a value of the key has one form only
	for table := range k.Tables() {
		if slices.ContainsFunc(table.Partition, func(c *schema.Column) bool { return c.Type.References(k.Name, typeName) }) {
			tables = append(tables, table.String())
		}
	}
	if len(tables) > 0 {
		return nil, schema.Invalid("Cannot add new field %s of type %s to user type %s.%s as the type is being used in partition key by the following tables: %s",
			name, t, k.Name, typeName, strings.Join(tables, ", "))
	}
	return fields, nil
}

// renameFields changes fields, a copy of those of old.
func renameFields(old *cqltype.Type, fields []cqltype.Field, rename *ast.Rename) error {
	keyspace, typeName := old.UDTName()
	for _, r := range rename.Renames {
		i := slices.IndexFunc(old.Fields(), func(f cqltype.Field) bool { return f.Name == r.From.Text })
		if i >= 0 {
			fields[i].Name = r.To.Text
		} else if !rename.IfExists {
			return schema.Invalid("Unkown field %s in user type %s.%s", r.From.Text, keyspace, typeName)
		}
	}
	for i, f := range fields {
		if slices.ContainsFunc(fields[:i], func(g cqltype.Field) bool { return f.Name == g.Name }) {
			return schema.Invalid("Duplicate field name %s in type %s.%s", f.Name, keyspace, typeName)
		}
	}
	return nil
}

// replaceType returns k with another definition of one of its user-defined types, in all types and
// columns that use it.
func replaceType(k *schema.Keyspace, changed *cqltype.Type) (*schema.Keyspace, error) {
	_, changedName := changed.UDTName()
	done := map[string]*cqltype.Type{changedName: changed}
	var failed error
	var resolve func(keyspace, name string) (*cqltype.Type, bool)
	resolve = func(_, name string) (*cqltype.Type, bool) {
		old := k.Type(name)
		switch {
		case done[name] != nil:
			return done[name], true
		case !old.References(k.Name, changedName):
			return old, true
		}
		fields := slices.Clone(old.Fields())
		for i, f := range fields {
			t, err := cqltype.Parse(f.Type.String(), resolve)
			if err != nil {
				failed = cmp.Or(failed, err)
				return nil, false
			}
			fields[i].Type = t
		}
		t, err := userType(k, name, fields)
		if err != nil {
			failed = err
			return nil, false
		}
		done[name] = t
		return t, true
	}
	for t := range k.Types() {
		_, name := t.UDTName()
		if _, ok := resolve("", name); !ok {
			return nil, failed
		}
	}
	next := k
	for _, t := range done {
		next = next.WithType(t)
	}
	for table := range k.Tables() {
		altered, err := changeColumns(table, func(c *schema.Column) error {
			if !c.Type.References(k.Name, changedName) {
				return nil
			}
			t, err := cqltype.Parse(c.Type.String(), resolve)
			switch {
			case err != nil:
			case c.IsPrimaryKey():
				err = t.CheckPrimaryKey(c.Name)
			default:
				err = t.CheckColumn()
			}
			if err != nil {
				return schema.Invalid("%s for column %s of table %s", err, c.Name, table)
			}
			c.Type = t
			return nil
		})
		if err != nil {
			return nil, err
		}
		next = next.WithTable(altered)
	}
	return next, nil
}
