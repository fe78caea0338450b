package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A contest is a transaction, or a read at SERIAL, on its way to agreement. It makes attempts until one gets through:
//
//	prepare: a quorum promises the ballot, and answers with its state and with the rows;
//	accept:  a quorum accepts the change, which is decided then;
//	commit:  the replicas make the change, as many as the level asks for.
//
// So without others in its way a transaction takes two round trips to be decided, and the third is an ordinary write. One
// whose conditions do not hold, and a read, take one.
//
// What others have left behind comes first. Before anything is accepted, the newest committed change is at a quorum: a
// replica that lacks it gets it. So changes that are older are at a quorum too, and the rows of a quorum that all has
// the newest one together show every change. A change that was accepted somewhere and is not committed may be decided: it
// is proposed again.
//
// If too few have accepted a change it may be carried out all the same, by others; the next attempts find out. A
// *CASUnknownError is for when they do not.
type contest struct {
	coordinator *Coordinator
	transaction *Transaction
	decide      Decide // nil for a read
	wanted      int    // rows, probably; 0 means many
	token       int64
	outer       context.Context // that rows are read in

	seen     int64             // the newest time of a ballot of others that was above
	doubtful []*paxos.Proposal // of earlier attempts, that may have been accepted by some, oldest first
	short    [2]int            // required and received answers of what was asked last
}

// errAgain says that an attempt has done something for others, and the next one may begin at once.
var errAgain = errors.New("again")

// errPreempted says that another one has a later ballot.
var errPreempted = errors.New("preempted")

// run makes attempts until one gets through. For a read it returns where the rows come from.
func (t *contest) run(ctx context.Context) (applied bool, rows storage.Fetch, err error) {
	c, q := t.coordinator, t.transaction
	if t.token, err = row.PartitionToken(q.Read.Partition); err != nil {
		return false, nil, err
	}
	p, err := c.participants(q, ring.Token(t.token))
	if err != nil {
		return false, nil, err
	}
	t.outer, t.short[0] = ctx, p.quotas[0].required
	ctx, cancel := context.WithDeadline(ctx, q.Deadline)
	defer cancel()
	give, err := c.turns.take(ctx, string(binary.BigEndian.AppendUint32(nil, q.Read.Incarnation))+string(q.Read.Partition))
	if err != nil {
		return false, nil, t.gaveUp(err)
	}
	defer give()
	for losses := 0; ; {
		applied, rows, err = t.attempt(ctx)
		stale := (*staleError)(nil)
		switch {
		case err == errAgain:
			err = ctx.Err()
		case err == errPreempted:
			losses++
			q.Trace.Add("Another transaction is in the way: trying again")
			err = backOff(ctx, losses)
		case errors.As(err, &stale):
			q.Trace.Add("The topology has changed: trying again")
			err = c.opts.Refresh(ctx)
		default:
			return applied, rows, t.gaveUp(err)
		}
		if err != nil {
			return false, nil, t.gaveUp(err)
		}
	}
}

const (
	firstBackOff = 2 * time.Millisecond
	lastBackOff  = 200 * time.Millisecond
)

