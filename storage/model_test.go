package storage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/storage/row"
)

// The model keeps every change ever made and works out a row from all of them, one cell at a
// time, without merging anything step by step. The engine must always agree with it.
type model struct {
	rows   map[string]map[string][]row.Fragment // partition -> clustering -> what was written
	header map[string][]row.Fragment
}

func newModel() *model {
	return &model{rows: map[string]map[string][]row.Fragment{}, header: map[string][]row.Fragment{}}
}

func (m *model) apply(partition string, clustering *string, f row.Fragment) {
	f.Cells, f.Ranges = slices.Clone(f.Cells), slices.Clone(f.Ranges)
	if clustering == nil {
		m.header[partition] = append(m.header[partition], f)
		return
	}
	if m.rows[partition] == nil {
		m.rows[partition] = map[string][]row.Fragment{}
	}
	m.rows[partition][*clustering] = append(m.rows[partition][*clustering], f)
}

// deletion returns the highest timestamp that is deleted at clustering by the header.
func (m *model) deletion(partition string, clustering *string) int64 {
	ts := int64(row.NoTimestamp)
	for _, h := range m.header[partition] {
		ts = max(ts, h.Deletion.Timestamp)
		for _, r := range h.Ranges {
			if clustering != nil && *clustering >= string(r.Start) && (r.End == nil || *clustering < string(r.End)) {
				ts = max(ts, r.Deletion.Timestamp)
			}
		}
	}
	return ts
}

// print renders the live content of what the fragments describe, or "" if nothing is live.
func (m *model) print(fragments []row.Fragment, deleted, now int64) string {
	best := row.NoLiveness
	cells := map[string]row.Cell{}
	collections := map[uint32]int64{}
	for _, f := range fragments {
		deleted = max(deleted, f.Deletion.Timestamp)
	}
	for _, f := range fragments {
		l := f.Liveness
		if l.Timestamp > deleted && (l.Timestamp > best.Timestamp || l.Timestamp == best.Timestamp &&
			(l.TTL > 0 && best.TTL == 0 || (l.TTL > 0) == (best.TTL > 0) && l.Expiry > best.Expiry)) {
			best = l
		}
		for _, c := range f.Cells {
			if c.Kind == row.CollectionDeletion {
				if old, ok := collections[c.Column]; !ok || c.Timestamp > old {
					collections[c.Column] = c.Timestamp
				}
				continue
			}
			id := fmt.Sprintf("%d/%s", c.Column, c.Path)
			if old, ok := cells[id]; !ok || wins(c, old) {
				cells[id] = c
			}
		}
	}
	live := best.IsLive(now)
	var parts []string
	for id, c := range cells {
		ts, ok := collections[c.Column]
		if c.Timestamp <= deleted || ok && c.Timestamp <= ts {
			continue
		}
		if c.Kind == row.LiveCell || c.Kind == row.ExpiringCell && now < c.LocalTime {
			live = true
			parts = append(parts, fmt.Sprintf("%s=%s@%d", id, c.Value, c.Timestamp))
		}
	}
	if !live {
		return ""
	}
	sort.Strings(parts)
	if best.IsLive(now) {
		parts = append(parts, fmt.Sprintf("live@%d", best.Timestamp))
	}
	return strings.Join(parts, ",") + ";"
}

func wins(a, b row.Cell) bool {
	return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.LocalTime, b.LocalTime), bytes.Compare(a.Value, b.Value), cmp.Compare(b.TTL, a.TTL)) > 0
}

// read renders a slice of a partition, static cells first.
func (m *model) read(partition string, slices_ []Slice, reverse bool, now int64) string {
	keys := slices.Sorted(mapKeys(m.rows[partition]))
	if reverse {
		slices.Reverse(keys)
	}
	var b strings.Builder
	for _, k := range keys {
		in := len(slices_) == 0
		for _, s := range slices_ {
			in = in || k >= string(s.Start) && (s.End == nil || k < string(s.End))
		}
		if row := m.print(m.rows[partition][k], m.deletion(partition, &k), now); in && row != "" {
			fmt.Fprintf(&b, "[%s]%s", k, row)
		}
	}
	return b.String()
}

