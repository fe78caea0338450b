package ast_test

import (
	"testing"

	"github.com/iliumdb/ilium/grammar/ast"
)

func TestIdentifier(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		if got := ast.Identifier(text); got != want {
			t.Errorf("Identifier(%q) = %s, want %s", text, got, want)
		}
	}
	check("a", "a")
	check("a_1", "a_1")
	check("", `""`)
	check("A", `"A"`)
	check("1a", `"1a"`)
	check("_a", `"_a"`)
	check("a b", `"a b"`)
	check(`a"b`, `"a""b"`)
	check("é", `"é"`)
	check("select", `"select"`)
	check("token", `"token"`)
	check("type", "type")
}

func TestNames(t *testing.T) {
	check := func(name interface{ String() string }, want string) {
		t.Helper()
		if got := name.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(ast.Name{Text: "a"}, "a")
	check(ast.Name{Text: "a", Quoted: true}, `"a"`)
	check(ast.Name{Text: "A"}, `"A"`)
	check(ast.Qualified{Name: ast.Name{Text: "t"}}, "t")
	check(ast.Qualified{Keyspace: ast.Name{Text: "Ks"}, Name: ast.Name{Text: "t"}}, `"Ks".t`)
}

func TestPositions(t *testing.T) {
	first, second := ast.Pos{Line: 1, Column: 5}, ast.Pos{Line: 2, Column: 0}
	if !first.Before(second) || second.Before(first) || first.Before(first) || !first.Before(ast.Pos{Line: 1, Column: 6}) {
		t.Error("positions are out of order")
	}
	name := ast.Name{Pos: second, Text: "t"}
	if got := (ast.Qualified{Name: name}).Position(); got != second {
		t.Errorf("a name without keyspace is at %v, want %v", got, second)
	}
	if got := (ast.Qualified{Keyspace: ast.Name{Pos: first, Text: "k"}, Name: name}).Position(); got != first {
		t.Errorf("a name with keyspace is at %v, want %v", got, first)
	}
}

// A tree built by a program may need parentheses that the parser would have kept as a Tuple.
func TestParentheses(t *testing.T) {
	check := func(term ast.Term, want string) {
		t.Helper()
		if got := term.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	integer := func(text string) ast.Term { return &ast.Literal{Kind: ast.IntegerLiteral, Text: text} }
	binary := func(left ast.Term, operator ast.Operator, right ast.Term) ast.Term {
		return &ast.Binary{Left: left, Operator: operator, Right: right}
	}
	column := &ast.Column{Name: ast.Name{Text: "a"}}
	sum := binary(integer("1"), '+', integer("2"))
	product := binary(integer("3"), '*', integer("4"))
	check(binary(sum, '-', integer("3")), "1 + 2 - 3")
	check(binary(integer("3"), '-', sum), "3 - (1 + 2)")
	check(binary(sum, '*', integer("3")), "(1 + 2) * 3")
	check(binary(product, '/', product), "3 * 4 / (3 * 4)")
	check(binary(product, '+', product), "3 * 4 + 3 * 4")
	check(&ast.Negate{Operand: sum}, "- (1 + 2)")
	check(&ast.Negate{Operand: integer("-1")}, "- -1")
	check(&ast.TypeHint{Type: &ast.Type{Kind: ast.NativeType, Native: "int"}, Operand: sum}, "(int)(1 + 2)")
	check(&ast.Field{Operand: &ast.Negate{Operand: column}, Name: column.Name}, "(- a).a")
	check(&ast.Field{Operand: integer("1"), Name: column.Name}, "1 .a")
	check(&ast.Element{Operand: sum, Key: integer("1")}, "(1 + 2)[1]")
}
