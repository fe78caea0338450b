package cql

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// query carries out QUERY or hands it over.
func (c *connection) query(f frame.Frame, body []byte) error {
	if len(body) > longText {
		return c.handOver(f, body, nil)
	}
	r := c.inline
	r.begin(c, f.Header)
	if err := r.query.Decode(body, f.Version); err != nil {
		return err
	}
	statement, err := r.prepareQuery()
	if err != nil {
		r.refuse(err)
		return nil
	}
	if !r.isShort() {
		return c.handOver(f, body, nil)
	}
	r.run(statement, &r.query.Parameters)
	return nil
}

// prepareQuery parses and plans the text of a QUERY and takes over its parameters.
func (r *request) prepareQuery() (*query.Prepared, error) {
	statement, err := r.session(r.query.Keyspace).PrepareTraced(r.trace, r.query.Text)
	if err != nil {
		return nil, err
	}
	p, err := statement.Plan()
	if err != nil {
		return nil, err
	}
	if err := r.set(p, &r.query.Parameters); err != nil {
		return nil, err
	}
	if len(r.values) != len(p.Markers()) {
		return nil, schema.Invalid("Invalid amount of bind variables")
	}
	return statement, nil
}

// runQuery carries out a QUERY that was handed over.
func (r *request) runQuery() {
	statement, err := r.prepareQuery()
	if err != nil {
		r.refuse(err)
		return
	}
	r.run(statement, &r.query.Parameters)
}

// execute carries out EXECUTE or hands it over.
func (c *connection) execute(f frame.Frame, body []byte) error {
	r := c.inline
	r.begin(c, f.Header)
	id, ok := peekID(body)
	if !ok {
		return r.execute.Decode(body, f.Version) // says what is wrong
	}
	entry := c.server.prepared.get(id)
	if entry == nil {
		r.answer(unprepared(bytes.Clone(id)), nil)
		return nil
	}
	r.trace.Add("Executing prepared statement")
	p, err := entry.statement.PlanTraced(r.trace)
	if err != nil {
		r.refuse(err)
		return nil
	}
	if _, reads := p.(*plan.Select); !reads { // what writes needs not be taken apart twice
		return c.handOver(f, body, entry)
	}
	if err := r.execute.Decode(body, f.Version); err != nil {
		return err
	}
	if err := r.set(p, &r.execute.Parameters); err != nil {
		r.refuse(err)
		return nil
	}
	if !r.isShort() {
		return c.handOver(f, body, entry)
	}
	r.entry = entry
	r.run(entry.statement, &r.execute.Parameters)
	return nil
}

// runExecute carries out an EXECUTE that was handed over.
func (r *request) runExecute() {
	p, err := r.entry.statement.PlanTraced(r.trace)
	if err == nil {
		err = r.set(p, &r.execute.Parameters)
	}
	if err != nil {
		r.refuse(err)
		return
	}
	r.run(r.entry.statement, &r.execute.Parameters)
}

// isShort reports whether a request neither waits for anything nor takes long, so that those behind it may
// wait for it.
func (r *request) isShort() bool {
	switch p := r.plan.(type) {
	case *plan.Use, *plan.Explain:
		return true
	case *plan.Select:
		return !p.IsScan() && !p.HasIn() && (p.IsPoint() && !p.Filters() || r.isSlice(p))
	default:
		return false
	}
}

// isSlice reports whether a SELECT of one partition passes over few rows.
func (r *request) isSlice(p *plan.Select) bool {
	if p.Aggregate || p.Filters() || len(r.values) != len(p.Markers()) {
		return false
	}
	rows, _, err := p.Limits(&plan.Binding{Values: r.values})
	if size := r.parameters.PageSize; size > 0 && (rows == 0 || size < rows) {
		rows = size
	}
	return err == nil && 0 < rows && rows <= shortRead
}

// run carries out a statement and answers.
func (r *request) run(statement *query.Prepared, from *frame.Parameters) {
	if b, ok := r.plan.(*plan.Batch); ok {
		r.writeType = batchType(b.Unlogged)
	}
	if plan.IsConditional(r.plan) {
		r.writeType = frame.WriteCAS
	}
	result, err := r.carryOut(statement)
	if err != nil {
		r.body = nil // a write that has timed out may still use it
		r.refuse(err)
		return
	}
	r.answerResult(result, from)
}

func batchType(unlogged bool) string {
	if unlogged {
		return frame.WriteUnloggedBatch
	}
	return frame.WriteBatch
}

// carryOut carries out a statement. Reads that were handed over wait for their turn.
func (r *request) carryOut(statement *query.Prepared) (*query.Result, error) {
	c := r.conn
	if _, reads := r.plan.(*plan.Select); reads && r != c.inline {
		r.trace.Add("Waiting for a turn among reads that may be long")
		if err := acquire(c.ctx, c.scans); err != nil {
			return nil, err
		}
		r.scanning = true // until the answer is in the output
		if err := acquire(c.ctx, r.server.scans); err != nil {
			return nil, err
		}
		defer func() { <-r.server.scans }()
		if err := r.server.backlog.wait(c.ctx, r.server.dropWorst); err != nil {
			return nil, err
		}
		r.trace.Add("The turn has come")
	}
	return c.session.ExecutePrepared(c.ctx, statement, &r.parameters)
}

