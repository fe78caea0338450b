package metadata

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// fataler is what tests, benchmarks and properties have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// parse returns the statement that text is.
func parse(t fataler, text string) ast.Statement {
	t.Helper()
	parsed, err := grammar.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return parsed.Statement
}

// build returns the schema that statements make, with ks for the keyspace of the session.
func build(t fataler, statements ...string) *schema.Schema {
	t.Helper()
	s := schema.Empty()
	for i, text := range statements {
		next, _, err := Apply(s, change(t, text, byte(i+1)))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		s = next
	}
	return s
}

// change returns a proposal of the statement; id tells the tables of a test apart.
func change(t fataler, text string, id byte) Change {
	t.Helper()
	return Change{Keyspace: "ks", Statement: parse(t, text), TableID: cqltype.UUID{id}, Timestamp: 1000}
}

const createKS = "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"

func TestColumnsAndIncarnations(t *testing.T) {
	s := build(t, createKS,
		"CREATE TABLE t (k int, c int, b int, a int, s int static, PRIMARY KEY (k, c))",
		"CREATE TABLE u (k int PRIMARY KEY)",
		"ALTER TABLE t DROP b",
		"ALTER TABLE t ADD (b int, d int)",
		"ALTER TABLE t RENAME k TO kk",
		"TRUNCATE u",
		"DROP TABLE t",
		"CREATE TABLE v (k int PRIMARY KEY)")
	check := func(table, want string) {
		t.Helper()
		x := s.Table("ks", table)
		var got []string
		for c := range x.Columns() {
			got = append(got, fmt.Sprintf("%s=%d", c.Name, c.ID))
		}
		if g := fmt.Sprint(x.Incarnation, " ", strings.Join(got, " ")); g != want {
			t.Errorf("%s has %s, want %s", table, g, want)
		}
	}
	check("u", "3 k=1")
	check("v", "4 k=1")
	if s.NextIncarnation != 5 || s.Table("ks", "t") != nil || s.TableOf(1) != nil || s.TableOf(2) != nil {
		t.Errorf("next incarnation %d; the dropped table or the truncated data is still known", s.NextIncarnation)
	}
	s = build(t, createKS,
		"CREATE TABLE t (k int, c int, b int, a int, s int static, PRIMARY KEY (k, c))",
		"ALTER TABLE t DROP b USING TIMESTAMP 7",
		"ALTER TABLE t ADD (b int, d int)",
		"ALTER TABLE t RENAME k TO kk")
	check("t", "1 kk=4 c=5 s=3 a=2 b=6 d=7")
	if d := s.Table("ks", "t").Dropped; len(d) != 1 || d[0] != (schema.DroppedColumn{Name: "b", Type: "int", At: 7}) {
		t.Errorf("dropped columns %+v", d)
	}
}

