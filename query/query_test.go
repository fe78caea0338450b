package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// newSession opens an engine in a temporary directory and returns a session in keyspace ks with the tables that
// the statements make.
func newSession(t testing.TB, opts Options, statements ...string) *Session {
	t.Helper()
	var log *metadata.Log
	engine, err := storage.Open(storage.Options{Dir: t.TempDir(), Memory: 64 << 20, Tables: func(incarnation uint32) (storage.Table, bool) {
		if log == nil || log.Schema().TableOf(incarnation) == nil {
			return storage.Table{}, false
		}
		s := log.Schema().TableOf(incarnation)
		return storage.Table{Name: s.String(), HasColumn: func(id uint32) bool { return s.ColumnByID(id) != nil }}, true
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	if log, err = metadata.Open(engine, metadata.Options{}); err != nil {
		t.Fatal(err)
	}
	tables, err := system.New(system.Node{}, system.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := coordinator.NewAlone(ring.Endpoint{Datacenter: "datacenter1", Tokens: []ring.Token{0}})
	if err != nil {
		t.Fatal(err)
	}
	s := New(log, coordinator.New(engine, alone, coordinator.Options{}), tables, opts).NewSession()
	for _, text := range append([]string{
		"CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks"}, statements...) {
		execute(t, s, text)
	}
	return s
}

func execute(t testing.TB, s *Session, text string, values ...plan.Value) *Result {
	t.Helper()
	result, err := s.Execute(context.Background(), text, &Parameters{Consistency: consistency.One, Values: values})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return result
}

func prepare(t testing.TB, s *Session, text string) *Prepared {
	t.Helper()
	p, err := s.Prepare(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func number(n int) plan.Value {
	b, _, err := cqltype.TypeInt.AppendEncode(nil, n)
	if err != nil {
		panic(err) // an int is one
	}
	return plan.Value{Bytes: b}
}

// Rows are encoded as the protocol sends them, and null takes no bytes whatever its type.
func TestRowsOfNulls(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TYPE u (a int)",
		"CREATE TABLE t (k int PRIMARY KEY, l list<int>, m map<int, int>, e set<int>, u u, v int)",
		"INSERT INTO t (k) VALUES (1)")
	rows := execute(t, s, "SELECT l, m, e, u, v, u.a FROM t").Rows
	if want := bytes.Repeat([]byte{0xFF}, 6*4); rows.Count != 1 || !bytes.Equal(rows.Data, want) {
		t.Errorf("%d rows: %x", rows.Count, rows.Data)
	}
}

// A statement is parsed once, and planned once for each epoch of the schema.
func TestPlansAreKept(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY)")
	const text = "SELECT * FROM t"
	columns := func() int { return len(execute(t, s, text).Rows.Columns) }
	if n := columns(); n != 1 {
		t.Fatalf("%d columns", n)
	}
	kept := s.executor.cache.get("ks", text)
	before := kept.planned.Load()
	if columns(); kept.planned.Load() != before {
		t.Error("planned again without need")
	}
	execute(t, s, "ALTER TABLE t ADD v int")
	if n := columns(); n != 2 {
		t.Errorf("%d columns after ALTER TABLE", n)
	}
	if s.executor.cache.get("ks", text) != kept {
		t.Error("parsed again")
	}
	execute(t, s, "DROP TABLE t")
	if _, err := s.Execute(context.Background(), text, &Parameters{Consistency: consistency.One}); err == nil || err.Error() != "table t does not exist" {
		t.Errorf("after DROP TABLE: %v", err)
	}
}

// The cache stays within its bound, and keeps what was used last.
func TestCacheIsBounded(t *testing.T) {
	const limit = 64 << 10
	c := newCache(limit)
	name := func(i int) string { return fmt.Sprintf("SELECT %d", i) }
	c.put("", "often", &statement{parsed: &ast.Parsed{}})
	for i := range 1000 {
		c.put("", name(i), &statement{parsed: &ast.Parsed{}})
		if c.get("", "often") == nil {
			t.Fatalf("the statement that is used all the time was dropped after %d others", i+1)
		}
		if c.size > limit {
			t.Fatalf("%d bytes after %d statements", c.size, i+1)
		}
	}
	if c.get("", name(0)) != nil || c.get("", name(999)) == nil {
		t.Error("the oldest should be gone, and the newest there")
	}
	long := strings.Repeat("x", limit)
	if c.put("", long, &statement{}); c.get("", long) != nil {
		t.Error("one statement takes the whole cache")
	}
}

// What a page ends with is all that the next page needs.
func TestPagesOfAnySize(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int, c int, v int static, PRIMARY KEY (k, c))")
	for i := range 60 {
		execute(t, s, "INSERT INTO t (k, c) VALUES (?, ?)", number(i%4), number(i))
	}
	execute(t, s, "INSERT INTO t (k, v) VALUES (9, 9)") // a partition without rows
	for _, text := range []string{"SELECT * FROM t", "SELECT * FROM t WHERE k = 1 ORDER BY c DESC", "SELECT * FROM t WHERE k IN (0, 3)",
		"SELECT * FROM t LIMIT 17", "SELECT * FROM t PER PARTITION LIMIT 5", "SELECT DISTINCT k, v FROM t",
		"SELECT * FROM t WHERE k = 2 AND c IN (2, 6, 7, 30, 58)", "SELECT * FROM t WHERE c > 9 AND c < 40 ALLOW FILTERING"} {
		want := execute(t, s, text).Rows
		for page := 1; page < 9; page++ {
			parameters := &Parameters{Consistency: consistency.One, PageSize: page}
			got, count := []byte(nil), 0
			for {
				result, err := s.Execute(context.Background(), text, parameters)
				if err != nil {
					t.Fatal(err)
				}
				if result.Rows.Count > page {
					t.Fatalf("%s: %d rows in a page of %d", text, result.Rows.Count, page)
				}
				got, count = append(got, result.Rows.Data...), count+result.Rows.Count
				if parameters.PagingState = result.Rows.PagingState; parameters.PagingState == nil {
					break
				}
			}
			if count != want.Count || !bytes.Equal(got, want.Data) {
				t.Errorf("%s in pages of %d: %d rows, want %d", text, page, count, want.Count)
			}
		}
	}
}

func TestDamagedPagingState(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY)", "INSERT INTO t (k) VALUES (1)", "INSERT INTO t (k) VALUES (2)")
	result, err := s.Execute(context.Background(), "SELECT k FROM t", &Parameters{Consistency: consistency.One, PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range result.Rows.PagingState {
		state := bytes.Clone(result.Rows.PagingState)
		state[i] ^= 0x10
		_, err := s.Execute(context.Background(), "SELECT k FROM t", &Parameters{Consistency: consistency.One, PageSize: 1, PagingState: state})
		var invalid *schema.InvalidRequestError
		if !errors.As(err, &invalid) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func FuzzDecodePosition(f *testing.F) {
	f.Add((&position{partition: []byte{1, 2}, clustering: []byte{3}, limitLeft: -1}).encode())
	f.Add((&position{partition: []byte{1, 2}, limitLeft: 7, partitionLeft: 3}).encode())
	f.Fuzz(func(t *testing.T, state []byte) {
		p, ok := decodePosition(state)
		if ok && !bytes.Equal(p.encode(), state) {
			t.Errorf("%x became %x", state, p.encode())
		}
	})
}

// A value that is not one of the marker's type is refused before anything is done.
func TestBadValues(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v text)")
	p := prepare(t, s, "INSERT INTO t (k, v) VALUES (?, ?)")
	check := func(want string, values ...plan.Value) {
		t.Helper()
		_, err := s.ExecutePrepared(context.Background(), p, &Parameters{Values: values})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	check("Expected 4 or 0 byte int (3)", plan.Value{Bytes: []byte{1, 2, 3}}, plan.Value{})
	check("String didn't validate.", number(1), plan.Value{Bytes: []byte{0xFF}})
	check("there were 2 markers(?) in CQL but 1 bound variables", number(1))
	check("Invalid null value in condition for column k", plan.Value{}, plan.Value{})
	if rows := execute(t, s, "SELECT k FROM t").Rows; rows.Count != 0 {
		t.Errorf("%d rows were written", rows.Count)
	}
}

// FuzzExecute runs whatever parses: errors may come back, but nothing may panic.
func FuzzExecute(f *testing.F) {
	for _, text := range []string{
		"SELECT * FROM t WHERE k = 1 AND c > 2 ORDER BY c DESC LIMIT 3",
		"UPDATE t SET l = l - [1], l[0] = 2, m['a'] = null, s = 3 WHERE k = 1 AND c = 2",
		"SELECT avg(v), max(l), count(s) FROM t WHERE k IN (1, 2) AND (c) < (9)",
		"DELETE FROM t WHERE k = 1 AND c > 3", "DELETE l[0] FROM t WHERE k = 1 AND c = 1",
		"BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 2) USING TTL 5; DELETE FROM t WHERE k = 1; APPLY BATCH",
	} {
		f.Add(text)
	}
	s := newSession(f, Options{}, "CREATE TABLE t (k int, c int, s int static, v int, l list<int>, m map<text, int>, PRIMARY KEY (k, c))",
		"INSERT INTO t (k, c, s, v, l, m) VALUES (1, 1, 2, 3, [4, 5], {'a': 6})", "INSERT INTO t (k, c, v) VALUES (1, 2, 7)")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := grammar.Parse(text)
		if err != nil {
			return
		}
		switch parsed.Statement.(type) {
		case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Batch:
			values := make([]plan.Value, len(parsed.Markers))
			_, err := s.Execute(context.Background(), text, &Parameters{Consistency: consistency.One, Values: values, PageSize: 2})
			var corrupt *storage.CorruptError
			if errors.As(err, &corrupt) {
				t.Error(err)
			}
		}
	})
}
