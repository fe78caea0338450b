package coordinator

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// participants returns who has to agree: replicas and those that are about to be, of all datacenters or of this node's. A
// pending one is one more that must answer. Of two, each could be part of a quorum without the other, so there may be one.
func (c *Coordinator) participants(q *Transaction, token ring.Token) (plan, error) {
	p, err := c.plan(q.Keyspace, q.Serial, token, true)
	if err != nil {
		return p, err
	}
	other := func(e *ring.Endpoint) bool { return !p.quotas[0].counts(e) }
	if q.Serial.IsLocal() {
		p.replicas = slices.DeleteFunc(slices.Clone(p.replicas), other)
		p.pending = slices.DeleteFunc(slices.Clone(p.pending), other)
	}
	if len(p.pending) > 1 {
		return p, &UnavailableError{Level: q.Serial, Required: p.quotas[0].required, Alive: p.quotas[0].replicas}
	}
	return p, nil
}

// A poll asks all participants of a round that live.
type poll struct {
	contest  *contest
	plan     *plan
	quotas   quotas
	replies  chan reply
	waiting  int
	stale    bool
	failures map[netip.Addr]uint16
}

// poll sends a request to the participants. own carries it out on this node, after the others were asked.
func (t *contest) poll(p *plan, v peer.Verb, body []byte, own func() ([]byte, error)) *poll {
	c := t.coordinator
	l := &poll{contest: t, plan: p, quotas: p.quotas.renewed(nil), replies: make(chan reply, len(p.replicas)+len(p.pending))}
	var self *ring.Endpoint
	for _, list := range [2][]*ring.Endpoint{p.replicas, p.pending} {
		for _, e := range list {
			if !c.cluster.IsAlive(e.ID) {
				continue
			}
			l.quotas.count(e)
			l.waiting++
			if e.ID == c.cluster.Self() {
				self = e
				continue
			}
			c.peers.Send(e.ID, v, t.transaction.Deadline, body, func(answer []byte, err error) {
				l.replies <- reply{from: e, body: slices.Clone(answer), err: err}
			})
		}
	}
	if self != nil {
		err := c.refuse(epochs{topology: p.epoch})
		var answer []byte
		if err == nil {
			answer, err = own()
		}
		l.replies <- reply{from: self, body: answer, err: err}
	}
	return l
}

// next waits for a reply. A timer that fires is no reply. It notes what is an error.
func (l *poll) next(ctx context.Context, timer <-chan time.Time) (reply, bool, error) {
	select {
	case r := <-l.replies:
		l.waiting--
		if r.err != nil {
			l.fail(r.from, r.err)
		}
		return r, true, nil
	case <-timer:
		return reply{}, false, nil
	case <-ctx.Done():
		return reply{}, false, ctx.Err()
	}
}

func (l *poll) fail(from *ring.Endpoint, err error) {
	if late := (*peer.TimeoutError)(nil); errors.As(err, &late) {
		return // the deadline decides
	}
	l.quotas.answer(from, false)
	l.stale = l.stale || isStale(err)
	if l.failures == nil {
		l.failures = map[netip.Addr]uint16{}
	}
	l.failures[from.Address.Addr()] = reasonOf(err)
}

// missed says why a quota cannot be met anymore.
func (l *poll) missed(refused bool) error {
	required, received := l.quotas.sum()
	l.contest.short = [2]int{required, received}
	level := l.contest.transaction.Serial
	switch {
	case l.stale:
		return &staleError{required, received}
	case refused:
		return errPreempted
	case l.contest.decide == nil:
		return &ReadFailureError{Level: level, Required: required, Received: received, Failures: l.failures}
	default:
		return &WriteFailureError{Level: level, Required: required, Received: received, Failures: l.failures, WriteType: "CAS"}
	}
}

// promises are those of a quorum that has the newest committed change.
type promises struct {
	newest     paxos.Proposal  // committed; zero if none is
	unfinished *paxos.Proposal // that was accepted last and is not committed; nil if there is none
	blocks     [][]byte
}

