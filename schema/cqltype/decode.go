package cqltype

import "reflect"

// Decoder is implemented by Go types that CQL values are turned into by their own code. Decode calls it on what dest
// points to before it looks behind pointers and named types.
type Decoder interface {
	// DecodeCQL takes a serialized value of type t, nil for null. It must not keep value.
	DecodeCQL(t *Type, value []byte) error
}

// Decode stores value in what dest points to. The package comment lists which Go types go with which CQL types; others,
// and numbers out of range, give a ValueError. Null, and zero bytes for a type whose values have a size, give the
// zero value; a pointer is nil for null and otherwise points to a new variable. Nothing that is stored shares
// memory with value.
func (t *Type) Decode(value []byte, dest any) error {
	rv := reflect.ValueOf(dest)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return invalid("cannot decode %s into %T: it is not a pointer to a variable", t, dest)
	}
	if value != nil && (len(value) > 0 || t.ordinaryEmpty()) {
		if ok, err := t.codec.decode(value, dest); ok || err != nil {
			return err
		}
	}
	if d, ok := dest.(Decoder); ok {
		return d.DecodeCQL(t, value)
	}
	return t.decodeSlow(value, rv.Elem())
}

// decodeSlow stores value in a variable that the codec does not know.
func (t *Type) decodeSlow(value []byte, v reflect.Value) error {
	switch kind := v.Kind(); {
	case value == nil:
		v.SetZero()
		return nil
	case kind == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := t.Decode(value, p.Interface()); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case kind == reflect.Interface && v.NumMethod() == 0:
		x, err := t.GoValue(value)
		if err != nil || x == nil {
			v.SetZero()
			return err
		}
		v.Set(reflect.ValueOf(x))
		return nil
	case len(value) == 0 && !t.ordinaryEmpty():
		v.SetZero()
		return nil
	}
	decode := t.decodeNamed
	if len(t.elems) > 0 {
		decode = t.decodeElements
	}
	ok, err := decode(value, v)
	if !ok && err == nil {
		return invalid("cannot decode %s into %s", t, v.Type())
	}
	return err
}

// decodeNamed stores a scalar in a variable of a named type by way of the type it is made of.
func (t *Type) decodeNamed(value []byte, v reflect.Value) (ok bool, err error) {
	base := baseType(v.Type())
	if base == nil {
		return false, nil
	}
	p := reflect.New(base)
	if ok, err = t.codec.decode(value, p.Interface()); ok && err == nil {
		v.Set(p.Elem().Convert(v.Type()))
	}
	return ok, err
}

// decodeElements stores a collection, tuple, UDT or vector; ok=false means that it does not fit a variable of this kind.
func (t *Type) decodeElements(value []byte, v reflect.Value) (ok bool, err error) {
	e := t.Elements(value)
	switch kind := v.Kind(); {
	case t.kind == KindMap && kind == reflect.Map:
		err = decodeMap(&e, v, t.elems[1])
	case t.kind == KindMap && v.Type() == reflect.TypeFor[[]Entry]():
		err = decodeEntries(&e, v)
	case t.kind == KindMap:
		return false, nil
	case t.kind == KindSet && kind == reflect.Map && isEmptyStruct(v.Type().Elem()):
		err = decodeMap(&e, v, nil)
	case t.kind == KindUDT && kind == reflect.Map && v.Type().Key().Kind() == reflect.String:
		err = decodeNames(&e, v)
	case (t.kind == KindUDT || t.kind == KindTuple) && kind == reflect.Struct:
		err = decodeStruct(&e, v)
	case t.kind == KindUDT:
		return false, nil
	case kind == reflect.Slice:
		err = decodeSlice(&e, v)
	case kind == reflect.Array:
		err = decodeArray(&e, v)
	default:
		return false, nil
	}
	return true, err
}

func isEmptyStruct(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.NumField() == 0 }

// decodeMap stores keys with their values, or keys alone when valueType is nil.
func decodeMap(e *Elements, v reflect.Value, valueType *Type) error {
	mt := v.Type()
	m := reflect.MakeMap(mt)
	for e.Next() {
		key, elem := reflect.New(mt.Key()), reflect.New(mt.Elem())
		if err := e.Type().Decode(e.Value(), key.Interface()); err != nil {
			return err
		}
		if !key.Elem().Comparable() { // an interface with a slice in it, say
			return invalid("cannot use a value of %s as a key of %s", e.Type(), mt)
		}
		if valueType != nil {
			if !e.Next() {
				break
			}
			if err := valueType.Decode(e.Value(), elem.Interface()); err != nil {
				return err
			}
		}
		m.SetMapIndex(key.Elem(), elem.Elem())
	}
	if e.Err() == nil {
		v.Set(m)
	}
	return e.Err()
}

func decodeEntries(e *Elements, v reflect.Value) error {
	entries := make([]Entry, 0, e.Len()/2)
	for e.Next() {
		x, err := e.Type().GoValue(e.Value())
		if err != nil {
			return err
		}
		if e.Index()&1 == 0 {
			entries = append(entries, Entry{Key: x})
		} else {
			entries[len(entries)-1].Value = x
		}
	}
	if e.Err() == nil {
		v.Set(reflect.ValueOf(entries))
	}
	return e.Err()
}

// decodeSlice stores all elements, those of a tuple too; fields that a tuple value lacks are null.
func decodeSlice(e *Elements, v reflect.Value) error {
	n := e.Len()
	s := reflect.MakeSlice(v.Type(), n, n)
	for e.Next() {
		if err := e.Type().Decode(e.Value(), s.Index(e.Index()).Addr().Interface()); err != nil {
			return err
		}
	}
	if e.Err() == nil {
		v.Set(s)
	}
	return e.Err()
}

func decodeArray(e *Elements, v reflect.Value) error {
	if e.Len() != v.Len() && e.Err() == nil {
		return invalid("cannot decode %d elements into %s", e.Len(), v.Type())
	}
	v.SetZero()
	for e.Next() {
		if err := e.Type().Decode(e.Value(), v.Index(e.Index()).Addr().Interface()); err != nil {
			return err
		}
	}
	return e.Err()
}

// decodeNames stores the fields of a UDT under their names. Fields that the value lacks are null.
func decodeNames(e *Elements, v reflect.Value) error {
	mt := v.Type()
	m := reflect.MakeMap(mt)
	for _, f := range e.t.udt.fields {
		var value []byte
		if e.Next() {
			value = e.Value()
		}
		elem := reflect.New(mt.Elem())
		if err := f.Type.Decode(value, elem.Interface()); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(f.Name).Convert(mt.Key()), elem.Elem())
	}
	e.Next() // looks for bytes behind the last field
	if e.Err() == nil {
		v.Set(m)
	}
	return e.Err()
}

// decodeStruct stores the fields that the struct has too, by name for a UDT and in order for a tuple.
func decodeStruct(e *Elements, v reflect.Value) error {
	fields, ok := e.t.structFields(v.Type())
	if !ok {
		return invalid("the fields of %s do not match those of %s", v.Type(), e.t)
	}
	for i, elem := range e.t.elems {
		var value []byte
		if e.Next() {
			value = e.Value()
		}
		if fields[i] < 0 {
			continue
		}
		if err := elem.Decode(value, v.Field(fields[i]).Addr().Interface()); err != nil {
			return err
		}
	}
	e.Next() // looks for bytes behind the last field
	return e.Err()
}
