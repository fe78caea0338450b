package peer

import (
	"context"
	"errors"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// errUnknownAddress says that Options.Resolve does not know a node.
var errUnknownAddress = errors.New("its address is not known")

// Send makes a request and calls done with the answer or an error, exactly once. A deadline of zero means none. Send does not wait for
// anything, and keeps nothing of body. The function done runs on a goroutine that reads answers: it must not block, and
// what it is given is valid during the call only. It does not run before Send has returned on the goroutine that calls Send.
func (h *Hub) Send(to ring.HostID, v Verb, deadline time.Time, body []byte, done func(answer []byte, err error)) {
	c := call{deadline: h.since(deadline), done: done}
	if _, _, err := h.send(to, v, body, c); err != nil {
		f := &failedCall{call: c, err: err}
		if !h.workers.Run(f) {
			go f.Run() // all owners of goroutines are gone, but who sends may hold a lock
		}
	}
}

// A failedCall is a call that could not be begun.
type failedCall struct {
	call call
	err  error
}

func (f *failedCall) Run() { f.call.complete(nil, f.err) }

// since returns a deadline as the time since the hub's start.
func (h *Hub) since(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return forever
	}
	return deadline.Sub(h.start)
}

func (h *Hub) send(to ring.HostID, v Verb, body []byte, c call) (*link, uint64, error) {
	if to == h.options.Self {
		return nil, 0, ErrSelf
	}
	if len(body) > h.options.MaxFrame {
		return nil, 0, &SizeError{Size: len(body), Max: h.options.MaxFrame}
	}
	l := h.link(linkKey{to, classOf(v)})
	if l == nil {
		return nil, 0, &UnreachableError{To: to, Cause: ErrClosed}
	}
	id, err := l.send(v, body, c)
	return l, id, err
}

func classOf(v Verb) class {
	if v.Bulk() {
		return classBulk
	}
	return classRequests
}

// Call makes a request and waits for the answer, until the context ends: at its deadline, the error is a *TimeoutError.
func (h *Hub) Call(ctx context.Context, to ring.HostID, v Verb, body []byte) ([]byte, error) {
	c := h.waiterCall(ctx)
	l, id, err := h.send(to, v, body, c)
	if err != nil {
		h.waiters.Put(c.waiter)
		return nil, err
	}
	return h.await(ctx, l, id, c.waiter)
}

// CallAddress is Call for a node of which only the address (host:port) is known, over a connection of its own. It returns the
// node's id, too, which is known as soon as there was a connection.
func (h *Hub) CallAddress(ctx context.Context, address string, v Verb, body []byte) ([]byte, ring.HostID, error) {
	if len(body) > h.options.MaxFrame {
		return nil, ring.HostID{}, &SizeError{Size: len(body), Max: h.options.MaxFrame}
	}
	l := newLink(h, linkKey{class: classOf(v)}, address)
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, ring.HostID{}, l.unreachable(ErrClosed)
	}
	h.loose[l] = struct{}{}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.loose, l)
		h.mu.Unlock()
		l.close()
	}()
	c := h.waiterCall(ctx)
	id, err := l.send(v, body, c)
	if err != nil {
		h.waiters.Put(c.waiter)
		return nil, ring.HostID{}, err
	}
	answer, err := h.await(ctx, l, id, c.waiter)
	return answer, l.who(), err
}

// who returns who has answered a call to an address.
func (l *link) who() ring.HostID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.other
}

// A waiter is a goroutine that waits for an answer.
type waiter struct {
	answer []byte
	err    error
	ready  chan struct{} // capacity 1
}

func (w *waiter) complete(answer []byte, err error) {
	if err == nil {
		w.answer = append(make([]byte, 0, len(answer)), answer...)
	}
	w.err = err
	w.ready <- struct{}{}
}

// waiterCall returns a call that somebody waits for.
func (h *Hub) waiterCall(ctx context.Context) call {
	w, ok := h.waiters.Get().(*waiter)
	if !ok {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	deadline, _ := ctx.Deadline()
	return call{deadline: h.since(deadline), waiter: w}
}

// await returns what a waiter is given.
func (h *Hub) await(ctx context.Context, l *link, id uint64, w *waiter) ([]byte, error) {
	var abandoned error
	select {
	case <-w.ready:
	case <-ctx.Done():
		if !l.forget(id) { // the answer is here already, or nearly so
			<-w.ready
			break
		}
		abandoned = ctx.Err()
		if errors.Is(abandoned, context.DeadlineExceeded) {
			abandoned = l.timeout()
		}
	}
	answer, err := w.answer, w.err
	w.answer, w.err = nil, nil
	h.waiters.Put(w)
	if abandoned != nil {
		return nil, abandoned
	}
	return answer, err
}
