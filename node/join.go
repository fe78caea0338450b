package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/gossip"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/ring"
)

// catchUpTimeout is how long a node that was a member before waits to learn what has changed while it was away. After
// that it serves with what it knows: data can be read and written without the log.
const catchUpTimeout = 5 * time.Second

// enter makes the node a member of its cluster, or of the one that it was a member of. It returns when the node has the
// data that it owns.
func (c *cluster) enter(ctx context.Context) error {
	log := c.node.opts.Log
	switch {
	case c.log.IsMember():
		if err := c.catchUp(ctx); err != nil {
			return err
		}
	case c.isFirst():
		log.Info("this is the first node of its cluster")
		if err := c.log.Bootstrap(ctx, c.endpoint(c.identity)); err != nil {
			return err
		}
	default:
		join, err := c.joining(ctx)
		if err != nil {
			return err
		}
		log.Info("joining the cluster", "seeds", c.seeds())
		if err := c.hear(ctx); err != nil {
			return fmt.Errorf("joining the cluster: %w", err)
		}
		c.awaitSeen(ctx)
		if err := c.join(ctx, join); err != nil {
			return fmt.Errorf("joining the cluster: %w", err)
		}
	}
	e := c.log.Topology().Endpoint(c.self)
	if e == nil {
		return c.errRemoved()
	}
	if e.State == ring.Joining {
		return c.finishJoin(ctx, e)
	}
	c.followChange(c.log.Topology())
	return nil
}

// endpoint describes the node itself.
func (c *cluster) endpoint(id identity) ring.Endpoint {
	cfg := &c.node.config
	return ring.Endpoint{ID: c.self, Address: c.address, Datacenter: cfg.Datacenter, Rack: cfg.Rack, Tokens: id.tokens}
}

// isFirst reports whether the node is to begin a cluster: it is the first of the seeds, or there are none. If
// several nodes could be, each would begin one of its own.
func (c *cluster) isFirst() bool {
	cfg := &c.node.config
	all := cfg.Seeds.HostPorts(cfg.StoragePort)
	return len(all) == 0 || all[0] == c.address.String()
}

// joining says how the node joins.
func (c *cluster) joining(ctx context.Context) (metadata.Join, error) {
	cfg := &c.node.config
	join := metadata.Join{Endpoint: c.endpoint(identity{}), Tokens: cfg.NumTokens, Replicas: cfg.AllocateTokensForLocalReplicationFactor}
	if cfg.ReplaceNode == "" {
		return join, nil
	}
	var err error
	if join.Replaces, err = ring.ParseHostID(cfg.ReplaceNode); err == nil {
		return join, nil
	}
	address, err := netip.ParseAddrPort(hostPort(cfg.ReplaceNode, cfg.StoragePort))
	if err != nil {
		return join, fmt.Errorf("replace_node: %q is neither the id nor the address of a node", cfg.ReplaceNode)
	}
	join.Replaces, err = c.idAt(ctx, address)
	return join, err
}

// gossipTimeout is how long a new node waits to hear of another one.
const gossipTimeout = 15 * time.Second

// idAt returns the id of the node that gossip says is, or was, at an address.
func (c *cluster) idAt(ctx context.Context, address netip.AddrPort) (ring.HostID, error) {
	ctx, cancel := context.WithTimeout(ctx, gossipTimeout)
	defer cancel()
	for {
		for _, p := range c.memberOf().Peers() {
			if p.ID != c.self && p.Values[gossip.KeyAddress].Text == address.String() {
				return p.ID, nil
			}
		}
		select {
		case <-time.After(joinRetry):
		case <-ctx.Done():
			return ring.HostID{}, fmt.Errorf("replace_node: no node has been heard of that was at %s; its id would do, too", address)
		}
	}
}

