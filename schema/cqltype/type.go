package cqltype

import (
	"iter"
	"math"
)

// Type is one CQL type with everything that can be done to its values. Types are immutable and safe for
// concurrent use. The native types are the variables TypeInt, TypeText and so on; the others come from
// ListOf, SetOf, MapOf, TupleOf, VectorOf, UDT and Parse.
type Type struct {
	kind      Kind
	multiCell bool
	size      int // bytes of every non-empty value, or -1
	dimension int // vectors only
	name      string
	codec     codec
	elems     []*Type // list, set, vector: 1; map: key, value; tuple and UDT: one per field
	udt       *udt    // user-defined types only
}

// udt is what only a user-defined type has.
type udt struct {
	keyspace, name string
	fields         []Field
}

// Field is one field of a user-defined type.
type Field struct {
	Name string
	Type *Type
}

// codec is what a family of types implements. Values given to it are never null.
type codec interface {
	validate(v []byte) error
	compare(a, b []byte) int
	// appendKey appends the ascending key of v; readKey and skipKey undo it, with every byte of key XORed with mask.
	appendKey(dst, v []byte) []byte
	readKey(dst, key []byte, mask byte) (out, rest []byte, err error)
	skipKey(key []byte, mask byte) (rest []byte, err error)
	accepts(k LiteralKind) bool
	fromLiteral(k LiteralKind, text string) ([]byte, error)
	appendText(dst, v []byte, s style) []byte
	// encode reports ok=false for Go types it does not know; the caller then looks behind pointers and named types.
	encode(dst []byte, v any) (out []byte, ok bool, err error)
	decode(v []byte, dest any) (ok bool, err error)
	goValue(v []byte) (any, error)
}

// Kind returns the family t belongs to.
func (t *Type) Kind() Kind { return t.kind }

// String returns the CQL name of t exactly as Cassandra 5.0 shows it in system_schema.columns.type.
func (t *Type) String() string { return t.name }

// IsMultiCell reports whether a column of type t is stored cell by cell: non-frozen collections and UDTs.
func (t *Type) IsMultiCell() bool { return t.multiCell }

// FixedSize returns the size in bytes that every non-empty value of t has. As in Cassandra, tinyint,
// smallint, date, time and counter do not count as fixed, which shows in how vectors of them are serialized.
func (t *Type) FixedSize() (size int, ok bool) { return t.size, t.size >= 0 }

// ElementType returns the element type of a list, set or vector, nil for other kinds.
func (t *Type) ElementType() *Type {
	if t.kind == KindList || t.kind == KindSet || t.kind == KindVector {
		return t.elems[0]
	}
	return nil
}

// KeyType returns the key type of a map, nil for other kinds.
func (t *Type) KeyType() *Type {
	if t.kind == KindMap {
		return t.elems[0]
	}
	return nil
}

// ValueType returns the value type of a map, nil for other kinds.
func (t *Type) ValueType() *Type {
	if t.kind == KindMap {
		return t.elems[1]
	}
	return nil
}

// FieldTypes returns the types of the elements of a tuple or of the fields of a UDT, in order; nil for other kinds. The
// caller must not change it.
func (t *Type) FieldTypes() []*Type {
	if t.kind == KindTuple || t.kind == KindUDT {
		return t.elems
	}
	return nil
}

// Fields returns the fields of a UDT, nil for other kinds. The caller must not change it.
func (t *Type) Fields() []Field {
	if t.udt == nil {
		return nil
	}
	return t.udt.fields
}

// Dimension returns the number of elements of a vector, 0 for other kinds.
func (t *Type) Dimension() int { return t.dimension }

// UDTName returns the keyspace and the unquoted name of a UDT, empty strings for other kinds.
func (t *Type) UDTName() (keyspace, name string) {
	if t.udt == nil {
		return "", ""
	}
	return t.udt.keyspace, t.udt.name
}

// Equal reports whether t and u are the same type: same kind, same frozenness, equal parts; for UDTs also the same
// keyspace, name and field names.
func (t *Type) Equal(u *Type) bool {
	if t == u {
		return true
	}
	if t == nil || u == nil || t.kind != u.kind || t.multiCell != u.multiCell || t.dimension != u.dimension ||
		t.name != u.name || len(t.elems) != len(u.elems) {
		return false
	}
	for i := range t.elems {
		if !t.elems[i].Equal(u.elems[i]) {
			return false
		}
	}
	if t.udt == nil {
		return true
	}
	for i := range t.udt.fields {
		if t.udt.fields[i].Name != u.udt.fields[i].Name {
			return false
		}
	}
	return t.udt.keyspace == u.udt.keyspace
}

// Walk yields t and every type nested in it, outermost first.
func (t *Type) Walk() iter.Seq[*Type] {
	return func(yield func(*Type) bool) { t.walk(yield) }
}

func (t *Type) walk(yield func(*Type) bool) bool {
	if !yield(t) {
		return false
	}
	for _, e := range t.elems {
		if !e.walk(yield) {
			return false
		}
	}
	return true
}

// Contains reports whether t is of kind k or has a type of kind k nested in it.
func (t *Type) Contains(k Kind) bool {
	for u := range t.Walk() {
		if u.kind == k {
			return true
		}
	}
	return false
}

// References reports whether t is, or has nested in it, the user-defined type of that keyspace and name.
func (t *Type) References(keyspace, name string) bool {
	for u := range t.Walk() {
		if u.udt != nil && u.udt.keyspace == keyspace && u.udt.name == name {
			return true
		}
	}
	return false
}

// AllowsEmpty reports whether zero bytes are a value of t, distinct from null.
func (t *Type) AllowsEmpty() bool { return t.codec.validate([]byte{}) == nil }

// Validate returns a ValueError when value is not a serialized value of t (native protocol v5). Null is valid.
// Sizes inside value are checked against its length before use; nothing is allocated for them.
func (t *Type) Validate(value []byte) error {
	if value == nil {
		return nil
	}
	if err := checkSize(len(value)); err != nil {
		return err
	}
	return t.codec.validate(value)
}

// checkSize refuses values that the native protocol cannot carry: their length is a signed 32-bit integer.
func checkSize(size int) error {
	if size > math.MaxInt32 {
		return invalid("Value of %d bytes is longer than the maximum of %d", size, math.MaxInt32)
	}
	return nil
}

// Compare orders two values of t as Cassandra does and returns -1, 0 or +1. Where zero bytes are a value of
// t it comes first; null is compared as zero bytes, so callers deal with null before. For bytes that do not
// pass Validate the result is unspecified, but Compare does not panic.
func (t *Type) Compare(a, b []byte) int { return t.codec.compare(a, b) }

// Accepts reports whether CQL allows a literal of kind k for a value of t. Collections, tuples, UDTs and
// vectors accept none: the terms for them are built from the literals of their elements.
func (t *Type) Accepts(k LiteralKind) bool { return t.codec.accepts(k) }

// FromLiteral returns the value that a literal stands for. text is the literal without the quotes of a string and with
// doubled quotes undone, otherwise as written. Errors are ValueErrors in Cassandra's wording. The strings 'now' (for a
// timestamp, in any case of letters) and time zone names read the clock and the time zone database of the machine.
func (t *Type) FromLiteral(k LiteralKind, text string) ([]byte, error) {
	if !t.codec.accepts(k) {
		return nil, invalid("Invalid %s constant (%s) for type %s", k, text, t.name)
	}
	if err := checkSize(len(text)); err != nil {
		return nil, err
	}
	return t.codec.fromLiteral(k, text)
}
