package metadata

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/metadata/raftlog"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

// Peers are how a log reaches those of other nodes. *peer.Hub is one.
type Peers = raftlog.Peers

// RaftTimeouts are what the replicated log waits for.
type RaftTimeouts = raftlog.Timeouts

// ClusterOptions say how a log is part of a cluster.
type ClusterOptions struct {
	Self    ring.HostID
	Address string // host:port of this node for others. If the ring has another one, the log proposes an Update
	Peers   Peers
	Live    func() []ring.HostID // nodes that are up, as far as this one knows; nil: all
	Log     *slog.Logger         // default slog.Default()
	Raft    RaftTimeouts
}

// A cluster is the part of a Log that talks to other nodes.
type cluster struct {
	log  *Log
	opts ClusterOptions
	raft *raftlog.Log

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	waiting map[proposalID]chan outcome
	moved   chan struct{} // closed when the applied index rises
}

func openCluster(l *Log, o ClusterOptions) (*cluster, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	c := &cluster{log: l, opts: o, waiting: map[proposalID]chan outcome{}, moved: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	l.cluster = c // the log may apply something before Open returns
	var err error
	c.raft, err = raftlog.Open(raftlog.Options{Context: c.ctx, Self: o.Self, Store: l.store, Peers: o.Peers, Machine: &machine{c},
		Members: c.members, Live: o.Live, Log: o.Log, Timeouts: o.Raft})
	if err != nil {
		c.cancel()
		return nil, err
	}
	if address, err := netip.ParseAddrPort(o.Address); err == nil {
		c.running.Go(func() { c.keepAddress(address) })
	}
	return c, nil
}

func (c *cluster) close() {
	c.cancel()
	c.raft.Stop()
	c.running.Wait()
}

// members returns who is to have the replicated log.
func (c *cluster) members() []raftlog.Member {
	s := c.log.current.Load()
	if !s.isMember() {
		return nil
	}
	var members []raftlog.Member
	for _, e := range s.topology.Endpoints() {
		members = append(members, raftlog.Member{ID: e.ID, Votes: e.State == ring.Normal})
	}
	return members
}

// Handlers returns what answers the requests of other nodes.
func (l *Log) Handlers() map[peer.Verb]peer.Handler {
	c := l.cluster
	if c == nil {
		return nil
	}
	return map[peer.Verb]peer.Handler{
		peer.VerbRaft:     c.raft.Handle,
		peer.VerbSnapshot: c.raft.HandleSnapshot,
		peer.VerbPropose:  c.handlePropose,
		peer.VerbApplied:  c.handleApplied,
	}
}

// IsMember reports whether the node has the metadata of a cluster.
func (l *Log) IsMember() bool { return l.current.Load().isMember() }

// ClusterID returns the id of the cluster, which its first node has made up, or zero.
func (l *Log) ClusterID() [16]byte { return l.current.Load().cluster }

// Applied returns the index of the newest entry that has been applied.
func (l *Log) Applied() uint64 { return l.current.Load().applied }

// WaitApplied waits until this node has applied an index.
func (l *Log) WaitApplied(ctx context.Context, index uint64) error {
	if l.cluster == nil {
		return &NotMemberError{}
	}
	return l.cluster.awaitApplied(ctx, index)
}

// Removed reports whether a node was in the ring and has been taken out of it.
func (l *Log) Removed(id ring.HostID) bool { return slices.Contains(l.current.Load().removed, id) }

// Leader returns the node that leads the log, if there is one and this node knows.
func (l *Log) Leader() (ring.HostID, bool) {
	if l.cluster == nil {
		return ring.HostID{}, false
	}
	return l.cluster.raft.Leader()
}

// Voters returns the nodes that vote on the log's entries.
func (l *Log) Voters() []ring.HostID {
	if l.cluster == nil {
		return nil
	}
	return l.cluster.raft.Voters()
}

// await returns a channel for the outcome of a proposal that is yet to be made.
func (c *cluster) await(id proposalID) <-chan outcome {
	result := make(chan outcome, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting[id] = result
	return result
}

func (c *cluster) forget(id proposalID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// settle hands an outcome to whoever waits for it.
func (c *cluster) settle(id proposalID, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if result := c.waiting[id]; result != nil {
		result <- o
		delete(c.waiting, id)
	}
	close(c.moved)
	c.moved = make(chan struct{})
}

// lose ends the waits for proposals when a snapshot has taken the place of their entries.
func (c *cluster) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, result := range c.waiting {
		result <- outcome{index: c.log.Applied(), err: &UnknownOutcomeError{fmt.Errorf("this node was far behind")}}
		delete(c.waiting, id)
	}
}

// move tells those who wait that the applied index has risen.
func (c *cluster) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.moved)
	c.moved = make(chan struct{})
}

