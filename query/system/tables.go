package system

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A Node is what does not change while a node runs.
type Node struct {
	Cluster string
	Self    ring.HostID
	Started time.Time      // shown as the gossip generation, unless gossip tells one
	Listen  netip.AddrPort // where it listens for other nodes; default: where its endpoint says that they reach it

	Version string // of Ilium
}

// Sources are what the tables ask when they are read. Each may be nil, and is called concurrently.
type Sources struct {
	Topology func() *ring.Topology // default: the node alone, without tokens
	Peers    func() []Peer         // the nodes of the cluster; this one may be among them, and is not its own peer
	Hints    func() []PendingHint  // for other nodes, one for each that there are any for
	Settings func() []Setting      // in force; asked once
	Clients  func() []Client       // connected now
	Caches   func() []Cache        //
	Traces   *Traces               //

	// OtherTrace asks other nodes for a traced request, which this one did not coordinate: drivers look for it anywhere.
	OtherTrace func(id cqltype.UUID) (TraceSession, bool)
}

// A Setting is a row of system_views.settings.
type Setting struct{ Name, Value string }

// A Client is a connection, as system_views.clients shows it.
type Client struct {
	Address         netip.AddrPort
	Options         map[string]string // of STARTUP
	Stage           string            // of the connection: ready, or what is still to be done
	Driver, Version string            // empty if the client did not say
	Keyspace        string            // of USE; may be empty
	Protocol        int
	Requests        int64
	User            string
	TLSVersion      string // empty without TLS
	TLSCipher       string
}

// A Cache is a row of system_views.caches.
type Cache struct {
	Name           string
	Capacity, Size int64 // bytes
	Entries        int
	Hits, Misses   int64 // since the node started
}

// Tables are the tables of the system, of one node. They are safe for concurrent use.
type Tables struct {
	keyspaces map[string]*schema.Keyspace
	fills     map[*schema.Table]fill
	node      Node
	sources   Sources
	native    atomic.Pointer[netip.AddrPort]
	newest    atomic.Pointer[snapshot]
}

// A fill makes the rows of one table.
type fill struct {
	rows func(*filler)
	live bool // they change while the schema does not
}

// A filler is what rows are made of, and where they go.
type filler struct {
	*Tables
	rows

	snapshot *snapshot
	only     []byte // serialized key of the one partition that is wanted; nil for all
}

// New returns the tables of a node. The error says that their definitions are wrong.
func New(node Node, sources Sources) (*Tables, error) {
	keyspaces, err := makeKeyspaces()
	if err != nil {
		return nil, fmt.Errorf("the tables of the system: %w", err)
	}
	t := &Tables{keyspaces: keyspaces, fills: map[*schema.Table]fill{}, node: node, sources: sources}
	t.ServeAt(netip.AddrPortFrom(loopback(), 9042))
	for name, keyspace := range fills() {
		for table, f := range keyspace {
			t.fills[keyspaces[name].Table(table)] = f
		}
	}
	return t, nil
}

// ServeAt says where clients reach the node, which system.local tells them.
func (t *Tables) ServeAt(native netip.AddrPort) {
	t.native.Store(&native)
	t.newest.Store(nil)
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// topology returns the topology of now.
func (t *Tables) topology() *ring.Topology {
	if t.sources.Topology == nil {
		return &ring.Topology{}
	}
	return t.sources.Topology()
}

// Catalog returns what statements can name: what users have made, and the tables of the system.
func (t *Tables) Catalog(s *schema.Schema) Catalog { return Catalog{user: s, system: t.keyspaces} }

// Read returns a cursor over rows of one partition of a table of the system, as *storage.Engine does.
func (t *Tables) Read(s *schema.Schema, table *schema.Table, r *storage.Read) (*Cursor, error) {
	_, key, err := row.SplitPartition(r.Partition, nil)
	if err != nil {
		return nil, err
	}
	list, err := t.rows(s, table, key)
	if err != nil {
		return nil, err
	}
	return read(list, r), nil
}

// Scan returns a cursor over many partitions of a table of the system, as *storage.Engine does.
func (t *Tables) Scan(s *schema.Schema, table *schema.Table, r *storage.Scan) (*Cursor, error) {
	list, err := t.rows(s, table, nil)
	if err != nil {
		return nil, err
	}
	return scan(list, r), nil
}

// Version returns the version of a schema: the same for the same schema, on any node.
func (t *Tables) Version(s *schema.Schema) (cqltype.UUID, error) { return t.snapshot(s).version(t) }

// rows returns the sorted rows of a table; those of other partitions than only, if that is given, may be missing.
func (t *Tables) rows(s *schema.Schema, table *schema.Table, only []byte) ([]entry, error) {
	f := t.fills[table]
	now := t.snapshot(s)
	switch {
	case f.rows == nil:
		return nil, nil
	case !f.live:
		return now.rows(t, table)
	}
	filler := filler{Tables: t, rows: rows{table: table}, snapshot: now, only: only}
	f.rows(&filler)
	return filler.sorted()
}

// snapshot returns the snapshot of a schema, which is kept until another one is asked for.
func (t *Tables) snapshot(s *schema.Schema) *snapshot {
	if newest := t.newest.Load(); newest != nil && newest.schema == s {
		return newest
	}
	next := &snapshot{schema: s, made: map[*schema.Table][]entry{}}
	t.newest.Store(next)
	return next
}

// A snapshot keeps the rows that follow from one schema.
type snapshot struct {
	schema *schema.Schema

	mu   sync.Mutex
	made map[*schema.Table][]entry
	id   *cqltype.UUID
}

func (s *snapshot) rows(t *Tables, table *schema.Table) ([]entry, error) {
	s.mu.Lock()
	list, ok := s.made[table]
	s.mu.Unlock()
	if ok {
		return list, nil
	}
	filler := filler{Tables: t, rows: rows{table: table}, snapshot: s}
	t.fills[table].rows(&filler)
	list, err := filler.sorted()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.made[table] = list
	s.mu.Unlock()
	return list, nil
}

// version returns a hash of the rows of system_schema.
func (s *snapshot) version(t *Tables) (cqltype.UUID, error) {
	s.mu.Lock()
	id := s.id
	s.mu.Unlock()
	if id != nil {
		return *id, nil
	}
	var content []byte
	for table := range t.keyspaces["system_schema"].Tables() {
		if t.fills[table].rows == nil {
			continue
		}
		list, err := s.rows(t, table)
		if err != nil {
			return cqltype.UUID{}, err
		}
		for _, e := range list {
			content = appendEntry(content, e)
		}
	}
	made := nameUUID(content)
	s.mu.Lock()
	s.id = &made
	s.mu.Unlock()
	return made, nil
}

// appendEntry appends all of a row, in a form that no other row has.
func appendEntry(dst []byte, e entry) []byte {
	dst = cqltype.AppendElement(dst, e.key)
	dst = cqltype.AppendCount(dst, len(e.fragment.Cells))
	for _, cell := range e.fragment.Cells {
		dst = cqltype.AppendCount(dst, int(cell.Column))
		dst = cqltype.AppendElement(dst, cell.Path)
		dst = cqltype.AppendElement(dst, cell.Value)
	}
	return dst
}
