package storage

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/row"
)

// A fragmentSource walks over the rows that have unfolded fragments, in key order, in one direction.
type fragmentSource struct {
	it      *badger.Iterator
	table   []byte // the storage keys' first bytes, which row keys lack
	reverse bool

	// through tells up to which commit sequence number pages hold a row: its fragments up to that
	// are passed over. It is asked in the source's direction. If it is nil no values are read.
	through func(rowKey []byte) uint64

	// The row it stands on, if valid: its key, and its fragments.
	valid  bool
	key    []byte
	bodies [][]byte // sealed, in no order; some may be several fragments merged
	count  int      // how many fragments
	size   int64    // of their sealed values, roughly

	arena   []byte // of bodies
	other   []byte // for the next arena
	merged  int    // size of the body that was merged last
	merger  row.Merger
	seekKey []byte
	scratch []byte
	copied  func([]byte) error // appends a value to arena; kept so that it is allocated once
}

// mergeAt is the size in bytes from which on the fragments of one row are merged as they are
// collected: a row may have been written any number of times since it was folded.
const mergeAt = 4 << 20

func newFragmentSource(it *badger.Iterator, table []byte, reverse bool) *fragmentSource {
	s := &fragmentSource{it: it, table: table, reverse: reverse}
	s.copied = func(v []byte) error {
		start := len(s.arena)
		s.arena = append(s.arena, v...)
		s.bodies = append(s.bodies, s.arena[start:len(s.arena):len(s.arena)])
		return nil
	}
	return s
}

// seek moves before the first row at or after rowKey; in reverse, before the last row at or before it.
func (s *fragmentSource) seek(rowKey []byte) {
	s.valid = false
	s.seekKey = append(append(s.seekKey[:0], s.table...), rowKey...)
	s.it.Seek(s.seekKey)
}

// load makes the source stand on its next row with fragments, unless that lies beyond limit;
// nil means no limit. It stays there until skip. Entries that were deleted are passed only as
// far as limit, so that a reader which stops early does not walk over all that was folded.
func (s *fragmentSource) load(limit []byte) error {
	for !s.valid && s.it.Valid() {
		rowKey := s.it.Item().Key()[len(s.table):]
		if limit != nil && s.beyond(rowKey, limit) {
			return nil
		}
		if err := s.collect(rowKey); err != nil {
			return err
		}
	}
	return nil
}

func (s *fragmentSource) beyond(rowKey, limit []byte) bool {
	if s.reverse {
		return bytes.Compare(rowKey, limit) < 0
	}
	return bytes.Compare(rowKey, limit) > 0
}

// skip leaves the row the source stands on.
func (s *fragmentSource) skip() { s.valid = false }

// collect reads all fragments of one row and leaves the iterator at the next key.
func (s *fragmentSource) collect(rowKey []byte) error {
	s.key = append(s.key[:0], rowKey...)
	s.reset()
	through, deleted := uint64(0), false
	if s.through != nil {
		through = s.through(s.key)
	}
	for ; s.it.Valid(); s.it.Next() {
		item := s.it.Item()
		if !bytes.Equal(item.Key()[len(s.table):], s.key) {
			break
		}
		switch {
		case item.IsDeletedOrExpired() && s.reverse: // versions come oldest first
			s.reset()
			continue
		case item.IsDeletedOrExpired():
			deleted = true
			continue
		case deleted || item.Version() <= through:
			continue
		}
		s.count++
		s.size += item.ValueSize()
		if s.through == nil {
			continue
		}
		if err := item.Value(s.copied); err != nil {
			return err
		}
		if len(s.bodies) > 1 && len(s.arena) > max(mergeAt, 2*s.merged) {
			if err := s.merge(); err != nil {
				return err
			}
		}
	}
	s.valid = s.count > 0
	return nil
}

func (s *fragmentSource) reset() {
	s.bodies, s.arena, s.count, s.size, s.merged = s.bodies[:0], s.arena[:0], 0, 0, 0
}

// merge replaces the bodies collected so far by one.
func (s *fragmentSource) merge() error {
	s.scratch = s.storageKey(s.scratch)
	fragments := make([]*row.Fragment, len(s.bodies))
	for i, sealed := range s.bodies {
		fragments[i] = row.NewFragment()
		if err := openFragment(s.scratch, sealed, fragments[i]); err != nil {
			return err
		}
	}
	out := row.AppendBody(row.BeginSeal(s.other[:0]), s.merger.Merge(fragments), 0)
	row.EndSeal(s.scratch, out)
	s.other, s.arena, s.merged = s.arena, out, len(out)
	s.bodies = append(s.bodies[:0], out[:len(out):len(out)])
	return nil
}

// openFragment decodes the sealed fragment stored under a key. f shares its memory.
func openFragment(key, sealed []byte, f *row.Fragment) error {
	body, ok := row.Open(key, sealed)
	if !ok {
		return &corruptEntry{key: bytes.Clone(key), cause: errChecksum}
	}
	if err := row.DecodeBody(body, 0, f); err != nil {
		return &corruptEntry{key: bytes.Clone(key), cause: err}
	}
	return nil
}

// pass moves behind a row, if the source is about to come to it.
func (s *fragmentSource) pass(rowKey []byte) {
	for s.it.Valid() && bytes.Equal(s.it.Item().Key()[len(s.table):], rowKey) {
		s.it.Next()
	}
}

func reverseInPlace[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

// storageKey returns the full key of the row it stands on, in dst's memory.
func (s *fragmentSource) storageKey(dst []byte) []byte {
	return append(append(dst[:0], s.table...), s.key...)
}

// iterate opens an iterator over the storage keys that start with prefix.
func iterate(txn *badger.Txn, prefix []byte, allVersions, reverse bool) *badger.Iterator {
	return txn.NewIterator(badger.IteratorOptions{Prefix: prefix, AllVersions: allVersions, Reverse: reverse})
}
