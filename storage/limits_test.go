package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/storage/row"
)

// noise returns bytes that cannot be compressed.
func noise(size int) []byte {
	b := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(b)
	return b
}

func setCell(m *row.Mutation, clustering string, column uint32, timestamp int64, value []byte) {
	f := row.NewFragment()
	f.Cells = append(f.Cells, row.Cell{Column: column, Timestamp: timestamp, Value: value})
	m.AddRow(f, []byte(clustering))
}

// stillWrites fails the test if the engine does not take writes anymore.
func stillWrites(t *testing.T, e *Engine) {
	t.Helper()
	m := mutation("other")
	insert(m, "x", 1, "v")
	apply(t, e, m)
}

// A row may grow, write by write, far beyond the largest mutation. It is read whole, and folding
// neither fails over it nor leaves the rest of the table alone.
func TestRowLargerThanMutation(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	blob := noise(12 << 20)
	for i := range 5 {
		m := mutation("pk")
		setCell(m, "big", uint32(i+1), 1, blob)
		apply(t, e, m)
	}
	m := mutation("pk")
	for _, k := range []string{"a", "b", "c", "d"} {
		insert(m, k, 1, "v")
	}
	apply(t, e, m)
	check := func(version string) {
		t.Helper()
		for _, reverse := range []bool{false, true} {
			c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk"), Reverse: reverse})
			rows := 0
			for ; c.Next(); rows++ {
				if string(c.Clustering()) != "big" {
					if got := string(c.Row().Cells[0].Value); got != version {
						t.Errorf("row %s is %q, want %q", c.Clustering(), got, version)
					}
					continue
				}
				for i, cell := range c.Row().Cells {
					if cell.Column != uint32(i+1) || !bytes.Equal(cell.Value, blob) {
						t.Errorf("column %d: %d bytes", cell.Column, len(cell.Value))
					}
				}
				if len(c.Row().Cells) != 5 {
					t.Errorf("%d columns", len(c.Row().Cells))
				}
			}
			if c.Err() != nil || rows != 5 {
				t.Errorf("%d rows, %v", rows, c.Err())
			}
			c.Close()
		}
	}
	check("v")
	for _, version := range []string{"v2", "v3"} {
		if err := e.Compact(context.Background(), table7); err != nil {
			t.Fatal(err)
		}
		m := mutation("pk")
		for _, k := range []string{"a", "b", "c", "d"} {
			insert(m, k, int64(version[1]), version)
		}
		apply(t, e, m)
		check(version)
	}
	m = mutation("pk")
	f := row.NewFragment()
	f.Deletion = row.Deletion{Timestamp: 5, LocalTime: 1}
	m.AddRow(f, []byte("big"))
	apply(t, e, m)
	if err := e.Compact(context.Background(), table7); err != nil {
		t.Fatal(err)
	}
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	for c.Next() {
	}
	if s := c.Stats(); c.Err() != nil || s.Rows != 4 || s.Fragments > 0 {
		t.Errorf("after the row was deleted: %+v, %v", s, c.Err())
	}
}

// Keys count towards the size of a mutation as values do.
func TestKeysCountTowardsMutationSize(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	var mutations []*row.Mutation
	long := strings.Repeat("k", 60_000)
	for i := range 700 { // 42 MB
		m := mutation(fmt.Sprint(i))
		insert(m, long, 1, "v")
		mutations = append(mutations, m)
	}
	var tooLarge *MutationTooLargeError
	if err := e.Apply(context.Background(), mutations...); !errors.As(err, &tooLarge) {
		t.Errorf("got %v", err)
	}
	stillWrites(t, e)
	apply(t, e, mutations[:250]...)
}

// What the engine is asked to store for the node, and cannot, is refused without harm.
func TestPutTooLarge(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	if err := e.Put(context.Background(), Put{"x", make([]byte, e.valueMax+1)}); err == nil {
		t.Error("a value beyond the maximum is accepted")
	}
	var many []Put
	for i := range 2 * e.groupCount {
		many = append(many, Put{fmt.Sprint(i), []byte("v")})
	}
	if err := e.Put(context.Background(), many...); err == nil {
		t.Error("more values than fit a transaction are accepted")
	}
	stillWrites(t, e)
}

// Writing to one row many times in one mutation costs memory for what is written, not for every
// state in between.
func TestManyChangesOfOneRow(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	const changes = 5000
	m := mutation("pk")
	for i := range changes {
		f := row.NewFragment()
		f.Ranges = append(f.Ranges, row.RangeTombstone{Start: fmt.Appendf(nil, "%08d", i), End: fmt.Appendf(nil, "%08d", i+1),
			Deletion: row.Deletion{Timestamp: int64(i), LocalTime: 1}})
		m.AddHeader(f)
		f.Reset()
		f.Cells = append(f.Cells, row.Cell{Column: 4, Path: fmt.Appendf(nil, "%08d", i), Timestamp: int64(i), Value: []byte("v")})
		m.AddRow(f, []byte("x"))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	apply(t, e, m)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("a mutation of %d bytes took %d MiB", m.Size(), got>>20)
	}
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	if !c.Next() || len(c.Row().Cells) != changes || len(c.Static().Ranges) != changes {
		t.Errorf("%d cells, %d ranges, %v", len(c.Row().Cells), len(c.Static().Ranges), c.Err())
	}
}

