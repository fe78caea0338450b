package http

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	nethttp "net/http"
	"net/netip"
	"time"
)

// Options tunes a Server. Zero fields take the default.
type Options struct {
	// Login returns nil if the password is that of the role; *auth.Roles has it. Default none: everybody is let in.
	Login func(ctx context.Context, from netip.Addr, role, password string) error
	TLS   *tls.Config // default none: connections are plain
	Hosts []string    // names of this machine that requests without Login and TLS may be meant for, beside addresses and localhost

	MaxConnections int // above which further ones are closed; default 256
	Log            *slog.Logger
}

const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 10 * time.Second
	idleTimeout   = time.Minute
	writeTimeout  = 30 * time.Second // for which a client may take nothing of an answer
	maxHeader     = 16 << 10
	maxBody       = 4 << 10
)

// errStopping is why actions end when the server does.
var errStopping = errors.New("the node is stopping")

// A Server serves operators. It is safe for concurrent use.
type Server struct {
	operator Operator
	opts     Options
	server   *nethttp.Server
	cancel   context.CancelCauseFunc // ends all actions
	refusals refusals
}

// New returns a server of what operator shows and does.
func New(operator Operator, opts Options) *Server {
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 256
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	s := &Server{operator: operator, opts: opts}
	ctx, cancel := context.WithCancelCause(context.Background())
	s.cancel = cancel
	s.server = &nethttp.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(opts.Log.Handler(), slog.LevelDebug), // what clients cause
	}
	return s
}

// Serve serves those who connect to a listener, which it closes, until Stop is called; then it returns nil.
func (s *Server) Serve(listener net.Listener) error {
	listener = &limited{Listener: listener, places: make(chan struct{}, s.opts.MaxConnections)}
	if s.opts.TLS != nil {
		listener = tls.NewListener(listener, s.opts.TLS)
	}
	if err := s.server.Serve(listener); !errors.Is(err, nethttp.ErrServerClosed) {
		return err
	}
	return nil
}

// Stop ends actions under way and waits for all requests. Those that are not over when ctx ends are cut off.
func (s *Server) Stop(ctx context.Context) error {
	s.cancel(errStopping)
	err := s.server.Shutdown(ctx)
	if err == nil {
		return nil
	}
	return errors.Join(err, s.server.Close())
}
