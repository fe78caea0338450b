package grammar_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
)

// corpus returns the statements of testdata/statements.cql.
func corpus(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/statements.cql")
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "-- ") {
			statements = append(statements, line)
		}
	}
	if len(statements) < 200 {
		t.Fatalf("only %d statements in the corpus", len(statements))
	}
	return statements
}

// walk calls visit for tree and everything it holds.
func walk(tree any, visit func(reflect.Value)) {
	var down func(v reflect.Value)
	down = func(v reflect.Value) {
		visit(v)
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				down(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				down(v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				down(v.Index(i))
			}
		}
	}
	down(reflect.ValueOf(tree))
}

// forget clears what two equal trees may differ in: positions, numbers of markers, and whether an
// empty list is nil, except in lists of types, where that has a meaning.
func forget(tree any) {
	walk(tree, func(v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[ast.Pos]():
			v.SetZero()
		case v.Type() == reflect.TypeFor[ast.Marker]():
			v.FieldByName("Index").SetZero()
		case v.Kind() == reflect.Slice && v.Type() != reflect.TypeFor[[]*ast.Type]() && v.Len() == 0:
			v.SetZero()
		}
	})
}

// checkParsed checks what holds for every parsed statement: its markers are numbered in the order of
// the text, and its print parses to the same tree and prints the same again.
func checkParsed(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, parsed *ast.Parsed) {
	t.Helper()
	var found []*ast.Marker
	walk(parsed.Statement, func(v reflect.Value) {
		if m, ok := v.Interface().(*ast.Marker); ok && v.Kind() == reflect.Pointer && m != nil {
			found = append(found, m)
		}
	})
	for i, m := range parsed.Markers {
		if m.Index != i {
			t.Fatalf("%q: marker %d has index %d", text, i, m.Index)
		}
		if i > 0 && !parsed.Markers[i-1].Pos.Before(m.Pos) {
			t.Fatalf("%q: marker %d comes before its predecessor", text, i)
		}
	}
	if len(found) != len(parsed.Markers) {
		t.Fatalf("%q: %d markers in the tree, %d listed", text, len(found), len(parsed.Markers))
	}
	printed := parsed.String()
	again, err := grammar.Parse(printed)
	if err != nil {
		t.Fatalf("%q prints as %q, which does not parse: %v", text, printed, err)
	}
	if second := again.String(); second != printed {
		t.Fatalf("%q prints as %q, and that as %q", text, printed, second)
	}
	forget(parsed)
	forget(again)
	if !reflect.DeepEqual(parsed, again) {
		t.Fatalf("%q prints as %q, which parses to another tree", text, printed)
	}
}

func TestCorpus(t *testing.T) {
	kinds := make(map[reflect.Type]bool)
	for _, text := range corpus(t) {
		parsed, err := grammar.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		kinds[reflect.TypeOf(parsed.Statement)] = true
		checkParsed(t, text, parsed)
	}
	const statements = 47 // structs that are an ast.Statement
	if len(kinds) != statements {
		t.Errorf("the corpus has %d kinds of statements, want %d", len(kinds), statements)
	}
}
