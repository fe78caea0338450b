package peer

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	minBackOff = 100 * time.Millisecond
	maxBackOff = 2 * time.Second
)

// dial begins to connect. It reports whether the hub is still open. l.mu is held.
func (l *link) dial() bool {
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(l.hub.ctx)
	l.state = linkDialing
	if !l.hub.goroutines.run(func() { l.run(ctx) }) {
		l.cancel()
		l.state = linkIdle
		return false
	}
	return true
}

// retry makes an attempt now.
func (l *link) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.until = 0, 0
	switch {
	case l.state == linkDialing:
		l.again = true
		l.cancel()
	case l.state == linkIdle && l.err != nil:
		l.dial()
	}
}

// run connects and then reads answers until the connection breaks.
func (l *link) run(ctx context.Context) {
	s, err := l.connect(ctx)
	for err != nil {
		if ctx = l.failed(err); ctx == nil {
			return
		}
		s, err = l.connect(ctx)
	}
	if !l.up(s) {
		_ = s.raw.Close() // nobody wants it anymore
		return
	}
	l.broken(l.read(s))
}

// connect makes one attempt.
func (l *link) connect(ctx context.Context) (*session, error) {
	address := l.address
	if address == "" {
		var ok bool
		if address, ok = l.hub.options.Resolve(l.key.to); !ok {
			return nil, errUnknownAddress
		}
	}
	l.mu.Lock()
	l.remote = address
	l.mu.Unlock()
	return l.hub.dial(ctx, address, l.key.class, l.key.to)
}

// failed ends an attempt. It returns the context of the next one, if that shall be now.
func (l *link) failed(err error) context.Context {
	l.mu.Lock()
	if l.state != linkDialing { // close has done the rest
		l.mu.Unlock()
		return nil
	}
	l.cancel()
	l.counts.Failures++
	if l.again {
		l.again = false
		var ctx context.Context
		ctx, l.cancel = context.WithCancel(l.hub.ctx)
		l.mu.Unlock()
		return ctx
	}
	if l.hub.ctx.Err() != nil {
		err = ErrClosed
	}
	l.down(err)
	calls := l.drain()
	l.mu.Unlock()
	l.fail(calls, err)
	return nil
}

// down ends the present state. l.mu is held.
func (l *link) down(err error) {
	l.state, l.err, l.output = linkIdle, err, nil
	if l.useful {
		l.useful, l.failures, l.until = false, 0, 0
		return
	}
	d := min(minBackOff<<min(l.failures, 10), maxBackOff)
	l.failures++
	l.until = l.hub.now() + d - time.Duration(rand.Int64N(int64(d/8)))
}

// up makes a connection that of the link, and sends what has waited for it. It reports whether it is wanted.
func (l *link) up(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != linkDialing {
		return false
	}
	l.cancel()
	o := newOutput(s, &l.hub.chunks, max(l.hub.options.MaxFrame, l.heldSize+1))
	if !l.hub.goroutines.run(o.run) {
		return false
	}
	now := l.hub.now()
	l.state, l.output, l.other, l.again = linkUp, o, s.other, false
	l.compress.Store(s.compress)
	l.heard.Store(int64(now))
	l.counts.Connections++
	for i := range l.held {
		r := &l.held[i]
		if r.deadline > now && l.calls.has(r.id) {
			// If this fails, the reader sees why.
			_ = o.add(&header{kind: kindRequest, verb: r.verb, id: r.id, remaining: milliseconds(r.deadline - now)}, &r.parcel)
		}
	}
	l.held, l.heldSize = nil, 0
	if l.calls.len() > 0 {
		l.asked = now
		l.arm(now, now+pingAfter)
	}
	return true
}
