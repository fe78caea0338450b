// Package system makes the tables that every node has: system, system_schema, system_traces, and the virtual ones,
// system_views and system_virtual_schema.
//
// Drivers read them when they connect and after each change of the schema, so names, types and orders of the columns are
// those of Cassandra 5.0.6 (testdata/columns.txt, columns_source.txt), and so are the forms of the values. Cassandra has
// more tables; here are those that drivers and tools read, and those for which a node of Ilium has something true to say.
//
// # Rows
//
// Nothing of this is stored. Rows are made from the schema, from what is known of the node (Node), and from what other
// components tell (Sources). They have the form of stored rows, with the same encoding of keys, and a Cursor yields them
// as one of package storage yields stored ones: package query has one implementation of SELECT for both. Rows that follow
// from the schema are made once for each schema.
//
// What gossip and the topology tell is read anew each time: system.peers, peers_v2 and gossip_info show the nodes that
// Sources.Peers returns at that moment. Drivers are told of a change by an event first and read them then.
//
// Partitions are in order of their tokens. Those of virtual tables are in order of their keys, as in Cassandra, which is
// had by giving all of them the token 0; that is what token() shows, where Cassandra shows the key itself.
//
// # Reading only
//
// Package plan refuses to write to these tables, and package metadata to change them. Where Cassandra lets a superuser
// change system_traces, or anybody write to system while there is no authentication, Ilium does not.
//
// # DESCRIBE
//
// Describe carries out DESCRIBE: it is made of the same schema, and of the statements that package metadata prints.
package system
