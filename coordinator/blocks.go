package coordinator

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// blocks fetches what a read is answered with, block by block. For each block one replica is asked for data, as many
// more as the level wants for the hash of theirs. Equal hashes mean equal data. If they differ, all send their
// data, these are merged, and each replica gets what it lacks before anybody sees the result: a later read at
// the same level sees no less (Cassandra's blocking read repair).
//
// A block ends where the first of the merged blocks does, and the next begins there. So a replica whose rows were
// deleted elsewhere cannot hide rows behind them: short reads are no special case.
type blocks struct {
	coordinator *Coordinator
	ctx         context.Context
	reading     *Reading
	plan        plan
	at          *storage.Read // what is left of a read of one partition, else nil
	token       ring.Token    // of the partition
}

// rest fetches a block of a partition, behind a row key.
func (b *blocks) rest(after []byte) (*storage.Entries, error) {
	if after != nil && !b.at.After(after) {
		return &storage.Entries{}, nil
	}
	return b.next(query{read: b.at, limit: b.limit()})
}

func (b *blocks) limit() storage.Limit {
	return storage.Limit{Rows: b.reading.Rows, Bytes: blockBytes}
}

// A reply is what a replica has answered.
type reply struct {
	from   *ring.Endpoint
	digest bool
	again  bool // it was asked a second time
	body   []byte
	err    error
}

// A round asks replicas for one block.
type round struct {
	*blocks
	query   query
	quotas  quotas
	bodies  [2][]byte // of the request for data, and for the hash
	replies chan reply
	spare   []*ring.Endpoint // that were not asked
	waiting int              // for so many replies
	second  bool             // those that had sent a hash are asked for data

	data     []reply
	digests  []reply
	failed   []*ring.Endpoint
	failures map[netip.Addr]uint16
	stale    bool // a replica knows a newer topology

	few struct { // memory that is enough for most reads
		quotas, need  [1]quota
		data, digests [2]reply
	}
}

// next fetches one block.
func (b *blocks) next(q query) (*storage.Entries, error) {
	for {
		request := q.append(epochs{b.coordinator.opts.Schema().Epoch, b.plan.epoch}, false)
		entries, err := b.shared(q, request)
		if err == nil {
			return entries, nil
		}
		stale := (*staleError)(nil)
		if !errors.As(err, &stale) || b.at == nil { // whoever scans finds other ranges
			return entries, err
		}
		if err := b.refresh(stale); err != nil {
			return nil, err
		}
		if b.plan, err = b.coordinator.plan(b.reading.Keyspace, b.reading.Level, b.token, false); err != nil {
			return nil, err
		}
	}
}

// refresh waits for the newest topology, as long as there is time.
func (b *blocks) refresh(stale *staleError) error {
	b.reading.Trace.Add("The topology has changed: trying again")
	ctx, cancel := context.WithDeadline(b.ctx, b.reading.Deadline)
	defer cancel()
	err := b.coordinator.opts.Refresh(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return &ReadTimeoutError{Level: b.reading.Level, Required: stale.required, Received: stale.received}
	}
	return err
}

// try is next with the topology that the plan is for.
func (b *blocks) try(q query, request []byte) (result, error) {
	r := &round{blocks: b, query: q}
	r.bodies[0] = request
	r.data, r.digests = r.few.data[:0], r.few.digests[:0]
	contacts, err := r.choose()
	if err != nil {
		return result{}, err
	}
	r.replies = make(chan reply, 2*(len(contacts)+len(r.spare)))
	self := -1
	for i, e := range contacts {
		if e.ID == b.coordinator.cluster.Self() {
			self = i
		} else {
			r.ask(e, i > 0)
		}
	}
	if self >= 0 { // last, because it takes its time at once
		r.ask(contacts[self], self > 0)
	}
	if err := r.gather(); err != nil {
		return result{}, err
	}
	if r.agree() {
		block := r.data[0].body
		return result{storage.BlockEntries(block), block}, nil
	}
	merged, err := r.reconcile()
	return result{entries: merged}, err
}

// choose returns the nearest replicas that meet the quotas, and leaves the rest in spare. It returns an
// *UnavailableError if there are too few by now.
func (r *round) choose() ([]*ring.Endpoint, error) {
	c := r.coordinator
	alive := make([]*ring.Endpoint, 0, len(r.plan.replicas))
	r.quotas = r.plan.quotas.renewed(r.few.quotas[:0])
	for _, e := range r.plan.replicas {
		if c.cluster.IsAlive(e.ID) {
			alive = append(alive, e)
			r.quotas.count(e)
		}
	}
	if err := r.quotas.unavailable(r.reading.Level); err != nil {
		return nil, err
	}
	c.opts.Proximity.Sort(alive)
	contacts := 0
	need := r.quotas.renewed(r.few.need[:0])
	for i, e := range alive {
		if need.wants(e) {
			need.answer(e, true)
			copy(alive[contacts+1:i+1], alive[contacts:i]) // the others keep their order
			alive[contacts] = e
			contacts++
		}
	}
	r.spare = alive[contacts:]
	return alive[:contacts], nil
}

// body returns the request, which is the same for all replicas.
func (r *round) body(digest bool) []byte {
	i := 0
	if digest {
		i = 1
	}
	if r.bodies[i] == nil {
		r.bodies[i] = r.query.append(epochs{r.coordinator.opts.Schema().Epoch, r.plan.epoch}, digest)
	}
	return r.bodies[i]
}

