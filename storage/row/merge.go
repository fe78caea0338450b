package row

import (
	"bytes"
	"slices"
)

// Reconcile reports whether a wins over b, two cells of the same column and path. It is total:
// of two different cells exactly one wins on every replica.
func Reconcile(a, b *Cell) bool {
	if a.Timestamp != b.Timestamp {
		return a.Timestamp > b.Timestamp
	}
	if a.Kind != b.Kind {
		return a.Kind > b.Kind // tombstone over expiring over plain
	}
	if a.LocalTime != b.LocalTime {
		return a.LocalTime > b.LocalTime
	}
	if c := bytes.Compare(a.Value, b.Value); c != 0 {
		return c > 0
	}
	return a.TTL < b.TTL
}

// compareCells orders cells inside a row: by column, the collection's deletion first, then by path.
func compareCells(a, b *Cell) int {
	if a.Column != b.Column {
		if a.Column < b.Column {
			return -1
		}
		return 1
	}
	if (a.Kind == CollectionDeletion) != (b.Kind == CollectionDeletion) {
		if a.Kind == CollectionDeletion {
			return -1
		}
		return 1
	}
	return bytes.Compare(a.Path, b.Path)
}

// Normalize brings the cells of a fragment that a caller assembled in any order into the order
// that the rest of this package expects, reconciles cells that were given twice, and drops what
// the fragment's own deletions remove.
func (f *Fragment) Normalize() {
	slices.SortStableFunc(f.Cells, func(a, b Cell) int { return compareCells(&a, &b) })
	kept := f.Cells[:0]
	for i := range f.Cells {
		c := f.Cells[i]
		if n := len(kept); n > 0 && compareCells(&kept[n-1], &c) == 0 {
			if Reconcile(&c, &kept[n-1]) {
				kept[n-1] = c
			}
			continue
		}
		kept = append(kept, c)
	}
	f.Cells = kept
	f.dropShadowed()
}

// A Merger merges the fragments of one row after another in memory of its own.
// The zero Merger is ready to use.
type Merger struct {
	levels [][2]*Fragment // per depth of the merge tree, two results
}

// Merge returns the row that all fragments together describe; with one fragment that fragment
// itself. The fragments must be normalized, as decoded ones are, and are not changed. The result
// shares their byte slices and is valid until the next call.
//
// It works as a balanced tree, so that a row with many fragments costs n log n.
func (m *Merger) Merge(fragments []*Fragment) *Fragment {
	return m.mergeInto(fragments, 0, 0)
}

func (m *Merger) mergeInto(fragments []*Fragment, depth, side int) *Fragment {
	if len(fragments) == 1 {
		return fragments[0]
	}
	half := len(fragments) / 2
	a := m.mergeInto(fragments[:half], depth+1, 0)
	b := m.mergeInto(fragments[half:], depth+1, 1)
	for len(m.levels) <= depth {
		m.levels = append(m.levels, [2]*Fragment{NewFragment(), NewFragment()})
	}
	out := m.levels[depth][side]
	mergeTwo(out, a, b)
	return out
}

// mergeTwo overwrites out with the merge of a and b. out must be neither of them.
func mergeTwo(out, a, b *Fragment) {
	out.Reset()
	out.Liveness, out.Deletion = a.Liveness, a.Deletion
	if b.Liveness.supersedes(out.Liveness) {
		out.Liveness = b.Liveness
	}
	if b.Deletion.Supersedes(out.Deletion) {
		out.Deletion = b.Deletion
	}
	out.Ranges = append(append(out.Ranges, a.Ranges...), b.Ranges...)
	x, y := a.Cells, b.Cells
	for len(x) > 0 && len(y) > 0 {
		switch c := compareCells(&x[0], &y[0]); {
		case c < 0:
			out.Cells, x = append(out.Cells, x[0]), x[1:]
		case c > 0:
			out.Cells, y = append(out.Cells, y[0]), y[1:]
		default:
			if Reconcile(&y[0], &x[0]) {
				out.Cells = append(out.Cells, y[0])
			} else {
				out.Cells = append(out.Cells, x[0])
			}
			x, y = x[1:], y[1:]
		}
	}
	out.Cells = append(append(out.Cells, x...), y...)
	out.dropShadowed()
}

