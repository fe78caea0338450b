package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/storage/row"
)

// A question is a Read or a Scan.
type question struct {
	read *Read
	scan *Scan
}

func (w *world) drawQuestion(t *rapid.T) (q question) {
	static := rapid.Bool().Draw(t, "staticOnly")
	if rapid.Bool().Draw(t, "scans") {
		q.scan = &Scan{Incarnation: modelTable, Now: w.clock, StaticOnly: static, Start: drawBound(t, "start"), End: drawBound(t, "end")}
		if q.scan.Start != nil && q.scan.End != nil && bytes.Compare(q.scan.Start, q.scan.End) > 0 {
			q.scan.Start, q.scan.End = q.scan.End, q.scan.Start
		}
		return q
	}
	q.read = &Read{Incarnation: modelTable, Partition: partitionKey(genPartition.Draw(t, "partition")), Now: w.clock, StaticOnly: static,
		Reverse: rapid.Bool().Draw(t, "reverse")}
	if q.read.Point = rapid.IntRange(0, 4).Draw(t, "point") == 0; q.read.Point {
		q.read.Slices = []Slice{{Start: []byte(genClustering.Draw(t, "clustering"))}}
	} else {
		q.read.Slices = drawSlices(t)
	}
	return q
}

func drawBound(t *rapid.T, name string) []byte {
	partition := partitionKey(genPartition.Draw(t, name))
	switch rapid.IntRange(0, 5).Draw(t, name+"Kind") {
	case 0, 1:
		return nil
	case 2:
		return partition[:row.TokenSize]
	case 3:
		return append(partition, 0xFF)
	case 4:
		return append(partition, byte(row.KindHeader))
	default:
		return append(append(partition, byte(row.KindRow)), genClustering.Draw(t, name+"Row")...)
	}
}

func drawLimit(t *rapid.T) Limit {
	return rapid.SampledFrom([]Limit{{Rows: 1}, {Rows: 2}, {Rows: 7}, {Bytes: 1}, {Bytes: 100}, {}}).Draw(t, "limit")
}

func (q question) open(e *Engine) *Cursor {
	if q.read != nil {
		return e.Read(q.read)
	}
	return e.Scan(q.scan)
}

// block returns the block behind a row key, by way of the wire; nil if nothing is left.
func (q question) block(e *Engine, after []byte, l Limit) (block []byte, err error) {
	if q.read != nil {
		r, l, rest, err := DecodeRead(AppendRead(nil, q.read, l))
		if err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes left, %w", len(rest), err)
		}
		if after != nil && !r.After(after) {
			return nil, nil
		}
		block, _, err = e.ReadBlock(nil, r, l)
		return block, err
	}
	s, l, rest, err := DecodeScan(AppendScan(nil, q.scan, l))
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes left, %w", len(rest), err)
	}
	if after != nil && !s.After(after) {
		return nil, nil
	}
	block, _, err = e.ScanBlock(nil, s, l)
	return block, err
}

// through returns a cursor over what fetch delivers.
func (q question) through(fetch Fetch, o BlockOptions) *Cursor {
	if q.read != nil {
		return NewReadCursor(q.read, fetch, o)
	}
	return NewScanCursor(q.scan, fetch, o)
}

// blocksOf fetches the blocks of one engine.
func (q question) blocksOf(e *Engine, l Limit) Fetch {
	return func(after []byte) (*Entries, error) {
		block, err := q.block(e, after, l)
		if block == nil || err != nil {
			return &Entries{}, err
		}
		return BlockEntries(block), nil
	}
}

// state prints what a cursor shows after Next; dead things only if exact, because blocks have less of them.
func (w *world) state(c *Cursor, exact bool) string {
	s := fmt.Sprintf("%x %q nil=%v rows=%d static %s ", c.Partition(), c.Clustering(), c.Row() == nil, c.Stats().Rows, render(c.Static(), w.clock))
	if c.Row() != nil {
		s += render(c.Row(), w.clock)
	}
	if exact {
		s += fmt.Sprintf(" header %s row %s tombstones %d", plain(c.Static()), plain(c.Row()), c.Stats().Tombstones)
	}
	return s
}

