package metadata

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

// recordPrefix is in front of the names of schema records in storage.
const recordPrefix = "schema/"

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
	Datacenters              []string // default datacenter1

	// OnChange is called after each change with the schema that was published and what drivers are to
	// be told, nil for TRUNCATE; in order, one at a time. The log waits for it: it must not propose.
	OnChange func(*schema.Schema, *Event)
}

// A Log applies changes to the schema in order and keeps the result. Its methods may be called
// concurrently.
type Log struct {
	store   Store
	opts    Options
	current atomic.Pointer[schema.Schema]

	turn chan struct{} // holds one element while a change is under way; guards unsure
	// unsure are the names of records that a failed Put may have stored all the same. The next Put
	// writes them too, lest what is stored be a mixture.
	unsure map[string]bool
}

// Open returns a log that goes on from the schema in store. It writes nothing. When the storage engine
// can ask for the log's schema, its Reclaim should be called once, for what a crash interrupted.
func Open(store Store, opts Options) (*Log, error) {
	var records []schema.Record
	err := store.Values(recordPrefix, func(name string, value []byte) error {
		records = append(records, schema.Record{Name: strings.TrimPrefix(name, recordPrefix), Value: value})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the stored schema: %w", err)
	}
	s, err := schema.Load(records)
	if err != nil {
		return nil, err
	}
	l := &Log{store: store, opts: opts, turn: make(chan struct{}, 1), unsure: map[string]bool{}}
	l.current.Store(s)
	return l, nil
}

// Schema returns the newest schema. It is immutable.
func (l *Log) Schema() *schema.Schema { return l.current.Load() }

// Propose applies c to the newest schema, stores the result durably and publishes it. It returns what
// Apply does; an error of the store means that the schema is as before. The replication factor and
// datacenters of c are those of the log's options.
//
// ctx bounds the wait for changes that were proposed before. A change that has begun is finished:
// given up halfway, nobody could tell whether it was stored.
func (l *Log) Propose(ctx context.Context, c Change) (*Event, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.DefaultReplicationFactor, c.Datacenters = l.opts.DefaultReplicationFactor, l.opts.Datacenters
	before := l.Schema()
	after, event, err := Apply(before, c)
	if err != nil || after == before {
		return nil, err
	}
	if err := l.put(context.WithoutCancel(ctx), before, after); err != nil {
		return nil, fmt.Errorf("storing the schema: %w", err)
	}
	l.current.Store(after)
	if freesTable(before, after) {
		l.store.Reclaim()
	}
	if l.opts.OnChange != nil {
		l.opts.OnChange(after, event)
	}
	return event, nil
}

// put stores what makes the stored schema equal to after.
func (l *Log) put(ctx context.Context, before, after *schema.Schema) error {
	records := after.Diff(before)
	if len(l.unsure) > 0 {
		records = l.withUnsure(records, after)
	}
	puts := make([]storage.Put, len(records))
	for i, r := range records {
		puts[i] = storage.Put{Name: recordPrefix + r.Name, Value: r.Value}
	}
	if err := l.store.Put(ctx, puts...); err != nil {
		for _, r := range records {
			l.unsure[r.Name] = true
		}
		return err
	}
	clear(l.unsure)
	return nil
}

// withUnsure adds to records those of after that may not be stored as they are thought to be.
func (l *Log) withUnsure(records []schema.Record, after *schema.Schema) []schema.Record {
	missing := map[string]bool{}
	for name := range l.unsure {
		missing[name] = true
	}
	for _, r := range records {
		delete(missing, r.Name)
	}
	for _, r := range after.Diff(schema.Empty()) {
		if missing[r.Name] {
			records = append(records, r)
			delete(missing, r.Name)
		}
	}
	for name := range missing {
		records = append(records, schema.Record{Name: name})
	}
	return records
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
