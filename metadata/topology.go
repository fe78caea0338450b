package metadata

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/iliumdb/ilium/ring"
)

// A TopologyChange is a change of the ring: Join, Joined, Leave, Left, Abort or Update. All but Join may be proposed again
// when it is unknown whether they were carried out: what is so already is no error. Neither is it with Join.
type TopologyChange interface {
	change(t *ring.Topology) (*ring.Topology, error)
}

// Join is the change that lets a node into the ring. It is Joining from then on, with its tokens.
type Join struct {
	Endpoint ring.Endpoint // without tokens and state
	Tokens   int           // how many it is to have, unless it replaces another one
	Replicas int           // number of replicas at which they are chosen to spread data evenly; default 3
	Replaces ring.HostID   // the dead node whose place and tokens it takes, or zero
}

// Joined says that a joining node has all data: it is Normal from then on, and a node that it replaces is gone.
type Joined struct{ ID ring.HostID }

// Leave makes a node Leaving: others begin to take over its data.
type Leave struct{ ID ring.HostID }

// Left removes a node from the ring: one that was Leaving, or one that is dead and will not come back.
type Left struct{ ID ring.HostID }

// Abort takes back the change that is under way: a joining node is gone, a leaving one is Normal again.
type Abort struct{ ID ring.HostID }

// Update gives a node another address.
type Update struct {
	ID      ring.HostID
	Address netip.AddrPort
}

const (
	// allocationReplicas is Cassandra's default of allocate_tokens_for_local_replication_factor.
	allocationReplicas = 3
	maxTokens          = 1536 // of a node
)

// underWay returns an error if another node than id joins or leaves.
func underWay(t *ring.Topology, id ring.HostID) error {
	for _, e := range t.Endpoints() {
		if e.State != ring.Normal && e.ID != id {
			return &ChangeInProgressError{ID: e.ID, State: e.State}
		}
	}
	return nil
}

func (c Join) change(t *ring.Topology) (*ring.Topology, error) {
	e := c.Endpoint
	if old := t.Endpoint(e.ID); old != nil {
		return Update{e.ID, e.Address}.change(t) // it has been let in before, and did not hear of it
	}
	if err := underWay(t, e.ID); err != nil {
		return nil, err
	}
	e.State, e.Replaces, e.Tokens = ring.Joining, c.Replaces, nil
	switch dead := t.Endpoint(c.Replaces); {
	case c.Replaces == ring.HostID{}:
		if c.Tokens < 1 || c.Tokens > maxTokens {
			return nil, &ring.ChangeError{ID: e.ID, Reason: fmt.Sprintf("cannot have %d tokens: a node has 1 to %d", c.Tokens, maxTokens)}
		}
		seed := binary.BigEndian.Uint64(e.ID[8:])
		e.Tokens = ring.AllocateTokens(t, e.Datacenter, e.Rack, c.Tokens, cmp.Or(c.Replicas, allocationReplicas), seed)
	case dead == nil:
		return nil, &UnknownNodeError{c.Replaces}
	default:
		e.Tokens = dead.Tokens
	}
	return t.With(e)
}

// existing returns the endpoint of a node that is in the ring.
func existing(t *ring.Topology, id ring.HostID) (*ring.Endpoint, error) {
	if e := t.Endpoint(id); e != nil {
		return e, nil
	}
	return nil, &UnknownNodeError{id}
}

// mayGo returns an error if a node cannot leave now: it joins, another one joins or leaves, or there would be none left.
func mayGo(t *ring.Topology, e *ring.Endpoint) error {
	if e.State == ring.Joining {
		return &ChangeInProgressError{e.ID, e.State}
	}
	if err := underWay(t, e.ID); err != nil {
		return err
	}
	for _, other := range t.Endpoints() {
		if other.ID != e.ID && other.State != ring.Joining {
			return nil
		}
	}
	return &ring.ChangeError{ID: e.ID, Reason: "is the last one of the cluster"}
}

// in returns the topology in which an endpoint is in another state.
func in(t *ring.Topology, e *ring.Endpoint, s ring.State) (*ring.Topology, error) {
	next := *e
	next.State = s
	return t.With(next)
}

func (c Joined) change(t *ring.Topology) (*ring.Topology, error) {
	e, err := existing(t, c.ID)
	if err != nil || e.State == ring.Normal {
		return t, err
	}
	return t.Complete(c.ID)
}

func (c Leave) change(t *ring.Topology) (*ring.Topology, error) {
	e, err := existing(t, c.ID)
	if err != nil || e.State == ring.Leaving {
		return t, err
	}
	if err := mayGo(t, e); err != nil {
		return nil, err
	}
	return in(t, e, ring.Leaving)
}

func (c Left) change(t *ring.Topology) (*ring.Topology, error) {
	e, err := existing(t, c.ID)
	if err == nil {
		err = mayGo(t, e)
	}
	if err != nil {
		return nil, err
	}
	return t.Without(c.ID), nil
}

func (c Abort) change(t *ring.Topology) (*ring.Topology, error) {
	e, err := existing(t, c.ID)
	switch {
	case err != nil || e.State == ring.Normal:
		return t, err
	case e.State == ring.Joining:
		return t.Without(c.ID), nil
	}
	return in(t, e, ring.Normal)
}

func (c Update) change(t *ring.Topology) (*ring.Topology, error) {
	e, err := existing(t, c.ID)
	if err != nil || e.Address == c.Address {
		return t, err
	}
	moved := *e
	moved.Address = c.Address
	return t.With(moved)
}

// refuseRemoved returns an error if a node is to be let in that was in the ring before: its data may hold what was
// deleted since.
func (s *state) refuseRemoved(change TopologyChange) error {
	if j, ok := change.(Join); ok && slices.Contains(s.removed, j.Endpoint.ID) {
		return &RemovedError{j.Endpoint.ID}
	}
	return nil
}

// removedBy returns the removed nodes if t is the next topology.
func (s *state) removedBy(t *ring.Topology) []ring.HostID {
	removed := s.removed
	for _, e := range s.topology.Endpoints() {
		if t.Endpoint(e.ID) == nil {
			removed = append(slices.Clip(removed), e.ID)
		}
	}
	return removed
}
