package v1

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gocql/gocql"

	"github.com/iliumdb/ilium/tests/clients/gocql/program"
)

func connect(t *testing.T, address, keyspace string, version int, compressor gocql.Compressor) *gocql.Session {
	t.Helper()
	cluster := gocql.NewCluster(address)
	cluster.Keyspace = keyspace
	cluster.ProtoVersion = version
	cluster.Compressor = compressor
	cluster.Timeout = program.Patience
	cluster.ConnectTimeout = program.Patience
	session, err := cluster.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	return session
}

func run(t *testing.T, s *gocql.Session, text string, values ...any) {
	t.Helper()
	if err := s.Query(text, values...).Exec(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// TestDriver runs an application's statements in all versions and compressions.
func TestDriver(t *testing.T) {
	address := program.Start(t).Address
	for version := 3; version <= 4; version++ {
		for name, compressor := range map[string]gocql.Compressor{"none": nil, "lz4": compressor{}, "snappy": gocql.SnappyCompressor{}} {
			if version == 5 && name == "snappy" {
				continue // version 5 has no Snappy
			}
			t.Run(fmt.Sprintf("v%d/%s", version, name), func(t *testing.T) {
				keyspace := fmt.Sprintf("go1_%d_%s", version, name)
				setup := connect(t, address, "", version, compressor)
				run(t, setup, "CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
				s := connect(t, address, keyspace, version, compressor)
				t.Run("types", func(t *testing.T) { types(t, s, version) })
				t.Run("composites", func(t *testing.T) { composites(t, s) })
				t.Run("paging", func(t *testing.T) { paging(t, s) })
				t.Run("batches", func(t *testing.T) { batches(t, s) })
				t.Run("conditions", func(t *testing.T) { conditions(t, s) })
				t.Run("errors", func(t *testing.T) { failures(t, s) })
				t.Run("events", func(t *testing.T) { events(t, s, setup, keyspace) })
				t.Run("tracing", func(t *testing.T) { tracing(t, s) })
				run(t, setup, "DROP KEYSPACE "+keyspace)
			})
		}
	}
}

// TestNegotiation leaves the version to the driver.
func TestNegotiation(t *testing.T) {
	s := connect(t, program.Start(t).Address, "", 0, nil)
	var release string
	if err := s.Query("SELECT release_version FROM system.local").Scan(&release); err != nil || release != "5.0.6" {
		t.Error(release, err)
	}
}

// paging reads 10,000 rows in pages.
func paging(t *testing.T, s *gocql.Session) {
	run(t, s, "CREATE TABLE rows (k int, c int, v text, PRIMARY KEY (k, c))")
	const n, batch = 10000, 500
	for start := 0; start < n; start += batch {
		b := s.NewBatch(gocql.UnloggedBatch)
		for c := start; c < start+batch; c++ {
			b.Query("INSERT INTO rows (k, c, v) VALUES (?, ?, ?)", c%2, c, "row")
		}
		if err := s.ExecuteBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	count, sum := 0, 0
	rows := s.Query("SELECT c FROM rows").PageSize(777).Iter()
	if rows.NumRows() != 777 {
		t.Errorf("the first page has %d rows", rows.NumRows())
	}
	for c := 0; rows.Scan(&c); {
		count++
		sum += c
	}
	if err := rows.Close(); err != nil || count != n || sum != n*(n-1)/2 {
		t.Errorf("%d rows, sum %d, %v", count, sum, err)
	}
}

// batches writes with a logged batch, whose statements share a timestamp.
func batches(t *testing.T, s *gocql.Session) {
	run(t, s, "CREATE TABLE batches (k int PRIMARY KEY, v text)")
	b := s.NewBatch(gocql.LoggedBatch).WithTimestamp(1234)
	b.Query("INSERT INTO batches (k, v) VALUES (?, ?)", 1, "one")
	b.Query("INSERT INTO batches (k, v) VALUES (2, 'two')")
	if err := s.ExecuteBatch(b); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int]string{1: "one", 2: "two"} {
		var v string
		var written int64
		err := s.Query("SELECT v, writetime(v) FROM batches WHERE k = ?", k).Scan(&v, &written)
		if err != nil || v != want || written != 1234 {
			t.Errorf("%q written at %d, %v", v, written, err)
		}
	}
}

// conditions uses what the driver has for conditional statements.
func conditions(t *testing.T, s *gocql.Session) {
	run(t, s, "CREATE TABLE conditions (k int, c int, v text, PRIMARY KEY (k, c))")
	const insert = "INSERT INTO conditions (k, c, v) VALUES (?, ?, ?) IF NOT EXISTS"
	for _, want := range []bool{true, false} {
		var k, c int
		var v string
		applied, err := s.Query(insert, 1, 1, "a").SerialConsistency(gocql.LocalSerial).ScanCAS(&k, &c, &v)
		if err != nil || applied != want || !applied && (k != 1 || c != 1 || v != "a") {
			t.Error(applied, k, c, v, err)
		}
	}
	present := map[string]any{}
	applied, err := s.Query("UPDATE conditions SET v = 'b' WHERE k = 1 AND c = 1 IF v IN ?", []string{"x", "y"}).MapScanCAS(present)
	if got := fmt.Sprint(applied, present); err != nil || got != "false map[v:a]" {
		t.Error(got, err)
	}
	for _, want := range []bool{true, false} {
		b := s.NewBatch(gocql.LoggedBatch).SerialConsistency(gocql.Serial)
		b.Query(insert, 1, 2, "b")
		b.Query("UPDATE conditions SET v = 'c' WHERE k = 1 AND c = 1 IF v != ?", "c")
		var k, c int
		var v string
		applied, iter, err := s.ExecuteBatchCAS(b, &k, &c, &v)
		if err != nil || applied != want || !applied && (k != 1 || c != 1 || v != "c") {
			t.Fatal(applied, k, c, v, err)
		}
		if err := iter.Close(); err != nil {
			t.Error(err)
		}
	}
}

func failures(t *testing.T, s *gocql.Session) {
	for text, code := range map[string]int{"SELECT * FROM nothing": gocql.ErrCodeInvalid, "SELEC": gocql.ErrCodeSyntax} {
		err := s.Query(text).Exec()
		if failed, ok := errors.AsType[gocql.RequestError](err); !ok || failed.Code() != code {
			t.Errorf("%T %v", err, err)
		}
	}
	err := s.Query("CREATE TABLE types (k int PRIMARY KEY)").Exec()
	if exists, ok := errors.AsType[*gocql.RequestErrAlreadyExists](err); !ok || exists.Table != "types" {
		t.Errorf("%T %v", err, err)
	}
}

// events has a session notice what another one changes: it asks again only after it was told.
func events(t *testing.T, s, other *gocql.Session, keyspace string) {
	column := func(name string) func() error {
		return func() error {
			m, err := other.KeyspaceMetadata(keyspace)
			if err == nil && (m.Tables["events"] == nil || m.Tables["events"].Columns[name] == nil) {
				err = fmt.Errorf("no column %s in %+v", name, m.Tables["events"])
			}
			return err
		}
	}
	run(t, s, "CREATE TABLE events (k int PRIMARY KEY)")
	program.Eventually(t, column("k"))
	run(t, s, "ALTER TABLE events ADD added text")
	program.Eventually(t, column("added"))
}

// traced is a tracer that counts the requests that were given a trace.
type traced struct {
	gocql.Tracer
	n int
}

func (t *traced) Trace(id []byte) {
	t.n++
	t.Tracer.Trace(id)
}

func tracing(t *testing.T, s *gocql.Session) {
	run(t, s, "CREATE TABLE traced (k int PRIMARY KEY)")
	for _, text := range []string{"INSERT INTO traced (k) VALUES (?)", "SELECT * FROM traced WHERE k = ?"} {
		program.Eventually(t, func() error { // traces are written beside the answer
			var out bytes.Buffer
			tracer := &traced{Tracer: gocql.NewTraceWriter(s, &out)}
			if err := s.Query(text, 1).Trace(tracer).Exec(); err != nil {
				return err
			}
			if tracer.n == 0 { // it may be preparing that is traced beside
				t.Fatalf("%s was not traced", text)
			}
			if out := out.String(); !strings.Contains(out, "Tracing session") || strings.Contains(out, "Error") || !strings.Contains(out, "source:") {
				return fmt.Errorf("the trace of %s is %q", text, out)
			}
			return nil
		})
	}
}

// TestRestart goes on with the same session after the server was stopped and started.
func TestRestart(t *testing.T) {
	for version := 3; version <= 4; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			server := program.Start(t)
			s := connect(t, server.Address, "", version, nil)
			run(t, s, "CREATE KEYSPACE r WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
			run(t, s, "CREATE TABLE r.t (k int PRIMARY KEY)")
			run(t, s, "INSERT INTO r.t (k) VALUES (?)", 1)
			server.Restart(t)
			program.Eventually(t, func() error { // it has to be prepared again
				return s.Query("INSERT INTO r.t (k) VALUES (?)", 2).Exec()
			})
			n := 0
			if err := s.Query("SELECT count(*) FROM r.t").Scan(&n); err != nil || n != 2 {
				t.Errorf("%d rows, %v", n, err)
			}
		})
	}
}