// hear returns when the node has heard of another one by gossip. One that has not would be taken for dead by all others,
// and must not become a replica: it may lack the key of gossip, or packets may not get through.
func (c *cluster) hear(ctx context.Context) error {
	tick := time.NewTicker(hearEvery)
	defer tick.Stop()
	complain := time.NewTimer(hearPatience)
	defer complain.Stop()
	for {
		for _, p := range c.memberOf().Peers() {
			if p.ID != c.self && p.Up {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-complain.C:
			c.node.opts.Log.Warn("joining has to wait: no other node is heard of by gossip; is it reached by UDP and TCP, and is "+
				"gossip_encryption_key_file the same on all nodes?", "seeds", c.seeds(), "port", c.address.Port())
			complain.Reset(hearRemind)
		case <-ctx.Done():
			return fmt.Errorf("no other node is heard of by gossip: %w", ctx.Err())
		}
	}
}

// seenTimeout is how long a node that joins waits until others have heard of it.
const seenTimeout = 3 * time.Second

// awaitSeen waits until all nodes that this one has heard of think that it is alive. Once it joins, their writes need it: those
// of a node that thinks it is down would fail where another replica is.
func (c *cluster) awaitSeen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	again := time.NewTicker(seenRetry)
	defer again.Stop()
	for !c.isSeen(ctx) {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

const (
	// hearEvery is the time between two looks whether another node was heard of.
	hearEvery = 100 * time.Millisecond
	// hearPatience is the time after which the log says that none was.
	hearPatience = 5 * time.Second
	// hearRemind is the time between two lines of the log that say so.
	hearRemind = time.Minute
)

// seenRetry is the time between two questions whether others have heard of this node.
const seenRetry = 50 * time.Millisecond

// isSeen asks all nodes that this one thinks are alive. Those that do not answer may not be.
func (c *cluster) isSeen(ctx context.Context) bool {
	heard := false
	for _, p := range c.memberOf().Peers() {
		if p.ID == c.self || !p.Up {
			continue
		}
		heard = true
		a, err := c.askMembership(ctx, p.ID, membershipQuestion{Seen: true})
		if err == nil && !a.Done {
			return false
		}
	}
	return heard
}

// joinRetry is the time between two tries to join, while another node joins or leaves or no seed answers.
const joinRetry = 500 * time.Millisecond

// join asks the seeds until the node is in the topology. While another change is under way it has to wait.
func (c *cluster) join(ctx context.Context, join metadata.Join) error {
	log, told := c.node.opts.Log, ""
	for {
		err := c.log.Join(ctx, c.seeds(), join)
		var busy *metadata.ChangeInProgressError
		var nobody *metadata.NoLeaderError
		var early *metadata.NotMemberError // the seed is
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &busy) && !errors.As(err, &nobody) && !errors.As(err, &early):
			return err
		case err.Error() != told:
			told = err.Error()
			log.Info("joining has to wait", "reason", err)
		}
		select {
		case <-time.After(joinRetry):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// hearTimeout is how long it waits to hear of any other node at all.
const hearTimeout = 3 * time.Second

// catchUp learns what has changed while the node was away.
func (c *cluster) catchUp(ctx context.Context) error {
	if fault.On("serve without catching up") {
		return nil
	}
	err := c.tryCatchUp(ctx, hearTimeout)
	if err != nil && len(c.live()) > 0 {
		err = c.tryCatchUp(ctx, catchUpTimeout-hearTimeout)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.wasRemoved(ctx) {
			return c.errRemoved()
		}
		c.node.opts.Log.Warn("the metadata log has no leader that can be reached: the schema and the topology may be old", "error", err)
	}
	e := c.log.Topology().Endpoint(c.self)
	cfg := &c.node.config
	if e != nil && (e.Datacenter != cfg.Datacenter || e.Rack != cfg.Rack) {
		return fmt.Errorf("the node was in datacenter %s, rack %s, and cannot move to datacenter %s, rack %s with its data",
			e.Datacenter, e.Rack, cfg.Datacenter, cfg.Rack)
	}
	return nil
}

func (c *cluster) tryCatchUp(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return c.log.CatchUp(ctx)
}

// finishJoin pulls the data that the node is to own, and says that it has it.
func (c *cluster) finishJoin(ctx context.Context, e *ring.Endpoint) error {
	if c.node.config.AutoBootstrap {
		if err := c.move(ctx, e); err != nil {
			return fmt.Errorf("joining the cluster: %w", err)
		}
	}
	for {
		err := c.log.ProposeTopology(ctx, metadata.Joined{ID: c.self})
		var nobody *metadata.NoLeaderError
		if !errors.As(err, &nobody) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(joinRetry):
		case <-ctx.Done():
		}
	}
}

// move pulls what the node gains by the change of e, after all coordinators know of the change.
func (c *cluster) move(ctx context.Context, e *ring.Endpoint) error {
	if err := c.meet(ctx, e); err != nil {
		return err
	}
	if err := c.barrier(ctx); err != nil {
		return err
	}
	t := c.log.Topology()
	if err := c.node.coordinator.Gaining(ctx, t.Epoch()); err != nil {
		return err
	}
	done := make(chan struct{})
	defer close(done)
	go c.report(done)
	return c.mover.Run(ctx, t, e.Since)
}

// meet waits until all nodes are known to be alive, but for the one that e replaces, or the node has been running for so long that it
// would have heard of them. Before that a node that has just been started takes all for dead: it would not wait for their
// writes, and believe that nobody has what it is to pull.
func (c *cluster) meet(ctx context.Context, e *ring.Endpoint) error {
	for time.Since(c.began) < gossipTimeout {
		missing := false
		for _, other := range c.log.Topology().Endpoints() {
			missing = missing || other.ID != e.Replaces && !c.IsAlive(other.ID)
		}
		if !missing {
			return nil
		}
		select {
		case <-time.After(joinRetry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reportEvery is the time between two lines of the log about data that is pulled.
const reportEvery = 5 * time.Second

// report tells the log how far pulling is.
func (c *cluster) report(done <-chan struct{}) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			p := c.mover.Progress()
			c.node.opts.Log.Info("pulling data from other nodes", "parts", fmt.Sprintf("%d of %d", p.Done, p.Total), "bytes", p.Bytes, "table", p.Table)
		}
	}
}
