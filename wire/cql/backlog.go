package cql

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// freeBacklog is how many bytes of a connection's answers are not counted: the traffic of clients that keep up
	// touches no counter which others use.
	freeBacklog = 16 << 10
	// stuckAfter is how long a client may take nothing while others wait for the memory that its answers occupy.
	stuckAfter = time.Second
)

// A backlog counts the bytes of answers that have not left, of all connections. It is safe for concurrent use.
type backlog struct {
	limit int64
	used  atomic.Int64

	mu      sync.Mutex
	waiting int
	freed   chan struct{} // closed and replaced when there is room again
}

func newBacklog(limit int64) *backlog {
	return &backlog{limit: limit, freed: make(chan struct{})}
}

// full reports whether no more large answers should be made.
func (b *backlog) full() bool { return b.used.Load() >= b.limit }

// add counts n bytes more, or less if n is negative.
func (b *backlog) add(n int64) {
	if b.used.Add(n) >= b.limit || n > 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting > 0 {
		close(b.freed)
		b.freed = make(chan struct{})
	}
}

// wait returns when there is room, or with the error of ctx. Meanwhile it calls relieve now and then, to make some.
func (b *backlog) wait(ctx context.Context, relieve func()) error {
	if !b.full() {
		return nil
	}
	tick := time.NewTicker(stuckAfter / 4)
	defer tick.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting++
	defer func() { b.waiting-- }()
	for b.full() {
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-tick.C:
			relieve()
		case <-ctx.Done():
		}
		b.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// dropWorst closes the connection that holds most of the backlog, of those whose clients take nothing.
func (s *Server) dropWorst() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var worst *connection
	most := int64(0)
	for c := range s.connections {
		if held, silent := c.out.stuck(time.Now()); held > most && silent >= stuckAfter {
			worst, most = c, held
		}
	}
	if worst != nil {
		worst.fail(fmt.Errorf("%w, %d bytes wait for it, and others need the memory", errSlow, most))
	}
}

// dropStuck closes all connections whose clients take nothing, time and again until ctx ends.
func (s *Server) dropStuck(ctx context.Context) {
	tick := time.NewTicker(stuckAfter / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		for c := range s.connections {
			if _, silent := c.out.stuck(time.Now()); silent >= stuckAfter {
				c.fail(errSlow)
			}
		}
		s.mu.Unlock()
	}
}
