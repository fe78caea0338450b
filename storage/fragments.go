package storage

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// A fragmentSource walks over the rows that have unfolded fragments, in key order, in one direction.
type fragmentSource struct {
	it      *badger.Iterator
	table   []byte // the storage keys' first bytes, which row keys lack
	reverse bool

	// The row it stands on, if valid: its key and its fragments' sealed values, newest first.
	valid    bool
	key      []byte
	versions []uint64
	bodies   [][]byte
	arena    []byte

	seekKey []byte
	copied  func([]byte) error // appends a value to arena; kept so that it is allocated once
}

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

// collect reads all versions of one key and leaves the iterator at the next key.
func (s *fragmentSource) collect(rowKey []byte) error {
	s.key = append(s.key[:0], rowKey...)
	s.versions, s.bodies, s.arena = s.versions[:0], s.bodies[:0], s.arena[:0]
	deleted := false
	for ; s.it.Valid(); s.it.Next() {
		item := s.it.Item()
		if !bytes.Equal(item.Key()[len(s.table):], s.key) {
			break
		}
		switch {
		case item.IsDeletedOrExpired() && s.reverse: // versions come oldest first
			s.versions, s.bodies = s.versions[:0], s.bodies[:0]
			continue
		case item.IsDeletedOrExpired():
			deleted = true
			continue
		case deleted:
			continue
		}
		if err := item.Value(s.copied); err != nil {
			return err
		}
		s.versions = append(s.versions, item.Version())
	}
	if s.reverse {
		reverseInPlace(s.versions)
		reverseInPlace(s.bodies)
	}
	s.valid = len(s.bodies) > 0
	return nil
}

func reverseInPlace[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

// after drops the fragments that were committed at or before through, and reports whether any are left.
func (s *fragmentSource) after(through uint64) bool {
	n := 0
	for n < len(s.versions) && s.versions[n] > through {
		n++
	}
	s.versions, s.bodies = s.versions[:n], s.bodies[:n]
	return n > 0
}

// storageKey returns the full key of the row it stands on, in dst's memory.
func (s *fragmentSource) storageKey(dst []byte) []byte {
	return append(append(dst[:0], s.table...), s.key...)
}

// iterate opens an iterator over the storage keys that start with prefix.
func iterate(txn *badger.Txn, prefix []byte, allVersions, reverse bool) *badger.Iterator {
	return txn.NewIterator(badger.IteratorOptions{Prefix: prefix, AllVersions: allVersions, Reverse: reverse})
}
