package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/trace"
)

// keyValue creates the table t with an int key and a text value.
func keyValue(t testing.TB) *node.Session {
	t.Helper()
	s := newSession(t)
	exec(t, s, "CREATE TABLE t (k int PRIMARY KEY, v text)")
	return s
}

func TestValuesThatDoNotFit(t *testing.T) {
	s := keyValue(t)
	const insert = "INSERT INTO t (k, v) VALUES (?, ?)"
	check := func(want string, values ...any) {
		t.Helper()
		err := s.Query(insert, values...).Exec(t.Context())
		checkError(t, err, want)
		var invalid *schema.InvalidRequestError
		if !errors.As(err, &invalid) {
			t.Errorf("%v is a %T, want an InvalidRequestError", err, err)
		}
		checkError(t, s.Batch().AddText(insert, 0, "ok").AddText(insert, values...).Exec(t.Context()), "statement 2 of the batch: "+want)
	}
	check("there were 2 markers(?) in CQL but 0 bound variables")
	check("there were 2 markers(?) in CQL but 1 bound variables", 1)
	check("there were 2 markers(?) in CQL but 3 bound variables", 1, "a", "b")
	check("value 1 (k): cannot encode string as int", "1", "a")
	check("value 1 (k): 4294967296 is out of the range", int64(1)<<32, "a")
	check("value 2 (v): cannot encode float64 as text", 1, 1.5)
	check("value 2 (v): cannot encode struct {} as text", 1, struct{}{})
	check("value 2 (v): cannot encode []string as text", 1, []string{"a"})
	if n := countRows(t, s.Query("SELECT v FROM t")); n != 0 {
		t.Errorf("%d rows were written", n)
	}
	checkError(t, s.Query("SELECT v FROM t WHERE k = 1", 5).Exec(t.Context()), "there were 0 markers(?) in CQL but 1 bound variables")
}

func TestNamedValues(t *testing.T) {
	s := keyValue(t)
	const insert = "INSERT INTO t (v, k) VALUES (:value, :key)"
	exec(t, s, insert, node.Named{Name: "key", Value: 1}, node.Named{Name: "value", Value: "a"})
	exec(t, s, insert, "b", 2) // in order is allowed too
	checkTexts(t, s.Query("SELECT v FROM t WHERE k = :k", node.Named{Name: "k", Value: 1}), "a")
	checkTexts(t, s.Query("SELECT v FROM t WHERE k = :k", 2), "b")
	exec(t, s, "UPDATE t SET v = :same WHERE k IN (1, 2)", node.Named{Name: "same", Value: "c"})
	checkTexts(t, s.Query("SELECT v FROM t"), "c c")

	check := func(want string, values ...any) {
		t.Helper()
		checkError(t, s.Query(insert, values...).Exec(t.Context()), want)
	}
	key, value := node.Named{Name: "key", Value: 1}, node.Named{Name: "value", Value: "a"}
	check("no value was given for bind marker :value", key)
	check("there is no bind marker :other", key, value, node.Named{Name: "other"})
	check("named values and values in order cannot be mixed", key, "a")
	check("named values and values in order cannot be mixed", "a", key)
	check("two values were given for bind marker :key", key, key, value)
}

func TestOneMarkerNameTwice(t *testing.T) {
	s := newSession(t)
	exec(t, s, "CREATE TABLE pairs (a int, b int, v text, PRIMARY KEY (a, b))")
	exec(t, s, "INSERT INTO pairs (a, b, v) VALUES (:n, :n, 'equal')", node.Named{Name: "n", Value: 3})
	checkTexts(t, s.Query("SELECT v FROM pairs WHERE a = 3 AND b = 3"), "equal")
}

func TestUnset(t *testing.T) {
	s := keyValue(t)
	const insert = "INSERT INTO t (k, v) VALUES (?, ?)"
	exec(t, s, insert, 1, "kept")
	exec(t, s, insert, 1, node.Unset)
	checkTexts(t, s.Query("SELECT v FROM t"), "kept")
	exec(t, s, "INSERT INTO t (k, v) VALUES (:k, :v)", node.Named{Name: "k", Value: 1}, node.Named{Name: "v", Value: node.Unset})
	checkTexts(t, s.Query("SELECT v FROM t"), "kept")
	exec(t, s, insert, 1, nil)
	checkTexts(t, s.Query("SELECT v FROM t"), "")
	checkError(t, s.Query(insert, node.Unset, "a").Exec(t.Context()), "unset value")
}

