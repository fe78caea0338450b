package metadata

import (
	"slices"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// ResolveType returns the type that t stands for in k, whose user-defined types it may name. k may be
// nil where there are none. The error is a *schema.InvalidRequestError.
func ResolveType(k *schema.Keyspace, t *ast.Type) (*cqltype.Type, error) {
	if class := customClass(t); class != "" {
		return nil, schema.Invalid("Custom types are not supported yet ('%s')", class)
	}
	if inner := unfrozenElement(t); inner != nil {
		return nil, schema.Invalid("Non-frozen UDTs are not allowed inside collections: %s", inner)
	}
	return parseType(k, t.String())
}

// unfrozenElement returns the first collection in t that has a user type as it is for an element, or nil.
// Cassandra refuses it whether or not the user type exists.
func unfrozenElement(t *ast.Type) *ast.Type {
	for _, p := range t.Parameters {
		if p.Kind == ast.UserDefined && (t.Kind == ast.ListType || t.Kind == ast.SetType || t.Kind == ast.MapType) {
			return t
		}
		if t.Kind == ast.FrozenType {
			continue // what is inside is frozen with it
		}
		if inner := unfrozenElement(p); inner != nil {
			return inner
		}
	}
	return nil
}

// customClass returns the first Java class in t, or "".
func customClass(t *ast.Type) string {
	if t.Kind == ast.CustomType {
		return t.Class
	}
	for _, p := range t.Parameters {
		if class := customClass(p); class != "" {
			return class
		}
	}
	return ""
}

// parseType reads a type as CQL spells it. It accepts no type that cannot be read back from the form
// in which the schema stores it, which may nest deeper.
func parseType(k *schema.Keyspace, text string) (*cqltype.Type, error) {
	var failed error // more exact than what cqltype says of an unknown type
	resolve := func(keyspace, name string) (*cqltype.Type, bool) {
		switch {
		case k == nil:
			return nil, false
		case keyspace != "" && keyspace != k.Name:
			failed = schema.Invalid("Statement on keyspace %s cannot refer to a user type in keyspace %s; "+
				"user types can only be used in the keyspace they are defined in", k.Name, keyspace)
			return nil, false
		case k.Type(name) == nil:
			failed = schema.Invalid("Unknown type %s.%s", k.Name, name)
			return nil, false
		}
		return k.Type(name), true
	}
	t, err := cqltype.Parse(text, resolve)
	if err == nil {
		_, err = cqltype.Parse(t.String(), resolve)
	}
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, schema.Invalid("%s", err)
	}
	return t, nil
}

// withoutUserTypes returns t, a type of k, with tuples in place of all user-defined types, which may be
// gone or changed when t is needed again.
func withoutUserTypes(k *schema.Keyspace, t *cqltype.Type) (*cqltype.Type, error) {
	var asTuple func(keyspace, name string) (*cqltype.Type, bool)
	asTuple = func(_, name string) (*cqltype.Type, bool) {
		var elements []*cqltype.Type
		for _, f := range k.Type(name).Fields() {
			e, err := cqltype.Parse(f.Type.String(), asTuple)
			if err != nil {
				return nil, false
			}
			elements = append(elements, e)
		}
		tuple, err := cqltype.TupleOf(elements...)
		return tuple, err == nil
	}
	return cqltype.Parse(t.String(), asTuple)
}

// readsAs reports whether a column of type t could read what was written when it had type old: the rule by
// which Cassandra lets a dropped column be added again.
func readsAs(t, old *cqltype.Type) bool {
	size, fixed := t.FixedSize()
	oldSize, oldFixed := old.FixedSize()
	if t.IsMultiCell() != old.IsMultiCell() || fixed != oldFixed || size != oldSize {
		return false
	}
	if !t.Kind().IsCollection() || t.Kind() != old.Kind() {
		return valueReadsAs(t, old)
	}
	if t.Kind() == cqltype.KindMap {
		return valueReadsAs(t.KeyType(), old.KeyType()) && readsAs(t.ValueType(), old.ValueType())
	}
	return readsAs(t.ElementType(), old.ElementType())
}

// valueReadsAs is readsAs for types that may differ in size.
func valueReadsAs(t, old *cqltype.Type) bool {
	switch {
	case t.Equal(old):
		return true
	case t.Kind() == cqltype.KindTuple && old.Kind() == cqltype.KindTuple:
		fields, before := t.FieldTypes(), old.FieldTypes()
		for i := range before {
			if i >= len(fields) || !valueReadsAs(fields[i], before[i]) {
				return false
			}
		}
		return true
	case t.Kind().IsCollection() && t.Kind() == old.Kind():
		return readsAs(t, old)
	}
	return t.Kind() == cqltype.KindBlob || slices.Contains(widening[t.Kind()], old.Kind())
}

// widening says values of which other native types are values of a native type. A blob reads all.
var widening = map[cqltype.Kind][]cqltype.Kind{
	cqltype.KindText:      {cqltype.KindASCII},
	cqltype.KindBigint:    {cqltype.KindTimestamp},
	cqltype.KindTimestamp: {cqltype.KindBigint},
	cqltype.KindUUID:      {cqltype.KindTimeUUID},
	cqltype.KindVarint:    {cqltype.KindInt, cqltype.KindBigint},
}
