package ring

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// A HostID names a node for as long as its data exists, whatever its address: Cassandra's host id,
// a UUID.
type HostID [16]byte

// String returns the id as UUIDs are written.
func (id HostID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ParseHostID reads what String prints.
func ParseHostID(s string) (HostID, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != len(HostID{}) || len(s) != len(HostID{}.String()) {
		return HostID{}, fmt.Errorf("%q is no host id", s)
	}
	return HostID(b), nil
}

// A State says how far a node is in becoming or ceasing to be a part of the ring.
type State uint8

// The states, named as nodetool status names them.
const (
	Normal  State = iota // owns its ranges
	Joining              // has tokens, but the data still comes in: it owns nothing yet
	Leaving              // owns its ranges until the data has gone to others
)

// String returns the state as nodetool shows it.
func (s State) String() string {
	switch s {
	case Normal:
		return "NORMAL"
	case Joining:
		return "JOINING"
	case Leaving:
		return "LEAVING"
	default:
		return fmt.Sprintf("UNKNOWN(%d)", uint8(s))
	}
}

// An Endpoint is a node as the ring sees it. Endpoints that a Topology hands out are shared: they
// must not be changed.
type Endpoint struct {
	ID               HostID
	Address          netip.AddrPort // for other nodes
	Datacenter, Rack string
	Tokens           []Token // ascending in a Topology
	State            State
	Replaces         HostID // of a joining endpoint: the dead one whose place it takes; else zero
	Since            uint64 // the epoch of the topology in which it came to be in State
}

// A Topology is one state of the ring. It is immutable and safe for concurrent use. Its zero value is
// an empty ring.
type Topology struct {
	epoch     uint64
	endpoints []*Endpoint // by ID
	ring      []vnode     // by token; of those that own something
}

// A vnode is a token and who owns the range that ends at it.
type vnode struct {
	token Token
	owner *Endpoint
}

// A ConflictError reports that two nodes claim the same id, address or token.
type ConflictError struct {
	A, B HostID
	What string // they both claim
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("nodes %s and %s both claim %s", e.A, e.B, e.What)
}

// New returns the topology of the endpoints. A *ConflictError reports that they do not go together.
func New(endpoints ...Endpoint) (*Topology, error) {
	t := &Topology{}
	for _, e := range endpoints {
		t.endpoints = append(t.endpoints, own(e))
	}
	return t.build()
}

// own returns a copy that the caller of New or With does not hold.
func own(e Endpoint) *Endpoint {
	e.Tokens = slices.Sorted(slices.Values(e.Tokens))
	return &e
}

// With returns a topology in which e takes the place of the endpoint of its id, or is added.
func (t *Topology) With(e Endpoint) (*Topology, error) {
	return (&Topology{endpoints: append(t.others(e.ID), own(e))}).build()
}

func (t *Topology) others(id HostID) []*Endpoint {
	out := make([]*Endpoint, 0, len(t.endpoints)+1)
	for _, e := range t.endpoints {
		if e.ID != id {
			out = append(out, e)
		}
	}
	return out
}

// build checks that the endpoints go together, and completes a topology that is not shared yet.
func (t *Topology) build() (*Topology, error) {
	slices.SortFunc(t.endpoints, func(a, b *Endpoint) int { return slices.Compare(a.ID[:], b.ID[:]) })
	for i, e := range t.endpoints {
		if i > 0 && e.ID == t.endpoints[i-1].ID {
			return nil, &ConflictError{e.ID, e.ID, "one host id"}
		}
	}
	if err := t.checkReplaced(); err != nil {
		return nil, err
	}
	c := claims{addresses: map[netip.AddrPort]*Endpoint{}, tokens: map[Token]*Endpoint{}}
	for _, joiners := range []bool{false, true} { // those first whose place others may take
		for _, e := range t.endpoints {
			if joiners != e.isReplacement() {
				continue
			}
			if err := c.add(e); err != nil {
				return nil, err
			}
		}
	}
	t.index()
	return t, nil
}

// claims are the addresses and tokens that endpoints have.
type claims struct {
	addresses map[netip.AddrPort]*Endpoint
	tokens    map[Token]*Endpoint
}

// add adds what an endpoint has. That may be what the one has that it replaces.
func (c *claims) add(e *Endpoint) error {
	if other := c.addresses[e.Address]; other != nil && e.Address.IsValid() && !e.replaces(other.ID) {
		return &ConflictError{other.ID, e.ID, "address " + e.Address.String()}
	}
	c.addresses[e.Address] = e
	for _, token := range e.Tokens {
		if other := c.tokens[token]; other != nil && !e.replaces(other.ID) {
			return &ConflictError{other.ID, e.ID, "token " + token.String()}
		}
		c.tokens[token] = e
	}
	return nil
}

// index makes the ring of the endpoints' tokens.
func (t *Topology) index() {
	for _, e := range t.endpoints {
		if e.State == Joining {
			continue
		}
		for _, token := range e.Tokens {
			t.ring = append(t.ring, vnode{token, e})
		}
	}
	slices.SortFunc(t.ring, func(a, b vnode) int { return cmp.Compare(a.token, b.token) })
}

// Epoch returns which state of the ring it is: each that follows another has the next. It is zero unless Follow or
// AtEpoch has set it.
func (t *Topology) Epoch() uint64 { return t.epoch }

// AtEpoch returns the same topology with another epoch.
func (t *Topology) AtEpoch(epoch uint64) *Topology {
	next := *t
	next.epoch = epoch
	return &next
}

// Follow returns the same topology as the one that follows before: its epoch is the next, and endpoints that are in
// another state than in before, or new, are so since then.
func (t *Topology) Follow(before *Topology) *Topology {
	next := &Topology{epoch: before.epoch + 1}
	for _, e := range t.endpoints {
		if old := before.Endpoint(e.ID); old == nil || old.State != e.State {
			changed := *e
			changed.Since = next.epoch
			e = &changed
		}
		next.endpoints = append(next.endpoints, e)
	}
	next.index()
	return next
}

// Endpoints returns all endpoints in order of their ids, also those that own nothing. The slice is
// shared.
func (t *Topology) Endpoints() []*Endpoint { return t.endpoints }

// Endpoint returns the endpoint of that id, or nil.
func (t *Topology) Endpoint(id HostID) *Endpoint {
	i := sort.Search(len(t.endpoints), func(i int) bool { return slices.Compare(t.endpoints[i].ID[:], id[:]) >= 0 })
	if i == len(t.endpoints) || t.endpoints[i].ID != id {
		return nil
	}
	return t.endpoints[i]
}

// Datacenters returns how many endpoints each datacenter has that own something.
func (t *Topology) Datacenters() map[string]int {
	out := map[string]int{}
	for _, e := range t.endpoints {
		if e.State != Joining && len(e.Tokens) > 0 {
			out[e.Datacenter]++
		}
	}
	return out
}

// racks returns how many racks each datacenter has, of endpoints that own something.
func (t *Topology) racks() map[string]int {
	seen := map[[2]string]bool{}
	out := map[string]int{}
	for _, v := range t.ring {
		place := [2]string{v.owner.Datacenter, v.owner.Rack}
		if !seen[place] {
			seen[place] = true
			out[v.owner.Datacenter]++
		}
	}
	return out
}

// Owner returns the endpoint whose range a token lies in, or nil if the ring is empty.
func (t *Topology) Owner(token Token) *Endpoint {
	if len(t.ring) == 0 {
		return nil
	}
	return t.ring[t.search(token)].owner
}

// search returns the index of the first vnode at or behind a token, around the ring.
func (t *Topology) search(token Token) int {
	low, high := 0, len(t.ring)
	for low < high {
		if middle := int(uint(low+high) / 2); t.ring[middle].token < token {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(t.ring) {
		return 0
	}
	return low
}

// Ranges returns the ranges that the tokens divide the ring into, in order of their ends.
func (t *Topology) Ranges() []Range {
	out := make([]Range, len(t.ring))
	for i, v := range t.ring {
		out[i] = Range{t.before(i), v.token}
	}
	return out
}

// before returns the token in front of that of vnode i.
func (t *Topology) before(i int) Token {
	if i == 0 {
		i = len(t.ring)
	}
	return t.ring[i-1].token
}

// Ownership returns the share of the ring that each endpoint owns, without regard to replicas: what
// nodetool status shows as "Owns" without a keyspace. The shares add up to 1.
func (t *Topology) Ownership() map[HostID]float64 {
	out := map[HostID]float64{}
	for i, r := range t.Ranges() {
		out[t.ring[i].owner.ID] += r.Fraction()
	}
	return out
}
