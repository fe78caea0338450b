// Package query carries out CQL statements.
//
// An Executor serves all clients of one node; each client has a Session. A statement is parsed
// and planned (package plan), its plan is kept under its text, and carried out: modifications
// become mutations for the coordinator, reads become cursors, of the coordinator or, for the tables of the
// system, of package system, whose rows are encoded as the native protocol sends them. The embedded API
// and every wire protocol enter here.
//
// A plan belongs to one epoch of the schema. When the schema has changed, the statement is planned
// again when it is next used; it is not parsed again.
package query

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/trace"
)

// Options tunes an Executor. Zero fields take the default.
type Options struct {
	ReadTimeout  time.Duration // of reads of named partitions; default 5 s
	RangeTimeout time.Duration // of reads that scan partitions; default 10 s
	WriteTimeout time.Duration // default 2 s

	TruncateTimeout time.Duration // default 60 s
	RequestTimeout  time.Duration // of other changes of the schema; default 10 s

	BatchWarn int64 // size of a batch, in bytes, from which on there is a warning; 0 means never
	BatchFail int64 // and from which on it is refused; 0 means never

	TombstoneWarn int // tombstones passed by a read from which on there is a warning; 0 means never

	// What a SELECT may gather in memory, in bytes. Pages end early at PageBytes, default 8 MiB; a client that wants
	// all rows at once is refused beyond ResultBytes, default 64 MiB. A row of any size is returned alone.
	PageBytes, ResultBytes int64

	PlanCache int64 // bytes that cached plans may take, roughly; default 10 MiB

	Now func() time.Time // default time.Now
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&o.ReadTimeout, 5*time.Second)
	set(&o.RangeTimeout, 10*time.Second)
	set(&o.WriteTimeout, 2*time.Second)
	set(&o.TruncateTimeout, time.Minute)
	set(&o.RequestTimeout, 10*time.Second)
	o.PageBytes = cmp.Or(o.PageBytes, 8<<20)
	o.ResultBytes = cmp.Or(o.ResultBytes, 64<<20)
	o.PlanCache = cmp.Or(o.PlanCache, 10<<20)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// An Executor carries out statements. It is safe for concurrent use.
type Executor struct {
	log         *metadata.Log
	coordinator *coordinator.Coordinator
	system      *system.Tables
	opts        Options
	cache       *cache

	lastTimestamp atomic.Int64 // the newest write timestamp given out, microseconds
	lastTick      atomic.Int64 // the newest list position given out, units of 100 ns
	node          [6]byte      // random: makes list positions of different nodes different
	writers       sync.Pool    // of *writer
}

// New returns an Executor. Dependencies come first; everything tunable is in opts.
func New(log *metadata.Log, c *coordinator.Coordinator, tables *system.Tables, opts Options) *Executor {
	opts = opts.withDefaults()
	e := &Executor{log: log, coordinator: c, system: tables, opts: opts, cache: newCache(opts.PlanCache)}
	for i := range e.node {
		e.node[i] = byte(rand.Uint32())
	}
	e.node[0] |= 1 // as RFC 4122 asks of addresses that are not a network card's
	e.writers.New = func() any { return newWriter(e) }
	return e
}

// Schema returns the schema that statements are planned in now.
func (e *Executor) Schema() *schema.Schema { return e.log.Schema() }

// A Session carries out the statements of one client. It is safe for concurrent use.
type Session struct {
	executor *Executor
	keyspace atomic.Pointer[string]
}

// Caches describes the executor's caches, for system_views.caches.
func (e *Executor) Caches() []system.Cache { return []system.Cache{e.cache.stats("statements")} }

// NewSession returns a session without a keyspace.
func (e *Executor) NewSession() *Session {
	s := &Session{executor: e}
	s.keyspace.Store(new(string))
	return s
}

// NewSessionIn returns a session with a keyspace, which need not exist.
func (e *Executor) NewSessionIn(keyspace string) *Session {
	s := &Session{executor: e}
	s.keyspace.Store(&keyspace)
	return s
}

// Keyspace returns what USE has set, or an empty string.
func (s *Session) Keyspace() string { return *s.keyspace.Load() }

// Parameters are what a client sends beside a statement.
type Parameters struct {
	Values      []plan.Value // one for each bind marker
	Consistency consistency.Level
	Serial      consistency.Level // of what a conditional statement looks at; 0 means Serial
	PageSize    int               // rows of a page; 0 means all rows at once
	PagingState []byte            // of the page before; nil for the first
	Timestamp   Optional          // default write timestamp, microseconds since the epoch, instead of that of the node's clock
	Now         Optional          // the client's time, seconds since the epoch, by which values expire, instead of the node's
	Unlogged    bool              // of ExecuteBatch: the batch need not be all or nothing if a node fails halfway
	Trace       *trace.Trace      // is told what happens; nil for nearly all requests
	Memory      []byte            // where the rows of the result may be put, beyond its length; it may be nil
}

// An Optional is a number that may not be given. Any number may be given, also zero.
type Optional struct {
	Set   bool
	Value int64
}

// Given returns an Optional that is n.
func Given(n int64) Optional { return Optional{Set: true, Value: n} }

// now returns the time, in seconds since the epoch, by which a request judges what has expired.
func (e *Executor) now(p *Parameters) int64 {
	if p.Now.Set {
		return p.Now.Value
	}
	return e.opts.Now().Unix()
}

// A Prepared statement can be carried out many times. It is safe for concurrent use, and stays
// usable when the schema changes.
type Prepared struct {
	executor  *Executor
	keyspace  string
	statement *statement
}

