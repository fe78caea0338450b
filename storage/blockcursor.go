package storage

import (
	"bytes"
	"cmp"

	"github.com/iliumdb/ilium/storage/row"
)

// A Fetch returns the entries of a request behind a row key as After takes it: nil at first, then where the entries
// before ended, or further on after SkipPartition. What it returned before may be reused from then on.
type Fetch func(after []byte) (*Entries, error)

// BlockOptions says what a cursor over blocks needs beside the request.
type BlockOptions struct {
	Table         string // its name, for errors
	TombstoneFail int    // as in Options; 0 means the default
	Close         func() // called once when the cursor is closed; may be nil
}

// NewReadCursor returns a cursor over the rows of a Read that fetch delivers. It answers as Engine.Read does, except
// that tombstones which blocks leave out, because their gc_grace_seconds have passed, do not count, that it shows each block's
// rows as of when it was fetched, and that of Stats only Rows and Tombstones are set. Errors of fetch are the
// cursor's error as they are. The caller must Close it; r is not changed, and must not change meanwhile.
func NewReadCursor(r *Read, fetch Fetch, o BlockOptions) *Cursor {
	rows := append(bytes.Clone(r.Partition), byte(row.KindRow))
	c := newBlockCursor(fetch, o, r.Reverse)
	c.now, c.staticOnly, c.slices = r.Now, r.StaticOnly, rowSlices(rows, r)
	c.at.prefix = r.Partition
	return c
}

// NewScanCursor is NewReadCursor for a Scan.
func NewScanCursor(s *Scan, fetch Fetch, o BlockOptions) *Cursor {
	c := newBlockCursor(fetch, o, false)
	c.scan, c.now, c.staticOnly, c.slices = true, s.Now, s.StaticOnly, []Slice{{Start: s.Start, End: s.End}}
	c.beginInside(s.Start)
	return c
}

func newBlockCursor(fetch Fetch, o BlockOptions, reverse bool) *Cursor {
	b := &blocks{fetch: fetch, reverse: reverse}
	c := &Cursor{source: b, entry: &b.entry, blocks: b, reverse: reverse, table: o.Table, close: o.Close}
	c.fail = cmp.Or(o.TombstoneFail, Options{}.withDefaults().TombstoneFail)
	c.at.header.Reset()
	return c
}

// beginBlocks takes the header of the partition that a cursor over blocks begins in, which comes first.
func (c *Cursor) beginBlocks() {
	if c.blocks == nil || c.blocks.begun || c.err != nil {
		return
	}
	found, err := c.blocks.peek()
	if c.err = err; found && c.at.holds(c.entry.key) && c.at.isHeader(c.entry.key) {
		c.keepHeader()
		c.blocks.pass()
	}
}

// blocks is the entrySource of blocks that are fetched as they are needed. Beside what the cursor asks for they hold
// nothing, so it only ever walks on.
type blocks struct {
	fetch   Fetch
	reverse bool
	begun   bool     // something was fetched
	current *Entries // nil before the first, and behind the last

	entry         // the one it stands on
	held   bool   // and that was not passed yet
	passed bool   // and that was passed, but may be sought again
	from   []byte // behind which the current entries were fetched
	behind []byte // where the next entries begin, if they are further on than where the current ones end
	header []byte // key of a header that was delivered already
}

// seek lets go of entries before rowKey; in reverse, of those at it and behind it.
func (b *blocks) seek(rowKey []byte) error {
	if b.passed && !b.isBefore(b.key, rowKey) {
		b.held = true
	}
	b.passed = false
	if end, err := row.PartitionEnd(rowKey); err == nil && row.Kind(rowKey[end]) > row.KindRow && !b.reverse {
		b.behind = append(b.behind[:0], rowKey...)
	}
	for {
		if found, err := b.peek(); err != nil || !found || !b.isBefore(b.key, rowKey) {
			return err
		}
		b.pass()
	}
}

// isBefore reports whether key comes before what a seek to rowKey finds.
func (b *blocks) isBefore(key, rowKey []byte) bool {
	if b.reverse {
		return bytes.Compare(key, rowKey) >= 0
	}
	return bytes.Compare(key, rowKey) < 0
}

func (b *blocks) next(limit []byte) (bool, error) {
	found, err := b.peek()
	if !found || err != nil {
		return false, err
	}
	if limit != nil && (b.reverse && bytes.Compare(b.key, limit) < 0 || !b.reverse && bytes.Compare(b.key, limit) > 0) {
		return false, nil
	}
	b.pass()
	b.passed = true
	return true, nil
}

func (b *blocks) pass() { b.held, b.passed = false, false }

// peek stands on the next entry, and reports whether there is one.
func (b *blocks) peek() (bool, error) {
	for !b.held {
		if b.current == nil {
			if b.begun {
				return false, nil
			}
			if err := b.load(nil); err != nil {
				return false, err
			}
		}
		if b.current.next(&b.entry) {
			b.held, b.passed = !bytes.Equal(b.key, b.header), false
			continue
		}
		if err := b.current.err(); err != nil {
			return false, err
		}
		if err := b.loadNext(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// loadNext fetches the entries behind the current ones.
func (b *blocks) loadNext() error {
	if b.current.Complete() {
		b.current = nil
		return nil
	}
	from := bytes.Clone(b.current.end())
	if bytes.Compare(b.behind, from) > 0 {
		from = bytes.Clone(b.behind)
	}
	if !b.isProgress(from) {
		return &BlockError{"it ends where it begins"}
	}
	b.header = nil
	if end, err := row.PartitionEnd(from); err == nil && row.Kind(from[end]) <= row.KindRow {
		b.header = append(bytes.Clone(from[:end]), byte(row.KindHeader))
	}
	return b.load(from)
}

// isProgress reports whether a row key lies behind the one from which the current entries were fetched.
func (b *blocks) isProgress(from []byte) bool {
	if b.reverse && b.from != nil && !isHeaderKey(b.from) {
		return bytes.Compare(from, b.from) < 0
	}
	return bytes.Compare(from, b.from) > 0
}

func (b *blocks) load(from []byte) (err error) {
	b.begun, b.passed, b.from = true, false, from
	if b.current, err = b.fetch(from); err != nil {
		b.current = nil
	}
	return err
}
