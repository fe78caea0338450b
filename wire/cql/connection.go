package cql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
	// idleAfter is after how long without a byte a connection gives memory back.
	idleAfter = 15 * time.Second
	// scansPerConnection bounds the results that a client lets gather.
	scansPerConnection = 8
)

// A connection is one client. Its goroutine, run, reads; the fields without a word about others are
// its own.
type connection struct {
	server *Server
	conn   net.Conn
	ip     netip.Addr
	used   *usage
	out    *output // shared

	ctx      context.Context // ends with the connection; shared
	cancel   context.CancelCauseFunc
	draining atomic.Bool    // take no more requests; shared
	busy     sync.WaitGroup // requests with workers; shared
	scans    chan struct{}  // holds one element for each scan under way; shared

	reader  *frame.Reader
	buffer  []byte
	partial int64 // bytes counted for what has arrived of frames that are not complete
	wakeAt  time.Time

	current         frame.Header // of the frame at hand
	state           state
	version         atomic.Uint32           // frame.Version of the handshake, 0 before; shared
	events          atomic.Uint32           // kinds that the client has registered for; shared
	requests        atomic.Int64            // received; shared
	profile         atomic.Pointer[profile] // shared
	session         *query.Session
	throwOnOverload bool
	negotiation     Negotiation
	inline          *request     // for what is not handed over
	trace           *trace.Trace // of the request at hand; nil if it is not traced

	prologue frame.Prologue
	startup  frame.Startup
	register frame.Register
	token    frame.AuthResponse
}

// state says which requests a connection takes.
type state uint8

const (
	fresh          state = iota // OPTIONS and STARTUP
	authenticating              // AUTH_RESPONSE
	ready                       // all but STARTUP and AUTH_RESPONSE
)

func newConnection(s *Server, conn net.Conn, ip netip.Addr, used *usage) *connection {
	c := &connection{
		server: s, conn: conn, ip: ip, used: used, session: s.executor.NewSession(),
		reader: frame.NewServerReader(min(frame.HandshakeMaxLength, s.opts.MaxFrame)),
		scans:  make(chan struct{}, scansPerConnection),
	}
	c.inline = &request{server: s, conn: c}
	c.profile.Store(&profile{stage: "startup"})
	c.ctx, c.cancel = context.WithCancelCause(s.ctx)
	c.out = newOutput(conn, s.opts.WriteTimeout, s.backlog, c.fail)
	return c
}

// run serves the client until one of both sides ends the connection.
func (c *connection) run() {
	finished := false
	defer func() {
		if !finished { // a panic goes its way
			c.server.reportPanic(c, c.current)
		}
	}()
	err := c.serve()
	if err == nil || errors.Is(err, errHangUp) { // what was asked before is answered
		c.busy.Wait()
		c.out.drain()
		c.sayGoodbye()
	}
	c.fail(err)
	err = context.Cause(c.ctx) // somebody else may have ended the connection before
	c.busy.Wait()
	c.server.limits.give(c.used, c.partial)
	c.server.limits.disconnect(c.ip, c.used, c.state != ready)
	switch {
	case isGone(err):
	case is[*frame.VersionError](err): // so drivers find out which versions there are
		c.server.opts.Log.Debug("connection closed", "client", c.conn.RemoteAddr(), "reason", err)
	default:
		c.server.clientLog.log(slog.LevelInfo, "connection closed", "client", c.conn.RemoteAddr(), "reason", err)
	}
	finished = true
}

// errHangUp ends a connection whose client was told why.
var errHangUp = errors.New("the client was refused")

// isGone reports whether a client has simply left. Under TLS, one that has not said so leaves an unexpected end.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, errStopped) || isReset(err)
}

// fail ends the connection at once: whoever reads, writes or waits gets an error. Any goroutine may
// call it.
func (c *connection) fail(reason error) {
	c.cancel(reason)
	conn := c.conn
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn() // the one above would wait until the client has taken a last message
	}
	closeQuietly(conn)
}

// sayGoodbye tells a client under TLS that nothing was cut off. Everything else must have been sent.
func (c *connection) sayGoodbye() {
	if encrypted, ok := c.conn.(*tls.Conn); ok {
		_ = encrypted.CloseWrite() // the connection ends in any case
	}
}

// drain makes the connection end when what has arrived is answered. Any goroutine may call it.
func (c *connection) drain() {
	c.draining.Store(true)
	if err := c.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		c.fail(err) // it is closed
	}
}

// serve reads and carries out requests. It returns nil if it was told to drain.
func (c *connection) serve() error {
	defer context.AfterFunc(c.ctx, func() { c.out.stop(net.ErrClosed) })()
	if err := c.setReadDeadline(time.Now().Add(c.server.opts.HandshakeTimeout)); err != nil {
		return err
	}
	c.buffer = make([]byte, smallBuffer)
	for !c.draining.Load() {
		n, err := c.read()
		if n > 0 {
			c.reader.Feed(c.buffer[:n])
			if err := c.consume(); err != nil {
				c.out.flush()
				return err
			}
			c.out.flush()
		}
		switch {
		case err == nil:
		case c.draining.Load():
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case c.state != ready:
			return fmt.Errorf("the handshake has taken longer than %s: %w", c.server.opts.HandshakeTimeout, err)
		default:
			c.trim()
		}
		if n == len(c.buffer) && n < largeBuffer {
			c.buffer = make([]byte, largeBuffer)
		}
	}
	return nil
}

