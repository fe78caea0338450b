package storage

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/row"
)

// A view is one consistent state of one table, read through iterators that pin its files.
type view struct {
	engine *Engine
	txn    *badger.Txn
	seq    uint64 // everything up to this commit sequence number is in the view
	table  []byte // prefix of fragments' storage keys
	frags  *badger.Iterator
	source *pooledPages // over pages; nil if there are none
	moved  bool         // the source may stand anywhere: it is of no use to others
}

// openView opens a view. scope is a row key prefix that all wanted rows share; it may be empty.
// It is the row key itself if only that row is wanted, for which Badger's bloom filters can be used.
func (e *Engine) openView(incarnation uint32, scope []byte, point, reverse bool) (*view, error) {
	state := e.table(incarnation)
	key := append(row.AppendTable(make([]byte, 0, row.TablePrefixSize+len(scope)), incarnation, row.Fragments), scope...)
	v := &view{engine: e, table: key[:row.TablePrefixSize:row.TablePrefixSize]}
	e.view.RLock()
	defer e.view.RUnlock()
	if e.closed {
		return nil, ErrClosed
	}
	e.calls.Add(1)
	v.seq = e.visible.Load()
	v.txn = e.db.NewTransactionAt(v.seq, false)
	if point {
		v.frags = v.txn.NewKeyIterator(key, badger.IteratorOptions{})
	} else {
		v.frags = iterate(v.txn, key, true, reverse)
	}
	v.source = e.openPages(state, incarnation, v.seq, reverse)
	return v, nil
}

// pages returns the iterator of the view's source, which is its caller's from then on, for a fold that walks over
// pages and not over rows; nil if there are no pages.
func (v *view) pages() *newest {
	if v.source == nil {
		return nil
	}
	v.moved, v.source.loaded = true, false
	return v.source.it
}

func (v *view) close() {
	v.frags.Close()
	if v.source != nil {
		v.engine.pool.put(v.source, v.moved)
	}
	v.txn.Discard()
	v.engine.calls.Done()
}

// An entrySource walks over merged entries, rows and headers alike, in key order or against it.
type entrySource interface {
	// seek moves before the first entry at or after rowKey; in reverse, before the last one before it.
	seek(rowKey []byte) error

	// next moves to the next entry that does not lie beyond limit, and reports whether there is
	// one. limit is a row key bound, inclusive; nil means none.
	next(limit []byte) (bool, error)
}

// An entry is a row or a header, merged.
type entry struct {
	key       []byte
	merged    *row.Fragment
	fragments int // how many unfolded fragments it was merged from
}

// entries is the entrySource of a view.
type entries struct {
	view  *view
	frags *fragmentSource
	pages *pageSource // nil if the table has none

	entry        // the one that it stands on
	size   int64 // bytes of what it was merged from
	onPage bool  // pages still stands on it, because merged shares the page's memory

	decoded []*row.Fragment
	merger  row.Merger
	scratch []byte
}

func newEntries(v *view, reverse bool) *entries {
	c := &entries{view: v, frags: newFragmentSource(v.frags, v.table, reverse)}
	if v.source != nil {
		c.pages = v.source.pageSource
	}
	c.frags.through = c.pages.through
	return c
}

func (c *entries) seek(rowKey []byte) error {
	c.onPage = false
	c.frags.seek(rowKey)
	if c.frags.reverse {
		c.frags.pass(rowKey)
	}
	if c.pages == nil {
		return nil
	}
	return c.pages.seek(rowKey)
}

func (c *entries) next(limit []byte) (bool, error) {
	if c.onPage {
		c.onPage = false
		if err := c.pages.next(); err != nil {
			return false, err
		}
	}
	pageKey := c.pages.key()
	if pageKey != nil && limit != nil && c.frags.beyond(pageKey, limit) {
		pageKey = nil
	}
	bound := limit
	if pageKey != nil {
		bound = pageKey
	}
	if err := c.frags.load(bound); err != nil {
		return false, err
	}
	order := 1 // compares the fragments' key with the page's, in reading order
	if c.frags.valid && (bound == nil || !c.frags.beyond(c.frags.key, bound)) {
		if order = -1; pageKey != nil && bytes.Equal(c.frags.key, pageKey) {
			order = 0
		}
	}
	if order > 0 && pageKey == nil {
		return false, nil
	}
	return true, c.merge(order)
}

// merge decodes and merges what the sources hold for one key. order says which of them hold it:
// below 0 only fragments, above 0 only pages, 0 both.
func (c *entries) merge(order int) error {
	n := 0
	c.fragments, c.size = 0, 0
	if order <= 0 {
		c.key = append(c.key[:0], c.frags.key...)
		c.scratch = c.frags.storageKey(c.scratch)
		for _, sealed := range c.frags.bodies {
			if err := openFragment(c.scratch, sealed, c.slot(n)); err != nil {
				return err
			}
			n++
		}
		c.fragments, c.size = c.frags.count, c.frags.size
		c.frags.skip()
	}
	if order >= 0 {
		c.key = append(c.key[:0], c.pages.key()...)
		body := c.pages.reader.Body()
		if err := row.DecodeBody(body, c.pages.reader.Reference(), c.slot(n)); err != nil {
			return c.pages.corrupt(err)
		}
		n++
		c.size += int64(len(body))
		c.onPage = true
	}
	c.merged = c.merger.Merge(c.decoded[:n])
	return nil
}

// slot returns the i-th fragment to decode into.
func (c *entries) slot(i int) *row.Fragment {
	for len(c.decoded) <= i {
		c.decoded = append(c.decoded, row.NewFragment())
	}
	return c.decoded[i]
}
