package frame

import "net/netip"

// Types of events.
const (
	EventTopologyChange = "TOPOLOGY_CHANGE"
	EventStatusChange   = "STATUS_CHANGE"
	EventSchemaChange   = "SCHEMA_CHANGE"
)

// Changes of nodes.
const (
	NewNode     = "NEW_NODE"     // topology
	RemovedNode = "REMOVED_NODE" // topology
	MovedNode   = "MOVED_NODE"   // topology
	NodeUp      = "UP"           // status
	NodeDown    = "DOWN"         // status
)

// Register is REGISTER: the client wants to be told of events. READY is the answer.
type Register struct {
	Events []string // types of events
}

// Opcode returns OpRegister.
func (*Register) Opcode() Opcode { return OpRegister }

// Decode implements Message. It takes any string for a type.
func (r *Register) Decode(body []byte, _ Version) error {
	d := decoder{message: "REGISTER", body: body}
	r.Events = d.stringList("events", r.Events)
	return d.result()
}

// Encode implements Message.
func (r *Register) Encode(dst []byte, _ Version) ([]byte, error) {
	e := newEncoder("REGISTER", dst)
	e.stringList("events", r.Events)
	return e.result()
}

// Event is EVENT, which a server sends on EventStream to clients that have registered for it.
type Event struct {
	Type string // one of the types of events

	// Node says what happened to a node. All types but EventSchemaChange.
	Node NodeChange

	// Schema says what happened to the schema. EventSchemaChange only.
	Schema SchemaChange
}

// NodeChange tells of a node that came, went, rose or fell.
type NodeChange struct {
	Change  string         // such as NodeUp
	Address netip.AddrPort // where the node takes clients
}

// Opcode returns OpEvent.
func (*Event) Opcode() Opcode { return OpEvent }

// Decode implements Message.
func (ev *Event) Decode(body []byte, v Version) error {
	d := decoder{message: "EVENT", body: body}
	*ev = Event{Type: d.string("type")}
	switch ev.Type {
	case EventTopologyChange, EventStatusChange:
		ev.Node.Change = d.string("change")
		ev.Node.Address = d.addrPort("address")
	case EventSchemaChange:
		ev.Schema.decode(&d, v)
	default:
		d.fail("type", 0, "unknown type %q", ev.Type)
	}
	return d.result()
}

// Encode implements Message.
func (ev *Event) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("EVENT", dst)
	e.string("type", ev.Type)
	switch ev.Type {
	case EventTopologyChange, EventStatusChange:
		e.string("change", ev.Node.Change)
		e.addrPort("address", ev.Node.Address)
	case EventSchemaChange:
		ev.Schema.encode(&e, v)
	default:
		e.fail("type", "unknown type %q", ev.Type)
	}
	return e.result()
}
