package raftlog

import (
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/iliumdb/ilium/storage"
)

// votePrefix is in front of raft's names for its term and its vote.
const votePrefix = "raft/vote/"

// retryStoring is how long a node waits before it tries again to store what it must.
const retryStoring = time.Second

// votes is raft's stable store. raft panics if its term cannot be stored, so a failed Put is tried again until the
// node stops; meanwhile it does not vote.
type votes struct {
	stored values
	log    *slog.Logger
	stop   <-chan struct{}

	mu   sync.Mutex
	list map[string][]byte
}

func openVotes(store Store, log *slog.Logger, stop <-chan struct{}) (*votes, error) {
	v := &votes{stored: values{store: store}, log: log, stop: stop, list: map[string][]byte{}}
	err := store.Values(votePrefix, func(name string, value []byte) error {
		v.list[strings.TrimPrefix(name, votePrefix)] = value
		return nil
	})
	return v, err
}

// Set stores a value.
func (v *votes) Set(key, value []byte) error {
	put := storage.Put{Name: votePrefix + string(key), Value: append([]byte{}, value...)}
	for {
		err := v.stored.put(v.before, put)
		if err == nil {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.list[string(key)] = put.Value
			return nil
		}
		v.log.Error("A vote for the leader of the metadata log cannot be stored", "error", err)
		select {
		case <-time.After(retryStoring):
		case <-v.stop:
			return nil // nobody hears of it anymore: the transport is closed
		}
	}
}

func (v *votes) before(name string) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.list[strings.TrimPrefix(name, votePrefix)]
}

// Get returns a value, or nothing.
func (v *votes) Get(key []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.list[string(key)], nil
}

// SetUint64 stores a number.
func (v *votes) SetUint64(key []byte, n uint64) error {
	return v.Set(key, binary.BigEndian.AppendUint64(nil, n))
}

// GetUint64 returns a number, or 0.
func (v *votes) GetUint64(key []byte) (uint64, error) {
	value, _ := v.Get(key)
	if len(value) != 8 {
		return 0, nil
	}
	return binary.BigEndian.Uint64(value), nil
}
