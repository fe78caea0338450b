//go:build race

package gossip

// raced says that the race detector is there.
const raced = true
