package metadata

import (
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// maxNestedTypes is how many types a user-defined type may have nested in it, counted as often as they
// occur. Types that have the one before twice double that number each time, and with it what it
// takes to walk over them.
const maxNestedTypes = 1 << 13

func createType(s *schema.Schema, c *Change, st *ast.CreateType) (*schema.Schema, *Event, error) {
	keyspace, err := c.target(st.Type, "CREATE", "")
	if err != nil {
		return nil, nil, err
	}
	k, name := s.Keyspace(keyspace), st.Type.Name.Text
	if k == nil {
		return nil, nil, noKeyspace(keyspace)
	}
	if k.Type(name) != nil {
		if st.IfNotExists {
			return s, nil, nil
		}
		return nil, nil, schema.Invalid("A user type with name '%s' already exists", name)
	}
	if _, native := cqltype.Lookup(name); native && strings.ToLower(name) == name {
		return nil, nil, schema.Invalid("A user type cannot have the name of the native type %s", name)
	}
	var fields []cqltype.Field
	for _, f := range st.Fields {
		t, err := ResolveType(k, f.Type)
		if err != nil {
			return nil, nil, err
		}
		fields = append(fields, cqltype.Field{Name: f.Name.Text, Type: t})
	}
	t, err := userType(k, name, fields)
	if err != nil {
		return nil, nil, err
	}
	return s.With(k.WithType(t)), &Event{Created, Type, keyspace, name}, nil
}

// userType makes a user-defined type of k.
func userType(k *schema.Keyspace, name string, fields []cqltype.Field) (*cqltype.Type, error) {
	t, err := cqltype.UDT(k.Name, name, fields)
	if err != nil {
		return nil, schema.Invalid("%s", err)
	}
	n := 0
	for range t.Walk() {
		if n++; n > maxNestedTypes {
			return nil, schema.Invalid("User type %s.%s would have more than %d types nested in it", k.Name, name, maxNestedTypes)
		}
	}
	return t, nil
}

func dropType(s *schema.Schema, c *Change, st *ast.DropType) (*schema.Schema, *Event, error) {
	keyspace, err := c.target(st.Type, "DROP", "")
	if err != nil {
		return nil, nil, err
	}
	k, name := s.Keyspace(keyspace), st.Type.Name.Text
	if k == nil || k.Type(name) == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, schema.Invalid("Type '%s.%s' doesn't exist", keyspace, name)
	}
	var types, tables []string
	for t := range k.Types() {
		if _, other := t.UDTName(); other != name && t.References(keyspace, name) {
			types = append(types, other)
		}
	}
	for table := range k.Tables() {
		for column := range table.Columns() {
			if column.Type.References(keyspace, name) {
				tables = append(tables, table.Name)
				break
			}
		}
	}
	const inUse = "Cannot drop user type '%s.%s' as it is still used by %s %s"
	switch {
	case len(types) > 0:
		return nil, nil, schema.Invalid(inUse, keyspace, name, "user types", strings.Join(types, ", "))
	case len(tables) > 0:
		return nil, nil, schema.Invalid(inUse, keyspace, name, "tables", strings.Join(tables, ", "))
	}
	return s.With(k.WithoutType(name)), &Event{Dropped, Type, keyspace, name}, nil
}
