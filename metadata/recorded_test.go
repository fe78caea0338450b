package metadata

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// TestRecorded runs the statements in testdata/recorded and compares with what Cassandra 5.0.6 answered to
// them. The directives:
//
//	cql       a statement, and the event that drivers get, or ok if there is none, or the error
//	describe  what follows DESCRIBE, and the statements that it shows
//	reset     drops everything
//
// "cql kept" marks statements that must not be sent to a server again, for they name keyspaces
// of the system, or cannot be. After "differs" stands what Cassandra answered, on a line that begins with
// "cassandra: ", and then what Ilium answers; -rewrite changes only the latter.
func TestRecorded(t *testing.T) {
	datadriven.Walk(t, "testdata/recorded", func(t *testing.T, path string) {
		s := &session{}
		s.reset()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			got := s.run(t, d)
			if d.HasArg("differs") {
				theirs, _, _ := strings.Cut(d.Expected, "\n")
				if theirs == "cassandra: "+got {
					t.Errorf("%s: no difference to Cassandra anymore", d.Pos)
				}
				return theirs + "\nilium: " + got + "\n"
			}
			return strings.TrimSuffix(got, "\n") + "\n"
		})
	})
}

// A session applies statements one after the other.
type session struct {
	schema   *schema.Schema
	keyspace string
	tables   byte // made so far: each needs an id
}

func (s *session) reset() { *s = session{schema: schema.Empty()} }

func (s *session) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "cql":
		return s.execute(d.Input)
	case "describe":
		return s.describe(d.Input)
	case "reset":
		s.reset()
		return "ok"
	default:
		t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
		return ""
	}
}

func (s *session) execute(text string) string {
	parsed, err := grammar.Parse(text)
	if err != nil {
		return "SyntaxException: " + err.Error()
	}
	if use, ok := parsed.Statement.(*ast.Use); ok {
		s.keyspace = use.Keyspace.Text
		return "use " + s.keyspace
	}
	s.tables++
	next, event, err := Apply(s.schema, Change{Keyspace: s.keyspace, Statement: parsed.Statement, TableID: cqltype.UUID{s.tables, 1}, Timestamp: 1000})
	if err != nil {
		return class(err) + ": " + err.Error()
	}
	s.schema = next
	if event == nil {
		return "ok"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", event.Change, event.Target, event.Keyspace, event.Name))
}

// class returns what Cassandra calls errors of the type of err.
func class(err error) string {
	var (
		invalid      *schema.InvalidRequestError
		config       *schema.ConfigurationError
		exists       *schema.AlreadyExistsError
		syntax       *schema.SyntaxError
		unauthorized *schema.UnauthorizedError
	)
	switch {
	case errors.As(err, &invalid):
		return "InvalidRequest"
	case errors.As(err, &config):
		return "ConfigurationException"
	case errors.As(err, &exists):
		return "AlreadyExists"
	case errors.As(err, &syntax):
		return "SyntaxException"
	case errors.As(err, &unauthorized):
		return "Unauthorized"
	default:
		return "ServerError"
	}
}

func (s *session) describe(what string) string {
	parsed, err := grammar.Parse("DESCRIBE " + what)
	if err != nil {
		return "SyntaxException: " + err.Error()
	}
	d := parsed.Statement.(*ast.Describe)
	keyspace, name := d.Name.Keyspace.Text, d.Name.Name.Text
	if keyspace == "" {
		keyspace = s.keyspace
	}
	switch d.Kind {
	case ast.DescribeKeyspace:
		if k := s.schema.Keyspace(name); k != nil {
			return DescribeKeyspace(k)
		}
		return fmt.Sprintf("InvalidRequest: '%s' not found in keyspaces", name)
	case ast.DescribeTable:
		if t := s.schema.Table(keyspace, name); t != nil {
			return Describe(t)
		}
		return fmt.Sprintf("InvalidRequest: Table '%s' not found in keyspace '%s'", name, keyspace)
	default:
		return DescribeType(s.schema.Keyspace(keyspace).Type(name))
	}
}
