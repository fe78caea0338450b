package storage

import "time"

// Large values are in Badger's value log, and stay there after a compaction has dropped what
// points at them. Badger can collect a file by writing what is still used in it anew, under the
// old version. That could bring back a key whose deletion a compaction drops meanwhile, because
// it looks for older versions only below. So only files of which nothing is used are collected:
// then nothing is written.
//
// Little is lost by it. All large values are replaced sooner or later: fragments by pages, pages
// by pages.

const collectInterval = time.Minute

// collect runs until the engine stops.
func (e *Engine) collect() {
	tick := time.NewTicker(collectInterval)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			e.collectValues()
		}
	}
}

// collectValues removes all files of the value log of which nothing is used.
func (e *Engine) collectValues() {
	leastThreshold := Options{Memory: minMemory}.valueThreshold()
	// What is left of a file of at most twice its nominal size is less than its smallest value.
	ratio := 1 - float64(leastThreshold)/float64(4*e.valueMax)
	for e.writable(0) == nil && e.db.RunValueLogGC(ratio) == nil {
		e.pool.sweep() // files go when there is no iterator
	}
}
