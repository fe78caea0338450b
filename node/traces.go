package node

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// traceTimeout is how long other nodes may take to say what they keep of a traced request.
const traceTimeout = time.Second

// otherTrace asks all other nodes for a traced request. The one that has coordinated it keeps it.
func (c *cluster) otherTrace(id cqltype.UUID) (system.TraceSession, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), traceTimeout)
	defer cancel()
	live := c.live()
	answers := make(chan *system.TraceSession, len(live))
	for _, other := range live {
		go func() {
			a, err := c.askMembership(ctx, other, membershipQuestion{Trace: &id})
			if err != nil {
				a.Trace = nil
			}
			answers <- a.Trace
		}()
	}
	var found *system.TraceSession
	for range live { // all, so that nothing runs on
		if s := <-answers; s != nil {
			found = s
			cancel()
		}
	}
	if found == nil {
		return system.TraceSession{}, false
	}
	return *found, true
}
