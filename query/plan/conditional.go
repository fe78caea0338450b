package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// conditions are what follows IF: that the row exists, that it does not, or conditions on columns.
type conditions struct {
	exists, notExists bool
	regular, static   []*columnCondition
}

// opNotEqual is an operator that only IF has.
const opNotEqual op = opEntry + 1

var ifComparators = map[ast.Comparator]op{ast.Equal: opEqual, ast.NotEqual: opNotEqual, ast.Less: opLess, ast.LessOrEqual: opLessOrEqual,
	ast.Greater: opGreater, ast.GreaterOrEqual: opGreaterOrEqual}

// A columnCondition is one condition on a column, an element of a list or map, or a field.
type columnCondition struct {
	column  *schema.Column
	element Term          // of a list or map; nil without
	field   int           // of a user type; -1 without
	typ     *cqltype.Type // of what is compared
	op      op
	values  []Term // several after IN
	marker  Term   // for IN: a list of all values
}

// conditional plans what follows IF; the result is nil without it.
func (p *planner) conditional(m *Modify, exists, notExists bool, list []ast.Relation) error {
	if !exists && !notExists && len(list) == 0 {
		return nil
	}
	if m.timestamp != nil {
		return schema.Invalid("Cannot provide custom timestamp for conditional updates")
	}
	m.conditions = &conditions{exists: exists, notExists: notExists}
	for _, r := range list {
		c, err := p.columnCondition(m.Table, r)
		if err != nil {
			return err
		}
		if c.column.Kind == schema.Static {
			m.conditions.static = append(m.conditions.static, c)
		} else {
			m.conditions.regular = append(m.conditions.regular, c)
		}
	}
	return nil
}

// onRows reports whether there are conditions on columns of rows.
func (c *conditions) onRows() bool { return c != nil && len(c.regular) > 0 }

// onStatic reports whether there are conditions on static columns.
func (c *conditions) onStatic() bool { return c != nil && len(c.static) > 0 }

// columns returns those that there are conditions on, in the order of results; nil stands for all.
func (c *conditions) columns() []*schema.Column {
	if c.exists || c.notExists {
		return nil
	}
	var out []*schema.Column
	for _, each := range slices.Concat(c.regular, c.static) {
		if !slices.Contains(out, each.column) {
			out = append(out, each.column)
		}
	}
	return out
}

// columnCondition plans one relation after IF.
func (p *planner) columnCondition(t *schema.Table, relation ast.Relation) (*columnCondition, error) {
	switch r := relation.(type) {
	case *ast.Comparison:
		o, ok := ifComparators[r.Comparator]
		if !ok {
			return nil, unsupportedCondition(r)
		}
		c, receiver, err := p.compared(t, r.Target, o, r)
		if err != nil {
			return nil, err
		}
		value, err := p.term(r.Value, receiver)
		c.values = []Term{value}
		return c, err
	case *ast.In:
		if r.Not {
			return nil, unsupportedCondition(r)
		}
		c, receiver, err := p.compared(t, r.Target, opIn, r)
		if err != nil {
			return nil, err
		}
		return c, p.conditionValues(c, receiver, r)
	case *ast.Contains:
		return p.conditionContains(t, r)
	default:
		return nil, unsupportedCondition(relation)
	}
}

func unsupportedCondition(r ast.Relation) error {
	return schema.Invalid("Unsupported condition after IF: %s", r)
}

// compared resolves the left side of a condition, and describes what it is compared with.
func (p *planner) compared(t *schema.Table, target ast.Target, o op, r ast.Relation) (*columnCondition, Spec, error) {
	var name ast.Name
	switch target := target.(type) {
	case *ast.Column:
		name = target.Name
	case *ast.Element:
		name = target.Operand.(*ast.Column).Name
	case *ast.Field:
		name = target.Operand.(*ast.Column).Name
	default:
		return nil, Spec{}, unsupportedCondition(r)
	}
	col, err := conditionColumn(t, name)
	if err != nil {
		return nil, Spec{}, err
	}
	c := &columnCondition{column: col, field: -1, op: o}
	receiver := spec(t, col)
	switch target := target.(type) {
	case *ast.Element:
		receiver, err = p.conditionElement(c, receiver, target)
	case *ast.Field:
		receiver, err = conditionField(c, receiver, target)
	}
	if err != nil {
		return nil, receiver, err
	}
	c.typ = receiver.Type.Frozen()
	return c, receiver, checkDurations(receiver.Type, o)
}

func conditionColumn(t *schema.Table, name ast.Name) (*schema.Column, error) {
	c, err := column(t, name)
	if err == nil && c.IsPrimaryKey() {
		err = schema.Invalid("PRIMARY KEY column '%s' cannot have IF conditions", c.Name)
	}
	return c, err
}

