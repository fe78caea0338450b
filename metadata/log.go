package metadata

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

// A Store keeps named values durably. *storage.Engine is one.
type Store interface {
	// Put stores all values or none, and returns when they are on disk.
	Put(ctx context.Context, puts ...storage.Put) error
	// Values visits the values whose names start with prefix.
	Values(prefix string, visit func(name string, value []byte) error) error
	// Reclaim asks for the data of tables that no longer exist to be removed.
	Reclaim()
}

// Options configures a Log. Zero fields take the default.
type Options struct {
	DefaultReplicationFactor int      // default_keyspace_rf; default 1
	Datacenters              []string // of a node alone; default datacenter1. A cluster has those of its nodes

	// OnChange is called after each change with the schema that was published and what drivers are to
	// be told, nil for TRUNCATE; in order, one at a time. The log waits for it: it must not propose. A node that was
	// far behind and gets the newest schema as a whole hears of each difference, with that schema.
	OnChange func(*schema.Schema, *Event)
	// OnTopology is called after each change of the ring, like OnChange.
	OnTopology func(*ring.Topology)

	// Cluster makes the node part of a cluster, or of what is to become one. nil: it is alone.
	Cluster *ClusterOptions
}

// A Log applies changes to the schema and the ring in order and keeps the result. Its methods may be called
// concurrently.
type Log struct {
	store   Store
	opts    Options
	current atomic.Pointer[state]
	cluster *cluster // nil: alone

	turn chan struct{} // holds one element while a change is under way; guards unsure
	// unsure are the names of records that a failed Put may have stored all the same. The next Put
	// writes them too, lest what is stored be a mixture.
	unsure map[string]bool
}

// Open returns a log that goes on from what is in store. Alone it writes nothing. When the storage engine
// can ask for the log's schema, its Reclaim should be called once, for what a crash interrupted.
func Open(store Store, opts Options) (*Log, error) {
	s, mixture, err := loadState(store)
	if err != nil {
		return nil, err
	}
	l := &Log{store: store, opts: opts, turn: make(chan struct{}, 1), unsure: map[string]bool{}}
	for _, name := range mixture {
		l.unsure[name] = true
	}
	l.current.Store(s)
	switch {
	case opts.Cluster != nil:
		l.cluster, err = openCluster(l, *opts.Cluster)
	case s.isMember() || mixture != nil:
		err = &MemberError{"it cannot run alone"}
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Stop ends the log's part in the cluster and waits until nothing runs anymore. A log alone has nothing to stop.
func (l *Log) Stop() {
	if l.cluster != nil {
		l.cluster.close()
	}
}

// Schema returns the newest schema. It is immutable.
func (l *Log) Schema() *schema.Schema { return l.current.Load().schema }

// Topology returns the newest ring. It is empty as long as the node is not part of a cluster.
func (l *Log) Topology() *ring.Topology { return l.current.Load().topology }

// Propose applies c to the newest schema, stores the result durably and publishes it. It returns what
// Apply does. The replication factor and datacenters of c are filled in.
//
// Alone, an error of the store means that the schema is as before. ctx bounds the wait for changes that were
// proposed before. A change that has begun is finished: given up halfway, nobody could tell whether it was stored.
//
// In a cluster the change goes through the leader. When Propose returns, it is in force on this node and, unless ctx
// ends before that, on all that are up. A *NoLeaderError says that nothing was changed, an *UnknownOutcomeError that
// nobody can tell.
func (l *Log) Propose(ctx context.Context, c Change) (*Event, error) {
	if l.cluster != nil {
		c.DefaultReplicationFactor = l.opts.DefaultReplicationFactor
		return l.cluster.propose(ctx, &entry{change: &c})
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.DefaultReplicationFactor, c.Datacenters = l.opts.DefaultReplicationFactor, l.opts.Datacenters
	before := l.current.Load()
	after := *before
	var event *Event
	var err error
	after.schema, event, err = Apply(before.schema, c)
	if err != nil || after.schema == before.schema {
		return nil, err
	}
	if err := l.put(context.WithoutCancel(ctx), before, &after); err != nil {
		return nil, fmt.Errorf("storing the schema: %w", err)
	}
	l.publish(before, &after, event)
	return event, nil
}

// publish makes a state that is stored the current one.
func (l *Log) publish(before, after *state, events ...*Event) {
	l.current.Store(after)
	if after.schema != before.schema {
		if freesTable(before.schema, after.schema) {
			l.store.Reclaim()
		}
		for _, e := range events {
			if l.opts.OnChange != nil {
				l.opts.OnChange(after.schema, e)
			}
		}
	}
	if after.topology != before.topology && l.opts.OnTopology != nil {
		l.opts.OnTopology(after.topology)
	}
}

// batchBytes is how much is stored at once. It is below what the smallest engine can take.
const batchBytes = 256 << 10

// put stores what makes the stored state equal to after.
func (l *Log) put(ctx context.Context, before, after *state) error {
	puts := after.diff(before)
	partial := l.unsure[partialRecord]
	if len(l.unsure) > 0 {
		puts = l.withUnsure(puts, after)
	}
	batches := [][]storage.Put{puts}
	if l.cluster != nil { // alone there is no log that would bring the node out of a mixture
		batches = split(puts)
	}
	for i, batch := range batches {
		switch last := i == len(batches)-1; {
		case !last:
			batch = append(slices.Clip(batch), storage.Put{Name: partialRecord, Value: []byte{stateFormat}})
			partial = true
		case partial:
			batch = append(slices.Clip(batch), storage.Put{Name: partialRecord})
		}
		if err := l.store.Put(ctx, batch...); err != nil {
			for _, p := range puts {
				l.unsure[p.Name] = true
			}
			l.unsure[partialRecord] = l.unsure[partialRecord] || partial
			return err
		}
	}
	clear(l.unsure)
	return nil
}

// split divides puts into those that are stored at once.
func split(puts []storage.Put) (batches [][]storage.Put) {
	size, begin := 0, 0
	for i, p := range puts {
		n := len(p.Name) + len(p.Value)
		if size += n; size > batchBytes && i > begin {
			batches = append(batches, puts[begin:i])
			size, begin = n, i
		}
	}
	return append(batches, puts[begin:])
}

// withUnsure adds to puts those values of after that may not be stored as they are thought to be.
func (l *Log) withUnsure(puts []storage.Put, after *state) []storage.Put {
	missing := map[string]bool{}
	for name := range l.unsure {
		missing[name] = name != partialRecord
	}
	for _, p := range puts {
		delete(missing, p.Name)
	}
	for _, p := range after.diff(emptyState()) {
		if missing[p.Name] {
			puts = append(puts, p)
			delete(missing, p.Name)
		}
	}
	for name, gone := range missing {
		if gone {
			puts = append(puts, storage.Put{Name: name})
		}
	}
	return puts
}

// freesTable reports whether a table incarnation of before is not in after.
func freesTable(before, after *schema.Schema) bool {
	for k := range before.Keyspaces() {
		for t := range k.Tables() {
			if after.TableOf(t.Incarnation) == nil {
				return true
			}
		}
	}
	return false
}
