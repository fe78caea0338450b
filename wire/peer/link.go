package peer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A linkState says whether requests can be sent.
type linkState uint8

const (
	linkIdle    linkState = iota // there is no connection; the next request dials
	linkDialing                  // requests wait
	linkUp
	linkClosed
)

// A link is this node's way to another one, for one class of requests: a connection, or none at present, and the calls
// that are unanswered.
type link struct {
	hub     *Hub
	key     linkKey
	address string // of CallAddress; otherwise it is resolved

	compress atomic.Bool
	heard    atomic.Int64 // when something has arrived, since hub.start

	mu       sync.Mutex
	state    linkState
	calls    table
	held     []held // what is sent once there is a connection
	heldSize int
	output   *output            // of the connection
	cancel   context.CancelFunc // of the attempt to dial
	again    bool               // that attempt is to be repeated
	other    ring.HostID        // who has answered
	remote   string             // its address
	timer    *time.Timer        // runs tick
	armed    time.Duration      // when it runs; 0: not set
	asked    time.Duration      // since when something is unanswered
	pinged   time.Duration      // when a ping was sent
	until    time.Duration      // no dialling before
	useful   bool               // the connection has answered something
	failures int                // attempts since a connection was useful
	err      error              // of the last one
	counts   PeerStats
}

// A held request waits for the connection.
type held struct {
	id       uint64
	verb     Verb
	deadline time.Duration
	parcel   parcel
}

func newLink(h *Hub, k linkKey, address string) *link {
	l := &link{hub: h, key: k, address: address}
	l.timer = time.AfterFunc(time.Hour, l.tick)
	l.timer.Stop()
	return l
}

// send makes a request. It returns its id, or an error, in which case the call was not taken.
func (l *link) send(v Verb, body []byte, c call) (uint64, error) {
	now := l.hub.now()
	if c.deadline <= now {
		return 0, l.timeout()
	}
	p := l.hub.chunks.pack(body, l.compress.Load() && l.hub.compresses(l.key.to), false)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.state {
	case linkClosed:
		return 0, l.unreachable(ErrClosed)
	case linkUp:
		id := l.add(now, c)
		if err := l.output.add(&header{kind: kindRequest, verb: v, id: id, remaining: milliseconds(c.deadline - now)}, &p); err != nil {
			l.calls.take(id)
			return 0, l.unreachable(err)
		}
		l.counts.Requests++
		return id, nil
	case linkIdle:
		if now < l.until {
			return 0, l.unreachable(l.err)
		}
		if !l.dial() {
			return 0, l.unreachable(ErrClosed)
		}
	}
	if l.heldSize >= l.hub.options.MaxFrame {
		return 0, l.unreachable(ErrBacklog)
	}
	if p.own == nil { // who waits keeps nothing of the caller's
		p = l.hub.chunks.pack(body, false, true)
	}
	id := l.add(now, c)
	l.held = append(l.held, held{id: id, verb: v, deadline: c.deadline, parcel: p})
	l.heldSize += p.size()
	l.counts.Requests++
	return id, nil
}

// milliseconds returns the time that is left, at least 1.
func milliseconds(d time.Duration) uint32 {
	if ms := (d + time.Millisecond - 1) / time.Millisecond; ms < unlimited {
		return uint32(ms)
	}
	return unlimited
}

// add remembers a call. l.mu is held.
func (l *link) add(now time.Duration, c call) uint64 {
	next := c.deadline
	if l.calls.len() == 0 {
		if l.settled() {
			l.asked = now
		}
		next = min(next, now+pingAfter)
	}
	l.arm(now, next)
	return l.calls.add(c)
}

// read completes calls until the connection breaks.
func (l *link) read(s *session) error {
	in := input{r: s.conn, limit: l.hub.options.MaxFrame}
	in.heard = func(bool) { l.heard.Store(int64(l.hub.now())) }
	for {
		h, payload, err := in.next()
		if err != nil {
			return err
		}
		switch h.kind {
		case kindAnswer:
			payload, err = in.decode(&h, payload)
			if err == nil {
				l.answer(h.id, payload, nil)
			}
		case kindFailure:
			l.answer(h.id, nil, &Failure{Code: h.code, Message: string(payload)})
		case kindPong:
		default:
			err = &frameError{"a request where answers are expected"}
		}
		if err != nil {
			l.hub.complain(s.raw.RemoteAddr().String(), err)
			return err
		}
	}
}

func (l *link) answer(id uint64, answer []byte, err error) {
	l.mu.Lock()
	c, ok := l.calls.take(id)
	l.useful = true
	l.mu.Unlock()
	if ok { // it has not expired
		c.complete(answer, err)
	}
}

// broken ends the connection.
func (l *link) broken(err error) {
	l.mu.Lock()
	o := l.output
	if l.state != linkUp { // close has done the rest
		l.mu.Unlock()
		return
	}
	if cause := o.cause(); cause != nil { // the reader has seen but its consequence
		err = cause
	}
	l.down(err)
	calls := l.drain()
	l.mu.Unlock()
	o.stop(err)
	l.fail(calls, err)
}

// drain takes all calls. l.mu is held.
func (l *link) drain() []call {
	l.held, l.heldSize = nil, 0
	l.disarm()
	return l.calls.drain()
}

// close ends the link. Its calls fail.
func (l *link) close() {
	l.mu.Lock()
	if l.state == linkDialing {
		l.cancel()
	}
	o := l.output
	l.state, l.output = linkClosed, nil
	calls := l.drain()
	l.mu.Unlock()
	if o != nil {
		o.stop(ErrClosed)
	}
	l.fail(calls, ErrClosed)
}

func (l *link) fail(calls []call, cause error) {
	if len(calls) == 0 {
		return
	}
	err := l.unreachable(cause)
	for i := range calls {
		calls[i].complete(nil, err)
	}
}

// forget drops a call whose caller does not wait anymore. It reports whether the call was still unanswered.
func (l *link) forget(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.calls.take(id)
	return ok
}

func (l *link) unreachable(cause error) error {
	return &UnreachableError{To: l.key.to, Address: l.address, Cause: cause}
}

func (l *link) timeout() error { return &TimeoutError{To: l.key.to, Address: l.address} }
