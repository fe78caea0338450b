package gossip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// maxPacket is more than any packet has.
const maxPacket = 1 << 16

// receiveBuffer is what the operating system should keep of packets that are not read yet.
const receiveBuffer = 2 << 20

// A transport is what memberlist talks through: a node's sockets, which are not its own.
type transport struct {
	packets net.PacketConn
	streams <-chan net.Conn
	dial    func(ctx context.Context, address string) (net.Conn, error)
	address netip.AddrPort
	allowed func(ring.HostID) bool // whom to talk to

	packetCh chan *memberlist.Packet
	streamCh chan net.Conn
	ctx      context.Context // ends dials and what passes on streams
	cancel   context.CancelFunc
	closed   chan struct{} // no packets anymore
	shutdown func() error  // once
	running  sync.WaitGroup

	mu   sync.Mutex
	open map[*stream]bool // nil when closed
}

func newTransport(o *MemberOptions) *transport {
	t := &transport{packets: o.Packets, streams: o.Streams, dial: o.Dial, address: o.Address, allowed: o.Allowed,
		packetCh: make(chan *memberlist.Packet), streamCh: make(chan net.Conn),
		closed: make(chan struct{}), open: map[*stream]bool{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.shutdown = sync.OnceValue(t.close)
	if c, ok := t.packets.(interface{ SetReadBuffer(int) error }); ok {
		if err := c.SetReadBuffer(receiveBuffer); err != nil {
			o.Log.Debug("gossip: the buffer for packets stays small", "error", err)
		}
	}
	t.running.Go(t.readPackets)
	t.running.Go(t.takeStreams)
	return t
}

// readPackets passes on packets until the socket is closed.
func (t *transport) readPackets() {
	buffer := make([]byte, maxPacket)
	for {
		n, from, err := t.packets.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n == 0 { // as after a packet to a port where nobody listens
			select {
			case <-t.closed:
				return
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		select {
		case t.packetCh <- &memberlist.Packet{Buf: append([]byte(nil), buffer[:n]...), From: from, Timestamp: time.Now()}:
		case <-t.closed:
			return
		}
	}
}

// takeStreams passes on connections that others have made.
func (t *transport) takeStreams() {
	for {
		select {
		case <-t.ctx.Done():
			return
		case conn, ok := <-t.streams:
			if !ok {
				return
			}
			conn = t.track(conn)
			select {
			case t.streamCh <- conn:
			case <-t.ctx.Done():
				closeQuietly(conn)
				return
			}
		}
	}
}

// A stream is a connection that the transport can close.
type stream struct {
	net.Conn
	of *transport
}

// Close closes the connection.
func (s *stream) Close() error {
	s.of.mu.Lock()
	delete(s.of.open, s)
	s.of.mu.Unlock()
	return s.Conn.Close()
}

func (t *transport) track(conn net.Conn) net.Conn {
	s := &stream{conn, t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		closeQuietly(conn)
	} else {
		t.open[s] = true
	}
	return s
}

// closeQuietly closes a connection that nobody needs anymore; there is nothing to do if that fails.
func closeQuietly(conn net.Conn) { _ = conn.Close() }

// interrupt ends all dials and streams, so that nobody waits for them. Packets go on.
func (t *transport) interrupt() {
	t.cancel()
	t.mu.Lock()
	open := t.open
	t.open = nil
	t.mu.Unlock()
	for s := range open {
		closeQuietly(s.Conn)
	}
}

// Shutdown closes the socket for packets and all streams.
func (t *transport) Shutdown() error { return t.shutdown() }

func (t *transport) close() error {
	t.interrupt()
	close(t.closed)
	err := t.packets.Close()
	t.running.Wait()
	return err
}

// FinalAdvertiseAddr returns the address that others know.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.address.Addr().Unmap().AsSlice(), int(t.address.Port()), nil
}

// PacketCh returns where packets arrive.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packetCh }

// StreamCh returns where connections arrive.
func (t *transport) StreamCh() <-chan net.Conn { return t.streamCh }

// WriteTo sends a packet.
func (t *transport) WriteTo(b []byte, address string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: address})
}

// WriteToAddress sends a packet, unless it is for a node that was removed: that one should find out that
// nobody talks to it.
func (t *transport) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	if t.isRemoved(to.Name) {
		return time.Now(), nil
	}
	address, err := netip.ParseAddrPort(to.Addr)
	if err != nil {
		return time.Time{}, fmt.Errorf("gossip: %w", err)
	}
	_, err = t.packets.WriteTo(b, net.UDPAddrFromAddrPort(address))
	return time.Now(), err
}

func (t *transport) isRemoved(name string) bool {
	id, ok := parseHost(name)
	return ok && !t.allowed(id)
}

// DialTimeout connects to an address.
func (t *transport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: address}, timeout)
}

// DialAddressTimeout connects to a node that was not removed.
func (t *transport) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if t.isRemoved(to.Name) {
		return nil, &RemovedError{to.Name}
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	conn, err := t.dial(ctx, to.Addr)
	if err != nil {
		return nil, err
	}
	return t.track(conn), nil
}

// A RemovedError reports that a node was removed from the cluster.
type RemovedError struct{ Node string }

func (e *RemovedError) Error() string { return "gossip: node " + e.Node + " was removed" }
