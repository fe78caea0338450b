package cql

import (
	"net/netip"

	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// SchemaChanged tells all clients that want to know it of a change of the schema. It does not wait
// for them. A client that is too slow to be told is disconnected: it would go on with an old schema.
func (s *Server) SchemaChanged(e *metadata.Event) {
	s.tell(schemaEvents, &frame.Event{Type: frame.EventSchemaChange, Schema: *schemaChange(e)})
}

// TopologyChanged tells clients, as SchemaChanged does, that a node has come or gone: frame.NewNode or
// frame.RemovedNode. address is where that node takes clients; without a valid one there is nothing to tell.
func (s *Server) TopologyChanged(change string, address netip.AddrPort) {
	s.nodeChanged(topologyEvents, frame.EventTopologyChange, change, address)
}

// StatusChanged tells clients, as SchemaChanged does, that another node counts as up or as down from now on. address is
// as in TopologyChanged. A node that is new should be announced by TopologyChanged before.
func (s *Server) StatusChanged(up bool, address netip.AddrPort) {
	change := frame.NodeDown
	if up {
		change = frame.NodeUp
	}
	s.nodeChanged(statusEvents, frame.EventStatusChange, change, address)
}

func (s *Server) nodeChanged(kind uint32, name, change string, address netip.AddrPort) {
	if !address.IsValid() {
		return
	}
	plain := netip.AddrPortFrom(address.Addr().Unmap().WithZone(""), address.Port()) // as the protocol can say it
	s.tell(kind, &frame.Event{Type: name, Node: frame.NodeChange{Change: change, Address: plain}})
}

// tell sends an event to the clients that have registered for its kind.
func (s *Server) tell(kind uint32, event *frame.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	for c := range s.connections {
		if c.events.Load()&kind == 0 {
			continue
		}
		if !c.out.post(frame.Version(c.version.Load()), event) {
			c.fail(errSlow)
			continue
		}
		s.workers.Run(&request{server: s, conn: c, header: frame.Header{Opcode: frame.OpEvent}})
	}
}

func schemaChange(e *metadata.Event) *frame.SchemaChange {
	return &frame.SchemaChange{Change: e.Change.String(), Target: e.Target.String(), Keyspace: e.Keyspace, Name: e.Name}
}
