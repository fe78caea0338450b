package ring

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// AllocateTokens returns tokens for a new node in a rack of a datacenter, ascending, so that the nodes
// of the datacenter go on holding about the same share of the data at that number of replicas. The
// same arguments give the same tokens.
//
// With 16 random tokens for each node the largest of up to thirty nodes holds 44 % more than the
// average; with these it is 3 to 9 % (TestAllocationSpread). For that, this does what
// Cassandra's ReplicationAwareTokenAllocator does (CASSANDRA-7032), without its queue of candidates:
// it tries the middle of every range and takes the one that brings the nodes' shares, counted with
// their replicas, closest to each other. While the datacenter has fewer nodes than replicas, all hold
// everything; then it cuts the longest range by a ratio that is not quite even, which leaves ranges
// of all lengths for later nodes to choose from. The seed only matters there: two datacenters should
// not begin at the same token.
func AllocateTokens(t *Topology, datacenter, rack string, count, replicas int, seed uint64) []Token {
	a := newAllocation(t, datacenter, rack, replicas)
	r := rand.New(rand.NewPCG(seed, uint64(len(a.ring))))
	for len(a.made) < count {
		switch {
		case len(a.ring) == 0:
			a.take(Token(r.Uint64()))
		case a.groups < replicas || len(a.ring) < count:
			a.take(a.longest().split(minSplit + splitSpread*r.Float64()))
		default:
			a.take(a.best(float64(len(a.made)+1) / float64(count)))
		}
	}
	slices.Sort(a.made)
	return a.made
}

// The longest range is cut somewhere between these parts of its length; the numbers are Cassandra's.
const (
	minSplit    = 1 - 0.4472135954999579 // 1 - 1/sqrt(5)
	splitSpread = 0.075
)

// An allocation is the ring of one datacenter while a node gets its tokens.
type allocation struct {
	replicas int
	taken    map[Token]bool // in all datacenters
	ring     []slot         // by token
	shares   []float64      // of the nodes, by number; the new one is the last
	node     int            // number of the new node
	group    int            // its group
	groups   int            // of the nodes that were there
	made     []Token
}

// A slot is a token with its owner. Two replicas of a range never have the same group, which is a
// rack if there are enough of them, and else a node.
type slot struct {
	token       Token
	node, group int
	share       float64 // that the token gives to its node
}

func newAllocation(t *Topology, datacenter, rack string, replicas int) *allocation {
	a := &allocation{replicas: replicas, taken: map[Token]bool{}}
	for _, e := range t.endpoints {
		for _, token := range e.Tokens {
			a.taken[token] = true
		}
	}
	racks := map[string]int{}
	var members []*Endpoint
	for _, e := range t.Settled().endpoints {
		if e.Datacenter == datacenter && len(e.Tokens) > 0 {
			members = append(members, e)
			number(racks, e.Rack)
		}
	}
	a.node, a.groups = len(members), len(racks)
	a.group = number(racks, rack)
	byNode := len(racks) < replicas
	if byNode {
		a.group, a.groups = a.node, len(members)
	}
	a.shares = make([]float64, len(members)+1)
	for i, e := range members {
		for _, token := range e.Tokens {
			s := slot{token: token, node: i, group: racks[e.Rack]}
			if byNode {
				s.group = i
			}
			a.ring = append(a.ring, s)
		}
	}
	slices.SortFunc(a.ring, compareSlots)
	a.measure()
	return a
}

func compareSlots(a, b slot) int { return cmp.Compare(a.token, b.token) }

// number returns the number of a name, which it gives out if it is new.
func number(names map[string]int, name string) int {
	n, ok := names[name]
	if !ok {
		n = len(names)
		names[name] = n
	}
	return n
}

// take gives a token to the new node, or the next one that is free.
func (a *allocation) take(t Token) {
	for t == MinToken || a.taken[t] {
		t++
	}
	a.taken[t] = true
	a.made = append(a.made, t)
	a.ring = append(a.ring, slot{token: t, node: a.node, group: a.group})
	slices.SortFunc(a.ring, compareSlots)
	a.measure()
}

// measure works out all shares anew.
func (a *allocation) measure() {
	clear(a.shares)
	for i := range a.ring {
		a.ring[i].share = share(a.ring, i, a.replicas)
		a.shares[a.ring[i].node] += a.ring[i].share
	}
}

// share returns which part of the ring token i lets its node hold: back to where its group has another
// token, or as many other groups as there are replicas have come in between.
func share(ring []slot, i, replicas int) float64 {
	var room [8]int
	seen := room[:0]
	for step := 1; step < len(ring); step++ {
		s := &ring[(i-step+len(ring))%len(ring)]
		if s.group != ring[i].group {
			if slices.Contains(seen, s.group) {
				continue
			}
			if seen = append(seen, s.group); len(seen) < replicas {
				continue
			}
		}
		return Range{s.token, ring[i].token}.Fraction()
	}
	return 1
}

// longest returns the longest range.
func (a *allocation) longest() Range {
	var longest Range
	for i := range a.ring {
		r := a.rangeTo(a.ring, i)
		if i == 0 || r.Fraction() > longest.Fraction() {
			longest = r
		}
	}
	return longest
}

func (a *allocation) rangeTo(ring []slot, i int) Range {
	return Range{ring[(i-1+len(ring))%len(ring)].token, ring[i].token}
}

// best returns the middle of the range whose division evens out the shares most, when the new node
// should have the given part of what it gets in the end.
func (a *allocation) best(part float64) Token {
	total := 0.0
	for _, s := range a.shares {
		total += s
	}
	even := total / float64(len(a.shares))
	// The candidate wanders through a copy of the ring: to get from one range into the next, it changes
	// places with the token between them.
	ring := append([]slot{{node: a.node, group: a.group}}, a.ring...)
	best, lowest, length := Token(0), math.Inf(1), 0.0
	for i := range a.ring {
		r := a.rangeTo(a.ring, i)
		ring[i].token = r.split(0.5)
		cost := a.cost(ring, i, even, part)
		if cost < lowest || cost == lowest && r.Fraction() > length {
			best, lowest, length = ring[i].token, cost, r.Fraction()
		}
		ring[i], ring[i+1] = ring[i+1], ring[i]
	}
	return best
}

// cost returns by how much the candidate at index i raises the sum of the squares of how far the
// shares are from even.
func (a *allocation) cost(ring []slot, i int, even, part float64) float64 {
	var room [16]change
	changes := add(room[:0], a.node, share(ring, i, a.replicas))
	var groups [8]int
	seen := groups[:0]
	for step := 1; step < len(ring) && len(seen) < a.replicas; step++ {
		at := (i + step) % len(ring)
		s := &ring[at]
		if slices.Contains(seen, s.group) {
			continue // another token of its group stands between it and the candidate
		}
		seen = append(seen, s.group)
		changes = add(changes, s.node, share(ring, at, a.replicas)-s.share)
	}
	cost := 0.0
	for _, c := range changes {
		off := a.shares[c.node] - even
		if c.node == a.node {
			off = a.shares[c.node] - even*part
		}
		cost += (off+c.by)*(off+c.by) - off*off
	}
	return cost
}

// A change is by how much the share of a node changes.
type change struct {
	node int
	by   float64
}

func add(changes []change, node int, by float64) []change {
	for i := range changes {
		if changes[i].node == node {
			changes[i].by += by
			return changes
		}
	}
	return append(changes, change{node, by})
}
