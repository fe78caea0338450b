package peer

import (
	"fmt"
	"sync/atomic"
	"time"
)

// memorySize is how much memory a task has for its body and its answer at first.
const memorySize = 1 << 10

// A task is a request that a handler is at work on.
type task struct {
	in      *inbound
	handler Handler
	id      uint64
	held    int64 // what the gate counts
	request Request

	body, memory []byte // kept for the next task
}

// task returns a task without a request.
func (h *Hub) task() *task {
	if t, ok := h.tasks.Get().(*task); ok {
		return t
	}
	return &task{memory: make([]byte, 0, memorySize)}
}

// room returns n bytes of memory for a body.
func (t *task) room(n int) []byte {
	if cap(t.body) < n {
		t.body = make([]byte, n, max(n, memorySize))
	}
	return t.body[:n]
}

// Run carries out the request, and answers, unless nobody waits for that anymore.
func (t *task) Run() {
	defer t.end()
	r := &t.request
	if t.late() {
		return
	}
	ctx := &requestContext{parent: t.in.hub.ctx, deadline: r.Deadline}
	answer, err := t.handler(ctx, r)
	ctx.end()
	if t.late() {
		return
	}
	if err == nil && len(answer) > t.in.input.limit {
		err = fmt.Errorf("the answer has %d bytes, at most %d", len(answer), t.in.input.limit)
	}
	if err != nil {
		t.in.fail(r.Verb, t.id, err)
		return
	}
	t.in.hub.usual[r.Verb].add(int64(len(answer)))
	t.hold(int64(len(answer)))
	t.in.output.await(outputLimit)
	t.in.send(&header{kind: kindAnswer, verb: r.Verb, id: t.id}, answer)
	if n := len(answer); n > cap(t.memory) && n <= keptSize {
		t.memory = make([]byte, 0, 2*n) // the next answer may be as long
	}
}

// late reports whether the deadline has passed.
func (t *task) late() bool {
	return !t.request.Deadline.IsZero() && !time.Now().Before(t.request.Deadline)
}

// hold makes the gate count n bytes if they are more than what it counts.
func (t *task) hold(n int64) {
	if more := n - t.held; more > 0 {
		t.held += more
		t.in.hub.gate.held.Add(more)
	}
}

// end gives everything back.
func (t *task) end() {
	in := t.in
	in.underWay.Add(-1)
	in.hub.gate.leave(t.held)
	if cap(t.body) > keptSize {
		t.body = nil
	}
	t.in, t.handler, t.request = nil, nil, Request{}
	in.hub.tasks.Put(t)
}

// A mean is how large the answers of a verb have been lately. What handlers will hold is not known when they start, but they do
// what they did before.
type mean struct{ bytes atomic.Int64 }

// add takes one more answer into account, with a weight of 1/16. If two are added at the same time, one may be left out.
func (m *mean) add(n int64) {
	old := m.bytes.Load()
	m.bytes.Store(old + (n-old)/16)
}

// A gate bounds what handlers hold.
type gate struct {
	limit int64
	held  atomic.Int64
	shut  atomic.Uint64 // how often somebody was refused
}

// enter admits n bytes, or returns false. What governs the cluster has a quarter more. Alone, any request fits.
func (g *gate) enter(n int64, governs bool) bool {
	limit := g.limit
	if governs {
		limit += limit / 4
	}
	if held := g.held.Add(n); held <= limit || held == n {
		return true
	}
	g.held.Add(-n)
	g.shut.Add(1)
	return false
}

func (g *gate) leave(n int64) { g.held.Add(-n) }