// A promised is a promise and who has given it.
type promised struct {
	promise
	from *ring.Endpoint
}

// straggle is how long a round waits for replicas beyond the quorum if some of the quorum lack the newest change, before
// it brings it to them.
const straggle = 5 * time.Millisecond

// prepare has a ballot promised.
func (t *contest) prepare(ctx context.Context, p *plan, b paxos.Ballot) (*promises, error) {
	c, q := t.coordinator, t.transaction
	request := query{read: q.Read, limit: storage.Limit{Rows: t.wanted, Bytes: blockBytes}}
	var own promise
	l := t.poll(p, peer.VerbPrepare, appendPrepare(epochs{c.opts.Schema().Epoch, p.epoch}, b, &request), func() (_ []byte, err error) {
		own, err = c.promise(ctx, b, &request)
		return nil, err
	})
	var given []promised
	refused := false
	var timer <-chan time.Time
	for {
		r, ok, err := l.next(ctx, timer)
		required, received := l.quotas.sum()
		if t.short = [2]int{required, received}; err != nil {
			return nil, err
		}
		if ok && r.err == nil {
			got := own
			if r.from.ID != c.cluster.Self() {
				if got, err = decodePromise(r.body); err != nil {
					l.fail(r.from, err)
				}
			}
			if err == nil {
				t.seen = max(t.seen, got.state.Promised.Time, got.state.Committed.Ballot.Time)
				refused = refused || !got.given
				if l.quotas.answer(r.from, got.given); got.given {
					given = append(given, promised{got, r.from})
				}
			}
		}
		if l.quotas.missed() {
			return nil, l.missed(refused)
		}
		if !l.quotas.met() {
			continue
		}
		newest, lacking := t.compare(p, given)
		switch {
		case lacking == nil:
			return newest, nil
		case ok && l.waiting > 0:
			if timer == nil {
				timer = time.After(straggle)
			}
		default:
			return nil, t.bring(ctx, p, &newest.newest, lacking)
		}
	}
}

// compare looks for the newest committed change, and returns who lacks it if those who have it are too few.
func (t *contest) compare(p *plan, given []promised) (out *promises, lacking []*ring.Endpoint) {
	out = &promises{}
	old := t.coordinator.opts.Now().Add(-time.Duration(t.coordinator.stateTTL(t.transaction.Table.Incarnation)) * time.Second).UnixMicro()
	for i := range given {
		s := &given[i].state
		if s.Accepted.Ballot.Time < old { // others may have forgotten it already
			s.Accepted = paxos.Proposal{}
		}
		if s.Committed.Ballot.Time < old {
			s.Committed = paxos.Proposal{}
		} else if s.Committed.Ballot.After(out.newest.Ballot) {
			out.newest = s.Committed
		}
	}
	last := out.newest.Ballot
	quotas := p.quotas.renewed(nil)
	for i := range given {
		s := &given[i].state
		if s.Accepted.Ballot.After(last) {
			out.unfinished, last = &s.Accepted, s.Accepted.Ballot
		}
		if s.Committed.Ballot != out.newest.Ballot {
			lacking = append(lacking, given[i].from)
			continue
		}
		quotas.answer(given[i].from, true)
		out.blocks = append(out.blocks, given[i].block)
	}
	if quotas.met() {
		lacking = nil
	}
	return out, lacking
}

// bring makes a committed change on the participants that lack it. It returns errAgain when they have it: what they have
// read before does not show it.
func (t *contest) bring(ctx context.Context, p *plan, newest *paxos.Proposal, lacking []*ring.Endpoint) error {
	c := t.coordinator
	t.transaction.Trace.Add("Bringing the newest change to replicas that lack it")
	m, err := mutationOf(newest)
	if err != nil {
		return err
	}
	to := *p
	to.replicas, to.pending = lacking, nil
	l := t.poll(&to, peer.VerbCommit, appendProposal(epochs{c.opts.Schema().Epoch, p.epoch}, newest), func() ([]byte, error) {
		return nil, c.commit(ctx, newest, m)
	})
	for l.waiting > 0 {
		if _, _, err := l.next(ctx, nil); err != nil {
			return err
		}
	}
	switch {
	case l.stale:
		return l.missed(false)
	case l.failures != nil:
		return errPreempted // it is tried again after a while, as long as there is time
	}
	return errAgain
}