// conditionElement plans column[element].
func (p *planner) conditionElement(c *columnCondition, whole Spec, target *ast.Element) (Spec, error) {
	var key, value Spec
	switch whole.Type.Kind() {
	case cqltype.KindList:
		key, value = part(whole, "idx", cqltype.TypeInt), part(whole, "value", whole.Type.ElementType())
	case cqltype.KindMap:
		key, value = part(whole, "key", whole.Type.KeyType()), part(whole, "value", whole.Type.ValueType())
	case cqltype.KindSet:
		return whole, schema.Invalid("Invalid element access syntax for set column %s", c.column.Name)
	default:
		return whole, schema.Invalid("Invalid element access syntax for non-collection column %s", c.column.Name)
	}
	var err error
	c.element, err = p.term(target.Key, key)
	return value, err
}

// conditionField plans column.field.
func conditionField(c *columnCondition, whole Spec, target *ast.Field) (Spec, error) {
	if whole.Type.Kind() != cqltype.KindUDT {
		return whole, schema.Invalid("Invalid condition (%s) on a field of non-UDT column %s", target, c.column.Name)
	}
	for i, f := range whole.Type.Fields() {
		if f.Name == target.Name.Text {
			c.field = i
			return Spec{Keyspace: whole.Keyspace, Table: whole.Table, Name: c.column.Name + "." + f.Name, Type: f.Type}, nil
		}
	}
	return whole, schema.Invalid("Unknown field %s for column %s", target.Name.Text, c.column.Name)
}

// checkDurations refuses to order what cannot be ordered.
func checkDurations(t *cqltype.Type, o op) error {
	if !o.isSlice() || !t.Contains(cqltype.KindDuration) {
		return nil
	}
	switch {
	case t.Kind().IsCollection():
		return schema.Invalid("Slice conditions are not supported on collections containing durations")
	case t.Kind() == cqltype.KindTuple:
		return schema.Invalid("Slice conditions are not supported on tuples containing durations")
	case t.Kind() == cqltype.KindUDT:
		return schema.Invalid("Slice conditions are not supported on UDTs containing durations")
	}
	return schema.Invalid("Slice conditions ( %s ) are not supported on durations", opNames[o])
}

// conditionValues plans what follows IN.
func (p *planner) conditionValues(c *columnCondition, receiver Spec, r *ast.In) error {
	if r.Marker != nil {
		list, err := cqltype.ListOf(receiver.Type.Frozen())
		if err != nil {
			return schema.Invalid("%s", err)
		}
		s := part(receiver, "in", list)
		s.unpacked = true
		c.marker = p.mark(r.Marker, s)
		return nil
	}
	for _, v := range r.Values {
		term, err := p.term(v, receiver)
		if err != nil {
			return err
		}
		c.values = append(c.values, term)
	}
	return nil
}

// conditionContains plans CONTAINS and CONTAINS KEY.
func (p *planner) conditionContains(t *schema.Table, r *ast.Contains) (*columnCondition, error) {
	col, err := conditionColumn(t, r.Column.Name)
	if err != nil {
		return nil, err
	}
	if r.Not {
		return nil, unsupportedCondition(r)
	}
	kind := col.Type.Kind()
	receiver := part(spec(t, col), "value", nil)
	switch {
	case r.Key && kind != cqltype.KindMap:
		return nil, schema.Invalid("Cannot use CONTAINS KEY on non-map column %s", col.Name)
	case r.Key:
		receiver = part(spec(t, col), "key", col.Type.KeyType())
	case kind == cqltype.KindMap:
		receiver.Type = col.Type.ValueType()
	case kind.IsCollection():
		receiver.Type = col.Type.ElementType()
	default:
		return nil, schema.Invalid("Cannot use CONTAINS on non-collection column %s", col.Name)
	}
	value, err := p.term(r.Value, receiver)
	return &columnCondition{column: col, field: -1, typ: receiver.Type, op: containsOp(r), values: []Term{value}}, err
}

func (c *columnCondition) String() string {
	left := c.column.Name
	switch {
	case c.element != nil:
		left += "[" + c.element.String() + "]"
	case c.field >= 0:
		left += "." + c.column.Type.Fields()[c.field].Name
	}
	name := opNames[c.op]
	switch {
	case c.op == opNotEqual:
		name = "!="
	case c.marker != nil:
		return left + " IN " + c.marker.String()
	case c.op == opIn:
		parts := make([]string, len(c.values))
		for i, v := range c.values {
			parts[i] = v.String()
		}
		return left + " IN (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s", left, name, c.values[0])
}

func (c *conditions) String() string {
	switch {
	case c.exists:
		return "the row exists"
	case c.notExists:
		return "the row does not exist"
	}
	var parts []string
	for _, each := range slices.Concat(c.regular, c.static) {
		parts = append(parts, each.String())
	}
	return strings.Join(parts, " AND ")
}
