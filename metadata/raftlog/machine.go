package raftlog

import (
	"errors"
	"io"

	"github.com/hashicorp/raft"
)

// A Machine is what entries are applied to. Its methods are not called concurrently.
type Machine interface {
	// Apply carries out an entry and returns what Propose is to return. The same entry may come again after a
	// restart: a machine that has stored its effects skips it. It returns an error only if the node cannot go on, and
	// is then called no more.
	Apply(index uint64, entry []byte) (any, error)
	// Snapshot returns a function that returns the present state, whatever happens meanwhile.
	Snapshot() func() []byte
	// Restore puts a state in place of the present one, unless that is newer.
	Restore(snapshot []byte) error
}

// A machine is what raft applies entries to.
type machine struct {
	log *Log
	// halted says that entries have been passed over, because the node stops or cannot go on. From then
	// on there are no snapshots: one would claim to contain them.
	halted bool
}

// An applied is what raft hands back for an entry.
type applied struct {
	index  uint64
	result any
	err    error
}

// Apply applies an entry.
func (m *machine) Apply(entry *raft.Log) any {
	if m.log.ctx.Err() != nil {
		m.halted = true
	}
	if m.halted {
		return applied{err: errStopped}
	}
	result, err := m.log.opts.Machine.Apply(entry.Index, entry.Data)
	if err != nil {
		m.halted = true
		if m.log.ctx.Err() != nil {
			return applied{err: errStopped}
		}
		m.log.opts.Log.Error("The metadata log cannot go on", "entry", entry.Index, "error", err)
		return applied{err: err}
	}
	m.log.nudge(entry.Index, entry.Term)
	m.log.kick()
	return applied{index: entry.Index, result: result}
}

// StoreConfiguration hears of a change of raft's servers.
func (m *machine) StoreConfiguration(uint64, raft.Configuration) { m.log.kick() }

// Snapshot begins a snapshot.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	if m.halted {
		return nil, errors.New("the node stops or cannot go on")
	}
	return snapshot(m.log.opts.Machine.Snapshot()), nil
}

// Restore takes over a snapshot.
func (m *machine) Restore(from io.ReadCloser) error {
	if m.halted {
		return errStopped
	}
	b, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return m.log.opts.Machine.Restore(b)
}

// A snapshot writes a state that was captured.
type snapshot func() []byte

// Persist writes it. raft closes what it is written to.
func (s snapshot) Persist(to raft.SnapshotSink) error {
	_, err := to.Write(s())
	return err
}

// Release does nothing.
func (s snapshot) Release() {}
