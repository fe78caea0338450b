package plan

import (
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

	term    Term             // everything else, and all selectors of aggregate queries
	columns []*schema.Column // those that it is computed of
	text    string
}

// Append appends the selector's value to dst; ok is false for null. Unless the query aggregates, it is that
// of b.Row; otherwise that of the group in b.
func (s *Selector) Append(dst []byte, b *Binding) (out []byte, ok bool, err error) {
	if s.Column != nil {
		out, ok = b.Row.Append(dst, s.Column)
		return out, ok, nil
	}
	v, err := s.term.Eval(b)
	if err != nil {
		return dst, false, err
	}
	return append(dst, v.Bytes...), v.Bytes != nil, nil
}

// columnSelector is the selector of a column itself.
func columnSelector(c *schema.Column) Selector {
	return Selector{Column: c, columns: []*schema.Column{c}, text: c.Name}
}

// selector plans one item of a SELECT list.
func (p *planner) selector(t *schema.Table, expression ast.Term) (Selector, Spec, error) {
	result := Spec{Keyspace: t.Keyspace, Table: t.Name, Name: p.columnName(expression)}
	if e, ok := expression.(*ast.Column); ok {
		c, err := column(t, e.Name)
		if err != nil {
			return Selector{}, result, err
		}
		s := columnSelector(c)
		if p.aggregating {
			s.term, s.Column = p.leaf(&columnTerm{c}), nil
		}
		return s, spec(t, c), nil
	}
	typ, err := p.exactType(expression)
	if err != nil {
		return Selector{}, result, err
	}
	if typ == nil {
		return Selector{}, result, schema.Invalid("Cannot infer type for term %s in selection clause (try using a cast to force a type)", result.Name)
	}
	result.Type = typ
	p.used = nil
	receiver := Spec{Keyspace: t.Keyspace, Table: t.Name, Name: "[selection]", Type: typ}
	term, err := p.term(expression, receiver)
	if err != nil {
		return Selector{}, result, err
	}
	out := Selector{term: term, columns: p.used, text: result.Name}
	if result.Name == "count" {
		out.text = "count(*)"
	}
	return out, result, nil
}

// A columnTerm is the value of a column in the row at hand.
type columnTerm struct {
	column *schema.Column
}

// Eval returns the value; it is valid until the next row.
func (c *columnTerm) Eval(b *Binding) (Value, error) {
	if c.column.Type.IsMultiCell() {
		if out, ok := b.Row.appendCells(nil, c.column); ok {
			return Value{Bytes: out}, nil
		}
		return Value{}, nil
	}
	return Value{Bytes: b.Row.Value(c.column)}, nil
}

func (c *columnTerm) String() string { return c.column.Name }

// columnOf finds the column of a term, which only selectors may name.
func (p *planner) columnOf(t *ast.Column) (*schema.Column, error) {
	if p.scope == nil {
		return nil, schema.Invalid("Invalid column reference %s in a value", t.Name.Text)
	}
	return column(p.scope, t.Name)
}

// leaf wraps what is read of a row: among aggregates, its value is that of the first row of a group.
func (p *planner) leaf(t Term) Term {
	if !p.aggregating || p.inAggregate {
		return t
	}
	return p.aggregate(t, func() aggregator { return &firstValue{} })
}

// rowTerm plans what is read of rows: columns, and what is made of their cells.
func (p *planner) rowTerm(t ast.Term, receiver Spec) (Term, error) {
	typ, err := p.exactType(t)
	if err != nil {
		return nil, err
	}
	if typeMatch(typ, receiver.Type) == unassignable {
		return nil, schema.Invalid("%s is not of the expected type: %s", p.columnName(t), receiver.Type)
	}
	switch t := t.(type) {
	case *ast.Column:
		c, err := p.columnOf(t)
		if err != nil {
			return nil, err
		}
		p.used = append(p.used, c)
		return p.leaf(&columnTerm{c}), nil
	case *ast.WritetimeOrTTL:
		return p.cellFunction(t)
	case *ast.Field:
		return p.fieldTerm(t)
	case *ast.Element:
		return p.elementTerm(t)
	case *ast.Slice:
		return p.sliceTerm(t)
	default: // CountRows
		return p.countRows()
	}
}

