package coordinator

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A replica's paxos.State of a partition is a row in a table of its own, with the partition's key and token and the table's
// incarnation as clustering key. Each part of the state is a cell whose timestamp is its ballot's, so that merged rows are
// the state of an acceptor that has seen what all of them have: a node that takes over a range takes over the states too,
// see Pull.

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
