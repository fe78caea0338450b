package grammar_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
)

// FuzzParse checks that no text makes the parser panic, that errors are short and have a position in
// the text, and that what parses survives printing.
func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	data, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		f.Fatal(err)
	}
	for block := range strings.SplitSeq(string(data), "\n\n") {
		text, _, _ := strings.Cut(block, "\n")
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := grammar.Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		checkParsed(t, text, parsed)
	})
}

func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var syntax *grammar.SyntaxError
	if !errors.As(err, &syntax) || syntax.Reason == "" {
		t.Fatalf("%q: %#v is no syntax error", text, err)
	}
	lines := strings.Split(text, "\n")
	if syntax.Pos.Line < 1 || syntax.Pos.Line > len(lines) || syntax.Pos.Column < 0 || syntax.Pos.Column > len(lines[syntax.Pos.Line-1]) {
		t.Fatalf("%q: error outside the text: %v", text, err)
	}
	if len(err.Error()) > 4096 {
		t.Fatalf("%q: error of %d bytes", text, len(err.Error()))
	}
}

// FuzzParseTerm checks the same for terms.
func FuzzParseTerm(f *testing.F) {
	for _, text := range []string{
		"1", "- 1", "'it''s'", "$$x$$", "-1.5e3", "0xff", "1y2mo", "P1Y", "?", ":a", "[1, 2]", "{1: 2}", "{a: 1}", "{}", "(1, 2)",
		"(list<int>) [1]", "f(1 + 2 * 3)", "ks.f()", "CAST(1 AS text)", "{(1): :a}", "{('a') :b}", "-nano()", "1..2", "token(1)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		term, err := grammar.ParseTerm(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		printed := term.String()
		if again, err := grammar.ParseTerm(printed); err != nil || again.String() != printed {
			t.Fatalf("%q prints as %q, and that as %v, %v", text, printed, again, err)
		}
	})
}

// FuzzParseType checks the same for types.
func FuzzParseType(f *testing.F) {
	for _, text := range []string{
		"int", "list<int>", "map<text, frozen<set<ks.u>>>", "tuple<a, \"B\">", "vector<float, 3>", "'x'", "list", "frozen.list", "a<b>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := grammar.ParseType(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		var again *ast.Type
		printed := parsed.String()
		if again, err = grammar.ParseType(printed); err != nil || again.String() != printed {
			t.Fatalf("%q prints as %q, and that as %v, %v", text, printed, again, err)
		}
	})
}
