package coordinator

import (
	"context"
	"fmt"
	"sync/atomic"
)

// A guard keeps writes from what is removed because the node is no replica of it. A coordinator that has learned of a
// change of the topology sends this node what it is about to become a replica of, maybe before the node knows of
// the change. So a write of a newer topology than the one that data is removed by first ends the removal; and no removal
// begins by an older topology than that of a write.
type guard struct {
	newest  atomic.Uint64 // topology of a write, or of data that is taken over
	removal atomic.Pointer[removal]
}

// A removal is one that is under way.
type removal struct {
	topology uint64
	cancel   context.CancelFunc
	done     chan struct{}
}

// enter returns when what was planned by a topology can be written.
func (g *guard) enter(ctx context.Context, topology uint64) error {
	// This is noted before the removal is looked for, and a removal looks the other way round: one of them sees the other.
	for newest := g.newest.Load(); newest < topology; newest = g.newest.Load() {
		g.newest.CompareAndSwap(newest, topology)
	}
	r := g.removal.Load()
	if r == nil || topology <= r.topology {
		return nil
	}
	r.cancel()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A RemovalError says that data is not removed.
type RemovalError struct {
	Topology, Newer uint64 // the epochs of that by which it was to be removed, and of that which others know; 0 if there is none
}

func (e *RemovalError) Error() string {
	if e.Newer == 0 {
		return "data is being removed already"
	}
	return fmt.Sprintf("data cannot be removed by the topology of epoch %d: there is one of epoch %d", e.Topology, e.Newer)
}

// Removing calls remove, which removes what this node is no replica of by a topology. The context of remove ends when the
// node is about to get data by a newer one; remove should then return soon, for the data waits.
func (c *Coordinator) Removing(ctx context.Context, topology uint64, remove func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &removal{topology: topology, cancel: cancel, done: make(chan struct{})}
	if !c.guard.removal.CompareAndSwap(nil, r) {
		return &RemovalError{Topology: topology}
	}
	defer func() {
		c.guard.removal.Store(nil)
		close(r.done)
	}()
	if newest := c.guard.newest.Load(); newest > topology {
		return &RemovalError{topology, newest}
	}
	err := remove(ctx)
	if newest := c.guard.newest.Load(); err != nil && newest > topology {
		return &RemovalError{topology, newest}
	}
	return err
}

// Gaining returns when the node can take over data that it is to own by a topology: nothing is removed by an older one
// then, or later.
func (c *Coordinator) Gaining(ctx context.Context, topology uint64) error {
	return c.guard.enter(ctx, topology)
}
