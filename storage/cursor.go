package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/storage/row"
)

// Next moves to the next row and reports whether there is one; if not, see Err.
func (c *Cursor) Next() bool {
	c.beginBlocks()
	for c.proceed() {
		if len(c.slices) == 0 {
			return c.leavePartition()
		}
		yield, err := c.step(&c.slices[0])
		if err != nil {
			c.err = c.explain(err)
		} else if yield {
			return true
		}
	}
	return false
}

// proceed reports whether nothing has ended the cursor yet.
func (c *Cursor) proceed() bool {
	if c.err == nil && c.stats.Tombstones > c.fail {
		c.err = &TombstoneError{Table: c.tableName(), Count: c.stats.Tombstones}
	}
	return c.err == nil
}

// step takes one entry of a slice, or the next slice. It reports whether there is something to yield.
func (c *Cursor) step(s *Slice) (bool, error) {
	if !c.pending {
		if ok, err := c.advance(s); !ok {
			return false, err
		}
	}
	c.pending = false
	if c.scan && !c.at.holds(c.entry.key) {
		if c.leavePartition() {
			c.pending = true
			return true, nil
		}
		if err := c.enter(); err != nil {
			return false, err
		}
	}
	return c.take(), nil
}

// advance moves to the next entry of a slice, and reports whether there is one; if not, it leaves the slice.
func (c *Cursor) advance(s *Slice) (bool, error) {
	from, limit := s.Start, s.End
	if c.reverse {
		from, limit = s.End, s.Start
	}
	if !c.inSlice {
		if err := c.source.seek(from); err != nil {
			return false, err
		}
		c.inSlice = true
	}
	ok, err := c.source.next(limit)
	if err != nil {
		return false, err
	}
	if !ok || !c.reverse && s.End != nil && bytes.Compare(c.entry.key, s.End) >= 0 {
		c.inSlice, c.slices = false, c.slices[1:]
		return false, nil
	}
	c.entered++
	c.stats.Fragments += c.entry.fragments
	return true, nil
}

// enter moves to the partition of the entry.
func (c *Cursor) enter() error {
	c.yielded = false
	if err := c.at.enter(c.entry.key); err != nil {
		if c.view == nil {
			return err
		}
		return &corruptEntry{key: append(bytes.Clone(c.view.table), c.entry.key...), cause: err}
	}
	return nil
}

// leavePartition reports whether the partition it stood in is still to be yielded for its static
// cells alone.
func (c *Cursor) leavePartition() bool {
	if c.yielded || !c.staticOnly || !c.at.header.IsLive(c.now) {
		return false
	}
	c.row, c.clustering, c.yielded = nil, nil, true
	return true
}

// take looks at the entry it stands on, and reports whether it is a live row.
func (c *Cursor) take() bool {
	key := c.entry.key
	if c.at.isHeader(key) {
		c.keepHeader()
		return false
	}
	c.row, c.clustering = c.entry.merged, c.at.clustering(key)
	c.at.shadow(c.row, c.clustering)
	if !c.count(c.row) {
		return false
	}
	c.stats.Rows++
	c.yielded = true
	return true
}

// countHeader counts the header's deletions that concern what is read.
func (c *Cursor) countHeader() {
	if c.at.header.Deletion.Exists() {
		c.stats.Tombstones++
	}
	if c.scan {
		c.stats.Tombstones += len(c.at.header.Ranges)
		return
	}
	for _, s := range c.slices {
		c.stats.Tombstones += c.at.rangesIn(s)
	}
}

// count counts what is dead in f and reports whether anything is alive. As in Cassandra the
// deletion or expiry of a row itself counts only where nothing else of the row does; a row that a
// range deletes counts once, with the range.
func (c *Cursor) count(f *row.Fragment) bool {
	live, dead := f.Liveness.IsLive(c.now), 0
	for i := range f.Cells {
		if f.Cells[i].IsLive(c.now) {
			live = true
		} else {
			dead++
		}
	}
	if !live && dead == 0 && (f.Deletion.Exists() || f.Liveness.Exists()) {
		dead++
	}
	c.stats.Tombstones += dead
	return live
}

// SkipPartition makes Next go on with the next partition of a scan.
func (c *Cursor) SkipPartition() {
	if c.scan && len(c.slices) > 0 {
		c.slices[0].Start = append(bytes.Clone(c.at.prefix), 0xFF)
		c.inSlice, c.pending, c.yielded = false, false, true
	}
}

// Row returns the row that the cursor stands on, or nil if it stands on the static cells of a
// partition without rows. It is valid until Next. Its cells may include expired and deleted ones.
func (c *Cursor) Row() *row.Fragment { return c.row }

// Static returns the header of the partition that the cursor stands in: its cells are the static
// cells. It is empty if there is none, and valid until the partition ends.
func (c *Cursor) Static() *row.Fragment { return &c.at.header }

// Partition returns the partition's part of the row key, see row.SplitPartition.
// It is valid until Next.
func (c *Cursor) Partition() []byte { return c.at.prefix }

// Clustering returns the row's clustering key in key encoding, valid until Next; nil without a row.
func (c *Cursor) Clustering() []byte { return c.clustering }

// Stats returns what the cursor has passed so far.
func (c *Cursor) Stats() ReadStats {
	s := c.stats
	if c.entries != nil {
		s.Commit = c.entries.view.seq
		if c.entries.pages != nil {
			s.Pages = c.entries.pages.loads
		}
	}
	return s
}

// Err returns the error that ended the cursor, or nil if it ended with its last row.
func (c *Cursor) Err() error { return c.err }

// Close releases what the cursor pins. It may be called more than once.
func (c *Cursor) Close() {
	if c.close != nil {
		c.close()
		c.close = nil
	}
	if c.view == nil {
		return
	}
	c.view.moved = c.err != nil
	c.view.close()
	if c.stats.Fragments > hintFragments && 2*c.stats.Fragments > c.entered {
		partition := c.at.prefix
		if c.scan {
			partition = nil
		}
		c.engine.folder.hint(c.incarnation(), partition)
	}
	c.view = nil
}

// hintFragments is how many unfolded fragments a read must have merged to ask for folding.
const hintFragments = 64

func (c *Cursor) incarnation() uint32 { return binary.BigEndian.Uint32(c.view.table) }

func (c *Cursor) tableName() string {
	if c.engine == nil {
		return c.table
	}
	t, _ := c.engine.opts.Tables(c.incarnation())
	return t.Name
}

// explain turns what the sources report into what the caller understands.
func (c *Cursor) explain(err error) error {
	if c.engine == nil {
		return err
	}
	var bad *corruptEntry
	if !errors.As(err, &bad) {
		return fmt.Errorf("reading %s: %w", c.tableName(), err)
	}
	return c.engine.corruptError(bad)
}

// corruptError puts a damaged entry's key into the words of its table.
func (e *Engine) corruptError(bad *corruptEntry) error {
	out := &CorruptError{Table: "unknown", Key: fmt.Sprintf("%x", bad.key), Cause: bad.cause.Error()}
	if len(bad.key) < row.TablePrefixSize {
		return out
	}
	t, ok := e.opts.Tables(binary.BigEndian.Uint32(bad.key))
	if ok {
		out.Table = t.Name
		if t.FormatKey != nil {
			out.Key = t.FormatKey(bad.key[row.TablePrefixSize:])
		}
	}
	return out
}
