package node

import (
	"context"
	"sync"

	"github.com/iliumdb/ilium/metadata"
)

// epochs let requests wait for a newer schema.
type epochs struct {
	mu    sync.Mutex
	moved chan struct{} // closed when the schema changes; nil if nobody waits
}

func (e *epochs) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.moved != nil {
		close(e.moved)
		e.moved = nil
	}
}

// await returns when the schema of log has an epoch at least, or ctx has ended.
func (e *epochs) await(ctx context.Context, log *metadata.Log, epoch uint64) error {
	for {
		e.mu.Lock()
		if e.moved == nil {
			e.moved = make(chan struct{})
		}
		moved := e.moved
		e.mu.Unlock()
		if log.Schema().Epoch >= epoch {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
