package storage

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/iliumdb/ilium/storage/row"
)

// A manual clock, in seconds.
type manualClock struct{ now atomic.Int64 }

func (c *manualClock) time() time.Time { return time.Unix(c.now.Load(), 0) }

// sweepWith folds all of table7 with a policy that change adapted, in the caller's goroutine.
func sweepWith(t testing.TB, e *Engine, change func(*foldPolicy)) {
	t.Helper()
	table, _ := e.opts.Tables(table7)
	policy := e.folder.everything(table)
	change(&policy)
	var err error
	e.folder.exclusively(func() { err = e.folder.sweep(table7, policy) })
	if err != nil {
		t.Fatal(err)
	}
}

func deletePartition(m *row.Mutation, timestamp, localTime int64) {
	f := row.NewFragment()
	f.Deletion = row.Deletion{Timestamp: timestamp, LocalTime: localTime}
	m.AddHeader(f)
}

// The deletion of a partition is purged only after it was applied to the last of its rows, also
// to those whose clustering keys sort behind everything, as those of descending columns can.
func TestPurgeReachesLastRows(t *testing.T) {
	opts := testOptions(t.TempDir())
	clock := &manualClock{}
	clock.now.Store(1000)
	opts.Now = clock.time
	opts.Tables = testTables(Table{Name: "ks.t", GCGrace: time.Second})
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	for i := range 200 {
		insert(m, fmt.Sprintf("a%04d", i), 1, strings.Repeat("v", 100))
		insert(m, fmt.Sprintf("\xFF\xFF%04d", i), 1, strings.Repeat("v", 100))
	}
	apply(t, e, m)
	sweepWith(t, e, func(p *foldPolicy) {})
	m = mutation("pk")
	deletePartition(m, 5, clock.now.Load())
	apply(t, e, m)
	clock.now.Add(100)
	for range 3 {
		sweepWith(t, e, func(p *foldPolicy) {})
	}
	if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != "" {
		t.Errorf("a deleted partition has rows again: %.100s", got)
	}
}

// A table may be left with any number of pages without rows; removing them takes many steps.
func TestManyPagesWithoutRows(t *testing.T) {
	opts := testOptions(t.TempDir())
	clock := &manualClock{}
	clock.now.Store(1000)
	opts.Now = clock.time
	opts.Tables = testTables(Table{Name: "ks.t", GCGrace: time.Second})
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	rows := 3 * e.groupCount
	for i := 0; i < rows; {
		m := mutation("pk")
		for ; i < rows && m.Len() < e.groupCount/2; i++ {
			insert(m, fmt.Sprintf("%08d", i), 1, "v")
		}
		apply(t, e, m)
	}
	sweepWith(t, e, func(p *foldPolicy) { p.pageTarget = 1 })
	m := mutation("pk")
	deletePartition(m, 5, clock.now.Load())
	apply(t, e, m)
	clock.now.Add(100)
	sweepWith(t, e, func(p *foldPolicy) { p.pageTarget = 1 })
	e.folder.exclusively(func() {
		e.folder.marks = []horizonMark{{at: time.Now().Add(-2 * emptyPageAge), seq: e.visible.Load()}}
	})
	sweepWith(t, e, func(p *foldPolicy) {})
	sweepWith(t, e, func(p *foldPolicy) {})
	if got := countPages(t, e); got > 10 {
		t.Errorf("%d pages are left of an empty table", got)
	}
	m = mutation("pk")
	insert(m, "new", 10, "v")
	apply(t, e, m)
	if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != "new=v " {
		t.Errorf("got %.100q", got)
	}
}

