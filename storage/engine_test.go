package storage

import (
	"context"
	"testing"
	"time"

	"github.com/iliumdb/ilium/storage/row"
)

// testTables knows every incarnation under one definition.
func testTables(t Table) func(uint32) (Table, bool) {
	return func(uint32) (Table, bool) { return t, true }
}

func openEngine(t testing.TB, opts Options) *Engine {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Memory == 0 {
		opts.Memory = minMemory
	}
	if opts.Tables == nil {
		opts.Tables = testTables(Table{Name: "ks.t", GCGrace: 10 * 24 * time.Hour, Compress: true})
	}
	e, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func insert(m *row.Mutation, clustering string, timestamp int64, value string) {
	f := row.NewFragment()
	f.Liveness = row.Liveness{Timestamp: timestamp}
	f.Cells = append(f.Cells, row.Cell{Column: 1, Value: []byte(value), Timestamp: timestamp})
	m.AddRow(f, []byte(clustering))
}

func TestWriteAndRead(t *testing.T) {
	e := openEngine(t, Options{})
	defer e.Close()
	var m row.Mutation
	m.Begin(7, 42, []byte("pk"))
	for _, c := range []string{"b", "a", "c"} {
		insert(&m, c, 10, "v"+c)
	}
	if err := e.Apply(context.Background(), &m); err != nil {
		t.Fatal(err)
	}
	check := func(reverse bool, want string) {
		t.Helper()
		if got := readAll(t, e, &Read{Incarnation: 7, Partition: row.AppendPartition(nil, 42, []byte("pk")), Reverse: reverse}); got != want {
			t.Errorf("reverse=%v: got %q, want %q", reverse, got, want)
		}
	}
	check(false, "a=va b=vb c=vc ")
	check(true, "c=vc b=vb a=va ")
	if err := e.Compact(context.Background(), 7); err != nil {
		t.Fatal(err)
	}
	check(false, "a=va b=vb c=vc ")
	check(true, "c=vc b=vb a=va ")
}

func readAll(t *testing.T, e *Engine, r *Read) string {
	t.Helper()
	c := e.Read(r)
	defer c.Close()
	out := ""
	for c.Next() {
		out += string(c.Clustering()) + "=" + string(c.Row().Cells[0].Value) + " "
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	return out
}
