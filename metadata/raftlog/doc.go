// Package raftlog puts opaque entries into one order for all nodes of a cluster: a replicated log.
//
// It is hashicorp/raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", ATC 2014)
// with the nodes' own means: entries, votes and snapshots are named values of the node's storage, and messages
// travel as requests between peers. Servers are named by host ids; raft's addresses are host ids as well, so
// that a node whose address changes stays the same server.
//
// A Machine is what entries are applied to. It keeps its state durably itself and knows up to which index; a
// snapshot serves other nodes and the compaction of the log, and is looked at when a node starts only if it is newer
// than the machine.
//
// # Members
//
// The leader brings raft's configuration in line with the members that the machine knows: they are added as
// servers without a vote, up to five of those that may vote get one, and servers that are no members are
// removed. A member that may not vote anymore, because it leaves, loses its vote first. It goes one step after the other, and a new leader goes on where the old one stopped.
//
// # Timing
//
// A leader is missed after one to two seconds. The only voter does not wait for others: it elects itself at
// once. raft tells followers what is committed by the next message that it would send anyway, and to make that
// quick it sends one every 50 ms. Here it does so twice a second, and who leads tells the others as
// soon as it has applied an entry (see nudge.go).
package raftlog
