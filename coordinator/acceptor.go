package coordinator

import (
	"context"
	"math/rand/v2"

	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// The replica's part of conditional changes.

// A promise is an acceptor's answer to VerbPrepare.
type promise struct {
	given bool
	state paxos.State
	block []byte // what is read, as of the promise; nil without one
}

// promise promises a ballot, and reads.
func (c *Coordinator) promise(ctx context.Context, b paxos.Ballot, q *query) (p promise, err error) {
	token, err := row.PartitionToken(q.read.Partition)
	if err != nil {
		return p, err
	}
	if err := c.acceptors.lock(ctx, token); err != nil {
		return p, err
	}
	defer c.acceptors.unlock(token)
	old, err := c.loadState(q.read.Incarnation, q.read.Partition)
	if err != nil {
		return p, err
	}
	p.state = old
	if p.given = p.state.Promise(b); !p.given {
		return p, nil
	}
	if err := c.storeState(ctx, q.read.Incarnation, q.read.Partition, &old, &p.state); err != nil {
		return p, err
	}
	p.block, err = c.block(nil, nil, q)
	return p, err
}

// accept accepts a proposal, or returns the ballot that stands against it.
func (c *Coordinator) accept(ctx context.Context, p *paxos.Proposal, m *row.Mutation) (ok bool, above paxos.Ballot, err error) {
	if err := c.acceptors.lock(ctx, m.Token); err != nil {
		return false, above, err
	}
	defer c.acceptors.unlock(m.Token)
	old, err := c.loadState(m.Incarnation, m.Partition())
	if err != nil {
		return false, above, err
	}
	now := old
	if !now.Accept(*p) {
		return false, now.Promised, nil
	}
	return true, now.Promised, c.storeState(ctx, m.Incarnation, m.Partition(), &old, &now)
}

// commit makes a change that is decided.
func (c *Coordinator) commit(ctx context.Context, p *paxos.Proposal, m *row.Mutation) error {
	if err := c.acceptors.lock(ctx, m.Token); err != nil {
		return err
	}
	defer c.acceptors.unlock(m.Token)
	old, err := c.loadState(m.Incarnation, m.Partition())
	if err != nil {
		return err
	}
	now := old
	now.Commit(*p)
	return c.storeState(ctx, m.Incarnation, m.Partition(), &old, &now, m)
}

// handlePrepare promises a ballot for another node.
func (c *Coordinator) handlePrepare(ctx context.Context, r *peer.Request) ([]byte, error) {
	e, ballot, q, err := decodePrepare(r.Body)
	if err != nil {
		return nil, malformed(err)
	}
	if err := c.admit(ctx, e, q.read.Incarnation); err != nil {
		return nil, err
	}
	p, err := c.promise(ctx, ballot, &q)
	if err != nil {
		return nil, failure(err)
	}
	return p.append(r.Memory[:0]), nil
}

// handleProposal accepts or commits a proposal for another node.
func (c *Coordinator) handleProposal(ctx context.Context, r *peer.Request) ([]byte, error) {
	e, p, m, err := decodeProposal(r.Body)
	if err != nil {
		return nil, malformed(err)
	}
	if err := c.admit(ctx, e, m.Incarnation); err != nil {
		return nil, err
	}
	if r.Verb == peer.VerbCommit {
		if err := c.guard.enter(ctx, e.topology); err != nil {
			return nil, failure(err)
		}
		return nil, failure(c.commit(ctx, &p, m))
	}
	ok, above, err := c.accept(ctx, &p, m)
	if err != nil {
		return nil, failure(err)
	}
	return appendAccepted(r.Memory[:0], ok, above), nil
}

// admit returns an error if this node cannot be an acceptor of a table, or for whoever knows an older topology.
func (c *Coordinator) admit(ctx context.Context, e epochs, incarnation uint32) error {
	if err := c.refuse(e); err != nil {
		return err
	}
	known, err := c.knows(ctx, e.schema, incarnation)
	if err == nil && !known {
		err = &peer.Failure{Code: codeSchema, Message: "the table has been dropped or truncated"}
	}
	return err
}

// newBallot returns a ballot above one that was seen. A clock that is ahead at another node concerns the partition where it
// was seen, and not all that this node does afterwards; so two ballots may have the same time, but they are not the same.
func (c *Coordinator) newBallot(seen int64) paxos.Ballot {
	return paxos.Ballot{Time: max(c.tick(0), seen+1), Node: c.cluster.Self(), Nonce: rand.Uint32()}
}
