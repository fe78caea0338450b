package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// appendJSON appends a value as Cassandra writes it in JSON.
func appendJSON(dst []byte, t *cqltype.Type, v []byte) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch t.Kind() {
	case cqltype.KindText, cqltype.KindASCII:
		return appendJSONString(dst, string(v))
	case cqltype.KindBlob:
		return append(t.AppendLiteral(append(dst, '"'), v), '"')
	case cqltype.KindList, cqltype.KindSet, cqltype.KindTuple, cqltype.KindVector:
		return appendJSONList(dst, t, v)
	case cqltype.KindMap:
		return appendJSONMap(dst, t, v)
	case cqltype.KindUDT:
		return appendJSONFields(dst, t, v)
	}
	if len(v) == 0 {
		return append(dst, `""`...)
	}
	switch t.Kind() {
	case cqltype.KindFloat, cqltype.KindDouble:
		size := 8 * len(v)
		f := numberOf(t, v).float
		if f-f != 0 { // JSON has no word for it
			return append(dst, "null"...)
		}
		return append(dst, javaFloat(f, size)...)
	case cqltype.KindBoolean, cqltype.KindDecimal, cqltype.KindVarint, cqltype.KindInt, cqltype.KindBigint, cqltype.KindSmallint,
		cqltype.KindTinyint, cqltype.KindCounter:
		return append(dst, castText(t, v)...)
	case cqltype.KindTimestamp:
		return append(dst, time.UnixMilli(signed(v)).UTC().Format(`"2006-01-02 15:04:05.000Z"`)...)
	}
	return append(append(append(dst, '"'), castText(t, v)...), '"')
}

// appendJSONString quotes a text. Unlike Go's encoder it leaves all alone that JSON does not want escaped.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		c := s[i]
		short := strings.IndexByte("\b\t\n\f\r", c)
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case short >= 0:
			dst = append(dst, '\\', "btnfr"[short])
		case c < ' ':
			dst = fmt.Appendf(dst, `\u%04X`, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func appendJSONList(dst []byte, t *cqltype.Type, v []byte) []byte {
	dst = append(dst, '[')
	n := 0
	for elements := t.Elements(v); elements.Next(); n++ {
		if n > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendJSON(dst, elements.Type(), elements.Value())
	}
	for ; t.Kind() == cqltype.KindTuple && n < len(t.FieldTypes()); n++ {
		if n > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, "null"...)
	}
	return append(dst, ']')
}

// appendJSONMap appends a map; its keys are texts, whatever their type is.
func appendJSONMap(dst []byte, t *cqltype.Type, v []byte) []byte {
	dst = append(dst, '{')
	for elements := t.Elements(v); elements.Next(); {
		if elements.Index()%2 == 1 {
			dst = appendJSON(append(dst, ": "...), elements.Type(), elements.Value())
			continue
		}
		if elements.Index() > 0 {
			dst = append(dst, ", "...)
		}
		key := appendJSON(nil, elements.Type(), elements.Value())
		if key[0] != '"' {
			key = appendJSONString(nil, string(key))
		}
		dst = append(dst, key...)
	}
	return append(dst, '}')
}

func appendJSONFields(dst []byte, t *cqltype.Type, v []byte) []byte {
	dst = append(dst, '{')
	elements := t.Elements(v)
	for i, f := range t.Fields() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(appendJSONName(dst, f.Name), ": "...)
		var value []byte
		if elements.Next() {
			value = elements.Value()
		}
		dst = appendJSON(dst, f.Type, value)
	}
	return append(dst, '}')
}

// appendJSONName appends the name of a column or field. Names that CQL has to quote are quoted twice.
func appendJSONName(dst []byte, name string) []byte {
	if name != strings.ToLower(name) {
		name = `"` + name + `"`
	}
	return appendJSONString(dst, name)
}

// A jsonRow is a row of SELECT JSON: one text that holds all that is selected.
type jsonRow struct {
	selectors []Selector
	columns   []Spec
	heads     []string // what stands in front of each value
}

// Eval returns the text.
func (j *jsonRow) Eval(b *Binding) (Value, error) {
	var out, scratch []byte
	for i := range j.selectors {
		out = append(out, j.heads[i]...)
		v, ok, err := j.selectors[i].Append(scratch[:0], b)
		switch {
		case err != nil:
			return Value{}, err
		case ok:
			out = appendJSON(out, j.columns[i].Type, notNil(v))
		default:
			out = append(out, "null"...)
		}
		scratch = v
	}
	return Value{Bytes: append(out, '}')}, nil
}

func (j *jsonRow) String() string { return "[json]" }

// asJSON turns what is selected into the one text of SELECT JSON.
func (s *Select) asJSON() {
	j := &jsonRow{selectors: s.Selectors, columns: s.Columns}
	row := Selector{text: "[json]", term: j}
	separator := "{"
	for i := range s.Selectors {
		j.heads = append(j.heads, string(appendJSONName([]byte(separator), s.Columns[i].Name))+": ")
		separator = ", "
		row.columns = append(row.columns, s.Selectors[i].columns...)
	}
	s.Columns = []Spec{{Keyspace: s.Table.Keyspace, Table: s.Table.Name, Name: "[json]", Type: cqltype.TypeText}}
	s.Selectors = []Selector{row}
}
