package ring

import "slices"

// A Placement is the table of all replicas, for one topology and one replication. It is immutable and
// safe for concurrent use.
type Placement struct {
	topology    *Topology
	replication Replication
	own         []*Endpoint // the node that asks, for LocalStrategy; empty if the topology lacks it

	replicas []*Endpoint // of vnode i: stride of them, from i*stride
	stride   int         // the same for all: as many as the replication wants and the topology has
	pending  *Placement  // of the settled topology; nil if nothing changes
}

// NewPlacement works out all replicas. self is the node that asks, which is where LocalStrategy keeps
// data.
func NewPlacement(t *Topology, r Replication, self HostID) *Placement {
	p := placement(t, r, self)
	if slices.ContainsFunc(t.endpoints, func(e *Endpoint) bool { return e.State != Normal }) {
		p.pending = placement(t.Settled(), r, self)
	}
	return p
}

func placement(t *Topology, r Replication, self HostID) *Placement {
	p := &Placement{topology: t, replication: r}
	if e := t.Endpoint(self); e != nil {
		p.own = []*Endpoint{e}
	}
	switch r.strategy {
	case simple:
		owners := 0
		for _, n := range t.Datacenters() {
			owners += n
		}
		p.stride = min(r.factor, owners)
		p.fill(p.simple)
	case networkTopology:
		nodes := t.Datacenters()
		for datacenter, factor := range r.datacenters {
			p.stride += min(factor, nodes[datacenter])
		}
		w := &walk{quotas: map[string]*quota{}, nodes: nodes, racks: t.racks(), replication: r}
		p.fill(func(i int) { p.networkTopology(w, i) })
	}
	return p
}

// fill calls add for each vnode, which appends its replicas.
func (p *Placement) fill(add func(vnode int)) {
	p.replicas = make([]*Endpoint, 0, len(p.topology.ring)*p.stride)
	if p.stride == 0 {
		return
	}
	for i := range p.topology.ring {
		add(i)
	}
}

// simple appends the next different nodes on the ring, from vnode i on (SimpleStrategy).
func (p *Placement) simple(i int) {
	ring, from := p.topology.ring, len(p.replicas)
	for step := 0; len(p.replicas) < from+p.stride; step++ {
		if e := ring[(i+step)%len(ring)].owner; !slices.Contains(p.replicas[from:], e) {
			p.replicas = append(p.replicas, e)
		}
	}
}

// A walk is what one way around the ring keeps count of. It is used again for each vnode.
type walk struct {
	replication  Replication
	nodes, racks map[string]int
	quotas       map[string]*quota
	seen         [][2]string // datacenter and rack of the replicas so far
}

// A quota is what a datacenter still wants.
type quota struct {
	left    int // replicas to be found
	repeats int // of them, how many may stand in a rack that has a replica
}

// reset prepares for the next vnode. A datacenter with fewer racks than replicas takes one from each
// rack, and the difference from the first nodes that come, whatever their rack.
func (w *walk) reset() {
	w.seen = w.seen[:0]
	for datacenter, factor := range w.replication.datacenters {
		q := w.quotas[datacenter]
		if q == nil {
			q = &quota{}
			w.quotas[datacenter] = q
		}
		*q = quota{left: min(factor, w.nodes[datacenter]), repeats: factor - w.racks[datacenter]}
	}
}

// takes reports whether e, which is not a replica yet, becomes one.
func (w *walk) takes(e *Endpoint) bool {
	q := w.quotas[e.Datacenter]
	if q == nil || q.left == 0 {
		return false
	}
	place := [2]string{e.Datacenter, e.Rack}
	switch {
	case !slices.Contains(w.seen, place):
		w.seen = append(w.seen, place)
	case q.repeats > 0:
		q.repeats--
	default:
		return false // the rest must come from racks without a replica
	}
	q.left--
	return true
}

// networkTopology appends the replicas of vnode i by the rule of Cassandra 5.0
// (NetworkTopologyStrategy.calculateNaturalReplicas): around the ring once, each datacenter takes the
// nodes that its quota lets it take.
func (p *Placement) networkTopology(w *walk, i int) {
	w.reset()
	ring, from := p.topology.ring, len(p.replicas)
	for step := 0; step < len(ring) && len(p.replicas) < from+p.stride; step++ {
		e := ring[(i+step)%len(ring)].owner
		if !slices.Contains(p.replicas[from:], e) && w.takes(e) {
			p.replicas = append(p.replicas, e)
		}
	}
}

// Topology returns the topology that the placement is made from.
func (p *Placement) Topology() *Topology { return p.topology }

// Replication returns what the placement is made for.
func (p *Placement) Replication() Replication { return p.replication }

// Replicas returns the replicas of a token, the primary one first. They are fewer than the replication
// wants if there are too few nodes. The slice is shared and must not be changed.
func (p *Placement) Replicas(t Token) []*Endpoint {
	if p.replication.strategy == local {
		return p.own
	}
	if p.stride == 0 || len(p.topology.ring) == 0 {
		return nil
	}
	return p.at(p.topology.search(t))
}

// RangeEnd returns the last token that has the replicas of t and lies at or behind it in the same range,
// MaxToken if the range leads over the end of the ring.
func (p *Placement) RangeEnd(t Token) Token {
	ring := p.topology.ring
	if p.replication.strategy == local || p.stride == 0 || len(ring) == 0 || t > ring[len(ring)-1].token {
		return MaxToken
	}
	return ring[p.topology.search(t)].token
}

// at returns the replicas of the range that ends at vnode i.
func (p *Placement) at(i int) []*Endpoint {
	return p.replicas[i*p.stride : (i+1)*p.stride : (i+1)*p.stride]
}

// Pending appends to dst the endpoints that become replicas of a token by the changes under way, and
// are not yet. A write goes to them too, and needs that many more answers than its level asks for, so
// that it is not lost when the change is complete (Cassandra's pending endpoints).
func (p *Placement) Pending(dst []*Endpoint, t Token) []*Endpoint {
	if p.pending == nil {
		return dst
	}
	now := p.Replicas(t)
	for _, e := range p.pending.Replicas(t) {
		if !slices.ContainsFunc(now, func(n *Endpoint) bool { return n.ID == e.ID }) {
			dst = append(dst, e)
		}
	}
	return dst
}

// All yields each range of the ring with its replicas, in order of the ranges' ends. The slices are
// shared.
func (p *Placement) All(yield func(Range, []*Endpoint) bool) {
	for _, r := range p.topology.Ranges() {
		if !yield(r, p.Replicas(r.End)) {
			return
		}
	}
}

// RangesOf returns the ranges that an endpoint holds a replica of, in order of their ends.
func (p *Placement) RangesOf(id HostID) []Range {
	var out []Range
	for r, replicas := range p.All {
		if slices.ContainsFunc(replicas, func(e *Endpoint) bool { return e.ID == id }) {
			out = append(out, r)
		}
	}
	return out
}

// Ownership returns which share of all data each endpoint holds: what nodetool status shows as
// "Owns (effective)". The shares add up to the number of replicas.
func (p *Placement) Ownership() map[HostID]float64 {
	out := map[HostID]float64{}
	for r, replicas := range p.All {
		for _, e := range replicas {
			out[e.ID] += r.Fraction()
		}
	}
	return out
}