func TestTimestamp(t *testing.T) {
	s := keyValue(t)
	const insert = "INSERT INTO t (k, v) VALUES (1, ?)"
	write := func(text, value string, timestamp int64) {
		t.Helper()
		if err := s.Query(text, value).Timestamp(timestamp).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write(insert, "of 20", 20)
	write(insert, "of 10", 10) // comes later and is older
	checkTexts(t, s.Query("SELECT v FROM t"), "of 20")
	write("UPDATE t USING TIMESTAMP 30 SET v = ? WHERE k = 1", "of 30", 15) // the text has the last word
	checkTexts(t, s.Query("SELECT v FROM t"), "of 30")
	var written int64
	scan(t, s.Query("SELECT writetime(v) FROM t"), &written)
	if written != 30 {
		t.Errorf("write time %d, want 30", written)
	}
}

func scan(t testing.TB, q *node.Query, dest ...any) {
	t.Helper()
	if err := q.Scan(t.Context(), dest...); err != nil {
		t.Fatal(err)
	}
}

func TestKeyspaceOfSession(t *testing.T) {
	n := newNode(t)
	first, second := n.Session(), n.Session()
	for _, name := range []string{"one", "two"} {
		createKeyspace(t, first, name, "1")
		exec(t, first, "CREATE TABLE "+name+".t (k int PRIMARY KEY, v text)")
		exec(t, first, "INSERT INTO "+name+".t (k, v) VALUES (1, '"+name+"')")
	}
	const query = "SELECT v FROM t"
	checkError(t, first.Query(query).Exec(t.Context()), "No keyspace has been specified")
	exec(t, first, "USE one")
	exec(t, second, "USE two")
	checkTexts(t, first.Query(query), "one")
	checkTexts(t, second.Query(query), "two")

	prepared := prepare(t, first, query)
	exec(t, first, "USE two")
	checkTexts(t, first.Query(query), "two")
	checkTexts(t, prepared.Query(), "one") // it keeps the keyspace it was prepared in
	checkError(t, first.Query("USE three").Exec(t.Context()), "three")
	checkTexts(t, first.Query(query), "two")
}

func TestConsistency(t *testing.T) {
	s := newNode(t).Session()
	createKeyspace(t, s, "copies", "3")
	exec(t, s, "CREATE TABLE copies.t (k int PRIMARY KEY, v text)")
	insert := prepare(t, s, "INSERT INTO copies.t (k, v) VALUES (1, ?)")
	read := prepare(t, s, "SELECT v FROM copies.t WHERE k = 1")

	allowed := func(level consistency.Level) {
		t.Helper()
		if err := insert.Query(level.String()).Consistency(level).Exec(t.Context()); err != nil {
			t.Errorf("%s: write: %v", level, err)
		}
		if err := s.Batch().Consistency(level).Add(insert, level.String()).Exec(t.Context()); err != nil {
			t.Errorf("%s: batch: %v", level, err)
		}
		checkTexts(t, read.Query().Consistency(consistency.One), level.String())
	}
	refused := func(level consistency.Level, required int) {
		t.Helper()
		check := func(what string, err error) {
			t.Helper()
			var unavailable *coordinator.UnavailableError
			if !errors.As(err, &unavailable) {
				t.Errorf("%s at %s: error %v, want an UnavailableError", what, level, err)
			} else if *unavailable != (coordinator.UnavailableError{Level: level, Required: required, Alive: 1}) {
				t.Errorf("%s at %s: %+v, want %d required and 1 alive", what, level, *unavailable, required)
			}
		}
		check("write", insert.Query("refused").Consistency(level).Exec(t.Context()))
		check("batch", s.Batch().Consistency(level).Add(insert, "refused").Exec(t.Context()))
		check("read", read.Query().Consistency(level).Exec(t.Context()))
		check("scan", s.Query("SELECT v FROM copies.t").Consistency(level).Exec(t.Context()))
	}
	allowed(consistency.Any)
	allowed(consistency.One)
	allowed(consistency.LocalOne)
	refused(consistency.Two, 2)
	refused(consistency.Three, 3)
	refused(consistency.Quorum, 2)
	refused(consistency.LocalQuorum, 2)
	refused(consistency.EachQuorum, 2)
	refused(consistency.All, 3)
	checkTexts(t, read.Query(), "LOCAL_ONE") // nothing refused was written
}

func TestContext(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "INSERT INTO t (k, v) VALUES (1, 'before')")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()

	check := func(ctx context.Context, want error) {
		t.Helper()
		insert := prepare(t, s, "INSERT INTO t (k, v) VALUES (1, 'after')")
		for what, err := range map[string]error{
			"write":         insert.Query().Exec(ctx),
			"batch":         s.Batch().Add(insert).Add(insert).Exec(ctx),
			"read":          s.Query("SELECT v FROM t WHERE k = 1").Exec(ctx),
			"scan":          s.Query("SELECT v FROM t").Iter(ctx).Close(),
			"schema change": s.Query("DROP TABLE t").Exec(ctx),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%s: error %v, want %v", what, err, want)
			}
		}
	}
	check(canceled, context.Canceled)
	check(expired, context.DeadlineExceeded)
	checkTexts(t, s.Query("SELECT v FROM t"), "before")
}

