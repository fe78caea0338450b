package cql

import (
	"crypto/md5"
	"io"
	"sync"
	"sync/atomic"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A statementID is what clients call a prepared statement: the MD5 of keyspace and text, as in Cassandra.
// All nodes give a statement the same one.
type statementID [md5.Size]byte

// A preparedCache keeps the statements that clients have prepared, within a bound on their memory. Which one
// goes is decided by a clock: it passes over all, and takes one that was not used since it came by.
// A lookup, which every EXECUTE does, therefore changes nothing but a bit.
type preparedCache struct {
	limit int64

	mu    sync.RWMutex
	size  int64
	byID  map[statementID]*preparedEntry
	ring  []*preparedEntry
	clock int // index in ring
}

// A preparedEntry is a prepared statement.
type preparedEntry struct {
	id        statementID
	statement *query.Prepared
	text      string
	used      atomic.Bool

	described atomic.Pointer[description] // newest
	announced atomic.Pointer[description] // what was last the answer to a PREPARE
}

func newPreparedCache(limit int64) *preparedCache {
	return &preparedCache{limit: limit, byID: make(map[statementID]*preparedEntry)}
}

// get returns a statement, or nil if it is not prepared.
func (c *preparedCache) get(id []byte) *preparedEntry {
	if len(id) != len(statementID{}) {
		return nil
	}
	c.mu.RLock()
	e := c.byID[statementID(id)]
	c.mu.RUnlock()
	if e != nil && !e.used.Load() {
		e.used.Store(true)
	}
	return e
}

// prepare returns the entry of a statement. keyspace is that of unqualified names.
func (c *preparedCache) prepare(t *trace.Trace, session *query.Session, text string) (*preparedEntry, error) {
	id := idOf(session.Keyspace(), text)
	if e := c.get(id[:]); e != nil {
		t.Add("Statement was prepared before")
		_, err := e.statement.PlanTraced(t) // what it was made for may be gone
		return e, err
	}
	statement, err := session.PrepareTraced(t, text)
	if err != nil {
		return nil, err
	}
	e := &preparedEntry{id: id, statement: statement, text: text}
	if e.size() > c.limit {
		return nil, schema.Invalid("Prepared statement of size %d bytes is larger than allowed maximum of %d bytes: %.200s...",
			e.size(), c.limit, text)
	}
	return c.put(e), nil
}

func idOf(keyspace, text string) (id statementID) {
	h := md5.New()
	for _, s := range []string{keyspace, text} {
		if _, err := io.WriteString(h, s); err != nil {
			panic(err) // a hash takes everything
		}
	}
	h.Sum(id[:0])
	return id
}

// size estimates the memory of a statement, its tree, its plan and its description.
func (e *preparedEntry) size() int64 { return 4<<10 + 24*int64(len(e.text)) }

// put adds e, and returns it or the one that another goroutine has added meanwhile.
func (c *preparedCache) put(e *preparedEntry) *preparedEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.byID[e.id]; other != nil {
		return other
	}
	for c.size+e.size() > c.limit && len(c.ring) > 0 {
		c.evict()
	}
	e.used.Store(true) // it will be
	c.size += e.size()
	c.byID[e.id] = e
	c.ring = append(c.ring, e)
	return e
}

// evict removes the next statement that was not used for a round.
func (c *preparedCache) evict() {
	for {
		c.clock %= len(c.ring)
		e := c.ring[c.clock]
		if e.used.Swap(false) {
			c.clock++
			continue
		}
		last := len(c.ring) - 1
		c.ring[c.clock], c.ring[last] = c.ring[last], nil
		c.ring = c.ring[:last]
		c.clock++ // the one moved here is among the youngest
		delete(c.byID, e.id)
		c.size -= e.size()
		return
	}
}

// A description says what a statement takes and returns, in one schema.
type description struct {
	plan         plan.Plan
	source       []plan.Spec // of columns
	columns      []frame.Column
	id           statementID // of columns
	markers      []frame.Column
	partitionKey []uint16
}

// describe returns the description of the statement's plan p.
func (e *preparedEntry) describe(p plan.Plan) *description {
	if d := e.described.Load(); d != nil && d.plan == p {
		return d
	}
	d := &description{plan: p, markers: columns(p.Markers())}
	if s, ok := p.(*plan.Select); ok {
		d.source = s.Columns
		d.columns = columns(d.source)
	}
	d.id = idOfColumns(d.columns)
	for _, i := range plan.PartitionKeyMarkers(p) {
		d.partitionKey = append(d.partitionKey, uint16(i))
	}
	e.described.Store(d)
	return d
}

// columnsOf returns the columns of rows and their id. They are those of d unless the schema has changed
// since, or the statement is of a kind that tells its columns with its rows.
func (d *description) columnsOf(specs []plan.Spec) ([]frame.Column, statementID) {
	if len(specs) == len(d.source) && len(specs) > 0 && &specs[0] == &d.source[0] {
		return d.columns, d.id
	}
	out := columns(specs)
	return out, idOfColumns(out)
}

func columns(specs []plan.Spec) []frame.Column {
	out := make([]frame.Column, len(specs))
	for i, s := range specs {
		out[i] = frame.Column{Keyspace: s.Keyspace, Table: s.Table, Name: s.Name, Type: s.Type}
	}
	return out
}

func idOfColumns(columns []frame.Column) statementID {
	var b []byte
	for _, c := range columns {
		for _, part := range []string{c.Keyspace, c.Table, c.Name, c.Type.String()} {
			b = append(append(b, part...), 0)
		}
	}
	return md5.Sum(b)
}

// prepareStatement carries out PREPARE or hands it over.
func (c *connection) prepareStatement(f frame.Frame, body []byte) error {
	if len(body) > longText {
		return c.handOver(f, body, nil)
	}
	r := c.inline
	r.begin(c, f.Header)
	if err := r.prepare.Decode(body, f.Version); err != nil {
		return err
	}
	r.runPrepare()
	return nil
}

// runPrepare carries out PREPARE.
func (r *request) runPrepare() {
	e, err := r.server.prepared.prepare(r.trace, r.session(r.prepare.Keyspace), r.prepare.Text)
	if err != nil {
		r.refuse(err)
		return
	}
	p, err := e.statement.Plan()
	if err != nil {
		r.refuse(err)
		return
	}
	d := e.describe(p)
	e.announced.Store(d)
	r.answer(&frame.Prepared{
		ID: e.id[:], ResultMetadataID: d.id[:], Markers: d.markers, PartitionKey: d.partitionKey,
		Result: frame.Metadata{Columns: d.columns, NoMetadata: len(d.columns) == 0},
	}, nil)
}
