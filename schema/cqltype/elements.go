package cqltype

import (
	"encoding/binary"
	"math"
	"slices"
)

// ReadElement reads a value with its length in four bytes in front, the form in which collections, tuples and UDTs hold
// their elements, and returns what follows it. A negative length means null, for which elem is nil.
func ReadElement(b []byte) (elem, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errElementSize
	}
	n := int32(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n < 0 {
		return nil, b, nil
	}
	if int(n) > len(b) {
		return nil, nil, errElement
	}
	return b[:n:n], b[n:], nil
}

// Compiled errors for a hot path; Elements replaces them by Cassandra's wording for the type.
var (
	errElementSize = &ValueError{"Not enough bytes to read size of a component"}
	errElement     = &ValueError{"Not enough bytes to read a component"}
)

// AppendElement appends elem in the form that ReadElement reads; nil means null.
func AppendElement(dst, elem []byte) []byte {
	if elem == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(elem)))
	return append(dst, elem...)
}

// AppendCount appends the header of a serialized list, set or map: the number of elements, or of pairs of a map.
func AppendCount(dst []byte, n int) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

// Elements walks over the elements of a serialized value without allocating. Get one from Type.Elements:
//
//	for e := t.Elements(value); e.Next(); {
//		use(e.Type(), e.Value())
//	}
//
// and look at Err if the value may be malformed.
type Elements struct {
	t     *Type
	rest  []byte
	left  int // elements that may still come
	index int
	value []byte
	err   error
}

// Elements returns an iterator over the elements of a list, set or vector, the keys and values of a map in
// turn, or the fields of a tuple or UDT, of which trailing ones may be missing. Null and, except for tuples and
// UDTs, values of zero bytes have no elements. For other kinds it yields nothing.
func (t *Type) Elements(value []byte) Elements {
	e := Elements{t: t, index: -1}
	switch {
	case value == nil || len(t.elems) == 0:
	case t.kind == KindVector:
		e.rest, e.left = value, t.dimension
	case t.kind == KindTuple || t.kind == KindUDT:
		e.rest, e.left = value, len(t.elems)
	case len(value) < 4:
		e.err = e.short()
	default:
		n := int(int32(binary.BigEndian.Uint32(value)))
		e.rest, e.left = value[4:], n*t.perEntry()
		// Every element takes at least four bytes: a count that cannot be true is refused here, so that callers
		// may allocate by Len.
		switch {
		case n < 0 && t.kind == KindList:
			e.err, e.left = invalid("The data cannot be deserialized as a list"), 0
		case n < 0 || e.left > len(e.rest)/4:
			e.err, e.left = e.short(), 0
		}
	}
	return e
}

// perEntry returns how many elements an entry of a list, set or map has.
func (t *Type) perEntry() int {
	if t.kind == KindMap {
		return 2
	}
	return 1
}

// Len returns how many elements may still come, at most a quarter of the size of the value except for vectors.
func (e *Elements) Len() int { return e.left }

// Next moves to the next element and reports whether there is one.
func (e *Elements) Next() bool {
	if e.left == 0 || e.err != nil {
		e.finish()
		return false
	}
	optional := e.t.kind == KindTuple || e.t.kind == KindUDT
	if optional && len(e.rest) == 0 {
		e.left = 0
		return false
	}
	e.left--
	e.index++
	if e.t.kind == KindVector {
		return e.nextOfVector()
	}
	value, rest, err := ReadElement(e.rest)
	switch {
	case err != nil && optional:
		e.err = e.shortField(err)
	case err != nil:
		e.err = e.short()
	case value == nil && !optional:
		e.err = invalid("Null value read when not allowed")
	default:
		e.value, e.rest = value, rest
		return true
	}
	return false
}

func (e *Elements) nextOfVector() bool {
	n, fixed := e.t.elems[0].FixedSize()
	if !fixed {
		size, rest, ok := readUvint(e.rest)
		if !ok || size > uint64(len(rest)) {
			e.err = e.short()
			return false
		}
		n, e.rest = int(size), rest
	}
	if n > len(e.rest) {
		e.err = e.short()
		return false
	}
	e.value, e.rest = e.rest[:n:n], e.rest[n:]
	return true
}

// finish reports bytes behind the last element.
func (e *Elements) finish() {
	if len(e.rest) == 0 || e.err != nil {
		return
	}
	switch e.t.kind {
	case KindVector:
		e.err = invalid("Unexpected %d extraneous bytes after %s value", len(e.rest), e.t)
	case KindTuple, KindUDT:
		e.err = invalid("Invalid remaining data after end of %s value", e.t.kind)
	default:
		e.err = invalid("Unexpected extraneous bytes after %s value", e.t.kind)
	}
}

// Value returns the current element, nil for null. It is a part of the value, not a copy.
func (e *Elements) Value() []byte { return e.value }

// Type returns the type of the current element.
func (e *Elements) Type() *Type { return e.t.elementType(e.index) }

// Index returns the position of the current element; in a map, keys have even ones and values odd ones.
func (e *Elements) Index() int { return e.index }

// Err returns the ValueError that ended the iteration early, or that there are bytes behind the last element.
func (e *Elements) Err() error { return e.err }

