// Package cluster runs clusters of whole nodes inside of one process, on a simulated network and a simulated clock, for tests of
// what a cluster does while its parts fail.
//
//	cluster.Run(t, seed, func(c *cluster.Cluster) {
//		c.Form(3)
//		c.Partition([]int{0}, []int{1, 2})
//		err := c.Do(1, func(s *node.Session) error { return s.Query(...).Exec(ctx) })
//		c.Crash(2)
//		c.Wait(10 * time.Second)
//		c.Heal()
//	})
//
// A [Cluster] lives in a bubble of testing/synctest: ten minutes of a cluster that idles take a second. Nodes are those of package node, with
// real storage in directories in memory, where there are such. All that is random comes from the seed but for the order in which goroutines
// run and the ids of nodes, so a seed finds again what it has found, often but not always.
//
// # Faults
//
// Those of the network are those of package wire/peer/memory. Crash leaves what kill -9 leaves: files as they were at one moment, and
// connections that are reset; it is a copy of the data directory that the node starts with again, while the old process ends without network.
// Pause stops all that a node sends and receives, and what clients ask of it; its goroutines go on.
//
// # Checking
//
// A [Ledger] writes and reads rows and knows what reads may return. [Flags] say how many seeds are tried, and which.
package cluster
