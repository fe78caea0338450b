package storage

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// newest walks over the newest version of every key under a prefix, in one direction. Badger's own
// iterators can do that too, but walk over deleted keys without bound when they look for the next
// one, even beyond the prefix when they go backwards.
type newest struct {
	it      *badger.Iterator // over all versions
	reverse bool

	valid   bool
	key     []byte // storage key
	value   []byte
	version uint64
	copied  func([]byte) error
}

func newNewest(txn *badger.Txn, prefix []byte, reverse bool) *newest {
	n := &newest{it: iterate(txn, prefix, true, reverse), reverse: reverse}
	n.copied = func(v []byte) error {
		n.value = append(n.value[:0], v...)
		return nil
	}
	return n
}

// seek moves to the first key at or after key; in reverse, to the last one at or before it.
func (n *newest) seek(key []byte) error {
	n.valid = false
	n.it.Seek(key)
	return n.advance()
}

// next moves to the next key.
func (n *newest) next() error {
	for !n.reverse && n.it.Valid() && bytes.Equal(n.it.Item().Key(), n.key) {
		n.it.Next() // older versions
	}
	return n.advance()
}

// advance takes the key that the iterator stands on, or the next one that was not deleted.
func (n *newest) advance() error {
	for n.valid = false; !n.valid && n.it.Valid(); {
		n.key = append(n.key[:0], n.it.Item().Key()...)
		if err := n.take(); err != nil {
			return err
		}
		if n.valid && !n.reverse {
			return nil // next passes the older versions
		}
		for n.it.Next(); n.it.Valid() && bytes.Equal(n.it.Item().Key(), n.key); n.it.Next() {
			if n.reverse { // versions come oldest first
				if err := n.take(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// take looks at one version of the key.
func (n *newest) take() error {
	item := n.it.Item()
	if n.valid = !item.IsDeletedOrExpired(); !n.valid {
		return nil
	}
	n.version = item.Version()
	return item.Value(n.copied)
}

func (n *newest) close() { n.it.Close() }
