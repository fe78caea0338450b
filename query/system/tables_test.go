package system

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

func newTables(t testing.TB) *Tables {
	t.Helper()
	topology, err := ring.New(ring.Endpoint{Tokens: []ring.Token{-5, 7}})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := New(Node{Cluster: "c"}, Sources{Topology: func() *ring.Topology { return topology }, Traces: NewTraces(10)})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// made returns the schema that statements make.
func made(t testing.TB, statements ...string) *schema.Schema {
	t.Helper()
	s := schema.Empty()
	for i, text := range statements {
		parsed, err := grammar.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err = metadata.Apply(s, metadata.Change{Keyspace: "ks", Statement: parsed.Statement, TableID: cqltype.UUID{15: byte(i + 1)}, Timestamp: 1})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return s
}

const createKeyspace = "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"

func TestVersionFollowsFromTheSchema(t *testing.T) {
	tables := newTables(t)
	version := func(statements ...string) cqltype.UUID {
		t.Helper()
		id, err := tables.Version(made(t, append([]string{createKeyspace}, statements...)...))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	const table = "CREATE TABLE t (k int PRIMARY KEY, v int)"
	first := version(table)
	if again := version(table); again != first {
		t.Errorf("the same schema has versions %s and %s", first, again)
	}
	if truncated := version(table, "TRUNCATE t"); truncated != first {
		t.Errorf("TRUNCATE changes the version")
	}
	for _, change := range []string{"ALTER TABLE t ADD w int", "ALTER TABLE t WITH comment = 'x'", "ALTER TABLE t DROP v",
		"CREATE TYPE y (a int)", "CREATE TABLE u (k int PRIMARY KEY)", "ALTER KEYSPACE ks WITH durable_writes = false"} {
		if version(table, change) == first {
			t.Errorf("%s does not change the version", change)
		}
	}
	if first.Version() != 3 {
		t.Errorf("%s is not a version 3 UUID", first)
	}
}

func TestTracesKeepTheNewest(t *testing.T) {
	traces := NewTraces(6)
	ids := func() (out []byte) {
		traces.each(nil, func(s *TraceSession) { out = append(out, s.ID[0]) })
		return out
	}
	for i := range byte(5) {
		traces.Record(TraceSession{ID: cqltype.UUID{i}, Events: make([]TraceEvent, 1)})
	}
	if got := ids(); !bytes.Equal(got, []byte{2, 3, 4}) {
		t.Errorf("kept %v", got)
	}
	traces.Record(TraceSession{ID: cqltype.UUID{3}, Events: make([]TraceEvent, 1)})
	if got := ids(); !bytes.Equal(got, []byte{2, 4, 3}) {
		t.Errorf("kept %v after one was recorded again", got)
	}
	traces.Record(TraceSession{ID: cqltype.UUID{9}, Events: make([]TraceEvent, 6)})
	if got := ids(); len(got) != 0 {
		t.Errorf("kept %v, which exceeds the limit", got)
	}
}

// A traced request is found by its id wherever it is kept; a scan shows what this node keeps.
func TestTracesOfOthers(t *testing.T) {
	here, there, nowhere := cqltype.UUID{1}, cqltype.UUID{2}, cqltype.UUID{3}
	traces := NewTraces(10)
	traces.Record(TraceSession{ID: here, Request: "here"})
	tables, err := New(Node{}, Sources{Traces: traces, OtherTrace: func(id cqltype.UUID) (TraceSession, bool) {
		return TraceSession{ID: id, Request: "there"}, id == there
	}})
	if err != nil {
		t.Fatal(err)
	}
	sessions := func(id []byte) (out string) {
		f := filler{Tables: tables, only: id}
		f.eachTrace(func(s *TraceSession) { out += s.Request })
		return out
	}
	for _, c := range []struct {
		id   []byte
		want string
	}{{here[:], "here"}, {there[:], "there"}, {nowhere[:], ""}, {nil, "here"}, {[]byte{1}, ""}} {
		if got := sessions(c.id); got != c.want {
			t.Errorf("%x: got %q, want %q", c.id, got, c.want)
		}
	}
}

// texts reads rows as text.
func texts(t *testing.T, c *Cursor, table *schema.Table) (out []string) {
	t.Helper()
	for c.Next() {
		_, key, err := row.SplitPartition(c.Partition(), nil)
		if err != nil {
			t.Fatal(err)
		}
		line := []string{table.FormatKey(key, c.Clustering())}
		for _, column := range table.Regular {
			for _, cell := range c.Row().Column(column.ID) {
				if column.Type.IsMultiCell() {
					line = append(line, fmt.Sprintf("%s has '%s'", column.Name, bytes.TrimRight(cell.Path, "\x00\x01"))) // without its end
					continue
				}
				line = append(line, fmt.Sprintf("%s=%s", column.Name, column.Type.AppendLiteral(nil, cell.Value)))
			}
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func TestLiveTables(t *testing.T) {
	id := cqltype.UUID{1}
	traces := NewTraces(100)
	traces.Record(TraceSession{ID: id, Client: netip.MustParseAddr("10.0.0.1"), Command: "QUERY", Request: "Execute CQL3 query",
		Started: time.UnixMilli(0), Duration: 1500 * time.Microsecond, Coordinator: netip.MustParseAddrPort("127.0.0.1:7000"),
		Events: []TraceEvent{{ID: cqltype.TimeUUID(time.UnixMilli(0), 0, [6]byte{}), Activity: "Parsing", Elapsed: time.Millisecond, Thread: "t"}}})
	tables, err := New(Node{}, Sources{
		Traces:   traces,
		Settings: func() []Setting { return []Setting{{"b", "2"}, {"a", "1"}} },
		Caches: func() []Cache {
			return []Cache{{Name: "statements", Capacity: 10, Size: 5, Entries: 1, Hits: 1, Misses: 3}}
		},
		Clients: func() []Client {
			return []Client{{Address: netip.MustParseAddrPort("[::ffff:1.2.3.4]:5"), Stage: "ready", Driver: "bad \xff", Protocol: 5}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(keyspace, table string, want ...string) {
		t.Helper()
		of := tables.keyspaces[keyspace].Table(table)
		c, err := tables.Scan(schema.Empty(), of, &storage.Scan{})
		if err != nil {
			t.Fatal(err)
		}
		if got := texts(t, c, of); !slices.Equal(got, want) {
			t.Errorf("%s is\n%s\nwant\n%s", of, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check("system_views", "settings", "name = 'a' value='1'", "name = 'b' value='2'")
	check("system_views", "caches", "name = 'statements' capacity_bytes=10 entry_count=1 hit_count=1 hit_ratio=0.25 request_count=4 size_bytes=5")
	check("system_views", "clients", "address = '1.2.3.4' AND port = 5 client_options={} connection_stage='ready' driver_name='bad \uFFFD' "+
		"hostname='1.2.3.4' protocol_version=5 request_count=0 ssl_enabled=false")
	check("system_traces", "sessions", "session_id = 01000000-0000-0000-0000-000000000000 client='10.0.0.1' command='QUERY' "+
		"coordinator='127.0.0.1' coordinator_port=7000 duration=1500 request='Execute CQL3 query' started_at='1970-01-01T00:00:00.000Z'")
	check("system_traces", "events", "session_id = 01000000-0000-0000-0000-000000000000 AND event_id = 13814000-1dd2-11b2-8000-000000000000 "+
		"activity='Parsing' source_elapsed=1000 source_port=0 thread='t'")
	check("system", "peers")
}

// TestCursor compares cursors with a plain walk over all rows.
func TestCursor(t *testing.T) {
	tables := newTables(t)
	table := tables.keyspaces["system_schema"].Table("columns")
	all, err := tables.rows(schema.Empty(), table, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(all)-1).Draw(t, "partition")
		partition := all[at].key[:all[at].partition]
		bound := rapid.Custom(func(t *rapid.T) []byte {
			e := all[rapid.IntRange(0, len(all)-1).Draw(t, "row")]
			clustering := e.key[e.partition+1:]
			return clustering[:rapid.IntRange(0, len(clustering)).Draw(t, "length")]
		})
		s := storage.Slice{Start: bound.Draw(t, "start")}
		if rapid.Bool().Draw(t, "bounded") {
			s.End = bound.Draw(t, "end")
		}
		r := &storage.Read{Partition: partition, Slices: []storage.Slice{s}, Reverse: rapid.Bool().Draw(t, "reverse")}
		var want []string
		for _, e := range all {
			clustering := e.key[e.partition+1:]
			if bytes.Equal(e.key[:e.partition], partition) && bytes.Compare(clustering, s.Start) >= 0 && (s.End == nil || bytes.Compare(clustering, s.End) < 0) {
				want = append(want, string(e.key))
			}
		}
		if r.Reverse {
			slices.Reverse(want)
		}
		var got []string
		for c := read(all, r); c.Next(); {
			got = append(got, string(c.at.key))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
	})
}

func TestCursorSkipsPartitions(t *testing.T) {
	tables := newTables(t)
	table := tables.keyspaces["system_schema"].Table("columns")
	c, err := tables.Scan(schema.Empty(), table, &storage.Scan{})
	if err != nil {
		t.Fatal(err)
	}
	partitions := 0
	for c.Next() {
		partitions++
		c.SkipPartition()
	}
	if partitions != 3 { // system, system_schema and system_traces
		t.Errorf("%d partitions", partitions)
	}
}

// TestConcurrentReads is for the race detector.
func TestConcurrentReads(t *testing.T) {
	tables := newTables(t)
	schemas := []*schema.Schema{made(t, createKeyspace), made(t, createKeyspace, "CREATE TABLE ks.t (k int PRIMARY KEY)")}
	var versions [2]cqltype.UUID
	for i, s := range schemas {
		versions[i], _ = tables.Version(s)
	}
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for j := range 50 {
				which := (i + j) % 2
				if version, err := tables.Version(schemas[which]); err != nil || version != versions[which] {
					t.Errorf("%s, %v", version, err)
				}
				c, err := tables.Scan(schemas[which], tables.keyspaces["system"].Table("local"), &storage.Scan{})
				if err != nil || !c.Next() {
					t.Errorf("no row: %v", err)
				}
				tables.ServeAt(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(j)))
			}
		})
	}
	readers.Wait()
}

// BenchmarkSchemaChange measures what the first read of system.local after a change of a large schema takes.
func BenchmarkSchemaChange(b *testing.B) {
	tables := newTables(b)
	statements := []string{createKeyspace}
	for i := range 500 {
		statements = append(statements, fmt.Sprintf("CREATE TABLE ks.t%d (a int, b int, c text, d text, e text, f text, g text, h text, PRIMARY KEY (a, b)) WITH id = %s",
			i, cqltype.UUID{1, byte(i >> 8), byte(i)}))
	}
	s := made(b, statements...)
	for b.Loop() {
		tables.newest.Store(nil)
		if _, err := tables.Version(s); err != nil {
			b.Fatal(err)
		}
	}
}
