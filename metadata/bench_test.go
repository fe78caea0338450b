package metadata

import (
	"context"
	"fmt"
	"testing"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// manyTables returns a log with so many tables.
func manyTables(b *testing.B, tables int) *Log {
	b.Helper()
	l := open(b, newMemory(), Options{})
	propose(b, l, createKS)
	for i := range tables {
		text := fmt.Sprintf("CREATE TABLE t%d (k int, c timestamp, a text, b map<text, int>, s int static, PRIMARY KEY (k, c))", i)
		c := Change{Keyspace: "ks", Statement: parse(b, text), TableID: cqltype.UUID{byte(i), byte(i >> 8), 1}}
		if _, err := l.Propose(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
	return l
}

func BenchmarkApplyCreateTable(b *testing.B) {
	for _, tables := range []int{0, 100, 1000} {
		b.Run(fmt.Sprintf("tables=%d", tables), func(b *testing.B) {
			s := manyTables(b, tables).Schema()
			c := change(b, "CREATE TABLE new (k int, c timestamp, a text, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 5", 99)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Apply(s, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProposeTruncate(b *testing.B) {
	for _, tables := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("tables=%d", tables), func(b *testing.B) {
			l := manyTables(b, tables)
			c := change(b, "TRUNCATE t0", 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Propose(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDescribe(b *testing.B) {
	t := manyTables(b, 1).Schema().Table("ks", "t0")
	b.ReportAllocs()
	for b.Loop() {
		Describe(t)
	}
}
