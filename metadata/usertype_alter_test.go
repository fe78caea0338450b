package metadata

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// TestAddDurationToKey: what a clustering column is made of cannot become what no key may have.
func TestAddDurationToKey(t *testing.T) {
	s := schema.Empty()
	apply := func(text string) error {
		parsed, err := grammar.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		next, _, err := Apply(s, Change{Statement: parsed.Statement, TableID: cqltype.UUID{1}})
		if err == nil {
			s = next
		}
		return err
	}
	for _, text := range []string{
		"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TYPE k.u (a int)",
		"CREATE TABLE k.t (p int, c frozen<u>, PRIMARY KEY (p, c))",
		"ALTER TYPE k.u ADD b int",
	} {
		if err := apply(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	err := apply("ALTER TYPE k.u ADD d duration")
	if err == nil || !strings.Contains(err.Error(), "duration type is not supported for PRIMARY KEY column 'c'") {
		t.Errorf("got %v", err)
	}
}
