//go:build !faults

package node

// faulty reports whether a bug is to be there, for tests of tests. Programs have none of it: the compiler drops what depends on it.
func faulty(string) bool { return false }
