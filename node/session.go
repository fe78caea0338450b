package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/trace"
)

// A Session carries out statements. USE changes its keyspace. It is safe for concurrent use.
type Session struct {
	session  *query.Session
	pageSize int
	level    consistency.Level
}

// WithConsistency returns the same session with another level as the default of its queries and batches, which is
// LOCAL_ONE at first.
func (s *Session) WithConsistency(level consistency.Level) *Session {
	other := *s
	other.level = level
	return &other
}

// Unset as a value leaves what the bind marker would write alone.
var Unset = unset{}

type unset struct{}

// A Named value is for the bind markers of that name, as in :name. A statement takes either named
// values or values in order.
type Named struct {
	Name  string
	Value any
}

// ErrNotFound says that a query that was to return a row returned none.
var ErrNotFound = errors.New("not found")

// A Statement is prepared: parsed and planned once, to be carried out many times. It is safe for
// concurrent use.
type Statement struct {
	session  *Session
	prepared *query.Prepared
	text     string
}

// Prepare prepares a statement.
func (s *Session) Prepare(text string) (*Statement, error) { return s.prepare(nil, text) }

func (s *Session) prepare(t *trace.Trace, text string) (*Statement, error) {
	p, err := s.session.PrepareTraced(t, text)
	if err != nil {
		return nil, err
	}
	return &Statement{session: s, prepared: p, text: text}, nil
}

// Query returns the statement with values for its bind markers, to be carried out.
func (st *Statement) Query(values ...any) *Query {
	return &Query{session: st.session, statement: st, values: values, level: st.session.level, pageSize: st.session.pageSize}
}

// Query returns a statement with values for its bind markers, to be carried out. It is prepared
// when it is used first, and kept for the next time.
func (s *Session) Query(text string, values ...any) *Query {
	return &Query{session: s, text: text, values: values, level: s.level, pageSize: s.pageSize}
}

// A Query is a statement with its values and options. It is not safe for concurrent use.
type Query struct {
	session   *Session
	statement *Statement // nil until it is prepared
	text      string
	values    []any
	level     consistency.Level
	pageSize  int
	pageState []byte
	timestamp query.Optional
	trace     *trace.Trace
}

// Consistency sets the consistency level. The default is that of the session.
func (q *Query) Consistency(level consistency.Level) *Query { q.level = level; return q }

// PageSize sets how many rows are fetched at once; 0 fetches all. The default is the setting
// page_size.
func (q *Query) PageSize(rows int) *Query { q.pageSize = rows; return q }

// PageState makes the query start behind a page, see Iter.PageState. It works across restarts of
// the node.
func (q *Query) PageState(state []byte) *Query { q.pageState = state; return q }

// Timestamp sets the write timestamp, in microseconds since the epoch. The default is the node's
// clock.
func (q *Query) Timestamp(microseconds int64) *Query {
	q.timestamp = query.Given(microseconds)
	return q
}

// Trace makes t note what happens when the query is carried out. See package trace; t.End returns the events.
func (q *Query) Trace(t *trace.Trace) *Query { q.trace = t; return q }

// Exec carries out a statement that returns no rows, or whose rows are not wanted.
func (q *Query) Exec(ctx context.Context) error {
	_, err := q.run(ctx, q.pageState)
	return err
}

// Scan carries out a query and stores the values of its first row in dest, one for each column.
// It returns ErrNotFound if there is none.
func (q *Query) Scan(ctx context.Context, dest ...any) error {
	rows := q.Iter(ctx)
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNotFound
	}
	return rows.Scan(dest...)
}

// Iter carries out a query and returns its rows. Errors are reported by the Iter. ctx bounds the
// fetching of all pages.
func (q *Query) Iter(ctx context.Context) *Iter {
	rows := &Iter{ctx: ctx, query: q, nextPage: q.pageState}
	rows.fetch()
	return rows
}

// run carries out the query and returns the page of rows that starts at pageState.
func (q *Query) run(ctx context.Context, pageState []byte) (*query.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if q.statement == nil {
		st, err := q.session.prepare(q.trace, q.text)
		if err != nil {
			return nil, err
		}
		q.statement = st
	}
	p, err := q.statement.prepared.PlanTraced(q.trace)
	if err != nil {
		return nil, err
	}
	values, err := encode(nil, p.Markers(), q.values)
	if err != nil {
		return nil, err
	}
	return q.session.session.ExecutePrepared(ctx, q.statement.prepared, &query.Parameters{
		Values: values, Consistency: q.level, PageSize: q.pageSize, PagingState: pageState, Timestamp: q.timestamp, Trace: q.trace,
	})
}

