package cql

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/wire/cql/frame"
	"github.com/iliumdb/ilium/wire/workers"
)

// Options tunes a Server. Zero fields take the default.
type Options struct {
	Authenticator Authenticator // default none: everybody is let in
	TLS           *tls.Config   // default none: connections are plain

	MaxFrame            int            // bytes of a request; default 16 MiB
	MaxConnections      int            // default 4096
	MaxConnectionsPerIP int            // default no limit
	MaxHandshakes       int            // connections that have not yet authenticated; default 512
	MaxInFlight         int64          // bytes of requests under way; default 100 MiB
	MaxInFlightPerIP    int64          // of those of one address; default a quarter of MaxInFlight
	MaxScans            int            // scans that run at the same time; default 32
	MaxBacklog          int64          // bytes of answers that clients have not taken, above which scans wait; default 32 MiB
	Traces              *system.Traces // takes traced requests; default none, and no request is traced
	TraceSource         netip.AddrPort // what traces call this node; default the address that the client has connected to
	PreparedCache       int64          // bytes that prepared statements may take, roughly; default 10 MiB

	HandshakeTimeout time.Duration // default 10 s
	WriteTimeout     time.Duration // for which a client may take no answers; default 30 s

	Log *slog.Logger // default slog.Default()
}

func (o Options) withDefaults() Options {
	set(&o.MaxFrame, frame.DefaultMaxLength)
	set(&o.MaxConnections, 4096)
	set(&o.MaxConnectionsPerIP, math.MaxInt)
	set(&o.MaxHandshakes, 512)
	set(&o.MaxInFlight, 100<<20)
	set(&o.MaxInFlightPerIP, o.MaxInFlight/4)
	set(&o.MaxScans, 32)
	set(&o.MaxBacklog, 32<<20)
	set(&o.PreparedCache, 10<<20)
	set(&o.HandshakeTimeout, 10*time.Second)
	set(&o.WriteTimeout, 30*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func set[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// A Server serves the native protocol. It is safe for concurrent use.
type Server struct {
	executor  *query.Executor
	opts      Options
	limits    *limits
	backlog   *backlog
	clientLog limitedLog // of what clients cause
	prepared  *preparedCache
	workers   workers.Pool
	tracer    tracer
	requests  sync.Pool     // of *request
	scans     chan struct{} // holds one element for each scan that runs

	ctx    context.Context // ends when requests under way are to be given up
	cancel context.CancelFunc

	mu          sync.Mutex
	listener    net.Listener
	connections map[*connection]struct{}
	stopping    bool
	done        sync.WaitGroup // of connections
}

// New returns a server of what executor executes.
func New(executor *query.Executor, opts Options) *Server {
	opts = opts.withDefaults()
	s := &Server{
		executor: executor, opts: opts, limits: newLimits(opts), backlog: newBacklog(opts.MaxBacklog), clientLog: limitedLog{to: opts.Log}, prepared: newPreparedCache(opts.PreparedCache),
		scans: make(chan struct{}, opts.MaxScans), connections: make(map[*connection]struct{}),
	}
	s.tracer.open(opts.Traces, opts.TraceSource)
	s.requests.New = func() any { return &request{server: s} }
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve takes connections until Shutdown, and then returns nil. It may be called once.
func (s *Server) Serve(listener net.Listener) error {
	if s.opts.TLS != nil { // a connection shakes hands when it reads for the first time, not here
		listener = tls.NewListener(listener, s.opts.TLS)
	}
	s.mu.Lock()
	s.listener = listener
	stopping := s.stopping
	s.mu.Unlock()
	if stopping {
		return listener.Close()
	}
	pause := time.Duration(0)
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			pause = 0
			s.accept(conn)
		case s.isStopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as too many open files: it passes
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.opts.Log.Warn("cannot take a connection", "error", err, "pause", pause)
			select {
			case <-time.After(pause):
			case <-s.ctx.Done():
			}
		}
	}
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// accept starts a connection, unless there are too many.
func (s *Server) accept(conn net.Conn) {
	ip := addressOf(conn.RemoteAddr())
	used, refused := s.limits.connect(ip)
	if refused != "" {
		s.clientLog.log(slog.LevelWarn, "connection refused", "client", conn.RemoteAddr(), "reason", refused)
		closeQuietly(conn)
		return
	}
	c := newConnection(s, conn, ip, used)
	s.mu.Lock()
	stopping := s.stopping
	if !stopping {
		s.connections[c] = struct{}{}
		s.done.Add(1)
	}
	s.mu.Unlock()
	if stopping {
		s.limits.disconnect(ip, used, true)
		closeQuietly(conn)
		return
	}
	go func() {
		defer s.done.Done()
		c.run()
		s.mu.Lock()
		delete(s.connections, c)
		s.mu.Unlock()
	}()
}

// addressOf returns the address a client is counted under.
func addressOf(a net.Addr) netip.Addr { return addressAndPort(a).Addr().Unmap().WithZone("") }

func addressAndPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// Shutdown ends the server: it takes no more connections and no more requests, lets those under way
// finish and their answers be sent, and closes the connections. Clients that take nothing are not
// waited for. When ctx ends before all is done, the rest is given up. Shutdown returns when nothing of the server runs anymore.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	listener := s.listener
	for c := range s.connections {
		c.drain()
	}
	s.mu.Unlock()
	var err error
	if listener != nil {
		if err = listener.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
	}
	giveUp := context.AfterFunc(ctx, func() {
		s.cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.connections {
			c.fail(errStopped)
		}
	})
	waiting, waited := context.WithCancel(ctx)
	var dropper sync.WaitGroup
	dropper.Go(func() { s.dropStuck(waiting) })
	s.done.Wait()
	waited()
	dropper.Wait()
	if !giveUp() {
		err = errors.Join(err, ctx.Err())
	}
	s.cancel()
	s.workers.Close()
	return err
}

// errStopped says why a connection was closed that had requests under way.
var errStopped = errors.New("the server has stopped")

// Connections returns how many clients are connected.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.connections)
}

// closeQuietly closes a connection whose other end has no interest in what comes of it.
func closeQuietly(conn net.Conn) { _ = conn.Close() }
