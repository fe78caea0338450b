package system

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// describe prints what a DESCRIBE answers.
func describe(t *testing.T, tables *Tables, s *schema.Schema, keyspace, text string) string {
	t.Helper()
	parsed, err := grammar.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	list, err := tables.Describe(s, parsed.Statement.(*ast.Describe), keyspace)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, d := range list {
		line := d.Keyspace + " " + d.Type + " " + d.Name
		if d.Statement != "" {
			line += "\n" + d.Statement
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestDescribeInternals has what Cassandra 5.0.6 answered for such a table, but for the options.
func TestDescribeInternals(t *testing.T) {
	s := made(t, createKeyspace,
		"CREATE TABLE ids (k int, c int, a text, b map<int, text>, s int static, PRIMARY KEY (k, c)) WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18",
		"ALTER TABLE ids DROP b USING TIMESTAMP 1234567890123456",
		"ALTER TABLE ids DROP a USING TIMESTAMP 1234567890123999",
		"ALTER TABLE ids DROP s USING TIMESTAMP 1234567890124000",
		"ALTER TABLE ids ADD a text")
	const want = `ks table ids
CREATE TABLE ks.ids (
    k int,
    c int,
    a text,
    b map<int, text>,
    s int static,
    PRIMARY KEY (k, c)
) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
    AND CLUSTERING ORDER BY (c ASC)
    AND ...;
ALTER TABLE ks.ids DROP a USING TIMESTAMP 1234567890123999;
ALTER TABLE ks.ids ADD a text;
ALTER TABLE ks.ids DROP b USING TIMESTAMP 1234567890123456;
ALTER TABLE ks.ids DROP s USING TIMESTAMP 1234567890124000;`
	got := describe(t, newTables(t), s, "ks", "DESCRIBE TABLE ids WITH INTERNALS")
	if i, j := strings.Index(got, "additional_write_policy"), strings.Index(got, ";\n"); i >= 0 && j > i {
		got = got[:i] + "..." + got[j:]
	}
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestDescribeWithoutKeyspace(t *testing.T) {
	tables := newTables(t)
	s := made(t, `CREATE KEYSPACE "Bcd" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`, createKeyspace,
		"CREATE TABLE ks.t (k int PRIMARY KEY)", `CREATE TABLE ks."A" (k int PRIMARY KEY)`, "CREATE TYPE ks.y (a int)")
	check := func(text, want string) {
		t.Helper()
		if got := describe(t, tables, s, "", text); got != want {
			t.Errorf("%s: %s\nwant %s", text, got, want)
		}
	}
	const none = "No keyspace specified and no current keyspace"
	check("DESCRIBE KEYSPACE", none)
	check("DESCRIBE ONLY KEYSPACE", none)
	check("DESCRIBE TABLE t", none)
	check("DESCRIBE TYPE y", none)
	check("DESCRIBE INDEX i", none)
	check("DESCRIBE MATERIALIZED VIEW v", none)
	check("DESCRIBE FUNCTION f", none)
	check("DESCRIBE t", "'t' not found in keyspaces")
	check("DESCRIBE nothing.t", "'nothing' not found in keyspaces")
	check("DESCRIBE TYPES", "ks type y")
	check("DESCRIBE FUNCTIONS", "")
	check("DESCRIBE KEYSPACES", `"Bcd" keyspace "Bcd"
ks keyspace ks
system keyspace system
system_schema keyspace system_schema
system_traces keyspace system_traces
system_views keyspace system_views
system_virtual_schema keyspace system_virtual_schema`)
	if got := describe(t, tables, s, "", "DESCRIBE TABLES"); !strings.HasPrefix(got, "ks table \"A\"\nks table t\nsystem table available_ranges\n") {
		t.Errorf("DESCRIBE TABLES: %s", got)
	}
	if got := describe(t, tables, s, "", "DESCRIBE SCHEMA"); strings.Contains(got, "system") || strings.Count(got, "CREATE ") != 5 {
		t.Errorf("DESCRIBE SCHEMA: %s", got)
	}
}
