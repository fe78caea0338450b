package grammar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar/gen"
)

// steps parses text and returns how many tokens the parser has looked at.
func steps(t *testing.T, text string) int {
	t.Helper()
	p := newParser()
	root, err := parse(p, text, (*gen.CqlParser).Root)
	if err != nil {
		t.Fatalf("%.40q...: %v", text, err)
	}
	b := builder{}
	b.root(root)
	if b.err != nil {
		t.Fatalf("%.40q...: %v", text, b.err)
	}
	return p.stream.steps
}

// TestLinear counts the steps of the parser on texts of two sizes. Work that grows with the square of
// the text would grow by ten times more than the text.
func TestLinear(t *testing.T) {
	check := func(title string, text func(n int) string) {
		t.Helper()
		const small, large = 200, 2000
		few, many := steps(t, text(small)), steps(t, text(large))
		if many > few*large/small*11/10 {
			t.Errorf("%s: %d steps for %d items, %d for %d", title, few, small, many, large)
		}
		if tokens := len(strings.Fields(text(large))); many > 40*tokens {
			t.Errorf("%s: %d steps for about %d tokens", title, many, tokens)
		}
	}
	repeated := func(before, item, separator, after string) func(int) string {
		return func(n int) string {
			return before + strings.TrimSuffix(strings.Repeat(item+separator, n), separator) + after
		}
	}
	where := "SELECT * FROM t WHERE a = "
	check("IN", repeated("SELECT * FROM t WHERE k IN ( ", "?", " , ", " )"))
	check("IN of tuples", repeated("SELECT * FROM t WHERE (a, b) IN ( ", "( 1 , ? )", " , ", " )"))
	check("list", repeated(where+"[ ", "'x'", " , ", " ]"))
	check("list of lists", repeated(where+"[ ", "[ 1 , [ 2 ] ]", " , ", " ]"))
	check("set", repeated(where+"{ ", "1", " , ", " }"))
	check("set of sets", repeated(where+"{ ", "{ { 1 } , { 2 } }", " , ", " }"))
	check("map", repeated(where+"{ ", "'k' : { 'x' : ? }", " , ", " }"))
	check("user type", repeated(where+"{ ", "f : { g : 1 }", " , ", " }"))
	check("tuple", repeated(where+"( ", "( 1 , ( 2 , 3 ) )", " , ", " )"))
	check("type hints", repeated(where+"[ ", "( list < int > ) [ 1 ]", " , ", " ]"))
	check("calls", repeated(where+"[ ", "ks . f ( g ( 1 ) )", " , ", " ]"))
	check("sums", repeated(where+"[ ", "1 + 2 * 3 - 4", " , ", " ]"))
	check("relations", repeated("SELECT * FROM t WHERE ", "( ( a = 1 ) ) AND ( a , b ) > ( 1 , 2 )", " AND ", ""))
	check("selectors", repeated("SELECT ", "a . b [ 1 ] + f ( c ) AS d", " , ", " FROM t"))
	check("JSON selectors", repeated("SELECT JSON ", "json", " , ", " FROM t"))
	check("ambiguous JSON", repeated("SELECT json ( a ) , ", "json", " , ", " FROM t"))
	check("parenthesized selectors", repeated("SELECT ", "( a ) , ( int ) b , ( ( c ) )", " , ", " FROM t"))
	check("columns", repeated("INSERT INTO t ( ", "a", " , ", " ) VALUES ( 1 )"))
	check("assignments", func(n int) string {
		var text strings.Builder
		text.WriteString("UPDATE t SET z = 1")
		for i := range n {
			fmt.Fprintf(&text, " , a%d = a%d + 1 , b%d = [ 1 ] + b%d , c%d [ 1 ] = 2", i, i, i, i, i)
		}
		return text.String() + " WHERE k = 1"
	})
	check("batch", repeated("BEGIN BATCH ", "INSERT INTO t ( a ) VALUES ( 1 ) UPDATE t SET a = 1 WHERE k = 1 ; DELETE FROM t WHERE k = 1", " ; ", " APPLY BATCH"))
	check("table", repeated("CREATE TABLE t ( ", "a map < text , frozen < list < ks . u > > >", " , ", " )"))
	check("tuple type", repeated("CREATE TABLE t ( a tuple < ", "int", " , ", " > )"))
	check("semicolons", repeated("SELECT * FROM t ", ";", " ", ""))
}

// The lexer looks at each character a bounded number of times.
func TestLinearLexer(t *testing.T) {
	check := func(text string) {
		t.Helper()
		count := func(n int) int {
			p := newParser()
			repeated := strings.Repeat(text, n)
			p.source = source{text: repeated}
			counted := &countedSource{source: &p.source}
			p.lexer.Line, p.lexer.CharPositionInLine = 1, 0
			for p.source.index < len(repeated) {
				p.lexer.Match(counted, 0)
			}
			return counted.steps
		}
		const small, large = 100, 1000
		if few, many := count(small), count(large); many > few*large/small*11/10+100 || many > 4*large*len(text) {
			t.Errorf("%q: %d steps for %d times, %d for %d", text, few, small, many, large)
		}
	}
	for _, text := range []string{
		"a", "1", "'", "'x", "''", "\"", "$$", "$", "/*", "/* *", "--", "/", "-", "1y", "1.", "1..", "1e", "1e+", "0x", "-P1", "P1Y1",
		"12345678-", "12345678-1234-1234-1234-", "DEADBEEF-dead-", ".", "é", "😀", "µ", "expr", "expr(", "SELEC", " \n", "-nan",
	} {
		check(text)
	}
}

// countedSource counts the characters that the lexer takes.
type countedSource struct {
	*source
	steps int
}

func (s *countedSource) Consume() {
	s.steps++
	s.source.Consume()
}
