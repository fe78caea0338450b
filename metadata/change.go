package metadata

import (
	"fmt"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Change is one entry of the log: a statement, and what it leaves open.
type Change struct {
	Keyspace  string        // that of the session, for names without one; may be empty
	Statement ast.Statement // one that changes the schema
	TableID   cqltype.UUID  // for CREATE TABLE without an id: a timeuuid made by whoever proposes
	Timestamp int64         // microseconds, from when a dropped column is gone

	// What a node's configuration says. It is part of the change because other nodes, which may be
	// configured differently, must apply the change alike. Log.Propose fills both in.
	DefaultReplicationFactor int      // for a keyspace that gives none; 0 means 1
	Datacenters              []string // those that exist; none means datacenter1
}

// EventKind is what happened to the target of an Event.
type EventKind uint8

// The kinds of events.
const (
	Created EventKind = iota + 1
	Updated
	Dropped
)

// String returns the kind as drivers are told it: CREATED, UPDATED or DROPPED (native protocol v5, 4.2.6).
func (k EventKind) String() string {
	switch k {
	case Created:
		return "CREATED"
	case Updated:
		return "UPDATED"
	case Dropped:
		return "DROPPED"
	default:
		return fmt.Sprintf("EventKind(%d)", uint8(k))
	}
}

// Target is what kind of thing an Event is about.
type Target uint8

// The targets of events.
const (
	Keyspace Target = iota + 1
	Table
	Type
)

// String returns the target as drivers are told it: KEYSPACE, TABLE or TYPE (native protocol v5, 4.2.6).
func (t Target) String() string {
	switch t {
	case Keyspace:
		return "KEYSPACE"
	case Table:
		return "TABLE"
	case Type:
		return "TYPE"
	default:
		return fmt.Sprintf("Target(%d)", uint8(t))
	}
}

// An Event is what drivers are told of a change: SCHEMA_CHANGE.
type Event struct {
	Change   EventKind
	Target   Target
	Keyspace string
	Name     string // of the table or type; empty for a keyspace
}

// Apply returns the schema that c makes of s, which it leaves as it is, and what drivers are to be
// told. It is a function of its arguments alone.
//
// The event is nil for TRUNCATE. If there is nothing to do, as after IF NOT EXISTS, it is nil too and
// the schema returned is s itself. Errors are those of package schema: *InvalidRequestError,
// *ConfigurationError, *AlreadyExistsError, *SyntaxError and *UnauthorizedError.
func Apply(s *schema.Schema, c Change) (*schema.Schema, *Event, error) {
	switch st := c.Statement.(type) {
	case *ast.CreateKeyspace:
		return createKeyspace(s, &c, st)
	case *ast.AlterKeyspace:
		return alterKeyspace(s, &c, st)
	case *ast.DropKeyspace:
		return dropKeyspace(s, st)
	case *ast.CreateTable:
		return createTable(s, &c, st)
	case *ast.AlterTable:
		return alterTable(s, &c, st)
	case *ast.DropTable:
		return dropTable(s, &c, st)
	case *ast.Truncate:
		return truncate(s, &c, st)
	case *ast.CreateType:
		return createType(s, &c, st)
	case *ast.AlterType:
		return alterType(s, &c, st)
	case *ast.DropType:
		return dropType(s, &c, st)
	default:
		return nil, nil, refuse(&c, st)
	}
}
