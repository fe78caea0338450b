package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/storage/page"
)

// A pageSource walks over the rows in a table's pages, in key order, in one direction. It also
// tells up to which commit sequence number pages cover a row key.
type pageSource struct {
	it      *newest // over pages in the source's direction
	forward *newest // finds the page that covers a key; the same as it unless reversed
	table   []byte
	reverse bool
	reader  *page.Reader

	upper   []byte // row key under which the loaded page is stored
	lowest  []byte // a row key from which on the loaded page surely covers
	loaded  bool
	loads   int        // pages loaded so far
	largest int        // size of the largest
	covered []coverage // pages that were passed and may cover fragments yet to come

	seekKey []byte
}

// coverage says that row keys up to upper, from wherever the page before ends, are in pages
// up to the commit sequence number through.
type coverage struct {
	upper   []byte
	through uint64
}

func newPageSource(it, forward *newest, table []byte, reverse bool, codec *page.Codec) *pageSource {
	return &pageSource{it: it, forward: forward, table: table, reverse: reverse, reader: page.NewReader(codec)}
}

// seek moves to the first row at or after rowKey; in reverse, to the last row before it.
func (s *pageSource) seek(rowKey []byte) error {
	if s.loaded && s.covers(rowKey) {
		return s.seekInPage(rowKey)
	}
	s.loaded, s.covered = false, s.covered[:0]
	s.lowest = append(s.lowest[:0], rowKey...)
	s.seekKey = append(append(s.seekKey[:0], s.table...), rowKey...)
	// Pages are stored under their upper bound: rowKey's is the first at or after it that has rows.
	err := s.forward.seek(s.seekKey)
	for ; err == nil && s.forward.valid; err = s.forward.next() {
		if err := s.load(s.forward); err != nil {
			return err
		}
		if s.reader.Info().RawSize > 0 {
			break
		}
		s.loaded = false
	}
	if err != nil {
		return err
	}
	if s.reverse {
		if s.loaded {
			s.seekKey = append(append(s.seekKey[:0], s.table...), s.upper...)
		}
		// Stand on the loaded page, or else on the last one before rowKey.
		if err := s.it.seek(s.seekKey); err != nil {
			return err
		}
		if !s.loaded {
			if err := s.load(s.it); err != nil {
				return err
			}
		}
	}
	if !s.loaded {
		return nil
	}
	return s.seekInPage(rowKey)
}

// covers reports whether the loaded page is the one to look for rowKey in.
func (s *pageSource) covers(rowKey []byte) bool {
	return bytes.Compare(s.lowest, rowKey) <= 0 && bytes.Compare(rowKey, s.upper) <= 0
}

func (s *pageSource) seekInPage(rowKey []byte) error {
	var err error
	if s.reverse {
		err = s.reader.SeekLT(rowKey)
	} else {
		err = s.reader.SeekGE(rowKey)
	}
	if err != nil {
		return s.corrupt(err)
	}
	return s.settle()
}

// load takes the page that it stands on, if any.
func (s *pageSource) load(it *newest) error {
	if s.loaded = it.valid; !s.loaded {
		return nil
	}
	s.loads++
	s.largest = max(s.largest, len(it.value))
	s.upper = append(s.upper[:0], it.key[len(s.table):]...)
	if err := s.reader.Load(it.key, it.value); err != nil {
		return s.corrupt(err)
	}
	s.largest = max(s.largest, s.reader.Info().RawSize)
	return nil
}

// reuse makes s ready for the next read. It keeps the page it has: the next one may want the same.
func (s *pageSource) reuse() { s.covered, s.loads = s.covered[:0], 0 }

// settle moves on to the next page while the loaded one has no more rows.
func (s *pageSource) settle() error {
	for s.loaded && !s.reader.Valid() {
		s.pass()
		if !s.reverse {
			s.lowest = append(append(s.lowest[:0], s.upper...), 0) // the least key after upper
		}
		if err := s.it.next(); err != nil {
			return err
		}
		if err := s.load(s.it); err != nil || !s.loaded {
			return err
		}
		var err error
		if s.reverse {
			s.lowest = append(s.lowest[:0], s.upper...) // how far down it covers is not known
			err = s.reader.Last()
		} else {
			err = s.reader.First()
		}
		if err != nil {
			return s.corrupt(err)
		}
	}
	return nil
}

// next moves to the next row.
func (s *pageSource) next() error {
	var err error
	if s.reverse {
		err = s.reader.Prev()
	} else {
		err = s.reader.Next()
	}
	if err != nil {
		return s.corrupt(err)
	}
	return s.settle()
}

// key returns the row key it stands on, or nil at the end.
func (s *pageSource) key() []byte {
	if s == nil || !s.loaded {
		return nil
	}
	return s.reader.Key()
}

// pass remembers what the loaded page covers, before it is left.
func (s *pageSource) pass() {
	if s.reader.Info().RawSize == 0 {
		return // nothing
	}
	if s.reader.HasRows() { // changes that are still to come lie behind them, and so behind earlier pages
		s.covered = s.covered[:0]
	}
	through := s.reader.Info().Through
	n := len(s.covered)
	if n < cap(s.covered) {
		s.covered = s.covered[:n+1]
	} else {
		s.covered = append(s.covered, coverage{})
	}
	c := &s.covered[n]
	c.upper, c.through = append(c.upper[:0], s.upper...), through
}

// through returns up to which commit sequence number rowKey is in pages. Keys must be asked for
// in the source's direction.
func (s *pageSource) through(rowKey []byte) uint64 {
	if s == nil {
		return 0
	}
	if s.reverse {
		return s.throughReverse(rowKey)
	}
	for len(s.covered) > 0 {
		if bytes.Compare(rowKey, s.covered[0].upper) <= 0 {
			return s.covered[0].through
		}
		s.forget(1)
	}
	if s.loaded && bytes.Compare(rowKey, s.upper) <= 0 {
		return s.reader.Info().Through
	}
	return 0
}

// throughReverse looks for the lowest page at or above rowKey among those seen: the loaded one,
// or the last one passed that does not end below it. The ones above that are done with.
func (s *pageSource) throughReverse(rowKey []byte) uint64 {
	if s.loaded && bytes.Compare(rowKey, s.upper) <= 0 {
		return s.reader.Info().Through
	}
	for i := len(s.covered) - 1; i >= 0; i-- {
		if bytes.Compare(rowKey, s.covered[i].upper) <= 0 {
			s.forget(i)
			return s.covered[0].through
		}
	}
	return 0
}

// forget drops the first n passed pages and keeps their memory.
func (s *pageSource) forget(n int) {
	for ; n > 0; n-- {
		first := s.covered[0]
		copy(s.covered, s.covered[1:])
		s.covered[len(s.covered)-1] = first
		s.covered = s.covered[:len(s.covered)-1]
	}
}

func (s *pageSource) corrupt(cause error) error {
	return &corruptEntry{key: append(append([]byte(nil), s.table...), s.upper...), cause: cause}
}

// A corruptEntry is a CorruptError before its key was put into words.
type corruptEntry struct {
	key   []byte // storage key
	cause error
}

func (e *corruptEntry) Error() string { return e.cause.Error() }
