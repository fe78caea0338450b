package node

import (
	"context"
	"sync"
	"time"

	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// An agreement is what is known of which nodes have the schema that this one has. Gossip tells it too, but later than
// drivers look: right after each change of the schema they compare the versions of all nodes, and wait if they
// differ. The log knows at once: a node that has applied as much of it has the same schema.
type agreement struct {
	mu    sync.Mutex
	known map[ring.HostID]uint64 // the epoch of the schema that a node has at least
}

// agreementTimeout is how long a node may take to say what it has applied.
const agreementTimeout = 250 * time.Millisecond

func (a *agreement) has(id ring.HostID, epoch uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[id] >= epoch
}

func (a *agreement) note(id ring.HostID, epoch uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[ring.HostID]uint64{}
	}
	a.known[id] = max(a.known[id], epoch)
}

// settle asks the peers that gossip says have another schema than this node, and corrects those that have the same.
func (c *cluster) settle(peers []system.Peer) {
	s := c.log.Schema()
	own, err := c.node.system.Version(s)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), agreementTimeout)
	defer cancel()
	var asked sync.WaitGroup
	for i := range peers {
		switch p := &peers[i]; {
		case p.ID == c.self:
			p.SchemaVersion = own
		case p.Up && p.SchemaVersion != own:
			asked.Go(func() {
				if c.applied(ctx, p.ID, s) {
					p.SchemaVersion = own
				}
			})
		}
	}
	asked.Wait()
}

// applied reports whether another node has a schema, or a newer one.
func (c *cluster) applied(ctx context.Context, id ring.HostID, s *schema.Schema) bool {
	if c.agreement.has(id, s.Epoch) {
		return true
	}
	if c.log.AskApplied(ctx, id) != nil {
		return false
	}
	c.agreement.note(id, s.Epoch)
	return true
}
