package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// example returns a schema with a bit of everything.
func example(t *testing.T) *Schema {
	t.Helper()
	check := func(typ *cqltype.Type, err error) *cqltype.Type {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return typ
	}
	k := NewKeyspace("ks", Replication{"SimpleStrategy", map[string]string{"replication_factor": "1"}}, true)
	inner := check(cqltype.UDT("ks", "zz", []cqltype.Field{{Name: "n", Type: cqltype.TypeInt}}))
	outer := check(cqltype.UDT("ks", "Aa", []cqltype.Field{{Name: "In", Type: inner.Frozen()}}))
	k = k.WithType(inner).WithType(outer)
	s := Empty()
	s, incarnation := s.TakeIncarnation()
	table := &Table{Keyspace: "ks", Name: "Tab", Incarnation: incarnation, Options: DefaultOptions(), NextColumn: 7,
		ID:         cqltype.UUID{1, 2, 3},
		Partition:  []*Column{{ID: 1, Name: "p1", Type: cqltype.TypeText, Kind: PartitionKey}, {ID: 2, Name: "p2", Type: cqltype.TypeInt, Kind: PartitionKey, Position: 1}},
		Clustering: []*Column{{ID: 3, Name: "C", Type: cqltype.TypeTimestamp, Kind: Clustering, Descending: true}},
		Static:     []*Column{{ID: 4, Name: "s", Type: cqltype.TypeBlob, Kind: Static}},
		Regular:    []*Column{{ID: 6, Name: "z", Type: outer, Kind: Regular}, {ID: 5, Name: "m", Type: check(cqltype.MapOf(cqltype.TypeText, inner.Frozen())), Kind: Regular}},
		Dropped:    []DroppedColumn{{"old", "int", false, 99}},
	}
	return s.With(k.WithTable(table.Seal()))
}

func TestRecordsRoundTrip(t *testing.T) {
	s := example(t)
	records := s.Diff(Empty())
	loaded, err := Load(records)
	if err != nil {
		t.Fatal(err)
	}
	if d := loaded.Diff(s); len(d) != 0 {
		t.Errorf("loaded schema differs in %v", d)
	}
	table := loaded.Table("ks", "Tab")
	if table == nil || loaded.TableOf(table.Incarnation) != table || loaded.Epoch != 1 || loaded.NextIncarnation != 2 {
		t.Fatalf("loaded %+v", loaded)
	}
	names := ""
	for c := range table.Columns() {
		names += fmt.Sprintf("%s %s %s, ", c.Name, c.Type, c.Kind)
		if table.Column(c.Name) != c || table.ColumnByID(c.ID) != c {
			t.Errorf("column %s is not found", c.Name)
		}
	}
	if want := "p1 text partition_key, p2 int partition_key, C timestamp clustering, s blob static, m map<text, frozen<zz>> regular, z \"Aa\" regular, "; names != want {
		t.Errorf("columns %s\nwant    %s", names, want)
	}
	if table.Column("none") != nil || loaded.Table("no", "Tab") != nil || loaded.Keyspace("ks").Type("Aa") == nil {
		t.Error("lookups")
	}
}

func TestDiff(t *testing.T) {
	names := func(records []Record) string {
		var out []string
		for _, r := range records {
			if r.Value == nil {
				r.Name = "-" + r.Name
			}
			out = append(out, r.Name)
		}
		return strings.Join(out, " ")
	}
	check := func(got []Record, want string) {
		t.Helper()
		if g := names(got); g != want {
			t.Errorf("got %q, want %q", g, want)
		}
	}
	s := example(t)
	check(s.Diff(Empty()), "keyspace/ks state table/ks/Tab")
	check(s.Diff(s), "")
	check(s.With(s.Keyspace("ks").WithoutTable("Tab")).Diff(s), "state -table/ks/Tab")
	check(s.Without("ks").Diff(s), "state -keyspace/ks -table/ks/Tab")
	altered := s.Keyspace("ks").Altered()
	altered.DurableWrites = false
	check(s.With(altered).Diff(s), "keyspace/ks state")
	if s.Keyspace("ks").Table("Tab") == nil || !s.Keyspace("ks").DurableWrites {
		t.Error("an old schema changed")
	}
}

func TestLoadErrors(t *testing.T) {
	good := example(t).Diff(Empty())
	check := func(change func([]Record) []Record, want string) {
		t.Helper()
		records := change(append([]Record(nil), good...))
		if _, err := Load(records); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	replace := func(name, old, new string) func([]Record) []Record {
		return func(records []Record) []Record {
			for i := range records {
				if records[i].Name == name {
					records[i].Value = []byte(strings.Replace(string(records[i].Value), old, new, 1))
				}
			}
			return records
		}
	}
	check(replace("state", `"format":1`, `"format":9`), "format 9")
	check(replace("state", `{`, `[`), "record state")
	check(replace("table/ks/Tab", "timestamp", "timestump"), "table ks.Tab")
	check(replace("table/ks/Tab", `"kind":4`, `"kind":9`), "kind 9")
	check(replace("keyspace/ks", "frozen\\u003czz\\u003e", "frozen\\u003cnone\\u003e"), "type ks.Aa")
	check(func(r []Record) []Record { return append(r, Record{"other", []byte("{}")}) }, "record other")
	check(func(r []Record) []Record { return r[1:] }, "keyspace does not exist")
}

func TestFormatKey(t *testing.T) {
	table := example(t).Table("ks", "Tab")
	partition, err := cqltype.AppendPartitionKey(nil, []byte("it's"), []byte{0, 0, 0, 5})
	if err != nil {
		t.Fatal(err)
	}
	check := func(partition, clustering []byte, want string) {
		t.Helper()
		if got := table.FormatKey(partition, clustering); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(partition, nil, `p1 = 'it''s' AND p2 = 5`)
	check(partition, cqltype.TypeTimestamp.AppendKey(nil, []byte{0, 0, 0, 0, 0, 0, 0, 0}, true),
		`p1 = 'it''s' AND p2 = 5 AND "C" = '1970-01-01T00:00:00.000Z'`)
	check([]byte{1}, []byte{2}, "0x01 0x02")
}