func (e *Elements) short() error {
	if e.t.kind == KindVector {
		return invalid("Not enough bytes to read a %s", e.t)
	}
	return invalid("Not enough bytes to read a %s", e.t.kind)
}

func (e *Elements) shortField(err error) error {
	what := "component"
	if e.t.udt != nil {
		what = "field " + e.t.udt.fields[e.index].Name
	}
	if err == errElementSize {
		return invalid("Not enough bytes to read size of %dth %s", e.index, what)
	}
	return invalid("Not enough bytes to read %dth %s", e.index, what)
}

// elementType returns the type of the element at that index, which is in range.
func (t *Type) elementType(index int) *Type {
	switch t.kind {
	case KindMap:
		return t.elems[index&1]
	case KindTuple, KindUDT:
		return t.elems[index]
	}
	return t.elems[0]
}

// Build returns the serialized value with these elements, in the form that Elements yields: for a map keys and values
// in turn, for a tuple or UDT the fields, of which null ones are nil; missing trailing ones make a tuple shorter, and are null in a UDT. Sets and maps
// are sorted, the slice too; of equal elements of a set the first stays, of equal keys of a map the last, as
// with CQL's literals. It returns a ValueError for elements that are null where that is not allowed, for a wrong
// number of them and for values beyond 2 GiB. The elements themselves are not validated.
func (t *Type) Build(elems [][]byte) ([]byte, error) {
	if err := t.checkElements(elems); err != nil {
		return nil, err
	}
	switch t.kind {
	case KindSet:
		elems = t.elems[0].sortUnique(elems)
	case KindMap:
		elems = t.elems[0].sortEntries(elems)
	}
	size := 4
	for _, e := range elems {
		size += 9 + len(e)
	}
	if err := checkSize(size); err != nil {
		return nil, err
	}
	dst := make([]byte, 0, size)
	switch t.kind {
	case KindVector:
		for _, e := range elems {
			dst = t.appendVectorElement(dst, e)
		}
		return dst, nil
	case KindList, KindSet, KindMap:
		dst = AppendCount(dst, len(elems)/t.perEntry())
	}
	for _, e := range elems {
		dst = AppendElement(dst, e)
	}
	if t.kind == KindUDT { // a tuple may be shorter than its type
		for range len(t.elems) - len(elems) {
			dst = AppendElement(dst, nil)
		}
	}
	return dst, nil
}

// IsSorted reports whether the elements of a serialized set, or the keys of a map, ascend, as Build has them.
func (t *Type) IsSorted(value []byte) bool {
	var before []byte
	for elements := t.Elements(value); elements.Next(); {
		if t.kind == KindMap && elements.Index()%2 == 1 {
			continue
		}
		if before != nil && t.elems[0].Compare(before, elements.Value()) >= 0 {
			return false
		}
		before = elements.Value()
	}
	return true
}

// checkElements reports what keeps elems from making a value of t.
func (t *Type) checkElements(elems [][]byte) error {
	switch t.kind {
	case KindTuple, KindUDT:
		if len(elems) > len(t.elems) {
			return invalid("Expected %d values for %s, but got %d", len(t.elems), t, len(elems))
		}
		return nil
	case KindList, KindSet, KindMap:
		if len(elems)%t.perEntry() != 0 {
			return invalid("%s has a key without a value", t)
		}
		if slices.ContainsFunc(elems, isNull) {
			return invalid("null is not supported inside collections")
		}
		return nil
	case KindVector:
		if len(elems) != t.dimension {
			return invalid("Required %d elements, but saw %d", t.dimension, len(elems))
		}
		size, fixed := t.elems[0].FixedSize()
		for i, e := range elems {
			if e == nil || fixed && len(e) != size {
				return invalid("Element at index %d is null (expected type %s)", i, t.elems[0])
			}
		}
		return nil
	}
	return invalid("%s has no elements", t)
}

func isNull(v []byte) bool { return v == nil }

// appendVectorElement appends one element of a vector, with its size in front unless the type fixes it.
func (t *Type) appendVectorElement(dst, elem []byte) []byte {
	if _, fixed := t.elems[0].FixedSize(); !fixed {
		dst = appendUvint(dst, uint64(len(elem)))
	}
	return append(dst, elem...)
}

// sortUnique sorts elems and drops all but the first of equal ones.
func (t *Type) sortUnique(elems [][]byte) [][]byte {
	slices.SortStableFunc(elems, t.Compare)
	return slices.CompactFunc(elems, func(a, b []byte) bool { return t.Compare(a, b) == 0 })
}

// sortEntries sorts keys that stand in turn with values, and drops all but the last of entries with equal keys.
func (t *Type) sortEntries(elems [][]byte) [][]byte {
	entries := make([][2][]byte, len(elems)/2)
	for i := range entries {
		entries[i] = [2][]byte{elems[2*i], elems[2*i+1]}
	}
	slices.SortStableFunc(entries, func(a, b [2][]byte) int { return t.Compare(a[0], b[0]) })
	n := 0
	for i, e := range entries {
		if i+1 < len(entries) && t.Compare(e[0], entries[i+1][0]) == 0 {
			continue
		}
		elems[n], elems[n+1] = e[0], e[1]
		n += 2
	}
	return elems[:n]
}
