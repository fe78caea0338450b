package kv

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/tests/nodes"
	"github.com/iliumdb/ilium/workload/bench"
	"github.com/iliumdb/ilium/workload/client"
)

func TestMain(m *testing.M) { nodes.Main(m) }

func TestValues(t *testing.T) {
	for size := nonceSize; size < 40; size++ {
		here := place{key: 5, column: 2}
		value := make([]byte, size)
		here.fill(value, 77)
		if err := here.check(value, size); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err := here.check(value, size+1); err == nil || Kind(err) != "wrong length" {
			t.Errorf("%d bytes: %v", size, err)
		}
		if size == nonceSize {
			continue // nothing but the nonce
		}
		for i := range value {
			damaged := bytes.Clone(value)
			damaged[i] ^= 1
			if err := here.check(damaged, size); err == nil || Kind(err) != "wrong value" {
				t.Errorf("%d bytes, damage at %d: %v", size, i, err)
			}
		}
	}
	value := make([]byte, 100)
	place{5, 2}.fill(value, 77)
	for _, there := range []place{{5, 1}, {6, 2}, {2, 5}, {4, 3}} {
		if there.check(value, 100) == nil {
			t.Errorf("the value of another place is right in %v", there)
		}
	}
}

func TestKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	counts := func(distribution string, n int64) map[int64]int {
		t.Helper()
		k, err := NewKeys(distribution, n)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[int64]int)
		for range 100_000 {
			key := k.pick(random)
			if key < 0 || key >= n {
				t.Fatalf("%s: key %d of %d", distribution, key, n)
			}
			out[key]++
		}
		return out
	}
	uniform := counts("uniform", 100)
	for key, n := range uniform {
		if n < 800 || n > 1200 {
			t.Errorf("uniform: key %d comes %d times", key, n)
		}
	}
	if len(uniform) != 100 {
		t.Errorf("uniform: %d keys", len(uniform))
	}
	most := 0
	for _, n := range counts("zipfian", 1_000_000) {
		most = max(most, n)
	}
	// 1/zeta(1,000,000; 0.99) is 6.5 %.
	if most < 6000 || most > 7000 {
		t.Errorf("zipfian: the most frequent key comes %d times", most)
	}
	for n := int64(1); n < 5; n++ {
		counts("zipfian", n)
	}
	if _, err := NewKeys("even", 5); err == nil || !strings.Contains(err.Error(), `"even"`) {
		t.Errorf("error %v", err)
	}
}

// small has slices that are shorter than partitions.
func small() Shape {
	return Shape{Keys: 50, Columns: 3, Partitions: 4, Rows: 10, Limit: 6, ValueSize: 20, Replicas: 1}
}

type fixture struct {
	database client.Database
	tables   *Tables
	choice   Choice
}

func newFixture(t *testing.T, shape Shape) *fixture {
	t.Helper()
	f := &fixture{database: client.Embed(nodes.Start(t).Session())}
	var err error
	if f.tables, err = Open(t.Context(), f.database, shape); err != nil {
		t.Fatal(err)
	}
	f.choice = f.of(t, shape.Keys)
	return f
}

func (f *fixture) of(t *testing.T, n int64) Choice {
	t.Helper()
	keys, err := NewKeys("uniform", n)
	if err != nil {
		t.Fatal(err)
	}
	return Choice{Keys: keys, Seed: 1, Reads: 50}
}

// run returns the kinds of errors that so many operations meet.
func (f *fixture) run(t *testing.T, n int64, operation func(int) bench.Operation) map[string]bench.Failure {
	t.Helper()
	r, err := bench.Run(t.Context(), bench.Options{Workers: 3, Operations: n, Kind: Kind}, operation)
	if err != nil {
		t.Fatal(err)
	}
	if r.Operations+r.Errors() != n {
		t.Fatalf("%d of %d operations, %+v", r.Operations, n, r.Failures)
	}
	return r.Failures
}

