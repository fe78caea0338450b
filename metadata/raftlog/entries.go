package raftlog

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/storage"
)

// entryPrefix is in front of an entry's index, in hexadecimal digits that sort like numbers.
const entryPrefix = "raft/log/"

// entries is raft's log. All of it is in memory as well: it is short, because it is compacted.
type entries struct {
	stored values

	writing sync.Mutex // one change at a time

	mu   sync.RWMutex // never held while something is stored
	list []*raft.Log  // without gaps
}

// openEntries reads the log that is stored.
func openEntries(store Store) (*entries, error) {
	e := &entries{stored: values{store: store}}
	err := store.Values(entryPrefix, func(name string, value []byte) error {
		r := codec.NewReader(value)
		l := readEntry(r)
		if err := r.End(); err != nil || entryName(l.Index) != name {
			return fmt.Errorf("the stored entry %s of the metadata log cannot be read", name)
		}
		if n := len(e.list); n > 0 && e.list[n-1].Index+1 != l.Index {
			return fmt.Errorf("the stored metadata log lacks the entries between %d and %d", e.list[n-1].Index, l.Index)
		}
		e.list = append(e.list, l)
		return nil
	})
	return e, err
}

func entryName(index uint64) string {
	digits := strconv.FormatUint(index, 16)
	return entryPrefix + strings.Repeat("0", 16-len(digits)) + digits
}

// before returns what is stored under a name as far as is known.
func (e *entries) before(name string) []byte {
	index, err := strconv.ParseUint(strings.TrimPrefix(name, entryPrefix), 16, 64)
	if err != nil {
		return nil
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if l := e.at(index); l != nil {
		return appendEntry(nil, l)
	}
	return nil
}

// at returns the entry of that index, or nil.
func (e *entries) at(index uint64) *raft.Log {
	if len(e.list) == 0 || index < e.list[0].Index || index-e.list[0].Index >= uint64(len(e.list)) {
		return nil
	}
	return e.list[index-e.list[0].Index]
}

// FirstIndex returns the index of the first entry, or 0.
func (e *entries) FirstIndex() (uint64, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if len(e.list) == 0 {
		return 0, nil
	}
	return e.list[0].Index, nil
}

// LastIndex returns the index of the last entry, or 0.
func (e *entries) LastIndex() (uint64, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if len(e.list) == 0 {
		return 0, nil
	}
	return e.list[len(e.list)-1].Index, nil
}

// GetLog copies an entry. Its data is shared.
func (e *entries) GetLog(index uint64, to *raft.Log) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	l := e.at(index)
	if l == nil {
		return raft.ErrLogNotFound
	}
	*to = *l
	return nil
}

// StoreLog stores one entry.
func (e *entries) StoreLog(l *raft.Log) error { return e.StoreLogs([]*raft.Log{l}) }

// StoreLogs appends entries, or puts them in place of the stored ones from the first one's index on. If there
// would be a gap, as behind a snapshot, the entries in front of it go.
func (e *entries) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	keep, first, last := 0, logs[0].Index, logs[len(logs)-1].Index
	if n := uint64(len(e.list)); n > 0 && first >= e.list[0].Index && first <= e.list[0].Index+n {
		keep = int(first - e.list[0].Index)
	}
	var puts []storage.Put
	for _, old := range e.list[keep:] {
		if old.Index < first || old.Index > last {
			puts = append(puts, storage.Put{Name: entryName(old.Index)})
		}
	}
	added := make([]*raft.Log, len(logs))
	for i, l := range logs {
		copied := *l
		added[i] = &copied
		puts = append(puts, storage.Put{Name: entryName(l.Index), Value: appendEntry(nil, l)})
	}
	if err := e.stored.put(e.before, puts...); err != nil {
		return fmt.Errorf("storing entries of the metadata log: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list[:keep], added...)
	return nil
}

// DeleteRange removes entries at the beginning or at the end. At the beginning, the last of them stays if others are behind
// it: a leader that has sent a snapshot goes on behind that entry, and asks for its term. Without it this node would refuse, and
// get the snapshot again, for ever.
//
// The log is not a raft.MonotonicLogStore: raft would remove all of it when a snapshot comes, also what is behind the
// snapshot, which this node may have promised to have.
func (e *entries) DeleteRange(low, high uint64) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if n := len(e.list); n > 0 && low <= e.list[0].Index && high < e.list[n-1].Index && high > 0 {
		high--
	}
	var puts []storage.Put
	kept := make([]*raft.Log, 0, len(e.list))
	for _, l := range e.list {
		if l.Index >= low && l.Index <= high {
			puts = append(puts, storage.Put{Name: entryName(l.Index)})
		} else {
			kept = append(kept, l)
		}
	}
	if len(puts) == 0 {
		return nil
	}
	if n := len(kept); n > 0 && kept[n-1].Index-kept[0].Index >= uint64(n) {
		return fmt.Errorf("the metadata log would have a gap without entries %d to %d", low, high)
	}
	if err := e.stored.put(e.before, puts...); err != nil {
		return fmt.Errorf("removing entries of the metadata log: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = kept
	return nil
}
