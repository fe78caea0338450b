// Package client is a database as the workloads see it: a node in the same process, or servers that
// speak the CQL native protocol, Ilium's or Apache Cassandra's, reached with the Apache Go driver.
//
// A workload is written once, against Database. Embed and Connect make one. The interfaces are
// shaped so that the embedded node pays nothing for them, and so that what a driver does behind
// one's back, such as fetching pages ahead and trying again, does not happen here: a measurement must
// know what it measures.
package client

import (
	"context"
	"errors"
)

// A Database carries out statements. It is safe for concurrent use.
type Database interface {
	// Exec carries out a statement once, such as one that changes the schema.
	Exec(ctx context.Context, text string) error
	// Prepare prepares a statement.
	Prepare(ctx context.Context, text string) (Statement, error)
	// Batch returns an empty batch.
	Batch() Batch
	// Unset returns the value that leaves a column alone.
	Unset() any
}

// A Statement is prepared. It is safe for concurrent use.
type Statement interface {
	// Exec carries out a statement that returns no rows. Values may be reused when it has returned.
	Exec(ctx context.Context, values ...any) error
	// Query carries out a statement that returns rows, which it fetches in pages of pageSize rows, or
	// of the default size if that is 0. Errors are reported by the rows.
	Query(ctx context.Context, pageSize int, values ...any) Rows
}

// A Batch collects modifications that are carried out together. It is not safe for concurrent use.
type Batch interface {
	// Add adds a modification. The values must stay as they are until Exec has returned.
	Add(s Statement, values ...any)
	// Exec carries out what was added, and empties the batch.
	Exec(ctx context.Context) error
}

// Rows are the answer to a query. They are not safe for concurrent use.
type Rows interface {
	// Next stores the values of the next row in dest, one for each column. It returns false behind
	// the last row and at an error.
	Next(dest ...any) (bool, error)
	// PageEnds reports whether Next will ask the database for another page.
	PageEnds() bool
	// Close ends the reading.
	Close()
}

// ErrNotFound says that a query that was to return a row returned none.
var ErrNotFound = errors.New("not found")

// One stores the values of the first row in dest. It returns ErrNotFound if there is none.
func One(rows Rows, dest ...any) error {
	defer rows.Close()
	ok, err := rows.Next(dest...)
	if err == nil && !ok {
		return ErrNotFound
	}
	return err
}
