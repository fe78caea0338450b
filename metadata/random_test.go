package metadata

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A generator draws statements over a few names, so that they meet what others made.
type generator struct{ *rapid.T }

func (g generator) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(g.T, label)
}
func (g generator) chance(percent int) bool {
	return rapid.IntRange(0, 99).Draw(g.T, "chance") < percent
}

func (g generator) keyspace() string { return g.pick("keyspace", "ka", "ka", "ka", "kb") }
func (g generator) table() string {
	return g.keyspace() + "." + g.pick("table", "ta", "tb", `"T"`)
}
func (g generator) typeName() string { return g.pick("type", "ya", "yb", `"Y ""c"`, `"true"`) }
func (g generator) column() string {
	return g.pick("column", "a", "b", "c", "d", `"E e"`, `"select"`, `"f""`+"'"+`"`)
}

// typ draws a type that nests at most so deep.
func (g generator) typ(depth int) string {
	if depth == 0 || g.chance(50) {
		return g.pick("native", "int", "text", "timestamp", "bigint", "blob", "ascii", "uuid", "timeuuid", "varchar", "duration", "counter")
	}
	inner := func() string { return g.typ(depth - 1) }
	switch g.pick("generic", "list", "set", "map", "tuple", "vector", "frozen list", "frozen map", "udt", "frozen udt") {
	case "list":
		return "list<" + inner() + ">"
	case "set":
		return "set<" + inner() + ">"
	case "map":
		return "map<" + inner() + ", " + inner() + ">"
	case "tuple":
		return "tuple<" + inner() + ", " + inner() + ">"
	case "vector":
		return "vector<" + inner() + ", 2>"
	case "frozen list":
		return "frozen<list<" + inner() + ">>"
	case "frozen map":
		return "frozen<map<" + inner() + ", " + inner() + ">>"
	case "udt":
		return g.typeName()
	default:
		return "frozen<" + g.typeName() + ">"
	}
}

func (g generator) options() string {
	list := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"comment = 'it''s\n\"one\"'", "gc_grace_seconds = 5", "bloom_filter_fp_chance = 0.00012", "bloom_filter_fp_chance = -1",
		"caching = {'rows_per_partition': 7}", "compression = {}", "compression = {'class': 'ZstdCompressor', 'min_compress_ratio': 1.25}",
		"compaction = {'class': 'LeveledCompactionStrategy', 'fanout_size': 5}", "compaction = {'class': 'UnifiedCompactionStrategy', 'enabled': false}",
		"speculative_retry = 'min(99.99999p, 1.9ms)'", "additional_write_policy = 'NONE'", "min_index_interval = 9", "max_index_interval = 8",
		"default_time_to_live = 60", "crc_check_chance = 1e-7", "read_repair = 'none'", "extensions = {'a': 'b'}", "cdc = 'no'", "nothing = 1",
		"allow_auto_snapshot = 0", "incremental_backups = false", "memtable_flush_period_in_ms = 1",
	}), 0, 3, func(s string) string { name, _, _ := strings.Cut(s, " "); return name }).Draw(g.T, "options")
	return strings.Join(list, " AND ")
}

func (g generator) statement() string {
	switch g.pick("statement", "keyspace", "table", "table", "type", "type", "alter table", "alter table", "alter table",
		"alter type", "truncate", "drop", "drop", "alter keyspace") {
	case "keyspace":
		return "CREATE KEYSPACE " + g.keyspace() + " WITH replication = {'class': 'SimpleStrategy'}"
	case "alter keyspace":
		return "ALTER KEYSPACE " + g.keyspace() + " WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': " +
			g.pick("factor", "0", "1", "3") + "} AND durable_writes = " + g.pick("durable", "true", "false")
	case "table":
		return g.createTable()
	case "type":
		fields := []string{g.column() + " " + g.typ(2), g.column() + " " + g.typ(1)}
		return "CREATE TYPE " + g.keyspace() + "." + g.typeName() + " (" + strings.Join(fields, ", ") + ")"
	case "alter table":
		return "ALTER TABLE " + g.table() + g.tableChange()
	case "alter type":
		change := " ADD " + g.column() + " " + g.typ(2)
		if g.chance(40) {
			change = " RENAME " + g.column() + " TO " + g.column()
		}
		return "ALTER TYPE " + g.keyspace() + "." + g.typeName() + change
	case "truncate":
		return "TRUNCATE " + g.table()
	default:
		return g.pick("drop", "DROP TABLE IF EXISTS "+g.table(), "DROP TABLE "+g.table(), "DROP TYPE "+g.keyspace()+"."+g.typeName(),
			"DROP TYPE "+g.keyspace()+"."+g.typeName(), "DROP KEYSPACE kb")
	}
}

