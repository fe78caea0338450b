package metadata

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/metadata/raftlog"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

const (
	proposalTimeout = 30 * time.Second // of a proposal whose context does not end sooner
	leaderPatience  = 5 * time.Second  // for a leader to be there: an election takes up to three seconds
	leaderAgain     = 50 * time.Millisecond
	leaderAnswer    = time.Second     // for a node to say whether it leads
	outcomePatience = 3 * time.Second // for an entry to come that may not have been proposed, or may not reach this node
)

// ProposeTopology changes the ring. It returns when the change is in force on this node and, unless ctx ends before
// that, on all that are up. Errors are *ChangeInProgressError, *UnknownNodeError, *ring.ConflictError, *ring.ChangeError
// and those of Propose.
func (l *Log) ProposeTopology(ctx context.Context, change TopologyChange) error {
	if l.cluster == nil {
		return &NotMemberError{}
	}
	_, err := l.cluster.propose(ctx, &entry{topology: change})
	return err
}

// propose carries an entry through the log.
func (c *cluster) propose(ctx context.Context, e *entry) (*Event, error) {
	if !c.log.IsMember() && e.first == nil {
		return nil, &NotMemberError{}
	}
	ctx, cancel := context.WithTimeout(ctx, proposalTimeout)
	defer cancel()
	rand.Read(e.id[:]) // never fails
	result := c.await(e.id)
	defer c.forget(e.id)
	there, err := c.submit(ctx, e, e.encode())
	var unknown *UnknownOutcomeError
	if err != nil && !errors.As(err, &unknown) {
		return nil, err
	}
	patience := ctx
	if unknown != nil || e.topology != nil {
		var enough context.CancelFunc
		patience, enough = context.WithTimeout(ctx, outcomePatience)
		defer enough()
	}
	select {
	case o := <-result:
		if o.err == nil {
			c.awaitEverywhere(ctx, o.index)
		}
		return o.event, o.err
	case <-patience.Done():
		switch {
		case unknown != nil:
			return nil, unknown
		case e.topology != nil:
			return nil, there.err // this node may have left, and hear of nothing anymore
		}
		return nil, &UnknownOutcomeError{patience.Err()}
	case <-c.ctx.Done():
		return nil, &UnknownOutcomeError{errStopping}
	}
}

// submit hands an entry to the leader and returns what has become of it there. A *NoLeaderError says that it was not
// proposed, an *UnknownOutcomeError that it may have been.
func (c *cluster) submit(ctx context.Context, e *entry, data []byte) (outcome, error) {
	var o outcome
	err := c.withLeader(ctx, func(leader ring.HostID) (err error) {
		if leader == c.opts.Self {
			o, err = c.append(ctx, e, data)
		} else {
			o, err = c.ask(ctx, leader, askEntry, data)
		}
		var elsewhere *raftlog.NotLeaderError
		if err != nil && !errors.As(err, &elsewhere) {
			err = &UnknownOutcomeError{err}
		}
		return err
	})
	return o, err
}

// append appends an entry to the log that this node leads.
func (c *cluster) append(ctx context.Context, e *entry, data []byte) (outcome, error) {
	if left, ok := e.topology.(Left); ok {
		patience, cancel := context.WithTimeout(ctx, leaderPatience)
		release, err := c.raft.Retire(patience, left.ID)
		cancel()
		if err != nil {
			return outcome{}, &raftlog.NotLeaderError{} // nothing was proposed
		}
		defer release()
	}
	_, result, err := c.raft.Propose(ctx, data)
	if err != nil {
		return outcome{}, err
	}
	return result.(outcome), nil
}

// ask asks the leader for something. A *raftlog.NotLeaderError says that it does not lead, and has done nothing.
func (c *cluster) ask(ctx context.Context, leader ring.HostID, what byte, data []byte) (outcome, error) {
	b, err := c.opts.Peers.Call(ctx, leader, peer.VerbPropose, append([]byte{what}, data...))
	if err != nil {
		return outcome{}, err
	}
	return readAnswer(b)
}

// withLeader calls do with the leader, and again as long as do returns a *raftlog.NotLeaderError.
func (c *cluster) withLeader(ctx context.Context, do func(leader ring.HostID) error) error {
	search, cancel := context.WithTimeout(ctx, leaderPatience)
	defer cancel()
	for {
		if leader, found := c.findLeader(search); found {
			err := do(leader)
			var elsewhere *raftlog.NotLeaderError
			if !errors.As(err, &elsewhere) {
				return err
			}
		}
		select {
		case <-time.After(leaderAgain):
		case <-search.Done():
			return &NoLeaderError{ctx.Err()}
		case <-c.ctx.Done():
			return &NoLeaderError{errStopping}
		}
	}
}

