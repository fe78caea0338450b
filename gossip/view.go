package gossip

import (
	"maps"
	"slices"

	"github.com/iliumdb/ilium/ring"
)

// A View is who is up at one time, as one node sees it. It is immutable.
type View struct {
	up       map[ring.HostID]bool
	suspects []ring.HostID // of them, ascending
}

// IsUp reports whether a node is up.
func (v *View) IsUp(id ring.HostID) bool { return v.up[id] }

// Suspects reports whether a node is up but has been silent for so long that another one should be asked
// if there is one.
func (v *View) Suspects(id ring.HostID) bool {
	return len(v.suspects) > 0 && slices.Contains(v.suspects, id)
}

// View returns who is up now. It takes no lock. The node itself always is.
func (m *Member) View() *View { return m.view.Load() }

// IsUp is that of the View now.
func (m *Member) IsUp(id ring.HostID) bool { return m.View().IsUp(id) }

// Suspects is that of the View now.
func (m *Member) Suspects(id ring.HostID) bool { return m.View().Suspects(id) }

// look makes a new view after somebody came up or went down. mu must be held.
func (m *Member) look() {
	v := &View{up: map[ring.HostID]bool{m.self: true}}
	m.detector.Up(func(id ring.HostID) { v.up[id] = true })
	if old := m.view.Load(); old != nil {
		v.suspects = slices.DeleteFunc(slices.Clone(old.suspects), func(id ring.HostID) bool { return !v.up[id] })
	}
	m.view.Store(v)
}

// suspect makes a new view if others are suspect than before. mu must be held.
func (m *Member) suspect(ids []ring.HostID) {
	if old := m.view.Load(); !slices.Equal(ids, old.suspects) {
		m.view.Store(&View{up: old.up, suspects: slices.Clone(ids)})
	}
}

// A Peer is all that is known of a node.
type Peer struct {
	ID        ring.HostID
	Heartbeat Heartbeat
	Values    map[Key]Value
	Address   string // where it was seen last, or should be; empty for this node
	Up        bool
	Phi       float64 // infinite if it was never heard of, 0 for this node
}

// Peers returns what is known of all nodes, this one as well, in order of their ids.
func (m *Member) Peers() []Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	var out []Peer
	for _, d := range m.table.All() {
		p := Peer{ID: d.Host, Heartbeat: d.Heartbeat, Values: maps.Clone(d.Values), Address: m.addresses[d.Host], Up: true}
		if d.Host != m.self {
			p.Up, p.Phi = m.detector.IsUp(d.Host), m.detector.Phi(d.Host, now)
		}
		out = append(out, p)
	}
	return out
}

// AddressOf returns where another node was seen last or, if it was not seen yet, where it should be.
func (m *Member) AddressOf(id ring.HostID) (address string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	address, ok = m.addresses[id]
	return address, ok
}
