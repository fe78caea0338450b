package plan

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Selector is one column of a result.
type Selector struct {
	// Column is set if the selector is just a column of the table.
	Column *schema.Column

	value     func(dst []byte, r *Row) (out []byte, ok bool) // for everything else that is taken from one row
	aggregate func() aggregator                              // for functions of many rows
	columns   []*schema.Column                               // those that it is computed of
	text      string
}

// Append appends the selector's value for a row to dst; ok is false for null. It must not be an aggregate.
func (s *Selector) Append(dst []byte, r *Row) (out []byte, ok bool) {
	if s.Column != nil {
		return r.Append(dst, s.Column)
	}
	return s.value(dst, r)
}

// columnSelector is the selector of a column itself.
func columnSelector(c *schema.Column) Selector {
	return Selector{Column: c, columns: []*schema.Column{c}, text: c.Name}
}

// selector plans one item of a SELECT list.
func (p *planner) selector(t *schema.Table, expression ast.Term) (Selector, Spec, error) {
	result := Spec{Keyspace: t.Keyspace, Table: t.Name}
	switch e := expression.(type) {
	case *ast.Column:
		c, err := column(t, e.Name)
		if err != nil {
			return Selector{}, result, err
		}
		return columnSelector(c), spec(t, c), nil
	case *ast.CountRows:
		result.Name, result.Type = "count", cqltype.TypeBigint
		return Selector{aggregate: newRowCount, text: "count(*)"}, result, nil
	case *ast.WritetimeOrTTL:
		return p.cellFunction(t, e)
	case *ast.Call:
		return p.call(t, e)
	case *ast.Element, *ast.Slice:
		return Selector{}, result, schema.Invalid("Selecting elements of collections is not supported yet (%s)", expression)
	case *ast.Field:
		return p.fieldSelector(t, e)
	case *ast.Cast:
		return Selector{}, result, schema.Invalid("CAST is not supported yet (%s)", expression)
	case *ast.Binary, *ast.Negate:
		return Selector{}, result, schema.Invalid("Arithmetic is not supported yet (%s)", expression)
	case *ast.Literal, *ast.Marker:
		return Selector{}, result, schema.Invalid("Cannot infer type for term %s in selection clause (try using a cast to force a type)", e)
	default:
		return Selector{}, result, schema.Invalid("Selecting terms is not supported yet (%s)", expression)
	}
}

// fieldSelector plans the field of a user type.
func (p *planner) fieldSelector(t *schema.Table, e *ast.Field) (Selector, Spec, error) {
	of, result, err := p.selector(t, e.Operand)
	if err != nil {
		return of, result, err
	}
	if of.aggregate != nil {
		return of, result, schema.Invalid("Selecting fields of aggregates is not supported yet (%s)", e)
	}
	if result.Type.Kind() != cqltype.KindUDT {
		return of, result, schema.Invalid("Invalid field selection: %s of type %s is not a user type", of.text, result.Type)
	}
	index := slices.IndexFunc(result.Type.Fields(), func(f cqltype.Field) bool { return f.Name == e.Name.Text })
	if index < 0 {
		return of, result, schema.Invalid("%s of type %s has no field %s", of.text, result.Type, cqltype.QuoteName(e.Name.Text))
	}
	typ, field := result.Type, result.Type.Fields()[index]
	out := Selector{columns: of.columns, text: of.text + "." + field.Name}
	out.value = func(dst []byte, r *Row) ([]byte, bool) {
		at := len(dst)
		dst, ok := of.Append(dst, r)
		if !ok {
			return dst, false
		}
		value := fieldOf(typ, dst[at:], index)
		return append(dst[:at], value...), value != nil
	}
	return out, Spec{Keyspace: t.Keyspace, Table: t.Name, Name: out.text, Type: field.Type}, nil
}

// fieldOf returns a field of a serialized user type, nil for null.
func fieldOf(t *cqltype.Type, value []byte, index int) []byte {
	for elements := t.Elements(value); elements.Next(); {
		if elements.Index() == index {
			return elements.Value()
		}
	}
	return nil
}

