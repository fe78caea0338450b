package raftlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/storage"
)

const (
	snapshotInfo = "raft/snapshot/info"
	snapshotData = "raft/snapshot/data"
)

// snapshots is raft's store of snapshots. It keeps the newest.
type snapshots struct {
	stored values

	mu   sync.Mutex
	info *raft.SnapshotMeta // nil: there is none
}

func openSnapshots(store Store) (*snapshots, error) {
	s := &snapshots{stored: values{store: store}}
	value, err := readValue(store, snapshotInfo)
	if err != nil || value == nil {
		return s, err
	}
	s.info, err = readSnapshotInfo(value)
	return s, err
}

// readValue returns a stored value, or nil.
func readValue(store Store, name string) (value []byte, err error) {
	err = store.Values(name, func(n string, v []byte) error {
		if n == name {
			value = slices.Clone(v)
		}
		return nil
	})
	return value, err
}

func appendSnapshotInfo(dst []byte, m *raft.SnapshotMeta) []byte {
	for _, n := range []uint64{m.Index, m.Term, m.ConfigurationIndex, uint64(m.Size)} {
		dst = binary.AppendUvarint(dst, n)
	}
	return codec.AppendBytes(dst, raft.EncodeConfiguration(m.Configuration))
}

func readSnapshotInfo(b []byte) (*raft.SnapshotMeta, error) {
	r := codec.NewReader(b)
	m := &raft.SnapshotMeta{Version: raft.SnapshotVersionMax, Index: r.Uvarint(), Term: r.Uvarint(), ConfigurationIndex: r.Uvarint(), Size: int64(r.Uvarint())}
	m.ID = snapshotID(m)
	configuration := r.Bytes()
	err := r.End()
	if err == nil {
		m.Configuration, err = readConfiguration(configuration)
	}
	if err != nil {
		return nil, fmt.Errorf("the stored snapshot of the metadata log cannot be read: %w", err)
	}
	return m, nil
}

func snapshotID(m *raft.SnapshotMeta) string { return fmt.Sprintf("%d-%d", m.Term, m.Index) }

// newest returns what is known of the newest snapshot, or nil.
func (s *snapshots) newest() *raft.SnapshotMeta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// List returns the newest snapshot, if there is one.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	if m := s.newest(); m != nil {
		return []*raft.SnapshotMeta{m}, nil
	}
	return nil, nil
}

// Open returns a snapshot and its content.
func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil || s.info.ID != id {
		return nil, nil, fmt.Errorf("there is no snapshot %s of the metadata log anymore", id)
	}
	data, err := readValue(s.stored.store, snapshotData)
	if err != nil {
		return nil, nil, err
	}
	if int64(len(data)) != s.info.Size {
		return nil, nil, fmt.Errorf("snapshot %s of the metadata log has %d bytes instead of %d", id, len(data), s.info.Size)
	}
	return s.info, io.NopCloser(bytes.NewReader(data)), nil
}

// Create begins a snapshot.
func (s *snapshots) Create(_ raft.SnapshotVersion, index, term uint64, c raft.Configuration, configurationIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	m := &raft.SnapshotMeta{Version: raft.SnapshotVersionMax, Index: index, Term: term, Configuration: c, ConfigurationIndex: configurationIndex}
	m.ID = snapshotID(m)
	return &sink{snapshots: s, info: m}, nil
}

// A sink is a snapshot that is being written.
type sink struct {
	bytes.Buffer
	snapshots *snapshots
	info      *raft.SnapshotMeta
	done      bool
}

// ID returns the name of the snapshot.
func (k *sink) ID() string { return k.info.ID }

// Cancel drops it.
func (k *sink) Cancel() error {
	k.done = true
	return nil
}

// Close stores it in place of the one before.
func (k *sink) Close() error {
	if k.done {
		return errors.New("the snapshot has ended already")
	}
	k.done = true
	k.info.Size = int64(k.Len())
	s := k.snapshots
	s.mu.Lock()
	defer s.mu.Unlock()
	// If this fails, either of the two snapshots may be stored, and both are good. So nothing needs to be settled.
	err := s.stored.store.Put(context.Background(), storage.Put{Name: snapshotInfo, Value: appendSnapshotInfo(nil, k.info)},
		storage.Put{Name: snapshotData, Value: append([]byte{}, k.Bytes()...)})
	if err != nil {
		// The data may be of another snapshot than the one that is known.
		if value, failure := readValue(s.stored.store, snapshotInfo); failure == nil && value != nil {
			if m, failure := readSnapshotInfo(value); failure == nil {
				s.info = m
			}
		}
		return fmt.Errorf("storing a snapshot of the metadata log: %w", err)
	}
	s.info = k.info
	return nil
}
