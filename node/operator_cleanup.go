package node

import (
	"context"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// cleanupWatch is the time between two looks whether the topology is still the one that data is removed by.
const cleanupWatch = 20 * time.Millisecond

// Cleanup implements http.Operator. It removes nothing while nodes join or leave, when this one may be about to get
// ranges, and gives up when that begins.
func (o *operator) Cleanup(ctx context.Context, keyspace string, told func(string)) error {
	keyspaces, err := o.keyspaces(keyspace)
	if err != nil {
		return err
	}
	c := o.node.cluster
	if c == nil {
		return refuse(&NotInClusterError{})
	}
	t := c.Topology()
	for _, e := range t.Endpoints() {
		if e.State != ring.Normal {
			return conflict("node %s is %s: nothing can be cleaned up before that is over", e.ID, e.State)
		}
	}
	if t.Endpoint(c.self) == nil {
		return conflict("the node is not a part of the cluster")
	}
	told("waiting until all nodes know who has which data")
	if err := c.barrier(ctx); err != nil {
		return err
	}
	ctx, stop := whileTopologyIs(ctx, c, t)
	defer stop()
	err = o.node.coordinator.Removing(ctx, t.Epoch(), func(ctx context.Context) error { return o.cleanup(ctx, t, keyspaces, told) })
	if c.Topology() != t {
		return conflict("the cluster has changed meanwhile: clean up again")
	}
	if isA[*coordinator.RemovalError](err) {
		return conflict("nothing can be cleaned up now: %w", err)
	}
	return err
}

// cleanup removes the data of keyspaces that the node is no replica of by a topology.
func (o *operator) cleanup(ctx context.Context, t *ring.Topology, keyspaces []*schema.Keyspace, told func(string)) error {
	self := o.node.view.Self()
	for _, k := range keyspaces {
		replication, err := ring.ParseReplication(k.Replication.Class, k.Replication.Options)
		if err != nil {
			return err
		}
		ranges := foreignRanges(ring.NewPlacement(t, replication, self), self)
		for table := range k.Tables() {
			for i, r := range ranges {
				told(fmt.Sprintf("cleaning up %s: range %d of %d", table, i+1, len(ranges)))
				if err := o.node.engine.RemoveRange(ctx, table.Incarnation, int64(r.Start), int64(r.End)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// whileTopologyIs returns a context that ends when the topology is another one. stop waits until nobody looks
// anymore.
func whileTopologyIs(ctx context.Context, c *cluster, t *ring.Topology) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(cleanupWatch)
		defer tick.Stop()
		for c.Topology() == t {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	return ctx, func() {
		cancel()
		<-done
	}
}

// foreignRanges returns the ranges that an endpoint is no replica of, neighbors as one.
func foreignRanges(p *ring.Placement, self ring.HostID) []ring.Range {
	var out []ring.Range
	for r, replicas := range p.All {
		own := false
		for _, e := range replicas {
			own = own || e.ID == self
		}
		switch last := len(out) - 1; {
		case own:
		case last >= 0 && out[last].End == r.Start:
			out[last].End = r.End
		default:
			out = append(out, r)
		}
	}
	return out
}