func (m *model) static(partition string, now int64) string {
	return m.print(m.header[partition], m.deletion(partition, nil), now)
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// render prints a live row as the model does.
func render(f *row.Fragment, now int64) string {
	var parts []string
	for i := range f.Cells {
		if c := &f.Cells[i]; c.IsLive(now) {
			parts = append(parts, fmt.Sprintf("%d/%s=%s@%d", c.Column, c.Path, c.Value, c.Timestamp))
		}
	}
	sort.Strings(parts)
	if f.Liveness.IsLive(now) {
		parts = append(parts, fmt.Sprintf("live@%d", f.Liveness.Timestamp))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ",") + ";"
}

// A world is an engine, its model and a clock that the test moves.
type world struct {
	engine *Engine
	model  *model
	opts   Options
	limits func(*Engine)               // makes the engine's limits small
	during func()                      // called for every cell that is folded
	avoid  func(partition string) bool // which may not be written to; nil for none
	clock  int64
	newest int64 // timestamp, if they must rise
	rising bool
}

const (
	modelTable   = 3
	droppedTable = 2 // its keys lie before the other's
)

func partitionKey(p string) []byte { return row.AppendPartition(nil, int64(p[0])*1000-500, []byte(p)) }

func newWorld(t *rapid.T, dir string, rising bool) *world {
	w := &world{model: newModel(), clock: 1_000_000, rising: rising}
	grace := 1000 * time.Hour
	if rising {
		grace = 20 * time.Second
	}
	table := Table{Name: "ks.t", GCGrace: grace, Compress: true, HasColumn: func(uint32) bool {
		if w.during != nil {
			w.during()
		}
		return true
	}}
	w.opts = Options{Dir: dir, Memory: minMemory, MaxMutation: 1 << 20, Now: func() time.Time { return time.Unix(w.clock, 0) },
		Tables: func(incarnation uint32) (Table, bool) { return table, incarnation == modelTable }}
	w.limits = func(e *Engine) {}
	if rapid.Bool().Draw(t, "smallRows") {
		w.limits = func(e *Engine) { e.rowMax = 10 }
	}
	if rapid.Bool().Draw(t, "smallGroups") { // every mutation is a large one
		other := w.limits
		w.limits = func(e *Engine) {
			other(e)
			e.groupSize, e.valueThreshold = 200, 100
		}
	}
	w.open(t)
	return w
}

func (w *world) open(t *rapid.T) {
	e, err := Open(w.opts)
	if err != nil {
		t.Fatal(err)
	}
	w.limits(e)
	w.engine = e
}

// crash goes on with a copy of the directory, as a kill leaves it, unless files come or go while
// it is copied.
func (w *world) crash(t *rapid.T, dir string) {
	names := func() string {
		list, err := os.ReadDir(w.opts.Dir)
		must(t, err)
		return fmt.Sprint(list)
	}
	same := false
	w.engine.folder.exclusively(func() {
		before := names()
		err := os.CopyFS(dir, os.DirFS(w.opts.Dir))
		same = err == nil && names() == before
	})
	if !same {
		return
	}
	must(t, w.engine.Close())
	w.opts.Dir = dir
	w.open(t)
}

func (w *world) timestamp(t *rapid.T) int64 {
	if w.rising {
		w.newest++
		return w.newest
	}
	return rapid.Int64Range(-3, 12).Draw(t, "timestamp")
}

var (
	genPartition  = rapid.SampledFrom([]string{"a", "b\x00", "b\x00\x01", "c"})
	genClustering = rapid.SampledFrom(strings.Split(" |\x00|\x00\x01|a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z|\xFE|\xFF|\xFF\x00|\xFF\xFF|\xFF\xFFz", "|"))
)

// fragment draws a change of a row.
func (w *world) fragment(t *rapid.T) row.Fragment {
	f := *row.NewFragment()
	ts := w.timestamp(t)
	ttl := int64(0)
	if rapid.IntRange(0, 3).Draw(t, "expires") == 0 {
		ttl = rapid.Int64Range(1, 30).Draw(t, "ttl")
	}
	if rapid.Bool().Draw(t, "liveness") {
		f.Liveness = row.Liveness{Timestamp: ts, TTL: ttl}
		if ttl > 0 {
			f.Liveness.Expiry = w.clock + ttl
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "rowDeletion") == 0 {
		f.Deletion = row.Deletion{Timestamp: ts, LocalTime: w.clock}
	}
	for range rapid.IntRange(0, 3).Draw(t, "cells") {
		f.Cells = append(f.Cells, w.cell(t, ts, ttl))
	}
	return f
}

func (w *world) cell(t *rapid.T, ts, ttl int64) row.Cell {
	c := row.Cell{Column: rapid.Uint32Range(1, 4).Draw(t, "column"), Timestamp: ts}
	if c.Column == 4 {
		c.Path = []byte{byte('0' + rapid.IntRange(0, 3).Draw(t, "path"))}
	}
	switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case k == 0:
		c.Kind, c.LocalTime = row.Tombstone, w.clock
	case k == 1 && c.Column == 4:
		c.Kind, c.LocalTime, c.Path = row.CollectionDeletion, w.clock, nil
	case ttl > 0:
		c.Kind, c.TTL, c.LocalTime = row.ExpiringCell, ttl, w.clock+ttl
		fallthrough
	default:
		c.Value = []byte(rapid.SampledFrom([]string{"", "x", "y", "zz"}).Draw(t, "value"))
	}
	return c
}

// write applies several changes of one or two partitions at once.
func (w *world) write(t *rapid.T) {
	must(t, w.engine.Apply(context.Background(), w.draw(t)...))
}

// draw makes changes, which the model gets at once.
func (w *world) draw(t *rapid.T) (mutations []*row.Mutation) {
	for range rapid.IntRange(1, 2).Draw(t, "mutations") {
		p := genPartition.Draw(t, "partition")
		if w.avoid != nil && w.avoid(p) {
			continue
		}
		m := new(row.Mutation)
		m.Begin(modelTable, int64(p[0])*1000-500, []byte(p))
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			switch rapid.IntRange(0, 14).Draw(t, "what") {
			case 0:
				w.writeHeader(t, m, p)
			default:
				k := genClustering.Draw(t, "clustering")
				f := w.fragment(t)
				w.model.apply(p, &k, f)
				f.Normalize()
				m.AddRow(&f, []byte(k))
			}
		}
		mutations = append(mutations, m)
	}
	return mutations
}