// cellFunction plans WRITETIME and TTL of a column.
func (p *planner) cellFunction(t *schema.Table, e *ast.WritetimeOrTTL) (Selector, Spec, error) {
	result := Spec{Keyspace: t.Keyspace, Table: t.Name}
	name := strings.ToLower(e.Function.String())
	operand, ok := e.Operand.(*ast.Column)
	if !ok || e.Function == ast.MaxWritetime {
		return Selector{}, result, schema.Invalid("%s is not supported yet", e)
	}
	c, err := column(t, operand.Name)
	if err != nil {
		return Selector{}, result, err
	}
	if c.IsPrimaryKey() {
		return Selector{}, result, schema.Invalid("Cannot use selection function %s on PRIMARY KEY part %s", name, c.Name)
	}
	if c.Type.IsMultiCell() {
		return Selector{}, result, schema.Invalid("%s of a non-frozen collection or user type is not supported yet (%s)", strings.ToUpper(name), c.Name)
	}
	result.Name, result.Type = name+"("+c.Name+")", cqltype.TypeBigint
	s := Selector{columns: []*schema.Column{c}, text: result.Name}
	if e.Function == ast.Writetime {
		s.value = func(dst []byte, r *Row) ([]byte, bool) {
			cell := r.cell(c)
			if cell == nil {
				return dst, false
			}
			return binary.BigEndian.AppendUint64(dst, uint64(cell.Timestamp)), true
		}
		return s, result, nil
	}
	result.Type = cqltype.TypeInt
	s.value = func(dst []byte, r *Row) ([]byte, bool) {
		cell := r.cell(c)
		if cell == nil || cell.TTL == 0 {
			return dst, false
		}
		return binary.BigEndian.AppendUint32(dst, uint32(cell.LocalTime-r.Now)), true
	}
	return s, result, nil
}

// call plans a function call: token or one of the aggregates.
func (p *planner) call(t *schema.Table, e *ast.Call) (Selector, Spec, error) {
	result := Spec{Keyspace: t.Keyspace, Table: t.Name}
	name := e.Function.Name.Text
	if k := e.Function.Keyspace.Text; k != "" && k != "system" {
		return Selector{}, result, schema.Invalid("Unknown function '%s'", e.Function)
	}
	if name == "token" {
		return p.tokenSelector(t, e)
	}
	if isLaterFunction(name) {
		return Selector{}, result, schema.Invalid("Function '%s' is not supported yet", e.Function)
	}
	if !aggregates[name] {
		return Selector{}, result, schema.Invalid("Unknown function '%s'", e.Function)
	}
	if len(e.Arguments) != 1 {
		return Selector{}, result, wrongArguments(name, len(e.Arguments))
	}
	if l, ok := e.Arguments[0].(*ast.Literal); ok && name == "count" && l.Kind == ast.IntegerLiteral {
		result.Name, result.Type = "count", cqltype.TypeBigint
		return Selector{aggregate: newRowCount, text: "count(*)"}, result, nil
	}
	operand, ok := e.Arguments[0].(*ast.Column)
	if !ok {
		return Selector{}, result, schema.Invalid("Aggregates of other than columns are not supported yet (%s)", e)
	}
	c, err := column(t, operand.Name)
	if err != nil {
		return Selector{}, result, err
	}
	return newAggregate(t, name, c)
}

// wrongArguments says that an aggregate does not take n arguments.
func wrongArguments(name string, n int) error {
	switch name {
	case "sum", "avg":
		return noSignature(name)
	case "min", "max":
		return schema.Invalid("Invalid number of arguments for function system.%s(any)", name)
	default:
		return schema.Invalid("Invalid number of arguments in call to function system.%s: 1 required but %d provided", name, n)
	}
}

func (p *planner) tokenSelector(t *schema.Table, e *ast.Call) (Selector, Spec, error) {
	result := Spec{Keyspace: t.Keyspace, Table: t.Name, Type: cqltype.TypeBigint}
	var arguments []string
	inOrder := len(e.Arguments) == len(t.Partition)
	for i, a := range e.Arguments {
		operand, ok := a.(*ast.Column)
		if !ok {
			return Selector{}, result, schema.Invalid("token() of other than the partition key columns is not supported yet (%s)", e)
		}
		c, err := column(t, operand.Name)
		if err != nil {
			return Selector{}, result, err
		}
		arguments = append(arguments, c.Name)
		inOrder = inOrder && c == t.Partition[i]
	}
	if err := checkTokenArguments(t, len(e.Arguments)); err != nil {
		return Selector{}, result, err
	}
	if !inOrder {
		return Selector{}, result, schema.Invalid("token() of other than the partition key columns in order is not supported yet (%s)", e)
	}
	result.Name = "system.token(" + strings.Join(arguments, ", ") + ")"
	return Selector{columns: t.Partition, text: result.Name, value: func(dst []byte, r *Row) ([]byte, bool) {
		return binary.BigEndian.AppendUint64(dst, uint64(r.Token)), true
	}}, result, nil
}
