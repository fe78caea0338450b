package node_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError + 1) // the tests provoke errors that the engine reports
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// settings returns the settings of a small node in dir.
func settings(dir string) config.Config {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = dir, 64*config.MiB
	return cfg
}

// start starts a node that the caller stops.
func start(t testing.TB, dir string) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), settings(dir))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func stop(t testing.TB, n *node.Node) {
	t.Helper()
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
}

// newNode starts a node in a directory of its own; t.Cleanup stops it.
func newNode(t testing.TB) *node.Node {
	t.Helper()
	n := start(t, t.TempDir())
	t.Cleanup(func() { stop(t, n) })
	return n
}

// newSession returns a session of a new node, in a new keyspace ks.
func newSession(t testing.TB) *node.Session {
	t.Helper()
	s := newNode(t).Session()
	createKeyspace(t, s, "ks", "1")
	exec(t, s, "USE ks")
	return s
}

func createKeyspace(t testing.TB, s *node.Session, name, replicas string) {
	t.Helper()
	exec(t, s, "CREATE KEYSPACE "+name+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': "+replicas+"}")
}

func exec(t testing.TB, s *node.Session, text string, values ...any) {
	t.Helper()
	if err := s.Query(text, values...).Exec(t.Context()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// execAll carries out statements without values.
func execAll(t testing.TB, s *node.Session, statements ...string) {
	t.Helper()
	for _, text := range statements {
		exec(t, s, text)
	}
}

// texts returns the rows of a query that selects one text column.
func texts(t testing.TB, q *node.Query) []string {
	t.Helper()
	var out []string
	rows := q.Iter(t.Context())
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// checkTexts compares the rows of a query that selects one text column, joined by spaces.
func checkTexts(t testing.TB, q *node.Query, want string) {
	t.Helper()
	if got := strings.Join(texts(t, q), " "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkError reports an error that does not say want.
func checkError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestDataIsThereAfterRestart(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	execAll(t, s, "USE ks", "CREATE TABLE t (k int PRIMARY KEY, v text)", "INSERT INTO t (k, v) VALUES (1, 'kept')")
	stop(t, n)

	n = start(t, dir)
	defer stop(t, n)
	checkTexts(t, n.Session().Query("SELECT v FROM ks.t"), "kept")
}

func TestPeriodicSync(t *testing.T) {
	cfg := settings(t.TempDir())
	cfg.CommitlogSync = config.SyncPeriodic
	for want := range 3 {
		n, err := node.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s := n.Session()
		exec(t, s, "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
		exec(t, s, "CREATE TABLE IF NOT EXISTS ks.t (k int PRIMARY KEY)")
		if got := countRows(t, s.Query("SELECT k FROM ks.t")); got != want {
			t.Errorf("%d rows after %d restarts", got, want)
		}
		exec(t, s, "INSERT INTO ks.t (k) VALUES (?)", want)
		stop(t, n)
	}
}

func TestNodesInOneProcess(t *testing.T) {
	first, second := newNode(t), newNode(t)
	for name, n := range map[string]*node.Node{"first": first, "second": second} {
		s := n.Session()
		createKeyspace(t, s, "ks", "1")
		execAll(t, s, "CREATE TABLE ks.t (k int PRIMARY KEY, v text)")
		exec(t, s, "INSERT INTO ks.t (k, v) VALUES (1, ?)", name)
	}
	checkTexts(t, first.Session().Query("SELECT v FROM ks.t"), "first")
	checkTexts(t, second.Session().Query("SELECT v FROM ks.t"), "second")
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	_, err := node.Start(t.Context(), settings(dir))
	if !errors.Is(err, storage.ErrLocked) {
		t.Errorf("error %v, want %v", err, storage.ErrLocked)
	}
	checkError(t, err, dir)
	createKeyspace(t, n.Session(), "ks", "1") // the first node is unharmed
	stop(t, n)
	stop(t, start(t, dir))
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	stop(t, start(t, dir))
	check := func(change func(*config.Config), want string) {
		t.Helper()
		cfg := settings(dir)
		change(&cfg)
		n, err := node.Start(t.Context(), cfg)
		if err == nil {
			stop(t, n)
		}
		checkError(t, err, want)
	}
	check(func(c *config.Config) { c.ClusterName = "Other" }, "Saved cluster name Test Cluster != configured name Other")
	check(func(c *config.Config) { c.Memory = config.MiB }, "memory")
	check(func(c *config.Config) { *c = config.Config{} }, "data_directory")
	check(func(c *config.Config) { c.DataDirectory = filepath.Join(dir, "MANIFEST", "below") }, "not a directory")
	stop(t, start(t, dir)) // nothing was left open
}

func TestStartIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := node.Start(ctx, settings(dir)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	stop(t, start(t, dir))
}

func TestStopTwice(t *testing.T) {
	n := start(t, t.TempDir())
	var stops sync.WaitGroup
	for range 4 {
		stops.Go(func() {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	stops.Wait()
	stop(t, n)
}

func TestUseAfterStop(t *testing.T) {
	n := start(t, t.TempDir())
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	execAll(t, s, "CREATE TABLE ks.t (k int PRIMARY KEY, v text)")
	insert := prepare(t, s, "INSERT INTO ks.t (k) VALUES (?)")
	stop(t, n)

	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, storage.ErrClosed) {
			t.Errorf("%s: error %v, want %v", what, err, storage.ErrClosed)
		}
	}
	ctx := t.Context()
	check("write", insert.Query(1).Exec(ctx))
	check("batch", s.Batch().Add(insert, 1).Add(insert, 2).Exec(ctx))
	check("read", s.Query("SELECT v FROM ks.t WHERE k = 1").Exec(ctx))
	check("scan", s.Query("SELECT v FROM ks.t").Exec(ctx))
	check("new session", n.Session().Query("SELECT v FROM ks.t").Exec(ctx))
	check("schema change", s.Query("CREATE TABLE ks.u (k int PRIMARY KEY)").Exec(ctx))
	check("truncate", s.Query("TRUNCATE ks.t").Exec(ctx))
	check("drop", s.Query("DROP TABLE ks.t").Exec(ctx))
	check("compact", n.Compact(ctx, "ks", "t"))
}

func TestCompact(t *testing.T) {
	n := newNode(t)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	execAll(t, s, "CREATE TABLE ks.t (p int, c int, v text, PRIMARY KEY (p, c))")
	insert := prepare(t, s, "INSERT INTO ks.t (p, c, v) VALUES (1, ?, ?)")
	const values = "a b c d e f g h"
	for c, v := range strings.Fields(values) {
		if err := insert.Query(c, v).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Compact(t.Context(), "ks", "t"); err != nil {
		t.Fatal(err)
	}
	checkTexts(t, s.Query("SELECT v FROM ks.t WHERE p = 1"), values)
	exec(t, s, "DELETE FROM ks.t WHERE p = 1 AND c < 6")
	if err := n.Compact(t.Context(), "ks", "t"); err != nil {
		t.Fatal(err)
	}
	checkTexts(t, s.Query("SELECT v FROM ks.t WHERE p = 1"), "g h")

	var invalid *schema.InvalidRequestError
	if err := n.Compact(t.Context(), "ks", "missing"); !errors.As(err, &invalid) {
		t.Errorf("error %v, want an InvalidRequestError", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := newSession(t)
	execAll(t, s, "CREATE TABLE t (p int, c int, v text, PRIMARY KEY (p, c))")
	insert := prepare(t, s, "INSERT INTO t (p, c, v) VALUES (?, ?, ?)")
	const workers, rows = 8, 40
	var writers sync.WaitGroup
	for p := range workers {
		writers.Go(func() {
			for c := range rows {
				if err := insert.Query(p, c, "v").Exec(t.Context()); err != nil {
					t.Error(err)
				}
				if got := countRows(t, s.Query("SELECT v FROM t WHERE p = ?", p)); got != c+1 {
					t.Errorf("partition %d has %d rows, want %d", p, got, c+1)
				}
			}
		})
	}
	writers.Go(func() {
		for range 10 {
			for _, text := range []string{"CREATE TABLE other (k int PRIMARY KEY)", "INSERT INTO other (k) VALUES (1)", "DROP TABLE other"} {
				if err := s.Query(text).Exec(t.Context()); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
		}
	})
	writers.Wait()
	if got := countRows(t, s.Query("SELECT v FROM t").PageSize(7)); got != workers*rows {
		t.Errorf("%d rows, want %d", got, workers*rows)
	}
}

func countRows(t testing.TB, q *node.Query) (count int) {
	t.Helper()
	rows := q.Iter(t.Context())
	for rows.Next() {
		count++
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	return count
}

func prepare(t testing.TB, s *node.Session, text string) *node.Statement {
	t.Helper()
	st, err := s.Prepare(text)
	if err != nil {
		t.Fatal(err)
	}
	return st
}