func (f *fixture) exec(t *testing.T, text string) {
	t.Helper()
	if err := f.database.Exec(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) right(t *testing.T, n int64, operation func(int) bench.Operation) {
	t.Helper()
	if failures := f.run(t, n, operation); len(failures) > 0 {
		t.Errorf("got %+v", failures)
	}
}

func (f *fixture) wrong(t *testing.T, kind, example string, operation func(int) bench.Operation) {
	t.Helper()
	failures := f.run(t, 3000, operation) // every key comes many times
	if got := failures[kind]; len(failures) != 1 || !strings.Contains(got.Example, example) {
		t.Errorf("got %+v, want %s: %s", failures, kind, example)
	}
}

func TestRows(t *testing.T) {
	f := newFixture(t, small())
	f.wrong(t, "missing", "is missing; was it loaded?", f.tables.Read(f.choice))
	f.right(t, 50, f.tables.LoadData(1))
	var rows int64
	if err := client.One(f.query(t, "SELECT count(*) FROM kv.data"), &rows); err != nil || rows != 50 {
		t.Errorf("%d rows, %v", rows, err)
	}
	f.right(t, 200, f.tables.Read(f.choice))
	f.right(t, 200, f.tables.Write(f.choice))
	f.right(t, 200, f.tables.Mixed(f.choice))
	f.right(t, 200, f.tables.Read(f.choice))

	f.exec(t, "DELETE FROM kv.data WHERE key = 7")
	f.wrong(t, "missing", "key 7 is missing", f.tables.Read(f.choice))
	f.exec(t, "INSERT INTO kv.data (key, v0, v1, v2) VALUES (7, 0x00, 0x00, 0x00)")
	f.wrong(t, "wrong length", "key 7, value 0 has 1 bytes, not 20", f.tables.Read(f.choice))
	f.exec(t, "INSERT INTO kv.data (key, v0, v1, v2) VALUES (7, "+strings.Repeat("0x"+strings.Repeat("ab", 20)+", ", 2)+"null)")
	f.wrong(t, "wrong value", "key 7, value 0 was not written there: abab", f.tables.Read(f.choice))
}

func (f *fixture) query(t *testing.T, text string) client.Rows {
	t.Helper()
	st, err := f.database.Prepare(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return st.Query(t.Context(), 0)
}

func TestSlices(t *testing.T) {
	f := newFixture(t, small())
	choice := f.of(t, 4)
	f.wrong(t, "missing", "has 0 rows, not 6; was it loaded?", f.tables.Slice(choice))
	f.right(t, 40, f.tables.LoadWide(1))
	var rows int64
	if err := client.One(f.query(t, "SELECT count(*) FROM kv.wide"), &rows); err != nil || rows != 40 {
		t.Errorf("%d rows, %v", rows, err)
	}
	f.right(t, 200, f.tables.Slice(choice))
	f.exec(t, "INSERT INTO kv.wide (key, position, value) VALUES (2, 9, null)")
	f.wrong(t, "wrong length", "key 2, value 9 has 0 bytes", f.tables.Slice(choice))
	f.exec(t, "DELETE FROM kv.wide WHERE key = 2 AND position = 9")
	f.wrong(t, "wrong row", "row 0 of partition 2 is the one of position 8", f.tables.Slice(choice))
	f.exec(t, "DELETE FROM kv.wide WHERE key = 2")
	f.wrong(t, "missing", "partition 2 has 0 rows, not 6", f.tables.Slice(choice))
}

// A slice may ask for more than there is, but must not get it.
func TestWholePartitions(t *testing.T) {
	shape := small()
	shape.Limit = 20
	f := newFixture(t, shape)
	f.right(t, 40, f.tables.LoadWide(1))
	choice := f.of(t, 4)
	f.right(t, 50, f.tables.Slice(choice))
	f.exec(t, "INSERT INTO kv.wide (key, position, value) VALUES (2, -1, null)")
	f.wrong(t, "wrong row", "row 10 of partition 2 is the one of position -1", f.tables.Slice(choice))
}

func TestShapes(t *testing.T) {
	f := newFixture(t, small())
	check := func(want string, change func(*Shape)) {
		t.Helper()
		s := small()
		change(&s)
		if _, err := Open(t.Context(), f.database, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check("must all be at least 1", func(s *Shape) { s.Keys = 0 })
	check("must all be at least 1", func(s *Shape) { s.Replicas = -1 })
	check("at least 8 bytes, not 7", func(s *Shape) { s.ValueSize = 7 })
	check("preparing INSERT INTO kv.data", func(s *Shape) { s.Columns = 4 }) // the table has three
}

func TestKind(t *testing.T) {
	if got := Kind(errors.New("x")); got != "other" {
		t.Errorf("got %q", got)
	}
}
