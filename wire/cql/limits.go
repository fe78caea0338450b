package cql

import (
	"context"
	"net/netip"
	"sync"
)

// requestOverhead is what a request under way takes beside its bytes: its struct and the stack of
// its worker.
const requestOverhead = 4 << 10

// limits counts what clients keep busy. It is safe for concurrent use.
type limits struct {
	connections, connectionsPerIP, handshakes int
	bytes, bytesPerIP                         int64

	mu      sync.Mutex
	all     usage
	perIP   map[netip.Addr]*usage
	pending int // handshakes
	waiting int // calls of wait
	freed   chan struct{}
}

// usage is what one address, or all, have in use.
type usage struct {
	connections int
	bytes       int64
}

func newLimits(o Options) *limits {
	return &limits{
		connections: o.MaxConnections, connectionsPerIP: o.MaxConnectionsPerIP, handshakes: o.MaxHandshakes,
		bytes: o.MaxInFlight, bytesPerIP: o.MaxInFlightPerIP,
		perIP: make(map[netip.Addr]*usage), freed: make(chan struct{}),
	}
}

// connect counts a new connection, in its handshake. It returns the reason if there is one too many,
// otherwise what its address uses.
func (l *limits) connect(ip netip.Addr) (*usage, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.perIP[ip]
	switch {
	case l.all.connections >= l.connections:
		return nil, "too many connections"
	case u != nil && u.connections >= l.connectionsPerIP:
		return nil, "too many connections from this address"
	case l.pending >= l.handshakes:
		return nil, "too many connections in their handshake"
	}
	if u == nil {
		u = &usage{}
		l.perIP[ip] = u
	}
	l.all.connections++
	u.connections++
	l.pending++
	return u, ""
}

// established counts a handshake as ended.
func (l *limits) established() {
	l.mu.Lock()
	l.pending--
	l.mu.Unlock()
}

// disconnect undoes connect, after everything taken by the connection was given back.
func (l *limits) disconnect(ip netip.Addr, u *usage, handshaking bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.connections--
	if u.connections--; u.connections == 0 {
		delete(l.perIP, ip)
	}
	if handshaking {
		l.pending--
	}
}

// take counts n bytes as in use, if there is room. What alone exceeds a limit has room while nothing
// else is in use, so that a small limit cannot make a legal request impossible.
func (l *limits) take(u *usage, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tryTake(u, n)
}

func (l *limits) tryTake(u *usage, n int64) bool {
	if l.all.bytes > 0 && l.all.bytes+n > l.bytes || u.bytes > 0 && u.bytes+n > l.bytesPerIP {
		return false
	}
	l.all.bytes += n
	u.bytes += n
	return true
}

// wait takes n bytes as soon as there is room. It returns the error of ctx if that ends before.
func (l *limits) wait(ctx context.Context, u *usage, n int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting++
	defer func() { l.waiting-- }()
	for !l.tryTake(u, n) {
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// give gives n bytes back.
func (l *limits) give(u *usage, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.bytes -= n
	u.bytes -= n
	if l.waiting > 0 {
		close(l.freed)
		l.freed = make(chan struct{})
	}
}
