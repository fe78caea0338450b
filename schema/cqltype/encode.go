package cqltype

import (
	"reflect"
	"strings"
)

// Encoder is implemented by Go types that turn themselves into CQL values. Encode calls it before it looks
// behind pointers and named types.
type Encoder interface {
	// EncodeCQL returns the serialized value of type t, nil for null.
	EncodeCQL(t *Type) ([]byte, error)
}

// Entry is an entry of a map whose keys Go cannot use as map keys, such as blobs. []Entry is a Go form of every CQL map.
type Entry struct {
	Key, Value any
}

// Encode returns the serialized value of type t that v stands for, nil for null. The package comment lists
// which Go types go with which CQL types; others, and numbers out of range, give a ValueError.
func (t *Type) Encode(v any) ([]byte, error) {
	out, null, err := t.AppendEncode(nil, v)
	switch {
	case err != nil || null:
		return nil, err
	case out == nil:
		return []byte{}, nil
	}
	return out, nil
}

// AppendEncode appends what Encode returns to dst, or reports that the value is null and appends nothing. After an
// error out holds what dst did.
func (t *Type) AppendEncode(dst []byte, v any) (out []byte, null bool, err error) {
	if b, isBytes := v.([]byte); v == nil || isBytes && b == nil {
		return dst, true, nil
	}
	out, ok, err := t.codec.encode(dst, v)
	if !ok && err == nil {
		out, null, err = t.encodeSlow(dst, v)
	}
	if err != nil {
		return dst, false, err
	}
	return out, null, checkSize(len(out) - len(dst))
}

// encodeSlow looks for an Encoder, behind pointers, and at what a named type is made of.
func (t *Type) encodeSlow(dst []byte, v any) (out []byte, null bool, err error) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if rv.IsNil() {
			return dst, true, nil
		}
	}
	if e, ok := v.(Encoder); ok {
		value, err := e.EncodeCQL(t)
		if err == nil {
			err = t.Validate(value)
		}
		return append(dst, value...), value == nil, err
	}
	if rv.Kind() == reflect.Pointer {
		return t.AppendEncode(dst, rv.Elem().Interface())
	}
	ok := false
	if len(t.elems) > 0 {
		out, ok, err = t.encodeElements(dst, rv)
	} else if base := baseType(rv.Type()); base != nil {
		out, ok, err = t.codec.encode(dst, rv.Convert(base).Interface())
	}
	if !ok && err == nil {
		err = invalid("cannot encode %T as %s", v, t)
	}
	return out, false, err
}

// baseType returns the predeclared type, []byte or [16]byte that a scalar Go type is made of, nil if there is none.
func baseType(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Int:
		return reflect.TypeFor[int]()
	case reflect.Int8:
		return reflect.TypeFor[int8]()
	case reflect.Int16:
		return reflect.TypeFor[int16]()
	case reflect.Int32:
		return reflect.TypeFor[int32]()
	case reflect.Int64:
		return reflect.TypeFor[int64]()
	case reflect.Uint:
		return reflect.TypeFor[uint]()
	case reflect.Uint8:
		return reflect.TypeFor[uint8]()
	case reflect.Uint16:
		return reflect.TypeFor[uint16]()
	case reflect.Uint32:
		return reflect.TypeFor[uint32]()
	case reflect.Uint64:
		return reflect.TypeFor[uint64]()
	case reflect.Float32:
		return reflect.TypeFor[float32]()
	case reflect.Float64:
		return reflect.TypeFor[float64]()
	case reflect.Bool:
		return reflect.TypeFor[bool]()
	case reflect.String:
		return reflect.TypeFor[string]()
	case reflect.Slice:
		if t.Elem() == reflect.TypeFor[byte]() {
			return reflect.TypeFor[[]byte]()
		}
	case reflect.Array:
		if t.Elem() == reflect.TypeFor[byte]() && t.Len() == 16 {
			return reflect.TypeFor[[16]byte]()
		}
	}
	return nil
}

// elementBuffer holds serialized elements one behind the other.
type elementBuffer struct {
	buf  []byte
	ends []int // of each element in buf; the complement of it for null
}

// add encodes v as the next element.
func (b *elementBuffer) add(t *Type, v reflect.Value) (err error) {
	var value any
	if v.IsValid() {
		value = v.Interface()
	}
	null := false
	b.buf, null, err = t.AppendEncode(b.buf, value)
	end := len(b.buf)
	if null {
		end = ^end
	}
	b.ends = append(b.ends, end)
	return err
}

// elements returns the elements.
func (b *elementBuffer) elements() [][]byte {
	elems := make([][]byte, len(b.ends))
	start := 0
	for i, end := range b.ends {
		if end >= 0 {
			elems[i] = b.buf[start:end:end]
			start = end
		}
	}
	return elems
}

