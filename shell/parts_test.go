package shell

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestDescribeNames(t *testing.T) {
	address := serve(t)
	got, err := runShell(t.Context(), "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};"+
		"CREATE TABLE ks.a (k int PRIMARY KEY); CREATE TABLE ks.b (k int PRIMARY KEY); DESC TABLES; DESC KEYSPACES", address)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"\nKeyspace ks\n-----------\na  b\n\nKeyspace system\n---------------\n", "\n\nks  system"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwithout %q", got, want)
		}
	}
}

// The wanted lines are what Python's cmd.Cmd.columnize prints.
func TestColumnize(t *testing.T) {
	check := func(want string, names ...string) {
		t.Helper()
		var out strings.Builder
		s := &shell{printer: printer{out: &out}}
		s.columnize(names)
		if out.String() != want {
			t.Errorf("%q: got %q, want %q", names, out.String(), want)
		}
	}
	check("<empty>\n")
	check("one\n", "one")
	check("a  bb  c\n", "a", "bb", "c")
	long := strings.Repeat("x", 75)
	check(long+"  b\na"+strings.Repeat(" ", 74)+"  c\n", long, "a", "b", "c")
	longer := strings.Repeat("x", 81)
	check(longer+"\na\n", longer, "a")
}

// The wanted texts are how cqlsh prints the driver's errors, except where a comment says otherwise.
func TestErrorTexts(t *testing.T) {
	check := func(err error, want string) {
		t.Helper()
		if got := describeError(err, time.Second); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(&frame.Error{Code: frame.ErrorSyntax, Message: "line 1:0 no"}, "SyntaxException: line 1:0 no")
	check(&frame.Error{Code: frame.ErrorInvalid, Message: "no"}, `InvalidRequest: Error from server: code=2200 [Invalid query] message="no"`)
	check(&frame.Error{Code: frame.ErrorUnauthorized, Message: "no"}, `Unauthorized: Error from server: code=2100 [Unauthorized] message="no"`)
	check(&frame.Error{Code: frame.ErrorConfig, Message: "no"}, "ConfigurationException: no")
	check(&frame.Error{Code: frame.ErrorServer, Message: "no"}, "ServerError: no")
	check(&frame.Error{Code: frame.ErrorTruncate, Message: "no"}, "TruncateError: no")
	check(&frame.Error{Code: frame.ErrorAlreadyExists, Keyspace: "ks"}, "AlreadyExists: Keyspace 'ks' already exists")
	check(&frame.Error{Code: frame.ErrorAlreadyExists, Keyspace: "ks", Name: "t"}, "AlreadyExists: Table 'ks.t' already exists")
	check(&frame.Error{Code: frame.ErrorUnavailable, Message: "no", Consistency: consistency.Quorum, Required: 2, Alive: 1},
		`Unavailable: Error from server: code=1000 [Unavailable exception] message="no" info={'consistency': 'QUORUM', 'required_replicas': 2, 'alive_replicas': 1}`)
	check(&frame.Error{Code: frame.ErrorWriteTimeout, Message: "no", Consistency: consistency.One, BlockFor: 1, WriteType: frame.WriteSimple},
		`WriteTimeout: Error from server: code=1100 [Coordinator node timed out waiting for replica nodes' responses] message="no" `+
			`info={'consistency': 'ONE', 'required_responses': 1, 'received_responses': 0, 'write_type': 'SIMPLE'}`)
	check(&frame.Error{Code: frame.ErrorReadFailure, Message: "no", Consistency: consistency.One, BlockFor: 1, NumFailures: 1,
		Failures: []frame.Failure{{Node: netip.MustParseAddr("127.0.0.1"), Reason: frame.FailureTooManyTombstones}}},
		`ReadFailure: Error from server: code=1300 [Replica(s) failed to execute read] message="no" `+
			`info={'consistency': 'ONE', 'required_responses': 1, 'received_responses': 0, 'failures': 1, 'error_code_map': {'127.0.0.1': '0x0001'}}`)
	check(&frame.Error{Code: 0x7777, Message: "no"}, `ErrorMessage: Error from server: code=7777 [Unknown] message="no"`)

	// The driver's words for these speak of the driver.
	check(context.DeadlineExceeded, "OperationTimedOut: no answer within 1s (see --request-timeout); the server may still carry out the statement")
	check(context.Canceled, "Canceled: the statement was given up; the server may still carry it out")
	check(errors.New("broken pipe"), "ConnectionError: broken pipe")
}

func TestWidths(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "größer": 6, "日本": 4, "e\u0301": 1, "ﾊ": 1, "Ａ": 2} {
		if got := (cell{text: text}).width(); got != want {
			t.Errorf("%q is %d wide, want %d", text, got, want)
		}
	}
}

