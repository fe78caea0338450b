package gossip

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// StatusShutdown is the KeyStatus of a node that stops.
const StatusShutdown = "SHUTDOWN"

// The kinds of packets. Each begins with its kind and the id of its sender.
const (
	kindDigests byte = 1 // what the sender has
	kindWanted  byte = 2 // what the sender wants, as digests of what it has
	kindDeltas  byte = 3 // what somebody has wanted

	packetHead = 1 + len(ring.HostID{})
)

// A message is a packet that has come in.
type message struct {
	at     time.Duration
	packet []byte
}

// delegate is the side of a Member that memberlist calls.
type delegate struct{ m *Member }

// NodeMeta returns nothing: what nodes say of themselves is in the table, which has no limit of 512
// bytes.
func (delegate) NodeMeta(int) []byte { return nil }

// NotifyMsg takes a packet. memberlist reads no other until it returns, so the time is taken and the
// rest left to the member; what it cannot keep up with is dropped, as the network might have done.
func (d delegate) NotifyMsg(b []byte) {
	select {
	case d.m.inbox <- message{d.m.now(), slices.Clone(b)}:
	default:
	}
}

// GetBroadcasts adds the digests to a packet that memberlist sends. They are made anew each time, so
// nothing is queued and a lost packet costs nothing but time.
func (d delegate) GetBroadcasts(overhead, limit int) [][]byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.turn++
	if packet := d.m.packet(limit - overhead); packet != nil {
		return [][]byte{packet}
	}
	return nil
}

// LocalState returns all that is known, for an exchange over TCP.
func (d delegate) LocalState(bool) []byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return AppendDeltas(d.m.start(kindDeltas), d.m.table.All())
}

// MergeRemoteState takes what LocalState has returned elsewhere.
func (d delegate) MergeRemoteState(b []byte, _ bool) { d.NotifyMsg(b) }

// NotifyJoin learns where a node is.
func (d delegate) NotifyJoin(n *memberlist.Node) {
	if id, ok := parseHost(n.Name); ok {
		d.m.mu.Lock()
		defer d.m.mu.Unlock()
		d.m.addresses[id] = n.Address()
	}
}

// NotifyUpdate learns where a node is now.
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.NotifyJoin(n) }

// NotifyLeave does nothing: who is down, phi decides alone.
func (delegate) NotifyLeave(*memberlist.Node) {}

// parseHost reads what ring.HostID.String prints.
func parseHost(name string) (id ring.HostID, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(name, "-", ""))
	return id, err == nil && copy(id[:], b) == len(id) && len(b) == len(id)
}

// start begins a packet.
func (m *Member) start(kind byte) []byte { return append([]byte{kind}, m.self[:]...) }

// packet returns a packet of as many digests as fit: that of the node itself and, in turns, of the
// others. It is nil if not one fits. mu must be held.
func (m *Member) packet(limit int) []byte {
	room := (limit - packetHead) / DigestSize
	if room < 1 {
		return nil
	}
	m.digests = m.table.Digests(m.digests[:0])
	own := slices.IndexFunc(m.digests, func(d Digest) bool { return d.Host == m.self })
	packet := AppendDigests(m.start(kindDigests), m.digests[own:own+1])
	others := slices.Delete(m.digests, own, own+1)
	for i := range min(room-1, len(others)) {
		at := (m.turn*(room-1) + i) % len(others)
		packet = AppendDigests(packet, others[at:at+1])
	}
	return packet
}

// receive takes in a packet and answers it.
func (m *Member) receive(in message) {
	if len(in.packet) < packetHead {
		return
	}
	sender, body := ring.HostID(in.packet[1:packetHead]), in.packet[packetHead:]
	var answer []byte
	var changes []Change
	var err error
	m.mu.Lock()
	switch in.packet[0] {
	case kindDigests, kindWanted:
		var digests []Digest
		if digests, err = DecodeDigests(nil, body); err != nil {
			break
		}
		if in.packet[0] == kindWanted {
			answer = AppendDeltas(m.start(kindDeltas), m.table.Deltas(digests))
			break
		}
		changes = m.table.Observe(digests)
		if wanted := m.table.Wanted(digests); len(wanted) > 0 {
			answer = AppendDigests(m.start(kindWanted), wanted)
		}
	case kindDeltas:
		var deltas []Delta
		if deltas, err = DecodeDeltas(body); err == nil {
			changes = m.table.Merge(deltas)
		}
	}
	events := m.judge(changes, in.at)
	address := m.addresses[sender]
	m.mu.Unlock()
	if err != nil {
		m.opts.Log.Debug("gossip: a packet that cannot be read", "from", sender, "error", err)
	}
	if len(answer) > packetHead && address != "" {
		m.send(address, answer)
	}
	for _, e := range events {
		m.opts.OnChange(e.id, e.up)
	}
}

// An event is a node that came up or went down.
type event struct {
	id ring.HostID
	up bool
}

// judge tells the detector of the news, and returns who is up or down by it. mu must be held.
func (m *Member) judge(changes []Change, at time.Duration) []event {
	var events []event
	for _, c := range changes {
		if c.Contested {
			m.opts.Log.Error("gossip: another process has the id of this node, or this node's clock was set back", "id", c.Host)
			continue
		}
		if c.Restarted {
			if m.detector.IsUp(c.Host) {
				events = append(events, event{c.Host, false})
			}
			m.detector.Forget(c.Host)
		}
		status, _ := m.table.Get(c.Host, KeyStatus)
		switch {
		case status == StatusShutdown && m.detector.IsUp(c.Host):
			m.detector.Down(c.Host)
			events = append(events, event{c.Host, false})
		case status != StatusShutdown && c.Beat && m.detector.Heartbeat(c.Host, at):
			events = append(events, event{c.Host, true})
		}
	}
	return events
}
