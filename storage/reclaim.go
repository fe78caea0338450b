package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// A dropped or truncated table only loses its incarnation number: nothing finds its data
// anymore. The data is removed in the background by deleting its keys, which are few once it
// was folded. Badger could drop a whole prefix at once, but blocks all reads while it does.

const (
	reclaimBatch = 512                   // keys per commit
	reclaimPause = 10 * time.Millisecond // between commits
)

// Reclaim asks for the data of all tables that Options.Tables does not know to be removed in the
// background. Nothing is ever removed without it, so that Options.Tables need not know anything
// before the node has read its schema.
func (e *Engine) Reclaim() {
	select {
	case e.reclaims <- struct{}{}:
	default:
	}
}

// reclaim runs until the engine stops.
func (e *Engine) reclaim() {
	for {
		select {
		case <-e.stop:
			return
		case <-e.reclaims:
		}
		if err := e.reclaimAll(); err != nil && !errors.Is(err, ErrClosed) {
			e.opts.Log.Warn("the space of dropped tables is not reclaimed yet", "error", err)
		}
	}
}

// reclaimAll removes the data of all incarnations that are not in use.
func (e *Engine) reclaimAll() error {
	if e.writable(0) != nil {
		return nil
	}
	incarnations, err := e.incarnations()
	if err != nil {
		return err
	}
	for _, incarnation := range incarnations {
		if _, ok := e.opts.Tables(incarnation); ok {
			continue
		}
		for from := binary.BigEndian.AppendUint32(nil, incarnation); from != nil; {
			if from, err = e.removeSome(incarnation, from); err != nil {
				return err
			}
			select {
			case <-e.stop:
				return nil
			case <-time.After(reclaimPause):
			}
		}
		e.tables.Delete(incarnation)
	}
	return nil
}

// incarnations returns those that have any live key, by jumping from one to the next.
func (e *Engine) incarnations() ([]uint32, error) {
	e.view.RLock()
	if e.closed {
		e.view.RUnlock()
		return nil, ErrClosed
	}
	txn := e.db.NewTransactionAt(e.visible.Load(), false)
	it := iterate(txn, nil, false, false)
	e.view.RUnlock()
	defer txn.Discard()
	defer it.Close()
	var found []uint32
	next := uint32(1)
	for {
		it.Seek(binary.BigEndian.AppendUint32(nil, next))
		if !it.Valid() {
			return found, nil
		}
		incarnation := binary.BigEndian.Uint32(it.Item().Key())
		found = append(found, incarnation)
		if incarnation == math.MaxUint32 {
			return found, nil
		}
		next = incarnation + 1
	}
}

// removeSome deletes the next keys of an incarnation, from a storage key on, and returns where to
// go on: nil at the end. Starting over each time would pass all that was deleted before.
func (e *Engine) removeSome(incarnation uint32, from []byte) (next []byte, err error) {
	prefix := binary.BigEndian.AppendUint32(nil, incarnation)
	if err := e.begin(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := iterate(txn, prefix, false, false)
	defer it.Close()
	r := &request{exclusive: true}
	size := 0
	for it.Seek(from); it.Valid() && len(r.changes) < reclaimBatch && size < int(e.groupSize/2); it.Next() {
		key := it.Item().KeyCopy(nil)
		r.changes = append(r.changes, change{key: key, op: opDelete})
		size += len(key)
	}
	if len(r.changes) == 0 {
		r.changes = []change{{key: headersKey(incarnation), op: opDelete}}
		return nil, e.commit.submit(context.Background(), r)
	}
	return r.changes[len(r.changes)-1].key, e.commit.submit(context.Background(), r)
}