// A group holds no more large values than fit one file of the value log: Badger would have to
// map that anew, under its readers.
func TestGroupOfLargeValues(t *testing.T) {
	dir := t.TempDir()
	opts := testOptions(dir)
	opts.MaxMutation = 2 << 20
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	blob := noise(3 << 19)
	var requests []*request
	for i := range 16 {
		m := mutation(fmt.Sprint(i))
		setCell(m, "x", 1, 1, blob)
		requests = append(requests, &request{mutations: []*row.Mutation{m}, count: 2, size: 100, payload: int64(len(blob))})
	}
	if err := e.commit.submit(context.Background(), requests...); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.vlog"))
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if limit := 2 * e.valueMax; info.Size() > limit {
			t.Errorf("%s has %d bytes, was mapped with %d", name, info.Size(), limit)
		}
	}
}

// Space in the value log is given back once what it held was folded.
func TestValueLogIsCollected(t *testing.T) {
	dir := t.TempDir()
	opts := testOptions(dir)
	opts.MaxMutation = 2 << 20
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	const rounds, size = 60, 1 << 20
	for i := range rounds {
		m := mutation("pk")
		insert(m, "big", int64(i+1), string(noise(size)))
		for k := range 500 { // fills memtables
			insert(m, fmt.Sprintf("%d-%d", i, k), 1, strings.Repeat("v", 1000))
		}
		apply(t, e, m)
		if i%10 == 9 {
			if err := e.Compact(context.Background(), table7); err != nil {
				t.Fatal(err)
			}
		}
	}

	e.collectValues()
	files, _ := filepath.Glob(filepath.Join(dir, "*.vlog"))
	used := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		used += info.Size()
	}
	written := int64(rounds * size)
	if used > written/2+2*e.valueMax {
		t.Errorf("%d files with %d MiB are left of %d MiB of which %d MiB are live", len(files), used>>20, 2*written>>20, size>>20)
	}
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	for c.Next() {
	}
	if c.Err() != nil || c.Stats().Rows != 500*rounds+1 {
		t.Errorf("%d rows, %v", c.Stats().Rows, c.Err())
	}
}

// A damaged value in the value log is reported like any other.
func TestDamagedValueLog(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, testOptions(dir))
	m := mutation("pk")
	insert(m, "big", 1, string(noise(2<<20)))
	apply(t, e, m)
	closeEngine(t, e)
	files, _ := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err := os.Truncate(files[0], 1<<20); err != nil {
		t.Fatal(err)
	}
	e = openEngine(t, testOptions(dir))
	defer closeEngine(t, e)
	for _, reverse := range []bool{false, true} {
		_, err := tryRead(e, &Read{Partition: prefixOf("pk"), Reverse: reverse})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.Table != "ks.t" || !strings.Contains(corrupt.Key, "pk") {
			t.Errorf("got %v", err)
		}
	}
	var corrupt *CorruptError
	if err := e.Compact(context.Background(), table7); !errors.As(err, &corrupt) {
		t.Errorf("Compact: %v", err)
	}
}

// Reading one row does not count the deleted ranges around it against the limit of tombstones.
func TestRangesElsewhereAreNoTombstones(t *testing.T) {
	opts := testOptions(t.TempDir())
	opts.TombstoneFail = 100
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	f := row.NewFragment()
	for i := range 200 {
		f.Ranges = append(f.Ranges, row.RangeTombstone{Start: fmt.Appendf(nil, "a%03d", i), End: fmt.Appendf(nil, "a%03d~", i),
			Deletion: row.Deletion{Timestamp: 1, LocalTime: time.Now().Unix()}})
	}
	m.AddHeader(f)
	insert(m, "a100", 2, "v")
	insert(m, "b", 2, "v")
	apply(t, e, m)
	for _, reverse := range []bool{false, true} {
		for _, s := range []Slice{{Start: []byte("b")}, {Start: []byte("a100"), End: []byte("a105")}} {
			if got := readAll(t, e, &Read{Partition: prefixOf("pk"), Slices: []Slice{s}, Reverse: reverse}); got == "" {
				t.Errorf("slice %s: no row", s.Start)
			}
		}
		var tombstones *TombstoneError
		if _, err := tryRead(e, &Read{Partition: prefixOf("pk"), Reverse: reverse}); !errors.As(err, &tombstones) {
			t.Errorf("the whole partition: %v", err)
		}
	}
	if got := readAll(t, e, &Read{Partition: prefixOf("pk"), Point: true, Slices: []Slice{{Start: []byte("b")}}}); got != "b=v " {
		t.Errorf("one row: %q", got)
	}
}

