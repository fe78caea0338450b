package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// TestPlans plans the statements in testdata/plan and compares the printed plans. Directives:
//
//	schema    statements that change the schema, one on each line
//	plan      a statement, and its plan or the error; the current keyspace is ks
//	markers   a statement, and its bind markers with which of them are the partition key
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		s := newSchema(t, "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				for text := range strings.Lines(d.Input) {
					s = change(t, s, text)
				}
				return "ok\n"
			case "plan":
				return describe(s, d.Input, func(p plan.Plan) string { return p.String() })
			case "markers":
				return describe(s, d.Input, markers)
			default:
				t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
				return ""
			}
		})
	})
}

func describe(s *schema.Schema, text string, print func(plan.Plan) string) string {
	parsed, err := grammar.Parse(text)
	if err != nil {
		return "syntax error: " + err.Error() + "\n"
	}
	p, err := plan.Make(s, "ks", parsed)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return print(p) + "\n"
}

func markers(p plan.Plan) string {
	var out []string
	for _, m := range p.Markers() {
		out = append(out, m.Name+" "+m.Type.String())
	}
	if key := plan.PartitionKeyMarkers(p); key != nil {
		for _, i := range key {
			out = append(out, "partition key: "+out[i])
		}
	}
	return strings.Join(out, "\n")
}

func newSchema(t testing.TB, statements ...string) *schema.Schema {
	t.Helper()
	s := schema.Empty()
	for _, text := range statements {
		s = change(t, s, text)
	}
	return s
}

func change(t testing.TB, s *schema.Schema, text string) *schema.Schema {
	t.Helper()
	parsed, err := grammar.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	id := cqltype.UUID{byte(s.Epoch), 1}
	next, _, err := metadata.Apply(s, metadata.Change{Keyspace: "ks", Statement: parsed.Statement, TableID: id, Timestamp: 1})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return next
}

// inbox is a schema with a table of every kind of column.
func inbox(t testing.TB) *schema.Schema {
	return newSchema(t,
		"CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TYPE address (street text, number int)",
		"CREATE TABLE t (k int, c int, d text, s int static, v int, w text, l list<int>, e set<text>, m map<text, int>, "+
			"u address, f frozen<list<int>>, x vector<float, 2>, PRIMARY KEY (k, c, d))",
		"CREATE TABLE term_index (user_id text, word text, sent_at timestamp, message_id text, "+
			"PRIMARY KEY ((user_id), word, sent_at, message_id)) WITH CLUSTERING ORDER BY (word ASC, sent_at DESC, message_id ASC)")
}

