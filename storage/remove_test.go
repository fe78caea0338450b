package storage

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/storage/row"
)

// removeRange removes some partitions, while others are written.
func (w *world) removeRange(t *rapid.T) {
	bound := rapid.SampledFrom([]int64{math.MinInt64, 96_000, 96_500, 97_000, 97_499, 98_000, 99_000, math.MaxInt64})
	start, end := bound.Draw(t, "start"), bound.Draw(t, "end")
	inside := func(p string) bool {
		token := int64(p[0])*1000 - 500
		if start < end {
			return start < token && token <= end
		}
		return start < token || token <= end
	}
	writes, cells := rapid.IntRange(0, 3).Draw(t, "writes"), 0
	w.avoid = inside
	w.engine.folder.exclusively(func() {
		w.during = func() {
			if cells++; writes > 0 && cells%3 == 0 {
				writes--
				w.write(t)
			}
		}
	})
	err := w.engine.RemoveRange(context.Background(), modelTable, start, end)
	w.engine.folder.exclusively(func() { w.during = nil })
	w.avoid = nil
	must(t, err)
	for _, p := range []string{"a", "b\x00", "b\x00\x01", "c"} {
		if inside(p) {
			delete(w.model.rows, p)
			delete(w.model.header, p)
		}
	}
}

// Rows outside the range stay while others write them, whether they are in pages or not.
func TestRemoveRange(t *testing.T) {
	opts := testOptions(t.TempDir())
	e := openEngine(t, opts)
	const partitions, rows = 200, 40
	write := func(token int64, version int64) {
		m := new(row.Mutation)
		m.Begin(table7, token, fmt.Appendf(nil, "pk%d", token))
		for i := range rows {
			insert(m, fmt.Sprintf("%03d", i), version, strings.Repeat("v", 50))
		}
		apply(t, e, m)
	}
	for token := range int64(partitions) {
		write(token, 1)
	}
	if err := e.folder.compact(context.Background(), table7); err != nil {
		t.Fatal(err)
	}
	for token := int64(0); token < partitions; token += 3 {
		write(token, 2)
	}
	var writers sync.WaitGroup
	writers.Go(func() {
		for token := range int64(partitions) {
			if token <= 50 || token > 150 {
				write(token, 3)
			}
		}
	})
	if err := e.RemoveRange(context.Background(), table7, 50, 150); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	check := func() {
		t.Helper()
		c := e.Scan(&Scan{Incarnation: table7})
		defer c.Close()
		found := map[int64]int{}
		for c.Next() {
			token, err := row.PartitionToken(c.Partition())
			if err != nil || c.Row().Liveness.Timestamp != 3 {
				t.Fatal(token, c.Row().Liveness, err)
			}
			found[token]++
		}
		if c.Err() != nil || len(found) != 100 {
			t.Fatalf("%d partitions are left, %v", len(found), c.Err())
		}
		for token, n := range found {
			if token > 50 && token <= 150 || n != rows {
				t.Errorf("token %d has %d rows", token, n)
			}
		}
	}
	check()
	closeEngine(t, e)
	e = openEngine(t, opts)
	defer closeEngine(t, e)
	check()
	if err := e.RemoveRange(context.Background(), table7, 150, 50); err != nil { // over the end of the ring
		t.Fatal(err)
	}
	if got := len(storedKeys(t, e)); got != 0 {
		t.Errorf("%d entries are left", got)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.RemoveRange(stopped, table7, 0, 1); err != context.Canceled {
		t.Errorf("with an ended context: %v", err)
	}
}

// storedKeys returns the row keys of all fragments and rows in pages, live or not.
func storedKeys(t *testing.T, e *Engine) (keys []string) {
	v, err := e.openView(table7, nil, false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	source := newEntries(v, false)
	if err := source.seek(nil); err != nil {
		t.Fatal(err)
	}
	for {
		ok, err := source.next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return keys
		}
		keys = append(keys, string(source.key))
	}
}

func TestTokenRanges(t *testing.T) {
	key := func(token int64) []byte { return row.AppendPartition(nil, token, []byte("p")) }
	for _, c := range []struct {
		start, end int64
		in, out    []int64
	}{
		{1, 3, []int64{2, 3}, []int64{1, 4, math.MaxInt64}},
		{3, 1, []int64{4, math.MaxInt64, math.MinInt64 + 1, 1}, []int64{2, 3}},
		{5, 5, []int64{4, 5, 6, math.MaxInt64}, nil},
		{5, math.MinInt64, []int64{6, math.MaxInt64}, []int64{5, math.MinInt64 + 1}},
		{math.MinInt64, 5, []int64{math.MinInt64 + 1, 5}, []int64{6}},
		{math.MaxInt64, 5, []int64{math.MinInt64 + 1, 5}, []int64{6, math.MaxInt64}},
		{5, math.MaxInt64, []int64{6, math.MaxInt64}, []int64{5}},
	} {
		holds := func(token int64) (in bool) {
			for _, r := range tokenRanges(c.start, c.end) {
				in = in || r.holds(key(token))
			}
			return in
		}
		for _, token := range c.in {
			if !holds(token) {
				t.Errorf("(%d,%d] has not %d", c.start, c.end, token)
			}
		}
		for _, token := range c.out {
			if holds(token) {
				t.Errorf("(%d,%d] has %d", c.start, c.end, token)
			}
		}
	}
}