func plain(f *row.Fragment) string {
	if f == nil {
		return "none"
	}
	return fmt.Sprintf("%x", row.AppendBody(nil, f, 0))
}

// sameAnswers steps through two cursors, and skips partitions now and then.
func (w *world) sameAnswers(t *rapid.T, got, want *Cursor, exact bool) {
	defer got.Close()
	defer want.Close()
	for {
		g, m := got.Next(), want.Next()
		if g != m {
			t.Fatalf("Next is %v, want %v; errors %v, %v", g, m, got.Err(), want.Err())
		}
		if !g {
			break
		}
		if g, m := w.state(got, exact), w.state(want, exact); g != m {
			t.Fatalf("\n got %s\nwant %s", g, m)
		}
		if rapid.IntRange(0, 4).Draw(t, "skip") == 0 {
			got.SkipPartition()
			want.SkipPartition()
		}
	}
	var g, m *TombstoneError
	if errors.As(got.Err(), &g) != errors.As(want.Err(), &m) || g == nil && (got.Err() != nil || want.Err() != nil) {
		t.Fatalf("it ends with %v, want %v", got.Err(), want.Err())
	}
	if exact && got.Stats().Tombstones != want.Stats().Tombstones {
		t.Fatalf("%d tombstones, want %d", got.Stats().Tombstones, want.Stats().Tombstones)
	}
}

// checkBlocks compares a cursor over blocks with that of the engine.
func (w *world) checkBlocks(t *rapid.T) {
	q, l := w.drawQuestion(t), drawLimit(t)
	fail, closed := Options{}.withDefaults().TombstoneFail, 0
	if !w.rising && rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		fail = rapid.IntRange(1, 10).Draw(t, "fail")
	}
	want := q.open(w.engine)
	want.fail = fail
	got := q.through(q.blocksOf(w.engine, l), BlockOptions{Table: "ks.t", TombstoneFail: fail, Close: func() { closed++ }})
	w.sameAnswers(t, got, want, !w.rising)
	if got.Close(); closed != 1 {
		t.Fatalf("closed %d times", closed)
	}
}

// twin opens another engine with the same clock.
func (w *world) twin(t *rapid.T, dir string) *world {
	other := *w
	other.opts.Dir = dir
	other.open(t)
	return &other
}

// Engines with the same changes give the same blocks, in whatever order they came and whatever was folded.
func TestBlocksAreCanonical(t *testing.T) {
	for _, rising := range []bool{false, true} {
		t.Run(fmt.Sprintf("rising=%v", rising), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				a := newWorld(r, t.TempDir(), rising)
				defer func() { a.engine.Close() }()
				b := a.twin(r, t.TempDir())
				defer func() { b.engine.Close() }()
				for range rapid.IntRange(1, 4).Draw(r, "rounds") {
					var changes []*row.Mutation
					for range rapid.IntRange(1, 10).Draw(r, "writes") {
						changes = append(changes, a.draw(r)...)
						a.clock += rapid.Int64Range(0, 10).Draw(r, "seconds")
					}
					must(r, a.engine.Apply(context.Background(), changes...))
					for _, m := range rapid.Permutation(changes).Draw(r, "order") {
						var sent row.Mutation
						rest, err := sent.Decode(m.Append(nil))
						if must(r, err); len(rest) > 0 {
							r.Fatal("bytes are left")
						}
						must(r, b.engine.Apply(context.Background(), &sent))
					}
					a.clock += rapid.Int64Range(0, 40).Draw(r, "seconds")
					b.clock = a.clock
					for range rapid.IntRange(1, 3).Draw(r, "folds") {
						sweepRapid(r, b)
					}
					for range 5 {
						a.sameBlocks(r, a.drawQuestion(r), a.engine, b.engine)
					}
				}
			})
		})
	}
}