// What counts as a tombstone is what Cassandra counts.
func TestTombstonesCounted(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	const now = 1000
	cell := func(column uint32, kind row.CellKind) row.Cell {
		return row.Cell{Column: column, Kind: kind, Timestamp: 5, LocalTime: now - 1}
	}
	check := func(name string, live, tombstones int, change func(f *row.Fragment)) {
		t.Helper()
		f := row.NewFragment()
		change(f)
		f.Normalize()
		m := mutation(name)
		m.AddRow(f, []byte("x"))
		apply(t, e, m)
		c := e.Read(&Read{Incarnation: table7, Partition: prefixOf(name), Now: now})
		defer c.Close()
		for c.Next() {
		}
		if s := c.Stats(); s.Rows != live || s.Tombstones != tombstones {
			t.Errorf("%s: %d live rows and %d tombstones, want %d and %d", name, s.Rows, s.Tombstones, live, tombstones)
		}
	}
	check("live", 1, 0, func(f *row.Fragment) { f.Liveness.Timestamp = 5 })
	check("live with a dead cell", 1, 1, func(f *row.Fragment) {
		f.Liveness.Timestamp = 5
		f.Cells = []row.Cell{cell(1, row.Tombstone)}
	})
	check("written again after its deletion", 1, 0, func(f *row.Fragment) {
		f.Deletion = row.Deletion{Timestamp: 4, LocalTime: now}
		f.Liveness.Timestamp = 5
	})
	check("deleted", 0, 1, func(f *row.Fragment) { f.Deletion = row.Deletion{Timestamp: 4, LocalTime: now} })
	check("expired", 0, 1, func(f *row.Fragment) { f.Liveness = row.Liveness{Timestamp: 5, TTL: 1, Expiry: now - 1} })
	check("expired with its cells", 0, 2, func(f *row.Fragment) {
		f.Liveness = row.Liveness{Timestamp: 5, TTL: 1, Expiry: now - 1}
		f.Cells = []row.Cell{cell(1, row.ExpiringCell), cell(2, row.ExpiringCell)}
		f.Cells[0].TTL, f.Cells[1].TTL = 1, 1
	})
}

// Reading and folding a row takes memory for the row, not for all the versions of it that were
// written since it was last folded.
func TestRowWithManyLargeVersions(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	const versions, size = 50, 2 << 20
	m := mutation("pk")
	value := noise(size)
	e.folder.exclusively(func() { // the background does not fold
		for i := range versions {
			m.Begin(table7, 42, []byte("pk"))
			value[0] = byte(i)
			setCell(m, "x", uint32(1+i%2), int64(i), value)
			apply(t, e, m)
		}
	})
	check := func(what string, limit uint64, do func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Errorf("%s took %d MiB, the row has 4", what, got>>20)
		}
	}
	read := func(reverse bool) {
		c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk"), Reverse: reverse})
		defer c.Close()
		if !c.Next() || len(c.Row().Cells) != 2 {
			t.Fatalf("row %v, %v", c.Row(), c.Err())
		}
		for i, cell := range c.Row().Cells {
			if len(cell.Value) != size || cell.Value[0] != byte(versions-2+i) {
				t.Errorf("column %d has version %d", cell.Column, cell.Value[0])
			}
		}
		if f := c.Stats().Fragments; c.Next() || f != versions {
			t.Errorf("%d fragments", f)
		}
	}
	check("reading", 48<<20, func() { read(false) })
	check("reading in reverse", 48<<20, func() { read(true) })
	check("folding", 128<<20, func() { sweepWith(t, e, func(*foldPolicy) {}) })
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	if !c.Next() || c.Stats().Fragments > 0 || c.Row().Cells[1].Value[0] != versions-1 {
		t.Errorf("after folding: %+v %v", c.Stats(), c.Err())
	}
}

// A scan remembers no more of the pages it has passed than it may still need.
func TestScanForgetsPages(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	const rows = 500
	for i := range rows {
		insert(m, fmt.Sprintf("%05d", i), 1, "v")
	}
	apply(t, e, m)
	sweepWith(t, e, func(p *foldPolicy) { p.pageTarget = 10 })
	for _, reverse := range []bool{false, true} {
		c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk"), Reverse: reverse})
		n := 0
		for ; c.Next(); n++ {
			if kept := len(c.entries.pages.covered); kept > 3 {
				t.Errorf("reverse=%v: %d passed pages are remembered after %d rows", reverse, kept, n)
				break
			}
		}
		if n != rows || c.Err() != nil {
			t.Errorf("reverse=%v: %d rows, %v", reverse, n, c.Err())
		}
		c.Close()
	}
}

// Rows with the longest keys can be folded in spite of what their keys take.
func TestLongKeysAreFolded(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	const rows = 40
	for i := range rows {
		m := mutation("pk")
		key := noise(60_000)
		key[0], key[1] = byte(i), 1
		insert(m, string(key), 1, "v")
		apply(t, e, m)
	}
	for range 2 {
		sweepWith(t, e, func(p *foldPolicy) { p.leastFragments = -1 })
	}
	c := e.Read(&Read{Incarnation: table7, Partition: prefixOf("pk")})
	defer c.Close()
	for c.Next() {
	}
	if s := c.Stats(); s.Rows != rows || s.Fragments > 0 || c.Err() != nil {
		t.Errorf("%+v %v", s, c.Err())
	}
	stillWrites(t, e)
}
