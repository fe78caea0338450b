package storage

import (
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/row"
)

// Pages change only when a table is folded, so iterators over them may serve many reads, and their buffers with
// them. A point read of a page would otherwise spend more time on making those than on the page.

const (
	// pagePoolInterval is how long an unused source may pin files and memtables that have been replaced.
	pagePoolInterval = 100 * time.Millisecond
	// pagePoolSize is how many unused sources there may be.
	pagePoolSize = 32
	// pooledPage is the size of a page from which on the buffers that hold it are not kept.
	pooledPage = 64 << 10
)

// A pagePool keeps page sources that no read uses at the moment. It is safe for concurrent use.
type pagePool struct {
	mu     sync.Mutex
	idle   []*pooledPages // the one used last at the end
	round  uint64
	closed bool
}

// pooledPages is a pageSource that outlives a read.
type pooledPages struct {
	*pageSource
	state       *tableState
	incarnation uint32
	txn         *badger.Txn
	begun       uint64 // folds of the table that had begun when it was opened
	settled     bool   // all of them had ended
	round       uint64 // of the pool
}

// isCurrent reports whether it shows the pages as they are in a view whose commit sequence number was read before the call.
func (p *pooledPages) isCurrent() bool { return p.settled && p.state.foldsBegun.Load() == p.begun }

func (p *pooledPages) close() {
	p.it.close()
	if p.forward != p.it {
		p.forward.close()
	}
	p.txn.Discard()
}

// openPages returns a source of a table's pages that shows the state of a view, or nil if the table has none. seq is
// that of the view; the caller holds e.view.
func (e *Engine) openPages(state *tableState, incarnation uint32, seq uint64, reverse bool) *pooledPages {
	if !state.pages.Load() { // after seq was chosen: pages are announced before they are committed
		return nil
	}
	if p := e.pool.take(incarnation, reverse); p != nil {
		return p
	}
	// What ends after this may not be in seq, and what begins after it makes the source obsolete.
	ended, begun := state.foldsEnded.Load(), state.foldsBegun.Load()
	p := &pooledPages{state: state, incarnation: incarnation, begun: begun, round: e.pool.current()}
	// A fold that has ended since seq was chosen is not in it.
	p.settled = ended == begun && e.visible.Load() == seq
	p.txn = e.db.NewTransactionAt(seq, false)
	prefix := row.AppendTable(nil, incarnation, row.Pages)
	it := newNewest(p.txn, prefix, reverse)
	forward := it
	if reverse {
		forward = newNewest(p.txn, prefix, false)
	}
	p.pageSource = newPageSource(it, forward, prefix, reverse, e.codec)
	return p
}

// take returns a source that shows a table's pages as they are now, if there is one.
func (l *pagePool) take(incarnation uint32, reverse bool) *pooledPages {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.idle) - 1; i >= 0; i-- {
		p := l.idle[i]
		if p.incarnation != incarnation || p.reverse != reverse {
			continue
		}
		l.idle = append(l.idle[:i], l.idle[i+1:]...)
		if p.isCurrent() {
			p.reuse()
			return p
		}
		p.close()
	}
	return nil
}

// put gives a source back, for others unless it was moved by other means than its own.
func (l *pagePool) put(p *pooledPages, moved bool) {
	if !moved && p.largest < pooledPage && p.isCurrent() && l.keep(p) {
		return
	}
	p.close()
}

func (l *pagePool) keep(p *pooledPages) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || p.round != l.round || len(l.idle) >= pagePoolSize {
		return false
	}
	l.idle = append(l.idle, p)
	return true
}

func (l *pagePool) current() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.round
}

// sweep closes all sources: those in use when they are given back.
func (l *pagePool) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.round++
	for _, p := range l.idle {
		p.close()
	}
	clear(l.idle)
	l.idle = l.idle[:0]
}

// close closes all sources for good.
func (l *pagePool) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.sweep()
}

// sweepPages lets go of replaced files until the engine stops.
func (e *Engine) sweepPages() {
	tick := time.NewTicker(pagePoolInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.pool.sweep()
		case <-e.stop:
			return
		}
	}
}
