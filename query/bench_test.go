package query

import (
	"context"
	"fmt"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
)

// benchSession has a table with one partition of 10,000 rows of 100 bytes.
func benchSession(b *testing.B) *Session {
	s := newSession(b, Options{}, "CREATE TABLE t (k int, c int, v blob, PRIMARY KEY (k, c))")
	p := prepare(b, s, "INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
	value := plan.Value{Bytes: make([]byte, 100)}
	var entries []BatchEntry
	for i := range 10_000 {
		entries = append(entries, BatchEntry{p, []plan.Value{number(1), number(i), value}})
		if len(entries) == 500 {
			if _, err := s.ExecuteBatch(context.Background(), entries, &Parameters{Consistency: consistency.One}); err != nil {
				b.Fatal(err)
			}
			entries = entries[:0]
		}
	}
	return s
}

func benchmarkRead(b *testing.B, text string, rows int, values func(i int) []plan.Value) {
	s := benchSession(b)
	p := prepare(b, s, text)
	parameters := &Parameters{Consistency: consistency.One}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		parameters.Values = values(i)
		result, err := s.ExecutePrepared(context.Background(), p, parameters)
		if err != nil {
			b.Fatal(err)
		}
		if result.Rows.Count != rows {
			b.Fatalf("%d rows", result.Rows.Count)
		}
	}
}

func BenchmarkPointRead(b *testing.B) {
	benchmarkRead(b, "SELECT v FROM t WHERE k = ? AND c = ?", 1, func(i int) []plan.Value {
		return []plan.Value{number(1), number(i * 7919 % 10_000)}
	})
}

func BenchmarkSlice100(b *testing.B) {
	benchmarkRead(b, "SELECT c, v FROM t WHERE k = ? AND c >= ? LIMIT 100", 100, func(i int) []plan.Value {
		return []plan.Value{number(1), number(i * 7919 % 9_900)}
	})
}

func BenchmarkSlice100Reversed(b *testing.B) {
	benchmarkRead(b, "SELECT c, v FROM t WHERE k = ? AND c < ? ORDER BY c DESC LIMIT 100", 100, func(i int) []plan.Value {
		return []plan.Value{number(1), number(100 + i*7919%9_900)}
	})
}

// BenchmarkInsert writes rows from many goroutines, durably.
func BenchmarkInsert(b *testing.B) {
	s := newSession(b, Options{}, "CREATE TABLE t (k int, c int, v blob, PRIMARY KEY (k, c))")
	p := prepare(b, s, "INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
	value := plan.Value{Bytes: make([]byte, 100)}
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		parameters := &Parameters{Consistency: consistency.One}
		for i := 0; pb.Next(); i++ {
			parameters.Values = []plan.Value{number(i % 1000), number(i), value}
			if _, err := s.ExecutePrepared(context.Background(), p, parameters); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkRepeatedText runs a statement by its text, which the cache spares the parser.
func BenchmarkRepeatedText(b *testing.B) {
	s := newSession(b, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t (k, v) VALUES (1, 1)")
	parameters := &Parameters{Consistency: consistency.One}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Execute(context.Background(), "SELECT v FROM t WHERE k = 1", parameters); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewText is BenchmarkRepeatedText without the cache's help.
func BenchmarkNewText(b *testing.B) {
	s := newSession(b, Options{}, "CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t (k, v) VALUES (1, 1)")
	parameters := &Parameters{Consistency: consistency.One}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Execute(context.Background(), fmt.Sprintf("SELECT v FROM t WHERE k = %d", i), parameters); err != nil {
			b.Fatal(err)
		}
	}
}