func countPages(t *testing.T, e *Engine) (n int) {
	v, err := e.openView(table7, nil, false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	pages := v.pages()
	for err = pages.seek(row.AppendTable(nil, table7, row.Pages)); err == nil && pages.valid; err = pages.next() {
		n++
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A column that is added while a table is being folded, and written at once, is kept.
func TestColumnAddedDuringFold(t *testing.T) {
	opts := testOptions(t.TempDir())
	var columns atomic.Uint32 // the highest column id that exists
	columns.Store(1)
	opts.Tables = func(uint32) (Table, bool) {
		known := columns.Load() // a table is an immutable value
		return Table{Name: "ks.t", GCGrace: time.Hour, HasColumn: func(id uint32) bool { return id <= known }}, true
	}
	var during func() // called once while a fold begins
	opts.Now = func() time.Time {
		if f := during; f != nil {
			during = nil
			f()
		}
		return time.Now()
	}
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	insert(m, "a", 1, "v")
	apply(t, e, m)
	e.folder.exclusively(func() {
		table, _ := opts.Tables(table7)
		policy := e.folder.everything(table)
		during = func() {
			columns.Store(2)
			f := row.NewFragment()
			f.Cells = append(f.Cells, row.Cell{Column: 2, Timestamp: 2, Value: []byte("new")})
			m := mutation("pk")
			m.AddRow(f, []byte("a"))
			apply(t, e, m)
		}
		if err := e.folder.sweep(table7, policy); err != nil {
			t.Error(err)
		}
	})
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	if !c.Next() || len(c.Row().Column(2)) != 1 {
		t.Errorf("the new column's value is lost: %v %v", c.Row(), c.Err())
	}
}

// A write that arrives while its row is folded keeps the row's older fragments on disk. They
// must stay without effect, also when nothing of their neighborhood was left to make a page of
// and the deletion that removed them is purged.
func TestFragmentsKeptByWritesStayDead(t *testing.T) {
	opts := testOptions(t.TempDir())
	clock := &manualClock{}
	clock.now.Store(1000)
	armed, late := false, func() {}
	opts.Now = func() time.Time { // asked once before each fold reads
		armed = true
		return clock.time()
	}
	opts.Tables = testTables(Table{Name: "ks.t", HasColumn: func(uint32) bool { // asked while it does
		if armed {
			armed = false
			late()
		}
		return true
	}})
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	for i := range 100 { // live, in pages of their own
		insert(m, fmt.Sprintf("A%d", i), 10, strings.Repeat("v", 200))
	}
	insert(m, "a", 1, "old")
	deletePartition(m, 5, clock.now.Load())
	apply(t, e, m)
	clock.now.Add(100)
	folds := 0
	late = func() { // a cell of another column, deleted too
		if folds++; folds > 2 {
			return // the third one purges the deletion
		}
		f := row.NewFragment()
		f.Cells = append(f.Cells, row.Cell{Column: 2, Timestamp: 3, Value: []byte("late")})
		m := mutation("pk")
		m.AddRow(f, []byte("a"))
		apply(t, e, m)
	}
	sweepWith(t, e, func(p *foldPolicy) {})
	if folds < 3 {
		t.Fatalf("%d folds", folds)
	}
	for _, when := range []string{"after the sweep", "after another"} {
		for _, reverse := range []bool{false, true} {
			c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk"), Reverse: reverse, Now: clock.now.Load()})
			for c.Next() {
				if c.Clustering()[0] == 'a' && len(c.Row().Column(1)) > 0 {
					t.Errorf("%s, reverse=%v: %s %v is alive again", when, reverse, c.Clustering(), c.Row())
				}
			}
			if c.Err() != nil {
				t.Error(c.Err())
			}
			c.Close()
		}
		sweepWith(t, e, func(p *foldPolicy) {})
	}
}

// A step that removes an old empty page and needs its key for a new page keeps the new one.
func TestKeyOfEmptyPageIsUsedAgain(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	want := ""
	for _, k := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		insert(m, k, 1, "v")
		want += k + "=v "
	}
	apply(t, e, m)
	for _, target := range []int{1, 10_000, 1} { // a page for each row, one for all, and again
		sweepWith(t, e, func(p *foldPolicy) { p.pageTarget, p.leastFragments = target, -1 })
		if got := readAll(t, e, &Read{Partition: prefixOf("pk")}); got != want {
			t.Fatalf("with pages of %d bytes: got %s, want %s", target, got, want)
		}
		e.folder.exclusively(func() { // all empty pages are old
			e.folder.marks = []horizonMark{{at: time.Now().Add(-2 * emptyPageAge), seq: e.visible.Load()}}
		})
	}
}

// What is written behind a sweep, into a range that it has emptied, stays visible when the sweep
// goes on with the next range.
func TestWritesBehindSweep(t *testing.T) {
	t.Run("deleted", func(t *testing.T) {
		testWritesBehindSweep(t, 0, func(m *row.Mutation, clustering []byte) {
			f := row.NewFragment()
			f.Deletion = row.Deletion{Timestamp: 5, LocalTime: 1000}
			m.AddRow(f, clustering)
		})
	})
	t.Run("expired", func(t *testing.T) {
		testWritesBehindSweep(t, 10, func(*row.Mutation, []byte) {})
	})
}

// testWritesBehindSweep writes half of its rows with a TTL, and changes them with kill, before
// all of them are folded for the last time.
func testWritesBehindSweep(t *testing.T, ttl int64, kill func(m *row.Mutation, clustering []byte)) {
	opts := testOptions(t.TempDir())
	clock := &manualClock{}
	clock.now.Store(1000)
	during := func() {}
	opts.Now = func() time.Time { // asked once before each step
		during()
		return clock.time()
	}
	opts.Tables = testTables(Table{Name: "ks.t"})
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	for i := range 200 {
		f := row.NewFragment()
		f.Cells = append(f.Cells, row.Cell{Column: 1, Timestamp: 1, Value: []byte(strings.Repeat("v", 200))})
		if ttl > 0 && i < 100 {
			f.Cells[0].Kind, f.Cells[0].TTL, f.Cells[0].LocalTime = row.ExpiringCell, ttl, 1000+ttl
		}
		m.AddRow(f, fmt.Appendf(nil, "%03d", i))
	}
	apply(t, e, m)
	sweepWith(t, e, func(p *foldPolicy) {})
	m = mutation("pk")
	for i := range 100 {
		kill(m, fmt.Appendf(nil, "%03d", i))
	}
	apply(t, e, m)
	clock.now.Add(100)
	steps, written := 0, 0
	sweepWith(t, e, func(p *foldPolicy) {
		p.maxBytes, p.leastFragments = 1, -1
		during = func() {
			if steps++; steps < 3 || written > 20 {
				return
			}
			m := mutation("pk")
			insert(m, fmt.Sprintf("000-%d", written), 10, "new")
			apply(t, e, m)
			written++
		}
	})
	during = func() {}
	if written < 3 {
		t.Fatalf("%d steps", steps)
	}
	for range 2 {
		got := readAll(t, e, &Read{Partition: prefixOf("pk"), Now: clock.now.Load()})
		if new, old := strings.Count(got, "=new"), strings.Count(got, "=v"); new != written || old != 100 {
			t.Errorf("%d of %d new rows are left, and %d of 100 old ones", new, written, old)
		}
		sweepWith(t, e, func(p *foldPolicy) {})
	}
}

// Reads that merge many fragments have their partition folded, not the whole table.
func TestHintedPartitionIsFolded(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	keys := []string{"a", "b", "c"}
	for version := range int64(2) {
		for _, k := range keys {
			m := mutation(k)
			for i := range 2 * hintFragments {
				insert(m, fmt.Sprintf("%03d", i), version, strings.Repeat("v", 200))
			}
			apply(t, e, m)
		}
		if version == 0 {
			sweepWith(t, e, func(*foldPolicy) {})
		}
	}
	fragments := func(key string) int {
		c := e.Read(&Read{Incarnation: table7, Partition: prefixOf(key)})
		defer c.Close()
		for c.Next() {
		}
		if c.Err() != nil || c.Stats().Rows != 2*hintFragments {
			t.Errorf("%d rows, %v", c.Stats().Rows, c.Err())
		}
		return c.Stats().Fragments
	}
	e.folder.exclusively(func() {
		if n := fragments("b"); n != 2*hintFragments {
			t.Fatalf("%d fragments", n)
		}
		e.folder.look()
	})
	e.folder.mu.Lock()
	e.folder.hinted = map[uint32]map[string]bool{}
	e.folder.mu.Unlock()
	for _, k := range keys {
		if n := fragments(k); (k == "b") != (n == 0) || k != "b" && n < hintFragments {
			t.Errorf("partition %s has %d fragments", k, n)
		}
	}
}