func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answerResult answers with what a statement has returned.
func (r *request) answerResult(result *query.Result, from *frame.Parameters) {
	switch result.Kind {
	case query.RowsResult:
		r.answerRows(result, from)
	case query.SetKeyspace:
		r.answer(&frame.SetKeyspace{Keyspace: result.Keyspace}, result.Warnings)
	case query.SchemaChange:
		r.answer(schemaChange(result.Event), result.Warnings)
	default:
		r.answer(&frame.Void{}, result.Warnings)
	}
}

// answerRows answers with rows, and with their columns unless the client knows them.
func (r *request) answerRows(result *query.Result, from *frame.Parameters) {
	rows := &r.rows
	rows.Count, rows.Content = result.Rows.Count, result.Rows.Data
	rows.Metadata = frame.Metadata{PagingState: result.Rows.PagingState, NoMetadata: from.SkipMetadata}
	if r.entry == nil {
		rows.Metadata.Columns = columns(result.Rows.Columns)
	} else {
		d := r.entry.describe(r.plan)
		if plan.IsConditional(r.plan) {
			// The columns depend on what is there: they are sent with each result, and clients are not to keep them.
			rows.Metadata.NoMetadata, rows.Metadata.Columns = false, columns(result.Rows.Columns)
			r.sendRows(result)
			return
		}
		current, id := d.columnsOf(result.Rows.Columns)
		rows.Metadata.Columns = current
		r.setChange(&rows.Metadata, id)
	}
	r.sendRows(result)
}

// sendRows sends the rows that were made ready.
func (r *request) sendRows(result *query.Result) {
	r.answer(&r.rows, result.Warnings)
	r.rows = frame.Rows{}
	if data := result.Rows.Data; cap(data) <= keptBody { // the answer is a copy
		r.memory = data[:0]
	}
}

// setChange sends the columns of a prepared statement after all if they are not those that the client was told.
// In version 5 the client says which it knows; before, those of the last PREPARE are assumed, as in Cassandra.
func (r *request) setChange(m *frame.Metadata, id statementID) {
	if r.header.Version >= frame.V5 {
		if !bytes.Equal(r.execute.ResultMetadataID, id[:]) {
			m.NoMetadata, m.NewID = false, bytes.Clone(id[:])
		}
		return
	}
	if told := r.entry.announced.Load(); told == nil || told.id != id {
		m.NoMetadata = false
	}
}

// runBatch carries out BATCH.
func (r *request) runBatch() {
	b := &r.batch
	r.writeType = batchType(b.Type == frame.BatchUnlogged)
	if err := r.setBatch(b); err != nil {
		if missing, ok := errors.AsType[*frame.Error](err); ok {
			r.answer(missing, nil)
			return
		}
		r.refuse(err)
		return
	}
	r.parameters.Unlogged = b.Type == frame.BatchUnlogged
	if r.isConditional() {
		r.writeType = frame.WriteCAS
	}
	result, err := r.conn.session.ExecuteBatch(r.conn.ctx, r.entries, &r.parameters)
	if err != nil {
		r.body = nil // as in run
		r.refuse(err)
		return
	}
	r.answerResult(result, &frame.Parameters{})
}

// isConditional reports whether an entry of a batch has conditions.
func (r *request) isConditional() bool {
	return slices.ContainsFunc(r.entries, func(e query.BatchEntry) bool {
		p, err := e.Prepared.Plan()
		return err == nil && plan.IsConditional(p)
	})
}

// setBatch takes over a BATCH. A frame.Error is an answer.
func (r *request) setBatch(b *frame.Batch) error {
	if err := r.setCommon(&b.Settings); err != nil {
		return err
	}
	r.parameters.Consistency = b.Consistency
	if b.Type == frame.BatchCounter {
		return schema.Invalid("Counter batches are not supported yet")
	}
	session := r.session(b.Keyspace)
	r.values, r.entries = r.values[:0], r.entries[:0]
	for i := range b.Statements {
		s := &b.Statements[i]
		var entry query.BatchEntry
		if s.ID != nil {
			known := r.server.prepared.get(s.ID)
			if known == nil {
				return unprepared(bytes.Clone(s.ID))
			}
			entry.Prepared = known.statement
		} else {
			var err error
			if entry.Prepared, err = session.PrepareTraced(r.trace, s.Text); err != nil {
				return err
			}
		}
		start := len(r.values) // what was there stays valid if values grows into new memory
		for _, v := range s.Values {
			r.values = append(r.values, plan.Value{Bytes: v.Bytes, Unset: v.Unset})
		}
		entry.Values = r.values[start:len(r.values):len(r.values)]
		r.entries = append(r.entries, entry)
	}
	return nil
}
