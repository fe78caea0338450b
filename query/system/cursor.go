package system

import (
	"bytes"
	"slices"

	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A Cursor yields rows that are in memory, as *storage.Cursor yields stored ones. It is not safe for concurrent use.
type Cursor struct {
	spans   [][]entry // what is still to be read, in reading order
	reverse bool      // each span from its end
	at      *entry
	static  *row.Fragment // empty: no table of the system has static columns
	stats   storage.ReadStats
}

// newCursor returns a cursor over parts of sorted rows.
func newCursor(reverse bool, spans ...[]entry) *Cursor {
	return &Cursor{spans: spans, reverse: reverse, static: row.NewFragment()}
}

// read returns a cursor over the rows of one partition.
func read(list []entry, r *storage.Read) *Cursor {
	first := append(bytes.Clone(r.Partition), byte(row.KindRow))
	key := func(clustering []byte) []byte { return append(bytes.Clone(first), clustering...) }
	slicesOf := r.Slices
	if len(slicesOf) == 0 {
		slicesOf = []storage.Slice{{}}
	}
	var spans [][]entry
	for _, s := range slicesOf {
		end := append(bytes.Clone(r.Partition), byte(row.KindRow)+1)
		switch {
		case r.Point:
			end = append(key(s.Start), 0)
		case s.End != nil:
			end = key(s.End)
		}
		spans = append(spans, between(list, key(s.Start), end))
	}
	if r.Reverse {
		slices.Reverse(spans)
	}
	return newCursor(r.Reverse, spans...)
}

// scan returns a cursor over the rows of many partitions.
func scan(list []entry, s *storage.Scan) *Cursor {
	return newCursor(false, between(list, s.Start, s.End))
}

// between returns the rows whose keys lie in [start, end); a nil end means no bound.
func between(list []entry, start, end []byte) []entry {
	find := func(key []byte) int {
		at, _ := slices.BinarySearchFunc(list, key, func(e entry, key []byte) int { return bytes.Compare(e.key, key) })
		return at
	}
	from, to := find(start), len(list)
	if end != nil {
		to = find(end)
	}
	return list[from:max(from, to)]
}

// Next moves to the next row and reports whether there is one.
func (c *Cursor) Next() bool {
	for len(c.spans) > 0 {
		span := c.spans[0]
		if len(span) == 0 {
			c.spans = c.spans[1:]
			continue
		}
		if last := len(span) - 1; c.reverse {
			c.at, c.spans[0] = &span[last], span[:last]
		} else {
			c.at, c.spans[0] = &span[0], span[1:]
		}
		c.stats.Rows++
		return true
	}
	return false
}

// SkipPartition makes Next go on with the next partition of a scan.
func (c *Cursor) SkipPartition() {
	if c.at != nil && len(c.spans) > 0 {
		c.spans[0] = between(c.spans[0], append(bytes.Clone(c.Partition()), 0xFF), nil)
	}
}

// Row returns the row that the cursor stands on.
func (c *Cursor) Row() *row.Fragment { return c.at.fragment }

// Static returns an empty fragment.
func (c *Cursor) Static() *row.Fragment { return c.static }

// Partition returns the partition's part of the row key.
func (c *Cursor) Partition() []byte { return c.at.key[:c.at.partition:c.at.partition] }

// Clustering returns the row's clustering key in key encoding.
func (c *Cursor) Clustering() []byte { return c.at.key[c.at.partition+1:] }

// Stats returns what the cursor has passed so far.
func (c *Cursor) Stats() storage.ReadStats { return c.stats }

// Err returns nil: nothing can go wrong.
func (c *Cursor) Err() error { return nil }

// Close does nothing.
func (c *Cursor) Close() {}
