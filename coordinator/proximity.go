package coordinator

import (
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// Proximity knows which replicas answer soon.
type Proximity interface {
	// Sort puts the nearest replicas first.
	Sort(replicas []*ring.Endpoint)
	// Record tells how long a replica took to answer a read of a table.
	Record(id ring.HostID, t *schema.Table, took time.Duration)
	// Patience returns how long a replica may take for a read of a table before another one is asked;
	// false if none is to be asked.
	Patience(t *schema.Table) (time.Duration, bool)
}

// inOrder leaves replicas in the order of the ring, and asks no others.
type inOrder struct{}

func (inOrder) Sort([]*ring.Endpoint)                            {}
func (inOrder) Record(ring.HostID, *schema.Table, time.Duration) {}
func (inOrder) Patience(*schema.Table) (time.Duration, bool)     { return 0, false }