func (w *world) writeHeader(t *rapid.T, m *row.Mutation, p string) {
	f := *row.NewFragment()
	ts := w.timestamp(t)
	d := row.Deletion{Timestamp: ts, LocalTime: w.clock}
	switch rapid.IntRange(0, 5).Draw(t, "header") {
	case 0:
		f.Deletion = d
	case 1, 2, 3:
		r := row.RangeTombstone{Start: []byte(genClustering.Draw(t, "start")), Deletion: d}
		if rapid.Bool().Draw(t, "bounded") {
			r.End = []byte(genClustering.Draw(t, "end"))
		}
		f.Ranges = append(f.Ranges, r)
	default:
		f.Cells = append(f.Cells, w.cell(t, ts, 0))
	}
	w.model.apply(p, nil, f)
	f.Normalize()
	m.AddHeader(&f)
}

// checkPartition compares one random read.
func (w *world) checkPartition(t *rapid.T) {
	p := genPartition.Draw(t, "partition")
	reverse := rapid.Bool().Draw(t, "reverse")
	want := drawSlices(t)
	c := w.engine.Read(&Read{Incarnation: modelTable, Partition: partitionKey(p), Slices: want, Reverse: reverse, Now: w.clock})
	got := w.drain(t, c)
	if expected := w.model.read(p, want, reverse, w.clock); got != expected {
		t.Fatalf("partition %q slices %q reverse %v:\n got %s\nwant %s", p, want, reverse, got, expected)
	}
	if got, want := render(c.Static(), w.clock), w.model.static(p, w.clock); got != want {
		t.Fatalf("static cells of %q: got %s, want %s", p, got, want)
	}
}

func drawSlices(t *rapid.T) (out []Slice) {
	var cut []string
	for range rapid.IntRange(0, 4).Draw(t, "bounds") {
		cut = append(cut, genClustering.Draw(t, "bound"))
	}
	slices.Sort(cut)
	cut = slices.Compact(cut)
	for i := 0; i+1 < len(cut); i += 2 {
		out = append(out, Slice{Start: []byte(cut[i]), End: []byte(cut[i+1])})
	}
	if len(cut)%2 == 1 {
		out = append(out, Slice{Start: []byte(cut[len(cut)-1])})
	}
	return out
}

