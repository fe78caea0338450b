package storage

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/iliumdb/ilium/storage/row"
)

// A block is what one replica answers to a Read or Scan: a run of its entries in reading order, merged, with
// tombstones. It is canonical, so that replicas with the same data give the same bytes, whatever they have folded:
//
//   - A partition's header comes before its rows. Its deleted ranges are cut to what is read, and normalized.
//   - Rows are without what their header deletes.
//   - What gc_grace_seconds does not protect anymore at Read.Now, and columns that were dropped, are left out, and so
//     is an entry that says nothing then.
//   - The block of a request that begins among the rows of a partition begins with its header, again.
//
// The last point is what makes blocks independent of each other: a row that one replica has and the header of
// another replica deletes is seen to be deleted wherever blocks end.
//
// It is laid out as
//
//	flags u8: complete, reversed; format version from bit 4 on
//	entries up to the end
//
// and an entry as
//
//	bytes its row key shares with the one before, uvarint | rest of the row key: length uvarint, bytes
//	body: length uvarint, bytes, as row.AppendBody makes it, relative to the base timestamp of the one before
const (
	blockComplete = 1 << iota
	blockReversed

	blockVersionShift = 4
	blockVersion      = 1
)

// A Limit says where a block ends although there is more to read. A block always holds at least one entry that the
// block before did not hold, whatever the limit.
type Limit struct {
	Rows  int // live rows; 0 means no limit
	Bytes int // of the block, roughly; 0 means no limit
}

// A BlockInfo says what went into a block.
type BlockInfo struct {
	Complete bool // nothing is behind the last entry
	Entries  int  // headers and rows, dead ones too
	Stats    ReadStats
}

// ReadBlock appends the block of a Read to dst: its merged entries from the beginning on, with tombstones, in a form
// that is the same on every replica with the same data. It does not look at StaticOnly. It fails as a cursor does, and
// then returns dst as it was.
func (e *Engine) ReadBlock(dst []byte, r *Read, l Limit) (block []byte, info BlockInfo, err error) {
	return e.makeBlock(beginBlock(dst, r.Reverse), e.Read(r), r.Incarnation, l)
}

// ScanBlock is ReadBlock for a Scan.
func (e *Engine) ScanBlock(dst []byte, s *Scan, l Limit) (block []byte, info BlockInfo, err error) {
	return e.makeBlock(beginBlock(dst, false), e.Scan(s), s.Incarnation, l)
}

func (e *Engine) makeBlock(out blockWriter, c *Cursor, incarnation uint32, l Limit) ([]byte, BlockInfo, error) {
	defer c.Close()
	m := blockMaker{cursor: c, limit: l, gcBefore: math.MinInt64, out: out}
	if t, ok := e.opts.Tables(incarnation); ok { // behind the opening of the view, as in folds
		m.hasColumn, m.gcBefore = t.HasColumn, c.now-int64(t.GCGrace/time.Second)
	}
	if m.fill(); c.err != nil {
		return out.block[:out.start], BlockInfo{}, c.err
	}
	complete := len(c.slices) == 0
	m.out.end(complete)
	return m.out.block, BlockInfo{Complete: complete, Entries: m.out.entries, Stats: c.Stats()}, nil
}

// A blockMaker takes entries from a cursor over the engine, one step below its rows.
type blockMaker struct {
	cursor    *Cursor
	limit     Limit
	hasColumn func(id uint32) bool
	gcBefore  int64
	out       blockWriter
	header    row.Fragment
	key       []byte
}

// fill takes entries until the block is full, or the cursor has no more slices.
func (m *blockMaker) fill() {
	c := m.cursor
	if c.err == nil && c.entry != nil {
		m.putHeader() // of the partition that the request lies or begins in: it is there each time
	}
	begun := m.out.entries
	for c.proceed() && len(c.slices) > 0 {
		ok, err := c.advance(&c.slices[0])
		if ok && c.scan && !c.at.holds(c.entry.key) {
			err = c.enter()
		}
		if err != nil {
			c.err = c.explain(err)
			return
		}
		if ok {
			m.take()
		}
		if m.out.entries > begun && m.isFull() {
			return
		}
	}
}