// rows returns the rows that a quorum has shown: the first block of them, and what is behind it as an ordinary read does.
func (t *contest) rows(promises *promises) (storage.Fetch, error) {
	c, q := t.coordinator, t.transaction
	entries := storage.BlockEntries(promises.blocks[0])
	if slices.ContainsFunc(promises.blocks[1:], func(b []byte) bool { return !bytes.Equal(b, promises.blocks[0]) }) {
		var err error
		if entries, _, err = storage.MergeBlocks(q.Read.Incarnation, q.Read.Reverse, promises.blocks); err != nil {
			return nil, err
		}
	}
	at := *q.Read
	level := ordinary(q.Serial)
	b := &blocks{coordinator: c, ctx: t.outer, reading: &Reading{Trace: q.Trace, Keyspace: q.Keyspace, Table: q.Table, Level: level, Deadline: q.Deadline},
		at: &at, token: ring.Token(t.token)}
	return func(after []byte) (*storage.Entries, error) {
		if after == nil {
			return entries, nil
		}
		if !at.After(after) {
			return &storage.Entries{}, nil
		}
		var err error
		if b.plan, err = c.plan(q.Keyspace, level, b.token, false); err != nil {
			return nil, err
		}
		return b.next(query{read: &at, limit: b.limit()})
	}, nil
}

// ordinary returns the level at which reads and writes meet as many replicas as agree at a serial one.
func ordinary(serial consistency.Level) consistency.Level {
	if serial.IsLocal() {
		return consistency.LocalQuorum
	}
	return consistency.Quorum
}

// accept has a proposal accepted by a quorum. If it fails, partly says whether some may have accepted it.
func (t *contest) accept(ctx context.Context, p *plan, proposal *paxos.Proposal) (partly bool, err error) {
	c := t.coordinator
	m, err := mutationOf(proposal)
	if err != nil {
		return false, err
	}
	body := appendProposal(epochs{c.opts.Schema().Epoch, p.epoch}, proposal)
	l := t.poll(p, peer.VerbAccept, body, func() ([]byte, error) {
		ok, above, err := c.accept(ctx, proposal, m)
		return appendAccepted(nil, ok, above), err
	})
	refused := false
	for !l.quotas.met() {
		if l.quotas.missed() {
			return partly || l.waiting > 0, l.missed(refused)
		}
		r, _, err := l.next(ctx, nil)
		if err != nil {
			required, received := l.quotas.sum()
			t.short = [2]int{required, received}
			return true, err
		}
		if r.err != nil {
			partly = partly || !isStale(r.err)
			continue
		}
		ok, above, err := decodeAccepted(r.body)
		if err != nil {
			return true, err
		}
		t.seen = max(t.seen, above.Time)
		refused, partly = refused || !ok, partly || ok
		l.quotas.answer(r.from, ok)
	}
	return true, nil
}

// commitAt makes a change that is decided on all replicas, and waits for as many as the level asks for. Replicas that do not
// take it get a hint. writeType is that of an error.
func (c *Coordinator) commitAt(ctx context.Context, q *Transaction, p *paxos.Proposal, level consistency.Level, writeType string) error {
	m, err := mutationOf(p)
	if err != nil {
		return err
	}
	err = c.write(ctx, q.Trace, level, []Write{{Keyspace: q.Keyspace, Mutation: m}}, p)
	switch err := err.(type) {
	case *WriteTimeoutError:
		err.WriteType = writeType
	case *WriteFailureError:
		err.WriteType = writeType
	}
	return err
}
