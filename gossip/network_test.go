package gossip

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
)

// A network connects sockets in memory. Packets that nobody takes are lost.
type network struct {
	mu      sync.Mutex
	sockets map[string]*sockets
	drop    func(from, to string) bool // may be nil
	loss    float64                    // of packets
	random  *rand.Rand
	bytes   int // of packets
}

func newNetwork() *network {
	return &network{sockets: map[string]*sockets{}, random: rand.New(rand.NewPCG(1, 1))}
}

// set changes what gets through.
func (n *network) set(loss float64, drop func(from, to string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss, n.drop = loss, drop
}

// sent returns how many bytes of packets were sent.
func (n *network) sent() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.bytes
}

// join makes sockets at an address, in place of those that were there.
func (n *network) join(address string) *sockets {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &sockets{network: n, address: address, packets: make(chan packet, 1000), streams: make(chan net.Conn, 100), closed: make(chan struct{})}
	n.sockets[address] = s
	return s
}

// to returns the sockets at an address, unless the way there is cut.
func (n *network) to(from, address string, packet bool, size int) *sockets {
	n.mu.Lock()
	defer n.mu.Unlock()
	if packet {
		n.bytes += size
	}
	if n.sockets[from] == nil || n.drop != nil && n.drop(from, address) || packet && n.random.Float64() < n.loss {
		return nil
	}
	return n.sockets[address]
}

// cut takes an address from the network, as when its process is killed.
func (n *network) cut(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.sockets, address)
}

// sockets are what a node has at an address: a net.PacketConn, and streams.
type sockets struct {
	network *network
	address string
	packets chan packet
	streams chan net.Conn
	closing sync.Once
	closed  chan struct{}

	net.PacketConn // has no deadlines
}

type packet struct {
	from  string
	bytes []byte
}

func (s *sockets) LocalAddr() net.Addr { return udpAddress(s.address) }

func udpAddress(address string) net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address))
}

func (s *sockets) WriteTo(b []byte, address net.Addr) (int, error) {
	if to := s.network.to(s.address, address.String(), true, len(b)); to != nil {
		select {
		case to.packets <- packet{s.address, append([]byte{}, b...)}:
		default:
		}
	}
	return len(b), nil
}

func (s *sockets) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-s.packets:
		return copy(b, p.bytes), udpAddress(p.from), nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

func (s *sockets) Close() error {
	s.closing.Do(func() { close(s.closed) })
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	if s.network.sockets[s.address] == s {
		delete(s.network.sockets, s.address)
	}
	return nil
}

// dial connects to an address. Over a way that is cut nothing comes back.
func (s *sockets) dial(ctx context.Context, address string) (net.Conn, error) {
	to, back := s.network.to(s.address, address, false, 0), s.network.to(address, s.address, false, 0)
	if to == nil || back == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := net.Pipe()
	select {
	case to.streams <- far:
		return near, nil
	default:
		return nil, errors.New("too many connections")
	}
}