func (m *blockMaker) isFull() bool {
	return m.limit.Rows > 0 && m.cursor.stats.Rows >= m.limit.Rows || m.limit.Bytes > 0 && m.out.size() >= m.limit.Bytes
}

// take puts the entry at hand into the block.
func (m *blockMaker) take() {
	c := m.cursor
	key, f := c.entry.key, c.entry.merged
	dropColumns(f, m.hasColumn)
	if c.at.isHeader(key) {
		c.keepHeader()
		m.putHeader()
		return
	}
	c.at.shadow(f, c.at.clustering(key))
	if c.count(f) {
		c.stats.Rows++
	}
	f.Purge(c.now, m.gcBefore)
	m.out.put(key, f)
}

// putHeader puts the header of the partition at hand into the block. The partition keeps it as it is: rows are
// still to be shadowed by deletions that are themselves left out.
func (m *blockMaker) putHeader() {
	kept, h := &m.cursor.at.header, &m.header
	h.Reset()
	h.Deletion = kept.Deletion
	h.Ranges = append(h.Ranges, kept.Ranges...)
	h.Cells = append(h.Cells, kept.Cells...)
	dropColumns(h, m.hasColumn)
	h.Purge(m.cursor.now, m.gcBefore)
	m.key = append(append(m.key[:0], m.cursor.at.prefix...), byte(row.KindHeader))
	m.out.put(m.key, h)
}

// dropColumns removes the cells of columns that do not exist. A nil has knows all.
func dropColumns(f *row.Fragment, has func(id uint32) bool) {
	if has != nil {
		f.Cells = slices.DeleteFunc(f.Cells, func(c row.Cell) bool { return !has(c.Column) })
	}
}

// A blockWriter appends entries to a block.
type blockWriter struct {
	block     []byte
	start     int // of the block
	entries   int
	key       []byte // of the last entry
	reference int64
	body      []byte
}

func beginBlock(dst []byte, reverse bool) blockWriter {
	flags := byte(blockVersion << blockVersionShift)
	if reverse {
		flags |= blockReversed
	}
	return blockWriter{block: append(dst, flags), start: len(dst)}
}

func (w *blockWriter) size() int { return len(w.block) - w.start }

// put appends an entry, unless it says nothing.
func (w *blockWriter) put(key []byte, f *row.Fragment) {
	if f.IsEmpty() {
		return
	}
	shared := 0
	for shared < len(key) && shared < len(w.key) && key[shared] == w.key[shared] {
		shared++
	}
	w.block = binary.AppendUvarint(w.block, uint64(shared))
	w.block = binary.AppendUvarint(w.block, uint64(len(key)-shared))
	w.block = append(w.block, key[shared:]...)
	w.body = row.AppendBody(w.body[:0], f, w.reference)
	w.block = binary.AppendUvarint(w.block, uint64(len(w.body)))
	w.block = append(w.block, w.body...)
	w.key = append(w.key[:shared], key[shared:]...)
	w.reference = f.BaseTimestamp()
	w.entries++
}

func (w *blockWriter) end(complete bool) {
	if complete {
		w.block[w.start] |= blockComplete
	}
}

// Digest returns a hash of a block. It is not cryptographic.
func Digest(block []byte) (digest [16]byte) {
	binary.BigEndian.PutUint64(digest[:], xxhash.Sum64(block))
	h := xxhash.NewWithSeed(digestSeed)
	_, _ = h.Write(block) // never fails
	binary.BigEndian.PutUint64(digest[8:], h.Sum64())
	return digest
}

// digestSeed makes the second half of a digest independent of the first.
const digestSeed = 0x9E3779B97F4A7C15
