package node

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator/stream"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/peer"
)

// moves runs what this node has to pull because another one leaves.
type moves struct {
	mu      sync.Mutex
	change  uint64 // that is pulled, or was
	done    bool   // the node has all of it
	cancel  context.CancelFunc
	running sync.WaitGroup
	closed  bool
}

func (m *moves) close() {
	m.mu.Lock()
	m.closed = true
	if m.cancel != nil {
		m.cancel()
	}
	m.mu.Unlock()
	m.running.Wait()
}

// topologyChanged begins to pull if another node leaves, and ends it if that was given up.
func (c *cluster) topologyChanged(t *ring.Topology) {
	c.watch.wake()
	if c.handlers.Load() == nil {
		return // the node is starting; enter looks at the topology itself
	}
	c.followChange(t)
}

func (c *cluster) followChange(t *ring.Topology) {
	var leaving *ring.Endpoint
	for _, e := range t.Endpoints() {
		if e.State == ring.Leaving && e.ID != c.self {
			leaving = e
		}
	}
	m := &c.moves
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cancel != nil && (leaving == nil || m.change != leaving.Since) {
		m.cancel()
		m.cancel = nil
	}
	if leaving == nil || m.closed || m.change == leaving.Since {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.change, m.done, m.cancel = leaving.Since, false, cancel
	m.running.Go(func() {
		if err := c.move(ctx, leaving); err != nil {
			return // given up, or the node stops; a node that starts again goes on
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.done = m.done || m.change == leaving.Since
	})
}

// The questions of VerbMembership, as JSON: there are few of them, and operators may want to see them.
type membershipQuestion struct {
	Trace *cqltype.UUID `json:"trace,omitempty"` // what does the node keep of this traced request?

	Seen    bool   `json:"seen,omitempty"`    // does the node think that the one that asks is alive?
	Barrier uint64 `json:"barrier,omitempty"` // answer when the log is applied up to here and no older write is under way
	Moved   uint64 `json:"moved,omitempty"`   // has the node all that it gains by the change that began in this epoch?
	Removed bool   `json:"removed,omitempty"` // was whoever asks taken out of the cluster?
}

type membershipAnswer struct {
	Done     bool            `json:"done"`
	Progress stream.Progress `json:"progress"`

	Trace *system.TraceSession `json:"trace,omitempty"`
}

// membership answers other nodes about changes of the topology.
func (c *cluster) membership(ctx context.Context, r *peer.Request) ([]byte, error) {
	var q membershipQuestion
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return nil, fmt.Errorf("a question about membership that cannot be read: %w", err)
	}
	a := membershipAnswer{Done: true}
	switch {
	case q.Trace != nil:
		var s system.TraceSession
		if s, a.Done = c.node.traces.Find(*q.Trace); a.Done {
			a.Trace = &s
		}
	case q.Seen:
		a.Done = c.IsAlive(r.From)
	case q.Removed:
		a.Done = c.log.Removed(r.From)
	case q.Barrier > 0:
		if err := c.log.WaitApplied(ctx, q.Barrier); err != nil {
			return nil, err
		}
		if err := c.node.coordinator.Drain(ctx); err != nil {
			return nil, err
		}
	case q.Moved > 0:
		c.followChange(c.log.Topology())
		c.moves.mu.Lock()
		a.Done = c.moves.change == q.Moved && c.moves.done
		c.moves.mu.Unlock()
		a.Progress = c.mover.Progress()
	}
	return json.Marshal(a)
}

func (c *cluster) askMembership(ctx context.Context, to ring.HostID, q membershipQuestion) (a membershipAnswer, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	answer, err := c.hub.Call(ctx, to, peer.VerbMembership, body)
	if err == nil {
		err = json.Unmarshal(answer, &a)
	}
	return a, err
}

// barrierTimeout is how long a node may take to finish the writes that it coordinates.
const barrierTimeout = 15 * time.Second

// barrier returns when all nodes that live know the topology that this one knows, and have finished the writes that
// they began before. What is written from then on goes to pending replicas too.
func (c *cluster) barrier(ctx context.Context) error {
	index := c.log.Applied()
	for {
		err := c.tryBarrier(ctx, index)
		if err == nil || ctx.Err() != nil {
			return err
		}
		c.node.opts.Log.Info("waiting until all nodes know the new topology", "error", err)
		select {
		case <-time.After(joinRetry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *cluster) tryBarrier(ctx context.Context, index uint64) error {
	ctx, cancel := context.WithTimeout(ctx, barrierTimeout)
	defer cancel()
	if err := c.node.coordinator.Drain(ctx); err != nil {
		return err
	}
	live := c.live()
	errs := make(chan error, len(live))
	for _, id := range live {
		go func() {
			_, err := c.askMembership(ctx, id, membershipQuestion{Barrier: index})
			errs <- err
		}()
	}
	var failed error
	for range live {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

// errRemoved is why a node ends that was taken out of the cluster.
func (c *cluster) errRemoved() error {
	return fmt.Errorf("this node, %s, was taken out of the cluster; its data directory cannot be used in it again", c.self)
}

// wasRemoved asks the other nodes whether this one was taken out of the cluster while it could not hear of it.
func (c *cluster) wasRemoved(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	answers := make(chan bool)
	asked := 0
	for _, e := range c.log.Topology().Endpoints() {
		if e.ID == c.self {
			continue
		}
		asked++
		go func() {
			a, err := c.askMembership(ctx, e.ID, membershipQuestion{Removed: true})
			select {
			case answers <- err == nil && a.Done:
			case <-ctx.Done():
			}
		}()
	}
	for range asked {
		select {
		case removed := <-answers:
			if removed {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// refresh learns the newest topology, after another node has said that there is one. If this node cannot, it may be because
// it is not part of the cluster anymore.
func (c *cluster) refresh(ctx context.Context) error {
	err := c.log.CatchUp(ctx)
	if err != nil && c.wasRemoved(context.WithoutCancel(ctx)) {
		c.node.fail(c.errRemoved())
	}
	return err
}

// A NotInClusterError says that a node alone was asked for something that needs a cluster.
type NotInClusterError struct{}

func (*NotInClusterError) Error() string {
	return "this node is alone: listen_address is not set"
}

// Decommission makes the node leave the cluster after others have pulled its data, as nodetool decommission
// does. When it returns nil the node owns nothing anymore, and should be stopped. told, which may be nil, is called from time
// to time with what is still to be done. If ctx ends, the node stays in the state LEAVING; Decommission can be called
// again to go on.
func (n *Node) Decommission(ctx context.Context, told func(string)) error {
	if n.cluster == nil {
		return &NotInClusterError{}
	}
	return n.cluster.leave(ctx, n.cluster.self, told)
}

// RemoveNode takes a dead node out of the cluster after others have pulled its data from the replicas that are
// left, as nodetool removenode does. The arguments are as for Decommission.
func (n *Node) RemoveNode(ctx context.Context, id ring.HostID, told func(string)) error {
	c := n.cluster
	switch {
	case c == nil:
		return &NotInClusterError{}
	case id == c.self:
		return fmt.Errorf("node %s is this one: it can be decommissioned, not removed", id)
	case c.IsAlive(id):
		return fmt.Errorf("node %s is alive: decommission it there", id)
	}
	return c.leave(ctx, id, told)
}

// leaveAsk is the time between two questions whether others have the data of a node that leaves.
const leaveAsk = 500 * time.Millisecond

// leave takes a node out of the topology.
func (c *cluster) leave(ctx context.Context, id ring.HostID, told func(string)) error {
	e := c.log.Topology().Endpoint(id)
	if e == nil {
		return fmt.Errorf("there is no node %s", id)
	}
	if e.State == ring.Joining {
		return c.log.ProposeTopology(ctx, metadata.Abort{ID: id})
	}
	if e.State != ring.Leaving {
		if err := c.log.ProposeTopology(ctx, metadata.Leave{ID: id}); err != nil {
			return err
		}
		e = c.log.Topology().Endpoint(id)
	}
	for {
		waiting, err := c.heirs(ctx, e)
		if err != nil {
			return err
		}
		if waiting == "" {
			break
		}
		if told != nil {
			told(waiting)
		}
		select {
		case <-time.After(leaveAsk):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.log.ProposeTopology(ctx, metadata.Left{ID: id})
}

// heirs asks all that get data of a node that leaves whether they have it, and says who has not; empty if all
// have.
func (c *cluster) heirs(ctx context.Context, leaving *ring.Endpoint) (waiting string, err error) {
	t := c.log.Topology()
	heirs := map[ring.HostID]bool{}
	for k := range c.log.Schema().Keyspaces() {
		replication, err := ring.ParseReplication(k.Replication.Class, k.Replication.Options)
		if err != nil {
			return "", err
		}
		for _, move := range ring.NewPlacement(t, replication, c.self).Losses(leaving.ID) {
			for _, e := range move.Endpoints {
				heirs[e.ID] = true
			}
		}
	}
	for id := range heirs {
		a := membershipAnswer{}
		if id == c.self {
			c.followChange(t)
			c.moves.mu.Lock()
			a.Done, a.Progress = c.moves.change == leaving.Since && c.moves.done, c.mover.Progress()
			c.moves.mu.Unlock()
		} else {
			ask, cancel := context.WithTimeout(ctx, 5*time.Second)
			a, err = c.askMembership(ask, id, membershipQuestion{Moved: leaving.Since})
			cancel()
			if err != nil {
				return fmt.Sprintf("node %s does not answer: %v", id, err), ctx.Err()
			}
		}
		if !a.Done {
			p := a.Progress
			return fmt.Sprintf("node %s has %d of %d parts, %d bytes", id, p.Done, p.Total, p.Bytes), nil
		}
	}
	return "", nil
}
