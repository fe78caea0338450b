package memory

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstPort is where the ports begin that a host chooses itself.
const firstPort = 40000

// A Host has the sockets of one IP address.
type Host struct {
	network *Network
	ip      string

	// What follows is guarded by the network's lock.
	listeners map[int]*listener
	packets   map[int]*packetConn
	conns     map[*conn]struct{}
	port      int
}

// Listen opens a listener. The address has the host's IP address, or none, and a port; 0 chooses one.
func (h *Host) Listen(ctx context.Context, address string) (net.Listener, error) {
	port, err := h.own(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if port == 0 {
		port = h.choose()
	}
	if h.listeners[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: h.tcp(port), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{host: h, address: h.tcp(port)}
	h.listeners[port] = l
	return l, nil
}

// ListenPacket opens a socket for packets. The address is like Listen's.
func (h *Host) ListenPacket(ctx context.Context, address string) (net.PacketConn, error) {
	port, err := h.own(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: err}
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if port == 0 {
		port = h.choose()
	}
	if h.packets[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	p := &packetConn{host: h, address: &net.UDPAddr{IP: net.ParseIP(h.ip), Port: port}}
	h.packets[port] = p
	return p, nil
}

// Dial connects to host:port.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	fail := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	ip, port, err := split(address)
	if err != nil {
		return nil, fail(err)
	}
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	wait := n.lateness(h.ip, ip) + n.lateness(ip, h.ip)
	for {
		if !n.pause(ctx, wait) {
			return nil, fail(ctx.Err())
		}
		if n.passes(h.ip, ip) && n.passes(ip, h.ip) {
			break
		}
		changed := n.changed.wait()
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		n.mu.Lock()
	}
	other := n.hosts[ip]
	if other == nil || other.listeners[port] == nil {
		return nil, fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	return h.connect(other.listeners[port]), nil
}

// connect makes a stream to a listener. The network's lock is held.
func (h *Host) connect(l *listener) net.Conn {
	out, in := newPipe(h.network, h.ip, l.host.ip), newPipe(h.network, l.host.ip, h.ip)
	out.back, in.back = in, out
	local := h.tcp(h.choose())
	near := &conn{host: h, in: in, out: out, local: local, remote: l.address}
	far := &conn{host: l.host, in: out, out: in, local: l.address, remote: local}
	h.conns[near], l.host.conns[far] = struct{}{}, struct{}{}
	l.queue = append(l.queue, far)
	l.changed.send()
	return near
}

// own returns the port of an address of this host.
func (h *Host) own(ctx context.Context, address string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	ip, port, err := split(address)
	if err != nil {
		return 0, err
	}
	if parsed := net.ParseIP(ip); ip != "" && ip != h.ip && (parsed == nil || !parsed.IsUnspecified()) {
		return 0, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	}
	return port, nil
}

func split(address string) (ip string, port int, err error) {
	ip, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(text); err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%q is no port", text)
	}
	return ip, port, nil
}

// choose returns a free port. The network's lock is held.
func (h *Host) choose() int {
	for {
		if h.port++; h.port > 65535 {
			h.port = firstPort
		}
		if h.listeners[h.port] == nil && h.packets[h.port] == nil {
			return h.port
		}
	}
}

func (h *Host) tcp(port int) *net.TCPAddr { return &net.TCPAddr{IP: net.ParseIP(h.ip), Port: port} }

func (h *Host) kill() {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range h.listeners {
		l.end()
	}
	for _, p := range h.packets {
		p.end()
	}
	for c := range h.conns {
		c.end(true)
	}
}
