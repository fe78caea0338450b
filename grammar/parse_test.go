package grammar_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
)

func parse(t testing.TB, text string) *ast.Parsed {
	t.Helper()
	parsed, err := grammar.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return parsed
}

func at(column int) ast.Pos { return ast.Pos{Line: 1, Column: column} }

func name(column int, text string) ast.Name { return ast.Name{Pos: at(column), Text: text} }

func TestParsePositions(t *testing.T) {
	got := parse(t, "SELECT A, \"b\" AS c\n FROM ks.t WHERE k = ? AND m['x'] > :y LIMIT 5;")
	y := &ast.Marker{Pos: ast.Pos{Line: 2, Column: 36}, Name: "y", Index: 1}
	question := &ast.Marker{Pos: ast.Pos{Line: 2, Column: 21}, Index: 0}
	second := func(column int, text string) ast.Name {
		return ast.Name{Pos: ast.Pos{Line: 2, Column: column}, Text: text}
	}
	want := &ast.Parsed{
		Statement: &ast.Select{
			Pos: at(0),
			Selectors: []ast.Selector{
				{Expression: &ast.Column{Name: name(7, "a")}},
				{Expression: &ast.Column{Name: ast.Name{Pos: at(10), Text: "b", Quoted: true}}, Alias: name(17, "c")},
			},
			From: ast.Qualified{Keyspace: second(6, "ks"), Name: second(9, "t")},
			Where: []ast.Relation{
				&ast.Comparison{Target: &ast.Column{Name: second(17, "k")}, Comparator: ast.Equal, Value: question},
				&ast.Comparison{
					Target: &ast.Element{
						Operand: &ast.Column{Name: second(27, "m")},
						Key:     &ast.Literal{Pos: ast.Pos{Line: 2, Column: 29}, Kind: ast.StringLiteral, Text: "x"},
					},
					Comparator: ast.Greater,
					Value:      y,
				},
			},
			Limit: &ast.Literal{Pos: ast.Pos{Line: 2, Column: 45}, Kind: ast.IntegerLiteral, Text: "5"},
		},
		Markers: []*ast.Marker{question, y},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got.Statement, want.Statement)
	}
}

// Columns count UTF-16 code units, as in Cassandra.
func TestParseColumnsBeyondASCII(t *testing.T) {
	check := func(text string, line, column int) {
		t.Helper()
		parsed := parse(t, text)
		if got, want := parsed.Markers[0].Pos, (ast.Pos{Line: line, Column: column}); got != want {
			t.Errorf("%q: marker at %v, want %v", text, got, want)
		}
	}
	check("SELECT 'x', ? FROM t", 1, 12)
	check("SELECT 'é€', ? FROM t", 1, 13)
	check("SELECT '😀', ? FROM t", 1, 13)
	check("SELECT 5µs, ? FROM t", 1, 12)
	check("SELECT /* 😀\n */ ? FROM t", 2, 4)
	check("SELECT '\r\n', ? FROM t", 2, 3)
}