func TestColors(t *testing.T) {
	var out strings.Builder
	p := &printer{out: &out, colors: true, terminal: true}
	columns := []column{{"k", cqltype.TypeInt}, {"text", cqltype.TypeText}}
	r := &result{printer: p}
	r.page(columns, [][]cell{p.values(columns, [][]byte{{0, 0, 0, 7}, nil})})
	r.end()
	want := "\n " + magenta + "k" + plain + " | " + magenta + "text" + plain + "\n---+------\n " +
		green + "7" + plain + " | " + red + "null" + plain + "\n\n(1 rows)\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// A trace as cqlsh prints it, but for the times of a fixed zone.
func TestTraceTable(t *testing.T) {
	text := func(s string) field { return field{cqltype.TypeText, []byte(s)} }
	encoded := func(typ *cqltype.Type, v any) field {
		b, err := typ.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		return field{typ, b}
	}
	began := time.Date(2024, 1, 1, 12, 0, 0, 5e6, time.Local)
	source := encoded(cqltype.TypeInet, "127.0.0.1")
	session := record{"request": text("Execute CQL3 query"), "started_at": encoded(cqltype.TypeTimestamp, began),
		"coordinator": source, "duration": encoded(cqltype.TypeInt, 1500), "client": source}
	events := []record{{"activity": text("Parsing"), "thread": text("main"), "source": source,
		"source_elapsed": encoded(cqltype.TypeInt, 120)}, {"activity": text("Early"), "thread": text("x"), "source": source}}
	var out strings.Builder
	s := &shell{printer: printer{out: &out}}
	s.printTrace("50554d6e-29bb-11e5-b345-feff819cdc9f", session, events)
	for _, want := range []string{
		"\nTracing session: 50554d6e-29bb-11e5-b345-feff819cdc9f\n\n activity           | timestamp                  | source    | source_elapsed | client\n" +
			"--------------------+----------------------------+-----------+----------------+-----------\n" +
			" Execute CQL3 query | 2024-01-01 12:00:00.005000 | 127.0.0.1 |              0 | 127.0.0.1\n",
		"     Parsing [main] |",
		"          Early [x] |",
		"   Request complete | 2024-01-01 12:00:00.006500 | 127.0.0.1 |           1500 | 127.0.0.1\n\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwithout\n%s", &out, want)
		}
	}
}

// Line ends in a traced request are escaped once.
func TestTraceOfLines(t *testing.T) {
	var out strings.Builder
	s := &shell{printer: printer{out: &out}}
	s.printTrace("50554d6e-29bb-11e5-b345-feff819cdc9f", record{"request": field{cqltype.TypeText, []byte("SELECT\nx")},
		"started_at": field{cqltype.TypeTimestamp, nil}, "coordinator": field{cqltype.TypeInet, nil}}, nil)
	if want := `SELECT\nx |`; !strings.Contains(out.String(), want) {
		t.Errorf("got\n%s\nwithout %s", &out, want)
	}
}

// A comment may end with a carriage return alone.
func TestFirstWord(t *testing.T) {
	for text, want := range map[string]string{"-- a\rPAGING\nx": "PAGING", "// a\r\n b": "b", "/* a\r*/ ?x": "?", "-- a": "", "/* a": ""} {
		if got := firstWord(text); got != want {
			t.Errorf("%q begins with %q, want %q", text, got, want)
		}
	}
}

// Commands end with their line; statements are told where they begin.
func TestCommandsEndWithLine(t *testing.T) {
	list := newStatements(strings.NewReader("\nPAGING\n\n -- DESC\nSELECT\n1; desc a\n/* x */ desc /* \n */ b -- c\n desc c; desc 'd\ne'\nSELECT 2"))
	list.endsWithLine = func(word string) bool { return strings.EqualFold(word, "desc") || word == "PAGING" }
	var got []string
	var lines []int
	for {
		statement, err := list.next()
		if err != nil {
			break
		}
		got = append(got, statement)
		lines = append(lines, list.began)
	}
	want := []string{"PAGING", "-- DESC\nSELECT\n1;", "desc a", "/* x */ desc /* \n */ b -- c", "desc c;", "desc 'd\ne'", "SELECT 2"}
	if !slices.Equal(got, want) || !slices.Equal(lines, []int{2, 5, 6, 7, 9, 9, 11}) {
		t.Errorf("got %q in lines %v, want %q", got, lines, want)
	}
}

func TestSplitWords(t *testing.T) {
	check := func(text string, want ...string) {
		t.Helper()
		if got := splitWords(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	check("a b;", "a", "b")
	check(" /* x */ SOURCE 'it''s; one' -- c", "SOURCE", "'it''s; one'")
	check(`LOGIN "A b"'c'; d`, "LOGIN", `"A b"`, "'c'")
	check("a 'open", "a", "'open")
	check(";")
	for word, want := range map[string]string{"'it''s'": "it's", `"a""b"`: `a"b`, "plain": "plain", "'": "'"} {
		if got := unquoted(word); got != want {
			t.Errorf("%s stands for %q, want %q", word, got, want)
		}
	}
}

// Whatever is typed, words are found without a fault, and a command has its own name as the first.
func TestSplitWordsProperty(t *testing.T) {
	s := &shell{}
	piece := rapid.SampledFrom([]string{"DESC", "?", "PAGING", " ", "\n", ";", "'", "''", `"`, "--", "//", "/*", "*/", "é", "\v", "a"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		words := splitWords(text)
		for _, w := range words {
			if w == "" {
				t.Fatalf("%q has an empty word: %q", text, words)
			}
		}
		if first := firstWord(text); s.isCommand(first) && (len(words) == 0 || !strings.HasPrefix(words[0], first)) {
			t.Fatalf("%q begins with %q, its words are %q", text, first, words)
		}
	})
}

func TestGivenUp(t *testing.T) {
	address := serve(t)
	s, out := connected(t, address, "system")
	s.timeout = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.run(ctx, "SELECT key FROM local;")
	s.run(t.Context(), "SELECT key FROM local;")
	if got := out.String(); !strings.HasPrefix(got, "Canceled: the statement was given up") || !strings.HasSuffix(got, "(1 rows)\n") {
		t.Errorf("got %s, want a statement given up and a result", got)
	}
}
