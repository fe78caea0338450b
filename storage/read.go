package storage

import (
	"bytes"
	"errors"

	"github.com/iliumdb/ilium/storage/row"
)

var errChecksum = errors.New("checksum mismatch")

// A Slice is a range of clustering keys in key encoding: [Start, End). A nil End means to the
// end of the partition.
type Slice struct {
	Start, End []byte
}

// A Read asks for rows of one partition.
type Read struct {
	Incarnation uint32
	Partition   []byte  // as row.AppendPartition makes it
	Slices      []Slice // ascending and disjoint; none means all rows
	Reverse     bool    // from the last row to the first
	Point       bool    // at most one row is wanted: Slices holds its exact clustering key as Start
	StaticOnly  bool    // if the partition has live static cells but no row, yield them alone
	Now         int64   // seconds since the epoch, for what expires
}

// A Scan asks for the rows of many partitions in token order.
type Scan struct {
	Incarnation uint32
	Start, End  []byte // row keys or prefixes of them: [Start, End); nil means no bound
	StaticOnly  bool   // as in Read, for each partition that Start does not lie inside of
	Now         int64
}

// ReadStats counts what a cursor has passed.
type ReadStats struct {
	Rows       int    // live rows yielded
	Tombstones int    // deleted or expired cells, rows and ranges passed
	Fragments  int    // unfolded fragments merged
	Pages      int    // loaded
	Commit     uint64 // sequence number of the newest commit that it sees
}

// A Cursor yields live rows. It is not safe for concurrent use. It pins files on disk, so it
// must be closed soon.
type Cursor struct {
	source entrySource
	entry  *entry // that source stands on
	now    int64
	fail   int // tombstones that are too many

	// Of a cursor over the engine.
	engine  *Engine
	view    *view
	entries *entries // the source

	// Of a cursor over blocks.
	blocks *blocks // the source
	close  func()
	table  string // its name

	// What is still to be read.
	slices  []Slice // of a Read, bounds are whole row keys
	reverse bool
	inSlice bool
	scan    bool

	staticOnly bool

	// Where it stands.
	at         partition
	yielded    bool // a row of the partition, or its static cells, were yielded
	pending    bool // entry was not taken yet
	row        *row.Fragment
	clustering []byte

	stats   ReadStats
	entered int // entries passed
	err     error
}

// Read returns a cursor over rows of one partition. The caller must Close it. r and its slices
// must not change meanwhile.
func (e *Engine) Read(r *Read) *Cursor {
	c := &Cursor{engine: e, fail: e.opts.TombstoneFail, now: r.Now, reverse: r.Reverse, staticOnly: r.StaticOnly}
	c.at.prefix = r.Partition
	c.at.header.Reset()
	if c.err = e.damaged(r.Incarnation, r.Partition, nil); c.err != nil {
		return c
	}
	rows := append(append(make([]byte, 0, len(r.Partition)+1), r.Partition...), byte(row.KindRow))
	state := e.table(r.Incarnation)
	headers := state.headers.Load()
	if r.Point && !headers {
		key := append(rows, r.Slices[0].Start...)
		c.slices = []Slice{{Start: key, End: append(key[:len(key):len(key)], 0)}}
		c.reverse = false
		c.view, c.err = e.openView(r.Incarnation, key, true, false)
		if headers = state.headers.Load(); headers && c.err == nil { // the first one may be in the view
			c.view.close()
			c.reverse = r.Reverse
		}
	}
	if (!r.Point || headers) && c.err == nil {
		c.slices = rowSlices(rows, r)
		c.view, c.err = e.openView(r.Incarnation, r.Partition, false, r.Reverse)
		headers = state.headers.Load() // headers are announced before they are committed
	}
	if c.err != nil {
		return c
	}
	c.walk(newEntries(c.view, c.reverse))
	if headers {
		c.loadHeader()
	}
	return c
}

// rowSlices turns slices of clustering keys into slices of row keys, in reading order.
func rowSlices(rows []byte, r *Read) []Slice {
	end := append(bytes.Clone(rows[:len(rows)-1]), byte(row.KindRow)+1)
	if len(r.Slices) == 0 {
		return []Slice{{Start: rows, End: end}}
	}
	out := make([]Slice, 0, len(r.Slices))
	key := func(clustering []byte) []byte {
		return append(append(make([]byte, 0, len(rows)+len(clustering)), rows...), clustering...)
	}
	for _, s := range r.Slices {
		slice := Slice{Start: key(s.Start), End: end}
		switch {
		case r.Point:
			slice.End = append(key(s.Start), 0)
		case s.End != nil:
			slice.End = key(s.End)
		}
		out = append(out, slice)
	}
	if r.Reverse {
		reverseInPlace(out)
	}
	return out
}

// Scan returns a cursor over many partitions. The caller must Close it.
func (e *Engine) Scan(s *Scan) *Cursor {
	c := &Cursor{engine: e, fail: e.opts.TombstoneFail, now: s.Now, scan: true, staticOnly: s.StaticOnly}
	c.at.header.Reset()
	c.slices = []Slice{{Start: s.Start, End: s.End}}
	if c.err = e.damaged(s.Incarnation, s.Start, orEnd(s.End)); c.err != nil {
		return c
	}
	if c.view, c.err = e.openView(s.Incarnation, nil, false, false); c.err != nil {
		return c
	}
	c.walk(newEntries(c.view, false))
	if c.beginInside(s.Start) && e.table(s.Incarnation).headers.Load() {
		c.loadHeader()
	}
	return c
}

func (c *Cursor) walk(source *entries) {
	c.source, c.entry, c.entries = source, &source.entry, source
}

// beginInside enters the partition whose rows a scan's start lies among, if there is one.
func (c *Cursor) beginInside(start []byte) bool {
	end, err := row.PartitionEnd(start)
	if err != nil || row.Kind(start[end]) != row.KindRow {
		return false
	}
	c.at.prefix = append(c.at.prefix, start[:end]...)
	c.yielded = true
	return true
}

func (c *Cursor) loadHeader() {
	found, err := c.at.findHeader(c.entries)
	if err != nil {
		c.err = c.explain(err)
	} else if found {
		c.keepHeader()
	}
}

// keepHeader takes the entry as the header of the partition.
func (c *Cursor) keepHeader() {
	low, high := c.bounds()
	c.at.keep(c.entry.merged, low, high)
	c.countHeader()
}

// bounds returns what is read of the partition: the clustering keys in [low, high); a nil high is behind all.
func (c *Cursor) bounds() (low, high []byte) {
	first, last := c.slices[0], c.slices[len(c.slices)-1]
	if c.reverse {
		first, last = last, first
	}
	if c.at.holds(first.Start) && !c.at.isHeader(first.Start) {
		low = c.at.clustering(first.Start)
	}
	switch end := last.End; {
	case !c.at.holds(end) || c.at.behindRows(end):
	case c.at.isHeader(end):
		high = []byte{}
	default:
		high = c.at.clustering(end)
	}
	return low, high
}

// orEnd returns a bound, or one behind all row keys if it is nil.
func orEnd(bound []byte) []byte {
	if bound == nil {
		return bytes.Repeat([]byte{0xFF}, row.TokenSize+1)
	}
	return bound
}