// FuzzMake plans whatever parses, and carries modifications out with null for every bind marker. Only errors
// of package schema may come back, and nothing may panic.
func FuzzMake(f *testing.F) {
	for _, text := range []string{
		"SELECT * FROM t WHERE k = 1 AND (c, d) > (1, 'a') AND c < 5 ORDER BY c DESC LIMIT 3",
		"SELECT DISTINCT k, s FROM t WHERE token(k) > token(?) ALLOW FILTERING",
		"SELECT count(*), avg(v), u.street AS x, ttl(w), writetime(v) FROM t WHERE k IN (1, 2) AND c IN ? AND m['a'] = 1",
		"INSERT INTO t (k, c, d, l, e, m, u, x) VALUES (1, 2, 'a', [1, ?], {'x'}, {'a': 1}, {street: 'y'}, [1, 2]) USING TTL ? AND TIMESTAMP 5",
		"UPDATE t SET l = l + [1], l[0] = 2, m['a'] = null, u.number = 5, s = 3, e = e - {'x'} WHERE k = 1 AND c = 2 AND d = 'e'",
		"DELETE v, m['a'], u.street FROM t WHERE k = 1 AND c = 2 AND d IN ('a', :b)",
		"BEGIN UNLOGGED BATCH USING TIMESTAMP ? INSERT INTO t (k, s) VALUES (1, 2); DELETE FROM t WHERE k = ?; APPLY BATCH",
		"SELECT JSON max(v + 1) * 2, now(), CAST(v AS text), m['a'], m['a'..'b'], u.street, (int) ? FROM t GROUP BY k, c LIMIT 1 + 1",
		"SELECT abs(-v) / 2.5, to_json(m), map_keys(m), similarity_cosine(x, [1, 2]), mask_inner(d, 1, 1), [v, 1], (k, c) FROM t WHERE k = 1 + 1",
		"INSERT INTO t JSON '{\"k\": 1, \"c\": 2, \"d\": \"x\", \"l\": [1], \"m\": {\"a\": 1}}' DEFAULT UNSET",
		"UPDATE t SET v = blob_as_int(?) + 1, l = from_json('[1, 2]') WHERE k = abs(-5) AND c = 5 % 3 AND d = 'a' + 'b'",
		"UPDATE t SET v = ?, l[0] = 2 WHERE k = 1 AND c = 2 AND d = 'e' IF v != ? AND l[?] >= 2 AND m['a'] IN (1, ?) AND u.street IN ? AND s = null",
		"INSERT INTO t (k, c, d, v) VALUES (1, 2, 'a', 3) IF NOT EXISTS USING TTL 5",
		"DELETE FROM t WHERE k = 1 AND c IN (1) AND d = ? IF e CONTAINS 'x' AND m CONTAINS KEY ? AND f > [1] AND x = [1, 2]",
		"BEGIN BATCH DELETE s FROM t WHERE k = 1 IF s = 1 AND l = []; DELETE FROM t WHERE k = 1 AND c > 5; APPLY BATCH",
		"EXPLAIN SELECT k FROM t WHERE (c, d) IN ((1, 'a'), ?) AND k = ?",
	} {
		f.Add(text)
	}
	s := inbox(f)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := grammar.Parse(text)
		if err != nil {
			return
		}
		p, err := plan.Make(s, "ks", parsed)
		if err != nil {
			checkError(t, err)
			return
		}
		_ = p.String()
		source := &plan.Source{Ticks: func(int) int64 { return 1 }}
		binding := &plan.Binding{Values: make([]plan.Value, len(p.Markers())), Source: source, Row: &plan.Row{}}
		switch p := p.(type) {
		case *plan.Select:
			if _, _, err := p.Limits(binding); err != nil {
				checkError(t, err)
			}
			if _, err := p.Where.Slices(binding); err != nil {
				checkError(t, err)
			}
			if _, err := p.Where.Filter(binding); err != nil {
				checkError(t, err)
			}
			evaluate(t, p, binding)
		case *plan.Batch:
			if p.IsConditional() {
				decide(t, p.Statements, binding, source)
			}
		case *plan.Modify:
			if p.IsConditional() {
				decide(t, []*plan.Modify{p}, binding, source)
				return
			}
			if err := p.Build(binding, source, &discard{}); err != nil {
				checkError(t, err)
			}
		}
	})
}

// decide decides about a transaction on a partition that is not there.
func decide(t *testing.T, list []*plan.Modify, b *plan.Binding, s *plan.Source) {
	steps := make([]plan.Step, len(list))
	for i, m := range list {
		steps[i] = plan.Step{Modify: m, Binding: b}
	}
	transaction, err := plan.NewTransaction(steps, len(list) > 1, s)
	if err != nil {
		checkError(t, err)
		return
	}
	_ = transaction.Read()
	if _, err := transaction.Decide(nothing{}, 1); err != nil {
		checkError(t, err)
	}
	if err := transaction.Refused(func(*plan.Row) error { return errors.New("there is a row") }); err != nil {
		t.Error(err)
	}
}

// nothing is a partition without rows.
type nothing struct{}

func (nothing) Next() bool            { return false }
func (nothing) Clustering() []byte    { return nil }
func (nothing) Row() *row.Fragment    { return nil }
func (nothing) Static() *row.Fragment { return nil }
func (nothing) Err() error            { return nil }

// evaluate computes the selectors for a row in which everything is null.
func evaluate(t *testing.T, p *plan.Select, b *plan.Binding) {
	b.Row.Partition = make([][]byte, len(p.Table.Partition))
	if p.Aggregate {
		if err := p.NewAggregation(b).Add(b); err != nil {
			checkError(t, err)
		}
	}
	for i := range p.Selectors {
		if _, _, err := p.Selectors[i].Append(nil, b); err != nil {
			checkError(t, err)
		}
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var (
		invalid *schema.InvalidRequestError
		failed  *schema.FunctionFailedError
	)
	if !errors.As(err, &invalid) && !errors.As(err, &failed) {
		t.Errorf("%T: %v", err, err)
	}
}
