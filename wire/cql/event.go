package cql

import (
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// SchemaChanged tells all clients that want to know it of a change of the schema. It does not wait
// for them. A client that is too slow to be told is disconnected: it would go on with an old schema.
func (s *Server) SchemaChanged(e *metadata.Event) {
	event := &frame.Event{Type: frame.EventSchemaChange, Schema: *schemaChange(e)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	for c := range s.connections {
		if c.events.Load()&schemaEvents == 0 {
			continue
		}
		if !c.out.post(frame.Version(c.version.Load()), event) {
			c.fail(errSlow)
			continue
		}
		s.workers.run(&request{server: s, conn: c, header: frame.Header{Opcode: frame.OpEvent}})
	}
}

func schemaChange(e *metadata.Event) *frame.SchemaChange {
	return &frame.SchemaChange{Change: e.Change.String(), Target: e.Target.String(), Keyspace: e.Keyspace, Name: e.Name}
}
