package cql

import (
	"context"
	"fmt"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Target is a session with the database under test. It is used by one goroutine at a time.
type Target interface {
	// Exec runs a statement. What the database refuses is an *Error; any other error ends the script.
	Exec(ctx context.Context, s Statement) (Result, error)
}

// Statement is a statement with everything that a client sends along with it.
type Statement struct {
	Text string
	// Prepare says that the statement is prepared first and then executed with Values. Otherwise there are none.
	Prepare bool
	Values  []Value
	// Consistency is the name of the consistency level, such as LOCAL_QUORUM.
	Consistency string
	// Serial is the name of the serial consistency level, empty if the client sends none.
	Serial string
	// PageSize is the number of rows to a page, 0 for all rows at once.
	PageSize    int
	PagingState []byte
	// Timestamp is the client's timestamp in microseconds, nil if it sends none.
	Timestamp *int64
	// Now is the client's time in seconds since 1970, 0 if it sends none.
	Now int32
}

// Column is a column of a result or a bind marker.
type Column struct {
	Name string
	Type *cqltype.Type
}

// Result is the answer to a statement that succeeded.
type Result struct {
	// Columns is nil for statements that return no rows.
	Columns []Column
	// Rows holds values in the serialized form of native protocol version 5, nil for null.
	Rows     [][][]byte
	Warnings []string
	// PagingState is nil on the last page.
	PagingState []byte
	// Markers are the bind markers of a prepared statement in their order.
	Markers []Column
	// PartitionKey holds the indexes of the markers that make up the partition key, in the order of the key. It is
	// empty if the markers do not give all of the key.
	PartitionKey []int
}

// Error is what a database answers when it refuses a statement.
type Error struct {
	// Kind is the name of the native protocol's error code in lower case, such as "invalid" or "read_timeout".
	Kind    string
	Message string
	// Details is what the protocol sends besides the message, such as "QUORUM, required 2, alive 1"; mostly empty.
	Details string
	// Preparing is true if the statement could not be prepared, false if it could not be executed.
	Preparing bool
}

// Error returns the error as scripts show it.
func (e *Error) Error() string {
	text := fmt.Sprintf("error %s: %s", e.Kind, e.Message)
	if e.Preparing {
		text = "prepare: " + text
	}
	if e.Details != "" {
		text += " [" + e.Details + "]"
	}
	return text
}
