package http

import "context"

// An Operator shows and does what requests ask for. Its methods are called concurrently.
//
// An error that is to be answered by another status than 500 is a *RefusedError.
type Operator interface {
	// Ready returns why the node does not take clients, nil if it does.
	Ready() error

	// Status describes all nodes. What they own follows from the replication of the keyspace, if it is not empty.
	Status(keyspace string) (*Status, error)
	// Ring describes all tokens. What their nodes own follows from the replication of the keyspace, if it is not empty.
	Ring(keyspace string) (*Ring, error)
	// Info describes the node.
	Info() (*Info, error)
	// Gossip returns what nodes say of themselves.
	Gossip() ([]GossipNode, error)
	// Describe describes the cluster.
	Describe() (*Cluster, error)
	// Netstats describes the connections to other nodes.
	Netstats() (*Netstats, error)
	// Hints returns for which nodes hints wait.
	Hints() ([]PendingHints, error)

	// The actions return when they are complete or ctx has ended. They call told, on the goroutine that has called them, with
	// what they are about, from time to time.

	// Decommission makes the node leave the cluster. Without force, it is refused if a keyspace would have more replicas than nodes.
	Decommission(ctx context.Context, force bool, told func(string)) error
	// RemoveNode takes a dead node out of the cluster.
	RemoveNode(ctx context.Context, id string, told func(string)) error
	// AbortJoin takes a node out of the cluster that has not joined it completely.
	AbortJoin(ctx context.Context, id string, told func(string)) error
	// Cleanup removes what the node holds and is no replica of, in a keyspace, or in all if it is empty.
	Cleanup(ctx context.Context, keyspace string, told func(string)) error
	// TruncateHints throws the hints for a node away, or all if id is empty.
	TruncateHints(ctx context.Context, id string) error
	// Compact brings a table into its compact form, or all tables of a keyspace if the table is empty, or of all.
	Compact(ctx context.Context, keyspace, table string, told func(string)) error
}

// A RefusedError says that an Operator does not do what it was asked for.
type RefusedError struct {
	Status int // of the answer: one of net/http
	Cause  error
}

func (e *RefusedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Cause }
