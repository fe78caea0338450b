package system

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/schema"
)

// recorded returns the lines of a file in testdata without comments.
func recorded(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	slices.Sort(out)
	return out
}

// isOwn reports whether Cassandra does not have the table.
func isOwn(t *schema.Table) bool { return strings.HasPrefix(t.Name, "ilium") }

func compare(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not in Cassandra: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestColumnsAreThoseOfCassandra(t *testing.T) {
	var got []string
	for _, k := range newTables(t).keyspaces {
		for table := range k.Tables() {
			for c := range table.Columns() {
				order, position := "none", -1
				if c.IsPrimaryKey() {
					position = c.Position
				}
				if c.Kind == schema.Clustering {
					order = map[bool]string{false: "asc", true: "desc"}[c.Descending]
				}
				if !isOwn(table) {
					got = append(got, fmt.Sprintf("%s %s %s %s %d %s %s", k.Name, table.Name, c.Name, c.Kind, position, order, c.Type))
				}
			}
		}
	}
	compare(t, got, append(recorded(t, "columns.txt"), recorded(t, "columns_source.txt")...))
}

func TestIDsAreThoseOfCassandra(t *testing.T) {
	var got []string
	for _, k := range newTables(t).keyspaces {
		for table := range k.Tables() {
			if !k.IsVirtual() && !isOwn(table) {
				got = append(got, fmt.Sprintf("%s %s %s", k.Name, table.Name, table.ID))
			}
		}
	}
	compare(t, got, recorded(t, "ids.txt"))
	if id := tableID("system_views", "clients"); id.String() != "89dc73d4-1447-3765-948b-500c7c35a35d" {
		t.Errorf("system_views.clients has id %s", id)
	}
}

func TestTablesBelongToTheSystem(t *testing.T) {
	for _, k := range newTables(t).keyspaces {
		for table := range k.Tables() {
			if !table.IsSystem() || table.Virtual != k.IsVirtual() || table.Keyspace != k.Name {
				t.Errorf("%s: system %t, virtual %t", table, table.IsSystem(), table.Virtual)
			}
		}
	}
}

func TestFillsAreOfTables(t *testing.T) {
	tables := newTables(t)
	for keyspace, list := range fills() {
		for name := range list {
			if tables.keyspaces[keyspace].Table(name) == nil {
				t.Errorf("%s.%s has rows but no definition", keyspace, name)
			}
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newTables(b)
	}
}
