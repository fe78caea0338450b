package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// A Write is a mutation and the keyspace that says where its replicas are.
type Write struct {
	Keyspace *schema.Keyspace
	Mutation *row.Mutation
}

// Write carries out all writes or, if it fails with an *UnavailableError, none. After another error they may still
// be carried out. After a *WriteTimeoutError or the end of ctx, which must have a deadline, the mutations
// must not be changed anymore. t may be nil, as in the other methods.
//
// A replica that is down, or does not answer, gets a hint.
func (c *Coordinator) Write(ctx context.Context, t *trace.Trace, level consistency.Level, writes ...Write) error {
	if len(c.cluster.Topology().Endpoints()) == 1 {
		return c.writeAlone(ctx, t, level, writes)
	}
	for {
		err := c.writeOnce(ctx, t, level, writes)
		if stale := (*staleError)(nil); !errors.As(err, &stale) {
			return err
		}
		t.Add("The topology has changed: trying again")
		if err := c.opts.Refresh(ctx); err != nil {
			return err
		}
	}
}

// A staleError says that another node knows a newer topology than this one.
type staleError struct{}

func (*staleError) Error() string { return "the topology has changed" }

// writeOnce is Write with the topology of now.
func (c *Coordinator) writeOnce(ctx context.Context, t *trace.Trace, level consistency.Level, writes []Write) error {
	side := c.writes.begin()
	defer c.writes.end(side)
	w := &writing{coordinator: c, level: level, done: make(chan struct{})}
	for i := range writes {
		p, err := c.plan(writes[i].Keyspace, level, ring.Token(writes[i].Mutation.Token), true)
		if err != nil {
			return err
		}
		if t.On() {
			t.Add("Determining replicas for mutation %d of %d: %s", i+1, len(writes), c.describe(&p, level))
		}
		w.topology = max(w.topology, p.epoch)
		w.add(p, writes[i].Mutation)
	}
	return w.everywhere(ctx, t)
}

// writeAlone writes to the node itself, the only one that there is. Its errors are those of the engine.
func (c *Coordinator) writeAlone(ctx context.Context, t *trace.Trace, level consistency.Level, writes []Write) error {
	mutations := make([]*row.Mutation, len(writes))
	for i := range writes {
		p, err := c.plan(writes[i].Keyspace, level, ring.Token(writes[i].Mutation.Token), true)
		if err != nil {
			return err
		}
		if t.On() {
			t.Add("Determining replicas for mutation %d of %d: %s", i+1, len(writes), c.describe(&p, level))
		}
		mutations[i] = writes[i].Mutation
	}
	err := c.engine.ApplyTraced(ctx, t, mutations...)
	if errors.Is(err, context.DeadlineExceeded) {
		return &WriteTimeoutError{Level: level, Required: 1}
	}
	return err
}

// A writing is one call of Write. It lives on until all replicas have answered.
type writing struct {
	coordinator *Coordinator
	level       consistency.Level
	groups      []writeGroup
	targets     []target
	topology    uint64    // epoch of the topology
	expires     time.Time // of hints
	hinted      int       // replicas that a hint for level ANY is on disk for

	mu       sync.Mutex // guards what follows, and the groups' quotas
	over     bool
	done     chan struct{} // closed when over
	failures map[netip.Addr]uint16
	stale    bool // a replica knows a newer topology
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
	w.groups = append(w.groups, writeGroup{plan: p, mutations: []*row.Mutation{m}})
	g := len(w.groups) - 1
	for _, e := range p.replicas {
		w.addTarget(e, g)
	}
	for _, e := range p.pending {
		w.addTarget(e, g)
	}
}

