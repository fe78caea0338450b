package coordinator

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A Transaction is a conditional change of one partition of one table.
type Transaction struct {
	Trace    *trace.Trace // may be nil
	Keyspace *schema.Keyspace
	Table    *schema.Table
	Serial   consistency.Level // Serial or LocalSerial: who agrees
	Commit   consistency.Level // who must have the change before the answer; with Any, none is waited for
	Read     *storage.Read     // what the conditions look at; the rows come from as many replicas as must agree
	Deadline time.Time         // by the system's clock
}

// A Decide looks at the present rows and returns the change to be made with a write timestamp in microseconds, or nil if
// the conditions do not hold. It may be called several times for one transaction, and must not keep the rows.
type Decide func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error)

// Transact carries out a conditional change: no other one of the partition comes between what decide looks at and the
// change that it returns. applied says whether there was a change. After a *CASUnknownError, or a *WriteTimeoutError of a
// type other than CAS, the change may be made or not.
//
// The error of decide is returned as it is.
func (c *Coordinator) Transact(ctx context.Context, q *Transaction, decide Decide) (applied bool, err error) {
	t := &contest{coordinator: c, transaction: q, decide: decide}
	applied, _, err = t.run(ctx)
	return applied, err
}

// alone is an attempt on the only node that there is.
func (t *contest) alone(ctx context.Context) (*decision, storage.Fetch, error) {
	c, q := t.coordinator, t.transaction
	if err := c.acceptors.lock(ctx, t.token); err != nil {
		return nil, nil, err
	}
	defer c.acceptors.unlock(t.token)
	if len(c.cluster.Topology().Endpoints()) > 1 {
		return nil, nil, errAgain
	}
	if _, err := c.plan(q.Keyspace, q.Serial, ring.Token(t.token), true); err != nil {
		return nil, nil, err
	}
	if err := t.finishAlone(ctx); err != nil {
		return nil, nil, err
	}
	block, _, err := c.engine.ReadBlock(nil, q.Read, storage.Limit{Bytes: blockBytes})
	if err != nil {
		return nil, nil, err
	}
	newest, err := newestIn(block)
	if err != nil {
		return nil, nil, err
	}
	at := *q.Read
	fetch := func(after []byte) (*storage.Entries, error) {
		if after == nil {
			return storage.BlockEntries(block), nil
		}
		if !at.After(after) {
			return &storage.Entries{}, nil
		}
		next, _, err := c.engine.ReadBlock(nil, &at, storage.Limit{Bytes: blockBytes})
		return storage.BlockEntries(next), err
	}
	if t.decide == nil {
		return nil, fetch, nil
	}
	m, err := c.decide(q, fetch, max(c.tick(t.seen), newest+1), t.decide)
	if m == nil || err != nil {
		return nil, nil, err
	}
	if _, err := c.plan(q.Keyspace, q.Commit, ring.Token(t.token), true); err != nil {
		return nil, nil, err // nobody has heard of the change
	}
	// The lock must not be free before the outcome is known, or the next one would read old rows.
	err = c.engine.ApplyTraced(context.WithoutCancel(ctx), q.Trace, m)
	return &decision{own: true, made: true}, nil, err
}

// finishAlone makes a change that is unfinished since there were more nodes.
func (t *contest) finishAlone(ctx context.Context) error {
	c, q := t.coordinator, t.transaction
	old, err := c.loadState(q.Read.Incarnation, q.Read.Partition)
	if err != nil {
		return err
	}
	if t.seen = old.Promised.Time; !old.Unfinished() {
		return nil
	}
	m, err := mutationOf(&old.Accepted)
	if err != nil {
		return err
	}
	now := old
	now.Commit(old.Accepted)
	return c.storeState(ctx, q.Read.Incarnation, q.Read.Partition, &old, &now, m)
}

// decide calls a Decide with the rows that fetch delivers.
func (c *Coordinator) decide(q *Transaction, fetch storage.Fetch, timestamp int64, decide Decide) (*row.Mutation, error) {
	rows := storage.NewReadCursor(q.Read, fetch, storage.BlockOptions{Table: q.Table.String(), TombstoneFail: c.opts.TombstoneFail})
	defer rows.Close()
	return decide(rows, timestamp)
}

// tick returns a timestamp of now that is later than all that it has returned, and than one that was seen elsewhere.
func (c *Coordinator) tick(seen int64) int64 {
	for {
		last := c.clock.Load()
		next := max(c.opts.Now().UnixMicro(), last+1, seen+1)
		if c.clock.CompareAndSwap(last, next) {
			return next
		}
	}
}

// newestIn returns the newest write timestamp in a block; row.NoTimestamp if it is empty.
func newestIn(block []byte) (int64, error) {
	newest := int64(row.NoTimestamp)
	var r storage.BlockReader
	r.Reset(block)
	for r.Next() {
		f := r.Row()
		newest = max(newest, f.Liveness.Timestamp, f.Deletion.Timestamp)
		for i := range f.Ranges {
			newest = max(newest, f.Ranges[i].Deletion.Timestamp)
		}
		for i := range f.Cells {
			newest = max(newest, f.Cells[i].Timestamp)
		}
	}
	return newest, r.Err()
}
