package cqltype

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// MaxVectorDimension is the greatest dimension of a vector, the limit that Cassandra's documentation states (8K).
const MaxVectorDimension = 1 << 13

// ListOf returns the non-frozen type list<elem>. It returns a TypeError for elements that are counters or
// non-frozen collections or UDTs; within frozen<>, freeze the element first.
func ListOf(elem *Type) (*Type, error) { return collectionOf(KindList, elem) }

// SetOf returns the non-frozen type set<elem>. It returns a TypeError as ListOf does, and for durations, which have no order.
func SetOf(elem *Type) (*Type, error) { return collectionOf(KindSet, elem) }

// MapOf returns the non-frozen type map<key, value>. It returns a TypeError as ListOf does, and for duration keys.
func MapOf(key, value *Type) (*Type, error) { return collectionOf(KindMap, key, value) }

func collectionOf(kind Kind, elems ...*Type) (*Type, error) {
	name := generic(kind.String(), elems)
	for _, e := range elems {
		switch {
		case e.kind == KindCounter:
			return nil, badType("Counters are not allowed inside collections: %s", name)
		case e.multiCell && e.kind == KindUDT:
			return nil, badType("Non-frozen UDTs are not allowed inside collections: %s", name)
		case e.multiCell:
			return nil, badType("Non-frozen collections are not allowed inside collections: %s", name)
		}
	}
	switch {
	case kind == KindSet && elems[0].kind == KindDuration:
		return nil, badType("Durations are not allowed inside sets: %s", name)
	case kind == KindMap && elems[0].kind == KindDuration:
		return nil, badType("Durations are not allowed as map keys: %s", name)
	}
	return newComposite(&Type{kind: kind, multiCell: true, name: name, elems: elems}), nil
}

// TupleOf returns the type of tuples with elements of these types, which it freezes: a tuple is always frozen. It returns
// a TypeError when there are no elements or one is a counter.
func TupleOf(elems ...*Type) (*Type, error) {
	if len(elems) == 0 {
		return nil, badType("A tuple needs at least one element")
	}
	frozen := make([]*Type, len(elems))
	for i, e := range elems {
		if e.kind == KindCounter {
			return nil, badType("Counters are not allowed inside tuples")
		}
		frozen[i] = e.Frozen()
	}
	return newComposite(&Type{kind: KindTuple, name: "frozen<" + generic("tuple", frozen) + ">", elems: frozen}), nil
}

// VectorOf returns the type of vectors with that many elements, between 1 and MaxVectorDimension. A vector is always
// stored as one value; as in Cassandra, its name keeps an element type as it was declared, frozen or not. It returns
// a TypeError for other dimensions, for counters, and for vectors whose values would exceed 2 GiB.
func VectorOf(elem *Type, dimension int) (*Type, error) {
	switch {
	case dimension <= 0:
		return nil, badType("vectors may only have positive dimensions; given %d", dimension)
	case dimension > MaxVectorDimension:
		return nil, badType("vectors may have at most %d dimensions; given %d", MaxVectorDimension, dimension)
	case elem.kind == KindCounter:
		return nil, badType("Counters are not allowed inside vectors")
	}
	t := &Type{kind: KindVector, dimension: dimension, elems: []*Type{elem}}
	t.name = "vector<" + elem.name + ", " + strconv.Itoa(dimension) + ">"
	newComposite(t)
	if elem.size >= 0 {
		if t.size = elem.size * dimension; t.size > math.MaxInt32 {
			return nil, badType("values of %s exceed the maximum of %d bytes", t.name, math.MaxInt32)
		}
	}
	return t, nil
}

// UDT returns the non-frozen user-defined type of that keyspace and name with these fields. Names are unquoted. It
// returns a TypeError when there are no fields or two of the same name, and for fields that are counters or
// non-frozen UDTs.
func UDT(keyspace, name string, fields []Field) (*Type, error) {
	if len(fields) == 0 {
		return nil, badType("A user type needs at least one field")
	}
	u := &udt{keyspace: keyspace, name: name, fields: slices.Clone(fields)}
	elems := make([]*Type, len(fields))
	seen := make(map[string]bool, len(fields))
	for i, f := range fields {
		switch {
		case seen[f.Name]:
			return nil, badType("Duplicate field name '%s' in type '%s'", f.Name, name)
		case f.Type.kind == KindCounter:
			return nil, badType("A user type cannot contain counters")
		case f.Type.kind == KindUDT && f.Type.multiCell:
			return nil, badType("A user type cannot contain non-frozen UDTs")
		}
		seen[f.Name] = true
		elems[i] = f.Type
	}
	return newComposite(&Type{kind: KindUDT, multiCell: true, name: QuoteName(name), elems: elems, udt: u}), nil
}

// newComposite completes a type that has elements.
func newComposite(t *Type) *Type {
	t.size = -1
	t.codec = compositeCodec{t}
	return t
}

// generic returns name<a, b>.
func generic(name string, elems []*Type) string {
	names := make([]string, len(elems))
	for i, e := range elems {
		names[i] = e.name
	}
	return name + "<" + strings.Join(names, ", ") + ">"
}

// Frozen returns the frozen form of t: a collection, with everything in it, or a UDT that is stored as one value. Other
// types are returned as they are.
func (t *Type) Frozen() *Type {
	switch {
	case !t.multiCell:
		return t
	case t.kind == KindUDT:
		frozen := *t
		frozen.multiCell = false
		frozen.name = "frozen<" + t.name + ">"
		return newComposite(&frozen)
	}
	elems := make([]*Type, len(t.elems))
	for i, e := range t.elems {
		elems[i] = e.Frozen()
	}
	return newComposite(&Type{kind: t.kind, name: "frozen<" + generic(t.kind.String(), elems) + ">", elems: elems})
}

// CheckColumn returns a TypeError when t cannot be the type of a column that is not part of the primary key.
func (t *Type) CheckColumn() error {
	if t.kind != KindUDT || !t.multiCell {
		return nil
	}
	for _, e := range t.elems {
		if e.multiCell {
			return badType("Non-frozen UDTs with nested non-frozen collections are not supported")
		}
	}
	return nil
}

// CheckPrimaryKey returns a TypeError that names the column when t cannot be the type of a partition key or
// clustering column: counters, durations at any depth, non-frozen collections and UDTs.
func (t *Type) CheckPrimaryKey(column string) error {
	switch {
	case t.kind == KindCounter:
		return badType("counter type is not supported for PRIMARY KEY column '%s'", column)
	case t.multiCell && t.kind == KindUDT:
		return badType(`Invalid non-frozen user-defined type "%s.%s" for PRIMARY KEY column '%s'`,
			t.udt.keyspace, t.udt.name, column)
	case t.multiCell:
		return badType("Invalid non-frozen collection type %s for PRIMARY KEY column '%s'", t, column)
	case t.Contains(KindDuration):
		return badType("duration type is not supported for PRIMARY KEY column '%s'", column)
	}
	return nil
}
