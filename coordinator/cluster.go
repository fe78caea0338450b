package coordinator

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
)

// A Cluster tells the coordinator which nodes there are. Its methods are called by every request, and
// concurrently.
type Cluster interface {
	// Self returns the id of the node that the coordinator runs on.
	Self() ring.HostID
	// Topology returns the newest topology. It changes only by being another one.
	Topology() *ring.Topology
	// IsAlive reports whether a node is thought to be alive.
	IsAlive(ring.HostID) bool
}

// Alone is the Cluster of a node that has no others.
type Alone struct {
	self     ring.HostID
	topology *ring.Topology
}

// NewAlone returns the cluster that consists of e. The error says that e cannot be a node.
func NewAlone(e ring.Endpoint) (*Alone, error) {
	t, err := ring.New(e)
	return &Alone{self: e.ID, topology: t}, err
}

// Self returns the id of the node.
func (a *Alone) Self() ring.HostID { return a.self }

// Topology returns the topology that has the one node.
func (a *Alone) Topology() *ring.Topology { return a.topology }

// IsAlive reports whether id is the node itself.
func (a *Alone) IsAlive(id ring.HostID) bool { return id == a.self }

// placements keeps the placement of each keyspace for the newest topology. Reading takes no lock.
type placements struct {
	cluster Cluster
	mu      sync.Mutex // for making the next world
	world   atomic.Pointer[world]
}

// A world is a topology and what follows from it. It never changes.
type world struct {
	topology   *ring.Topology
	datacenter string // of this node
	keyspaces  map[string]placed
}

// placed is the placement of a keyspace. A keyspace that is changed is another one, but mostly with
// the same replication.
type placed struct {
	keyspace  *schema.Keyspace
	placement *ring.Placement
}

func (p placed) serves(k *schema.Keyspace) bool {
	return p.keyspace == k || p.keyspace.Replication.Class == k.Replication.Class &&
		maps.Equal(p.keyspace.Replication.Options, k.Replication.Options)
}

// maxPlaced bounds how many placements of dropped keyspaces can pile up.
const maxPlaced = 1000

// of returns the placement of a keyspace and the datacenter of this node.
func (p *placements) of(k *schema.Keyspace) (placement *ring.Placement, datacenter string, err error) {
	topology := p.cluster.Topology()
	if w := p.world.Load(); w != nil && w.topology == topology {
		if found, ok := w.keyspaces[k.Name]; ok && found.serves(k) {
			return found.placement, w.datacenter, nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := &world{topology: topology, keyspaces: map[string]placed{}}
	if e := topology.Endpoint(p.cluster.Self()); e != nil {
		next.datacenter = e.Datacenter
	}
	if w := p.world.Load(); w != nil && w.topology == topology && len(w.keyspaces) < maxPlaced {
		maps.Copy(next.keyspaces, w.keyspaces)
	}
	made, err := p.place(next, k)
	if err != nil {
		return nil, "", err
	}
	next.keyspaces[k.Name] = placed{k, made}
	p.world.Store(next)
	return made, next.datacenter, nil
}

// place returns the placement of another keyspace with the same replication, or makes one.
func (p *placements) place(w *world, k *schema.Keyspace) (*ring.Placement, error) {
	for _, other := range w.keyspaces {
		if other.serves(k) {
			return other.placement, nil
		}
	}
	replication, err := ring.ParseReplication(k.Replication.Class, k.Replication.Options)
	if err != nil {
		return nil, err
	}
	return ring.NewPlacement(w.topology, replication, p.cluster.Self()), nil
}
