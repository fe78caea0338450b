package coordinator

import (
	"context"
	"errors"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A Write is a mutation and the keyspace that says where its replicas are.
type Write struct {
	Keyspace *schema.Keyspace
	Mutation *row.Mutation
}

// Write carries out all writes or, if it fails with an *UnavailableError, none. After another error they may still
// be carried out. After a *WriteTimeoutError or the end of ctx, which must have a deadline, the mutations
// must not be changed anymore. t may be nil, as in the other methods.
//
// A replica that is down, or does not answer, gets a hint.
func (c *Coordinator) Write(ctx context.Context, t *trace.Trace, level consistency.Level, writes ...Write) error {
	return c.write(ctx, t, level, writes, nil)
}

// write is Write. commit is the proposal whose change the only write is, nil for ordinary ones; for it, ANY waits for none.
func (c *Coordinator) write(ctx context.Context, t *trace.Trace, level consistency.Level, writes []Write, commit *paxos.Proposal) error {
	for {
		err := c.writeOnce(ctx, t, level, writes, commit)
		stale := (*staleError)(nil)
		if !errors.As(err, &stale) {
			return err
		}
		t.Add("The topology has changed: trying again")
		if err := c.opts.Refresh(ctx); errors.Is(err, context.DeadlineExceeded) {
			return &WriteTimeoutError{Level: level, Required: stale.required, Received: stale.received}
		} else if err != nil {
			return err
		}
	}
}

// A staleError says that another node knows a newer topology than this one.
type staleError struct {
	required, received int // answers so far
}

func (*staleError) Error() string { return "the topology has changed" }

// writeOnce is Write with the topology of now.
func (c *Coordinator) writeOnce(ctx context.Context, t *trace.Trace, level consistency.Level, writes []Write, commit *paxos.Proposal) error {
	side := c.writes.begin()
	defer c.writes.end(side)
	if commit == nil && len(c.cluster.Topology().Endpoints()) == 1 {
		return c.writeAlone(ctx, t, level, writes)
	}
	w := newWriting(c, level)
	w.commit = commit
	for i := range writes {
		p, err := c.plan(writes[i].Keyspace, level, ring.Token(writes[i].Mutation.Token), true)
		if err != nil {
			return err
		}
		if t.On() {
			t.Add("Determining replicas for mutation %d of %d: %s", i+1, len(writes), c.describe(&p, level))
		}
		if w.topology = min(w.topology, p.epoch); i == 0 {
			w.topology = p.epoch
		}
		w.add(p, writes[i].Mutation)
	}
	return w.everywhere(ctx, t)
}

// writeAlone writes to the node itself, the only one that there is. Its errors are those of the engine.
func (c *Coordinator) writeAlone(ctx context.Context, t *trace.Trace, level consistency.Level, writes []Write) error {
	mutations := make([]*row.Mutation, len(writes))
	for i := range writes {
		p, err := c.plan(writes[i].Keyspace, level, ring.Token(writes[i].Mutation.Token), true)
		if err != nil {
			return err
		}
		if t.On() {
			t.Add("Determining replicas for mutation %d of %d: %s", i+1, len(writes), c.describe(&p, level))
		}
		mutations[i] = writes[i].Mutation
	}
	err := c.engine.ApplyTraced(ctx, t, mutations...)
	if errors.Is(err, context.DeadlineExceeded) {
		return &WriteTimeoutError{Level: level, Required: 1}
	}
	return err
}
