package storage

import (
	"context"
	"time"
)

// metaFiller is the kind of the keys that flush writes.
const metaFiller = 'f'

// flush returns when all that was visible to begin with is in table files, where compaction can get at
// it. Badger writes a memtable to a file only when it is full, so this fills it, with values that the
// next compaction drops.
func (e *Engine) flush(ctx context.Context) error {
	until := e.visible.Load()
	memtable := e.opts.memtableSize()
	for left := memtable; left > 0 && !e.flushed(until); left -= memtable / 8 {
		if err := e.commit.submit(ctx, e.filler(memtable/8, e.opts.valueThreshold()/2)); err != nil {
			return err
		}
	}
	if err := e.commit.submit(ctx, e.filler(1, 0)); err != nil { // the memtable is full now: this goes into the next
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !e.flushed(until) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.failing:
			return e.failure()
		case <-e.folder.ctx.Done(): // Close waits for compactions
			return ErrClosed
		case <-tick.C:
		}
	}
	return nil
}

// filler returns a request that writes total bytes, in values of some size.
func (e *Engine) filler(total, size int64) *request {
	r := &request{exclusive: true}
	for i := byte(0); total > 0; i++ {
		key := metaKey(metaFiller, []byte{i})
		r.changes = append(r.changes, change{key: key, value: sealMeta(key, make([]byte, size)), op: opReplace})
		total -= max(size, 1)
	}
	return r
}

// flushed reports whether the commit of that version is in a table file. Memtables are written in order.
func (e *Engine) flushed(version uint64) bool {
	for _, t := range e.db.Tables() {
		if t.MaxVersion >= version {
			return true
		}
	}
	return false
}
