package shell

import (
	"time"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A record is a row that the shell reads for itself, by the names of its columns.
type record map[string]field

// A field is a value with its type.
type field struct {
	typ   *cqltype.Type
	value []byte
}

// text returns a value as cqlsh shows it; "" if there is no such column.
func (r record) text(name string) string {
	f, ok := r[name]
	if !ok {
		return ""
	}
	return string(f.typ.AppendText(nil, f.value))
}

// raw returns a text as it is, with its line ends.
func (r record) raw(name string) string { return string(r[name].value) }

// has reports whether there is such a column, and a value in it.
func (r record) has(name string) bool { return r[name].value != nil }

// number returns an integer; ok is false if there is none.
func (r record) number(name string) (n int64, ok bool) {
	if !r.has(name) || r[name].typ.Decode(r[name].value, &n) != nil {
		return 0, false
	}
	return n, true
}

// time returns a timestamp, or the time in a timeuuid; ok is false if there is none.
func (r record) time(name string) (at time.Time, ok bool) {
	f := r[name]
	if f.value == nil {
		return at, false
	}
	if f.typ.Kind() == cqltype.KindTimeUUID || f.typ.Kind() == cqltype.KindUUID {
		var id cqltype.UUID
		err := f.typ.Decode(f.value, &id)
		return id.Time(), err == nil
	}
	return at, f.typ.Decode(f.value, &at) == nil
}
