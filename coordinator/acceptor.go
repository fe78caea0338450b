package coordinator

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// The replica's part of conditional changes. A replica's paxos.State of a partition is a row in a table of its own, with
// the partition's key and token and the table's incarnation as clustering key. Each part of the state is a cell whose
// timestamp is its ballot's, so that merged rows are the state of an acceptor that has seen what all of them have: a
// node that takes over a range takes over the states too, see Pull.

// PaxosIncarnation is that of the table that states are kept in. Options.Tables of the storage engine must know it, as
// Paxos describes it.
const PaxosIncarnation = math.MaxUint32 - 254

// Paxos returns what the storage engine is to know of the table that states are kept in.
func Paxos() storage.Table {
	return storage.Table{Name: "system.paxos", HasColumn: func(uint32) bool { return true },
		FormatKey: func([]byte) string { return "the state of a partition" }}
}

// The columns of a state.
const (
	promisedColumn = 1 + iota
	acceptedColumn
	committedColumn
)

// stateAge is how long a state is kept at least, in seconds. That it is kept for gc_grace_seconds too means that a change
// is completed as long as deletions are remembered.
const stateAge = 3 * 60 * 60

func (c *Coordinator) stateTTL(incarnation uint32) int64 {
	if t := c.opts.Schema().TableOf(incarnation); t != nil {
		return max(stateAge, t.Options.GCGraceSeconds)
	}
	return stateAge
}

// loadState reads what this node remembers of a partition. The caller holds the partition's lock.
func (c *Coordinator) loadState(incarnation uint32, partition []byte) (s paxos.State, err error) {
	key := binary.BigEndian.AppendUint32(nil, incarnation)
	token, err := row.PartitionToken(partition)
	if err != nil {
		return s, err
	}
	stripe, name := c.acceptors.of(token), string(key)+string(partition)
	if s, ok := stripe.states[name]; ok {
		return s, nil
	}
	rows := c.engine.Read(&storage.Read{Incarnation: PaxosIncarnation, Partition: partition, Point: true, Slices: []storage.Slice{{Start: key}},
		Now: c.opts.Now().Unix()})
	defer rows.Close()
	if rows.Next() {
		s, err = stateOf(rows.Row(), c.opts.Now().Unix())
	}
	if err == nil {
		err = rows.Err()
	}
	if err == nil {
		stripe.keep(name, s)
	}
	return s, err
}

// stateOf reads a state from its row, of which it keeps nothing.
func stateOf(f *row.Fragment, now int64) (s paxos.State, err error) {
	for i := range f.Cells {
		cell := &f.Cells[i]
		if !cell.IsLive(now) {
			continue
		}
		value := append([]byte(nil), cell.Value...)
		switch cell.Column {
		case promisedColumn:
			s.Promised, _, err = paxos.DecodeBallot(value)
		case acceptedColumn:
			s.Accepted, _, err = paxos.DecodeProposal(value)
		case committedColumn:
			s.Committed, _, err = paxos.DecodeProposal(value)
		}
		if err != nil {
			return paxos.State{}, err
		}
	}
	if !s.Unfinished() {
		s.Accepted = paxos.Proposal{}
	}
	return s, nil
}

// storeState writes what has changed of a state, and the mutations with it: all of it is on disk, or nothing. The caller
// holds the partition's lock.
func (c *Coordinator) storeState(ctx context.Context, incarnation uint32, partition []byte, old, now *paxos.State, with ...*row.Mutation) error {
	f := row.NewFragment()
	ttl, second := c.stateTTL(incarnation), c.opts.Now().Unix()
	cell := func(column uint32, b paxos.Ballot, value []byte) {
		f.Cells = append(f.Cells, row.Cell{Column: column, Kind: row.ExpiringCell, Value: value, Timestamp: b.Time, TTL: ttl,
			LocalTime: max(second, b.Time/1e6) + ttl})
	}
	if now.Promised != old.Promised {
		cell(promisedColumn, now.Promised, paxos.AppendBallot(nil, now.Promised))
	}
	if now.Accepted.Ballot != old.Accepted.Ballot && now.Unfinished() {
		cell(acceptedColumn, now.Accepted.Ballot, paxos.AppendProposal(nil, now.Accepted))
	}
	if now.Committed.Ballot != old.Committed.Ballot {
		cell(committedColumn, now.Committed.Ballot, paxos.AppendProposal(nil, now.Committed))
	}
	if len(f.Cells) > 0 {
		m := new(row.Mutation)
		if err := m.BeginAt(PaxosIncarnation, append(partition[:len(partition):len(partition)], byte(row.KindRow))); err != nil {
			return err
		}
		m.AddRow(f, binary.BigEndian.AppendUint32(nil, incarnation))
		with = append(with, m)
	}
	if len(with) == 0 {
		return nil
	}
	token, err := row.PartitionToken(partition)
	if err != nil {
		return err
	}
	stripe, name := c.acceptors.of(token), string(binary.BigEndian.AppendUint32(nil, incarnation))+string(partition)
	delete(stripe.states, name)
	// The lock must not be free before the outcome is known, or the next one would read an old state.
	if err := c.engine.Apply(context.WithoutCancel(ctx), with...); err != nil {
		return err
	}
	kept := *now
	kept.Accepted.Change, kept.Committed.Change = bytes.Clone(now.Accepted.Change), bytes.Clone(now.Committed.Change)
	stripe.keep(name, kept)
	return nil
}

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

