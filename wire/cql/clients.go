package cql

import (
	"crypto/tls"
	"strings"

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
		client.Address = addressAndPort(c.conn.RemoteAddr())
		client.TLSVersion, client.TLSCipher = c.encryption()
		out = append(out, client)
	}
	return out
}

// encryption returns the version of TLS and the cipher suite in Cassandra's spelling, empty without TLS.
func (c *connection) encryption() (version, cipher string) {
	encrypted, ok := c.conn.(*tls.Conn)
	if !ok || c.version.Load() == 0 { // the state of a handshake that goes on would be waited for
		return "", ""
	}
	state := encrypted.ConnectionState()
	return strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1), tls.CipherSuiteName(state.CipherSuite)
}