// encodeElements encodes a collection, tuple, UDT or vector; ok=false means that Go values of this kind do not fit.
func (t *Type) encodeElements(dst []byte, rv reflect.Value) (out []byte, ok bool, err error) {
	b := elementBuffer{buf: []byte{}}
	switch kind := rv.Kind(); {
	case t.kind == KindMap && kind == reflect.Map:
		ok, err = true, b.addMap(rv, t.elems[0], t.elems[1])
	case t.kind == KindMap && rv.Type() == reflect.TypeFor[[]Entry]():
		ok, err = true, b.addEntries(rv, t)
	case t.kind == KindMap:
	case t.kind == KindSet && kind == reflect.Map && isEmptyStruct(rv.Type().Elem()):
		ok, err = true, b.addMap(rv, t.elems[0], nil)
	case t.kind == KindUDT && kind == reflect.Map && rv.Type().Key().Kind() == reflect.String:
		ok, err = true, b.addNamed(rv, t)
	case t.kind == KindUDT && kind == reflect.Struct, t.kind == KindTuple && kind == reflect.Struct:
		ok, err = true, b.addStruct(rv, t)
	case t.kind != KindUDT && (kind == reflect.Slice || kind == reflect.Array):
		ok, err = true, b.addSlice(rv, t)
	}
	if !ok || err != nil {
		return dst, ok, err
	}
	value, err := t.Build(b.elements())
	return append(dst, value...), true, err
}

// addMap adds the keys of a Go map, each followed by its value unless valueType is nil.
func (b *elementBuffer) addMap(rv reflect.Value, keyType, valueType *Type) error {
	for it := rv.MapRange(); it.Next(); {
		if err := b.add(keyType, it.Key()); err != nil {
			return err
		}
		if valueType == nil {
			continue
		}
		if err := b.add(valueType, it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// addEntries adds keys and values of a []Entry.
func (b *elementBuffer) addEntries(rv reflect.Value, t *Type) error {
	for i := range rv.Len() {
		e := rv.Index(i)
		for j, part := range t.elems { // the fields of an Entry are in the order of the types of a map
			if err := b.add(part, e.Field(j)); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSlice adds the elements of a Go slice or array.
func (b *elementBuffer) addSlice(rv reflect.Value, t *Type) error {
	if t.kind == KindTuple && rv.Len() > len(t.elems) {
		return t.checkElements(make([][]byte, rv.Len()))
	}
	for i := range rv.Len() {
		if err := b.add(t.elementType(i), rv.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// addNamed adds the fields of a UDT from a Go map with their names. Fields that are missing there are null.
func (b *elementBuffer) addNamed(rv reflect.Value, t *Type) error {
	found := 0
	for _, f := range t.udt.fields {
		v := rv.MapIndex(reflect.ValueOf(f.Name).Convert(rv.Type().Key()))
		if v.IsValid() {
			found++
		}
		if err := b.add(f.Type, v); err != nil {
			return err
		}
	}
	if found == rv.Len() {
		return nil
	}
	for _, key := range rv.MapKeys() {
		if t.fieldIndex(key.String()) < 0 {
			return invalid("Unknown field '%s' in value of user defined type %s", key, t.udt.name)
		}
	}
	return nil
}

// addStruct adds the fields of a Go struct, by name for a UDT and in order for a tuple. Those that the struct lacks are
// null.
func (b *elementBuffer) addStruct(rv reflect.Value, t *Type) error {
	fields, ok := t.structFields(rv.Type())
	if !ok {
		return invalid("the fields of %s do not match those of %s", rv.Type(), t)
	}
	for i, elem := range t.elems {
		var v reflect.Value
		if fields[i] >= 0 {
			v = rv.Field(fields[i])
		}
		if err := b.add(elem, v); err != nil {
			return err
		}
	}
	return nil
}

// structFields returns for each field of a UDT or tuple the index of the Go struct's field for it, or -1. The fields
// of a UDT have the name in the tag cql:"name", or else the lower-cased name of the Go field; those of a tuple
// are the exported ones in order. The tag "-" leaves a Go field out. ok=false means that nothing matches or that a
// tuple has fewer elements than the struct has fields.
func (t *Type) structFields(st reflect.Type) (index []int, ok bool) {
	index = make([]int, len(t.elems))
	for i := range index {
		index[i] = -1
	}
	next := 0
	for i := range st.NumField() {
		f := st.Field(i)
		name := f.Tag.Get("cql")
		if !f.IsExported() || name == "-" {
			continue
		}
		at := next
		if t.udt != nil {
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			at = t.fieldIndex(name)
		}
		if at == len(index) {
			return nil, false
		}
		if at >= 0 {
			index[at] = i
			next++
		}
	}
	return index, next > 0
}

// fieldIndex returns the position of the field of that name in a UDT, or -1.
func (t *Type) fieldIndex(name string) int {
	for i, f := range t.udt.fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}
