package plan

import (
	"fmt"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

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

// part describes an element of what s describes.
func part(s Spec, what string, t *cqltype.Type) Spec {
	s.Name, s.Type, s.column = what+"("+s.Name+")", t, nil
	return s
}

// An element is a term inside of a literal, with what describes its value.
type element struct {
	term     ast.Term // nil is null
	receiver Spec
	what     string // as an error message calls it
}

// elements plans the elements of a literal. kind is what error messages call the literal. Each must
// be of the type of its receiver, and be so before any is looked into.
func (p *planner) elements(kind string, receiver Spec, list []element, markers bool) (Term, error) {
	for _, e := range list {
		if e.term == nil {
			continue
		}
		ok, err := p.fits(e.term, e.receiver)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, schema.Invalid("Invalid %s literal for %s: %s is not of type %s", kind, receiver.Name, e.what, e.receiver.Type)
		}
	}
	c := &composite{typ: receiver.Type, elements: make([]Term, len(list))}
	for i, e := range list {
		if e.term == nil {
			c.elements[i] = &constant{typ: e.receiver.Type}
			continue
		}
		term, err := p.term(e.term, e.receiver)
		if err != nil {
			return nil, err
		}
		if _, known := term.(*constant); !known && !markers && p.scope == nil && isOpen(e.term) {
			return nil, schema.Invalid("Invalid %s literal for %s: bind variables are not supported inside collection literals", kind, receiver.Name)
		}
		c.elements[i] = term
	}
	return fold(c)
}

// isOpen reports whether a term is a bind marker, or a literal that holds one.
func isOpen(t ast.Term) bool {
	switch t.(type) {
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return false
	}
	return true
}

// fits reports whether a term may be a value of what receiver describes. Bind markers and
// null always may.
func (p *planner) fits(t ast.Term, receiver Spec) (bool, error) {
	switch t := t.(type) {
	case *ast.Literal:
		kind, ok := literalKinds[t.Kind]
		return t.Kind == ast.NullLiteral || ok && receiver.Type.Accepts(kind), nil
	case *ast.List:
		if err := checkListReceiver(receiver); err != nil {
			return false, err
		}
		if receiver.Type.Kind() == cqltype.KindVector && len(t.Elements) != receiver.Type.Dimension() {
			return false, nil
		}
		return p.allFit(listElements(t, receiver))
	case *ast.Set:
		if len(t.Elements) == 0 && receiver.Type.Kind() == cqltype.KindMap {
			return true, nil
		}
		if receiver.Type.Kind() != cqltype.KindSet {
			return false, nil
		}
		return p.allFit(setElements(t, receiver))
	case *ast.Map:
		if u := userTypeOf(t); u != nil && receiver.Type.Kind() == cqltype.KindUDT {
			return p.fits(u, receiver)
		}
		if receiver.Type.Kind() != cqltype.KindMap {
			return false, nil
		}
		return p.allFit(mapElements(t, receiver))
	case *ast.UserType:
		if receiver.Type.Kind() != cqltype.KindUDT || unknownField(t, receiver.Type) != "" {
			return false, nil
		}
		return p.allFit(fieldElements(t, receiver))
	case *ast.Tuple:
		if receiver.Type.Kind() != cqltype.KindTuple {
			if len(t.Elements) == 1 { // a parenthesized term
				return p.fits(t.Elements[0], receiver)
			}
			return false, nil
		}
		if len(t.Elements) > len(receiver.Type.FieldTypes()) {
			return false, nil
		}
		return p.allFit(tupleElements(t, receiver))
	case *ast.Column, *ast.CountRows, *ast.WritetimeOrTTL, *ast.Field, *ast.Element, *ast.Slice, *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		m, err := p.assign(t, receiver)
		return m != unassignable, err
	default: // others judge themselves when they are planned
		return true, nil
	}
}

