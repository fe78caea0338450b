package coordinator

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A requestBody is the request for the replicas of some groups. Most often it is the same for all.
type requestBody struct {
	groups []int
	bytes  []byte
}

// body returns the request for a replica of the groups. It is also what a hint holds.
func (w *writing) body(groups []int) []byte {
	for i := range w.bodies {
		if slices.Equal(w.bodies[i].groups, groups) {
			return w.bodies[i].bytes
		}
	}
	b := appendMutations(epochs{w.coordinator.opts.Schema().Epoch, w.topology}, w.mutations(groups))
	w.bodies = append(w.bodies, requestBody{groups, b})
	return b
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

// hint keeps what a replica that is down misses. For ANY a hint is as good as an answer if there is nothing better; then it
// has to be on disk.
func (w *writing) hint(ctx context.Context, t *target) {
	lonely := func(g int) bool { return w.groups[g].plan.quotas[0].replicas == 0 }
	if w.level != consistency.Any || !slices.ContainsFunc(t.groups, lonely) {
		w.coordinator.addHint(w.trace, t.endpoint, w.body(t.groups), w.expires)
	} else if w.hintDurably(ctx, t) {
		w.answer(t, nil)
	}
}

// hintUnmet is the last resort of ANY, when replicas that seemed alive have not taken the write. It reports whether each
// mutation is in a hint on disk, if it is nowhere else.
func (w *writing) hintUnmet(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for i := range w.groups {
		holds := func(t target) bool { return slices.Contains(t.groups, i) && w.hintDurably(ctx, &t) }
		if !w.groups[i].plan.quotas.met() && !slices.ContainsFunc(w.targets, holds) {
			return false
		}
	}
	return true
}

// hintDurably keeps a hint on disk, and reports whether it could.
func (w *writing) hintDurably(ctx context.Context, t *target) bool {
	c := w.coordinator
	if c.hints == nil || t.endpoint.ID == c.cluster.Self() {
		return false
	}
	err := c.hints.AddDurable(ctx, t.endpoint.ID, w.body(t.groups), w.expires)
	traceHint(w.trace, t.endpoint, err)
	return err == nil
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
func (c *Coordinator) addHint(t *trace.Trace, e *ring.Endpoint, body []byte, expires time.Time) {
	if c.hints == nil || e.ID == c.cluster.Self() || fault.On("drop hints") {
		return
	}
	err := c.hints.Add(e.ID, body, expires)
	traceHint(t, e, err)
	if err != nil {
		c.opts.Log.Debug("a hint was not kept", "endpoint", e.ID, "error", err)
	}
}
