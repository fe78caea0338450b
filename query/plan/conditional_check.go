package plan

import (
	"encoding/binary"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A columnCheck is a columnCondition with its values.
type columnCheck struct {
	of      *columnCondition
	element []byte   // the key of a map
	index   int      // in a list
	values  [][]byte // one of which must be found, but for opNotEqual; nil is null
}

// check evaluates the values of a condition.
func (c *columnCondition) check(b *Binding) (*columnCheck, error) {
	k := &columnCheck{of: c}
	if c.element != nil {
		if err := k.evalElement(b); err != nil {
			return nil, err
		}
	}
	if c.marker != nil {
		return k, k.evalList(b)
	}
	for _, t := range c.values {
		v, err := t.Eval(b)
		switch {
		case err != nil:
			return nil, err
		case v.Unset && c.op == opIn:
			continue
		case v.Unset:
			return nil, unsetInCondition()
		}
		k.values = append(k.values, v.Bytes)
	}
	return k, k.checkNull()
}

func unsetInCondition() error { return schema.Invalid("Invalid 'unset' value in condition") }

// evalElement evaluates the index of a list element, or the key of a map.
func (k *columnCheck) evalElement(b *Binding) error {
	v, err := k.of.element.Eval(b)
	if err != nil {
		return err
	}
	list := k.of.column.Type.Kind() == cqltype.KindList
	what := map[bool]string{true: "list", false: "map"}[list]
	switch {
	case v.Unset:
		return schema.Invalid("Invalid unset value for %s element access", what)
	case v.Bytes == nil || list && len(v.Bytes) != 4:
		return schema.Invalid("Invalid null value for %s element access", what)
	case !list:
		k.element = v.Bytes
		return nil
	}
	if k.index = int(signed(v.Bytes)); k.index < 0 {
		return schema.Invalid("Invalid negative list index %d", k.index)
	}
	return nil
}

// evalList takes the list of all values after IN apart.
func (k *columnCheck) evalList(b *Binding) error {
	list, err := k.of.marker.Eval(b)
	switch {
	case err != nil:
		return err
	case list.Unset:
		return unsetInCondition()
	case list.Bytes == nil:
		return schema.Invalid("Invalid null list in IN condition")
	case len(list.Bytes) < 4:
		return schema.Invalid("Not enough bytes to read a list")
	}
	rest := list.Bytes[4:]
	for n := int32(binary.BigEndian.Uint32(list.Bytes)); n > 0; n-- {
		var value []byte
		if value, rest, err = cqltype.ReadElement(rest); err != nil {
			return schema.Invalid("Not enough bytes to read a list")
		}
		if value != nil {
			err = k.of.typ.Validate(value)
		}
		if err == nil && value != nil {
			value, err = inOrder(k.of.typ, value)
		}
		if err != nil {
			return schema.Invalid("%s", err)
		}
		k.values = append(k.values, value)
	}
	return k.checkNull()
}

// checkNull refuses to compare null other than with = and !=. A collection that is stored cell by cell and has no
// elements is null.
func (k *columnCheck) checkNull() error {
	c := k.of
	for i, v := range k.values {
		empty := v != nil && c.emptyIsNull() && binary.BigEndian.Uint32(v) == 0
		if empty {
			k.values[i] = nil
		}
		switch {
		case k.values[i] != nil || c.op == opEqual || c.op == opNotEqual || c.op == opIn:
		case empty:
			return schema.Invalid("Invalid comparison with an empty %s for operator \"%s\"", kindName(c.typ.Kind()), opNames[c.op])
		default:
			return schema.Invalid("Invalid comparison with null for operator \"%s\"", opNames[c.op])
		}
	}
	return nil
}

func kindName(k cqltype.Kind) string {
	switch k {
	case cqltype.KindList:
		return "list"
	case cqltype.KindSet:
		return "set"
	default:
		return "map"
	}
}

// emptyIsNull reports whether the condition is on a whole collection that is stored cell by cell.
func (c *columnCondition) emptyIsNull() bool {
	t := c.column.Type
	return c.element == nil && c.op != opContains && c.op != opContainsKey && t.Kind().IsCollection() && t.IsMultiCell()
}

// holds reports whether a row, which may be empty, meets the condition.
func (k *columnCheck) holds(r *Row) bool {
	c := k.of
	value := r.Value(c.column)
	switch {
	case c.op == opContains || c.op == opContainsKey:
		return contains(c.column.Type, value, k.values[0], c.op == opContainsKey)
	case k.element != nil:
		value = entryOf(c.column.Type, value, k.element)
	case c.element != nil:
		value = componentOf(c.column.Type, value, k.index)
	case c.field >= 0:
		value = componentOf(c.column.Type, value, c.field)
	}
	for _, wanted := range k.values {
		if compareValue(c.typ, c.op, value, wanted) {
			return true
		}
	}
	return false
}

// componentOf returns an element of a list or a field of a user type; nil if there is none.
func componentOf(t *cqltype.Type, value []byte, index int) []byte {
	if value == nil {
		return nil
	}
	for elements := t.Elements(value); elements.Next(); {
		if elements.Index() == index {
			return elements.Value()
		}
	}
	return nil
}

// compareValue compares a value that is stored, nil for null, with one of a condition.
func compareValue(t *cqltype.Type, o op, value, wanted []byte) bool {
	switch {
	case wanted == nil && o == opNotEqual:
		return value != nil
	case wanted == nil:
		return value == nil
	case value == nil:
		return o == opNotEqual
	}
	order := t.Compare(value, wanted)
	switch o {
	case opNotEqual:
		return order != 0
	case opLess:
		return order < 0
	case opLessOrEqual:
		return order <= 0
	case opGreater:
		return order > 0
	case opGreaterOrEqual:
		return order >= 0
	default: // opEqual, opIn
		return order == 0
	}
}
