package node_test

import (
	"slices"
	"testing"
)

func TestDroppedDataStaysAway(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	create := []string{"USE ks", "CREATE TABLE t (p int, c int, v text, s text static, PRIMARY KEY (p, c))"}
	fillTable := []string{"INSERT INTO t (p, c, v, s) VALUES (1, 1, 'old', 'old')", "INSERT INTO t (p, c, v) VALUES (2, 2, 'old')"}
	execAll(t, s, create...)
	execAll(t, s, fillTable...)
	read := prepare(t, s, "SELECT v FROM t")

	empty := func(when string) {
		t.Helper()
		if got := texts(t, read.Query()); len(got) != 0 {
			t.Errorf("%s: %q", when, got)
		}
	}
	execAll(t, s, "TRUNCATE t")
	empty("after TRUNCATE")
	execAll(t, s, fillTable...)
	execAll(t, s, "DROP TABLE t")
	checkError(t, read.Query().Exec(t.Context()), "table t does not exist")
	execAll(t, s, create...)
	empty("after DROP and CREATE TABLE")
	execAll(t, s, fillTable...)
	execAll(t, s, "DROP KEYSPACE ks")
	checkError(t, read.Query().Exec(t.Context()), "keyspace ks does not exist")
	createKeyspace(t, s, "ks", "1")
	execAll(t, s, create...)
	empty("after DROP and CREATE KEYSPACE")
	stop(t, n)

	n = start(t, dir)
	defer stop(t, n)
	if got := texts(t, n.Session().Query("SELECT v FROM ks.t")); len(got) != 0 {
		t.Errorf("after a restart: %q", got)
	}
}

// A prepared statement follows the schema.
func TestPreparedStatementIsPlannedAgain(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "INSERT INTO t (k, v) VALUES (1, 'a')")
	all := prepare(t, s, "SELECT * FROM t")
	one := prepare(t, s, "SELECT v FROM t")
	insert := prepare(t, s, "INSERT INTO t (k, v) VALUES (?, ?)")
	columns := func(want ...string) {
		t.Helper()
		rows := all.Query().Iter(t.Context())
		defer rows.Close()
		var got []string
		for _, c := range rows.Columns() {
			got = append(got, c.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("columns %q, want %q", got, want)
		}
	}
	columns("k", "v")
	exec(t, s, "ALTER TABLE t ADD extra int")
	columns("k", "extra", "v")
	checkTexts(t, one.Query(), "a")

	exec(t, s, "ALTER TABLE t DROP v")
	columns("k", "extra")
	const undefined = "Undefined column name v"
	checkError(t, one.Query().Exec(t.Context()), undefined)
	checkError(t, insert.Query(2, "b").Exec(t.Context()), undefined)
	checkError(t, s.Batch().Add(insert, 2, "b").Exec(t.Context()), undefined)

	exec(t, s, "ALTER TABLE t ADD v text")
	checkTexts(t, one.Query(), "") // the value from before DROP does not come back
	if err := insert.Query(1, "c").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTexts(t, one.Query(), "c")
}

// A change of the schema between two pages changes the rows of the second.
func TestSchemaChangesBetweenPages(t *testing.T) {
	s := newSession(t)
	execAll(t, s, "CREATE TABLE wide (p int, c int, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO wide (p, c) VALUES (1, ?)", 6)
	rows := s.Query("SELECT * FROM wide").PageSize(3).Iter(t.Context())
	defer rows.Close()
	widths := []int{}
	for rows.Next() {
		if len(widths) == 0 {
			exec(t, s, "ALTER TABLE wide ADD v int")
		}
		row, err := rows.ScanMap()
		if err != nil {
			t.Fatal(err)
		}
		widths = append(widths, len(row))
	}
	if want := []int{2, 2, 2, 3, 3, 3}; !slices.Equal(widths, want) || rows.Err() != nil {
		t.Errorf("rows have %v columns, error %v, want %v", widths, rows.Err(), want)
	}
}
