package ring

import (
	"cmp"
	"slices"
)

// A Move is a range of which an endpoint becomes a replica, or ceases to be one. It does not lead over
// the end of the ring (see Range.Unwrap).
type Move struct {
	Range     Range
	Endpoints []*Endpoint // those on the other side
	Handover  bool        // of a gain: the first of them ceases to be a replica, and has all that is needed
}

// Gains returns the ranges that an endpoint becomes a replica of by the changes under way, ascending,
// each with those that can send it what is in there, the best one first: those that cease to be a replica
// of it, and then the nearest, in its rack, in its datacenter, and elsewhere.
//
// The order is more than a wish. Who takes the data from the replica whose place it takes leaves every
// write on as many replicas as before. Taken from another one, a write that this one has missed is on one
// replica less, and reads at QUORUM may miss it. One that is replaced is dead and not among them: then that risk
// is there until a repair, as in Cassandra.
func (p *Placement) Gains(id HostID) []Move {
	to := p.topology.Endpoint(id)
	if to == nil {
		return nil
	}
	return p.moves(func(now, after []*Endpoint) ([]*Endpoint, bool) {
		if holds(now, id) || !holds(after, id) {
			return nil, false
		}
		sources := slices.DeleteFunc(slices.Clone(now), func(e *Endpoint) bool { return p.isReplaced(e.ID) })
		slices.SortStableFunc(sources, func(a, b *Endpoint) int {
			return cmp.Compare(distance(a, to, after), distance(b, to, after))
		})
		return sources, true
	})
}

// Losses returns the ranges that an endpoint ceases to be a replica of by the changes under way,
// ascending, each with those that become a replica of it.
func (p *Placement) Losses(id HostID) []Move {
	return p.moves(func(now, after []*Endpoint) ([]*Endpoint, bool) {
		if !holds(now, id) || holds(after, id) {
			return nil, false
		}
		var heirs []*Endpoint
		for _, e := range after {
			if !holds(now, e.ID) {
				heirs = append(heirs, p.topology.Endpoint(e.ID))
			}
		}
		return heirs, true
	})
}

// distance says how good a source is for an endpoint that becomes a replica: the lower the better.
func distance(source, to *Endpoint, after []*Endpoint) int {
	switch {
	case !holds(after, source.ID):
		return 0
	case source.Datacenter == to.Datacenter && source.Rack == to.Rack:
		return 1
	case source.Datacenter == to.Datacenter:
		return 2
	default:
		return 3
	}
}

func holds(replicas []*Endpoint, id HostID) bool {
	return slices.ContainsFunc(replicas, func(e *Endpoint) bool { return e.ID == id })
}

func (p *Placement) isReplaced(id HostID) bool {
	return slices.ContainsFunc(p.topology.endpoints, func(e *Endpoint) bool { return e.replaces(id) })
}

// moves asks of each range, whose replicas are the same all over now and after the changes, whether it
// moves and who is on the other side. Neighbours with the same answer become one.
func (p *Placement) moves(ask func(now, after []*Endpoint) ([]*Endpoint, bool)) []Move {
	if p.pending == nil || p.replication.strategy == local {
		return nil
	}
	var out []Move
	start := MinToken
	for _, end := range p.bounds() {
		r := Range{start, end}
		start = end
		endpoints, moves := ask(p.Replicas(end), p.pending.Replicas(end))
		if !moves {
			continue
		}
		m := Move{r, endpoints, len(endpoints) > 0 && !holds(p.pending.Replicas(end), endpoints[0].ID)}
		if last := len(out) - 1; last >= 0 && out[last].Range.End == r.Start && out[last].Handover == m.Handover && slices.Equal(out[last].Endpoints, endpoints) {
			out[last].Range.End = r.End
			continue
		}
		out = append(out, m)
	}
	return out
}

// bounds returns the ends of all ranges now and after the changes, ascending. The last one is MinToken,
// which stands for the end of the ring.
func (p *Placement) bounds() []Token {
	var out []Token
	for _, v := range slices.Concat(p.topology.ring, p.pending.topology.ring) {
		out = append(out, v.token)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 {
		return nil
	}
	if out[0] == MinToken {
		out = out[1:]
	}
	return append(out, MinToken)
}