// Prepare parses and plans a statement.
func (s *Session) Prepare(text string) (*Prepared, error) { return s.PrepareTraced(nil, text) }

// PrepareTraced is Prepare, and tells t what happens. t may be nil.
func (s *Session) PrepareTraced(t *trace.Trace, text string) (*Prepared, error) {
	p := &Prepared{executor: s.executor, keyspace: s.Keyspace()}
	var err error
	if p.statement, err = s.executor.statement(t, p.keyspace, text); err != nil {
		return nil, err
	}
	_, err = p.PlanTraced(t)
	return p, err
}

// Plan returns the statement's plan in the present schema.
func (p *Prepared) Plan() (plan.Plan, error) { return p.PlanTraced(nil) }

// PlanTraced is Plan, and tells t if the plan has to be made. t may be nil.
func (p *Prepared) PlanTraced(t *trace.Trace) (plan.Plan, error) {
	return p.executor.plan(t, p.keyspace, p.statement)
}

// Execute carries out a statement given by its text.
func (s *Session) Execute(ctx context.Context, text string, parameters *Parameters) (*Result, error) {
	keyspace := s.Keyspace()
	statement, err := s.executor.statement(parameters.Trace, keyspace, text)
	if err != nil {
		return nil, err
	}
	p, err := s.executor.plan(parameters.Trace, keyspace, statement)
	if err != nil {
		return nil, err
	}
	if len(parameters.Values) != len(p.Markers()) {
		return nil, schema.Invalid("Invalid amount of bind variables")
	}
	return s.run(ctx, keyspace, p, parameters)
}

// ExecutePrepared carries out a prepared statement.
func (s *Session) ExecutePrepared(ctx context.Context, p *Prepared, parameters *Parameters) (*Result, error) {
	planned, err := p.PlanTraced(parameters.Trace)
	if err != nil {
		return nil, err
	}
	return s.run(ctx, p.keyspace, planned, parameters)
}

// statement returns a parsed statement, from the cache if it is there.
func (e *Executor) statement(t *trace.Trace, keyspace, text string) (*statement, error) {
	if s := e.cache.get(keyspace, text); s != nil {
		t.Add("Statement was parsed before: taken from the cache")
		return s, nil
	}
	if t.On() {
		t.Add("Parsing %s", text)
	}
	parsed, err := grammar.Parse(text)
	if err != nil {
		return nil, err
	}
	return e.cache.put(keyspace, text, &statement{parsed: parsed}), nil
}

// plan returns the plan of a statement in the present schema.
func (e *Executor) plan(t *trace.Trace, keyspace string, s *statement) (plan.Plan, error) {
	now := e.log.Schema()
	if p := s.planned.Load(); p != nil && p.epoch == now.Epoch {
		return p.plan, nil
	}
	t.Add("Preparing statement")
	p, err := plan.Make(e.system.Catalog(now), keyspace, s.parsed)
	if err != nil {
		return nil, err
	}
	s.planned.Store(&planned{epoch: now.Epoch, plan: p})
	return p, nil
}

func (s *Session) run(ctx context.Context, keyspace string, p plan.Plan, parameters *Parameters) (*Result, error) {
	if err := checkValues(p.Markers(), parameters); err != nil {
		return nil, err
	}
	e := s.executor
	switch p := p.(type) {
	case *plan.Select:
		return e.read(ctx, p, parameters)
	case *plan.Modify:
		return e.modify(ctx, p, parameters)
	case *plan.Batch:
		return e.batch(ctx, p, parameters)
	case *plan.Use:
		s.keyspace.Store(&p.Keyspace)
		return &Result{Kind: SetKeyspace, Keyspace: p.Keyspace}, nil
	case *plan.Define:
		return e.define(ctx, keyspace, p, parameters.Trace)
	case *plan.Describe:
		return e.describe(p, parameters)
	case *plan.Explain:
		return explain(p), nil
	default:
		return nil, schema.Invalid("%T cannot be carried out", p)
	}
}

// checkValues refuses values that do not fit the bind markers.
func checkValues(markers []plan.Spec, parameters *Parameters) error {
	if len(parameters.Values) != len(markers) {
		return schema.Invalid("there were %d markers(?) in CQL but %d bound variables", len(markers), len(parameters.Values))
	}
	for i, v := range parameters.Values {
		if v.Bytes == nil {
			continue
		}
		if err := markers[i].Validate(v.Bytes); err != nil {
			return schema.Invalid("%s", err)
		}
	}
	return nil
}

// define changes the schema.
func (e *Executor) define(ctx context.Context, keyspace string, p *plan.Define, t *trace.Trace) (*Result, error) {
	timeout := e.opts.RequestTimeout
	if _, ok := p.Statement.(*ast.Truncate); ok {
		timeout = e.opts.TruncateTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t.Add("Proposing a change of the schema")
	now := e.opts.Now()
	event, err := e.log.Propose(ctx, metadata.Change{
		Keyspace:  keyspace,
		Statement: p.Statement,
		TableID:   e.timeUUID(now),
		Timestamp: e.timestamp(),
	})
	if err != nil {
		return nil, err
	}
	t.Add("The change is durable and in force")
	if event == nil {
		return &Result{Kind: Void}, nil
	}
	result := &Result{Kind: SchemaChange, Event: event}
	if event.Target == metadata.Keyspace && event.Change != metadata.Dropped {
		result.Warnings = e.coordinator.ReplicationWarnings(e.Schema().Keyspace(event.Keyspace))
	}
	return result, nil
}