// backOff waits for a random time. Whoever has lost more often may take longer, so that in the end few are left at a time.
func backOff(ctx context.Context, losses int) error {
	most := min(firstBackOff<<min(losses, 20), lastBackOff)
	timer := time.NewTimer(firstBackOff/2 + rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gaveUp turns the end of the time into the error that clients are told. What is in doubt stays so, whatever else happened.
func (t *contest) gaveUp(err error) error {
	q := t.transaction
	late := errors.Is(err, context.DeadlineExceeded)
	var wrote *WriteTimeoutError
	var failed *WriteFailureError
	decided := errors.As(err, &wrote) && wrote.WriteType == "SIMPLE" || errors.As(err, &failed) && failed.WriteType == "SIMPLE"
	switch {
	case err == nil || decided:
		return err
	case len(t.doubtful) > 0:
		return &CASUnknownError{Level: q.Serial, Required: t.short[0], Received: min(t.short[1], t.short[0]-1)}
	case t.decide == nil && (late || wrote != nil):
		return &ReadTimeoutError{Level: q.Serial, Required: t.short[0], Received: min(t.short[1], t.short[0]-1)}
	case t.decide == nil && failed != nil:
		return &ReadFailureError{Level: q.Serial, Required: failed.Required, Received: failed.Received, Failures: failed.Failures}
	case late:
		return &WriteTimeoutError{Level: q.Serial, Required: t.short[0], Received: min(t.short[1], t.short[0]-1), WriteType: "CAS"}
	default:
		return err
	}
}

// A decision is a change that is decided and, as far as is known, not made yet.
type decision struct {
	proposal *paxos.Proposal
	own      bool // it is this transaction's
	made     bool // it is
}

// attempt makes one attempt, with the topology of now.
func (t *contest) attempt(ctx context.Context) (applied bool, rows storage.Fetch, err error) {
	q := t.transaction
	won, rows, err := t.agree(ctx)
	switch {
	case won == nil || err != nil:
		return false, rows, err
	case won.made:
		return true, nil, nil
	case won.own:
		return true, nil, t.coordinator.commitAt(ctx, q, won.proposal, q.Commit, "SIMPLE")
	}
	if err := t.coordinator.commitAt(ctx, q, won.proposal, ordinary(q.Serial), "CAS"); err != nil {
		return false, nil, err
	}
	return false, nil, errAgain
}

// agree is an attempt up to the commit. It returns a change that is decided, if one is, or else where the rows come from. It
// counts as a write under way: when all that began in a topology have ended, nothing is accepted in it anymore.
func (t *contest) agree(ctx context.Context) (*decision, storage.Fetch, error) {
	c := t.coordinator
	side := c.writes.begin()
	defer c.writes.end(side)
	if len(c.cluster.Topology().Endpoints()) == 1 {
		return t.alone(ctx)
	}
	p, err := c.participants(t.transaction, ring.Token(t.token))
	if err != nil {
		return nil, nil, err
	}
	ballot := c.newBallot(t.seen)
	promises, err := t.prepare(ctx, &p, ballot)
	if err != nil {
		return nil, nil, err
	}
	if won, err := t.settle(&promises.newest); won != nil || err != nil {
		return won, nil, err
	}
	if promises.unfinished != nil {
		won, err := t.finish(ctx, &p, ballot, promises)
		return won, nil, err
	}
	rows, err := t.rows(promises)
	if err != nil || t.decide == nil {
		return nil, rows, err
	}
	won, err := t.propose(ctx, &p, ballot, promises, rows)
	return won, nil, err
}

// settle finds out from the newest committed change what has become of those that are in doubt. One that is decided is
// returned. Those that others were decided instead of are in doubt no longer.
func (t *contest) settle(newest *paxos.Proposal) (*decision, error) {
	for len(t.doubtful) > 0 && newest.Ballot.Time >= t.doubtful[0].Ballot.Time {
		own := t.doubtful[0]
		found, known := newest.Tells(own.Ballot)
		switch {
		case found:
			return &decision{proposal: own, own: true}, nil
		case !known:
			return nil, &CASUnknownError{Level: t.transaction.Serial, Required: t.short[0]}
		}
		t.doubtful = t.doubtful[1:]
	}
	return nil, nil
}

// finish proposes a change again that somebody has left unfinished.
func (t *contest) finish(ctx context.Context, p *plan, ballot paxos.Ballot, promises *promises) (*decision, error) {
	left := *promises.unfinished
	t.transaction.Trace.Add("Finishing an earlier transaction")
	left.Ballot, left.Before = ballot, promises.newest.History()
	if _, err := t.accept(ctx, p, &left); err != nil {
		return nil, err
	}
	own := slices.ContainsFunc(t.doubtful, func(d *paxos.Proposal) bool { return d.Ballot == left.Origin })
	return &decision{proposal: &left, own: own}, nil
}

// propose asks for a change, and has it accepted. It returns nil if the conditions do not hold.
func (t *contest) propose(ctx context.Context, p *plan, ballot paxos.Ballot, promises *promises, rows storage.Fetch) (*decision, error) {
	c, q := t.coordinator, t.transaction
	m, err := c.decide(q, rows, ballot.Time, t.decide)
	switch {
	case err != nil:
		return nil, err
	case m == nil && len(t.doubtful) > 0: // what was accepted by some may still be carried out
		return nil, &CASUnknownError{Level: q.Serial, Required: t.short[0]}
	case m == nil:
		return nil, nil
	}
	if err := c.engine.Check(m, m, m); err != nil { // a state and the change are written together
		return nil, err
	}
	own := &paxos.Proposal{Ballot: ballot, Origin: ballot, Before: promises.newest.History(), Change: m.Append(nil)}
	partly, err := t.accept(ctx, p, own)
	if err == nil {
		return &decision{proposal: own, own: true}, nil
	}
	if partly {
		t.doubtful = append(t.doubtful, own)
	}
	return nil, err
}