// encode serializes Go values for bind markers, appending to dst.
func encode(dst []plan.Value, markers []plan.Spec, values []any) ([]plan.Value, error) {
	if slices.ContainsFunc(values, isNamed) {
		var err error
		if values, err = inOrder(markers, values); err != nil {
			return nil, err
		}
	}
	if len(values) != len(markers) {
		return nil, schema.Invalid("there were %d markers(?) in CQL but %d bound variables", len(markers), len(values))
	}
	memory := []byte{} // not nil: a nil slice of it would be null
	for i, v := range values {
		if v == Unset {
			dst = append(dst, plan.Value{Unset: true})
			continue
		}
		start := len(memory)
		out, null, err := markers[i].Type.AppendEncode(memory, v)
		if err != nil {
			return nil, schema.Invalid("value %d (%s): %s", i+1, markers[i].Name, err)
		}
		if memory = out; null {
			dst = append(dst, plan.Value{})
			continue
		}
		dst = append(dst, plan.Value{Bytes: memory[start:len(memory):len(memory)]})
	}
	return dst, nil
}

func isNamed(value any) bool {
	_, ok := value.(Named)
	return ok
}

// inOrder puts named values into the order of the markers.
func inOrder(markers []plan.Spec, values []any) ([]any, error) {
	byName := make(map[string]any, len(values))
	for _, v := range values {
		named, ok := v.(Named)
		if !ok {
			return nil, schema.Invalid("named values and values in order cannot be mixed")
		}
		if _, repeated := byName[named.Name]; repeated {
			return nil, schema.Invalid("two values were given for bind marker :%s", named.Name)
		}
		byName[named.Name] = named.Value
	}
	used := make(map[string]bool, len(values))
	out := make([]any, len(markers))
	for i, m := range markers {
		v, ok := byName[m.Name]
		if !ok {
			return nil, schema.Invalid("no value was given for bind marker :%s", m.Name)
		}
		out[i], used[m.Name] = v, true
	}
	for name := range byName {
		if !used[name] {
			return nil, schema.Invalid("there is no bind marker :%s", name)
		}
	}
	return out, nil
}

// A Batch carries out several modifications together: all or none. It is not safe for concurrent
// use.
type Batch struct {
	session   *Session
	entries   []query.BatchEntry
	values    []plan.Value
	level     consistency.Level
	timestamp query.Optional
	err       error
}

// Batch returns an empty batch.
func (s *Session) Batch() *Batch { return &Batch{session: s, level: s.level} }

// Add adds a prepared modification. The values are converted at once and may be reused. An error
// is reported by Exec.
func (b *Batch) Add(st *Statement, values ...any) *Batch {
	p, err := st.prepared.Plan()
	if err != nil {
		b.fail(err)
		return b
	}
	start := len(b.values)
	out, err := encode(b.values, p.Markers(), values)
	if err != nil {
		b.fail(err)
		return b
	}
	b.values = out
	b.entries = append(b.entries, query.BatchEntry{Prepared: st.prepared, Values: out[start:len(out):len(out)]})
	return b
}

// AddText adds a modification by its text.
func (b *Batch) AddText(text string, values ...any) *Batch {
	st, err := b.session.Prepare(text)
	if err != nil {
		b.fail(err)
		return b
	}
	return b.Add(st, values...)
}

func (b *Batch) fail(err error) {
	if b.err == nil {
		b.err = fmt.Errorf("statement %d of the batch: %w", len(b.entries)+1, err)
	}
}

// Consistency sets the consistency level. The default is that of the session.
func (b *Batch) Consistency(level consistency.Level) *Batch { b.level = level; return b }

// Timestamp sets the write timestamp of all modifications that have none of their own, in
// microseconds since the epoch.
func (b *Batch) Timestamp(microseconds int64) *Batch {
	b.timestamp = query.Given(microseconds)
	return b
}

// Len returns how many modifications were added.
func (b *Batch) Len() int { return len(b.entries) }

// Exec carries out the batch.
func (b *Batch) Exec(ctx context.Context) error {
	if b.err != nil {
		return b.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := b.session.session.ExecuteBatch(ctx, b.entries, &query.Parameters{Consistency: b.level, Timestamp: b.timestamp})
	return err
}

// Reset empties the batch for reuse, after Exec has returned without a timeout.
func (b *Batch) Reset() {
	b.entries, b.values, b.err = b.entries[:0], b.values[:0], nil
}
