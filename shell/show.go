package shell

import (
	"context"
	"strings"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/client"
)

// show carries out SHOW.
func (s *shell) show(ctx context.Context, words []string) {
	what := strings.ToUpper(strings.Join(words, " "))
	switch {
	case what == "VERSION":
		s.showVersion(ctx)
	case what == "HOST":
		s.showHost(ctx)
	case len(words) == 2 && strings.EqualFold(words[0], "SESSION"):
		id, err := cqltype.ParseUUID(words[1])
		if err != nil {
			s.improper("SHOW SESSION", "%q is not a uuid", words[1])
			return
		}
		s.showTrace(ctx, id.String(), false)
	case strings.HasPrefix(what, "REPLICAS"):
		s.fail("SHOW REPLICAS is a command of cqlsh that this shell does not have.")
	default:
		s.improper("SHOW", "SHOW VERSION, SHOW HOST or SHOW SESSION id was expected")
	}
}

// local returns what the server says of itself.
func (s *shell) local(ctx context.Context) (record, bool) {
	records, _, err := s.queryAll(ctx, client.Request{Consistency: consistency.One,
		Text: "SELECT cluster_name, release_version, cql_version FROM system.local WHERE key = 'local'"})
	if err != nil {
		s.fail("%s", describeError(err, s.timeout))
		return nil, false
	}
	if len(records) == 0 {
		s.fail("The server has nothing in system.local")
		return nil, false
	}
	return records[0], true
}

func (s *shell) showVersion(ctx context.Context) {
	if r, ok := s.local(ctx); ok {
		s.printf("[ilium shell %s | Cassandra %s | CQL spec %s | Native protocol v%d]",
			s.version, r.text("release_version"), r.text("cql_version"), s.conn.Version())
	}
}

func (s *shell) showHost(ctx context.Context) {
	if r, ok := s.local(ctx); ok {
		s.printf("Connected to %s at %s", s.in(blue, r.text("cluster_name")), s.address)
	}
}
