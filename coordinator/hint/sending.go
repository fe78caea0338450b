package hint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

// A replay is a call of Replay. One goroutine uses it.
type replay struct {
	ctx      context.Context
	s        *Store
	h        *host
	send     func(*sending)
	throttle throttle
	transfer bool // to a node that keeps the hints: no refusal is final

	acks    chan *sending
	queue   []*sending // under way or answered, in order; the first one is not answered
	waiting int        // for how many there is no answer
	bytes   int        // of those in the queue
	free    []*sending
	refused uint64
	failure error // that ends the replay
}

// A sending is a hint under way.
type sending struct {
	at, expires int64
	body        []byte
	done        bool
	err         error
	ack         func(error) // made once
}

// segment sends what a file has left and removes it.
func (r *replay) segment(g *segment) error {
	f, err := os.OpenFile(g.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		r.s.removeReplayed(r.h, g) // truncated, if it was not somebody else
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := &reader{file: f, seed: g.sum, at: g.position, end: g.size}
	err = r.sendAll(in, g, f)
	for r.waiting > 0 {
		r.settle(<-r.acks)
	}
	if err == nil {
		err = r.failure
	}
	position := r.position(in)
	clear(r.queue)
	r.queue, r.bytes = r.queue[:0], 0
	r.report(g, in.damaged)
	switch {
	case err == nil:
		r.s.removeReplayed(r.h, g)
		return nil
	case isUnreadable(err):
		r.s.setAside(g, err)
		err = nil
	}
	r.save(g, f, position)
	return err
}

// A readError is an error of a file of hints.
type readError struct{ cause error }

func (e *readError) Error() string { return "reading hints: " + e.cause.Error() }

func isUnreadable(err error) bool {
	var e *readError
	return errors.As(err, &e)
}

// sendAll begins to send all hints of a file.
func (r *replay) sendAll(in *reader, g *segment, f *os.File) error {
	saved := g.position
	for {
		rec, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &readError{err}
		}
		if rec.seal {
			continue
		}
		if r.expired(rec) {
			continue
		}
		if err := r.turn(g, recordSize+len(rec.body)); err != nil {
			in.at = rec.at // it is not sent
			return err
		}
		if r.expired(rec) {
			continue
		}
		r.start(rec)
		if at := r.position(in); at-saved >= saveAfter {
			r.save(g, f, at)
			saved = at
		}
	}
}

// expired reports whether a hint is too old, and counts it.
func (r *replay) expired(rec record) bool {
	if rec.expires > r.s.o.Now().UnixNano() {
		return false
	}
	r.s.count(func(c *Counters) { c.Expired++ })
	return true
}

// turn waits until so many bytes of a file may be sent. It returns why the replay ends, or nil.
func (r *replay) turn(g *segment, size int) error {
	for r.failure == nil && (len(r.queue) == maxUnderWay || r.bytes > 0 && r.bytes+size > maxBytesUnderWay) {
		r.settle(<-r.acks)
	}
	if err := r.pace(size); err != nil {
		return err
	}
	return r.goOn(g)
}

// start sends one hint.
func (r *replay) start(rec record) {
	next := r.blank()
	next.at, next.expires, next.body = rec.at, rec.expires, append(next.body[:0], rec.body...)
	r.queue = append(r.queue, next)
	r.bytes += len(next.body)
	r.waiting++
	r.send(next)
}

// blank returns a sending that is not in use.
func (r *replay) blank() *sending {
	if n := len(r.free); n > 0 {
		next := r.free[n-1]
		r.free = r.free[:n-1]
		next.done = false
		return next
	}
	next := &sending{}
	next.ack = func(err error) {
		next.err = err
		r.acks <- next
	}
	return next
}

// settle takes an answer.
func (r *replay) settle(a *sending) {
	a.done = true
	r.waiting--
	switch {
	case a.err == nil:
		r.s.count(func(c *Counters) { c.Replayed++ })
	case r.refuses(a.err):
		r.s.count(func(c *Counters) { c.Failed++ })
	default:
		if r.failure == nil {
			r.failure = a.err
		}
		a.done = false // it stays where the next replay begins
	}
	n := 0
	for n < len(r.queue) && r.queue[n].done {
		r.bytes -= len(r.queue[n].body)
		r.free = append(r.free, r.queue[n])
		n++
	}
	r.queue = slices.Delete(r.queue, 0, n)
}

// refuses reports whether an error says that the endpoint will never take the hint.
func (r *replay) refuses(err error) bool {
	var failure *peer.Failure
	if r.transfer || !errors.As(err, &failure) || !r.s.o.Final(failure) {
		return false
	}
	if r.refused++; r.refused == 1 {
		r.s.o.Log.Warn("a hint is skipped, because its endpoint refuses it", "node", r.h.id, "error", failure)
	}
	return true
}

// position returns in front of what everything is answered.
func (r *replay) position(in *reader) int64 {
	if len(r.queue) > 0 {
		return r.queue[0].at
	}
	return in.at
}

// pace waits for as long as the throttle says.
func (r *replay) pace(size int) error {
	wait := r.throttle.take(time.Now(), size)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case a := <-r.acks:
			r.settle(a)
		case <-timer.C:
			return nil
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-r.s.paused():
			return &PausedError{}
		case <-r.s.stop:
			return &ClosedError{}
		}
		if r.failure != nil {
			return r.failure
		}
	}
}

// goOn takes the answers that are there, and returns why the replay ends, or nil.
func (r *replay) goOn(g *segment) error {
	for {
		select {
		case a := <-r.acks:
			r.settle(a)
			continue
		default:
		}
		break
	}
	if r.failure != nil {
		return r.failure
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	switch {
	case r.s.closed:
		return &ClosedError{}
	case g.removed:
		return &TruncatedError{r.h.id}
	case isClosed(r.s.pause):
		return &PausedError{}
	}
	return nil
}

// save notes how far the replay has come. It is not synced: what is sent twice does no harm.
func (r *replay) save(g *segment, f *os.File, position int64) {
	r.s.mu.Lock()
	g.position = position
	r.s.mu.Unlock()
	if _, err := f.WriteAt(appendPosition(nil, g.sum, position), positionAt); err != nil {
		r.s.o.Log.Warn("the position in a file of hints cannot be saved", "file", g.path, "error", err)
	}
}

// report says what was skipped in a file.
func (r *replay) report(g *segment, damaged int) {
	if r.refused > 1 {
		r.s.o.Log.Warn("hints were skipped, because their endpoint refused them", "node", r.h.id, "file", g.path, "hints", r.refused)
	}
	r.refused = 0
	if damaged == 0 {
		return
	}
	r.s.o.Log.Error("a file of hints is damaged; what could not be read is skipped", "file", g.path, "places", damaged)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	g.damaged = true
	r.s.counters.Damaged += uint64(damaged)
}