// beginning comes before what is drawn, so that more of it meets something.
var beginning = []string{
	"CREATE KEYSPACE ka WITH replication = {'class': 'SimpleStrategy'}",
	"CREATE KEYSPACE kb WITH replication = {'class': 'NetworkTopologyStrategy'} AND durable_writes = false",
	"CREATE TYPE ka.ya (a int, b text)",
	"CREATE TYPE ka.yb (a frozen<ya>)",
	"CREATE TABLE ka.ta (p1 int, p2 text, a int, b list<frozen<yb>>, c ya, PRIMARY KEY (p1, p2))",
	"CREATE TABLE kb.tb (p1 int PRIMARY KEY)",
}

func (g generator) createTable() string {
	key := []string{"p1"}
	columns := []string{"p1 " + g.typ(1), "p2 " + g.typ(2)}
	if g.chance(70) {
		key = append(key, "p2")
	}
	for range rapid.IntRange(0, 3).Draw(g.T, "columns") {
		columns = append(columns, g.column()+" "+g.typ(2)+g.pick("static", "", "", " static"))
	}
	text := "CREATE TABLE " + g.table() + " (" + strings.Join(columns, ", ") + ", PRIMARY KEY (" + strings.Join(key, ", ") + "))"
	var with []string
	if len(key) > 1 && g.chance(50) {
		with = append(with, "CLUSTERING ORDER BY (p2 DESC)")
	}
	if o := g.options(); o != "" {
		with = append(with, o)
	}
	if len(with) > 0 {
		text += " WITH " + strings.Join(with, " AND ")
	}
	return text
}

func (g generator) tableChange() string {
	switch g.pick("change", "add", "add", "drop", "rename", "with") {
	case "add":
		return " ADD " + g.pick("absent", "", "IF NOT EXISTS ") + g.column() + " " + g.typ(2) + g.pick("static", "", "", " static")
	case "drop":
		return " DROP " + g.pick("present", "", "IF EXISTS ") + "(" + g.column() + ", " + g.column() + ")"
	case "rename":
		return " RENAME " + g.pick("from", "p1", "p2", "a") + " TO " + g.pick("to", "p1", "p3", "b")
	default:
		return " WITH comment = '' AND " + g.pick("option", "gc_grace_seconds = 0", "min_index_interval = 3", "bloom_filter_fp_chance = -1",
			"compaction = {'class': 'TimeWindowCompactionStrategy'}", "caching = {'keys': 'none'}")
	}
}

func TestRandomChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := generator{rt}
		s := schema.Empty()
		h := history{gone: map[string]bool{}}
		for i := range rapid.IntRange(1, 40).Draw(rt, "length") {
			text := g.statement()
			if i < len(beginning) {
				text = beginning[i]
			}
			parsed, err := grammar.Parse(text)
			if err != nil {
				rt.Fatalf("%s: %v", text, err)
			}
			before := stored(s)
			next, event, err := Apply(s, Change{Statement: parsed.Statement, TableID: cqltype.UUID{byte(i + 1)}, Timestamp: int64(i)})
			if after := stored(s); !maps.EqualFunc(before, after, bytes.Equal) {
				rt.Fatalf("%s changed the schema it was given from %s to %s", text, before, after)
			}
			if err != nil {
				if next != nil || event != nil || class(err) == "ServerError" {
					rt.Fatalf("%s: %v, %v, %v", text, next, event, err)
				}
				continue
			}
			h.check(rt, text, s, next, event)
			s = next
		}
	})
}

// stored returns what is stored of a schema.
func stored(s *schema.Schema) map[string][]byte {
	out := map[string][]byte{}
	for _, r := range s.Diff(schema.Empty()) {
		out[r.Name] = r.Value
	}
	return out
}

// A history remembers column ids that are not in use anymore, as "table id/column id".
type history struct{ gone map[string]bool }

// check checks what holds for every step from one schema to the next.
func (h *history) check(t fataler, text string, s, next *schema.Schema, event *Event) {
	t.Helper()
	truncated := strings.HasPrefix(text, "TRUNCATE")
	switch {
	case next == s && event != nil, next != s && event == nil && !truncated, truncated && event != nil:
		t.Fatalf("%s: changed %t, event %v", text, next != s, event)
	case next != s && next.Epoch != s.Epoch+1:
		t.Fatalf("%s: epoch %d after %d", text, next.Epoch, s.Epoch)
	case next.NextIncarnation < s.NextIncarnation:
		t.Fatalf("%s: next incarnation %d after %d", text, next.NextIncarnation, s.NextIncarnation)
	}
	seen := map[uint32]bool{}
	for k := range next.Keyspaces() {
		for table := range k.Tables() {
			if seen[table.Incarnation] || table.Incarnation >= next.NextIncarnation || next.TableOf(table.Incarnation) != table {
				t.Fatalf("%s: %s has incarnation %d", text, table, table.Incarnation)
			}
			if s.TableOf(table.Incarnation) == nil && table.Incarnation < s.NextIncarnation {
				t.Fatalf("%s: %s has the old incarnation %d", text, table, table.Incarnation)
			}
			seen[table.Incarnation] = true
			h.checkTable(t, text, s, table)
		}
	}
	loaded, err := schema.Load(next.Diff(schema.Empty()))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if d := loaded.Diff(next); len(d) > 0 || !sameTypes(loaded, next) {
		t.Fatalf("%s: loaded schema differs in %s", text, d)
	}
}

