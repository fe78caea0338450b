package memory

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// window is how many bytes of a stream may be under way.
const window = 256 << 10

// pause waits, without the lock, which is held at the call and at the return. It reports whether ctx is still valid.
func (n *Network) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err() == nil
	}
	n.mu.Unlock()
	defer n.mu.Lock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A listener waits for streams. Its fields are guarded by the network's lock.
type listener struct {
	host    *Host
	address *net.TCPAddr
	queue   []*conn // not yet accepted
	closed  bool
	changed signal
}

func (l *listener) Accept() (net.Conn, error) {
	n := l.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		if l.closed {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
		}
		if len(l.queue) > 0 {
			c := l.queue[0]
			l.queue = l.queue[1:]
			return c, nil
		}
		changed := l.changed.wait()
		n.mu.Unlock()
		<-changed
		n.mu.Lock()
	}
}

func (l *listener) Close() error {
	n := l.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
	}
	l.end()
	return nil
}

func (l *listener) Addr() net.Addr { return l.address }

// end closes the listener. The network's lock is held.
func (l *listener) end() {
	l.closed = true
	delete(l.host.listeners, l.address.Port)
	for _, c := range l.queue {
		c.end(true)
	}
	l.queue = nil
	l.changed.send()
}

// A pipe is one direction of a stream. Its fields are guarded by the network's lock.
type pipe struct {
	network  *Network
	way      way
	back     *pipe // the other direction
	segments []segment
	last     time.Time // when the latest bytes arrive
	sent     int64     // bytes
	read     int64     // bytes
	acked    int64     // what of read the writer knows of

	readDeadline, writeDeadline time.Time
	readerGone                  bool // nobody will read the segments
	changed                     signal
}

// A segment is bytes of a stream that arrive together, or its end.
type segment struct {
	at    time.Time
	data  []byte
	end   bool
	reset bool
}

func newPipe(n *Network, from, to string) *pipe {
	p := &pipe{network: n, way: way{from, to}}
	n.pipes[p] = struct{}{}
	return p
}

func (p *pipe) passes() bool { return p.network.passes(p.way.from, p.way.to) }

// acknowledge tells the writer what was read, unless that is blocked.
func (p *pipe) acknowledge() {
	if p.acked != p.read && p.back.passes() {
		p.acked = p.read
		p.changed.send()
	}
}

// push sends a segment.
func (p *pipe) push(s segment) {
	s.at = time.Now().Add(p.network.lateness(p.way.from, p.way.to))
	if s.at.Before(p.last) {
		s.at = p.last
	}
	p.last = s.at
	p.segments = append(p.segments, s)
	p.changed.send()
}

// arrived returns the first segment if it is there, otherwise when it will be; zero: nobody knows.
func (p *pipe) arrived(now time.Time) (*segment, time.Time) {
	if len(p.segments) == 0 || !p.passes() {
		return nil, time.Time{}
	}
	s := &p.segments[0]
	if s.at.After(now) {
		return nil, s.at
	}
	return s, time.Time{}
}

// ended returns an error if the end of the stream has arrived, for who writes in the other direction, otherwise when it will; zero: nobody knows.
func (p *pipe) ended(now time.Time) (time.Time, error) {
	if len(p.segments) == 0 || !p.passes() {
		return time.Time{}, nil
	}
	switch s := &p.segments[len(p.segments)-1]; {
	case !s.end:
		return time.Time{}, nil
	case s.at.After(now):
		return s.at, nil
	case s.reset:
		return time.Time{}, os.NewSyscallError("write", syscall.ECONNRESET)
	}
	return time.Time{}, os.NewSyscallError("write", syscall.EPIPE)
}

// A conn is one end of a stream.
type conn struct {
	host          *Host
	in, out       *pipe
	local, remote *net.TCPAddr
	closed        bool // guarded by the network's lock
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

func (c *conn) Read(b []byte) (int, error) {
	n, p := c.host.network, c.in
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case expired(p.readDeadline, now):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		}
		s, at := p.arrived(now)
		switch {
		case s != nil && s.reset:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case s != nil && s.end:
			return 0, io.EOF
		case s != nil:
			return p.take(b, now), nil
		}
		n.await(earliest(at, p.readDeadline), &p.changed, &p.changed)
	}
}

// take reads what has arrived.
func (p *pipe) take(b []byte, now time.Time) int {
	total := 0
	for total < len(b) {
		s, _ := p.arrived(now)
		if s == nil || s.end {
			break
		}
		k := copy(b[total:], s.data)
		total += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			p.segments[0] = segment{}
			p.segments = p.segments[1:]
		}
	}
	p.read += int64(total)
	p.acknowledge()
	return total
}

func (c *conn) Write(b []byte) (int, error) {
	n, p := c.host.network, c.out
	n.mu.Lock()
	defer n.mu.Unlock()
	total := 0
	for {
		now := time.Now()
		if c.closed {
			return total, c.fail("write", net.ErrClosed)
		}
		if expired(p.writeDeadline, now) {
			return total, c.fail("write", os.ErrDeadlineExceeded)
		}
		at, err := c.in.ended(now)
		if err != nil {
			return total, c.fail("write", err)
		}
		if room := min(int(window-(p.sent-p.acked)), len(b)); room > 0 {
			p.push(segment{data: append([]byte(nil), b[:room]...)})
			p.sent += int64(room)
			total += room
			b = b[room:]
		}
		if len(b) == 0 {
			return total, nil
		}
		n.await(earliest(at, p.writeDeadline), &p.changed, &c.in.changed)
	}
}

func (c *conn) Close() error {
	n := c.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.end(false)
	return nil
}

// end closes this end of the stream. A reset overtakes what was written before. The network's lock is held.
func (c *conn) end(reset bool) {
	if c.closed {
		return
	}
	c.closed = true
	delete(c.host.conns, c)
	if reset {
		c.out.segments = nil
	}
	c.out.push(segment{end: true, reset: reset})
	c.in.readerGone, c.in.segments = true, nil
	c.in.changed.send()
	if c.out.readerGone { // the other end is closed, too
		delete(c.host.network.pipes, c.in)
		delete(c.host.network.pipes, c.out)
	}
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error      { return c.limit(&t, &t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.limit(&t, nil) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(nil, &t) }

func (c *conn) limit(read, write *time.Time) error {
	n := c.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	if read != nil {
		c.in.readDeadline = *read
		c.in.changed.send()
	}
	if write != nil {
		c.out.writeDeadline = *write
		c.out.changed.send()
	}
	return nil
}
