package snitch

import (
	"sync"
	"time"
)

// A loop does something from time to time, until it is closed.
type loop struct {
	stop chan struct{}
	done sync.WaitGroup
}

func (l *loop) start(interval time.Duration, do func()) {
	l.stop = make(chan struct{})
	l.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				do()
			}
		}
	})
}

func (l *loop) close() {
	close(l.stop)
	l.done.Wait()
}
