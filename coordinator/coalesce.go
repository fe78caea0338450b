package coordinator

import (
	"sync"

	"github.com/iliumdb/ilium/storage"
)

// flights let identical reads of other replicas be carried out once for many. A read that arrives while an identical
// one is under way must not take that one's answer, which may be older than a write that was acknowledged in
// between. It waits, and those that arrive meanwhile with it: then one of them reads for all. However many clients want a
// hot partition, two reads of it are under way or waiting at each node.
type flights struct {
	mu      sync.Mutex
	current map[string]*flight // by request
}

// A flight is a read that is under way, or the next one.
type flight struct {
	done  chan struct{}
	block []byte  // what it has read; nil if that cannot be shared
	next  *flight // of those who wait for this one to end
}

// result is what a read of a block has given. The block is nil if entries are merged from several: they belong to one
// cursor.
type result struct {
	entries *storage.Entries
	block   []byte
}

// do carries out a read, or waits for another one that begins after the call and takes its block. Errors are not
// shared.
func (f *flights) do(key string, read func() (result, error)) (*storage.Entries, error) {
	f.mu.Lock()
	if f.current == nil {
		f.current = map[string]*flight{}
	}
	before := f.current[key]
	if before == nil {
		own := &flight{done: make(chan struct{})}
		f.current[key] = own
		f.mu.Unlock()
		return f.fly(key, own, read)
	}
	own, leads := before.next, false
	if own == nil {
		own, leads = &flight{done: make(chan struct{})}, true
		before.next = own
	}
	f.mu.Unlock()
	if leads {
		<-before.done // its deadline is not later than ours
		return f.fly(key, own, read)
	}
	<-own.done
	if own.block != nil {
		return storage.BlockEntries(own.block), nil
	}
	got, err := read()
	return got.entries, err
}

// fly carries out a read for all that wait for it.
func (f *flights) fly(key string, own *flight, read func() (result, error)) (*storage.Entries, error) {
	defer func() { // also if it panics
		f.mu.Lock()
		defer f.mu.Unlock()
		if own.next != nil {
			f.current[key] = own.next
		} else {
			delete(f.current, key)
		}
		close(own.done)
	}()
	got, err := read()
	if err == nil {
		own.block = got.block
	}
	return got.entries, err
}
