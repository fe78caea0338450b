package cql

import "sync"

// maxIdleWorkers is how many workers wait for the next task. More end when their task does.
const maxIdleWorkers = 512

// workers carry out tasks. They stay for the next one, because a stack that has grown once is worth
// keeping: the one used last comes first.
type workers struct {
	mu     sync.Mutex
	idle   []*worker
	closed bool
	done   sync.WaitGroup
}

// A worker is a goroutine that waits for a request on its channel.
type worker struct {
	next chan *request // capacity 1
}

// run lets a worker carry out r.
func (ws *workers) run(r *request) {
	ws.mu.Lock()
	if n := len(ws.idle); n > 0 {
		w := ws.idle[n-1]
		ws.idle = ws.idle[:n-1]
		ws.mu.Unlock()
		w.next <- r
		return
	}
	ws.mu.Unlock()
	w := &worker{next: make(chan *request, 1)}
	w.next <- r
	ws.done.Go(func() { ws.loop(w) })
}

func (ws *workers) loop(w *worker) {
	var current *request
	defer func() {
		if current != nil { // a panic goes its way
			current.server.reportPanic(current.conn, current.header)
		}
	}()
	for r := range w.next {
		current = r
		r.serve()
		current = nil
		if !ws.rest(w) {
			return
		}
	}
}

// rest makes w available for the next task. It reports whether w shall stay.
func (ws *workers) rest(w *worker) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed || len(ws.idle) >= maxIdleWorkers {
		return false
	}
	ws.idle = append(ws.idle, w)
	return true
}

// close ends all workers, after their tasks, and waits for them. There must be no further run.
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
