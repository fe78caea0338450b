package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/storage/row"
)

// benchRow is a row of a bigint-like key and three values of 100 bytes.
func benchRow(f *row.Fragment, timestamp int64) {
	f.Reset()
	f.Liveness.Timestamp = timestamp
	for c := range uint32(3) {
		f.Cells = append(f.Cells, row.Cell{Column: c + 1, Timestamp: timestamp, Value: []byte(strings.Repeat(string(rune('a'+c)), 100))})
	}
}

// One row per mutation, many goroutines: what a server does all day.
func BenchmarkApply(b *testing.B) {
	for _, sync := range []Sync{SyncGroup, SyncPeriodic} {
		b.Run(map[Sync]string{SyncGroup: "group", SyncPeriodic: "periodic"}[sync], func(b *testing.B) {
			opts := testOptions(b.TempDir())
			opts.Memory, opts.Sync = 256<<20, sync
			e := openEngine(b, opts)
			defer closeEngine(b, e)
			b.SetParallelism(32)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				var m row.Mutation
				f := row.NewFragment()
				for i := 0; pb.Next(); i++ {
					key := fmt.Appendf(nil, "%p%d", f, i)
					m.Begin(table7, int64(i)*7919, key)
					benchRow(f, int64(i))
					m.AddRow(f, nil)
					if err := e.Apply(context.Background(), &m); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// A hundred narrow rows of one partition per mutation, as an index of mail gets them.
func BenchmarkApplyPostings(b *testing.B) {
	opts := testOptions(b.TempDir())
	opts.Memory = 256 << 20
	e := openEngine(b, opts)
	defer closeEngine(b, e)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var m row.Mutation
		f := row.NewFragment()
		for i := 0; pb.Next(); i++ {
			f.Reset()
			f.Liveness.Timestamp = int64(i)
			m.Begin(table7, 42, []byte("user"))
			for w := range 100 {
				m.AddRow(f, fmt.Appendf(nil, "word%03d\x00\x01%p%d", w, f, i))
			}
			if err := e.Apply(context.Background(), &m); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/row")
}

// wide fills one partition with rows of one value each, 10 of them per word.
func wide(b *testing.B, rows int, compact bool) *Engine {
	opts := testOptions(b.TempDir())
	opts.Memory = 256 << 20
	e := openEngine(b, opts)
	for i := 0; i < rows; {
		m := mutation("pk")
		for range 1000 {
			insert(m, fmt.Sprintf("%08d", i), 1, strings.Repeat("v", 20))
			i++
		}
		apply(b, e, m)
	}
	if compact {
		if err := e.Compact(context.Background(), table7); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func benchmarkReads(b *testing.B, compact bool, rows int, read func(i int) *Read) {
	e := wide(b, 100_000, compact)
	defer closeEngine(b, e)
	prefix := prefixOf("pk")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i*7919 + 13) % 99_000
		r := read(i)
		r.Incarnation, r.Partition = table7, prefix
		c := e.Read(r)
		n := 0
		for n < rows && c.Next() {
			n++
		}
		c.Close()
		if n != rows || c.Err() != nil {
			b.Fatal(n, c.Err())
		}
	}
}

func BenchmarkPointRead(b *testing.B) {
	for name, compact := range map[string]bool{"pages": true, "fragments": false} {
		b.Run(name, func(b *testing.B) {
			benchmarkReads(b, compact, 1, func(i int) *Read {
				return &Read{Point: true, Slices: []Slice{{Start: fmt.Appendf(nil, "%08d", i)}}}
			})
		})
	}
}

func BenchmarkSlice100(b *testing.B) {
	for name, compact := range map[string]bool{"pages": true, "fragments": false} {
		for direction, reverse := range map[string]bool{"forward": false, "reverse": true} {
			b.Run(name+"/"+direction, func(b *testing.B) {
				benchmarkReads(b, compact, 100, func(i int) *Read {
					if reverse {
						return &Read{Reverse: true, Slices: []Slice{{End: fmt.Appendf(nil, "%08d", i+200)}}}
					}
					return &Read{Slices: []Slice{{Start: fmt.Appendf(nil, "%08d", i)}}}
				})
			})
		}
	}
}

// Folding all of a partition of 10,000 rows, each written twice.
func BenchmarkFold(b *testing.B) {
	opts := testOptions(b.TempDir())
	opts.Memory = 256 << 20
	e := openEngine(b, opts)
	defer closeEngine(b, e)
	b.ReportAllocs()
	const rows = 10_000
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		for version := range int64(2) {
			m := mutation(fmt.Sprintf("pk%08d", n))
			for i := range rows {
				insert(m, fmt.Sprintf("%08d", i), version, strings.Repeat("v", 20))
			}
			apply(b, e, m)
		}
		b.StartTimer()
		if err := e.folder.compact(context.Background(), table7); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
