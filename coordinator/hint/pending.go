package hint

import (
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A Pending says what waits for an endpoint: a row of Cassandra's system_views.pending_hints, without
// what the topology knows (address, port, rack, dc, status).
type Pending struct {
	To             ring.HostID // host_id
	Files          int         // files; those that are being written as well
	Bytes          int64       // total_size, with what is in memory
	DamagedFiles   int         // corrupted_files, of Files
	DamagedBytes   int64       // total_corrupted_files_size, of Bytes
	Newest, Oldest time.Time   // when the hints were added; to the millisecond or better
}

// Pending returns what there is, by host id.
func (s *Store) Pending() []Pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Pending
	for id, h := range s.hosts {
		if len(h.segments) > 0 || h.buffered > 0 {
			out = append(out, h.pending(id))
		}
	}
	slices.SortFunc(out, func(a, b Pending) int { return slices.Compare(a.To[:], b.To[:]) })
	return out
}

func (h *host) pending(id ring.HostID) Pending {
	p := Pending{To: id, Files: len(h.segments), Bytes: h.stored + h.buffered}
	if h.buffered > 0 {
		p.Newest = time.Unix(0, h.first)
	}
	if p.Oldest = p.Newest; len(h.segments) > 0 {
		p.Oldest = time.UnixMilli(h.segments[0].stamp)
	}
	for _, g := range h.segments {
		if newest := time.Unix(0, g.newest); newest.After(p.Newest) {
			p.Newest = newest
		}
		if g.damaged {
			p.DamagedFiles++
			p.DamagedBytes += g.size
		}
	}
	return p
}

// waiting returns for which endpoints there is something to replay.
func (s *Store) waiting() []ring.HostID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ring.HostID
	for id, h := range s.hosts {
		if h.buffered > 0 || slices.ContainsFunc(h.segments, func(g *segment) bool { return !g.unreadable }) {
			out = append(out, id)
		}
	}
	return out
}
