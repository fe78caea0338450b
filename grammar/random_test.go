package grammar_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"pgregory.net/rapid"
)

// TestRandomStatements prints random trees and parses them back.
func TestRandomStatements(t *testing.T) {
	for range 10 { // rapid alone would stop at 100 trees
		rapid.Check(t, roundTrip)
	}
}

func roundTrip(t *rapid.T) {
	r := &random{t}
	want := r.statement()
	text := want.String()
	parsed, err := grammar.Parse(text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	checkParsed(t, text, parsed)
	forget(parsed)
	forget(want)
	if !reflect.DeepEqual(parsed.Statement, want) {
		t.Fatalf("%s\nparses to another tree, which prints as\n%s", text, parsed)
	}
}

// random makes trees such as the parser may return.
type random struct{ *rapid.T }

func (r *random) chance() bool { return rapid.Bool().Draw(r.T, "chance") }

// below returns a number less than n.
func (r *random) below(n int) int { return rapid.IntRange(0, n-1).Draw(r.T, "n") }

func one[T any](r *random, choices ...T) T { return choices[r.below(len(choices))] }

// some returns between least and most items.
func some[T any](r *random, least, most int, item func() T) []T {
	var items []T
	for range least + r.below(most-least+1) {
		items = append(items, item())
	}
	return items
}

// name returns a name that is neither a native type nor a keyword which is no name of functions.
func (r *random) name() ast.Name {
	text := one(r, "a", "b1", "c_d", "values", "type", "expr", "list", "frozen", "Mixed", "select", "with \"quotes\"", "é😀", "1", " ")
	return ast.Name{Text: text, Quoted: ast.Identifier(text) != text || r.chance()}
}

func (r *random) anyName() ast.Name {
	if r.chance() {
		return r.name()
	}
	return ast.Name{Text: one(r, "ttl", "count", "key", "json", "distinct", "cast", "int", "writetime", "uuid")}
}

func (r *random) column() *ast.Column { return &ast.Column{Name: r.anyName()} }

func (r *random) functionName() ast.Name {
	if r.below(4) == 0 {
		return ast.Name{Text: one(r, "token", "count", "uuid")}
	}
	return r.name()
}

func (r *random) qualify(name ast.Name) ast.Qualified {
	q := ast.Qualified{Name: name}
	if r.chance() {
		q.Keyspace = r.name()
	}
	return q
}

func (r *random) table() ast.Qualified { return r.qualify(r.anyName()) }

func (r *random) text() string {
	return one(r, "", "x", "it's", "''", "$$", "\"", "line\nend", "é😀", "--", "\\", "/*")
}

func (r *random) literal() *ast.Literal {
	return one(r,
		&ast.Literal{Kind: ast.StringLiteral, Text: r.text()},
		&ast.Literal{Kind: ast.IntegerLiteral, Text: one(r, "0", "-1", "12345678901234567890")},
		&ast.Literal{Kind: ast.FloatLiteral, Text: one(r, "1.", "-1.5", "1e10", "-1.5E-3", "NaN", "Infinity", "-Infinity")},
		&ast.Literal{Kind: ast.BooleanLiteral, Text: one(r, "true", "false")},
		&ast.Literal{Kind: ast.UUIDLiteral, Text: "123e4567-e89b-12d3-a456-426614174000"},
		&ast.Literal{Kind: ast.BlobLiteral, Text: one(r, "0x", "0xCAfe")},
		&ast.Literal{Kind: ast.DurationLiteral, Text: one(r, "1y2mo", "-5µs", "P1Y", "-PT5M", "P3W", "P0001-02-03T04:05:06")},
	)
}

func (r *random) marker() *ast.Marker {
	return &ast.Marker{Name: one(r, "", "a", "Mixed", "values", "select")}
}

// term returns a term of at most depth levels. If selector is true it may hold columns.
func (r *random) term(depth int, selector bool) ast.Term {
	deeper := func() ast.Term { return r.term(depth-1, selector) }
	simple := func() ast.Term {
		switch {
		case selector && r.chance():
			return r.column()
		case r.below(3) == 0:
			return r.marker()
		case r.below(8) == 0:
			return &ast.Literal{Kind: ast.NullLiteral, Text: "null"}
		}
		return r.literal()
	}
	if depth <= 0 {
		return simple()
	}
	if selector && r.chance() {
		return r.selected(depth)
	}
	switch r.below(12) {
	case 0:
		return &ast.List{Elements: some(r, 0, 3, deeper)}
	case 1:
		return &ast.Set{Elements: some(r, 0, 3, deeper)}
	case 2:
		return &ast.Map{Entries: some(r, 1, 3, func() ast.MapEntry { return ast.MapEntry{Key: r.key(depth-1, selector), Value: deeper()} })}
	case 3:
		if selector {
			return simple()
		}
		return &ast.UserType{Fields: some(r, 1, 3, func() ast.FieldValue { return ast.FieldValue{Name: r.anyName(), Value: deeper()} })}
	case 4:
		return &ast.Tuple{Elements: some(r, 1, 3, deeper)}
	case 5:
		return &ast.Call{Function: r.qualify(r.functionName()), Arguments: some(r, 0, 3, deeper)}
	case 6:
		return &ast.Cast{Operand: deeper(), Type: r.nativeType()}
	case 7:
		return &ast.TypeHint{Type: r.dataType(2), Operand: r.primary(depth-1, selector)}
	case 8, 9:
		return r.binary(depth, selector)
	case 10:
		return &ast.Negate{Operand: r.unary(depth-1, selector)}
	default:
		return simple()
	}
}

// key returns the key of a map. In {(a): b} a selector has a type hint before the marker :b.
func (r *random) key(depth int, selector bool) ast.Term {
	key := r.term(depth, selector)
	if strings.HasSuffix(key.String(), ")") {
		return &ast.List{Elements: []ast.Term{key}}
	}
	return key
}

// unary returns a term without an operator outside brackets.
func (r *random) unary(depth int, selector bool) ast.Term {
	for {
		t := r.term(depth, selector)
		if _, ok := t.(*ast.Binary); !ok {
			return t
		}
	}
}

// primary returns a term that may follow a type hint.
func (r *random) primary(depth int, selector bool) ast.Term {
	for {
		switch t := r.unary(depth, selector).(type) {
		case *ast.Negate, *ast.Field, *ast.Element, *ast.Slice:
		default:
			return t
		}
	}
}

// binary returns an operation that nests as the parser nests it.
func (r *random) binary(depth int, selector bool) ast.Term {
	product := func() ast.Term {
		t := r.unary(depth-1, selector)
		for range r.below(3) {
			t = &ast.Binary{Operator: one[ast.Operator](r, '*', '/', '%'), Left: t, Right: r.unary(depth-1, selector)}
		}
		return t
	}
	t := product()
	for range r.below(3) {
		t = &ast.Binary{Operator: one[ast.Operator](r, '+', '-'), Left: t, Right: product()}
	}
	return t
}

// selected returns a term that only a selector may have.
func (r *random) selected(depth int) ast.Term {
	switch r.below(6) {
	case 0:
		return &ast.CountRows{}
	case 1:
		function := one(r, ast.Writetime, ast.MaxWritetime, ast.TTL)
		return &ast.WritetimeOrTTL{Function: function, Operand: r.modified(r.column(), depth)}
	default:
		return r.modified(r.modifiable(depth-1), depth)
	}
}

// modifiable returns what a field, element or slice can be taken from. In (a)[1] a type hint stands
// before a list.
func (r *random) modifiable(depth int) ast.Term {
	for {
		t := r.unary(depth, true)
		inner := t
		for hint, ok := inner.(*ast.TypeHint); ok; hint, ok = inner.(*ast.TypeHint) {
			inner = hint.Operand
		}
		switch inner := inner.(type) {
		case *ast.Negate:
		case *ast.Tuple:
			if len(inner.Elements) > 1 {
				return t
			}
		default:
			return t
		}
	}
}

func (r *random) modified(t ast.Term, depth int) ast.Term {
	key := func() ast.Term { return r.term(depth-2, false) }
	for range r.below(3) {
		switch r.below(4) {
		case 0:
			t = &ast.Element{Operand: t, Key: key()}
		case 1:
			s := &ast.Slice{Operand: t, From: key()}
			if r.chance() {
				s.To = key()
			}
			if s.To != nil && r.chance() {
				s.From = nil
			}
			t = s
		default:
			t = &ast.Field{Operand: t, Name: r.anyName()}
		}
	}
	return t
}

func (r *random) value() ast.Term { return r.term(3, false) }

func (r *random) nativeType() *ast.Type {
	return &ast.Type{Kind: ast.NativeType, Native: one(r, "int", "text", "varchar", "counter", "timeuuid")}
}

func (r *random) dataType(depth int) *ast.Type {
	deeper := func() *ast.Type { return r.dataType(depth - 1) }
	if depth <= 0 {
		return r.nativeType()
	}
	switch r.below(9) {
	case 0:
		return &ast.Type{Kind: ast.ListType, Parameters: []*ast.Type{deeper()}}
	case 1:
		return &ast.Type{Kind: ast.SetType, Parameters: []*ast.Type{deeper()}}
	case 2:
		return &ast.Type{Kind: ast.MapType, Parameters: []*ast.Type{deeper(), deeper()}}
	case 3:
		return &ast.Type{Kind: ast.TupleType, Parameters: some(r, 1, 3, deeper)}
	case 4:
		return &ast.Type{Kind: ast.VectorType, Parameters: []*ast.Type{deeper()}, Dimension: r.below(2000) - 1}
	case 5:
		list := &ast.Type{Kind: ast.ListType, Parameters: []*ast.Type{deeper()}}
		return &ast.Type{Kind: ast.FrozenType, Parameters: []*ast.Type{list}}
	case 6:
		return &ast.Type{Kind: ast.UserDefined, Name: r.qualify(r.name())}
	case 7:
		return &ast.Type{Kind: ast.CustomType, Class: r.text()}
	default:
		return r.nativeType()
	}
}

func (r *random) types() []*ast.Type {
	types := []*ast.Type{}
	return append(types, some(r, 0, 3, func() *ast.Type { return r.dataType(2) })...)
}

func (r *random) target() ast.Target {
	switch r.below(3) {
	case 0:
		return &ast.Element{Operand: r.column(), Key: r.value()}
	case 1:
		return &ast.Field{Operand: r.column(), Name: r.anyName()}
	default:
		return r.column()
	}
}

func (r *random) comparator() ast.Comparator {
	return one(r, ast.Equal, ast.NotEqual, ast.Less, ast.LessOrEqual, ast.Greater, ast.GreaterOrEqual)
}

func (r *random) in(target ast.Target, value func() ast.Term) *ast.In {
	in := &ast.In{Target: target}
	if r.chance() {
		in.Marker = r.marker()
	} else {
		in.Values = some(r, 0, 3, value)
	}
	return in
}

func (r *random) relation() ast.Relation {
	columns := func() []ast.Name { return some(r, 1, 3, r.anyName) }
	tupleValue := func() ast.Term {
		if r.chance() {
			return r.marker()
		}
		return &ast.Tuple{Elements: some(r, 1, 3, r.value)}
	}
	switch r.below(12) {
	case 0:
		return &ast.Comparison{Target: &ast.Element{Operand: r.column(), Key: r.value()}, Comparator: r.comparator(), Value: r.value()}
	case 1:
		return &ast.Comparison{Target: &ast.Token{Columns: columns()}, Comparator: r.comparator(), Value: r.value()}
	case 2:
		return &ast.Comparison{Target: &ast.ColumnTuple{Columns: columns()}, Comparator: r.comparator(), Value: tupleValue()}
	case 3:
		in := r.in(r.column(), r.value)
		in.Not = r.chance()
		return in
	case 4:
		in := r.in(&ast.ColumnTuple{Columns: columns()}, tupleValue)
		in.Not = r.chance()
		return in
	case 5:
		return &ast.Between{Target: one[ast.Target](r, r.column(), &ast.Token{Columns: columns()}), Low: r.value(), High: r.value()}
	case 6:
		return &ast.Between{Target: &ast.ColumnTuple{Columns: columns()}, Low: tupleValue(), High: tupleValue()}
	case 7:
		return &ast.Contains{Column: r.column(), Not: r.chance(), Key: r.chance(), Value: r.value()}
	case 8:
		return &ast.IsNotNull{Column: r.column()}
	case 9:
		return &ast.Match{Column: r.column(), Value: r.value()}
	case 10:
		return &ast.IndexExpression{Index: r.anyName(), Value: r.value()}
	default:
		comparator := one(r, r.comparator(), ast.Like)
		return &ast.Comparison{Target: r.column(), Comparator: comparator, Value: r.value()}
	}
}

func (r *random) where() []ast.Relation { return some(r, 1, 3, r.relation) }

func (r *random) conditions() []ast.Relation {
	return some(r, 0, 3, func() ast.Relation {
		switch r.below(3) {
		case 0:
			return r.in(r.target(), r.value)
		case 1:
			return &ast.Contains{Column: r.column(), Key: r.chance(), Value: r.value()}
		default:
			return &ast.Comparison{Target: r.target(), Comparator: r.comparator(), Value: r.value()}
		}
	})
}

func (r *random) integer() ast.Term {
	if r.chance() {
		return r.marker()
	}
	return &ast.Literal{Kind: ast.IntegerLiteral, Text: one(r, "0", "-1", "1234567890123")}
}

func (r *random) using() ast.Using {
	return some(r, 0, 3, func() ast.UsingOption {
		return ast.UsingOption{Kind: one(r, ast.UsingTimestamp, ast.UsingTTL), Value: r.integer()}
	})
}

// properties returns properties with names of their own.
func (r *random) properties(least int) []ast.Property {
	var count int
	return some(r, least, 3, func() ast.Property {
		count++
		property := ast.Property{Name: ast.Name{Text: fmt.Sprintf("p%d", count)}, Value: r.literal()}
		switch r.below(4) {
		case 0:
			property.Value = &ast.Literal{Kind: ast.KeywordLiteral, Text: one(r, "all", "int", "ttl")}
		case 1:
			property.Value = r.propertyMap()
		}
		return property
	})
}

func (r *random) propertyMap() *ast.Map {
	var count int
	return &ast.Map{Entries: some(r, 0, 3, func() ast.MapEntry {
		count++
		key := &ast.Literal{Kind: ast.StringLiteral, Text: strings.Repeat("k", count)}
		return ast.MapEntry{Key: key, Value: r.literal()}
	})}
}
