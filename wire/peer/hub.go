package peer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/workers"
)

const (
	defaultMaxFrame    = 64 << 20
	defaultMaxInFlight = 256 << 20
	// maxStrangers is how many connections may be in their handshake.
	maxStrangers = 256
	// waitingStreams is how many accepted streams wait for who takes them.
	waitingStreams = 64
)

// Options say who a node is and what it does for others.
type Options struct {
	Cluster string      // only nodes of the same cluster talk; at most 255 bytes
	Self    ring.HostID // this node
	Sockets Sockets
	// Resolve returns the present address (host:port) of a node. It must not block.
	Resolve  func(ring.HostID) (address string, ok bool)
	Handlers map[Verb]Handler // VerbPing is answered without one
	Handler  Handler          // of all other verbs; nil: they are not known

	ServerTLS *tls.Config // nil: no TLS on connections from others
	ClientTLS *tls.Config // nil: no TLS on connections to others; without a ServerName, certificates must be for the address

	Compression bool // with nodes that want it, too
	// Compress reports whether what is sent to a node is compressed, where Compression is on; nil: always. It must not block.
	Compress func(ring.HostID) bool

	MaxFrame    int   // bytes of a request or an answer; 0: 64 MiB
	MaxInFlight int64 // bytes of the requests that handlers are at work on, and of their answers; 0: 256 MiB
	Log         *slog.Logger
}

// A Hub is a node's end of all connections with other nodes.
type Hub struct {
	options  Options
	handlers [256]Handler
	usual    [256]mean // answers, by verb
	listener net.Listener
	ctx      context.Context // ends when Close begins
	cancel   context.CancelFunc
	start    time.Time

	goroutines group
	workers    workers.Pool
	chunks     chunks
	tasks      sync.Pool // of *task
	waiters    sync.Pool // of *waiter
	gate       gate
	complaints complaints
	streams    chan net.Conn
	strangers  chan struct{} // a token for each connection in its handshake

	mu       sync.RWMutex
	closed   bool
	links    map[linkKey]*link
	loose    map[*link]struct{}    // those of CallAddress
	accepted map[net.Conn]struct{} // connections from others
	done     chan struct{}         // Close has ended
}

// A linkKey says which of a node's connections is meant.
type linkKey struct {
	to    ring.HostID
	class class
}

// Listen opens a hub at an address (host:port). The context is for the beginning only.
func Listen(ctx context.Context, address string, o Options) (*Hub, error) {
	if len(o.Cluster) > maxCluster {
		return nil, fmt.Errorf("the cluster's name has %d bytes, at most %d", len(o.Cluster), maxCluster)
	}
	o.MaxFrame = cmp.Or(o.MaxFrame, defaultMaxFrame)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, defaultMaxInFlight)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listener, err := o.Sockets.Listen(ctx, address)
	if err != nil {
		return nil, err
	}
	h := &Hub{
		options: o, listener: listener, start: time.Now(),
		streams: make(chan net.Conn, waitingStreams), strangers: make(chan struct{}, maxStrangers),
		links: make(map[linkKey]*link), loose: make(map[*link]struct{}), accepted: make(map[net.Conn]struct{}),
		done: make(chan struct{}),
	}
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.gate.limit = o.MaxInFlight
	for v := range h.handlers {
		h.handlers[v] = o.Handler
	}
	for v, handler := range o.Handlers {
		h.handlers[v] = handler
	}
	h.goroutines.run(h.accept)
	return h, nil
}

// Address returns where the hub listens.
func (h *Hub) Address() netip.AddrPort {
	if a, ok := h.listener.Addr().(*net.TCPAddr); ok {
		a := a.AddrPort()
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	a, err := netip.ParseAddrPort(h.listener.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return a
}

// Close ends all connections, lets all calls fail with ErrClosed, ends the contexts of handlers, and waits for them. Streams that somebody
// has taken are theirs. Neither handlers nor what Send calls back may call it.
func (h *Hub) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		<-h.done
		return nil
	}
	h.closed = true
	h.cancel()
	links := slices.Collect(h.allLinks)
	for c := range h.accepted {
		_ = c.Close() // whoever reads from it sees it
	}
	h.mu.Unlock()
	err := h.listener.Close()
	for _, l := range links {
		l.close()
	}
	h.goroutines.wait()
	h.workers.Close()
	close(h.streams)
	for c := range h.streams { // nobody has taken them
		_ = c.Close()
	}
	close(h.done)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

// allLinks yields all links. h.mu is held.
func (h *Hub) allLinks(yield func(*link) bool) {
	for _, l := range h.links {
		if !yield(l) {
			return
		}
	}
	for l := range h.loose {
		if !yield(l) {
			return
		}
	}
}

// link returns the link to a node, nil after Close.
func (h *Hub) link(k linkKey) *link {
	h.mu.RLock()
	l := h.links[k]
	closed := h.closed
	h.mu.RUnlock()
	if closed {
		return nil
	}
	if l != nil {
		return l
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	if l = h.links[k]; l == nil {
		l = newLink(h, k, "")
		h.links[k] = l
	}
	return l
}

// Retry says that a node is up again, or has another address: if there is no connection, the next request tries to make
// one at once, and an attempt that is under way is begun anew.
func (h *Hub) Retry(id ring.HostID) {
	for _, c := range [...]class{classRequests, classBulk} {
		h.mu.RLock()
		l := h.links[linkKey{id, c}]
		h.mu.RUnlock()
		if l != nil {
			l.retry()
		}
	}
}

// Streams returns the channel of connections that others have made with DialStream. It is closed by Close.
func (h *Hub) Streams() <-chan net.Conn { return h.streams }

// DialStream makes a connection that the hub at an address hands out from Streams.
func (h *Hub) DialStream(ctx context.Context, address string) (net.Conn, error) {
	s, err := h.dial(ctx, address, classStream, ring.HostID{})
	if err != nil {
		return nil, err
	}
	return s.conn, nil
}

// now returns the time since the hub's start: cheaper than a time.Time, and as good within a process.
func (h *Hub) now() time.Duration { return time.Since(h.start) }

// A group is goroutines that somebody waits for. Unlike a sync.WaitGroup, it refuses new ones then.
type group struct {
	mu      sync.Mutex
	waiting bool
	wg      sync.WaitGroup
}

// run starts f on a goroutine. It reports whether it did.
func (g *group) run(f func()) bool {
	if !g.enter() {
		return false
	}
	go func() {
		defer g.wg.Done()
		f()
	}()
	return true
}

// enter adds the calling goroutine. If it returns true, leave must follow.
func (g *group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting {
		return false
	}
	g.wg.Add(1)
	return true
}

func (g *group) leave() { g.wg.Done() }

// wait waits for all goroutines.
func (g *group) wait() {
	g.mu.Lock()
	g.waiting = true
	g.mu.Unlock()
	g.wg.Wait()
}

// compresses reports whether what is sent to a node on a connection with compression is compressed.
func (h *Hub) compresses(to ring.HostID) bool {
	return h.options.Compress == nil || h.options.Compress(to)
}
