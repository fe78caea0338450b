package grammar_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
)

// complaint splits a message into position, offending token and the rest.
var complaint = regexp.MustCompile(`^line (\S+) (.*?) '(.*?)'( |$)`)

// TestErrors compares errors with those of Cassandra: the text of each must be as testdata/errors.txt
// says, and nearly all must agree on position and offending token.
func TestErrors(t *testing.T) {
	data, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	var total, agree int
	for block := range strings.SplitSeq(string(data), "\n\n") {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		if strings.HasPrefix(lines[0], "#") {
			continue
		}
		theirs := strings.TrimPrefix(lines[1], "cassandra: ")
		want := theirs
		if len(lines) > 2 {
			want = strings.TrimPrefix(lines[2], "ilium:     ")
		}
		_, err := grammar.Parse(strings.ReplaceAll(lines[0], `\n`, "\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", lines[0], err, want)
			continue
		}
		total++
		if sameComplaint(theirs, err.Error()) {
			agree++
		} else {
			t.Logf("disagree on %s\n%s\n%s", lines[0], theirs, err)
		}
	}
	if total < 400 || agree*100 < total*96 {
		t.Errorf("%d of %d errors are about the same token as Cassandra's", agree, total)
	}
}

// sameComplaint reports whether two messages are about the same token at the same place. Cassandra
// does not say where the text ends.
func sameComplaint(theirs, ours string) bool {
	a, b := complaint.FindStringSubmatch(theirs), complaint.FindStringSubmatch(ours)
	if a == nil || b == nil {
		return theirs == ours
	}
	return a[3] == b[3] && (a[1] == b[1] || a[1] == "0:-1" && a[3] == "<EOF>")
}

func TestErrorFields(t *testing.T) {
	check := func(text string, want grammar.SyntaxError) {
		t.Helper()
		_, err := grammar.Parse(text)
		var got *grammar.SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%q: got %v, want a SyntaxError", text, err)
			return
		}
		if got.Pos != want.Pos || got.Reason != want.Reason || got.Token != want.Token || got.Snippet != want.Snippet {
			t.Errorf("%q:\ngot  %+v\nwant %+v", text, *got, want)
		}
	}
	check("SELECT *\n FORM t", grammar.SyntaxError{
		Pos: ast.Pos{Line: 2, Column: 1}, Reason: "mismatched input 'FORM' expecting K_FROM", Token: "FORM", Snippet: "SELECT * [FORM]...",
	})
	check("SELECT * ", grammar.SyntaxError{
		Pos: at(9), Reason: "mismatched input '<EOF>' expecting K_FROM", Token: "<EOF>",
	})
	check("SELECT a FROM ?", grammar.SyntaxError{
		Pos: at(14), Reason: "Bind variables cannot be used for table names",
	})
	check("SELECT # FROM (", grammar.SyntaxError{
		Pos: at(7), Reason: "no viable alternative at character '#'", Token: "#",
	})
	check("SELECT FROM #", grammar.SyntaxError{ // the parser's error comes before the lexer's
		Pos: at(7), Reason: "no viable alternative at input 'FROM'", Token: "FROM", Snippet: "SELECT [FROM]...",
	})
	check("SELECT 'é\n😀 ", grammar.SyntaxError{
		Pos: ast.Pos{Line: 2, Column: 3}, Reason: "mismatched character '<EOF>' expecting '''", Token: "<EOF>",
	})
	check("SELECT a\n, 'é😀\xff' FROM t", grammar.SyntaxError{Pos: ast.Pos{Line: 2, Column: 6}, Reason: "byte 0xff is not UTF-8"})
	check("SELECT ttl(a)(b) FROM t", grammar.SyntaxError{
		Pos: at(13), Reason: "mismatched input '(' expecting K_FROM", Token: "(", Snippet: "SELECT ttl(a)[(]...",
	})
	check("SELECT f(*) FROM t", grammar.SyntaxError{Pos: at(9), Reason: "no viable alternative at input '*'", Token: "*"})
	check("SELECT a.b.c(d) FROM t", grammar.SyntaxError{Pos: at(12), Reason: "no viable alternative at input '('", Token: "("})
	check("SELECT a.ttl(d) FROM t", grammar.SyntaxError{Pos: at(12), Reason: "no viable alternative at input '('", Token: "("})
	check("SELECT WRITETIME(a.b(c)) FROM t", grammar.SyntaxError{Pos: at(20), Reason: "no viable alternative at input '('", Token: "("})
	check("SELECT a FROM t WHERE k = ttl(1)", grammar.SyntaxError{Pos: at(29), Reason: "no viable alternative at input '('", Token: "("})
}

// A message stays short, however long the text.
func TestErrorLength(t *testing.T) {
	long := strings.Repeat("é", 1<<16)
	for _, text := range []string{
		"SELECT '" + long + "' '" + long + "'",
		"SELECT * FROM t WHERE a = f(1, '" + long + "', FROM)",
		"SELECT \"" + long,
		"SELECT /*" + long,
		"CREATE TABLE t (k " + strings.Repeat("x", 1<<16) + " " + strings.Repeat("y", 1<<16),
	} {
		_, err := grammar.Parse(text)
		if err == nil || len(err.Error()) > 600 {
			t.Errorf("%.20q...: error of %d bytes", text, len(err.Error()))
		}
	}
}
