package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/storage/row"
)

// Entries are what a block holds, or several replicas' blocks merged. They share the blocks' memory, and one cursor
// consumes them. The zero Entries are none, with nothing behind them.
type Entries struct {
	reader *BlockReader // of a single block
	list   []entry      // merged
	more   bool         // behind last
	last   []byte       // where they end if there is more
}

// BlockEntries returns the entries of a single block, which is decoded as a cursor passes it: what is wrong with the
// block is the cursor's error.
func BlockEntries(block []byte) *Entries {
	e := &Entries{reader: &BlockReader{}}
	e.reader.Reset(block)
	e.more = !e.reader.Complete()
	return e
}

// Complete reports whether nothing is behind the entries. Otherwise the cursor will fetch what is behind them.
func (e *Entries) Complete() bool { return !e.more }

// Continue says that there is more than the blocks say: behind rowKey, a row key or any bound of row keys that is not
// before the entries. It is for a request that is carried out in parts, one after the other.
func (e *Entries) Continue(rowKey []byte) { e.more, e.last = true, bytes.Clone(rowKey) }

// next moves to the next entry.
func (e *Entries) next(to *entry) bool {
	if e.reader != nil {
		if !e.reader.Next() {
			return false
		}
		to.key, to.merged = e.reader.Key(), e.reader.Row()
		return true
	}
	if len(e.list) == 0 {
		return false
	}
	*to, e.list = e.list[0], e.list[1:]
	return true
}

// end returns the row key behind which the next entries are. All entries must have been passed.
func (e *Entries) end() []byte {
	if e.last == nil && e.reader != nil {
		return e.reader.Key()
	}
	return e.last
}

func (e *Entries) err() error {
	if e.reader == nil {
		return nil
	}
	return e.reader.Err()
}

// add appends a copy of an entry that shares the memory of its values.
func (e *Entries) add(key []byte, f *row.Fragment) {
	kept := &row.Fragment{Liveness: f.Liveness, Deletion: f.Deletion,
		Ranges: append([]row.RangeTombstone(nil), f.Ranges...), Cells: append([]row.Cell(nil), f.Cells...)}
	e.list = append(e.list, entry{key: bytes.Clone(key), merged: kept})
}