func (p *planner) allFit(list []element) (bool, error) {
	for _, e := range list {
		if e.term == nil {
			continue
		}
		if ok, err := p.fits(e.term, e.receiver); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func checkListReceiver(receiver Spec) error {
	if k := receiver.Type.Kind(); k != cqltype.KindList && k != cqltype.KindVector {
		return schema.Invalid("Unexpected receiver type '%s'; only list and vector are expected", receiver.Type)
	}
	return nil
}

func listElements(l *ast.List, receiver Spec) []element {
	return valueElements(l.Elements, receiver)
}

func setElements(s *ast.Set, receiver Spec) []element {
	return valueElements(s.Elements, receiver)
}

func valueElements(terms []ast.Term, receiver Spec) []element {
	out := make([]element, len(terms))
	value := part(receiver, "value", receiver.Type.ElementType())
	for i, t := range terms {
		out[i] = element{term: t, receiver: value, what: "value " + t.String()}
	}
	return out
}

func (p *planner) list(l *ast.List, receiver Spec) (Term, error) {
	if err := checkListReceiver(receiver); err != nil {
		return nil, err
	}
	if receiver.Type.Kind() == cqltype.KindList {
		return p.elements("list", receiver, listElements(l, receiver), false)
	}
	if len(l.Elements) != receiver.Type.Dimension() {
		return nil, schema.Invalid("Invalid vector literal for %s of type %s; expected %d elements, but given %d",
			receiver.Name, receiver.Type, receiver.Type.Dimension(), len(l.Elements))
	}
	return p.elements("vector", receiver, listElements(l, receiver), true)
}

func (p *planner) set(s *ast.Set, receiver Spec) (Term, error) {
	if len(s.Elements) == 0 && receiver.Type.Kind() == cqltype.KindMap {
		return fold(&composite{typ: receiver.Type})
	}
	if receiver.Type.Kind() != cqltype.KindSet {
		return nil, schema.Invalid("Invalid set literal for %s of type %s", receiver.Name, receiver.Type)
	}
	return p.elements("set", receiver, setElements(s, receiver), false)
}

func mapElements(m *ast.Map, receiver Spec) []element {
	key, value := part(receiver, "key", receiver.Type.KeyType()), part(receiver, "value", receiver.Type.ValueType())
	out := make([]element, 0, 2*len(m.Entries))
	for _, e := range m.Entries {
		out = append(out, element{e.Key, key, "key " + e.Key.String()}, element{e.Value, value, "value " + e.Value.String()})
	}
	return out
}

func (p *planner) mapLiteral(m *ast.Map, receiver Spec) (Term, error) {
	if u := userTypeOf(m); u != nil && receiver.Type.Kind() == cqltype.KindUDT {
		return p.userType(u, receiver)
	}
	if receiver.Type.Kind() != cqltype.KindMap {
		return nil, schema.Invalid("Invalid map literal for %s of type %s", receiver.Name, receiver.Type)
	}
	return p.elements("map", receiver, mapElements(m, receiver), false)
}

// userTypeOf returns a map among selectors whose keys are names as the literal of a user type, which looks the
// same there; nil if it is none.
func userTypeOf(m *ast.Map) *ast.UserType {
	u := &ast.UserType{Pos: m.Pos}
	for _, e := range m.Entries {
		name, ok := e.Key.(*ast.Column)
		if !ok {
			return nil
		}
		u.Fields = append(u.Fields, ast.FieldValue{Name: name.Name, Value: e.Value})
	}
	return u
}

// fieldElements puts the fields of a literal into the order of the type; those not given are null.
func fieldElements(u *ast.UserType, receiver Spec) []element {
	given := make(map[string]ast.Term, len(u.Fields))
	for _, f := range u.Fields {
		given[f.Name.Text] = f.Value
	}
	out := make([]element, len(receiver.Type.Fields()))
	for i, f := range receiver.Type.Fields() {
		field := Spec{Keyspace: receiver.Keyspace, Table: receiver.Table, Name: receiver.Name + "." + f.Name, Type: f.Type}
		out[i] = element{given[f.Name], field, "field " + f.Name}
	}
	return out
}

// unknownField returns the first field of a literal that its type does not have, or an empty string.
func unknownField(u *ast.UserType, t *cqltype.Type) string {
	known := make(map[string]bool, len(t.Fields()))
	for _, f := range t.Fields() {
		known[f.Name] = true
	}
	for _, f := range u.Fields {
		if !known[f.Name.Text] {
			return f.Name.Text
		}
	}
	return ""
}

func (p *planner) userType(u *ast.UserType, receiver Spec) (Term, error) {
	if receiver.Type.Kind() != cqltype.KindUDT {
		return nil, schema.Invalid("Invalid user type literal for %s of type %s", receiver.Name, receiver.Type)
	}
	if name := unknownField(u, receiver.Type); name != "" {
		_, typeName := receiver.Type.UDTName()
		return nil, schema.Invalid("Unknown field '%s' in value of user defined type %s", name, typeName)
	}
	return p.elements("user type", receiver, fieldElements(u, receiver), true)
}

func tupleElements(t *ast.Tuple, receiver Spec) []element {
	out := make([]element, len(t.Elements))
	for i, e := range t.Elements {
		component := Spec{Keyspace: receiver.Keyspace, Table: receiver.Table,
			Name: fmt.Sprintf("%s[%d]", receiver.Name, i), Type: receiver.Type.FieldTypes()[i]}
		out[i] = element{e, component, "component " + itoa(i)}
	}
	return out
}

func (p *planner) tuple(t *ast.Tuple, receiver Spec) (Term, error) {
	if receiver.Type.Kind() != cqltype.KindTuple {
		if len(t.Elements) == 1 { // a parenthesized term
			return p.term(t.Elements[0], receiver)
		}
		return nil, schema.Invalid("Invalid tuple type literal for %s of type %s", receiver.Name, receiver.Type)
	}
	if types := receiver.Type.FieldTypes(); len(t.Elements) > len(types) {
		return nil, schema.Invalid("Invalid tuple literal for %s: too many elements. Type %s expects %d but got %d",
			receiver.Name, receiver.Type, len(types), len(t.Elements))
	}
	return p.elements("tuple", receiver, tupleElements(t, receiver), true)
}

func (p *planner) typeHint(h *ast.TypeHint, receiver Spec) (Term, error) {
	hinted, err := metadata.ResolveType(p.schema.Keyspace(receiver.Keyspace), h.Type)
	if err != nil {
		return nil, err
	}
	if p.scope != nil && typeMatch(hinted, receiver.Type) == unassignable || p.scope == nil && !hinted.Frozen().Equal(receiver.Type.Frozen()) {
		return nil, schema.Invalid("Cannot assign value %s to %s of type %s", h, receiver.Name, receiver.Type)
	}
	receiver.Type = hinted
	if m, err := p.assign(h.Operand, receiver); err != nil || m == unassignable {
		if err == nil {
			err = schema.Invalid("Cannot assign value %s to %s of type %s", p.columnName(h), p.columnName(h), receiver.Type)
		}
		return nil, err
	}
	return p.term(h.Operand, receiver)
}
