// Package workers carries out jobs on goroutines that stay for the next job, because a stack that has grown once
// is worth keeping: the one used last comes first.
package workers

import "sync"

// maxIdle is how many workers wait for the next job. More end when their job does.
const maxIdle = 512

// A Job is something to do on a goroutine, and may block. A panic goes its way.
type Job interface{ Run() }

// A Pool is workers, as many as there are jobs at once. The zero Pool has none yet.
type Pool struct {
	mu     sync.Mutex
	idle   []chan Job // each that of a worker, empty, with a capacity of 1
	closed bool
	done   sync.WaitGroup
}

// Run lets a worker carry out j, and does not wait. After Close it returns false and does nothing.
func (p *Pool) Run(j Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if n := len(p.idle); n > 0 {
		next := p.idle[n-1]
		p.idle = p.idle[:n-1]
		next <- j
		return true
	}
	next := make(chan Job, 1)
	next <- j
	p.done.Go(func() { p.work(next) })
	return true
}

func (p *Pool) work(next chan Job) {
	for j := range next {
		j.Run()
		if !p.rest(next) {
			return
		}
	}
}

// rest makes a worker available for the next job. It reports whether it shall stay.
func (p *Pool) rest(next chan Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdle {
		return false
	}
	p.idle = append(p.idle, next)
	return true
}

// Close ends all workers, after their jobs, and waits for them.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, next := range p.idle {
		close(next)
	}
	p.idle = nil
	p.mu.Unlock()
	p.done.Wait()
}
