// Package coordinator carries out reads and writes on the replicas of their partitions, and
// answers when as many have done so as the consistency level asks for.
//
// Which replicas a partition has follows from the topology and the keyspace (package ring); which of
// them are alive, the Cluster says. A request that too few of them could answer is refused before
// anything is done: with a replication factor of 3 and one live node, ONE succeeds and QUORUM is
// unavailable. A write also counts the nodes that are about to become replicas, and needs as many
// answers more.
//
// At this stage requests are carried out on the node itself only, and Alone is the only Cluster.
package coordinator

import (
	"context"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A Coordinator serves the requests that arrive at one node. It is safe for concurrent use.
type Coordinator struct {
	engine     *storage.Engine
	cluster    Cluster
	placements placements
}

// New returns the coordinator of a node of cluster that keeps its data in engine.
func New(engine *storage.Engine, cluster Cluster) *Coordinator {
	return &Coordinator{engine: engine, cluster: cluster, placements: placements{cluster: cluster}}
}

// A Write is a mutation and the keyspace that says where its replicas are.
type Write struct {
	Keyspace *schema.Keyspace
	Mutation *row.Mutation
}

// Write carries out all writes or, if it fails with an *UnavailableError, none. After a
// *WriteTimeoutError they may still be carried out: the mutations must not be changed anymore. t may be nil, as in
// the other methods.
func (c *Coordinator) Write(ctx context.Context, t *trace.Trace, level consistency.Level, writes ...Write) error {
	mutations := make([]*row.Mutation, len(writes))
	for i, w := range writes {
		if err := c.check(w.Keyspace, level, ring.Token(w.Mutation.Token), true); err != nil {
			return err
		}
		if t.On() {
			t.Add("Determining replicas for mutation %d of %d: %s", i+1, len(writes), c.contacted(w.Keyspace, level))
		}
		mutations[i] = w.Mutation
	}
	err := c.engine.ApplyTraced(ctx, t, mutations...)
	if errors.Is(err, context.DeadlineExceeded) {
		return &WriteTimeoutError{Level: level, Required: 1}
	}
	return err
}

// Read returns a cursor over rows of one partition of a table in keyspace k. The caller must
// close it, also after an error of the cursor.
func (c *Coordinator) Read(t *trace.Trace, k *schema.Keyspace, level consistency.Level, r *storage.Read) (*storage.Cursor, error) {
	token, err := row.PartitionToken(r.Partition)
	if err != nil {
		return nil, err
	}
	if err := c.check(k, level, ring.Token(token), false); err != nil {
		return nil, err
	}
	if t.On() {
		t.Add("Reading data from %s", c.contacted(k, level))
	}
	return c.engine.Read(r), nil
}

// Scan returns a cursor over many partitions of a table in keyspace k. The caller must close it.
func (c *Coordinator) Scan(t *trace.Trace, k *schema.Keyspace, level consistency.Level, s *storage.Scan) (*storage.Cursor, error) {
	// Nothing but this node is scanned, so any part of the ring stands for all of it.
	if err := c.check(k, level, ring.MinToken, false); err != nil {
		return nil, err
	}
	if t.On() {
		t.Add("Submitting range request to %s", c.contacted(k, level))
	}
	return c.engine.Scan(s), nil
}

// check returns an *UnavailableError if the level asks for more replicas of a token than are alive.
func (c *Coordinator) check(k *schema.Keyspace, level consistency.Level, token ring.Token, write bool) error {
	placement, datacenter, err := c.placements.of(k)
	if err != nil {
		return err
	}
	replication := placement.Replication()
	replicas := placement.Replicas(token)
	var room [4]*ring.Endpoint
	pending := room[:0]
	if write {
		pending = placement.Pending(pending, token)
	}
	var unavailable *UnavailableError
	switch {
	case level == consistency.EachQuorum && len(replication.Datacenters()) > 0:
		for _, name := range replication.Datacenters() {
			if unavailable = c.enough(level, replication.FactorIn(name), replicas, pending, name); unavailable != nil {
				unavailable.Datacenter = name
				break
			}
		}
	case level.IsLocal():
		unavailable = c.enough(level, replication.FactorIn(datacenter), replicas, pending, datacenter)
	default:
		unavailable = c.enough(level, replication.Factor(), replicas, pending, "")
	}
	if unavailable != nil {
		return unavailable
	}
	return nil
}

// enough returns an error unless as many are alive of the replicas as the level asks for at that
// factor, and of the pending ones all. If a datacenter is given, only those in it count.
func (c *Coordinator) enough(level consistency.Level, factor int, replicas, pending []*ring.Endpoint, datacenter string) *UnavailableError {
	required, alive := level.BlockFor(factor), 0
	for _, e := range replicas {
		if (datacenter == "" || e.Datacenter == datacenter) && c.cluster.IsAlive(e.ID) {
			alive++
		}
	}
	for _, e := range pending {
		if datacenter == "" || e.Datacenter == datacenter {
			required++
			if c.cluster.IsAlive(e.ID) {
				alive++
			}
		}
	}
	if alive < required {
		return &UnavailableError{Level: level, Required: required, Alive: alive}
	}
	return nil
}

// contacted says who carries out a request, in the words of a trace.
func (c *Coordinator) contacted(k *schema.Keyspace, level consistency.Level) string {
	placement, _, err := c.placements.of(k)
	if err != nil {
		return "this node"
	}
	return fmt.Sprintf("this node, the one live replica of %d (%s)", placement.Replication().Factor(), level)
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
