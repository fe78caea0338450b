package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

func TestBatchIsAllOrNothing(t *testing.T) {
	cfg := settings(t.TempDir())
	cfg.MaxMutationSize = 64 * config.KiB
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	exec(t, s, "USE ks")
	exec(t, s, "CREATE TABLE t (k text PRIMARY KEY, v text)")
	exec(t, s, "CREATE TABLE u (k int PRIMARY KEY, v text)")
	const insert, other = "INSERT INTO t (k, v) VALUES (?, ?)", "INSERT INTO u (k, v) VALUES (1, ?)"

	refused := func(b *node.Batch, as any, want string) {
		t.Helper()
		err := b.Exec(t.Context())
		checkError(t, err, want)
		if as != nil && !errors.As(err, as) {
			t.Errorf("%v is a %T", err, err)
		}
		if rows := countRows(t, s.Query("SELECT v FROM t")) + countRows(t, s.Query("SELECT v FROM u")); rows != 0 {
			t.Errorf("%d rows of a refused batch were written", rows)
		}
	}
	begin := func() *node.Batch { return s.Batch().AddText(insert, "a", "1").AddText(other, "2") }
	long := strings.Repeat("x", 70_000)
	var tooLarge *storage.MutationTooLargeError
	var tooLong *storage.KeyTooLongError
	refused(begin().AddText(insert, "b", long), &tooLarge, "too large")
	refused(begin().AddText(insert, long[:65_530], "2"), &tooLong, "maximum of")
	refused(begin().AddText(insert, "b", 2), nil, "statement 3 of the batch: value 2 (v)")
	refused(begin().AddText("SELECT v FROM t"), nil, "only UPDATE, INSERT and DELETE statements are allowed")
	refused(begin().AddText("INSERT INTO missing (k) VALUES (1)"), nil, "missing")
	refused(begin().AddText("INSERT INTO"), nil, "statement 3 of the batch: line 1:")
	refused(begin().AddText(insert, "", "2"), nil, "Key may not be empty")

	if err := begin().Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTexts(t, s.Query("SELECT v FROM t"), "1")
	checkTexts(t, s.Query("SELECT v FROM u"), "2")
}

func TestBatchIsReused(t *testing.T) {
	s := keyValue(t)
	insert := prepare(t, s, "INSERT INTO t (k, v) VALUES (?, ?)")
	b := s.Batch()
	run := func(want string) {
		t.Helper()
		if err := b.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkTexts(t, s.Query("SELECT v FROM t WHERE k IN (1, 2, 3)"), want)
		if b.Reset(); b.Len() != 0 {
			t.Errorf("%d statements are left after Reset", b.Len())
		}
	}
	b.Add(insert, 1, "a").Add(insert, 2, "b")
	run("a b")
	b.Add(insert, 3, "c")
	exec(t, s, "DELETE FROM t WHERE k IN (1, 2)")
	run("c") // the statements from before Reset are gone
	b.Add(insert, "wrong", "d")
	checkError(t, b.Exec(t.Context()), "value 1 (k)")
	b.Reset() // takes the error away
	b.Add(insert, 3, "e")
	run("e")
	run("e") // an empty batch does nothing
}

// Values are converted when they are added: the caller may change them afterwards.
func TestBatchKeepsNoValues(t *testing.T) {
	s := newSession(t)
	exec(t, s, "CREATE TABLE blobs (k int PRIMARY KEY, v blob)")
	value := []byte("before")
	b := s.Batch()
	for k := range 100 {
		b.AddText("INSERT INTO blobs (k, v) VALUES (?, ?)", k, value)
	}
	copy(value, "after!")
	if err := b.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k := range 100 {
		var got string
		if scan(t, s.Query("SELECT v FROM blobs WHERE k = ?", k), &got); got != "before" {
			t.Fatalf("row %d holds %q", k, got)
		}
	}
}

// A value that was converted for a column is not written to one of another type.
func TestSchemaChangesUnderABatch(t *testing.T) {
	s := keyValue(t)
	b := s.Batch().AddText("INSERT INTO t (k, v) VALUES (1, ?)", "abc").AddText("INSERT INTO t (k, v) VALUES (2, ?)", "abc")
	execAll(t, s, "DROP TABLE t", "CREATE TABLE t (k int PRIMARY KEY, v int)")
	var invalid *schema.InvalidRequestError
	if err := b.Exec(t.Context()); !errors.As(err, &invalid) {
		t.Errorf("error %v, want an InvalidRequestError", err)
	}
	if n := countRows(t, s.Query("SELECT v FROM t")); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}

func TestBatchTimestamp(t *testing.T) {
	s := keyValue(t)
	b := s.Batch().Timestamp(20).AddText("INSERT INTO t (k, v) VALUES (1, 'of 20')").
		AddText("INSERT INTO t (k, v) VALUES (2, 'of 30') USING TIMESTAMP 30")
	if err := b.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int]int64{1: 20, 2: 30} {
		var written int64
		if scan(t, s.Query("SELECT writetime(v) FROM t WHERE k = ?", k), &written); written != want {
			t.Errorf("row %d has timestamp %d, want %d", k, written, want)
		}
	}
}
