// Package gossip knows who is alive and what each node says of itself.
//
// Start makes a node a Member of a cluster; a Detector and a Table do the thinking, without I/O, and
// hashicorp/memberlist carries their messages. Ownership is not gossip: which tokens a node has is in
// the topology of package ring, the same for all. What is here is soft: it starts empty with the
// process, and two nodes may differ for a while. docs/GOSSIP.md has settings and figures.
//
// # Who is alive
//
// Every node counts a heartbeat up. Digests carry it to all others, relayed by whoever knows it, and a
// Detector watches when it advances. It does not answer yes or no but phi, which grows with the
// silence, measured by the peer's own rhythm (Hayashibara et al., "The phi accrual failure detector",
// SRDS 2004). As in Cassandra (LADIS 2009, section 5.3), gaps are taken to be distributed
// exponentially, which fits gossip better than the paper's normal distribution: phi = t / (mean ln 10).
// A peer is down above the threshold, 8 by default: after 18.4 mean gaps of silence. It is up again
// with its next heartbeat.
//
//	d := gossip.NewDetector(gossip.Options{})
//	if d.Heartbeat(id, now) { ... } // up
//	for _, id := range d.Check(nil, now) { ... } // down
//
// The defaults are not Cassandra's, which beats once a second: four beats a second find a dead node in
// five to seven seconds. Set Interval to a second and MaxInterval to two for Cassandra's. In a cluster of
// more than 250 nodes, packets cannot carry that many heartbeats, and Options.For makes them fewer.
//
// A peer that is silent for a shorter time than makes it down is suspect: there is a second, lower
// threshold, above which whoever wants to read asks another replica.
//
// # What nodes say
//
// A Table holds what all nodes say of themselves: the generation, which rises with each start of the
// process, the heartbeat, and values by key with versions. A node's versions come from one counter, so
// the highest one says how much of it somebody has (van Renesse et al., "Efficient reconciliation and
// flow control for anti-entropy protocols", LADIS 2008). Digests are small and go out with every
// packet. Values follow only if they are missing, in Cassandra's three messages:
//
//	digests := a.Digests(nil)             // a -> b
//	changes := b.Observe(digests)
//	wanted := b.Wanted(digests)           // b -> a
//	changes = b.Merge(a.Deltas(wanted))   // a -> b
//
// Unlike in Cassandra the heartbeat has a counter of its own: with one for both, every beat would look
// like a new value and cost the other two messages.
//
// The newer of two versions wins, key by key. So it does not matter in which order, how often and by
// which way digests and deltas arrive.
//
// # How it travels
//
// memberlist (SWIM) keeps the list of who is to be talked to, and adds our digests to the packets it
// sends anyway, five times a second to three nodes. Its own verdict on who is dead is ignored. It
// also has no use for the dead: after half a minute it neither talks to them nor lets them back in, and
// a longer partition would be for ever. So a Member sends digests to those who are down, each about
// every ten seconds, and joins at a lost address every ten. Each packet has the address of its sender: a
// node that hears one that memberlist does not list joins there at once. When a node stops on purpose, it
// says so and does not leave SWIM's list, which would shut it out.
//
// A packet has room for some fifty digests. Those that have news come first (Table.Pick), and in a cluster
// of more than eighty nodes a Member sends packets of its own beside memberlist's.
//
// The sockets are given: packets go through a net.PacketConn, and for SWIM's exchanges over TCP a Member
// makes connections by a function and takes them from a channel, which are those of a peer.Hub. So they
// share its port and its TLS, and tests run in memory.
//
// # Who is heard
//
// The cluster's name is memberlist's label: packets of others are dropped before they are read. With Keys
// all is encrypted, and what is not is dropped. Keys change while nodes run: see Member.Keys.
//
// MemberOptions.Allowed refuses nodes that were removed from the cluster: SWIM does not list them, and
// nothing is taken in that they say or that others say of them; Member.Forget drops what is there. Such
// a node, if it still runs, gets no packets. Who accepts connections for MemberOptions.Streams should
// refuse it too, or it can ask for all that is known.
//
// If two processes have one host id, the one of the lower generation is told (OnContested), and should
// stop.
//
// # Asking
//
// Requests ask all the time who is up. Member.View is an immutable answer behind an atomic pointer, and
// IsUp and Suspects are short for it: no lock is taken. Everything else takes one.
package gossip
