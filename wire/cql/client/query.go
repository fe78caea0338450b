package client

import (
	"context"
	"iter"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A Request is a statement and how to carry it out.
type Request struct {
	Text string

	Consistency       consistency.Level
	SerialConsistency consistency.Level // of conditional updates; zero: the server's default
	PageSize          int32             // rows a page; zero: everything at once
	PagingState       []byte            // of the page before; nil for the first one
	Tracing           bool              // ask for a trace
}

// A Result is what the server has answered to a Request.
type Result struct {
	// Rows are the rows of a page, nil for statements that return none, such as INSERT. They are the caller's.
	Rows *frame.Rows

	// SchemaChange says what the statement has changed in the schema, nil if nothing.
	SchemaChange *frame.SchemaChange

	Warnings  []string
	Traced    bool // TracingID is given
	TracingID cqltype.UUID
}

// Columns returns the columns of the rows; there are none if Rows is nil.
func (r *Result) Columns() []frame.Column {
	if r.Rows == nil {
		return nil
	}
	return r.Rows.Metadata.Columns
}

// Each yields the rows of the page, as frame.Rows does; there are none if Rows is nil.
func (r *Result) Each() iter.Seq[[][]byte] {
	if r.Rows == nil {
		return func(func([][]byte) bool) {}
	}
	return r.Rows.Each()
}

// PagingState returns what the Request for the next page must have; nil if this page is the last.
func (r *Result) PagingState() []byte {
	if r.Rows == nil {
		return nil
	}
	return r.Rows.Metadata.PagingState
}

// Query carries out a statement. When the server refuses it the error is a *frame.Error, with the server's code. When ctx
// ends before the answer is there, the error is that of ctx.
func (c *Conn) Query(ctx context.Context, r Request) (*Result, error) {
	query := &frame.Query{Text: r.Text, Parameters: frame.Parameters{
		Consistency: r.Consistency, PageSize: r.PageSize, PagingState: r.PagingState,
		Settings: frame.Settings{SerialConsistency: r.SerialConsistency},
	}}
	f, err := c.call(ctx, &frame.Prologue{Tracing: r.Tracing}, query)
	if err != nil {
		return nil, err
	}
	prologue, answer, err := frame.DecodeMessage(f)
	if err != nil {
		return nil, err // the frame was whole, so the next one can be read
	}
	result := &Result{Warnings: prologue.Warnings, Traced: prologue.Tracing, TracingID: prologue.TracingID}
	switch answer := answer.(type) {
	case *frame.Error:
		return nil, answer
	case *frame.Rows:
		result.Rows = answer
	case *frame.SetKeyspace:
		c.keyspace = answer.Keyspace
	case *frame.SchemaChange:
		result.SchemaChange = answer
	case *frame.Void:
	default:
		return nil, unexpected(answer, "QUERY")
	}
	return result, nil
}
