package metadata

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// FuzzApply applies the statements of a text, each ended by a semicolon and a newline.
func FuzzApply(f *testing.F) {
	begin := strings.Join(beginning, ";\n") + ";\n"
	for _, text := range []string{
		"CREATE TABLE ka.t (k int, c text, v map<text, frozen<list<int>>>, s int static, PRIMARY KEY ((k), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x'",
		"ALTER TABLE ka.ta ADD (x frozen<yb>, y vector<ya, 3>);\nALTER TABLE ka.ta DROP (a, b) USING TIMESTAMP 5;\nALTER TABLE ka.ta ADD b list<frozen<tuple<tuple<int, text>>>>",
		"ALTER TYPE ka.ya ADD c uuid;\nALTER TYPE ka.yb RENAME a TO b;\nDROP TABLE ka.ta;\nDROP TYPE ka.yb",
		"ALTER TABLE ka.ta RENAME p1 TO q1 AND p2 TO q2;\nTRUNCATE ka.ta;\nDROP KEYSPACE ka",
		"CREATE TABLE ka.o (k int PRIMARY KEY) WITH compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4, L10, N, -2', 'min_sstable_size': '50MiB', 'sstable_growth': '30%'}",
		"CREATE TABLE ka.o (k int PRIMARY KEY) WITH compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 64, 'min_compress_ratio': '1.5'} AND caching = {'rows_per_partition': '10'}",
		"ALTER TABLE ka.ta WITH speculative_retry = 'max(99.5p, 10.5ms)' AND additional_write_policy = 'never' AND crc_check_chance = 0.00001 AND read_repair = 'NONE'",
		"ALTER KEYSPACE ka WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'replication_factor': '3/0'}",
		"CREATE TYPE ka.z (a frozen<map<text, frozen<yb>>>, \"B b\" tuple<ya, vector<int, 2>>, c list<int>)",
	} {
		f.Add(begin + text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := schema.Empty()
		h := history{gone: map[string]bool{}}
		for i, line := range strings.Split(text, ";\n") {
			parsed, err := grammar.Parse(line)
			if err != nil {
				continue
			}
			switch parsed.Statement.(type) {
			case *ast.CreateKeyspace, *ast.AlterKeyspace, *ast.DropKeyspace, *ast.CreateTable, *ast.AlterTable, *ast.DropTable,
				*ast.Truncate, *ast.CreateType, *ast.AlterType, *ast.DropType:
			default:
				continue
			}
			next, event, err := Apply(s, Change{Statement: parsed.Statement, TableID: cqltype.UUID{byte(i), byte(i >> 8), 1}})
			if err != nil {
				if class(err) == "ServerError" {
					t.Fatalf("%s: %v", line, err)
				}
				continue
			}
			h.check(t, parsed.Statement.String(), s, next, event)
			s = next
		}
		again := schema.Empty()
		for i, statement := range describeAll(s) {
			next, _, err := Apply(again, Change{Statement: parse(t, statement), TableID: cqltype.UUID{byte(i), byte(i >> 8), 2}})
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			again = next
		}
	})
}
