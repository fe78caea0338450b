// Package coordinator carries out reads and writes on the replicas of their partitions, and
// answers when as many have done so as the consistency level asks for.
//
// Which replicas a partition has follows from the topology and the keyspace (package ring); which of
// them are alive, the Cluster says. A request that too few of them could answer is refused before
// anything is done: with a replication factor of 3 and one live node, ONE succeeds and QUORUM is
// unavailable. A write also counts the nodes that are about to become replicas, and needs as many
// answers more.
//
// A write goes to all live replicas at once, as the bytes that storage keeps; the node itself is one of them, or
// not. Replicas that are down, or do not answer, get a hint (package hint). A read asks as many replicas
// as the level wants, for data the nearest of them and the others for a hash, and repairs those that differ.
//
// Conditional changes of a partition are agreed upon by its replicas: see Transact, contest.go for who asks, acceptor.go for
// who answers, and package paxos for what these remember.
package coordinator

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// Peers sends requests to other nodes. *peer.Hub does.
type Peers interface {
	// Send calls done once, with the answer or an error; see peer.Hub.Send.
	Send(to ring.HostID, v peer.Verb, deadline time.Time, body []byte, done func(answer []byte, err error))
}

// Hints keeps writes for replicas that have missed them. *hint.Store does.
type Hints interface {
	Add(to ring.HostID, body []byte, expires time.Time) error
	AddDurable(ctx context.Context, to ring.HostID, body []byte, expires time.Time) error
}

// Options are what a Coordinator needs beside its engine and the cluster. Zero fields take the default.
type Options struct {
	Peers Peers // default none: a node alone
	Hints Hints // default none are kept

	// Schema returns the schema of now; default an empty one. CatchUp returns when it has an epoch at least, or ctx
	// has ended: a request may come from a node that has learned of a change earlier.
	Schema  func() *schema.Schema
	CatchUp func(ctx context.Context, epoch uint64) error

	// Refresh returns when the cluster's topology is the newest, or ctx has ended: another node has said that
	// there is a newer one.
	Refresh func(ctx context.Context) error

	TombstoneFail int // tombstones passed by a read from which on it fails; default that of storage

	Proximity Proximity        // default: the order of the ring
	Now       func() time.Time // default time.Now
	Log       *slog.Logger     // default slog.Default()
}

func (o Options) withDefaults() Options {
	if o.Schema == nil {
		o.Schema = schema.Empty
	}
	if o.CatchUp == nil {
		o.CatchUp = func(context.Context, uint64) error { return nil }
	}
	if o.Refresh == nil {
		o.Refresh = func(context.Context) error { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Proximity == nil {
		o.Proximity = inOrder{}
	}
	return o
}

// A Coordinator serves the requests that arrive at one node. It is safe for concurrent use.
type Coordinator struct {
	engine     *storage.Engine
	cluster    Cluster
	peers      Peers
	hints      Hints
	opts       Options
	placements placements
	writes     *inflight
	guard      guard
	flights    flights
	acceptors  *stripes     // of the partitions of transactions
	turns      turns        // of the transactions of this node
	clock      atomic.Int64 // the newest timestamp of a transaction
}

// New returns the coordinator of a node of cluster that keeps its data in engine.
func New(engine *storage.Engine, cluster Cluster, opts Options) *Coordinator {
	opts = opts.withDefaults()
	return &Coordinator{engine: engine, cluster: cluster, peers: opts.Peers, hints: opts.Hints, opts: opts, placements: placements{cluster: cluster},
		writes: newInflight(), acceptors: newStripes()}
}

// holds reports whether this node is among the replicas.
func (c *Coordinator) holds(replicas []*ring.Endpoint) bool {
	return slices.ContainsFunc(replicas, func(e *ring.Endpoint) bool { return e.ID == c.cluster.Self() })
}

// describe says in the words of a trace who carries out a request.
func (c *Coordinator) describe(p *plan, level consistency.Level) string {
	alive := 0
	for _, e := range p.replicas {
		if c.cluster.IsAlive(e.ID) {
			alive++
		}
	}
	if alive == 1 && c.holds(p.replicas) {
		return fmt.Sprintf("this node, the one live replica of %d (%s)", p.factor, level)
	}
	return fmt.Sprintf("%d live replicas of %d (%s)", alive, p.factor, level)
}

// ReplicationWarnings says which replication factors of a keyspace are higher than there are nodes.
// k may be nil, as after another request has dropped it.
func (c *Coordinator) ReplicationWarnings(k *schema.Keyspace) []string {
	if k == nil {
		return nil
	}
	placement, _, err := c.placements.of(k)
	if err != nil {
		return nil // the schema holds only what can be parsed
	}
	nodes, all := placement.Topology().Datacenters(), 0
	for _, n := range nodes {
		all += n
	}
	const format = "Your replication factor %d for keyspace %s is higher than the number of nodes %d"
	replication := placement.Replication()
	datacenters := replication.Datacenters()
	if n := replication.Factor(); len(datacenters) == 0 && n > all {
		return []string{fmt.Sprintf(format, n, k.Name, all)}
	}
	var out []string
	for _, name := range datacenters {
		if n := replication.FactorIn(name); n > nodes[name] {
			out = append(out, fmt.Sprintf(format+" for datacenter %s", n, k.Name, nodes[name], name))
		}
	}
	return out
}