func (p *planner) countRows() (Term, error) {
	if p.inAggregate {
		return nil, errNestedAggregate()
	}
	return p.aggregate(nil, newRowCount), nil
}

func errNestedAggregate() error {
	return schema.Invalid("aggregate functions cannot be used as arguments of aggregate functions")
}

// field resolves the field of a user type.
func (p *planner) field(e *ast.Field) (index int, typ *cqltype.Type, err error) {
	of, err := p.exactType(e.Operand)
	if err != nil {
		return 0, nil, err
	}
	name := p.columnName(e.Operand)
	if of == nil || of.Kind() != cqltype.KindUDT {
		if of == nil {
			return 0, nil, schema.Invalid("Cannot infer type for term %s in selection clause (try using a cast to force a type)", name)
		}
		return 0, nil, schema.Invalid("Invalid field selection: %s of type %s is not a user type", name, of)
	}
	index = slices.IndexFunc(of.Fields(), func(f cqltype.Field) bool { return f.Name == e.Name.Text })
	if index < 0 {
		return 0, nil, schema.Invalid("%s of type %s has no field %s", name, of, cqltype.QuoteName(e.Name.Text))
	}
	return index, of.Fields()[index].Type, nil
}

// A fieldTerm is a field of a value of a user type.
type fieldTerm struct {
	of    Term
	typ   *cqltype.Type
	index int
}

func (p *planner) fieldTerm(e *ast.Field) (Term, error) {
	index, _, err := p.field(e)
	if err != nil {
		return nil, err
	}
	typ, err := p.exactType(e.Operand)
	if err != nil {
		return nil, err
	}
	of, err := p.term(e.Operand, Spec{Keyspace: p.scope.Keyspace, Table: p.scope.Name, Name: "[selection]", Type: typ})
	return &fieldTerm{of, typ, index}, err
}

// Eval returns the field.
func (f *fieldTerm) Eval(b *Binding) (Value, error) {
	v, err := f.of.Eval(b)
	if err != nil || v.Bytes == nil {
		return v, err
	}
	return Value{Bytes: fieldOf(f.typ, v.Bytes, f.index)}, nil
}

func (f *fieldTerm) String() string { return f.of.String() + "." + f.typ.Fields()[f.index].Name }

// fieldOf returns a field of a serialized user type, nil for null.
func fieldOf(t *cqltype.Type, value []byte, index int) []byte {
	for elements := t.Elements(value); elements.Next(); {
		if elements.Index() == index {
			return elements.Value()
		}
	}
	return nil
}

// callTerm plans a call, cast or operation.
func (p *planner) callTerm(t ast.Term, receiver Spec) (Term, error) {
	if c, ok := t.(*ast.Call); ok && isNative(c.Function) {
		switch {
		case c.Function.Name.Text == "token":
			return p.tokenOf(c, receiver)
		case p.scope != nil && isCountRows(c):
			return p.countRows()
		}
	}
	var wanted *cqltype.Type
	if p.scope == nil {
		wanted = receiver.Type
	}
	f, err := p.resolve(t, wanted)
	switch {
	case err != nil:
		return nil, err
	case f == nil && p.scope != nil:
		return nil, unknownFunction(t)
	case f == nil:
		return nil, schema.Invalid("Unknown function %s called", t.(*ast.Call).Function)
	case f.eval == nil && f.aggregate == nil:
		return nil, schema.Invalid("Function 'system.%s' of %ss is not supported yet", f.name, joinTypes(f.arguments))
	case f.aggregate != nil && p.scope == nil:
		return nil, schema.Invalid("Aggregation function are not supported in the where clause")
	case f.aggregate != nil && p.inAggregate:
		return nil, errNestedAggregate()
	case typeMatch(f.result, receiver.Type) == unassignable:
		return nil, schema.Invalid("Type error: cannot assign result of function system.%s (type %s) to %s (type %s)",
			f.name, f.result, receiver.Name, receiver.Type)
	}
	p.inAggregate = p.inAggregate || f.aggregate != nil
	c := &call{function: f}
	for i, a := range argumentsOf(t) {
		receiver := f.argument(i, receiver)
		if p.scope != nil {
			receiver.Name = "[selection]"
		}
		argument, err := p.term(a, receiver)
		if err != nil {
			return nil, err
		}
		c.arguments = append(c.arguments, argument)
	}
	if f.aggregate != nil {
		p.inAggregate = false
		return p.aggregate(c.arguments[0], f.aggregate), nil
	}
	p.impure = p.impure || f.impure
	return foldCall(c)
}

