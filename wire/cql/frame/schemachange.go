package frame

// What can happen to a part of the schema.
const (
	Created = "CREATED"
	Updated = "UPDATED"
	Dropped = "DROPPED"
)

// Parts of the schema that a change is about. A change of an index is one of its table.
const (
	TargetKeyspace  = "KEYSPACE"
	TargetTable     = "TABLE"
	TargetType      = "TYPE"
	TargetFunction  = "FUNCTION"  // version 4 and newer
	TargetAggregate = "AGGREGATE" // version 4 and newer
)

// SchemaChange is the RESULT of a statement that changed the schema, and the content of the events about it.
type SchemaChange struct {
	Change    string // Created, Updated or Dropped
	Target    string // such as TargetTable
	Keyspace  string
	Name      string   // of the table, type, function or aggregate; "" for a keyspace
	Arguments []string // CQL types of the arguments of a function or aggregate
}

// Opcode returns OpResult.
func (*SchemaChange) Opcode() Opcode { return OpResult }

// Decode implements Message.
func (s *SchemaChange) Decode(body []byte, v Version) error {
	d := decoder{message: "RESULT", body: body}
	d.kind(KindSchemaChange)
	s.decode(&d, v)
	return d.result()
}

// Encode implements Message. Version 3 does not know functions and aggregates: as in Cassandra, it is told of an updated
// keyspace instead.
func (s *SchemaChange) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("RESULT", dst)
	e.int(int32(KindSchemaChange))
	s.encode(&e, v)
	return e.result()
}

func (s *SchemaChange) decode(d *decoder, v Version) {
	*s = SchemaChange{Change: d.string("change"), Target: d.string("target"), Arguments: s.Arguments[:0]}
	s.Keyspace = d.string("keyspace")
	switch {
	case s.Target == TargetKeyspace:
	case s.Target == TargetTable, s.Target == TargetType:
		s.Name = d.string("name")
	case s.hasArguments() && v >= V4:
		s.Name = d.string("name")
		s.Arguments = d.stringList("arguments", s.Arguments)
	default:
		d.fail("target", 0, "unknown target %q", s.Target)
	}
}

func (s *SchemaChange) encode(e *encoder, v Version) {
	change, target := s.Change, s.Target
	if s.hasArguments() && v < V4 {
		change, target = Updated, TargetKeyspace
	}
	e.string("change", change)
	e.string("target", target)
	e.string("keyspace", s.Keyspace)
	switch target {
	case TargetKeyspace:
	case TargetTable, TargetType:
		e.string("name", s.Name)
	case TargetFunction, TargetAggregate:
		e.string("name", s.Name)
		e.stringList("arguments", s.Arguments)
	default:
		e.fail("target", "unknown target %q", target)
	}
}

func (s *SchemaChange) hasArguments() bool {
	return s.Target == TargetFunction || s.Target == TargetAggregate
}
