package coordinator

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// A writing is one call of Write. It lives on until all replicas have answered.
type writing struct {
	coordinator *Coordinator
	level       consistency.Level
	groups      []writeGroup
	targets     []target
	bodies      []requestBody
	topology    uint64          // epoch of the topology; of several, the oldest
	expires     time.Time       // of hints
	unfinished  bool            // the node's own storage was still at work when the time was up
	commit      *paxos.Proposal // whose change the only mutation is; nil if it is an ordinary write
	decided     []byte          // the request that says so

	mu       sync.Mutex // guards what follows, and the groups' quotas
	asked    bool       // all replicas are
	over     bool
	done     chan struct{} // closed when over
	failures map[netip.Addr]uint16
	stale    bool // a replica knows a newer topology

	few struct { // memory that is enough for most writes
		groups   [1]writeGroup
		targets  [3]target
		bodies   [1]requestBody
		mutation [1]*row.Mutation
		group    [1]int // the number of the first group
	}
}

func newWriting(c *Coordinator, level consistency.Level) *writing {
	w := &writing{coordinator: c, level: level, done: make(chan struct{})}
	w.groups, w.targets, w.bodies = w.few.groups[:0], w.few.targets[:0], w.few.bodies[:0]
	return w
}

// A writeGroup is the mutations that have the same replicas.
type writeGroup struct {
	plan      plan
	mutations []*row.Mutation
}

// A target is a replica, and which groups it is one of.
type target struct {
	endpoint *ring.Endpoint
	groups   []int
	alive    bool
}

// add adds a mutation to the group of its replicas.
func (w *writing) add(p plan, m *row.Mutation) {
	for i := len(w.groups) - 1; i >= 0; i-- {
		g := &w.groups[i]
		if slices.Equal(g.plan.replicas, p.replicas) && slices.Equal(g.plan.pending, p.pending) && slices.Equal(g.plan.quotas, p.quotas) {
			g.mutations = append(g.mutations, m)
			return
		}
	}
	number := len(w.groups)
	mutations := w.few.mutation[:0:1]
	if number > 0 {
		mutations = nil
	}
	w.groups = append(w.groups, writeGroup{plan: p, mutations: append(mutations, m)})
	for _, e := range p.replicas {
		w.addTarget(e, number)
	}
	for _, e := range p.pending {
		w.addTarget(e, number)
	}
}

func (w *writing) addTarget(e *ring.Endpoint, group int) {
	for i := range w.targets {
		if w.targets[i].endpoint.ID == e.ID {
			w.targets[i].groups = append(w.targets[i].groups, group)
			return
		}
	}
	groups := w.few.group[:1:1]
	if group > 0 {
		groups = []int{group}
	}
	w.targets = append(w.targets, target{endpoint: e, groups: groups, alive: w.coordinator.cluster.IsAlive(e.ID)})
}

// mutations returns those of the groups.
func (w *writing) mutations(groups []int) []*row.Mutation {
	if len(groups) == 1 {
		return w.groups[groups[0]].mutations
	}
	var out []*row.Mutation
	for _, g := range groups {
		out = append(out, w.groups[g].mutations...)
	}
	return out
}

// check returns what is wrong with the mutations themselves.
func (w *writing) check() error {
	if len(w.groups) == 1 {
		return w.coordinator.engine.Check(w.groups[0].mutations...)
	}
	var all []*row.Mutation
	for i := range w.groups {
		all = append(all, w.groups[i].mutations...)
	}
	return w.coordinator.engine.Check(all...)
}

// everywhere writes to all replicas at once, and returns when the level is met or cannot be met.
func (w *writing) everywhere(ctx context.Context, t *trace.Trace) error {
	if err := w.check(); err != nil {
		return err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("a write to several replicas needs a deadline")
	}
	w.expires = w.expiry()
	if w.commit != nil {
		w.decided = appendProposal(epochs{w.coordinator.opts.Schema().Epoch, w.topology}, w.commit)
	}
	var self *target
	for i := range w.targets {
		switch tg := &w.targets[i]; {
		case tg.endpoint.ID == w.coordinator.cluster.Self():
			self = tg
		case tg.alive:
			w.send(tg, deadline, w.body(tg.groups))
		}
	}
	for i := range w.targets {
		if tg := &w.targets[i]; tg != self && !tg.alive {
			w.hint(ctx, tg)
		}
	}
	if self != nil {
		w.apply(ctx, t, self)
	}
	if w.commit != nil && w.level == consistency.Any {
		return nil
	}
	w.settle()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	return w.result(ctx, t)
}

