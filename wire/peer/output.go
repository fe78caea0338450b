package peer

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// writeSize is how much is written under one deadline.
	writeSize = 256 << 10
	// writeTimeout is how long the other side may take nothing.
	writeTimeout = 20 * time.Second
)

// An output sends frames: one goroutine writes what others add, as much as there is at once.
type output struct {
	conn   net.Conn
	raw    net.Conn // below TLS: closing it does not wait
	chunks *chunks
	limit  int          // with so many bytes waiting, no more are taken
	wrote  atomic.Int64 // when a write has last ended, in Unix nanoseconds

	mu      sync.Mutex
	ready   sync.Cond // of mu: there is something to write
	room    sync.Cond // of mu: something was written
	queue   []*chunk
	queued  int // bytes of queue and of what is being written
	waiting int // who waits for room
	idle    bool
	err     error // nothing more is sent
}

func newOutput(s *session, c *chunks, limit int) *output {
	o := &output{conn: s.conn, raw: s.raw, chunks: c, limit: limit}
	o.ready.L, o.room.L = &o.mu, &o.mu
	return o
}

// add puts a frame behind those that are there. Whether it succeeds or not, the parcel is used up.
func (o *output) add(h *header, p *parcel) error {
	p.seal(h)
	n := p.size()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if o.queued >= o.limit {
		return ErrBacklog
	}
	o.queued += n
	switch {
	case p.own == nil:
		o.append(h, p.small)
	case n <= copiedSize: // small since it was compressed
		o.append(h, p.own.b[headerSize:])
		o.chunks.put(p.own)
	default:
		h.put(p.own.b)
		o.queue = append(o.queue, p.own)
	}
	if o.idle {
		o.idle = false
		o.ready.Signal()
	}
	return nil
}

// append copies a frame. o.mu is held.
func (o *output) append(h *header, payload []byte) {
	var k *chunk
	if n := len(o.queue); n > 0 && cap(o.queue[n-1].b)-len(o.queue[n-1].b) >= headerSize+len(payload) {
		k = o.queue[n-1]
	} else {
		k = o.chunks.get(headerSize + len(payload))
		o.queue = append(o.queue, k)
	}
	at := len(k.b)
	k.b = append(k.b[:at+headerSize], payload...)
	h.put(k.b[at:])
}

// backlog returns how many bytes wait to be written.
func (o *output) backlog() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queued
}

// await returns when at most n bytes wait to be written, or nothing more can be.
func (o *output) await(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && o.queued > n {
		o.waiting++
		o.room.Wait()
		o.waiting--
	}
}

// run writes until stop, or until that fails. Then it closes the connection.
func (o *output) run() {
	var batch []*chunk
	var deadline time.Time
	for {
		batch = o.take(batch[:0])
		if batch == nil {
			return
		}
		n := 0
		for i, k := range batch {
			if err := o.write(k.b, &deadline); err != nil {
				o.stop(err)
				return
			}
			n += len(k.b)
			o.chunks.put(k)
			batch[i] = nil
		}
		o.written(n)
	}
}

// take waits for something to write, and returns it. Its queue will be the memory of spare.
func (o *output) take(spare []*chunk) []*chunk {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && o.err == nil {
		o.idle = true
		o.ready.Wait()
		o.mu.Unlock()
		runtime.Gosched() // others that can run may have something to send, too: under load, a third of the system calls
		o.mu.Lock()
	}
	if o.err != nil {
		return nil
	}
	batch := o.queue
	o.queue = spare
	return batch
}

func (o *output) written(n int) {
	o.wrote.Store(time.Now().UnixNano())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queued -= n
	if o.waiting > 0 {
		o.room.Broadcast()
	}
}

// write writes b in parts, each of which the other side must take in time.
func (o *output) write(b []byte, deadline *time.Time) error {
	for len(b) > 0 {
		now := time.Now()
		if deadline.Sub(now) < writeTimeout { // twice that at most: setting it costs more than looking
			*deadline = now.Add(2 * writeTimeout)
			if err := o.conn.SetWriteDeadline(*deadline); err != nil {
				return err
			}
		}
		n, err := o.conn.Write(b[:min(len(b), writeSize)])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// stop ends all adding and writing, and closes the connection. The first error stays.
func (o *output) stop(err error) {
	o.mu.Lock()
	if o.err == nil {
		o.err = err
		o.queue = nil
	}
	o.ready.Broadcast()
	o.room.Broadcast()
	o.mu.Unlock()
	_ = o.raw.Close() // there may be an error already, and nobody to tell of another one
}

// cause returns why nothing is sent anymore.
func (o *output) cause() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
