package cql

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

const (
	// outputLimit is how many bytes of answers may wait for their client before no more are made.
	outputLimit = 1 << 20
	// writeSize is how much is written under one deadline.
	writeSize = 256 << 10
	// tlsWriteSize is that under TLS, where a write that has not ended in time is the last one: it cannot go on
	// in the middle of a record. This is the size of a record, so it costs no further system calls.
	tlsWriteSize = 16 << 10
)

// errSlow says that a client does not take what it has asked for.
var errSlow = errors.New("the client takes no answers")

// An output sends frames. Whoever finds nobody sending, sends, until nothing is left; what others add
// meanwhile goes with the next system call.
type output struct {
	conn    net.Conn
	timeout time.Duration
	part    int         // how much is written at once
	failed  func(error) // called once; must not use the output
	backlog *backlog

	mu      sync.Mutex
	room    sync.Cond     // of mu: something was sent, or err was set
	frames  *frame.Writer // to be sent
	spare   *frame.Writer // empty, or being sent
	sending bool
	leaving int   // bytes of spare that are being sent
	counted int64 // in backlog
	err     error // nothing more can be sent

	deadline time.Time    // of the connection; owned by who is sending
	progress atomic.Int64 // when the client has last taken something, or was asked to, in Unix nanoseconds
}

func newOutput(conn net.Conn, timeout time.Duration, b *backlog, failed func(error)) *output {
	o := &output{conn: conn, timeout: timeout, part: writeSize, backlog: b, failed: failed, frames: &frame.Writer{}, spare: &frame.Writer{}}
	if _, ok := conn.(*tls.Conn); ok {
		o.part = tlsWriteSize
	}
	o.room.L = &o.mu
	return o
}

// negotiate ends the handshake. Nobody else may use o meanwhile.
func (o *output) negotiate(v frame.Version, c frame.Compression) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.frames.Negotiate(v, c)
	o.spare.Negotiate(v, c)
}

// add puts a message behind those that are there, once there is room. Errors of the connection are
// not the caller's: the message is dropped. The error is an EncodeError.
func (o *output) add(v frame.Version, stream int16, prologue *frame.Prologue, m frame.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && o.frames.Len() >= o.limit() {
		if o.sending {
			o.room.Wait()
			continue
		}
		o.send()
	}
	if o.err != nil {
		return nil
	}
	defer o.count()
	return o.frames.Add(v, stream, prologue, m)
}

// limit returns how many bytes of answers may wait, which is next to none while all connections together hold too many.
func (o *output) limit() int {
	if o.backlog.full() {
		return 1
	}
	return outputLimit
}

// count brings the backlog up to date.
func (o *output) count() {
	n := int64(max(o.frames.Len()-freeBacklog, 0) + max(o.leaving-freeBacklog, 0))
	if n != o.counted {
		o.backlog.add(n - o.counted)
		o.counted = n
	}
}

// stuck returns how many bytes of answers are counted, and for how long the client has taken none of them.
func (o *output) stuck(now time.Time) (int64, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.sending {
		return 0, 0
	}
	return o.counted, now.Sub(time.Unix(0, o.progress.Load()))
}

// post adds an event, without waiting. It reports whether the client was too slow for it.
func (o *output) post(v frame.Version, m frame.Message) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return true
	}
	if o.frames.Len() >= 2*outputLimit {
		return false
	}
	if err := o.frames.Add(v, frame.EventStream, nil, m); err != nil {
		return true // this version does not know such an event
	}
	o.count()
	return true
}

// raw sends bytes that are not of a frame's form. It waits for those who are sending.
func (o *output) raw(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.sending {
		o.room.Wait()
	}
	if o.err == nil {
		o.write(b)
	}
}

// flush sends what was added, unless somebody is doing so.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.sending {
		o.send()
	}
}

// drain returns when everything was sent or cannot be sent.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.sending {
		o.room.Wait()
	}
	o.send()
}

// send sends until nothing is left. o.mu is held at the call and at the return.
func (o *output) send() {
	o.sending = true
	for o.err == nil && o.frames.Len() > 0 {
		w := o.frames
		o.frames, o.spare = o.spare, w
		b := w.Bytes()
		o.leaving = len(b)
		o.mu.Unlock()
		err := o.writeAll(b)
		w.Reset()
		o.mu.Lock()
		o.leaving = 0
		if err != nil {
			o.fail(err)
		}
		o.count()
		o.room.Broadcast()
	}
	o.sending = false
	o.room.Broadcast()
}

// write is writeAll for who holds the lock.
func (o *output) write(b []byte) {
	if err := o.writeAll(b); err != nil {
		o.fail(err)
	}
}

func (o *output) fail(err error) {
	if o.err == nil {
		o.end(err)
		o.failed(err)
	}
}

// end drops what will not be sent anymore.
func (o *output) end(err error) {
	o.err = err
	o.frames.Reset()
	o.count()
}

// writeAll writes b in parts, each of which the client must take in time.
func (o *output) writeAll(b []byte) error {
	for len(b) > 0 {
		now := time.Now()
		o.progress.Store(now.UnixNano())
		if o.deadline.Sub(now) < o.timeout { // twice the timeout at most: setting it costs more than looking
			o.deadline = now.Add(2 * o.timeout)
			if err := o.conn.SetWriteDeadline(o.deadline); err != nil {
				return err
			}
		}
		n, err := o.conn.Write(b[:min(len(b), o.part)])
		b = b[n:]
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			if n > 0 {
				continue // slow, and alive
			}
			return errSlow
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stop makes all adding and sending end.
func (o *output) stop(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.end(err)
	}
	o.room.Broadcast()
}

// trim gives memory back, if nothing is to be sent.
func (o *output) trim() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.frames.Len() == 0 {
		o.frames.Trim()
	}
	if !o.sending {
		o.spare.Trim()
	}
}
