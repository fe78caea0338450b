// Package stream brings a node the data of the ranges that it becomes a replica of.
//
// When a node joins, leaves or replaces another one, ranges change their replicas. While that is under way, writes
// go to the old and to the new replicas (pending endpoints); what was written before, each new replica pulls
// from the old ones: Mover.Run. When it returns, the node has every write that was acknowledged, if the change
// was known to all coordinators when it began.
//
// # From whom
//
// A range that another replica gives up is pulled from that one: then each write is on as many replicas as
// before, and reads at QUORUM miss nothing. If there is no such replica, because it is dead, or it does not live anymore, the range is
// pulled from all others that live. What is pulled twice is stored once: merging rows is idempotent.
//
// # Going on after a crash
//
// What is complete is noted in the node's storage, for each range of each table and source, under the change it
// belongs to. A Mover that runs again for the same change skips it. A change that was given up and begun anew is another one.
package stream