// dropShadowed removes what the fragment's own deletions delete.
func (f *Fragment) dropShadowed() {
	if f.Deletion.Exists() {
		if f.Deletion.Deletes(f.Liveness.Timestamp) {
			f.Liveness = NoLiveness
		}
		f.Ranges = slices.DeleteFunc(f.Ranges, func(r RangeTombstone) bool {
			return f.Deletion.Deletes(r.Deletion.Timestamp)
		})
	}
	if !f.Deletion.Exists() && !f.hasCollectionDeletion() {
		return
	}
	kept := f.Cells[:0]
	column, deletion := uint32(0), f.Deletion
	for i := range f.Cells {
		c := &f.Cells[i]
		if i == 0 || c.Column != column {
			column, deletion = c.Column, f.Deletion
		}
		if deletion.Deletes(c.Timestamp) {
			continue
		}
		if c.Kind == CollectionDeletion {
			deletion = c.Deletion()
		}
		kept = append(kept, *c)
	}
	f.Cells = kept
}

func (f *Fragment) hasCollectionDeletion() bool {
	for i := range f.Cells {
		if f.Cells[i].Kind == CollectionDeletion {
			return true
		}
	}
	return false
}

// Shadow removes from a merged row what a deletion from outside the row deletes: that of the
// partition, or of a range that the row lies in. The outer deletion is not kept in the row.
func (f *Fragment) Shadow(d Deletion) {
	if !d.Supersedes(f.Deletion) {
		return
	}
	f.Deletion = d
	f.dropShadowed()
	f.Deletion = Live
}

// slowClock is how many seconds a reader's clock may be behind that of a replica which purges.
const slowClock = 3600

// Purge empties the values that have expired by now, for readers with slow clocks too, and drops
// every tombstone made, and every cell expired, before gcBefore; both in seconds since the epoch.
// It reports whether anything changed. The caller must have merged everything that the dropped
// ones could shadow.
//
// An expired cell does not become a tombstone, as it does in Cassandra: of two expiring cells
// with equal timestamps the one that expires later must win whether or not the other was purged.
func (f *Fragment) Purge(now, gcBefore int64) bool {
	changed := false
	if f.Liveness.TTL > 0 && f.Liveness.Expiry <= now && f.Liveness.Expiry < gcBefore {
		f.Liveness, changed = NoLiveness, true // until then it keeps shadowing older ones that never expire
	}
	if f.Deletion.Exists() && f.Deletion.LocalTime < gcBefore {
		f.Deletion, changed = Live, true
	}
	ranges := len(f.Ranges)
	f.Ranges = slices.DeleteFunc(f.Ranges, func(r RangeTombstone) bool { return r.Deletion.LocalTime < gcBefore })
	changed = changed || len(f.Ranges) != ranges
	kept := f.Cells[:0]
	for i := range f.Cells {
		c := f.Cells[i]
		expired := c.Kind == ExpiringCell && c.LocalTime <= now
		if expired && c.LocalTime <= now-slowClock && len(c.Value) > 0 {
			c.Value, changed = nil, true
		}
		if (expired || c.Kind >= Tombstone) && c.LocalTime < gcBefore {
			changed = true
			continue
		}
		kept = append(kept, c)
	}
	f.Cells = kept
	return changed
}

// PurgeableFrom returns the earliest time, in seconds since the epoch, at which something in f
// starts its gc_grace_seconds, and false if nothing ever does.
func (f *Fragment) PurgeableFrom() (int64, bool) {
	first, found := int64(0), false
	note := func(t int64) {
		if !found || t < first {
			first, found = t, true
		}
	}
	if f.Liveness.TTL > 0 {
		note(f.Liveness.Expiry)
	}
	if f.Deletion.Exists() {
		note(f.Deletion.LocalTime)
	}
	for i := range f.Ranges {
		note(f.Ranges[i].Deletion.LocalTime)
	}
	for i := range f.Cells {
		if f.Cells[i].Kind != LiveCell {
			note(f.Cells[i].LocalTime)
		}
	}
	return first, found
}
