package plan

import (
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
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
	what     string // as error messages call the literal
}

func (c *composite) Eval(b *Binding) (Value, error) {
	elements := make([][]byte, len(c.elements))
	for i, e := range c.elements {
		v, err := e.Eval(b)
		if err != nil {
			return v, err
		}
		if v.Unset {
			return v, schema.Invalid("unset value is not supported inside %s", c.what)
		}
		if v.Bytes == nil && c.typ.FieldTypes() == nil {
			return v, schema.Invalid("null is not supported inside %s", c.what)
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
	return &marker{index: m.Index, name: m.Name}
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
	case *ast.Call:
		return nil, schema.Invalid("Functions are not supported yet in values (%s)", t)
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

// fold evaluates a composite at once if it holds no bind markers.
func fold(c *composite) (Term, error) {
	for _, e := range c.elements {
		if _, ok := e.(*constant); !ok {
			return c, nil
		}
	}
	v, err := c.Eval(nil)
	if err != nil {
		return nil, err
	}
	return &constant{value: v, typ: c.typ}, nil
}

func (p *planner) elements(terms []ast.Term, receiver Spec) ([]Term, error) {
	out := make([]Term, len(terms))
	for i, t := range terms {
		var err error
		if out[i], err = p.term(t, receiver); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// part describes an element of what s describes.
func part(s Spec, what string, t *cqltype.Type) Spec {
	s.Name, s.Type = what+"("+s.Name+")", t
	return s
}

func (p *planner) list(l *ast.List, receiver Spec) (Term, error) {
	kind := receiver.Type.Kind()
	if kind != cqltype.KindList && kind != cqltype.KindVector {
		return nil, schema.Invalid("Invalid list literal for %s of type %s", receiver.Name, receiver.Type)
	}
	if kind == cqltype.KindVector && len(l.Elements) != receiver.Type.Dimension() {
		return nil, schema.Invalid("Invalid vector literal for %s of type %s; expected %d elements, but given %d",
			receiver.Name, receiver.Type, receiver.Type.Dimension(), len(l.Elements))
	}
	elements, err := p.elements(l.Elements, part(receiver, "value", receiver.Type.ElementType()))
	if err != nil {
		return nil, err
	}
	what := "collections"
	if kind == cqltype.KindVector {
		what = "vectors"
	}
	return fold(&composite{typ: receiver.Type, elements: elements, what: what})
}

func (p *planner) set(s *ast.Set, receiver Spec) (Term, error) {
	switch {
	case receiver.Type.Kind() == cqltype.KindSet:
	case receiver.Type.Kind() == cqltype.KindMap && len(s.Elements) == 0:
		return fold(&composite{typ: receiver.Type, what: "collections"})
	case receiver.Type.Kind() == cqltype.KindUDT && len(s.Elements) == 0:
		return p.userType(&ast.UserType{Pos: s.Pos}, receiver)
	default:
		return nil, schema.Invalid("Invalid set literal for %s of type %s", receiver.Name, receiver.Type)
	}
	elements, err := p.elements(s.Elements, part(receiver, "value", receiver.Type.ElementType()))
	if err != nil {
		return nil, err
	}
	return fold(&composite{typ: receiver.Type, elements: elements, what: "collections"})
}

func (p *planner) mapLiteral(m *ast.Map, receiver Spec) (Term, error) {
	if receiver.Type.Kind() != cqltype.KindMap {
		return nil, schema.Invalid("Invalid map literal for %s of type %s", receiver.Name, receiver.Type)
	}
	var elements []Term
	for _, e := range m.Entries {
		key, err := p.term(e.Key, part(receiver, "key", receiver.Type.KeyType()))
		if err != nil {
			return nil, err
		}
		value, err := p.term(e.Value, part(receiver, "value", receiver.Type.ValueType()))
		if err != nil {
			return nil, err
		}
		elements = append(elements, key, value)
	}
	return fold(&composite{typ: receiver.Type, elements: elements, what: "collections"})
}

func (p *planner) userType(u *ast.UserType, receiver Spec) (Term, error) {
	if receiver.Type.Kind() != cqltype.KindUDT {
		return nil, schema.Invalid("Invalid user type literal for %s of type %s", receiver.Name, receiver.Type)
	}
	fields := receiver.Type.Fields()
	given := make(map[string]ast.Term, len(u.Fields))
	for _, f := range u.Fields {
		given[f.Name.Text] = f.Value
	}
	elements := make([]Term, len(fields))
	for i, f := range fields {
		value, ok := given[f.Name]
		if !ok {
			elements[i] = &constant{typ: f.Type}
			continue
		}
		delete(given, f.Name)
		var err error
		field := Spec{Keyspace: receiver.Keyspace, Table: receiver.Table, Name: receiver.Name + "." + f.Name, Type: f.Type}
		if elements[i], err = p.term(value, field); err != nil {
			return nil, err
		}
	}
	for _, f := range u.Fields {
		if _, unknown := given[f.Name.Text]; unknown {
			return nil, schema.Invalid("Unknown field '%s' in value of user defined type %s", f.Name.Text, receiver.Type)
		}
	}
	return fold(&composite{typ: receiver.Type, elements: elements, what: "user types"})
}

func (p *planner) tuple(t *ast.Tuple, receiver Spec) (Term, error) {
	if receiver.Type.Kind() != cqltype.KindTuple {
		if len(t.Elements) == 1 { // a parenthesized term
			return p.term(t.Elements[0], receiver)
		}
		return nil, schema.Invalid("Invalid tuple type literal for %s of type %s", receiver.Name, receiver.Type)
	}
	types := receiver.Type.FieldTypes()
	if len(t.Elements) > len(types) {
		return nil, schema.Invalid("Invalid tuple literal for %s: too many elements. Type %s expects %d but got %d",
			receiver.Name, receiver.Type, len(types), len(t.Elements))
	}
	elements := make([]Term, len(t.Elements))
	for i, e := range t.Elements {
		var err error
		if elements[i], err = p.term(e, part(receiver, "component "+itoa(i), types[i])); err != nil {
			return nil, err
		}
	}
	return fold(&composite{typ: receiver.Type, elements: elements, what: "tuples"})
}

func (p *planner) typeHint(h *ast.TypeHint, receiver Spec) (Term, error) {
	hinted, err := metadata.ResolveType(p.schema.Keyspace(receiver.Keyspace), h.Type)
	if err != nil {
		return nil, err
	}
	if !hinted.Frozen().Equal(receiver.Type.Frozen()) {
		return nil, schema.Invalid("Cannot assign value %s to %s of type %s", h, receiver.Name, receiver.Type)
	}
	receiver.Type = hinted
	return p.term(h.Operand, receiver)
}
