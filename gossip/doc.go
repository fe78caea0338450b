// Package gossip knows who is alive and what each node says of itself.
//
// Start makes a node a Member of a cluster; a Detector and a Table do the thinking, without I/O, and
// hashicorp/memberlist carries their messages. Ownership is not gossip: which tokens a node has is in
// the topology of package ring, the same for all. What is here is soft: it starts empty with the
// process, and two nodes may differ for a while. So far no node of Ilium is a Member: this package is
// tested, and not used.
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
// under five seconds, at the price of 28 bytes for each peer and packet. Set Interval to a second and
// MaxInterval to two for Cassandra's.
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
// a longer partition would be for ever. So a Member sends a digest to somebody who is down every second,
// and joins at a lost address every ten. When a node stops on purpose, it says so and does not leave
// SWIM's list, which would shut it out.
//
// The cluster's name is memberlist's label: packets of others are dropped before they are read.
package gossip