func TestTableIDs(t *testing.T) {
	const id = "5a1c395e-b41f-11e5-9f22-ba0be0483c18"
	s := build(t, createKS, "CREATE TABLE a (k int PRIMARY KEY)", "CREATE TABLE b (k int PRIMARY KEY) WITH id = "+id)
	if got := s.Table("ks", "a").ID; got != (cqltype.UUID{2}) {
		t.Errorf("table a has id %s", got)
	}
	if got := s.Table("ks", "b").ID.String(); got != id {
		t.Errorf("table b has id %s", got)
	}
	check := func(c Change, want string) {
		t.Helper()
		if _, _, err := Apply(s, c); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	check(change(t, "CREATE TABLE c (k int PRIMARY KEY) WITH id = "+id, 9), "Table id "+id+" belongs to table ks.b already")
	check(change(t, "CREATE TABLE c (k int PRIMARY KEY)", 2), "Table id 02000000-0000-0000-0000-000000000000 belongs to table ks.a already")
	check(change(t, "CREATE TABLE c (k int PRIMARY KEY)", 0), "the change gives no id for the new table")
	check(change(t, "SELECT * FROM a", 3), "*ast.Select does not change the schema")
}

func TestIncarnationsEnd(t *testing.T) {
	s := build(t, createKS, "CREATE TABLE a (k int PRIMARY KEY)")
	last := *s
	last.NextIncarnation = math.MaxUint32
	for _, text := range []string{"CREATE TABLE b (k int PRIMARY KEY)", "TRUNCATE a"} {
		if _, _, err := Apply(&last, change(t, text, 9)); err == nil || !strings.Contains(err.Error(), "incarnations have been used") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// Statements that must never be sent to a Cassandra server: without authorization it carries them out.
func TestTruncateOfSystemTables(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		_, _, err := Apply(schema.Empty(), change(t, text, 1))
		if err == nil || class(err)+": "+err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	check("TRUNCATE system.local", "Unauthorized: Cannot MODIFY <table system.local>")
	check("TRUNCATE system_schema.tables", "Unauthorized: Cannot MODIFY <table system_schema.tables>")
	check("TRUNCATE system_auth.roles", "Unauthorized: Cannot MODIFY <table system_auth.roles>")
	check(`TRUNCATE "SYSTEM_traces".events`, "Unauthorized: Cannot MODIFY <table SYSTEM_traces.events>")
	check("ALTER KEYSPACE system_auth WITH durable_writes = true", "Unauthorized: Cannot ALTER <keyspace system_auth>")
	check("CREATE INDEX ON system.local (key)", "Unauthorized: system keyspace is not user-modifiable.")
	check("DROP INDEX system_auth.i", "Unauthorized: Cannot ALTER <all tables in system_auth>")
}

func TestEvents(t *testing.T) {
	s := build(t, createKS, "CREATE TYPE y (a int)", "CREATE TABLE t (k int PRIMARY KEY)")
	check := func(text string, want *Event) {
		t.Helper()
		next, got, err := Apply(s, change(t, text, 9))
		switch {
		case err != nil:
			t.Errorf("%s: %v", text, err)
		case want == nil && got == nil:
		case want == nil || got == nil || *got != *want:
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		case next.Epoch != s.Epoch+1:
			t.Errorf("%s: epoch %d after %d", text, next.Epoch, s.Epoch)
		}
	}
	check("CREATE KEYSPACE kt WITH replication = {'class': 'SimpleStrategy'}", &Event{Created, Keyspace, "kt", ""})
	check("ALTER KEYSPACE ks WITH durable_writes = false", &Event{Updated, Keyspace, "ks", ""})
	check("DROP KEYSPACE ks", &Event{Dropped, Keyspace, "ks", ""})
	check("CREATE TABLE u (k int PRIMARY KEY)", &Event{Created, Table, "ks", "u"})
	check("ALTER TABLE t ADD v int", &Event{Updated, Table, "ks", "t"})
	check("DROP TABLE t", &Event{Dropped, Table, "ks", "t"})
	check("CREATE TYPE z (a int)", &Event{Created, Type, "ks", "z"})
	check("ALTER TYPE y ADD b int", &Event{Updated, Type, "ks", "y"})
	check("DROP TYPE y", &Event{Dropped, Type, "ks", "y"})
	check("TRUNCATE t", nil)
	if got := fmt.Sprint(Created, Updated, Dropped, Keyspace, Table, Type, EventKind(9), Target(9)); got !=
		"CREATED UPDATED DROPPED KEYSPACE TABLE TYPE EventKind(9) Target(9)" {
		t.Errorf("names %s", got)
	}
}

// NetworkTopologyStrategy with more datacenters than the recorded server has.
func TestTopology(t *testing.T) {
	check := func(before, options, want string) {
		t.Helper()
		s := schema.Empty()
		run := func(text string) (err error) {
			s, _, err = Apply(s, Change{Statement: parse(t, text), Datacenters: []string{"a", "b", "c"}, DefaultReplicationFactor: 2})
			return err
		}
		text := "CREATE KEYSPACE ks WITH replication = " + options
		if before != "" {
			if err := run("CREATE KEYSPACE ks WITH replication = " + before); err != nil {
				t.Fatal(err)
			}
			text = "ALTER KEYSPACE ks WITH replication = " + options
		}
		var got string
		if err := run(text); err != nil {
			got = err.Error()
		} else {
			got = strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(s.Keyspace("ks").Replication.Options), "map["), "]")
		}
		if got != want {
			t.Errorf("%s after %s: got %s, want %s", options, before, got, want)
		}
	}
	check("", "{'class': 'NetworkTopologyStrategy'}", "a:2 b:2 c:2")
	check("", "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}", "a:3 b:3 c:3")
	check("", "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3, 'b': 1, 'c': 0}", "a:3 b:1")
	check("", "{'class': 'NetworkTopologyStrategy', 'b': '04'}", "b:4")
	check("", "{'class': 'NetworkTopologyStrategy', 'b': 1, 'd': 1}", "Unrecognized strategy option {d} passed to NetworkTopologyStrategy for keyspace ks")
	check("", "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}", "Unrecognized strategy option {datacenter1} passed to NetworkTopologyStrategy for keyspace ks")
	check("", "{'class': 'SimpleStrategy'}", "replication_factor:2")
	check("{'class': 'SimpleStrategy', 'replication_factor': 5}", "{'class': 'NetworkTopologyStrategy'}", "a:5 b:5 c:5")
	check("{'class': 'SimpleStrategy', 'replication_factor': 5}", "{'class': 'NetworkTopologyStrategy', 'a': 1}", "a:1")
	check("{'class': 'NetworkTopologyStrategy', 'a': 1}", "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}", "a:1 b:3 c:3")
	check("{'class': 'NetworkTopologyStrategy', 'a': 1}", "{'class': 'NetworkTopologyStrategy', 'a': 3}", "a:3")
	check("{'class': 'NetworkTopologyStrategy', 'a': 1}", "{'class': 'SimpleStrategy'}", "replication_factor:2")
}

func TestNestedTypesAreLimited(t *testing.T) {
	s := build(t, createKS, "CREATE TYPE t0 (a int)")
	for i := 1; ; i++ {
		next, _, err := Apply(s, change(t, fmt.Sprintf("CREATE TYPE t%d (a frozen<t%d>, b frozen<t%d>)", i, i-1, i-1), 1))
		if err != nil {
			if want := fmt.Sprintf("User type ks.t%d would have more than %d types nested in it", i, maxNestedTypes); err.Error() != want || i < 10 {
				t.Fatalf("got %v, want %s", err, want)
			}
			break
		}
		s = next
	}
	// An inner type that grows counts in all that use it.
	_, _, err := Apply(s, change(t, "ALTER TYPE t0 ADD b tuple<int, int, int, int, int, int, int, int>", 1))
	if err == nil || !strings.Contains(err.Error(), "types nested in it") {
		t.Errorf("got %v", err)
	}
	deep := strings.Repeat("list<", 40) + "int" + strings.Repeat(">", 40)
	_, _, err = Apply(s, change(t, "CREATE TABLE t (k int PRIMARY KEY, v frozen<"+deep+">)", 1))
	if err == nil || !strings.Contains(err.Error(), "it nests more than 64 types") {
		t.Errorf("got %v: the schema could not be loaded again", err)
	}
}

func TestResolveType(t *testing.T) {
	k := build(t, createKS, "CREATE TYPE y (a int)", `CREATE TYPE "Y y" (a frozen<y>)`).Keyspace("ks")
	check := func(k *schema.Keyspace, text, want string) {
		t.Helper()
		parsed, err := grammar.ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ResolveType(k, parsed)
		if s := fmt.Sprint(got, err); s != want {
			t.Errorf("%s: got %s, want %s", text, s, want)
		}
	}
	check(nil, "map<varchar, frozen<list<INT>>>", "map<text, frozen<list<int>>> <nil>")
	check(nil, "y", "<nil> Unknown type y")
	check(k, "y", "y <nil>")
	check(k, "ks.y", "y <nil>")
	check(k, `tuple<y, "Y y">`, `frozen<tuple<frozen<y>, frozen<"Y y">>> <nil>`)
	check(k, "Y", "y <nil>")
	check(k, `list<frozen<other.y>>`, "<nil> Statement on keyspace ks cannot refer to a user type in keyspace other; user types can only be used in the keyspace they are defined in")
	check(k, "vector<'org.example.T', 3>", "<nil> Custom types are not supported yet ('org.example.T')")
}