// awaitApplied waits until this node has applied an index.
func (c *cluster) awaitApplied(ctx context.Context, index uint64) error {
	for {
		c.mu.Lock()
		moved := c.moved
		c.mu.Unlock()
		if c.log.Applied() >= index {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ctx.Done():
			return errStopping
		}
	}
}

// handleApplied answers when this node has applied an index.
func (c *cluster) handleApplied(ctx context.Context, r *peer.Request) ([]byte, error) {
	q := codec.NewReader(r.Body)
	index := q.Uvarint()
	if err := q.End(); err != nil {
		return nil, err
	}
	ctx, cancel := withDeadline(ctx, r)
	defer cancel()
	if err := c.awaitApplied(ctx, index); err != nil {
		return nil, err
	}
	return binary.AppendUvarint(r.Memory[:0], c.log.Applied()), nil
}

// withDeadline returns a context that ends when nobody waits for the answer anymore.
func withDeadline(ctx context.Context, r *peer.Request) (context.Context, context.CancelFunc) {
	if r.Deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, r.Deadline)
}

// everywhere is how long a change waits for other nodes to have it.
const everywhere = 10 * time.Second

// awaitEverywhere waits until all nodes that are up have applied an index, or ctx ends.
func (c *cluster) awaitEverywhere(ctx context.Context, index uint64) {
	ctx, cancel := context.WithTimeout(ctx, everywhere)
	defer cancel()
	var asked sync.WaitGroup
	body := binary.AppendUvarint(nil, index)
	for _, id := range c.others() {
		if c.opts.Live != nil && !slices.Contains(c.opts.Live(), id) {
			continue
		}
		asked.Go(func() {
			if _, err := c.opts.Peers.Call(ctx, id, peer.VerbApplied, body); err != nil {
				c.opts.Log.Warn("A node that is up does not have the newest metadata yet", "node", id, "entry", index, "error", err)
			}
		})
	}
	asked.Wait()
}

// AskApplied returns when another node has applied what this one has, at the call, or ctx ends.
func (l *Log) AskApplied(ctx context.Context, id ring.HostID) error {
	_, err := l.cluster.opts.Peers.Call(ctx, id, peer.VerbApplied, binary.AppendUvarint(nil, l.Applied()))
	return err
}

// others returns all nodes of the ring but this one.
func (c *cluster) others() (ids []ring.HostID) {
	for _, e := range c.log.Topology().Endpoints() {
		if e.ID != c.opts.Self {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

const (
	addressFirst = 200 * time.Millisecond // before the first and between further tries to tell the cluster of an address
	addressMost  = 30 * time.Second
)

// keepAddress tells the cluster of this node's address if it has changed while the node was down.
func (c *cluster) keepAddress(address netip.AddrPort) {
	for pause := addressFirst; ; pause = min(2*pause, addressMost) {
		e := c.log.Topology().Endpoint(c.opts.Self)
		if e == nil || e.Address == address {
			return
		}
		_, err := c.propose(c.ctx, &entry{topology: Update{c.opts.Self, address}})
		if err == nil {
			return
		}
		c.opts.Log.Warn("The cluster does not know the new address of this node yet", "address", address, "error", err)
		select {
		case <-time.After(pause):
		case <-c.ctx.Done():
			return
		}
	}
}
