package raftlog

import (
	"context"
	"slices"
	"sync"

	"github.com/iliumdb/ilium/storage"
)

// A Store keeps named values durably. *storage.Engine is one.
type Store interface {
	// Put stores all values or none, and returns when they are on disk.
	Put(ctx context.Context, puts ...storage.Put) error
	// Values visits the values whose names start with prefix.
	Values(prefix string, visit func(name string, value []byte) error) error
}

// values are named values of one owner.
type values struct {
	store Store

	mu sync.Mutex // held while something is stored
	// unsure are the names of values that a failed Put may have stored all the same. The next Put settles them: what is
	// stored then is what was stored before, as it would be if the failed Put had stored nothing.
	unsure map[string]bool
}

// put stores values. before returns what a name stands for as far as the owner knows, nil for nothing.
func (v *values) put(before func(name string) []byte, puts ...storage.Put) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.Clone(puts)
	for name := range v.unsure {
		if !slices.ContainsFunc(puts, func(p storage.Put) bool { return p.Name == name }) {
			all = append(all, storage.Put{Name: name, Value: before(name)})
		}
	}
	if err := v.store.Put(context.Background(), all...); err != nil {
		if v.unsure == nil {
			v.unsure = map[string]bool{}
		}
		for _, p := range all {
			v.unsure[p.Name] = true
		}
		return err
	}
	clear(v.unsure)
	return nil
}
