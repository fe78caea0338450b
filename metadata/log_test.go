package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// A memory is a Store that forgets when the process ends.
type memory struct {
	values   map[string][]byte
	puts     int
	reclaims int
	fail     func() (stored bool, err error) // asked before each Put; nil: all succeed
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) Put(ctx context.Context, puts ...storage.Put) error {
	m.puts++
	stored, err := true, error(nil)
	if m.fail != nil {
		stored, err = m.fail()
	}
	if err == nil {
		err = ctx.Err()
	}
	if !stored {
		return err
	}
	for _, p := range puts {
		if p.Value == nil {
			delete(m.values, p.Name)
		} else {
			m.values[p.Name] = p.Value
		}
	}
	return err
}

func (m *memory) Values(prefix string, visit func(name string, value []byte) error) error {
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		if strings.HasPrefix(name, prefix) {
			if err := visit(name, m.values[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Reclaim() { m.reclaims++ }

func open(t fataler, store Store, opts Options) *Log {
	t.Helper()
	l, err := Open(store, opts)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return l
}

// propose proposes statements that must succeed.
func propose(t fataler, l *Log, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if _, err := l.Propose(context.Background(), change(t, text, byte(l.Schema().NextIncarnation))); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// sameAsStored fails unless a log that is opened on store has the schema of l.
func sameAsStored(t fataler, l *Log, store Store) {
	t.Helper()
	if got, want := stored(open(t, store, Options{}).Schema()), stored(l.Schema()); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("stored schema is %s, want %s", got, want)
	}
}

func TestLog(t *testing.T) {
	m := newMemory()
	m.values["identity"] = []byte("of the node")
	var told []string
	var l *Log
	l = open(t, m, Options{Datacenters: []string{"a", "b"}, DefaultReplicationFactor: 3, OnChange: func(s *schema.Schema, e *Event) {
		if l.Schema() != s {
			t.Error("OnChange came before the schema was published")
		}
		told = append(told, fmt.Sprint(s.Epoch, e != nil, m.reclaims))
	}})
	if m.puts != 0 || l.Schema().Epoch != 0 {
		t.Error("Open wrote something")
	}
	propose(t, l, "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy'}",
		"CREATE TABLE t (k int PRIMARY KEY)",
		"CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
		"ALTER TABLE t ADD v int",
		"TRUNCATE t",
		"DROP TABLE t",
		"CREATE TABLE t (k int PRIMARY KEY)",
		"DROP KEYSPACE ks",
		"CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy'}",
		"DROP KEYSPACE ks")
	want := "1true0 2true0 3true0 4false1 5true2 6true2 7true3 8true3 9true3"
	if got := strings.ReplaceAll(strings.Join(told, ","), " ", ""); got != strings.ReplaceAll(want, " ", ",") {
		t.Errorf("OnChange got %s, want %s", got, want)
	}
	if m.puts != 9 {
		t.Errorf("%d puts", m.puts)
	}
	propose(t, l, "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy'}")
	if got := fmt.Sprint(l.Schema().Keyspace("ks").Replication.Options); got != "map[a:3 b:3]" {
		t.Errorf("the options of the log were not used: %s", got)
	}
	sameAsStored(t, l, m)
	if string(m.values["identity"]) != "of the node" {
		t.Error("a value that is not of the schema changed")
	}
	before := l.Schema()
	if _, err := l.Propose(context.Background(), change(t, "DROP TABLE none", 1)); class(err) != "InvalidRequest" || l.Schema() != before {
		t.Errorf("got %v", err)
	}
}

func TestFailedPut(t *testing.T) {
	m := newMemory()
	broken := errors.New("broken")
	var told int
	l := open(t, m, Options{OnChange: func(*schema.Schema, *Event) { told++ }})
	propose(t, l, createKS, "CREATE TABLE old (k int PRIMARY KEY)")
	check := func(text string, stored bool) {
		t.Helper()
		before, reclaims := l.Schema(), m.reclaims
		m.fail = func() (bool, error) { return stored, broken }
		event, err := l.Propose(context.Background(), change(t, text, 99))
		m.fail = nil
		if !errors.Is(err, broken) || event != nil || l.Schema() != before || told != 2 || m.reclaims != reclaims {
			t.Errorf("%s: got %v, %v; the schema changed: %t; told %d times", text, event, err, l.Schema() != before, told)
		}
	}
	check("CREATE TABLE a (k int PRIMARY KEY)", false)
	check("CREATE TABLE b (k int PRIMARY KEY)", true) // its incarnation must not be stored when c has it
	check("DROP TABLE old", true)
	check("ALTER KEYSPACE ks WITH durable_writes = false", true)
	propose(t, l, "CREATE TABLE c (k int PRIMARY KEY)")
	sameAsStored(t, l, m)
	if s := open(t, m, Options{}).Schema(); s.Table("ks", "b") != nil || s.Table("ks", "old") == nil || s.Table("ks", "c").Incarnation != 2 || !s.Keyspace("ks").DurableWrites {
		t.Error("what failed was stored all the same")
	}
}

// Whatever fails, what is stored is what was published, as soon as a change succeeds.
func TestRandomFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		outcome := 0
		m.fail = func() (bool, error) {
			if outcome = rapid.IntRange(0, 3).Draw(rt, "outcome"); outcome < 2 {
				return true, nil
			}
			return outcome == 3, errors.New("broken")
		}
		l := open(rt, m, Options{})
		g := generator{rt}
		for i := range rapid.IntRange(1, 20).Draw(rt, "length") {
			text := g.statement()
			if i < len(beginning) {
				text = beginning[i]
			}
			before, puts := l.Schema(), m.puts
			_, err := l.Propose(context.Background(), Change{Statement: parse(rt, text), TableID: cqltype.UUID{byte(i + 1)}})
			switch {
			case err != nil && l.Schema() != before:
				rt.Fatalf("%s failed and changed the schema", text)
			case err == nil && m.puts > puts:
				sameAsStored(rt, l, m)
			}
		}
	})
}

func TestProposeConcurrently(t *testing.T) {
	m := newMemory()
	var epochs []uint64
	l := open(t, m, Options{OnChange: func(s *schema.Schema, _ *Event) { epochs = append(epochs, s.Epoch) }})
	propose(t, l, createKS)
	const n = 16
	var wg sync.WaitGroup
	for i := range n {
		c := change(t, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY)", i), byte(i+1))
		wg.Go(func() {
			if _, err := l.Propose(context.Background(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(epochs) != n+1 || !slices.IsSorted(epochs) || l.Schema().Epoch != n+1 || l.Schema().NextIncarnation != n+1 {
		t.Errorf("epochs %v, next incarnation %d", epochs, l.Schema().NextIncarnation)
	}
	sameAsStored(t, l, m)
}

// ctx bounds the wait for one's turn and nothing more.
func TestProposeContext(t *testing.T) {
	m := newMemory()
	l := open(t, m, Options{})
	begun, finish := make(chan struct{}), make(chan struct{})
	m.fail = func() (bool, error) {
		close(begun)
		<-finish
		return true, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	first, second := change(t, createKS, 1), change(t, "DROP KEYSPACE ks", 1)
	done := make(chan error)
	go func() {
		_, err := l.Propose(ctx, first)
		done <- err
	}()
	<-begun
	cancel()
	if _, err := l.Propose(ctx, second); !errors.Is(err, context.Canceled) {
		t.Errorf("a change whose turn did not come: %v", err)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Errorf("a change that had begun: %v", err)
	}
	if l.Schema().Keyspace("ks") == nil {
		t.Error("it was not published")
	}
}

func TestOpenErrors(t *testing.T) {
	check := func(name, value, want string) {
		t.Helper()
		m := newMemory()
		propose(t, open(t, m, Options{}), createKS, "CREATE TABLE t (k int PRIMARY KEY)")
		m.values[name] = []byte(value)
		if _, err := Open(m, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	check("schema/state", `{"format":99}`, "format 99")
	check("schema/table/ks/t", `{`, "record table/ks/t")
	check("schema/other", `{}`, "record other")
	if _, err := Open(unreadable{newMemory()}, Options{}); err == nil || err.Error() != "reading the stored schema: unreadable" {
		t.Errorf("got %v", err)
	}
}

// An unreadable store fails when it is read.
type unreadable struct{ *memory }

func (unreadable) Values(string, func(string, []byte) error) error { return errors.New("unreadable") }

// An engine is the real Store; it counts what it is asked to reclaim.
type engine struct {
	*storage.Engine
	reclaims int
}

func (e *engine) Reclaim() {
	e.reclaims++
	e.Engine.Reclaim()
}

func TestLogOnEngine(t *testing.T) {
	dir := t.TempDir()
	start := func() (*Log, *engine) {
		t.Helper()
		e, err := storage.Open(storage.Options{Dir: dir, Memory: 64 << 20})
		if err != nil {
			t.Fatal(err)
		}
		store := &engine{Engine: e}
		return open(t, store, Options{}), store
	}
	l, store := start()
	propose(t, l, createKS, "CREATE TYPE y (a int)", "CREATE TABLE t (k int PRIMARY KEY, v frozen<y>)", "CREATE TABLE u (k int PRIMARY KEY)")
	if store.reclaims != 0 {
		t.Errorf("%d reclaims", store.reclaims)
	}
	propose(t, l, "TRUNCATE t")
	if store.reclaims != 1 {
		t.Errorf("%d reclaims after TRUNCATE", store.reclaims)
	}
	propose(t, l, "DROP TABLE u", "ALTER TYPE y ADD b text")
	if store.reclaims != 2 {
		t.Errorf("%d reclaims after DROP", store.reclaims)
	}
	want := stored(l.Schema())
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	l, store = start()
	defer store.Close()
	if got := stored(l.Schema()); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %s after opening again, want %s", got, want)
	}
	if fields := l.Schema().Table("ks", "t").Column("v").Type.Fields(); len(fields) != 2 || fields[1].Name != "b" {
		t.Errorf("the type of the column has fields %v", fields)
	}
	propose(t, l, "CREATE TABLE w (k int PRIMARY KEY)")
	if got := l.Schema().Table("ks", "w").Incarnation; got != 4 {
		t.Errorf("the new table has incarnation %d", got)
	}
}
