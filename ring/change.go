package ring

import "slices"

// A ChangeError reports that an endpoint cannot be changed like that.
type ChangeError struct {
	ID     HostID
	Reason string
}

func (e *ChangeError) Error() string { return "node " + e.ID.String() + " " + e.Reason }

// Without returns a topology that lacks the endpoint of that id. One that was to replace it joins for
// itself from then on.
func (t *Topology) Without(id HostID) *Topology {
	next := &Topology{endpoints: t.others(id)}
	for i, e := range next.endpoints {
		if e.replaces(id) {
			alone := *e
			alone.Replaces = HostID{}
			next.endpoints[i] = &alone
		}
	}
	next.index()
	return next
}

// Complete returns the topology in which a joining endpoint has joined. What it replaces is gone in the
// same step, so that at no time both or neither of them own its ranges.
func (t *Topology) Complete(id HostID) (*Topology, error) {
	e := t.Endpoint(id)
	if e == nil {
		return nil, &ChangeError{id, "is not in the ring"}
	}
	if e.State != Joining {
		return nil, &ChangeError{id, "is " + e.State.String() + ", and does not join"}
	}
	next := &Topology{endpoints: slices.Clone(t.endpoints)}
	next.endpoints[slices.Index(next.endpoints, e)] = e.joined()
	next.endpoints = slices.DeleteFunc(next.endpoints, func(o *Endpoint) bool { return e.replaces(o.ID) })
	next.index()
	return next, nil
}

// Settled returns the topology behind all changes that are under way: those that join are in, those
// that leave or are replaced are gone.
func (t *Topology) Settled() *Topology {
	replaced := map[HostID]bool{}
	for _, e := range t.endpoints {
		if e.isReplacement() {
			replaced[e.Replaces] = true
		}
	}
	next := &Topology{}
	for _, e := range t.endpoints {
		switch {
		case replaced[e.ID] || e.State == Leaving:
		case e.State == Joining:
			next.endpoints = append(next.endpoints, e.joined())
		default:
			next.endpoints = append(next.endpoints, e)
		}
	}
	next.index()
	return next
}

func (e *Endpoint) isReplacement() bool { return e.Replaces != HostID{} }

func (e *Endpoint) replaces(id HostID) bool { return e.isReplacement() && e.Replaces == id }

// joined returns the endpoint as it is when it has joined.
func (e *Endpoint) joined() *Endpoint {
	joined := *e
	joined.State, joined.Replaces = Normal, HostID{}
	return &joined
}

// checkReplaced checks that those who replace others may do so.
func (t *Topology) checkReplaced() error {
	by := map[HostID]HostID{}
	for _, e := range t.endpoints {
		if !e.isReplacement() {
			continue
		}
		replaced := t.Endpoint(e.Replaces)
		switch other, twice := by[e.Replaces]; {
		case e.State != Joining:
			return &ChangeError{e.ID, "is " + e.State.String() + ", and cannot replace another one"}
		case replaced == nil:
			return &ChangeError{e.ID, "replaces node " + e.Replaces.String() + ", which is not in the ring"}
		case replaced.State == Joining:
			return &ChangeError{e.ID, "replaces node " + e.Replaces.String() + ", which has not joined itself"}
		case twice:
			return &ConflictError{other, e.ID, "the place of node " + e.Replaces.String()}
		}
		by[e.Replaces] = e.ID
	}
	return nil
}
