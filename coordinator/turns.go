package coordinator

import (
	"context"
	"sync"
)

// turns let the transactions of one node on a partition take turns, so that only those of different nodes get into each
// other's way.
type turns struct {
	mu      sync.Mutex
	waiting map[string]*turn // by table and partition
}

// A turn is what the transactions of one partition wait for.
type turn struct {
	free  chan struct{} // holds one value while somebody has it
	users int           // that have it or wait for it
}

// take waits for the turn of a partition. The caller must call give, unless there is an error: that of ctx.
func (t *turns) take(ctx context.Context, key string) (give func(), err error) {
	t.mu.Lock()
	if t.waiting == nil {
		t.waiting = map[string]*turn{}
	}
	own := t.waiting[key]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		t.waiting[key] = own
	}
	own.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(t.waiting, key)
		}
	}
	select {
	case own.free <- struct{}{}:
		return func() { <-own.free; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
