package peer

import "sync"

// maxIdleWorkers is how many workers wait for the next job. More end when their job does.
const maxIdleWorkers = 512

// A job is something to do on a goroutine that may block.
type job interface{ run() }

// workers carry out jobs. They stay for the next one, because a stack that has grown once is worth
// keeping: the one used last comes first.
type workers struct {
	mu     sync.Mutex
	idle   []*worker
	closed bool
	done   sync.WaitGroup
}

// A worker is a goroutine that waits for a job on its channel.
type worker struct {
	next chan job // capacity 1
}

// run lets a worker carry out j. It reports whether there are workers still.
func (ws *workers) run(j job) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return false
	}
	if n := len(ws.idle); n > 0 {
		w := ws.idle[n-1]
		ws.idle = ws.idle[:n-1]
		w.next <- j
		return true
	}
	w := &worker{next: make(chan job, 1)}
	w.next <- j
	ws.done.Go(func() { ws.loop(w) })
	return true
}

func (ws *workers) loop(w *worker) {
	for j := range w.next {
		j.run()
		if !ws.rest(w) {
			return
		}
	}
}

// rest makes w available for the next job. It reports whether w shall stay.
func (ws *workers) rest(w *worker) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed || len(ws.idle) >= maxIdleWorkers {
		return false
	}
	ws.idle = append(ws.idle, w)
	return true
}

// close ends all workers, after their jobs, and waits for them.
func (ws *workers) close() {
	ws.mu.Lock()
	ws.closed = true
	for _, w := range ws.idle {
		close(w.next)
	}
	ws.idle = nil
	ws.mu.Unlock()
	ws.done.Wait()
}
