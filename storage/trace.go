package storage

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// ApplyTraced is Apply, and tells t what happens. t may be nil.
func (e *Engine) ApplyTraced(ctx context.Context, t *trace.Trace, mutations ...*row.Mutation) error {
	return e.apply(ctx, t, mutations)
}

// trace adds an event to the traces of all requests of a group.
func (g *group) trace(format string, args ...any) {
	for _, r := range g.requests {
		r.trace.AddIn("committer", format, args...)
	}
}

// traceSending notes that a group is about to be handed to Badger, whose log it goes to.
func (g *group) traceSending() {
	if g.traced {
		g.sent = time.Now()
		g.trace("Appending to commitlog in a group of %d writes: %d entries, %d bytes", len(g.requests), len(g.entries), g.bytes())
	}
}

// traceWritten notes what has become of a group.
func (c *committer) traceWritten(g *group, err error) {
	switch {
	case err != nil:
		g.trace("Commit failed: %s", err)
	case g.seq == 0:
		g.trace("Nothing to commit")
	case c.engine.opts.Sync == SyncPeriodic:
		g.trace("Commit %d appended within %s, not synced yet (commitlog_sync: periodic)", g.seq, time.Since(g.sent))
	default:
		g.trace("Commit %d appended and synced to disk within %s", g.seq, time.Since(g.sent))
	}
}
