package gossip

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// A network connects transports in memory. Packets that nobody takes are lost.
type network struct {
	mu         sync.Mutex
	transports map[string]*transport
	drop       func(from, to string) bool // may be nil
	loss       float64                    // of packets
	random     *rand.Rand
	bytes      int // of packets
}

func newNetwork() *network {
	return &network{transports: map[string]*transport{}, random: rand.New(rand.NewPCG(1, 1))}
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

// transport makes a transport at an address, in place of the one that was there.
func (n *network) transport(address string) *transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := &transport{network: n, address: address, packets: make(chan *memberlist.Packet, 1000), streams: make(chan net.Conn, 100)}
	n.transports[address] = t
	return t
}

// to returns the transport at an address, unless the way there is cut.
func (n *network) to(from, address string, packet bool, size int) *transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	if packet {
		n.bytes += size
	}
	if n.drop != nil && n.drop(from, address) || packet && n.random.Float64() < n.loss {
		return nil
	}
	return n.transports[address]
}

// cut takes the transport at an address from the network, as when its process is killed.
func (n *network) cut(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.transports, address)
}

// A transport is a memberlist.Transport in memory.
type transport struct {
	network *network
	address string
	packets chan *memberlist.Packet
	streams chan net.Conn
}

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	host, port, err := net.SplitHostPort(t.address)
	if err != nil {
		return nil, 0, err
	}
	number, err := strconv.Atoi(port)
	return net.ParseIP(host), number, err
}

func (t *transport) WriteTo(b []byte, address string) (time.Time, error) {
	if to := t.network.to(t.address, address, true, len(b)); to != nil {
		from, err := net.ResolveUDPAddr("udp", t.address)
		if err != nil {
			return time.Time{}, err
		}
		select {
		case to.packets <- &memberlist.Packet{Buf: append([]byte{}, b...), From: from, Timestamp: time.Now()}:
		default:
		}
	}
	return time.Now(), nil
}

func (t *transport) DialTimeout(address string, _ time.Duration) (net.Conn, error) {
	to := t.network.to(t.address, address, false, 0)
	if to == nil {
		return nil, errors.New("nobody answers")
	}
	near, far := net.Pipe()
	select {
	case to.streams <- far:
		return near, nil
	default:
		return nil, errors.New("too many connections")
	}
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streams }
func (t *transport) Shutdown() error {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	if t.network.transports[t.address] == t {
		delete(t.network.transports, t.address)
	}
	return nil
}