// A scan ends when its context does, in the middle of a page too.
func TestContextEndsDuringScan(t *testing.T) {
	s := newSession(t)
	execAll(t, s, "CREATE TABLE wide (p int, c int, v text, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO wide (p, c, v) VALUES (1, ?, 'v')", 600)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows := s.Query("SELECT v FROM wide").PageSize(100).Iter(ctx)
	count := 0
	for rows.Next() {
		if count++; count == 150 {
			cancel()
		}
	}
	if err := rows.Close(); !errors.Is(err, context.Canceled) || count != 200 {
		t.Errorf("error %v after %d rows, want %v after the page at hand, 200 rows", err, count, context.Canceled)
	}
}

// fill inserts n rows, numbered from 0, in batches.
func fill(t testing.TB, s *node.Session, insert string, n int) {
	t.Helper()
	st := prepare(t, s, insert)
	batch := s.Batch()
	for i := range n {
		if batch.Add(st, i); batch.Len() == 1000 || i == n-1 {
			if err := batch.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			batch.Reset()
		}
	}
}

func TestErrors(t *testing.T) {
	s := keyValue(t)
	var syntax *grammar.SyntaxError
	if err := s.Query("SELECT FORM t").Exec(t.Context()); !errors.As(err, &syntax) || syntax.Pos.Line != 1 {
		t.Errorf("error %v, want a SyntaxError with its place", err)
	}
	if _, err := s.Prepare(""); !errors.As(err, &syntax) {
		t.Errorf("error %v, want a SyntaxError", err)
	}
	var invalid *schema.InvalidRequestError
	if err := s.Query("SELECT v FROM missing").Exec(t.Context()); !errors.As(err, &invalid) {
		t.Errorf("error %v, want an InvalidRequestError", err)
	}
	if err := s.Query("SELECT v FROM t WHERE k = 9").Scan(t.Context(), new(string)); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("error %v, want %v", err, node.ErrNotFound)
	}
	if err := s.Query("INSERT INTO t (k) VALUES (1)").Scan(t.Context()); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("Scan of a statement without rows: error %v, want %v", err, node.ErrNotFound)
	}
}

func TestQueryTrace(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "INSERT INTO t (k, v) VALUES (1, 'a')")
	tr := trace.New("program")
	checkTexts(t, s.Query("SELECT v FROM t WHERE k = ?", 1).Trace(tr), "a")
	events, took := tr.End()
	if len(events) < 5 || events[0].Activity != "Parsing SELECT v FROM t WHERE k = ?" || events[0].Thread != "program" || took < events[len(events)-1].Elapsed {
		t.Errorf("%+v in %s", events, took)
	}
}

// A write of 1970 is one of 1970, and not of now.
func TestZeroTimestamp(t *testing.T) {
	s := keyValue(t)
	check := func(k int) {
		t.Helper()
		written := int64(-1)
		if err := s.Query("SELECT writetime(v) FROM t WHERE k = ?", k).Scan(t.Context(), &written); err != nil || written != 0 {
			t.Errorf("written at %d: %v", written, err)
		}
	}
	if err := s.Query("INSERT INTO t (k, v) VALUES (1, 'a')").Timestamp(0).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(1)
	if err := s.Batch().AddText("INSERT INTO t (k, v) VALUES (2, 'a')").Timestamp(0).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(2)
}