func (h *history) checkTable(t fataler, text string, before *schema.Schema, table *schema.Table) {
	t.Helper()
	ids := map[uint32]bool{}
	for c := range table.Columns() {
		if ids[c.ID] || c.ID >= table.NextColumn || c.ID == 0 || h.gone[fmt.Sprint(table.ID, "/", c.ID)] ||
			table.Column(c.Name) != c || table.ColumnByID(c.ID) != c {
			t.Fatalf("%s: column %s of %s has id %d", text, c.Name, table, c.ID)
		}
		ids[c.ID] = true
		if err := c.Type.CheckColumn(); err != nil {
			t.Fatalf("%s: column %s of %s: %v", text, c.Name, table, err)
		}
		if err := c.Type.CheckPrimaryKey(c.Name); c.IsPrimaryKey() && err != nil {
			t.Fatalf("%s: column %s of %s: %v", text, c.Name, table, err)
		}
	}
	if old := before.Table(table.Keyspace, table.Name); old != nil && old.ID == table.ID {
		for c := range old.Columns() {
			if !ids[c.ID] {
				h.gone[fmt.Sprint(table.ID, "/", c.ID)] = true
			}
		}
	}
}

// sameTypes reports whether the columns of two schemas with the same records have the same types to the last field.
func sameTypes(a, b *schema.Schema) bool {
	for k := range a.Keyspaces() {
		for x := range k.Tables() {
			y := b.Table(x.Keyspace, x.Name)
			for c := range x.Columns() {
				if !c.Type.Equal(y.Column(c.Name).Type) {
					return false
				}
			}
		}
	}
	return true
}

// What Describe prints makes the same again.
func TestDescribeRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := generator{rt}
		s := schema.Empty()
		statements := slices.Clone(beginning)
		for range rapid.IntRange(1, 25).Draw(rt, "length") {
			statements = append(statements, g.statement())
		}
		for i, text := range statements {
			if next, _, err := Apply(s, Change{Statement: parse(rt, text), TableID: cqltype.UUID{byte(i + 1)}}); err == nil {
				s = next
			}
		}
		again := schema.Empty()
		for _, text := range describeAll(s) {
			next, _, err := Apply(again, Change{Statement: parse(rt, text), TableID: cqltype.UUID{byte(again.NextIncarnation)}})
			if err != nil {
				rt.Fatalf("%s: %v", text, err)
			}
			again = next
		}
		if got, want := describeAll(again), describeAll(s); !slices.Equal(got, want) {
			rt.Fatalf("got %s\nwant %s", got, want)
		}
		for k := range s.Keyspaces() {
			for want := range k.Tables() {
				got := again.Table(want.Keyspace, want.Name)
				if !reflect.DeepEqual(plain(got), plain(want)) {
					rt.Fatalf("got %+v\nwant %+v", plain(got), plain(want))
				}
			}
		}
	})
}

// describeAll returns the statements that make a schema, each after what it needs.
func describeAll(s *schema.Schema) []string {
	var out []string
	for k := range s.Keyspaces() {
		out = append(out, DescribeKeyspace(k))
		written := map[string]bool{}
		for range k.Types() { // at least one more can be written in each round
			for t := range k.Types() {
				if _, name := t.UDTName(); !written[name] && needsOnly(t, name, written) {
					written[name] = true
					out = append(out, DescribeType(t))
				}
			}
		}
		for t := range k.Tables() {
			out = append(out, Describe(t))
		}
	}
	return out
}

func needsOnly(t *cqltype.Type, self string, written map[string]bool) bool {
	for u := range t.Walk() {
		if _, name := u.UDTName(); name != "" && name != self && !written[name] {
			return false
		}
	}
	return true
}

// plain returns what a table is but for its ids, its incarnation and what it lost.
func plain(t *schema.Table) any {
	type column struct {
		name, typ  string
		kind       schema.ColumnKind
		position   int
		descending bool
	}
	var columns []column
	for c := range t.Columns() {
		columns = append(columns, column{c.Name, c.Type.String(), c.Kind, c.Position, c.Descending})
	}
	return []any{t.Keyspace, t.Name, columns, t.Options}
}
