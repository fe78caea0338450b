package peer

import (
	"cmp"
	"slices"

	"github.com/iliumdb/ilium/ring"
)

// PeerStats says how it stands with the requests of one class to another node.
type PeerStats struct {
	ID          ring.HostID
	Bulk        bool   // the class: verbs that move much data, or the others
	Address     string // where it was last looked for
	Connected   bool   // now
	Unanswered  int    // requests
	Waiting     int    // bytes that are not yet written
	Requests    uint64 // so far
	Connections uint64 // so far
	Failures    uint64 // attempts to connect that have failed
	LastError   error  // why there is no connection, or why the one before ended

	class class
}

// Stats returns how it stands with the nodes to which requests were sent, by id and class.
func (h *Hub) Stats() []PeerStats {
	h.mu.RLock()
	links := make([]*link, 0, len(h.links))
	for _, l := range h.links {
		links = append(links, l)
	}
	h.mu.RUnlock()
	stats := make([]PeerStats, 0, len(links))
	for _, l := range links {
		stats = append(stats, l.stats())
	}
	slices.SortFunc(stats, func(a, b PeerStats) int {
		return cmp.Or(slices.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.class, b.class))
	})
	return stats
}

func (l *link) stats() PeerStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.counts
	s.ID, s.class, s.Bulk, s.Address = l.key.to, l.key.class, l.key.class == classBulk, l.remote
	s.Connected, s.Unanswered, s.Waiting, s.LastError = l.state == linkUp, l.calls.len(), l.heldSize, l.err
	if l.output != nil {
		s.Waiting = l.output.backlog()
	}
	return s
}

// Load returns how many bytes the requests of other nodes hold that are being carried out, and how many requests were refused
// so far because these were too many.
func (h *Hub) Load() (held int64, refused uint64) { return h.gate.held.Load(), h.gate.shut.Load() }
