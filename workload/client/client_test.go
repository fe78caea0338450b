package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"

	"github.com/iliumdb/ilium/tests/nodes"
)

func TestMain(m *testing.M) { nodes.Main(m) }

func options(hosts ...string) Options {
	return Options{Hosts: hosts, Consistency: "ONE", Protocol: 5, Connections: 2, Timeout: 10 * time.Second}
}

func connect(t *testing.T, opts Options) *Servers {
	t.Helper()
	s, err := Connect(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Both databases do the same.
func TestDatabases(t *testing.T) {
	n, address := nodes.Serve(t)
	t.Run("embedded", func(t *testing.T) { use(t, Embed(n.Session()), "embedded") })
	for _, protocol := range []int{4, 5} {
		opts := options(address)
		opts.Protocol, opts.Coalesce = protocol, time.Duration(protocol-4)*100*time.Microsecond
		t.Run(fmt.Sprint("protocol ", protocol), func(t *testing.T) { use(t, connect(t, opts), fmt.Sprint("remote", protocol)) })
	}
	t.Run("by token", func(t *testing.T) { use(t, connect(t, options(address, address)), "by_token") })
}

func use(t *testing.T, db Database, keyspace string) {
	ctx := t.Context()
	for _, ddl := range []string{
		`CREATE KEYSPACE ` + keyspace + ` WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
		`CREATE TABLE ` + keyspace + `.t (k text, c bigint, v blob, l frozen<list<text>>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)`,
	} {
		if err := db.Exec(ctx, ddl); err != nil {
			t.Fatal(err)
		}
	}
	prepare := func(text string) Statement {
		t.Helper()
		st, err := db.Prepare(ctx, strings.ReplaceAll(text, "KS", keyspace))
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	insert := prepare(`INSERT INTO KS.t (k, c, v, l) VALUES (?, ?, ?, ?)`)
	list := prepare(`SELECT c, v FROM KS.t WHERE k = ?`)
	one := prepare(`SELECT v, l FROM KS.t WHERE k = ? AND c = ?`)
	if err := insert.Exec(ctx, "a", int64(0), []byte("value"), []string{"x", "y"}); err != nil {
		t.Fatal(err)
	}
	batch := db.Batch()
	for c := range int64(24) {
		batch.Add(insert, "a", c+1, []byte{byte(c)}, db.Unset())
		if c == 11 {
			if err := batch.Exec(ctx); err != nil { // and the batch is used again
				t.Fatal(err)
			}
		}
	}
	if err := batch.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	var value []byte
	var words []string
	if err := One(one.Query(ctx, 0, "a", int64(0)), &value, &words); err != nil || string(value) != "value" || len(words) != 2 || words[1] != "y" {
		t.Errorf("got %q, %q, %v", value, words, err)
	}
	if err := One(one.Query(ctx, 0, "a", int64(99)), &value, &words); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing row: %v", err)
	}
	if err := One(one.Query(ctx, 0, "a"), &value, &words); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a missing value: %v", err)
	}
	pages(t, list)
	if _, err := db.Prepare(ctx, `SELECT nothing FROM `+keyspace+`.t`); err == nil {
		t.Error("a wrong statement is prepared")
	}
	if err := db.Exec(ctx, `CREATE TABLE missing.t (k int PRIMARY KEY)`); err == nil {
		t.Error("a wrong statement is carried out")
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := insert.Exec(canceled, "a", int64(0), []byte("value"), db.Unset()); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// pages reads 25 rows in pages of ten.
func pages(t *testing.T, list Statement) {
	rows := list.Query(t.Context(), 10, "a")
	defer rows.Close()
	var c int64
	var v []byte
	for want := int64(24); want >= 0; want-- {
		if ends := rows.PageEnds(); ends != (want == 14 || want == 4) {
			t.Errorf("before row %d: the page ends: %t", want, ends)
		}
		if ok, err := rows.Next(&c, &v); !ok || err != nil || c != want {
			t.Fatalf("row %d: got %d, %t, %v", want, c, ok, err)
		}
	}
	if ok, err := rows.Next(&c, &v); ok || err != nil || rows.PageEnds() {
		t.Errorf("behind the end: %t, %v", ok, err)
	}
}

func TestConnectFails(t *testing.T) {
	_, address := nodes.Serve(t)
	wrong := options(address)
	wrong.Consistency = "SOME"
	if _, err := Connect(wrong); err == nil || err.Error() != `"SOME" is no consistency level` {
		t.Errorf("error %v", err)
	}
	free := nodes.Unused(t)
	if _, err := Connect(options(free)); err == nil || !strings.Contains(err.Error(), "connecting to ["+free+"]: ") {
		t.Errorf("error %v", err)
	}
}

func TestKind(t *testing.T) {
	n, address := nodes.Serve(t)
	s := connect(t, options(address))
	err := s.Exec(t.Context(), "SELECT * FROM missing.t")
	if err == nil || Kind(err) != "invalid" {
		t.Errorf("%v is %q", err, Kind(err))
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(t.Context(), "SELECT * FROM system.local"); Kind(err) != "no connection" {
		t.Errorf("%v is %q", err, Kind(err))
	}
	for err, want := range map[error]string{
		gocql.ErrTimeoutNoResponse:                     "client timeout",
		fmt.Errorf("x: %w", context.DeadlineExceeded):  "client timeout",
		fmt.Errorf("x: %w", gocql.ErrConnectionClosed): "no connection",
		errors.New("x"): "other",
	} {
		if got := Kind(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	if got := codeName(0x0a); got != "server error 0x000a" {
		t.Errorf("an unknown code is %q", got)
	}
}
