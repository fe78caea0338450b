package client

import (
	"context"

	"github.com/iliumdb/ilium/node"
)

// Embed returns the database of a node in this process.
func Embed(session *node.Session) Database { return embedded{session} }

type embedded struct {
	session *node.Session
}

func (e embedded) Exec(ctx context.Context, text string) error {
	return e.session.Query(text).Exec(ctx)
}

func (e embedded) Prepare(_ context.Context, text string) (Statement, error) {
	st, err := e.session.Prepare(text)
	if err != nil {
		return nil, err
	}
	return embeddedStatement{st}, nil
}

func (e embedded) Batch() Batch { return embeddedBatch{e.session.Batch()} }

func (e embedded) Unset() any { return node.Unset }

// The types below hold one pointer, so that making an interface of them allocates nothing.

type embeddedStatement struct {
	statement *node.Statement
}

func (s embeddedStatement) Exec(ctx context.Context, values ...any) error {
	return s.statement.Query(values...).Exec(ctx)
}

func (s embeddedStatement) Query(ctx context.Context, pageSize int, values ...any) Rows {
	q := s.statement.Query(values...)
	if pageSize > 0 {
		q.PageSize(pageSize)
	}
	return embeddedRows{q.Iter(ctx)}
}

type embeddedBatch struct {
	batch *node.Batch
}

func (b embeddedBatch) Add(s Statement, values ...any) {
	b.batch.Add(s.(embeddedStatement).statement, values...) // a batch takes its own database's statements
}

func (b embeddedBatch) Exec(ctx context.Context) error {
	defer b.batch.Reset()
	return b.batch.Exec(ctx)
}

type embeddedRows struct {
	rows *node.Iter
}

func (r embeddedRows) Next(dest ...any) (bool, error) {
	if !r.rows.Next() {
		return false, r.rows.Err()
	}
	if err := r.rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, nil
}

func (r embeddedRows) PageEnds() bool { return r.rows.PageLeft() == 0 && r.rows.PageState() != nil }

func (r embeddedRows) Close() {
	_ = r.rows.Close() // its error, if any, was returned by Next
}
