package gossip

import (
	"net/netip"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// The kinds of packets. Each begins with its kind, the id of its sender, and the length and bytes of its address.
const (
	kindDigests byte = 1 // what the sender has: its own digest first
	kindWanted  byte = 2 // what the sender wants, as digests of what it has
	kindDeltas  byte = 3 // what somebody has wanted
)

// packetSize is how long the packets are at most that this package sends by itself, so that with all
// headers they fit into an Ethernet frame.
const packetSize = 1300

// A message is a packet that has come in.
type message struct {
	kind    byte
	sender  ring.HostID
	address netip.AddrPort
	body    []byte
}

// start begins a packet.
func (m *Member) start(kind byte) []byte {
	packet := append([]byte{kind}, m.self[:]...)
	address, _ := m.opts.Address.MarshalBinary() // never fails
	return append(append(packet, byte(len(address))), address...)
}

// parse reads what start has written.
func parse(packet []byte) (message, error) {
	const head = 1 + len(ring.HostID{}) + 1
	if len(packet) < head || len(packet) < head+int(packet[head-1]) {
		return message{}, &MessageError{"a packet is cut off"}
	}
	in := message{kind: packet[0], sender: ring.HostID(packet[1 : head-1])}
	end := head + int(packet[head-1])
	if err := in.address.UnmarshalBinary(packet[head:end]); err != nil || !in.address.IsValid() {
		return message{}, &MessageError{"a packet has no address"}
	}
	in.body = packet[end:]
	return in, nil
}

// packet returns a packet of as many digests as fit. It is nil if not one fits. mu must be held.
func (m *Member) packet(limit int) []byte {
	packet := m.start(kindDigests)
	m.digests = m.table.Pick(m.digests[:0], (limit-len(packet))/DigestSize)
	if len(m.digests) == 0 {
		return nil
	}
	return AppendDigests(packet, m.digests)
}

// deltaPackets returns packets of deltas, each of one at least. mu must be held.
func (m *Member) deltaPackets(deltas []Delta) [][]byte {
	var out [][]byte
	var packet []byte
	for i := range deltas {
		delta := AppendDeltas(nil, deltas[i:i+1])
		if packet == nil || len(packet)+len(delta) > packetSize {
			if packet != nil {
				out = append(out, packet)
			}
			packet = m.start(kindDeltas)
		}
		packet = append(packet, delta...)
	}
	if packet != nil {
		out = append(out, packet)
	}
	return out
}

// send sends a packet, which may be lost: what it would have told comes with a later one.
func (m *Member) send(address string, packet []byte) {
	if err := m.list.SendToAddress(memberlist.Address{Addr: address}, packet); err != nil {
		m.opts.Log.Debug("gossip: sending", "to", address, "error", err)
	}
}