func argumentsOf(t ast.Term) []ast.Term {
	switch t := t.(type) {
	case *ast.Call:
		return t.Arguments
	case *ast.Cast:
		return []ast.Term{t.Operand}
	case *ast.Binary:
		return []ast.Term{t.Left, t.Right}
	case *ast.Negate:
		return []ast.Term{t.Operand}
	}
	return nil
}

// tokenOf plans token(...) among values and selectors.
func (p *planner) tokenOf(c *ast.Call, receiver Spec) (Term, error) {
	if p.scope == nil {
		t, err := p.table(ast.Qualified{Keyspace: ast.Name{Text: receiver.Keyspace}, Name: ast.Name{Text: receiver.Table}})
		if err != nil {
			return nil, err
		}
		if typeMatch(cqltype.TypeBigint, receiver.Type) == unassignable {
			return nil, schema.Invalid("Type error: cannot assign result of function system.token (type bigint) to %s (type %s)", receiver.Name, receiver.Type)
		}
		return p.tokenCall(t, c)
	}
	if len(c.Arguments) == len(p.scope.Partition) {
		inOrder := true
		for i, a := range c.Arguments {
			operand, ok := a.(*ast.Column)
			inOrder = inOrder && ok && operand.Name.Text == p.scope.Partition[i].Name
		}
		if inOrder {
			p.used = append(p.used, p.scope.Partition...)
			return p.leaf(rowToken{}), nil
		}
	}
	return p.tokenCall(p.scope, c)
}

// rowToken is the token of the partition at hand.
type rowToken struct{}

// Eval returns the token.
func (rowToken) Eval(b *Binding) (Value, error) {
	return Value{Bytes: ofMillis(cqltype.TypeBigint, b.Row.Token)}, nil
}

func (rowToken) String() string { return "token" }

// hasAggregate reports whether an expression has a function of many rows in it.
func hasAggregate(t ast.Term) bool {
	switch t := t.(type) {
	case *ast.CountRows:
		return true
	case *ast.Call:
		if isNative(t.Function) && strings.Contains(" count min max sum avg ", " "+t.Function.Name.Text+" ") {
			return true
		}
	case *ast.Field:
		return hasAggregate(t.Operand)
	case *ast.Element:
		return hasAggregate(t.Operand)
	case *ast.Slice:
		return hasAggregate(t.Operand)
	case *ast.TypeHint:
		return hasAggregate(t.Operand)
	case *ast.List:
		return slices.ContainsFunc(t.Elements, hasAggregate)
	case *ast.Set:
		return slices.ContainsFunc(t.Elements, hasAggregate)
	case *ast.Tuple:
		return slices.ContainsFunc(t.Elements, hasAggregate)
	case *ast.Map:
		return slices.ContainsFunc(t.Entries, func(e ast.MapEntry) bool { return hasAggregate(e.Key) || hasAggregate(e.Value) })
	}
	return slices.ContainsFunc(argumentsOf(t), hasAggregate)
}
