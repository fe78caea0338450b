package gossip

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// delegate is the side of a Member that memberlist calls, under its locks.
type delegate struct{ m *Member }

// NodeMeta returns nothing: what nodes say of themselves is in the table, which has no limit of 512
// bytes.
func (delegate) NodeMeta(int) []byte { return nil }

// NotifyMsg takes a packet. memberlist reads no other until it returns, so the time is taken and the
// rest left to the member; what it cannot keep up with is dropped, as the network might have done.
func (d delegate) NotifyMsg(b []byte) {
	select {
	case d.m.inbox <- arrival{d.m.now(), append([]byte(nil), b...)}:
	default:
	}
}

// GetBroadcasts adds the digests to a packet that memberlist sends. They are made anew each time, so
// nothing is queued and a lost packet costs nothing but time.
func (d delegate) GetBroadcasts(overhead, limit int) [][]byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
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

// NotifyAlive refuses nodes that were removed, and those without an id.
func (d delegate) NotifyAlive(n *memberlist.Node) error {
	id, ok := parseHost(n.Name)
	if !ok || id != d.m.self && !d.m.opts.Allowed(id) {
		return &RemovedError{n.Name}
	}
	return nil
}

// NotifyJoin learns where a node is.
func (d delegate) NotifyJoin(n *memberlist.Node) {
	if id, ok := parseHost(n.Name); ok && id != d.m.self {
		d.m.mu.Lock()
		defer d.m.mu.Unlock()
		d.m.addresses[id] = n.Address()
		d.m.listed[id] = true
	}
}

// NotifyUpdate learns where a node is now.
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.NotifyJoin(n) }

// NotifyLeave remembers that memberlist will not talk to a node anymore. Who is down, phi decides alone.
func (d delegate) NotifyLeave(n *memberlist.Node) {
	if id, ok := parseHost(n.Name); ok {
		d.m.mu.Lock()
		defer d.m.mu.Unlock()
		delete(d.m.listed, id)
	}
}

// A conflict is two addresses of one node.
type conflict struct {
	id        ring.HostID
	addresses [2]string
}

// NotifyConflict hears of a node at two addresses. Either it has moved and memberlist has not noticed yet, or two
// processes have one id.
func (d delegate) NotifyConflict(existing, other *memberlist.Node) {
	if id, ok := parseHost(existing.Name); ok {
		select {
		case d.m.conflicts <- conflict{id, [2]string{existing.Address(), other.Address()}}:
		default: // it will be heard of again
		}
	}
}

// An arrival is a packet, not read yet.
type arrival struct {
	at     time.Duration
	packet []byte
}

// parseHost reads what ring.HostID.String prints.
func parseHost(name string) (id ring.HostID, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(name, "-", ""))
	return id, err == nil && copy(id[:], b) == len(id) && len(b) == len(id)
}