// read reads what is there. Once the handshake is over it wakes up when the client has been silent for a while.
func (c *connection) read() (int, error) {
	n, err := c.conn.Read(c.buffer)
	if n > 0 && c.state == ready {
		if now := time.Now(); c.wakeAt.Sub(now) < idleAfter {
			c.wakeAt = now.Add(2 * idleAfter)
			if err := c.setReadDeadline(c.wakeAt); err != nil {
				return n, err
			}
		}
	}
	return n, err
}

// setReadDeadline sets it, but for a connection that drains, which must not wait again.
func (c *connection) setReadDeadline(t time.Time) error {
	if err := c.conn.SetReadDeadline(t); err != nil {
		return err
	}
	if c.draining.Load() {
		return c.conn.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// trim gives memory back and lets the next read wait as long as it takes.
func (c *connection) trim() {
	c.reader.Trim()
	c.out.trim()
	c.inline.trim()
	c.buffer = make([]byte, smallBuffer)
	c.wakeAt = time.Time{}
	if err := c.setReadDeadline(time.Time{}); err != nil {
		c.fail(err)
	}
}

// consume carries out all requests that have arrived completely.
func (c *connection) consume() error {
	for {
		f, err := c.reader.Next()
		switch {
		case err == nil:
			if c.partial > 0 { // or it would be counted twice
				c.server.limits.give(c.used, c.partial)
				c.partial = 0
			}
			err = c.request(f)
		case err == frame.ErrIncomplete:
			return c.countPartial()
		default:
			err = c.refuse(err)
		}
		if err != nil {
			return err
		}
	}
}

// countPartial counts what has arrived of frames that are not complete among the bytes in flight.
// Little is not counted.
func (c *connection) countPartial() error {
	n := int64(c.reader.Buffered())
	if n <= frame.HandshakeMaxLength {
		n = 0
	}
	switch {
	case n < c.partial:
		c.server.limits.give(c.used, c.partial-n)
	case n > c.partial:
		if !c.server.limits.take(c.used, n-c.partial) {
			// Waiting here could wait for ever: for other connections that wait in the middle of a request too.
			c.answer(frame.Version(c.version.Load()), 0, nil, overloaded())
			return fmt.Errorf("%w: no memory for a long request", errHangUp)
		}
	}
	c.partial = n
	return nil
}

// refuse answers what the reader could not read. The error, if any, ends the connection.
func (c *connection) refuse(err error) error {
	if refused, ok := errors.AsType[*frame.FrameError](err); ok {
		c.answer(refused.Header.Version, refused.Header.Stream, nil, &frame.Error{Code: frame.ErrorProtocol, Message: err.Error()})
		if c.state == ready {
			return nil
		}
		return fmt.Errorf("%w: %w", errHangUp, err)
	}
	if old, ok := errors.AsType[*frame.VersionError](err); ok {
		if c.state == fresh {
			c.out.raw(old.AppendReply(nil))
			return fmt.Errorf("%w: %w", errHangUp, err)
		}
	}
	v := frame.MaxVersion
	if agreed := frame.Version(c.version.Load()); agreed != 0 {
		v = agreed
	}
	c.answer(v, 0, nil, &frame.Error{Code: frame.ErrorProtocol, Message: err.Error()})
	return fmt.Errorf("%w: %w", errHangUp, err)
}

// request carries out a request or hands it over. The error ends the connection.
func (c *connection) request(f frame.Frame) error {
	c.current = f.Header
	c.requests.Add(1)
	body, err := c.prologue.Decode(f)
	if err == nil {
		c.trace = c.server.tracer.begin(c.prologue.Tracing, f.Opcode)
		err = c.dispatch(f, body)
	}
	if broken, ok := errors.AsType[*frame.ProtocolError](err); ok {
		c.answer(f.Version, f.Stream, nil, &frame.Error{Code: frame.ErrorProtocol, Message: broken.Error()})
		if c.state == ready {
			return nil
		}
		return fmt.Errorf("%w: %w", errHangUp, err)
	}
	return err
}

// answer puts a message behind those that are to be sent. One that cannot be encoded is replaced by an error.
func (c *connection) answer(v frame.Version, stream int16, prologue *frame.Prologue, m frame.Message) {
	err := c.out.add(v, stream, prologue, m)
	if err == nil {
		return
	}
	c.server.opts.Log.Error("answer cannot be encoded", "client", c.conn.RemoteAddr(), "error", err)
	if err := c.out.add(v, stream, nil, &frame.Error{Code: frame.ErrorServer, Message: err.Error()}); err != nil {
		c.fail(err)
	}
}