// send sends a request to a replica. If that does not take it, it gets a hint.
func (w *writing) send(t *target, deadline time.Time, body []byte) {
	verb, request := peer.VerbMutate, body
	if w.commit != nil {
		verb, request = peer.VerbCommit, w.decided
	}
	w.coordinator.peers.Send(t.endpoint.ID, verb, deadline, request, func(_ []byte, err error) {
		w.answer(t, err)
		if err != nil && hintable(err) {
			w.coordinator.addHint(t.endpoint, body, w.expires)
		}
	})
}

// hintable reports whether trying again later can help. It does if the replica has refused an older topology than its
// own: others may have taken the write.
func hintable(err error) bool {
	var failure *peer.Failure
	return !errors.As(err, &failure) || failure.Code != codeInvalid
}

// apply carries out what concerns the node itself.
func (w *writing) apply(ctx context.Context, t *trace.Trace, tg *target) {
	var err error
	if w.commit != nil {
		err = w.coordinator.commit(ctx, w.commit, w.groups[0].mutations[0])
	} else {
		err = w.coordinator.engine.ApplyTraced(ctx, t, w.mutations(tg.groups)...)
	}
	if w.unfinished = err != nil && ctx.Err() != nil; !w.unfinished {
		w.answer(tg, err)
	}
}

// answer counts the answer of a replica.
func (w *writing) answer(t *target, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if timeout := (*peer.TimeoutError)(nil); errors.As(err, &timeout) {
		return // the caller's deadline has passed as well
	}
	for _, g := range t.groups {
		w.groups[g].plan.quotas.answer(t.endpoint, err == nil)
	}
	if err != nil {
		w.stale = w.stale || isStale(err)
		if w.failures == nil {
			w.failures = map[netip.Addr]uint16{}
		}
		w.failures[t.endpoint.Address.Addr()] = reasonOf(err)
	}
	w.decide()
}

// settle notes that all replicas were asked, and all hints kept. Before that nothing is decided: for ANY, hints count.
func (w *writing) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = true
	w.decide()
}

// decide ends the waiting if all groups have what they need, or one can have it no more. The caller holds mu.
func (w *writing) decide() {
	if !w.asked {
		return
	}
	met, missed := true, false
	for i := range w.groups {
		met = met && w.groups[i].plan.quotas.met()
		missed = missed || w.groups[i].plan.quotas.missed()
	}
	if met || missed {
		w.over = true
		close(w.done)
	}
}

// result says how the write went.
func (w *writing) result(ctx context.Context, t *trace.Trace) error {
	w.mu.Lock()
	w.over = true // later answers change nothing
	required, received, missed, met := 0, 0, false, true
	for i := range w.groups {
		q := w.groups[i].plan.quotas
		if met { // of those that failed, the first
			required, received = q.sum()
		}
		met, missed = met && q.met(), missed || q.missed()
	}
	failures, stale := w.failures, w.stale
	w.mu.Unlock()
	if t.On() {
		t.Add("Received %d of %d answers", received, required)
	}
	switch err := ctx.Err(); {
	case met && !w.unfinished:
		return nil
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	case w.unfinished: // others may have it, but the caller must not use the mutations again
		return &WriteTimeoutError{Level: w.level, Required: required, Received: min(received, required-1)}
	case stale && err == nil:
		return &staleError{required, received}
	case w.level == consistency.Any && w.hintUnmet(ctx):
		return nil
	case missed && w.level != consistency.Any:
		return &WriteFailureError{Level: w.level, Required: required, Received: received, Failures: failures}
	default:
		return &WriteTimeoutError{Level: w.level, Required: required, Received: received}
	}
}