func TestParseLiterals(t *testing.T) {
	check := func(text string, kind ast.LiteralKind, want string) {
		t.Helper()
		term, err := grammar.ParseTerm(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		got, ok := term.(*ast.Literal)
		if !ok || got.Kind != kind || got.Text != want {
			t.Errorf("%s: got %#v, want %s %q", text, term, kind, want)
		}
	}
	check(`'it''s "x"'`, ast.StringLiteral, `it's "x"`)
	check(`''`, ast.StringLiteral, "")
	check(`''''`, ast.StringLiteral, "'")
	check(`$$it''s $ $$`, ast.StringLiteral, "it''s $ ")
	check(`$$$$`, ast.StringLiteral, "")
	check("'a\nb -- c'", ast.StringLiteral, "a\nb -- c")
	check("'😀'", ast.StringLiteral, "😀")
	check("0", ast.IntegerLiteral, "0")
	check("-012", ast.IntegerLiteral, "-012")
	check("1.", ast.FloatLiteral, "1.")
	check("-1.5E+3", ast.FloatLiteral, "-1.5E+3")
	check("1e9", ast.FloatLiteral, "1e9")
	check("nan", ast.FloatLiteral, "NaN")
	check("-NAN", ast.FloatLiteral, "NaN")
	check("infinity", ast.FloatLiteral, "Infinity")
	check("-INFINITY", ast.FloatLiteral, "-Infinity")
	check("TRUE", ast.BooleanLiteral, "true")
	check("False", ast.BooleanLiteral, "false")
	check("DEADBEEF-dead-beef-dead-beefdeadbeef", ast.UUIDLiteral, "DEADBEEF-dead-beef-dead-beefdeadbeef")
	check("12345678-1234-1234-1234-123456789012", ast.UUIDLiteral, "12345678-1234-1234-1234-123456789012")
	check("0x", ast.BlobLiteral, "0x")
	check("0XCAfe1", ast.BlobLiteral, "0xCAfe1")
	check("1y2MO3w4d5h6m7s8ms9us10ns", ast.DurationLiteral, "1y2MO3w4d5h6m7s8ms9us10ns")
	check("-5µs", ast.DurationLiteral, "-5µs")
	check("P1Y2M", ast.DurationLiteral, "P1Y2M")
	check("-P1Y2M3DT4H5M6S", ast.DurationLiteral, "-P1Y2M3DT4H5M6S")
	check("PT5M", ast.DurationLiteral, "PT5M")
	check("P3W", ast.DurationLiteral, "P3W")
	check("P0001-02-03T04:05:06", ast.DurationLiteral, "P0001-02-03T04:05:06")
	check("null", ast.NullLiteral, "null")
}

// The print shows the structure: the first column of each case is what was written, the second what
// it means.
func TestParsePrint(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		if got := parse(t, text).String(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	check("select A, \"A\", \"a\", \"select\" from T;", `SELECT a, "A", "a", "select" FROM t`)
	check("SELECT json FROM t", "SELECT json FROM t")
	check("SELECT JSON json FROM t", "SELECT JSON json FROM t")
	check("SELECT json-a FROM t", "SELECT JSON - a FROM t")
	check("SELECT distinct.a FROM t", "SELECT distinct.a FROM t")
	check("SELECT count ( * ) FROM t", "SELECT COUNT(*) FROM t")
	check("SELECT TOKEN(a), expr (b), EXPR(c) FROM t", `SELECT token(a), expr (b), expr (c) FROM t`)
	check("SELECT -a.b, -1, - 1 FROM t", "SELECT - a.b, -1, - 1 FROM t")
	check("SELECT m[1..2], m[1...2], m[..2], m[1..] FROM t", "SELECT m[1 .. 2], m[1. .. 2], m[.. 2], m[1 ..] FROM t")
	check("SELECT ks.f(a).b, a.f, f(a)[0] FROM t", "SELECT ks.f(a).b, a.f, f(a)[0] FROM t")
	check("SELECT {a: 1}, {'a': b}, {} FROM t", "SELECT {a: 1}, {'a': b}, {} FROM t")
	check("SELECT * FROM t ORDER BY a ASC, b DESC", "SELECT * FROM t ORDER BY a, b DESC")
	check("SELECT * FROM t WHERE ((a = 1)) AND ((a,b) = (1,2))", "SELECT * FROM t WHERE a = 1 AND (a, b) = (1, 2)")
	check("UPDATE t SET a = a + 1, b = b - 1, c = c -1, d = [1] + d, e += 2, f['x'] = 1, g.h = 2 WHERE k = 1",
		"UPDATE t SET a += 1, b -= 1, c += -1, d = [1] + d, e += 2, f['x'] = 1, g.h = 2 WHERE k = 1")
	check("DELETE FROM t WHERE k = 1 IF EXISTS", "DELETE FROM t WHERE k = 1 IF EXISTS")
	check("BEGIN BATCH DELETE FROM t WHERE k = 1 DELETE FROM t WHERE k = 2; APPLY BATCH",
		"BEGIN BATCH DELETE FROM t WHERE k = 1; DELETE FROM t WHERE k = 2; APPLY BATCH")
	check("INSERT INTO t JSON ? DEFAULT NULL", "INSERT INTO t JSON ?")
	check("CREATE TABLE t (k int PRIMARY KEY, , v text)", "CREATE TABLE t (k int, v text, PRIMARY KEY (k))")
	check("CREATE TABLE t (a int, PRIMARY KEY ((a), b)) WITH x = ALL AND CLUSTERING ORDER BY (b DESC) AND COMPACT STORAGE",
		"CREATE TABLE t (a int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC) AND COMPACT STORAGE AND x = all")
	check("CREATE TABLE t (a int MASKED WITH DEFAULT)", "CREATE TABLE t (a int MASKED WITH system.mask_default())")
	check("CREATE USER Bob", "CREATE USER 'Bob'")
	check("CREATE ROLE Bob WITH LOGIN = TRUE", "CREATE ROLE bob WITH LOGIN = true")
	check("GRANT select permission, MODIFY, SELECT ON t TO \"R\"", "GRANT SELECT, MODIFY ON TABLE t TO 'R'")
	check("DESC tables", "DESCRIBE TABLES")
	check("DESC \"tables\"", `DESCRIBE "tables"`)
}

// Run alone and with -race, this also builds the shared caches of ANTLR concurrently.
func TestParseConcurrently(t *testing.T) {
	statements := corpus(t)
	results := make([][]string, 8)
	var running sync.WaitGroup
	for worker := range results {
		running.Go(func() {
			got := make([]string, len(statements))
			for n := range statements {
				i := (n + worker*31) % len(statements)
				if parsed, err := grammar.Parse(statements[i]); err == nil {
					got[i] = parsed.String()
				}
				if _, err := grammar.Parse(statements[i] + "\n("); err == nil {
					t.Errorf("%q is accepted with a parenthesis after it", statements[i])
				}
			}
			results[worker] = got
		})
	}
	running.Wait()
	for i, text := range statements {
		for _, got := range results {
			if got[i] == "" || got[i] != results[0][i] {
				t.Errorf("%q: got %q and %q", text, results[0][i], got[i])
			}
		}
	}
}

func TestParseType(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		got, err := grammar.ParseType(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
	fails := func(text, want string) {
		t.Helper()
		got, err := grammar.ParseType(text)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
	check("INT", "int")
	check("varchar", "varchar")
	check("Map<Text, FROZEN<List<KS.\"U\">>>", `map<text, frozen<list<ks."U">>>`)
	check("tuple<int,tuple<text>>", "tuple<int, tuple<text>>")
	check("vector<float, 128>", "vector<float, 128>")
	check("'org.apache.cassandra.db.marshal.Int32Type'", "'org.apache.cassandra.db.marshal.Int32Type'")
	check("list", "list")
	check("int.key", "int.key")
	fails("", "line 1:0 no viable alternative at input '<EOF>'")
	fails("list<int", "line 1:8 mismatched input '<EOF>' expecting '>'")
	fails("int int", "line 1:4 mismatched input 'int' expecting EOF (int [int])")
	fails("frozen<int>", "frozen<> is only allowed on collections, tuples, and user-defined types (got int)")
	fails("frozen<'x'>", "frozen<> is only allowed on collections, tuples, and user-defined types (got 'x')")
	fails("list<Byte>", "Invalid (reserved) user type name byte")
	fails("vector<int, 3000000000>", "vector dimension 3000000000 is out of range")
}

func TestParseTerm(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		got, err := grammar.ParseTerm(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
	check("{a: 1, \"B\": (?, :X)}", `{a: 1, "B": (?, :x)}`)
	check("[1,[2]]", "[1, [2]]")
	check(" (int)(bigint) 3 /* x */ ", "(int)(bigint)3")
	if _, err := grammar.ParseTerm("a"); err == nil || err.Error() != "line 1:1 no viable alternative at input '<EOF>'" {
		t.Errorf("a column as a term: %v", err)
	}
	if _, err := grammar.ParseTerm("1; 2"); err == nil {
		t.Error("a semicolon after a term is accepted")
	}
}

// shape shows how terms nest.
func shape(t ast.Term) string {
	switch t := t.(type) {
	case *ast.Binary:
		return "(" + shape(t.Left) + string(t.Operator) + shape(t.Right) + ")"
	case *ast.Negate:
		return "neg " + shape(t.Operand)
	case *ast.TypeHint:
		return "hint " + shape(t.Operand)
	case *ast.Field:
		return "field(" + shape(t.Operand) + " " + t.Name.Text + ")"
	case *ast.Tuple:
		parts := make([]string, len(t.Elements))
		for i, element := range t.Elements {
			parts[i] = shape(element)
		}
		return "tuple[" + strings.Join(parts, " ") + "]"
	}
	return t.String()
}

func TestParseOperators(t *testing.T) {
	term := func(text, want string) {
		t.Helper()
		got, err := grammar.ParseTerm(text)
		if err != nil || shape(got) != want {
			t.Errorf("%s: got %v, %v, want %s", text, shape(got), err, want)
		}
	}
	selector := func(text, want string) {
		t.Helper()
		got := shape(parse(t, "SELECT "+text+" FROM t").Statement.(*ast.Select).Selectors[0].Expression)
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	term("1 + 2 + 3", "((1+2)+3)")
	term("1 - 2 * 3 - 4", "((1-(2*3))-4)")
	term("1 * 2 / 3 % 4", "(((1*2)/3)%4)")
	term("1 + 2 * 3 * 4 + 5", "((1+((2*3)*4))+5)")
	term("- 1 * - 2", "(neg 1*neg 2)")
	term("- infinity", "neg Infinity")
	term("-infinity", "-Infinity")
	term("-now()", "neg now()")
	term("(1 + 2) * 3", "(tuple[(1+2)]*3)")
	term("(int) 1 + 2", "(hint 1+2)")
	term("('a') - 1", "(tuple['a']-1)")
	term("('a') 1", "hint 1")
	term("1 - -2", "(1--2)")
	selector("a + b * c", "(a+(b*c))")
	selector("-a.b * c", "(neg field(a b)*c)")
	selector("(int) a.b", "field(hint a b)")
	selector("a-nano", "(a-nano)")
	selector("a-nan_", "(a-nan_)")
	selector("(float) -infinity", "hint -Infinity")
	selector("(a) -b", "(tuple[a]-b)")
	selector("(a) - b", "(tuple[a]-b)")
	selector("(a) b", "hint b")
	selector("(a).b.c", "field(field(tuple[a] b) c)")
}

func TestUsing(t *testing.T) {
	using := parse(t, "INSERT INTO t (a) VALUES (1) USING TTL 1 AND TIMESTAMP ? AND TTL 2").Statement.(*ast.Insert).Using
	if got := using.TTL().String(); got != "2" {
		t.Errorf("TTL is %s, want the last one, 2", got)
	}
	if _, ok := using.Timestamp().(*ast.Marker); !ok {
		t.Errorf("timestamp is %v, want a marker", using.Timestamp())
	}
	if using = nil; using.TTL() != nil || using.Timestamp() != nil {
		t.Error("options that are not there are not nil")
	}
}
