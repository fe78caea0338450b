package node

import (
	"context"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator"
)

// A replay carries out batches whose coordinators have failed, from time to time.
type replay struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (r *replay) start(c *cluster) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.running.Go(func() {
		tick := time.NewTicker(coordinator.ReplayInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			done, err := c.node.coordinator.ReplayBatches(ctx)
			if err != nil && ctx.Err() == nil {
				c.node.opts.Log.Warn("batches of failed coordinators are not complete yet", "error", err)
			}
			if done > 0 {
				c.node.opts.Log.Info("completed batches of failed coordinators", "batches", done)
			}
		}
	})
}

func (r *replay) close() {
	if r.cancel != nil {
		r.cancel()
		r.running.Wait()
	}
}
