package plan

import (
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// single returns the value that a condition on one column compares with, which may be null.
func (c *condition) single(o *operand, b *Binding) (Value, error) {
	v, err := o.terms[0].Eval(b)
	if err == nil && v.Unset {
		err = schema.Invalid("Invalid unset value for column %s", c.columns[0].Name)
	}
	return v, err
}

// tupleOf returns the values that a condition on several columns compares with, one for each; they
// may be null.
func (c *condition) tupleOf(o *operand, b *Binding) ([]Value, error) {
	if o.whole == nil {
		out := make([]Value, len(o.terms))
		for i, t := range o.terms {
			v, err := t.Eval(b)
			if err != nil {
				return nil, err
			}
			if v.Unset {
				return nil, schema.Invalid("Invalid unset value for tuple field number %d", i)
			}
			out[i] = v
		}
		return out, nil
	}
	v, err := o.whole.Eval(b)
	switch {
	case err != nil:
		return nil, err
	case v.Unset:
		return nil, schema.Invalid("Invalid unset value for tuple (%s)", joinNames(c.columns, ","))
	case v.Bytes == nil:
		return nil, c.nullInTuple()
	}
	return c.unpackTuple(v.Bytes)
}

func (c *condition) nullInTuple() error {
	return schema.Invalid("Invalid null value in condition for columns: [%s]", names(c.columns))
}

// unpackTuple takes a serialized tuple of values for the columns apart. Missing ones are null.
func (c *condition) unpackTuple(b []byte) ([]Value, error) {
	out := make([]Value, len(c.columns))
	for i, col := range c.columns {
		if len(b) == 0 {
			break
		}
		component, rest, err := cqltype.ReadElement(b)
		if err == nil && component != nil {
			err = col.Type.Validate(component)
		}
		if err != nil {
			return nil, schema.Invalid("%s", err)
		}
		out[i].Bytes, b = component, rest
	}
	if len(b) > 0 {
		types := make([]*cqltype.Type, len(c.columns))
		for i, col := range c.columns {
			types[i] = col.Type
		}
		t, err := cqltype.TupleOf(types...)
		if err != nil {
			return nil, schema.Invalid("%s", err)
		}
		return nil, schema.Invalid("Expected %d values for %s column, but got more", len(types), t)
	}
	return out, nil
}

// equal returns the values of an = condition, none of them null.
func (c *condition) equal(b *Binding) ([]Value, error) {
	if !c.tuple {
		v, err := c.single(&c.value, b)
		if err == nil && v.Bytes == nil {
			err = nullInCondition(c.columns[0])
		}
		return []Value{v}, err
	}
	values, err := c.tupleOf(&c.value, b)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		if v.Bytes == nil {
			return nil, schema.Invalid("Invalid null value for column %s", c.columns[i].Name)
		}
	}
	return values, nil
}

func nullInCondition(c *schema.Column) error {
	return schema.Invalid("Invalid null value in condition for column %s", c.Name)
}

// bound returns the values of an inequality. Of a single column a SELECT takes null, which is
// before all values that are stored.
func (c *condition) bound(kind statementKind, b *Binding) ([]Value, error) {
	if !c.tuple {
		v, err := c.single(&c.value, b)
		if err == nil && v.Bytes == nil && kind != selecting {
			err = nullInCondition(c.columns[0])
		}
		return []Value{v}, err
	}
	values, err := c.tupleOf(&c.value, b)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		if v.Bytes == nil {
			return nil, nullInCondition(c.columns[i])
		}
	}
	return values, nil
}

// choices returns the values that an = or IN condition allows, each with one value for each column,
// none of them null.
func (c *condition) choices(b *Binding) ([][]Value, error) {
	if c.op != opIn {
		values, err := c.equal(b)
		return [][]Value{values}, err
	}
	out, err := c.listed(b)
	if err != nil {
		return nil, err
	}
	for _, values := range out {
		for i, v := range values {
			switch {
			case v.Bytes != nil:
			case v.Unset:
				return nil, schema.Invalid("Invalid unset value for column %s", c.columns[i].Name)
			case c.tuple:
				return nil, c.nullInTuple()
			default:
				return nil, nullInCondition(c.columns[i])
			}
		}
	}
	return out, nil
}

// listed returns the values after IN, which may be null, and for a single column unset.
func (c *condition) listed(b *Binding) ([][]Value, error) {
	if c.marker != nil {
		return c.listedByMarker(b)
	}
	out := make([][]Value, 0, len(c.list))
	for i := range c.list {
		if !c.tuple {
			v, err := c.list[i].terms[0].Eval(b)
			if err != nil {
				return nil, err
			}
			out = append(out, []Value{v})
			continue
		}
		values, err := c.tupleOf(&c.list[i], b)
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return out, nil
}

// listedByMarker takes the serialized list of all values apart.
func (c *condition) listedByMarker(b *Binding) ([][]Value, error) {
	list, err := c.marker.Eval(b)
	if err != nil {
		return nil, err
	}
	if list.Bytes == nil {
		return nil, c.missingList(list.Unset)
	}
	if len(list.Bytes) < 4 {
		return nil, schema.Invalid("Not enough bytes to read a list")
	}
	var out [][]Value
	for n, rest := int32(decodeBigint(list.Bytes[:4])), list.Bytes[4:]; n > 0; n-- {
		element, next, err := cqltype.ReadElement(rest)
		if err != nil {
			return nil, schema.Invalid("Not enough bytes to read a list")
		}
		rest = next
		if !c.tuple {
			if element != nil {
				err = c.columns[0].Type.Validate(element)
			}
			if err != nil {
				return nil, schema.Invalid("%s", err)
			}
			out = append(out, []Value{{Bytes: element}})
			continue
		}
		if element == nil {
			return nil, c.nullInTuple()
		}
		values, err := c.unpackTuple(element)
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return out, nil
}

func (c *condition) missingList(unset bool) error {
	switch {
	case unset && c.tuple:
		return schema.Invalid("Invalid unset value for in(%s)", joinNames(c.columns, ","))
	case unset:
		return schema.Invalid("Invalid unset value for column %s", c.columns[0].Name)
	case c.tuple:
		return schema.Invalid("Invalid null value for IN restriction")
	default:
		return schema.Invalid("Invalid null value for column %s", c.columns[0].Name)
	}
}

// filterChoices returns what the values of rows are compared with: like choices and bound, but
// what cannot be a value of a regular column is passed over after IN.
func (c *condition) filterChoices(b *Binding) ([][]Value, error) {
	clustering := c.columns[0].Kind == schema.Clustering
	switch {
	case c.op.isSlice() && clustering:
		values, err := c.bound(selecting, b)
		return [][]Value{values}, err
	case clustering && c.op != opContains && c.op != opContainsKey:
		return c.choices(b)
	case c.op == opIn:
		listed, err := c.listed(b)
		if err != nil {
			return nil, err
		}
		out := listed[:0]
		for _, v := range listed {
			if v[0].Bytes != nil {
				out = append(out, v)
			}
		}
		return out, nil
	}
	v, err := c.value.terms[0].Eval(b)
	if err != nil {
		return nil, err
	}
	return [][]Value{{v}}, c.checkFilterValue(v)
}

func (c *condition) checkFilterValue(v Value) error {
	what := "value"
	if c.op == opEntry {
		what = "map value"
	}
	switch {
	case v.Unset:
		return schema.Invalid("Unsupported unset %s for column %s", what, c.columns[0].Name)
	case v.Bytes == nil:
		return schema.Invalid("Unsupported null %s for column %s", what, c.columns[0].Name)
	}
	return nil
}