// findLeader returns the leader, which has said itself that it leads: so what is sent to it next is not lost on a node that
// has died. If this node's part of the log does not know, others may: the leader cannot reach a node that has come
// back with another address.
func (c *cluster) findLeader(ctx context.Context) (ring.HostID, bool) {
	known, ok := c.raft.Leader()
	switch {
	case ok && known == c.opts.Self:
		return known, true
	case ok && c.leads(ctx, known):
		return known, true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	others := c.others()
	answers := make(chan ring.HostID, len(others))
	for _, id := range others {
		go func() {
			if id == known && ok || !c.leads(ctx, id) {
				id = ring.HostID{}
			}
			answers <- id
		}()
	}
	var leader ring.HostID
	for range others { // all, so that nothing runs on
		if id := <-answers; id != (ring.HostID{}) {
			leader = id
			cancel()
		}
	}
	return leader, leader != ring.HostID{}
}

// leads asks a node whether it leads.
func (c *cluster) leads(ctx context.Context, id ring.HostID) bool {
	ctx, cancel := context.WithTimeout(ctx, leaderAnswer)
	defer cancel()
	o, err := c.ask(ctx, id, askLeader, nil)
	return err == nil && o.err == nil
}

// The first byte of a request of peer.VerbPropose says what is asked for.
const (
	askLeader  byte = iota + 1 // whether the node leads
	askEntry                   // that the leader proposes the entry that follows
	askRelay                   // that the node hands the entry that follows to the leader
	askBarrier                 // the index that the leader has applied, with all that is committed
	askState                   // all that the node has applied, as a snapshot
)

// handlePropose answers requests of peer.VerbPropose.
func (c *cluster) handlePropose(ctx context.Context, r *peer.Request) ([]byte, error) {
	if len(r.Body) == 0 {
		return nil, fmt.Errorf("a proposal is empty")
	}
	ctx, cancel := withDeadline(ctx, r)
	defer cancel()
	if r.Body[0] == askState {
		return c.log.current.Load().appendSnapshot(r.Memory[:0]), nil
	}
	what, data := r.Body[0], append([]byte{}, r.Body[1:]...) // raft keeps it
	var o outcome
	err := error(&raftlog.NotLeaderError{})
	switch what {
	case askLeader:
		if c.raft.Leads() {
			err = nil
		}
	case askEntry, askRelay:
		e, invalid := decodeEntry(data)
		switch {
		case invalid != nil:
			return nil, invalid
		case what == askRelay:
			o, err = c.submit(ctx, e, data)
		case c.raft.Leads():
			o, err = c.append(ctx, e, data)
		}
	case askBarrier:
		if c.raft.Leads() {
			o, err = c.barrier(ctx)
		}
	default:
		return nil, fmt.Errorf("a proposal asks for the unknown %d", what)
	}
	var elsewhere *raftlog.NotLeaderError
	var none *NoLeaderError
	switch {
	case errors.As(err, &elsewhere), errors.As(err, &none):
		return append(r.Memory[:0], answerNoLeader), nil
	case err != nil:
		return nil, err
	}
	return appendAnswer(r.Memory[:0], o), nil
}

// barrier returns the index that this node has applied, with all that is committed, if it leads.
func (c *cluster) barrier(ctx context.Context) (outcome, error) {
	if err := c.raft.Barrier(ctx); err != nil {
		return outcome{}, err
	}
	return outcome{index: c.log.Applied()}, nil
}

// CatchUp waits until this node has applied what was committed when it was called. A *NoLeaderError says that no leader
// is reachable.
func (l *Log) CatchUp(ctx context.Context) error {
	c := l.cluster
	if c == nil {
		return nil
	}
	var o outcome
	var from ring.HostID
	err := c.withLeader(ctx, func(leader ring.HostID) (err error) {
		from = leader
		if leader == c.opts.Self {
			o, err = c.barrier(ctx)
		} else {
			o, err = c.ask(ctx, leader, askBarrier, nil)
		}
		if err != nil && ctx.Err() == nil {
			return &raftlog.NotLeaderError{} // asking again does no harm
		}
		return err
	})
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, soonApplied)
	defer cancel()
	if c.awaitApplied(soon, o.index) == nil {
		return nil
	}
	if from != c.opts.Self {
		if err := c.takeState(ctx, from); err != nil {
			c.opts.Log.Debug("The metadata cannot be taken from the leader", "leader", from, "error", err)
		}
	}
	return c.awaitApplied(ctx, o.index)
}

// soonApplied is how long CatchUp waits for the log. A leader tries followers that were down less and less often, up to ten
// seconds apart: one that is up again is faster if it asks.
const soonApplied = 200 * time.Millisecond

// takeState takes over what another node has applied. The entries that lead to it come later, and change nothing anymore.
func (c *cluster) takeState(ctx context.Context, from ring.HostID) error {
	b, err := c.opts.Peers.Call(ctx, from, peer.VerbPropose, []byte{askState})
	if err != nil {
		return err
	}
	c.mu.Lock()
	proposed := len(c.waiting) > 0
	c.mu.Unlock()
	if proposed {
		return nil // the entry may be one of those that would be passed over; what is proposed from now on is not
	}
	_, err = (&machine{c}).restore(b)
	return err
}
