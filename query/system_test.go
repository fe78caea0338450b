package query

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema"
)

// texts returns the values of rows as literals, a line for each row.
func texts(r *Rows) []string {
	var out []string
	data := r.Data
	for range r.Count {
		var line []string
		for _, c := range r.Columns {
			n := int32(binary.BigEndian.Uint32(data))
			data = data[lengthSize:]
			if n < 0 {
				line = append(line, "null")
				continue
			}
			line = append(line, string(c.Type.AppendLiteral(nil, data[:n])))
			data = data[n:]
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

// pages reads all pages of a statement.
func pages(t *testing.T, s *Session, text string, size int) (all []string, count int) {
	t.Helper()
	parameters := &Parameters{Consistency: consistency.One, PageSize: size}
	for {
		result, err := s.Execute(context.Background(), text, parameters)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, texts(result.Rows)...)
		count++
		if parameters.PagingState = result.Rows.PagingState; parameters.PagingState == nil {
			return all, count
		}
	}
}

func TestSystemTablesPage(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)")
	for _, text := range []string{
		"SELECT keyspace_name, table_name, column_name FROM system_schema.columns",
		"SELECT keyspace_name, table_name, column_name FROM system_schema.columns PER PARTITION LIMIT 3",
		"SELECT keyspace_name, table_name, column_name FROM system_virtual_schema.columns LIMIT 20",
		"SELECT column_name FROM system_schema.columns WHERE keyspace_name = 'system' ORDER BY table_name DESC, column_name DESC",
		"SELECT DISTINCT keyspace_name FROM system_schema.tables",
		"SELECT keyspace_name FROM system_schema.keyspaces WHERE token(keyspace_name) > 0",
		"SELECT table_name FROM system_schema.tables WHERE keyspace_name IN ('system', 'ks', 'system_traces')",
		"DESCRIBE FULL SCHEMA",
		"DESCRIBE KEYSPACES",
	} {
		want, _ := pages(t, s, text, 0)
		for _, size := range []int{1, 3, 7} {
			got, count := pages(t, s, text, size)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s: %d rows in pages of %d, %d at once", text, len(got), size, len(want))
			}
			if least := len(want) / size; count < least {
				t.Errorf("%s: %d pages of %d", text, count, size)
			}
		}
		if len(want) == 0 {
			t.Errorf("%s: no rows", text)
		}
	}
}

func TestDescribeDoesNotGoOnInAnotherSchema(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)")
	parameters := &Parameters{Consistency: consistency.One, PageSize: 1}
	result, err := s.Execute(context.Background(), "DESCRIBE KEYSPACES", parameters)
	if err != nil {
		t.Fatal(err)
	}
	parameters.PagingState = result.Rows.PagingState
	execute(t, s, "ALTER TABLE t ADD w int")
	_, err = s.Execute(context.Background(), "DESCRIBE KEYSPACES", parameters)
	const want = "The schema has changed since the previous page of the DESCRIBE statement result. Please retry the DESCRIBE statement."
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	parameters.PagingState = []byte("nonsense")
	if _, err = s.Execute(context.Background(), "DESCRIBE KEYSPACES", parameters); err == nil {
		t.Error("a paging state of another statement is accepted")
	}
}

func TestSystemTablesAreReadOnly(t *testing.T) {
	s := newSession(t, Options{})
	for _, text := range []string{
		"INSERT INTO system.local (key) VALUES ('local')",
		"UPDATE system.local SET rack = 'r' WHERE key = 'local'",
		"DELETE FROM system.local WHERE key = 'local'",
		"BEGIN BATCH DELETE FROM system.local WHERE key = 'local'; APPLY BATCH",
		"INSERT INTO system_schema.keyspaces (keyspace_name) VALUES ('x')",
		"INSERT INTO system_traces.sessions (session_id) VALUES (uuid())",
		"TRUNCATE system.local",
		"TRUNCATE system_schema.tables",
		"DROP TABLE system.local",
		"ALTER TABLE system.peers ADD x int",
		"CREATE TABLE system.x (k int PRIMARY KEY)",
		"CREATE TABLE system_traces.x (k int PRIMARY KEY)",
		"DROP KEYSPACE system_traces",
	} {
		_, err := s.Execute(context.Background(), text, &Parameters{Consistency: consistency.One})
		var unauthorized *schema.UnauthorizedError
		if !errors.As(err, &unauthorized) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestDescribeCluster(t *testing.T) {
	s := newSession(t, Options{})
	execute(t, s, "USE system")
	if got := texts(execute(t, s, "DESCRIBE CLUSTER").Rows); fmt.Sprint(got) != "['' 'Murmur3Partitioner' 'DynamicEndpointSnitch']" {
		t.Errorf("%v", got)
	}
	execute(t, s, "USE ks")
	if got := execute(t, s, "DESCRIBE CLUSTER").Rows; len(got.Columns) != 4 || got.Columns[3].Name != "range_ownership" {
		t.Errorf("%v", got.Columns)
	}
}

func TestSchemaVersionChangesWithTheSchema(t *testing.T) {
	s := newSession(t, Options{})
	version := func() string { return texts(execute(t, s, "SELECT schema_version FROM system.local").Rows)[0] }
	first := version()
	execute(t, s, "CREATE TABLE t (k int PRIMARY KEY)")
	second := version()
	execute(t, s, "DROP TABLE t")
	if second == first || version() != first {
		t.Errorf("versions %s, %s, %s", first, second, version())
	}
}

func BenchmarkSystemTables(b *testing.B) {
	var statements []string
	for i := range 20 {
		statements = append(statements, fmt.Sprintf("CREATE TABLE t%d (k int, c int, a text, b text, PRIMARY KEY (k, c))", i))
	}
	s := newSession(b, Options{}, statements...)
	run := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				execute(b, s, text)
			}
		})
	}
	run("local", "SELECT * FROM system.local WHERE key = 'local'")
	run("columns of a keyspace", "SELECT * FROM system_schema.columns WHERE keyspace_name = 'ks'")
	run("all columns", "SELECT * FROM system_schema.columns")
	run("settings", "SELECT * FROM system_views.settings")
}
