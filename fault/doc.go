// Package fault puts bugs into programs that are built with the tag faults, for tests of tests: those of a cluster must
// find each of them. ILIUM_FAULT names the bug.
package fault
