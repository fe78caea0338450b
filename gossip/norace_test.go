//go:build !race

package gossip

// singleProcessor does nothing without the race detector.
func singleProcessor() {}
