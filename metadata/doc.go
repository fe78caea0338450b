// Package metadata changes the schema and the ring: it carries out CREATE, ALTER, DROP and TRUNCATE, and lets nodes join
// and leave, in one order for all nodes.
//
// # Apply
//
// Apply is the state machine. It takes a schema and a Change, a parsed statement with everything
// that the statement leaves open, and returns the next schema. It reads no clock, no configuration
// and no randomness, so that every node that applies the same changes in the same order comes to
// the same schema. What a statement may say, and what is answered when it may not, follows
// Cassandra 5.0.6; the files in testdata/recorded hold some 1,500 statements with the answers recorded from
// it, and say where the answer of Ilium differs and what it is.
//
// # Log
//
// A Log puts changes into order and keeps the result:
//
//	log, err := metadata.Open(engine, metadata.Options{OnChange: tell})
//	...
//	event, err := log.Propose(ctx, metadata.Change{Statement: statement, TableID: id, Timestamp: now})
//
// Propose applies one change at a time to the newest schema, stores the records that differ in one
// durable write, and only then publishes the new schema. A node alone is its own leader.
//
// # Cluster
//
// With Options.Cluster, what Propose does before Apply is an entry of a replicated log (package raftlog), and what
// it does from Apply on happens on every node. The first node begins a cluster with the schema and the tokens it has,
// and others ask any node to let them in:
//
//	log, err := metadata.Open(engine, metadata.Options{Cluster: &metadata.ClusterOptions{Self: id, Peers: hub, ...}})
//	...                                  // log.Handlers() answer other nodes from here on
//	err = log.Bootstrap(ctx, endpoint)   // the first one
//	err = log.Join(ctx, seeds, metadata.Join{Endpoint: endpoint, Tokens: 16}) // all others
//	...                                  // the data is there
//	err = log.ProposeTopology(ctx, metadata.Joined{ID: id})
//
// An entry is a statement as text with what it leaves open, a TopologyChange, or the state of the first node. The tokens of
// a node that joins are chosen when its entry is applied, so that all choose the same. One node at a time joins or
// leaves: a *ChangeInProgressError names the one that does. What is so already can be proposed again without harm.
//
// A proposal goes to the leader, by whichever node it is made, after the leader has said that it leads: a proposal is
// made once and never again, so where that is unknown nothing is retried and the answer is an *UnknownOutcomeError. Without a
// majority of those who vote the answer is a *NoLeaderError, and nothing was proposed. The outcome comes from the
// proposer's own state, by the proposal's id. Then the proposer waits until all nodes that are up have come that far, so that whoever
// made a table finds it on any node.
//
// Up to five nodes vote. A node gets a vote when it has joined: the cluster does not depend on one that fails
// meanwhile. It loses it when it begins to leave. Of two nodes both vote, and either one alone can neither change the metadata
// nor remove the other.
//
// A node stores the records that an entry changes together with the entry's index, so that an entry is applied
// once, whenever the node stops. What is too large for one write, as the first state of a large cluster, is stored
// in several, between which a mark says that the whole is to be made anew from the log or a snapshot.
//
// A node that finds the ring to have another address of it than its own proposes an Update by itself.
//
// # Numbers that are never used again
//
// The data of a table is stored under the table's incarnation, and a cell under the id of its
// column. CREATE TABLE and TRUNCATE take the next incarnation of the schema, a new column takes the
// next id of its table, and neither is ever given out twice: data of a dropped table or column
// cannot come back under another one. DROP and TRUNCATE therefore take constant time; the storage
// engine is asked to reclaim the space.
//
// # What is refused
//
// Secondary indexes, materialized views, functions, aggregates, triggers, data masking, counters,
// change data capture, compact storage, CREATE TABLE ... LIKE and types given as Java classes are
// refused with an error that names them. The keyspaces of the system cannot be changed at all; they
// are not part of a schema.Schema. Table options that mean nothing to Ilium are checked and kept as
// in Cassandra, so that DESCRIBE shows what was given.
//
// # Where it differs from Cassandra
//
// Replication factors are stored as plain decimal numbers. ALTER TABLE WITH checks the options
// together with those that stay, not with the defaults. A table cannot come to have what CREATE TABLE
// refuses by way of ALTER TYPE. A user type cannot have the name of a native type, with which the
// stored schema would confuse it, and cannot nest more than maxNestedTypes types. RENAME IF EXISTS
// skips columns that do not exist.
package metadata
