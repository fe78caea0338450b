package plan

import (
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A match says how well a term fits what it is given to.
type match uint8

const (
	unassignable match = iota
	weak               // it can be read as a value of that type
	exact              // it is of that type
)

// A resolution is the outcome of looking for the function that a term calls.
type resolution struct {
	function *function
	err      error
}

// A resolutionKey identifies it: what is called may depend on the type that is asked for.
type resolutionKey struct {
	term     ast.Term
	receiver string
}

// resolve finds the function that a call, cast or operation means. receiver is the type it is for, or nil. It
// returns nil if there is none of that name.
func (p *planner) resolve(t ast.Term, receiver *cqltype.Type) (*function, error) {
	key := resolutionKey{term: t}
	if receiver != nil {
		key.receiver = receiver.String()
	}
	if r, ok := p.resolved[key]; ok {
		return r.function, r.err
	}
	f, err := p.find(t, receiver)
	if p.resolved == nil {
		p.resolved = make(map[resolutionKey]resolution)
	}
	p.resolved[key] = resolution{f, err}
	return f, err
}

func (p *planner) find(t ast.Term, receiver *cqltype.Type) (*function, error) {
	switch t := t.(type) {
	case *ast.Binary:
		return p.pick(operations(t.Operator), string(rune(t.Operator)), []ast.Term{t.Left, t.Right}, receiver)
	case *ast.Negate:
		return p.pick(negations(), "_negate", []ast.Term{t.Operand}, receiver)
	case *ast.Cast:
		to, err := metadata.ResolveType(nil, t.Type)
		if err != nil {
			return nil, err
		}
		if typ, err := p.exactType(t.Operand); err != nil || typ == to {
			return &function{name: "cast", arguments: []*cqltype.Type{to}, result: to,
				eval: func(_ *Binding, arguments [][]byte) ([]byte, error) { return arguments[0], nil }}, err
		}
		candidates := castFunctions(to)
		if len(candidates) == 0 {
			return nil, schema.Invalid("%s cannot be cast to %s", p.columnName(t.Operand), to)
		}
		return p.pick(candidates, "system."+candidates[0].name, []ast.Term{t.Operand}, receiver)
	case *ast.Call:
		return p.findCall(t, receiver)
	}
	return nil, nil
}

func (p *planner) findCall(t *ast.Call, receiver *cqltype.Type) (*function, error) {
	name := t.Function.Name.Text
	if !isNative(t.Function) {
		return nil, nil
	}
	switch name {
	case "floor":
		return nil, schema.Invalid("Function '%s' is not supported yet", t.Function)
	case "tojson":
		name = "to_json"
	case "from_json", "fromjson":
		f, err := fromJSONFunction(receiver)
		if err == nil {
			err = p.checkArguments(f, t.Arguments)
		}
		return f, err
	}
	if f, err := p.generic(name, t.Arguments); f != nil || err != nil {
		return f, err
	}
	candidates := natives(name)
	switch len(candidates) {
	case 0:
		return nil, nil
	case 1:
		return candidates[0], p.checkArguments(candidates[0], t.Arguments)
	}
	return p.pick(candidates, t.Function.String(), t.Arguments, receiver)
}

// checkArguments refuses a call of a function that has only one signature, and not this one.
func (p *planner) checkArguments(f *function, arguments []ast.Term) error {
	if len(arguments) != len(f.arguments) {
		return schema.Invalid("Invalid number of arguments in call to function system.%s: %d required but %d provided",
			f.name, len(f.arguments), len(arguments))
	}
	for i, a := range arguments {
		m, err := p.assign(a, f.argument(i, Spec{Keyspace: p.hintKeyspace()}))
		if err != nil {
			return err
		}
		if m == unassignable {
			return schema.Invalid("Type error: %s cannot be passed as argument %d of function system.%s of type %s",
				p.columnName(a), i, f.name, f.arguments[i])
		}
	}
	return nil
}

// pick chooses among the signatures of a function: the first that fits exactly, or else the only one that fits.
func (p *planner) pick(candidates []*function, name string, arguments []ast.Term, receiver *cqltype.Type) (*function, error) {
	var compatible []*function
	for _, f := range candidates {
		if receiver != nil && typeMatch(f.result, receiver) == unassignable {
			continue
		}
		m, err := p.fit(f, arguments)
		if err != nil {
			return nil, err
		}
		switch m {
		case exact:
			return f, nil
		case weak:
			compatible = append(compatible, f)
		}
	}
	operator := candidates[0].operator
	switch {
	case len(compatible) == 1:
		return compatible[0], nil
	case len(compatible) == 0 && operator != 0 && len(arguments) == 2:
		return nil, schema.Invalid("the '%s' operation is not supported between %s and %s", name, p.columnName(arguments[0]), p.columnName(arguments[1]))
	case len(compatible) == 0:
		return nil, schema.Invalid("Invalid call to function %s, none of its type signatures match (known type signatures: %s)",
			name, signatures(candidates))
	case operator != 0 && len(arguments) == 2:
		return p.pickOperation(compatible, name, arguments, receiver)
	case operator != 0:
		return nil, schema.Invalid("Ambiguous negation: use type casts to disambiguate")
	}
	return nil, schema.Invalid("Ambiguous call to function %s (can be matched by following signatures: %s): use type casts to disambiguate", name, signatures(compatible))
}

// pickOperation prefers operands of the type that the result is for.
func (p *planner) pickOperation(compatible []*function, name string, arguments []ast.Term, receiver *cqltype.Type) (*function, error) {
	_, left := arguments[0].(*ast.Marker)
	_, right := arguments[1].(*ast.Marker)
	if receiver != nil && !left && !right {
		for _, f := range compatible {
			if receiver.Equal(f.arguments[0]) && receiver.Equal(f.arguments[1]) {
				return f, nil
			}
		}
	}
	return nil, schema.Invalid("Ambiguous '%s' operation with args %s and %s: use type hint to disambiguate, example '(int) ?'",
		name, p.columnName(arguments[0]), p.columnName(arguments[1]))
}

func signatures(list []*function) string {
	parts := make([]string, len(list))
	for i, f := range list {
		parts[i] = f.String()
	}
	return strings.Join(parts, ", ")
}

// fit reports how well arguments fit a signature.
func (p *planner) fit(f *function, arguments []ast.Term) (match, error) {
	if len(arguments) != len(f.arguments) {
		return unassignable, nil
	}
	best := exact
	for i, a := range arguments {
		m, err := p.assign(a, Spec{Keyspace: p.hintKeyspace(), Type: f.arguments[i]})
		if err != nil || m == unassignable {
			return unassignable, err
		}
		best = min(best, m)
	}
	return best, nil
}

// typeMatch reports how well a value of type t fits a receiver.
func typeMatch(t, receiver *cqltype.Type) match {
	t, receiver = t.Frozen(), receiver.Frozen()
	if t.Equal(receiver) {
		return exact
	}
	from, ok := t.Kind(), false
	switch receiver.Kind() {
	case cqltype.KindBlob:
		ok = true
	case cqltype.KindText:
		ok = from == cqltype.KindASCII
	case cqltype.KindUUID:
		ok = from == cqltype.KindTimeUUID
	case cqltype.KindVarint:
		ok = from == cqltype.KindInt || from == cqltype.KindBigint || from == cqltype.KindTimestamp
	case cqltype.KindBigint, cqltype.KindTimestamp:
		ok = from == cqltype.KindBigint || from == cqltype.KindTimestamp
	case cqltype.KindDate:
		ok = from == cqltype.KindInt
	case cqltype.KindTime:
		ok = from == cqltype.KindBigint
	}
	if ok {
		return weak
	}
	return unassignable
}

// assign reports how well a term fits a receiver. The error is that of a term which is wrong in itself.
func (p *planner) assign(t ast.Term, receiver Spec) (match, error) {
	switch t := t.(type) {
	case *ast.Marker:
		return weak, nil
	case *ast.Literal:
		kind, ok := literalKinds[t.Kind]
		switch {
		case t.Kind == ast.NullLiteral:
			return weak, nil
		case !ok || !receiver.Type.Accepts(kind):
			return unassignable, nil
		case preferredType(t) == receiver.Type:
			return exact, nil
		}
		return weak, nil
	case *ast.TypeHint:
		hinted, err := metadata.ResolveType(p.schema.Keyspace(receiver.Keyspace), t.Type)
		if err != nil {
			return unassignable, err
		}
		return typeMatch(hinted, receiver.Type), nil
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return p.assignCall(t, receiver)
	case *ast.Tuple:
		if len(t.Elements) == 1 && receiver.Type.Kind() != cqltype.KindTuple {
			return p.assign(t.Elements[0], receiver)
		}
	case *ast.Column, *ast.CountRows, *ast.WritetimeOrTTL, *ast.Field, *ast.Element, *ast.Slice:
		typ, err := p.exactType(t)
		if err != nil {
			return unassignable, err
		}
		return typeMatch(typ, receiver.Type), nil
	case *ast.List:
		if k := receiver.Type.Kind(); k != cqltype.KindList && k != cqltype.KindVector {
			return unassignable, nil
		}
	}
	ok, err := p.fits(t, receiver)
	if err != nil || !ok {
		return unassignable, err
	}
	return weak, nil
}

func (p *planner) assignCall(t ast.Term, receiver Spec) (match, error) {
	if c, ok := t.(*ast.Call); ok && isNative(c.Function) && c.Function.Name.Text == "token" {
		return typeMatch(cqltype.TypeBigint, receiver.Type), nil
	}
	if p.scope != nil {
		typ, err := p.exactType(t)
		if err != nil {
			return unassignable, err
		}
		return typeMatch(typ, receiver.Type), nil
	}
	f, err := p.resolve(t, receiver.Type)
	if err != nil || f == nil {
		return weak, nil // it is refused when it is planned, which says more
	}
	return typeMatch(f.result, receiver.Type), nil
}
