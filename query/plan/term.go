package plan

import (
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Value is a value at the time a plan is carried out.
type Value struct {
	Bytes []byte // nil is null
	Unset bool   // the bind marker was left unset: what it would write is left alone
}

// A Binding is what a plan's terms are evaluated with.
type Binding struct {
	Values []Value // one for each bind marker
	Row    *Row    // that selectors are evaluated for
	Source *Source // of what functions such as now() give out

	group    []aggregator    // of rows that are aggregated
	document decodedDocument // of INSERT JSON
}

// A Term is something that has a value when the plan is carried out.
type Term interface {
	// Eval returns the term's value. The bytes must not be changed.
	Eval(b *Binding) (Value, error)
	String() string
}

// constant is a term without bind markers, evaluated once.
type constant struct {
	value Value
	typ   *cqltype.Type
}

func (c *constant) Eval(*Binding) (Value, error) { return c.value, nil }

func (c *constant) String() string {
	if c.value.Bytes == nil {
		return "null"
	}
	return string(c.typ.AppendLiteral(nil, c.value.Bytes))
}

// marker is a bind marker.
type marker struct {
	index int
	name  string
}

func (m *marker) Eval(b *Binding) (Value, error) { return b.Values[m.index], nil }

func (m *marker) String() string {
	if m.name != "" {
		return ":" + m.name
	}
	return "?"
}

// composite is a collection, tuple, vector or user type literal that holds bind markers.
type composite struct {
	typ      *cqltype.Type
	elements []Term // keys and values in turn for maps
}

// checkElement refuses a value that cannot stand in a literal.
func (c *composite) checkElement(i int, v Value) error {
	kind := c.typ.Kind()
	switch {
	case v.Unset && kind == cqltype.KindTuple:
		return schema.Invalid("Invalid unset value for tuple field number %d", i)
	case v.Unset && kind == cqltype.KindUDT:
		_, name := c.typ.UDTName()
		return schema.Invalid("Invalid unset value for field '%s' of user defined type %s", c.typ.Fields()[i].Name, name)
	case v.Bytes != nil || kind == cqltype.KindTuple || kind == cqltype.KindUDT:
		return nil
	case kind == cqltype.KindVector:
		return schema.Invalid("null is not supported inside vectors")
	default:
		return schema.Invalid("null is not supported inside collections")
	}
}

func (c *composite) Eval(b *Binding) (Value, error) {
	elements := make([][]byte, len(c.elements))
	for i, e := range c.elements {
		v, err := e.Eval(b)
		if err != nil {
			return v, err
		}
		if err := c.checkElement(i, v); err != nil {
			return v, err
		}
		elements[i] = v.Bytes
	}
	bytes, err := c.typ.Build(elements)
	if err != nil {
		return Value{}, schema.Invalid("%s", err)
	}
	return Value{Bytes: bytes}, nil
}

func (c *composite) String() string {
	parts := make([]string, len(c.elements))
	for i, e := range c.elements {
		parts[i] = e.String()
	}
	return c.typ.String() + "(" + strings.Join(parts, ", ") + ")"
}

// mark notes what the marker stands for.
func (p *planner) mark(m *ast.Marker, s Spec) Term {
	if m.Name != "" {
		s.Name = m.Name
	}
	p.markers[m.Index] = s
	given := marker{index: m.Index, name: m.Name}
	if k := s.Type.Kind(); !s.unpacked && (k == cqltype.KindSet || k == cqltype.KindMap) {
		return &sortedMarker{given, s.Type}
	}
	return &given
}

// sortedMarker is a bind marker for a set or map, which clients may send in any order.
type sortedMarker struct {
	marker
	typ *cqltype.Type
}

// Eval returns the value with its elements in order and without repetitions.
func (m *sortedMarker) Eval(b *Binding) (Value, error) {
	v := b.Values[m.index]
	if v.Bytes == nil {
		return v, nil
	}
	sorted, err := inOrder(m.typ, v.Bytes)
	if err != nil {
		return Value{}, schema.Invalid("%s", err)
	}
	return Value{Bytes: sorted}, nil
}

// inOrder returns a serialized value with the elements of a set or map in order and without repetitions.
func inOrder(t *cqltype.Type, value []byte) ([]byte, error) {
	if k := t.Kind(); k != cqltype.KindSet && k != cqltype.KindMap || t.IsSorted(value) {
		return value, nil
	}
	var list [][]byte
	for elements := t.Elements(value); elements.Next(); {
		list = append(list, elements.Value())
	}
	return t.Build(list)
}

// term plans a term whose value goes to what receiver describes.
func (p *planner) term(t ast.Term, receiver Spec) (Term, error) {
	switch t := t.(type) {
	case *ast.Marker:
		return p.mark(t, receiver), nil
	case *ast.Literal:
		return literal(t, receiver)
	case *ast.List:
		return p.list(t, receiver)
	case *ast.Set:
		return p.set(t, receiver)
	case *ast.Map:
		return p.mapLiteral(t, receiver)
	case *ast.UserType:
		return p.userType(t, receiver)
	case *ast.Tuple:
		return p.tuple(t, receiver)
	case *ast.TypeHint:
		return p.typeHint(t, receiver)
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return p.callTerm(t, receiver)
	case *ast.Column, *ast.CountRows, *ast.WritetimeOrTTL, *ast.Field, *ast.Element, *ast.Slice:
		return p.rowTerm(t, receiver)
	default:
		return nil, schema.Invalid("Expressions are not supported yet in values (%s)", t)
	}
}

// literal evaluates a literal as a value of the receiver's type.
func literal(l *ast.Literal, receiver Spec) (Term, error) {
	if l.Kind == ast.NullLiteral {
		return &constant{typ: receiver.Type}, nil
	}
	kind, ok := literalKinds[l.Kind]
	if !ok || !receiver.Type.Accepts(kind) {
		return nil, schema.Invalid("Invalid %s constant (%s) for \"%s\" of type %s", l.Kind, l.Text, receiver.Name, receiver.Type)
	}
	bytes, err := receiver.Type.FromLiteral(kind, l.Text)
	if err != nil {
		return nil, schema.Invalid("%s", err)
	}
	return &constant{value: Value{Bytes: bytes}, typ: receiver.Type}, nil
}

var literalKinds = map[ast.LiteralKind]cqltype.LiteralKind{
	ast.StringLiteral:   cqltype.LiteralString,
	ast.IntegerLiteral:  cqltype.LiteralInteger,
	ast.FloatLiteral:    cqltype.LiteralFloat,
	ast.BooleanLiteral:  cqltype.LiteralBoolean,
	ast.UUIDLiteral:     cqltype.LiteralUUID,
	ast.BlobLiteral:     cqltype.LiteralHex,
	ast.DurationLiteral: cqltype.LiteralDuration,
}
