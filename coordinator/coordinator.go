// Package coordinator carries out reads and writes on the replicas of their partitions, and
// answers when as many have done so as the consistency level asks for.
//
// At this stage a node is alone: it is the one live replica of everything, and the other replicas
// that a keyspace asks for count as down. What that means for each level is as in Cassandra: with
// a replication factor of 3, ONE succeeds and QUORUM is refused as unavailable.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A Coordinator serves the requests that arrive at one node. It is safe for concurrent use.
type Coordinator struct {
	engine     *storage.Engine
	datacenter string
}

// New returns the coordinator of a node that keeps its data in engine and lives in datacenter.
func New(engine *storage.Engine, datacenter string) *Coordinator {
	return &Coordinator{engine: engine, datacenter: datacenter}
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
		if err := c.check(w.Keyspace, level); err != nil {
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
	if err := c.check(k, level); err != nil {
		return nil, err
	}
	if t.On() {
		t.Add("Reading data from %s", c.contacted(k, level))
	}
	return c.engine.Read(r), nil
}

// Scan returns a cursor over many partitions of a table in keyspace k. The caller must close it.
func (c *Coordinator) Scan(t *trace.Trace, k *schema.Keyspace, level consistency.Level, s *storage.Scan) (*storage.Cursor, error) {
	if err := c.check(k, level); err != nil {
		return nil, err
	}
	if t.On() {
		t.Add("Submitting range request to %s", c.contacted(k, level))
	}
	return c.engine.Scan(s), nil
}

// check returns an *UnavailableError if the level asks for more replicas than are alive.
func (c *Coordinator) check(k *schema.Keyspace, level consistency.Level) error {
	local, all := c.replicas(k)
	alive, replicas := min(local, 1), all
	if level.IsLocal() || level == consistency.EachQuorum {
		replicas = local
	}
	required := level.BlockFor(replicas)
	if level == consistency.EachQuorum && all > local {
		return &UnavailableError{Level: level, Required: required + 1, Alive: alive} // another datacenter has none
	}
	if alive < required {
		return &UnavailableError{Level: level, Required: required, Alive: alive}
	}
	return nil
}

// contacted says who carries out a request, in the words of a trace.
func (c *Coordinator) contacted(k *schema.Keyspace, level consistency.Level) string {
	_, all := c.replicas(k)
	return fmt.Sprintf("this node, the one live replica of %d (%s)", all, level)
}

// replicas returns how many replicas a keyspace has in this datacenter and in all.
func (c *Coordinator) replicas(k *schema.Keyspace) (local, all int) {
	switch k.Replication.Class {
	case "SimpleStrategy":
		n := factor(k.Replication.Options["replication_factor"])
		return n, n
	case "NetworkTopologyStrategy":
		for datacenter, n := range k.Replication.Options {
			all += factor(n)
			if datacenter == c.datacenter {
				local = factor(n)
			}
		}
		return local, all
	default: // LocalStrategy
		return 1, 1
	}
}

// nodes is how many nodes there are.
const nodes = 1

// ReplicationWarnings says which replication factors of a keyspace are higher than there are nodes.
// k may be nil, as after another request has dropped it.
func (c *Coordinator) ReplicationWarnings(k *schema.Keyspace) []string {
	if k == nil {
		return nil
	}
	var out []string
	switch k.Replication.Class {
	case "SimpleStrategy":
		if n := factor(k.Replication.Options["replication_factor"]); n > nodes {
			out = append(out, fmt.Sprintf("Your replication factor %d for keyspace %s is higher than the number of nodes %d", n, k.Name, nodes))
		}
	case "NetworkTopologyStrategy":
		for _, datacenter := range slices.Sorted(maps.Keys(k.Replication.Options)) {
			if n := factor(k.Replication.Options[datacenter]); n > nodes {
				out = append(out, fmt.Sprintf("Your replication factor %d for keyspace %s is higher than the number of nodes %d for datacenter %s",
					n, k.Name, nodes, datacenter))
			}
		}
	}
	return out
}

func factor(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0 // the schema holds only checked factors
	}
	return n
}

// An UnavailableError reports that too few replicas were alive to try a request. Nothing was done.
type UnavailableError struct {
	Level           consistency.Level
	Required, Alive int
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("Cannot achieve consistency level %s", e.Level)
}

// A WriteTimeoutError reports that too few replicas acknowledged a write in time. It may still be
// carried out.
type WriteTimeoutError struct {
	Level              consistency.Level
	Required, Received int
}

func (e *WriteTimeoutError) Error() string {
	return fmt.Sprintf("Operation timed out - received only %d responses.", e.Received)
}

// A ReadTimeoutError reports that too few replicas answered a read in time.
type ReadTimeoutError struct {
	Level              consistency.Level
	Required, Received int
}

func (e *ReadTimeoutError) Error() string {
	return fmt.Sprintf("Operation timed out - received only %d responses.", e.Received)
}