// sweepRapid folds without writing meanwhile.
func sweepRapid(t *rapid.T, w *world) {
	table, _ := w.opts.Tables(modelTable)
	policy := w.engine.folder.policy(table)
	policy.leastFragments = rapid.IntRange(-1, 6).Draw(t, "leastFragments")
	policy.pageTarget = rapid.IntRange(20, 300).Draw(t, "pageTarget")
	w.engine.folder.exclusively(func() { must(t, w.engine.folder.sweep(modelTable, policy)) })
}

// sameBlocks compares all blocks of a question.
func (w *world) sameBlocks(t *rapid.T, q question, engines ...*Engine) {
	l := drawLimit(t)
	var after []byte
	for more := true; more; {
		first, err := q.block(engines[0], after, l)
		must(t, err)
		for _, e := range engines[1:] {
			other, err := q.block(e, after, l)
			must(t, err)
			if !bytes.Equal(first, other) || Digest(first) != Digest(other) {
				t.Fatalf("%+v %+v:\n%s\n%s", q.read, q.scan, printBlock(first), printBlock(other))
			}
		}
		if first == nil {
			return
		}
		var r BlockReader
		for r.Reset(first); r.Next(); {
		}
		must(t, r.Err())
		more, after = !r.Complete(), bytes.Clone(r.Key())
	}
}

func printBlock(block []byte) (out string) {
	var r BlockReader
	for r.Reset(block); r.Next(); {
		out += fmt.Sprintf("%q %+v\n", r.Key(), *r.Row())
	}
	return fmt.Sprintf("%s%v complete %v", out, r.Err(), r.Complete())
}

// Replicas that each missed some changes show together what one that has them all shows, and are alike afterwards.
func TestMergeAndRepair(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := newWorld(r, t.TempDir(), false)
		defer func() { all.engine.Close() }()
		var replicas []*Engine
		for range rapid.IntRange(1, 3).Draw(r, "replicas") {
			w := all.twin(r, t.TempDir())
			defer func() { w.engine.Close() }()
			replicas = append(replicas, w.engine)
		}
		for range rapid.IntRange(1, 3).Draw(r, "rounds") {
			for range rapid.IntRange(1, 12).Draw(r, "writes") {
				changes := all.draw(r)
				must(r, all.engine.Apply(context.Background(), changes...))
				for _, m := range changes {
					sure := rapid.IntRange(0, len(replicas)-1).Draw(r, "sure")
					for i, e := range replicas {
						if i == sure || rapid.Bool().Draw(r, "gets it") {
							must(r, e.Apply(context.Background(), m))
						}
					}
				}
			}
			all.clock += rapid.Int64Range(0, 20).Draw(r, "seconds")
			q := all.drawQuestion(r)
			if rapid.IntRange(0, 2).Draw(r, "whole") == 0 {
				q = question{scan: &Scan{Incarnation: modelTable, Now: all.clock}}
			}
			got := q.through(q.mergedOf(r, replicas), BlockOptions{Table: "ks.t"})
			all.sameAnswers(r, got, q.open(all.engine), true)
			finish := q.through(q.mergedOf(r, replicas), BlockOptions{})
			for finish.Next() { // the first one may have skipped partitions
			}
			must(r, finish.Err())
			all.sameBlocks(r, q, append(replicas, all.engine)...)
		}
	})
}

// mergedOf fetches from all replicas, merges, and repairs.
func (q question) mergedOf(t *rapid.T, replicas []*Engine) Fetch {
	return func(after []byte) (*Entries, error) {
		var blocks [][]byte
		for _, e := range replicas {
			block, err := q.block(e, after, drawLimit(t))
			if block == nil || err != nil {
				return &Entries{}, err
			}
			blocks = append(blocks, block)
		}
		entries, repairs, err := MergeBlocks(modelTable, q.read != nil && q.read.Reverse, blocks)
		if err != nil {
			return nil, err
		}
		for i, mutations := range repairs {
			if len(mutations) > 0 {
				must(t, replicas[i].Apply(context.Background(), mutations...))
			}
		}
		return entries, nil
	}
}
