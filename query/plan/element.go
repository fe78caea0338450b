package plan

import (
	"encoding/binary"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// collectionType returns the type of what an element or a slice, as what says, is selected of: a set or a map.
func (p *planner) collectionType(operand ast.Term, what string) (*cqltype.Type, error) {
	t, err := p.exactType(operand)
	if err != nil {
		return nil, err
	}
	name := p.columnName(operand)
	switch {
	case t == nil:
		return nil, schema.Invalid("Cannot infer type for term %s in selection clause (try using a cast to force a type)", name)
	case t.Kind() == cqltype.KindList:
		capital := map[string]string{"element": "Element", "slice": "Slice"}[what]
		return nil, schema.Invalid("%s selection is only allowed on sets and maps, but %s is a list", capital, name)
	case !t.Kind().IsCollection():
		return nil, schema.Invalid("Invalid %s selection: %s is of type %s is not a collection", what, name, t)
	}
	return t, nil
}

// A subscript is an element of a set or map, or a slice of it.
type subscript struct {
	of       Term
	typ      *cqltype.Type
	name     string // of what it is selected of
	slice    bool
	multi    bool // the collection is stored cell by cell, so that none is the same as an empty one
	from, to Term // of an element only from
}

// subscripted plans what is selected of a collection.
func (p *planner) subscripted(operand ast.Term, what string) (*subscript, Spec, error) {
	t, err := p.collectionType(operand, what)
	if err != nil {
		return nil, Spec{}, err
	}
	s := &subscript{typ: t, name: p.columnName(operand), slice: what == "slice", multi: t.IsMultiCell()}
	receiver := Spec{Keyspace: p.scope.Keyspace, Table: p.scope.Name, Name: s.name, Type: t}
	if s.of, err = p.term(operand, receiver); err != nil {
		return nil, receiver, err
	}
	if t.Kind() == cqltype.KindMap {
		return s, part(receiver, "key", t.KeyType()), nil
	}
	return s, part(receiver, "value", t.ElementType()), nil
}

func (p *planner) elementTerm(e *ast.Element) (Term, error) {
	s, key, err := p.subscripted(e.Operand, "element")
	if err != nil {
		return nil, err
	}
	s.from, err = p.term(e.Key, key)
	return s, err
}

func (p *planner) sliceTerm(e *ast.Slice) (Term, error) {
	s, key, err := p.subscripted(e.Operand, "slice")
	if err != nil {
		return nil, err
	}
	if e.From != nil {
		if s.from, err = p.term(e.From, key); err != nil {
			return nil, err
		}
	}
	if e.To != nil {
		s.to, err = p.term(e.To, key)
	}
	return s, err
}

// Eval returns the element or slice, null if there is none.
func (s *subscript) Eval(b *Binding) (Value, error) {
	of, err := s.of.Eval(b)
	if err != nil {
		return of, err
	}
	from, err := s.bound(s.from, b)
	if err != nil {
		return of, err
	}
	if s.slice {
		to, err := s.bound(s.to, b)
		if err != nil || of.Bytes == nil {
			return Value{}, err
		}
		return s.between(of.Bytes, from, to), nil
	}
	if of.Bytes == nil {
		return Value{}, nil
	}
	if s.typ.Kind() == cqltype.KindMap {
		return Value{Bytes: entryOf(s.typ, of.Bytes, from)}, nil
	}
	if contains(s.typ, of.Bytes, from, false) {
		return Value{Bytes: from}, nil
	}
	return Value{}, nil
}

// bound evaluates a key; nil leaves the end of a slice open.
func (s *subscript) bound(t Term, b *Binding) ([]byte, error) {
	if t == nil {
		return nil, nil
	}
	v, err := t.Eval(b)
	what := "element"
	if s.slice {
		what = "slice"
	}
	switch {
	case err != nil:
		return nil, err
	case v.Unset && s.slice:
		return nil, nil
	case v.Unset:
		return nil, schema.Invalid("Invalid unset value for %s selection on %s", what, s.name)
	case v.Bytes == nil:
		return nil, schema.Invalid("Invalid null value for %s selection on %s", what, s.name)
	}
	return v.Bytes, nil
}

func (s *subscript) between(of, from, to []byte) Value {
	out := cqltype.AppendCount(nil, 0)
	count := uint32(0)
	isMap := s.typ.Kind() == cqltype.KindMap
	for elements := s.typ.Elements(of); elements.Next(); {
		key, typ := elements.Value(), elements.Type()
		inside := (from == nil || typ.Compare(key, from) >= 0) && (to == nil || typ.Compare(key, to) <= 0)
		if isMap && !elements.Next() {
			break
		}
		if !inside {
			continue
		}
		count++
		out = cqltype.AppendElement(out, notNil(key))
		if isMap {
			out = cqltype.AppendElement(out, notNil(elements.Value()))
		}
	}
	if count == 0 && s.multi {
		return Value{}
	}
	binary.BigEndian.PutUint32(out, count)
	return Value{Bytes: out}
}

func (s *subscript) String() string {
	text := func(t Term) string {
		if t == nil {
			return ""
		}
		return t.String()
	}
	if s.slice {
		return s.of.String() + "[" + text(s.from) + ".." + text(s.to) + "]"
	}
	return s.of.String() + "[" + text(s.from) + "]"
}