// The bodies of the verbs: behind the epochs, VerbPrepare has the ballot and the Read, VerbAccept and VerbCommit the
// proposal.

func appendPrepare(e epochs, b paxos.Ballot, q *query) []byte {
	return storage.AppendRead(paxos.AppendBallot(e.append(nil), b), q.read, q.limit)
}

func decodePrepare(body []byte) (e epochs, b paxos.Ballot, q query, err error) {
	if body, err = e.take(body); err == nil {
		b, body, err = paxos.DecodeBallot(body)
	}
	if err == nil {
		q.read, q.limit, body, err = storage.DecodeRead(body)
	}
	if err == nil && len(body) > 0 {
		err = errLong
	}
	return e, b, q, err
}

func appendProposal(e epochs, p *paxos.Proposal) []byte {
	return paxos.AppendProposal(e.append(nil), *p)
}

func decodeProposal(body []byte) (e epochs, p paxos.Proposal, m *row.Mutation, err error) {
	if body, err = e.take(body); err == nil {
		p, body, err = paxos.DecodeProposal(body)
	}
	if err == nil && len(body) > 0 {
		err = errLong
	}
	if err == nil {
		m, err = mutationOf(&p)
	}
	return e, p, m, err
}

// mutationOf returns the change of a proposal.
func mutationOf(p *paxos.Proposal) (*row.Mutation, error) {
	m := new(row.Mutation)
	rest, err := m.Decode(p.Change)
	if err == nil && len(rest) > 0 {
		err = errLong
	}
	return m, err
}

func (p *promise) append(dst []byte) []byte {
	if !p.given {
		return paxos.AppendState(append(dst, 0), &p.state)
	}
	return append(paxos.AppendState(append(dst, 1), &p.state), p.block...)
}

func decodePromise(b []byte) (p promise, err error) {
	if len(b) == 0 || b[0] > 1 {
		return p, errShort
	}
	p.given = b[0] == 1
	p.state, p.block, err = paxos.DecodeState(b[1:])
	return p, err
}

func appendAccepted(dst []byte, ok bool, above paxos.Ballot) []byte {
	if ok {
		return paxos.AppendBallot(append(dst, 1), above)
	}
	return paxos.AppendBallot(append(dst, 0), above)
}

func decodeAccepted(b []byte) (ok bool, above paxos.Ballot, err error) {
	if len(b) == 0 || b[0] > 1 {
		return false, above, errShort
	}
	above, _, err = paxos.DecodeBallot(b[1:])
	return b[0] == 1, above, err
}

// storeStates takes over what another node remembers of some partitions, a block of its states. Changes that it knows as
// the newest are made here too: whoever says that a change is committed must have it.
func (c *Coordinator) storeStates(ctx context.Context, block []byte) (last []byte, complete bool, err error) {
	var reader storage.BlockReader
	now := c.opts.Now().Unix()
	reader.Reset(block)
	for reader.Next() {
		last = append(last[:0], reader.Key()...)
		m := new(row.Mutation)
		if err := m.BeginAt(PaxosIncarnation, last); err != nil {
			return nil, false, err
		}
		m.AddEntry(last, reader.Row())
		all := []*row.Mutation{m}
		s, err := stateOf(reader.Row(), now)
		if err != nil {
			return nil, false, err
		}
		if s.Committed.Ballot != (paxos.Ballot{}) {
			change, err := mutationOf(&s.Committed)
			if err != nil {
				return nil, false, fmt.Errorf("the state of a partition: %w", err)
			}
			if c.opts.Schema().TableOf(change.Incarnation) != nil {
				all = append(all, change)
			}
		}
		if err := c.mergeState(ctx, m.Token, all); err != nil {
			return nil, false, err
		}
	}
	return last, reader.Complete(), reader.Err()
}

// mergeState writes a state beside what this node has itself, and what comes with it.
func (c *Coordinator) mergeState(ctx context.Context, token int64, all []*row.Mutation) error {
	if err := c.acceptors.lock(ctx, token); err != nil {
		return err
	}
	defer c.acceptors.unlock(token)
	clear(c.acceptors.of(token).states)
	return c.engine.Apply(context.WithoutCancel(ctx), all...)
}

// newBallot returns a ballot above one that was seen. A clock that is ahead at another node concerns the partition where it
// was seen, and not all that this node does afterwards; so two ballots may have the same time, but they are not the same.
func (c *Coordinator) newBallot(seen int64) paxos.Ballot {
	return paxos.Ballot{Time: max(c.tick(0), seen+1), Node: c.cluster.Self(), Nonce: rand.Uint32()}
}
