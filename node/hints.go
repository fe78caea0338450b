package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

// giveTries is how often a node that leaves tries to hand its hints on. What is still there then is lost with it, as in
// Cassandra, and only repaired by reads.
const giveTries = 5

// giveHints hands the hints of this node, which leaves, to another one that keeps them for their endpoints.
func (c *cluster) giveHints(ctx context.Context) error {
	if c.hints == nil {
		return nil
	}
	for try := 0; ; try++ {
		var errs []error
		for _, p := range c.hints.Pending() {
			if c.log.Topology().Endpoint(p.To) != nil {
				errs = append(errs, c.giveHintsFor(ctx, p.To))
			}
		}
		err := errors.Join(errs...)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case try == giveTries:
			c.node.opts.Log.Warn("hints are lost with the node that leaves", "error", err)
			return nil
		}
		select {
		case <-time.After(leaveAsk):
		case <-ctx.Done():
		}
	}
}

// giveHintsFor hands the hints for an endpoint to a node that lives, if possible another one than the endpoint: that gets them
// from there at its own pace.
func (c *cluster) giveHintsFor(ctx context.Context, to ring.HostID) error {
	keeper := to
	for _, id := range c.live() {
		if id != to {
			keeper = id
			break
		}
	}
	return c.hints.Transfer(ctx, to, func(body []byte, expires time.Time, done func(error)) {
		kept := binary.BigEndian.AppendUint64(append(make([]byte, 0, len(to)+8+len(body)), to[:]...), uint64(expires.UnixNano()))
		kept = append(kept, body...)
		verb := peer.VerbKeepHint
		if keeper == to {
			verb, kept = peer.VerbHint, body
		}
		c.hub.Send(keeper, verb, time.Now().Add(hintTimeout), kept, func(_ []byte, err error) { done(err) })
	})
}

// keepHint keeps a hint of a node that leaves.
func (c *cluster) keepHint(ctx context.Context, r *peer.Request) ([]byte, error) {
	var to ring.HostID
	if len(r.Body) < len(to)+8 {
		return nil, fmt.Errorf("a hint of %d bytes", len(r.Body))
	}
	if c.hints == nil {
		return nil, errors.New("this node keeps no hints")
	}
	rest := r.Body[copy(to[:], r.Body):]
	expires := time.Unix(0, int64(binary.BigEndian.Uint64(rest)))
	return nil, c.hints.AddDurable(ctx, to, rest[8:], expires)
}
