// Package metadata changes the schema: it carries out CREATE, ALTER, DROP and TRUNCATE.
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
// durable write, and only then publishes the new schema. A node alone is its own leader. With more
// nodes, what Propose does before Apply becomes an entry of a replicated log, and what it does from
// Apply on happens on every node; nothing else changes.
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
