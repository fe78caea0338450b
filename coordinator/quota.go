package coordinator

import (
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// A quota is how many replicas must answer: of all datacenters together, or of one. A level asks for one
// quota, EACH_QUORUM for one in each datacenter.
type quota struct {
	datacenter string // whose replicas count; empty for all
	required   int
	replicas   int // that there are and that may answer

	received, failed int
}

// counts reports whether the answer of e counts.
func (q *quota) counts(e *ring.Endpoint) bool {
	return q.datacenter == "" || q.datacenter == e.Datacenter
}

func (q *quota) met() bool { return q.received >= q.required }

// missed reports whether so many have failed that the rest are too few.
func (q *quota) missed() bool { return !q.met() && q.replicas-q.failed < q.required }

// quotas are those of one request for one partition or range. There is one at least.
type quotas []quota

// answer notes the answer of a replica.
func (q quotas) answer(e *ring.Endpoint, ok bool) {
	for i := range q {
		switch {
		case !q[i].counts(e):
		case ok:
			q[i].received++
		default:
			q[i].failed++
		}
	}
}

// count notes that a replica may answer.
func (q quotas) count(e *ring.Endpoint) {
	for i := range q {
		if q[i].counts(e) {
			q[i].replicas++
		}
	}
}

func (q quotas) met() bool {
	for i := range q {
		if !q[i].met() {
			return false
		}
	}
	return true
}

func (q quotas) missed() bool {
	for i := range q {
		if q[i].missed() {
			return true
		}
	}
	return false
}

// sum returns what all quotas ask for and have, as clients are told it.
func (q quotas) sum() (required, received int) {
	for i := range q {
		required += q[i].required
		received += min(q[i].received, q[i].required)
	}
	return required, received
}

// A plan is where a request for one partition or range can go.
type plan struct {
	replicas []*ring.Endpoint // the primary one first
	pending  []*ring.Endpoint // that are about to be; for writes
	quotas   quotas
	factor   int    // how many replicas the keyspace wants
	epoch    uint64 // of the topology
}

// plan returns where a request goes. It returns an *UnavailableError if the level asks for more replicas than
// are alive.
func (c *Coordinator) plan(k *schema.Keyspace, level consistency.Level, token ring.Token, write bool) (plan, error) {
	placement, datacenter, err := c.placements.of(k)
	if err != nil {
		return plan{}, err
	}
	return c.planAt(placement, datacenter, level, token, write)
}

// planAt is plan with a placement and the datacenter of this node.
func (c *Coordinator) planAt(placement *ring.Placement, datacenter string, level consistency.Level, token ring.Token, write bool) (plan, error) {
	p := plan{replicas: placement.Replicas(token), factor: placement.Replication().Factor(), epoch: placement.Topology().Epoch()}
	p.quotas = quotasOf(level, placement.Replication(), datacenter)
	if write && !fault.On("forget pending replicas") {
		p.pending = placement.Pending(nil, token)
	}
	for _, e := range p.pending {
		for i := range p.quotas {
			if p.quotas[i].counts(e) && level != consistency.Any {
				p.quotas[i].required++ // or the write could be lost when the change under way is complete
			}
		}
	}
	if write && fault.On("acknowledge early") {
		for i := range p.quotas {
			p.quotas[i].required = max(1, p.quotas[i].required-1)
		}
	}
	return p, c.available(&p, level, write)
}

// available counts the live replicas. If they are too few it returns an *UnavailableError. ANY asks for none.
func (c *Coordinator) available(p *plan, level consistency.Level, write bool) error {
	for i := range p.quotas {
		p.quotas[i].replicas = 0
	}
	for _, list := range [2][]*ring.Endpoint{p.replicas, p.pending} {
		for _, e := range list {
			if c.cluster.IsAlive(e.ID) {
				p.quotas.count(e)
			}
		}
	}
	if write && level == consistency.Any {
		return nil
	}
	return p.quotas.unavailable(level)
}

// unavailable returns an *UnavailableError if fewer replicas may answer than must.
func (q quotas) unavailable(level consistency.Level) error {
	for i := range q {
		if q[i].replicas < q[i].required {
			return &UnavailableError{Level: level, Required: q[i].required, Alive: q[i].replicas, Datacenter: unavailableIn(level, &q[i])}
		}
	}
	return nil
}

// renewed appends the same quotas to dst, without any replicas and answers.
func (q quotas) renewed(dst quotas) quotas {
	for i := range q {
		dst = append(dst, quota{datacenter: q[i].datacenter, required: q[i].required})
	}
	return dst
}

// wants reports whether an answer of e would help to meet the quotas.
func (q quotas) wants(e *ring.Endpoint) bool {
	for i := range q {
		if q[i].counts(e) && !q[i].met() {
			return true
		}
	}
	return false
}

func unavailableIn(level consistency.Level, q *quota) string {
	if level == consistency.EachQuorum {
		return q.datacenter
	}
	return ""
}

// quotasOf returns what a level asks for at a replication. datacenter is that of the coordinator.
func quotasOf(level consistency.Level, r ring.Replication, datacenter string) quotas {
	switch {
	case level == consistency.EachQuorum && len(r.Datacenters()) > 0:
		out := make(quotas, 0, len(r.Datacenters()))
		for _, name := range r.Datacenters() {
			out = append(out, quota{datacenter: name, required: level.BlockFor(r.FactorIn(name))})
		}
		return out
	case level.IsLocal():
		return quotas{{datacenter: datacenter, required: level.BlockFor(r.FactorIn(datacenter))}}
	default:
		return quotas{{required: level.BlockFor(r.Factor())}}
	}
}
