package cql

import (
	"net"

	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A profile is what a client has said of itself. It is not changed but replaced.
type profile struct {
	stage   string
	options map[string]string // of STARTUP
	role    string
}

// Clients describes the connections, for system_views.clients.
func (s *Server) Clients() []system.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]system.Client, 0, len(s.connections))
	for c := range s.connections {
		p := c.profile.Load()
		client := system.Client{
			Options: p.options, Stage: p.stage, User: p.role,
			Driver: p.options[frame.OptionDriverName], Version: p.options[frame.OptionDriverVersion],
			Keyspace: c.session.Keyspace(), Protocol: int(c.version.Load()), Requests: c.requests.Load(),
		}
		if tcp, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok {
			client.Address = tcp.AddrPort()
		}
		out = append(out, client)
	}
	return out
}
