//go:build race

package gossip

import "runtime"

// singleProcessor works around Go 1.26: its race detector fails in itself when the timers of virtual time
// (testing/synctest) run on several processors. It finds races on one as well.
func singleProcessor() { runtime.GOMAXPROCS(1) }
