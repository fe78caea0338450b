package plan

import (
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Filter checks rows against the conditions that could not be used to find them.
type Filter struct {
	checks []check
}

// A check is a condition with its values.
type check struct {
	condition *condition
	values    [][]Value // one combination, or for IN several
	key       []byte    // for map entries
}

// Filter evaluates the remaining conditions once, so that many rows can be checked. It is nil if
// there are none.
func (w *Where) Filter(b *Binding) (*Filter, error) {
	if len(w.filters) == 0 {
		return nil, nil
	}
	f := &Filter{}
	for _, c := range w.filters {
		values, err := c.filterChoices(b)
		if err != nil {
			return nil, err
		}
		k := check{condition: c, values: values}
		if c.key != nil {
			v, err := c.key.Eval(b)
			if err != nil {
				return nil, err
			}
			if v.Unset {
				return nil, schema.Invalid("Unsupported unset map key for column %s", c.columns[0].Name)
			}
			if v.Bytes == nil {
				return nil, schema.Invalid("Unsupported null map key for column %s", c.columns[0].Name)
			}
			k.key = v.Bytes
		}
		f.checks = append(f.checks, k)
	}
	return f, nil
}

// Matches reports whether a row passes all checks. Null never does.
func (f *Filter) Matches(r *Row) bool {
	for i := range f.checks {
		if !f.checks[i].matches(r) {
			return false
		}
	}
	return true
}

func (k *check) matches(r *Row) bool {
	c := k.condition
	first := c.columns[0]
	switch c.op {
	case opContains, opContainsKey:
		return contains(first.Type, r.Value(first), k.values[0][0].Bytes, c.op == opContainsKey)
	case opEntry:
		value := entryOf(first.Type, r.Value(first), k.key)
		return value != nil && first.Type.ValueType().Compare(value, k.values[0][0].Bytes) == 0
	case opEqual, opIn:
		for _, combination := range k.values {
			if compareColumns(r, c.columns, combination) == 0 {
				return true
			}
		}
		return false
	}
	switch order := compareColumns(r, c.columns, k.values[0]); c.op {
	case opLess:
		return order == -1
	case opLessOrEqual:
		return order == -1 || order == 0
	case opGreater:
		return order == 1
	default:
		return order == 1 || order == 0
	}
}

const incomparable = 2

// compareColumns compares the values of columns with others, the first difference deciding. It
// returns incomparable if one of the columns is null.
func compareColumns(r *Row, columns []*schema.Column, values []Value) int {
	for i, c := range columns {
		v := r.Value(c)
		if v == nil {
			return incomparable
		}
		if values[i].Bytes == nil {
			return 1 // null is before all values
		}
		if order := c.Type.Compare(v, values[i].Bytes); order != 0 {
			return order
		}
	}
	return 0
}

// contains looks for an element of a collection, or a key of a map.
func contains(t *cqltype.Type, collection, wanted []byte, key bool) bool {
	if collection == nil {
		return false
	}
	elements := t.Elements(collection)
	for elements.Next() {
		if t.Kind() == cqltype.KindMap && (elements.Index()%2 == 0) != key {
			continue
		}
		if elements.Type().Compare(elements.Value(), wanted) == 0 {
			return true
		}
	}
	return false
}

// entryOf returns the value of a map under a key, or nil.
func entryOf(t *cqltype.Type, collection, key []byte) []byte {
	if collection == nil {
		return nil
	}
	elements := t.Elements(collection)
	for elements.Next() {
		if elements.Index()%2 == 0 && t.KeyType().Compare(elements.Value(), key) == 0 && elements.Next() {
			return notNil(elements.Value())
		}
	}
	return nil
}
