package coordinator

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// repairBytes is about how much a request of a repair carries.
const repairBytes = 1 << 20

// A repaired says how the repair of a replica went, or of a part of what it lacked.
type repaired struct {
	from *ring.Endpoint
	err  error
}

// repair brings each replica what it lacks, and waits until as many have all of it as the level wants.
func (r *round) repair(repairs [][]*row.Mutation) error {
	c := r.coordinator
	quotas := r.quotas.renewed(nil)
	for i := range r.data {
		quotas.count(r.data[i].from)
	}
	left := map[ring.HostID]int{}
	parts := 0
	for i, mutations := range repairs {
		left[r.data[i].from.ID] = len(pieces(mutations))
		parts += left[r.data[i].from.ID]
	}
	done := make(chan repaired, parts)
	var own []*row.Mutation
	var self *ring.Endpoint
	for i, mutations := range repairs {
		e := r.data[i].from
		switch {
		case len(mutations) == 0:
			quotas.answer(e, true)
			continue
		case e.ID == c.cluster.Self():
			self, own = e, mutations
		default:
			r.sendRepair(e, mutations, done)
		}
	}
	if self != nil {
		r.repairSelf(self, own, done)
	}
	return r.awaitRepairs(quotas, left, done)
}

// sendRepair brings another node what it lacks.
func (r *round) sendRepair(e *ring.Endpoint, mutations []*row.Mutation, done chan<- repaired) {
	c := r.coordinator
	for _, piece := range pieces(mutations) {
		body := appendMutations(epochs{schema: c.opts.Schema().Epoch}, piece)
		c.send(r.reading.Trace, e, peer.VerbHint, r.reading.Deadline, body, func(_ []byte, err error) { done <- repaired{e, err} })
	}
}

// repairSelf stores what the node itself lacks.
func (r *round) repairSelf(e *ring.Endpoint, mutations []*row.Mutation, done chan<- repaired) {
	ctx, cancel := context.WithDeadline(r.ctx, r.reading.Deadline)
	defer cancel()
	r.reading.Trace.Add("Applying the read repair of this node")
	for _, piece := range pieces(mutations) {
		done <- repaired{e, r.coordinator.engine.ApplyTraced(ctx, r.reading.Trace, piece...)}
	}
}

// pieces cuts mutations into runs that fit a request: keys that a block shares are whole in each entry.
func pieces(mutations []*row.Mutation) (out [][]*row.Mutation) {
	from, size := 0, 0
	for i, m := range mutations {
		if size > 0 && size+m.Size() > repairBytes {
			out = append(out, mutations[from:i])
			from, size = i, 0
		}
		size += m.Size()
	}
	if from < len(mutations) {
		out = append(out, mutations[from:])
	}
	return out
}

// awaitRepairs waits until the quotas are met by replicas that lack nothing anymore. left says how many parts each lacks.
func (r *round) awaitRepairs(quotas quotas, left map[ring.HostID]int, done <-chan repaired) error {
	timer := time.NewTimer(time.Until(r.reading.Deadline))
	defer timer.Stop()
	for !quotas.met() {
		select {
		case got := <-done:
			left[got.from.ID]--
			switch {
			case left[got.from.ID] < 0: // a part has failed before
			case got.err != nil:
				r.reading.Trace.Add("A repair failed: %v", got.err)
				left[got.from.ID] = -1
				quotas.answer(got.from, false)
			case left[got.from.ID] == 0:
				quotas.answer(got.from, true)
			}
			if quotas.missed() {
				return r.unrepaired(quotas)
			}
		case <-timer.C:
			return r.unrepaired(quotas)
		case <-r.ctx.Done():
			return r.ended()
		}
	}
	return nil
}

// unrepaired is what a read answers whose repair has failed: as if those replicas had not answered.
func (r *round) unrepaired(quotas quotas) error {
	required, received := quotas.sum()
	return &ReadTimeoutError{Level: r.reading.Level, Required: required, Received: received, DataPresent: true}
}
