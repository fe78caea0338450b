package memory

import (
	"net"
	"os"
	"slices"
	"syscall"
	"time"
)

const (
	// maxPacket is how many bytes a packet has at most.
	maxPacket = 65507
	// maxPackets is how many packets wait for a reader; more are dropped.
	maxPackets = 4096
	// reorderDelay is how much later a packet arrives at least when it is overtaken.
	reorderDelay = 10 * time.Millisecond
)

// A packetConn sends and receives packets. Its fields are guarded by the network's lock.
type packetConn struct {
	host    *Host
	address *net.UDPAddr
	queue   []packet // by arrival
	closed  bool
	changed signal

	readDeadline, writeDeadline time.Time
}

type packet struct {
	at   time.Time
	from *net.UDPAddr
	data []byte
}

func (p *packetConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: p.address, Err: err}
}

func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n := p.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		now := time.Now()
		if p.closed {
			return 0, nil, p.fail("read", net.ErrClosed)
		}
		if expired(p.readDeadline, now) {
			return 0, nil, p.fail("read", os.ErrDeadlineExceeded)
		}
		var at time.Time
		if len(p.queue) > 0 {
			first := p.queue[0]
			if !first.at.After(now) {
				p.queue = slices.Delete(p.queue, 0, 1)
				return copy(b, first.data), first.from, nil
			}
			at = first.at
		}
		n.await(earliest(at, p.readDeadline), &p.changed, &p.changed)
	}
}

func (p *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	ip, port, err := split(to.String())
	if err != nil {
		return 0, p.fail("write", err)
	}
	if len(b) > maxPacket {
		return 0, p.fail("write", os.NewSyscallError("sendto", syscall.EMSGSIZE))
	}
	n := p.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.closed {
		return 0, p.fail("write", net.ErrClosed)
	}
	if expired(p.writeDeadline, time.Now()) {
		return 0, p.fail("write", os.ErrDeadlineExceeded)
	}
	copies := 1
	if ip != p.host.ip {
		if n.chance(n.loss) {
			copies = 0
		}
		if n.chance(n.duplicate) {
			copies *= 2
		}
	}
	other := n.hosts[ip]
	if other == nil || other.packets[port] == nil || !n.passes(p.host.ip, ip) {
		return len(b), nil
	}
	for range copies {
		other.packets[port].receive(p, append([]byte(nil), b...))
	}
	return len(b), nil
}

// receive puts a packet into the queue, where its delay says. The network's lock is held.
func (p *packetConn) receive(from *packetConn, data []byte) {
	if len(p.queue) >= maxPackets {
		return
	}
	n := p.host.network
	at := time.Now()
	if from.host != p.host {
		d := n.delay()
		if n.chance(n.reorder) {
			d += d + reorderDelay
		}
		at = at.Add(d)
	}
	i := len(p.queue)
	for i > 0 && p.queue[i-1].at.After(at) {
		i--
	}
	p.queue = slices.Insert(p.queue, i, packet{at: at, from: from.address, data: data})
	p.changed.send()
}

func (p *packetConn) Close() error {
	n := p.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.closed {
		return p.fail("close", net.ErrClosed)
	}
	p.end()
	return nil
}

// end closes the socket. The network's lock is held.
func (p *packetConn) end() {
	p.closed, p.queue = true, nil
	delete(p.host.packets, p.address.Port)
	p.changed.send()
}

func (p *packetConn) LocalAddr() net.Addr { return p.address }

func (p *packetConn) SetDeadline(t time.Time) error      { return p.limit(&t, &t) }
func (p *packetConn) SetReadDeadline(t time.Time) error  { return p.limit(&t, nil) }
func (p *packetConn) SetWriteDeadline(t time.Time) error { return p.limit(nil, &t) }

func (p *packetConn) limit(read, write *time.Time) error {
	n := p.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.closed {
		return p.fail("set", net.ErrClosed)
	}
	if read != nil {
		p.readDeadline = *read
		p.changed.send()
	}
	if write != nil {
		p.writeDeadline = *write
	}
	return nil
}