func (w *writing) addTarget(e *ring.Endpoint, group int) {
	for i := range w.targets {
		if w.targets[i].endpoint.ID == e.ID {
			w.targets[i].groups = append(w.targets[i].groups, group)
			return
		}
	}
	w.targets = append(w.targets, target{endpoint: e, groups: []int{group}, alive: w.coordinator.cluster.IsAlive(e.ID)})
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

// everywhere writes to all replicas at once, and returns when the level is met or cannot be met.
func (w *writing) everywhere(ctx context.Context, t *trace.Trace) error {
	c := w.coordinator
	if err := c.engine.Check(w.mutations(w.allGroups())...); err != nil {
		return err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("a write to several replicas needs a deadline")
	}
	w.expires = w.expiry()
	self := -1
	bodies := bodies{writing: w}
	for i := range w.targets {
		switch tg := &w.targets[i]; {
		case tg.endpoint.ID == c.cluster.Self():
			self = i
		case !tg.alive:
			w.hint(ctx, tg, bodies.of(tg.groups))
		default:
			w.send(tg, deadline, bodies.of(tg.groups))
		}
	}
	if self >= 0 {
		w.apply(ctx, t, &w.targets[self])
	}
	if w.hinted > 0 && w.noneAlive() {
		return nil // level ANY
	}
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	return w.result(ctx, t, &bodies)
}

func (w *writing) noneAlive() bool {
	return !slices.ContainsFunc(w.targets, func(t target) bool { return t.alive })
}

func (w *writing) allGroups() []int {
	out := make([]int, len(w.groups))
	for i := range out {
		out[i] = i
	}
	return out
}

// bodies makes the requests of a write, which most often are the same for all replicas.
type bodies struct {
	writing *writing
	made    []madeBody
}

type madeBody struct {
	groups []int
	body   []byte
}

func (b *bodies) of(groups []int) []byte {
	for i := range b.made {
		if slices.Equal(b.made[i].groups, groups) {
			return b.made[i].body
		}
	}
	body := appendMutations(epochs{b.writing.coordinator.opts.Schema().Epoch, b.writing.topology}, b.writing.mutations(groups))
	b.made = append(b.made, madeBody{groups, body})
	return body
}

// appendMutations returns the body of VerbMutate: the epochs, the number of mutations, and these.
func appendMutations(e epochs, mutations []*row.Mutation) []byte {
	size := 3 * binary.MaxVarintLen64
	for _, m := range mutations {
		size += m.Size() + len(m.Partition()) + 32
	}
	dst := e.append(make([]byte, 0, size))
	dst = binary.AppendUvarint(dst, uint64(len(mutations)))
	for _, m := range mutations {
		dst = m.Append(dst)
	}
	return dst
}

// send sends a request to a replica. If that does not take it, it gets a hint.
func (w *writing) send(t *target, deadline time.Time, body []byte) {
	w.coordinator.peers.Send(t.endpoint.ID, peer.VerbMutate, deadline, body, func(_ []byte, err error) {
		w.answer(t, err)
		if err != nil && hintable(err) {
			w.coordinator.addHint(t.endpoint, body, w.expires)
		}
	})
}

// hintable reports whether trying again later can help.
func hintable(err error) bool {
	var failure *peer.Failure
	return !errors.As(err, &failure) || failure.Code != codeInvalid && failure.Code != codeStale
}

// apply carries out what concerns the node itself.
func (w *writing) apply(ctx context.Context, t *trace.Trace, tg *target) {
	err := w.coordinator.engine.ApplyTraced(ctx, t, w.mutations(tg.groups)...)
	if ctx.Err() == nil || err == nil {
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
	met, missed := true, false
	for _, g := range t.groups {
		w.groups[g].plan.quotas.answer(t.endpoint, err == nil)
	}
	for i := range w.groups {
		met = met && w.groups[i].plan.quotas.met()
		missed = missed || w.groups[i].plan.quotas.missed()
	}
	if err != nil {
		w.stale = w.stale || isStale(err)
		if w.failures == nil {
			w.failures = map[netip.Addr]uint16{}
		}
		w.failures[t.endpoint.Address.Addr()] = reasonOf(err)
	}
	if met || missed {
		w.over = true
		close(w.done)
	}
}

// result says how the write went.
func (w *writing) result(ctx context.Context, t *trace.Trace, bodies *bodies) error {
	w.mu.Lock()
	w.over = true // later answers change nothing
	required, received, missed, met := 0, 0, false, true
	for i := range w.groups {
		q := w.groups[i].plan.quotas
		if r, got := q.sum(); met || !q.met() { // of those that failed, the first
			required, received = r, got
		}
		met, missed = met && q.met(), missed || q.missed()
	}
	failures, stale := w.failures, w.stale
	w.mu.Unlock()
	if t.On() {
		t.Add("Received %d of %d answers", received, required)
	}
	switch {
	case met:
		return nil
	case stale && ctx.Err() == nil:
		return &staleError{}
	case w.level == consistency.Any:
		return w.hintAll(ctx, bodies)
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ctx.Err()
	case missed:
		return &WriteFailureError{Level: w.level, Required: required, Received: received, Failures: failures}
	default:
		return &WriteTimeoutError{Level: w.level, Required: required, Received: received}
	}
}

// hint keeps what a replica that is down misses. For ANY it has to be on disk: it may be all that there is.
func (w *writing) hint(ctx context.Context, t *target, body []byte) {
	c := w.coordinator
	if w.level == consistency.Any && c.hints != nil && w.noneAlive() {
		if err := c.hints.AddDurable(ctx, t.endpoint.ID, body, w.expires); err == nil {
			w.hinted++
		}
		return
	}
	c.addHint(t.endpoint, body, w.expires)
}

// hintAll is the last resort of ANY, when replicas that seemed alive have not taken the write.
func (w *writing) hintAll(ctx context.Context, bodies *bodies) error {
	c := w.coordinator
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err := error(&WriteTimeoutError{Level: w.level, Required: 1})
	if c.hints == nil {
		return err
	}
	for i := range w.targets {
		t := &w.targets[i]
		if c.hints.AddDurable(ctx, t.endpoint.ID, bodies.of(t.groups), w.expires) == nil {
			err = nil
		}
	}
	return err
}

// expiry returns when a hint must not be replayed anymore: then a deletion that it is older than may be
// forgotten.
func (w *writing) expiry() time.Time {
	s := w.coordinator.opts.Schema()
	grace := int64(math.MaxInt32)
	for i := range w.groups {
		for _, m := range w.groups[i].mutations {
			if t := s.TableOf(m.Incarnation); t != nil {
				grace = min(grace, t.Options.GCGraceSeconds)
			}
		}
	}
	return w.coordinator.opts.Now().Add(time.Duration(grace) * time.Second)
}

// addHint keeps a hint, if hints are kept.
func (c *Coordinator) addHint(e *ring.Endpoint, body []byte, expires time.Time) {
	if c.hints == nil || e.ID == c.cluster.Self() || faulty("drop hints") {
		return
	}
	if err := c.hints.Add(e.ID, body, expires); err != nil {
		c.opts.Log.Debug("a hint was not kept", "endpoint", e.ID, "error", err)
	}
}
