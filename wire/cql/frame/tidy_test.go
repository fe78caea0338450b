package frame

import (
	"reflect"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// tidy returns a copy of a message without what does not count when two are compared: empty slices instead of nil where
// that says the same, what is frozen at the top of a type, and the private fields of a batch.
func tidy(m Message) Message {
	if m == nil {
		return nil
	}
	v := reflect.New(reflect.TypeOf(m).Elem())
	v.Elem().Set(reflect.ValueOf(m).Elem())
	tidyValue(v.Elem())
	return v.Interface().(Message)
}

func tidyValue(v reflect.Value) {
	if t, ok := v.Interface().(*cqltype.Type); ok {
		v.Set(reflect.ValueOf(onWire(t)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if !f.CanSet() {
				continue
			}
			if v.Type().Field(i).Name == "Content" && f.Len() == 0 {
				f.SetZero()
				continue
			}
			tidyValue(f)
		}
		if b, ok := v.Addr().Interface().(*Batch); ok {
			b.values = nil
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return // null and empty differ
		}
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		clone := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(clone, v)
		v.Set(clone)
		for i := range v.Len() {
			tidyValue(v.Index(i))
		}
	}
}