func (w *world) drain(t *rapid.T, c *Cursor) string {
	defer c.Close()
	var b strings.Builder
	for c.Next() {
		fmt.Fprintf(&b, "[%s]%s", c.Clustering(), render(c.Row(), w.clock))
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	return b.String()
}

// checkResumed reads a partition page by page, each with a new cursor behind the last row.
func (w *world) checkResumed(t *rapid.T) {
	p := genPartition.Draw(t, "partition")
	reverse := rapid.Bool().Draw(t, "reverse")
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	var b strings.Builder
	rest := Slice{Start: []byte{}}
	for more := true; more; {
		c := w.engine.Read(&Read{Incarnation: modelTable, Partition: partitionKey(p), Slices: []Slice{rest}, Reverse: reverse, Now: w.clock})
		more = false
		for n := 0; n < limit && c.Next(); n++ {
			fmt.Fprintf(&b, "[%s]%s", c.Clustering(), render(c.Row(), w.clock))
			if reverse {
				rest.End = bytes.Clone(c.Clustering())
			} else {
				rest.Start = append(bytes.Clone(c.Clustering()), 0)
			}
			more = true
		}
		must(t, c.Err())
		c.Close()
	}
	if want := w.model.read(p, nil, reverse, w.clock); b.String() != want {
		t.Fatalf("partition %q in pages of %d, reverse %v:\n got %s\nwant %s", p, limit, reverse, b.String(), want)
	}
}

// checkStatic compares the read of static cells alone.
func (w *world) checkStatic(t *rapid.T) {
	p := genPartition.Draw(t, "partition")
	c := w.engine.Read(&Read{Incarnation: modelTable, Partition: partitionKey(p), Reverse: rapid.Bool().Draw(t, "reverse"), StaticOnly: true, Now: w.clock})
	defer c.Close()
	got := "none"
	if c.Next() {
		got = render(c.Static(), w.clock)
		if (c.Row() == nil) != (w.model.read(p, nil, false, w.clock) == "") {
			t.Fatalf("partition %q: row %v", p, c.Row())
		}
	}
	must(t, c.Err())
	want := w.model.static(p, w.clock)
	if want == "" && w.model.read(p, nil, false, w.clock) == "" {
		want = "none"
	}
	if got != want {
		t.Fatalf("static cells of %q: got %s, want %s", p, got, want)
	}
}

// checkPoint compares the read of one row.
func (w *world) checkPoint(t *rapid.T) {
	p, k := genPartition.Draw(t, "partition"), genClustering.Draw(t, "clustering")
	reverse := rapid.Bool().Draw(t, "reverse")
	got := w.drain(t, w.engine.Read(&Read{Incarnation: modelTable, Partition: partitionKey(p), Point: true,
		Slices: []Slice{{Start: []byte(k)}}, Reverse: reverse, Now: w.clock}))
	want := w.model.read(p, []Slice{{Start: []byte(k), End: []byte(k + "\x00")}}, false, w.clock)
	if got != want {
		t.Fatalf("row %q %q: got %s, want %s", p, k, got, want)
	}
}

// checkScan compares a scan of the whole table from a random row on.
func (w *world) checkScan(t *rapid.T) {
	s := &Scan{Incarnation: modelTable, Now: w.clock, StaticOnly: rapid.Bool().Draw(t, "staticOnly")}
	from, after := "", ""
	if rapid.Bool().Draw(t, "resume") {
		from, after = genPartition.Draw(t, "from"), genClustering.Draw(t, "after")
		s.Start = append(append(partitionKey(from), byte(row.KindRow)), after...)
	}
	c := w.engine.Scan(s)
	defer c.Close()
	var got, want strings.Builder
	for c.Next() {
		if c.Row() == nil {
			fmt.Fprintf(&got, "%x static %s\n", c.Partition(), render(c.Static(), w.clock))
			continue
		}
		fmt.Fprintf(&got, "%x static %s [%s]%s\n", c.Partition(), render(c.Static(), w.clock), c.Clustering(), render(c.Row(), w.clock))
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	for _, p := range []string{"a", "b\x00", "b\x00\x01", "c"} {
		if from != "" && bytes.Compare(partitionKey(p), partitionKey(from)) < 0 {
			continue
		}
		static, rows := w.model.static(p, w.clock), 0
		for _, k := range slices.Sorted(mapKeys(w.model.rows[p])) {
			if p == from && k < after {
				continue
			}
			if r := w.model.print(w.model.rows[p][k], w.model.deletion(p, &k), w.clock); r != "" {
				fmt.Fprintf(&want, "%x static %s [%s]%s\n", partitionKey(p), static, k, r)
				rows++
			}
		}
		if rows == 0 && static != "" && s.StaticOnly && p != from {
			fmt.Fprintf(&want, "%x static %s\n", partitionKey(p), static)
		}
	}
	if got.String() != want.String() {
		t.Fatalf("scan from %q %q:\n got %s\nwant %s", from, after, got.String(), want.String())
	}
}

// foldSome folds with a random policy, in many small steps, while others write.
func (w *world) foldSome(t *rapid.T) {
	table, _ := w.opts.Tables(modelTable)
	policy := w.engine.folder.policy(table)
	policy.leastFragments = rapid.IntRange(0, 6).Draw(t, "leastFragments")
	policy.maxCount = rapid.IntRange(1, 30).Draw(t, "maxCount")
	policy.pageTarget = rapid.IntRange(20, 300).Draw(t, "pageTarget")
	policy.maxBytes = rapid.Int64Range(1, 5000).Draw(t, "maxBytes")
	old := rapid.Bool().Draw(t, "old")
	writes := rapid.IntRange(0, 3).Draw(t, "writes")
	var err error
	w.engine.folder.exclusively(func() {
		f := w.engine.folder
		if old { // empty pages may be removed
			f.marks = []horizonMark{{at: time.Now().Add(-2 * emptyPageAge), seq: w.engine.visible.Load()}}
		}
		cells := 0
		w.during = func() {
			if cells++; writes > 0 && cells%7 == 3 {
				writes--
				w.write(t)
			}
		}
		err = f.sweep(modelTable, policy)
		w.during = nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reclaim writes to a table that does not exist, as those do whose statement began before it was
// dropped, and removes its data.
func (w *world) reclaim(t *rapid.T) {
	m := new(row.Mutation)
	m.Begin(droppedTable, 1, []byte("p"))
	for i := range rapid.IntRange(0, 3).Draw(t, "dropped") {
		insert(m, fmt.Sprint(i), 1, "v")
	}
	must(t, w.engine.Apply(context.Background(), m))
	must(t, w.engine.reclaimAll())
	left, err := w.engine.incarnations()
	must(t, err)
	if len(left) > 1 || len(left) == 1 && left[0] != modelTable {
		t.Fatalf("data of tables %v is left", left)
	}
}

func TestAgainstModel(t *testing.T) {
	for _, rising := range []bool{false, true} {
		t.Run(fmt.Sprintf("rising=%v", rising), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				w := newWorld(r, t.TempDir(), rising)
				defer func() { w.engine.Close() }()
				rarely := func(do func(t *rapid.T)) func(t *rapid.T) {
					return func(t *rapid.T) {
						if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
							do(t)
						}
					}
				}
				r.Repeat(map[string]func(*rapid.T){
					"write1": w.write, "write2": w.write, "write3": w.write,
					"fold1": w.foldSome, "fold2": w.foldSome,
					"compact": func(t *rapid.T) { // Compact, without its wait for a full memtable
						must(t, w.engine.folder.compact(context.Background(), modelTable))
						w.engine.advanceDiscard()
						must(t, w.engine.db.Flatten(1))
					},
					"partition": w.checkPartition,
					"resumed":   w.checkResumed,
					"static":    w.checkStatic,
					"point":     w.checkPoint,
					"scan":      w.checkScan,
					"blocks":    w.checkBlocks,
					"time":      func(t *rapid.T) { w.clock += rapid.Int64Range(0, 25).Draw(t, "seconds") },
					"reclaim":   rarely(w.reclaim),
					"remove":    rarely(w.removeRange),
					"reopen": rarely(func(t *rapid.T) {
						must(t, w.engine.Close())
						w.open(t)
					}),
					"crash": rarely(func(r *rapid.T) { w.crash(r, t.TempDir()) }),
					"":      func(t *rapid.T) { w.checkPartition(t); w.checkScan(t) },
				})
			})
		})
	}
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