// ask sends the request to a replica, or carries it out if that is the node itself.
func (r *round) ask(e *ring.Endpoint, digest bool) {
	c := r.coordinator
	r.waiting++
	r.traceAsking(e, digest)
	if e.ID == c.cluster.Self() {
		var block []byte
		err := c.refuse(epochs{topology: r.plan.epoch})
		if err == nil {
			block, err = c.block(r.reading.Trace, nil, &r.query)
		}
		if err == nil && digest {
			sum := storage.Digest(block)
			block = sum[:]
		}
		r.replies <- reply{e, digest, r.second, block, err}
		return
	}
	sent, table, replies, again := time.Now(), r.reading.Table, r.replies, r.second
	c.send(r.reading.Trace, e, peer.VerbRead, r.reading.Deadline, r.body(digest), func(answer []byte, err error) {
		if err == nil {
			c.opts.Proximity.Record(e.ID, table, time.Since(sent))
		}
		replies <- reply{e, digest, again, slices.Clone(answer), err}
	})
}

// gather waits until the quotas are met and one of the replies is data. A replica that is silent for longer
// than usual is given up for a spare one (Cassandra's speculative retry); one that fails at once.
func (r *round) gather() error {
	timer := time.NewTimer(r.patience())
	defer timer.Stop()
	for !r.quotas.met() || len(r.data) == 0 {
		if r.quotas.missed() || r.waiting == 0 && !r.askSpare() {
			return r.failure()
		}
		select {
		case got := <-r.replies:
			r.take(got)
		case <-timer.C:
			if !time.Now().Before(r.reading.Deadline) {
				return r.timeout()
			}
			r.askSpare()
			timer.Reset(time.Until(r.reading.Deadline))
		case <-r.ctx.Done():
			return r.ended()
		}
	}
	return nil
}

// patience returns how long replicas may be silent before a spare one is asked.
func (r *round) patience() time.Duration {
	left := time.Until(r.reading.Deadline)
	if len(r.spare) == 0 {
		return left
	}
	if after, ok := r.coordinator.opts.Proximity.Patience(r.reading.Table); ok {
		return min(after, left)
	}
	return left
}

// askSpare asks one more replica whose answer would count, and reports whether there was one.
func (r *round) askSpare() bool {
	i := slices.IndexFunc(r.spare, r.quotas.wants)
	if i < 0 {
		return false
	}
	e := r.spare[i]
	r.spare = slices.Delete(r.spare, i, i+1)
	if r.reading.Trace.On() {
		r.reading.Trace.Add("Asking %s too", e.Address)
	}
	r.ask(e, false)
	return true
}

// take notes a reply. A replica that failed is replaced by a spare one, as long as there are any.
func (r *round) take(got reply) {
	switch {
	case got.err != nil && isLate(got.err): // the deadline decides
	case r.second && !got.again && (got.digest || got.err != nil): // it comes too late to be of use
		r.waiting--
	case got.err != nil:
		r.waiting--
		r.quotas.answer(got.from, false)
		r.stale, r.failed = r.stale || isStale(got.err), append(r.failed, got.from)
		if r.failures == nil {
			r.failures = map[netip.Addr]uint16{}
		}
		r.failures[got.from.Address.Addr()] = reasonOf(got.err)
		r.askSpare()
	case got.digest:
		r.waiting--
		r.quotas.answer(got.from, true)
		r.digests = append(r.digests, got)
	default:
		r.waiting--
		r.quotas.answer(got.from, true)
		r.data = append(r.data, got)
	}
}

func isLate(err error) bool {
	var late *peer.TimeoutError
	return errors.As(err, &late)
}

// ended says why the read was given up.
func (r *round) ended() error {
	if err := r.ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return r.timeout()
}

func (r *round) timeout() error {
	required, received := r.quotas.sum()
	return &ReadTimeoutError{Level: r.reading.Level, Required: required, Received: received, DataPresent: len(r.data) > 0}
}

func (r *round) failure() error {
	if r.stale && r.ctx.Err() == nil {
		return r.outdated()
	}
	required, received := r.quotas.sum()
	return &ReadFailureError{Level: r.reading.Level, Required: required, Received: received, DataPresent: len(r.data) > 0, Failures: r.failures}
}

// agree reports whether all replies are of the same data.
func (r *round) agree() bool {
	if len(r.data)+len(r.digests) == 1 {
		return true
	}
	first := storage.Digest(r.data[0].body)
	for _, d := range r.digests {
		if !slices.Equal(d.body, first[:]) {
			return false
		}
	}
	for _, d := range r.data[1:] {
		if storage.Digest(d.body) != first {
			return false
		}
	}
	return true
}

// reconcile asks for data where there was a hash, merges what comes, and repairs what each lacks.
func (r *round) reconcile() (*storage.Entries, error) {
	r.reading.Trace.Add("Digest mismatch: reading data from all replicas that were asked")
	hashed := r.digests
	r.digests, r.second = nil, true
	r.quotas = r.quotas.renewed(nil)
	for _, e := range r.plan.replicas {
		if !slices.Contains(r.failed, e) && r.coordinator.cluster.IsAlive(e.ID) {
			r.quotas.count(e)
		}
	}
	for _, d := range r.data {
		r.quotas.answer(d.from, true)
	}
	for _, d := range hashed {
		r.ask(d.from, false)
	}
	if err := r.gather(); err != nil {
		return nil, err
	}
	bodies := make([][]byte, len(r.data))
	for i := range r.data {
		bodies[i] = r.data[i].body
	}
	merged, repairs, err := storage.MergeBlocks(r.query.incarnation(), r.query.reverse(), bodies)
	if err != nil {
		return nil, err
	}
	if r.reading.Table.Options.ReadRepair != "NONE" && !fault.On("repair nothing") {
		err = r.repair(repairs)
	}
	return merged, err
}

func (r *round) outdated() error {
	required, received := r.quotas.sum()
	return &staleError{required, received}
}
