package snitch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/schema/cqltype"
)

func TestPercentile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPercentiles()
		defer p.Close()
		table := cqltype.UUID{1}
		took := rapid.SliceOfN(rapid.Int64Range(0, int64(2*longest)), 1, 200).Draw(t, "took")
		for _, d := range took {
			p.Record(table, time.Duration(d))
		}
		percent := rapid.Float64Range(0.1, 99.9).Draw(t, "percent")
		slices.Sort(took)
		i := 0
		for float64(i+1) < float64(len(took))*percent/100 {
			i++
		}
		want := max(min(time.Duration(took[i]), longest).Truncate(time.Microsecond), time.Microsecond)
		got, ok := p.Percentile(table, percent)
		if !ok || got < want || got > want+want/8 {
			t.Fatalf("the %vth percentile is %v, want %v", percent, got, want)
		}
	})
}

func TestBuckets(t *testing.T) {
	for micros := uint64(1); micros <= uint64(longest/time.Microsecond); micros += 1 + micros/1000 {
		b := bucket(micros)
		if b >= buckets || upper(b) < micros || upper(b-1) >= micros {
			t.Fatalf("%d is in bucket %d, from %d to %d", micros, b, upper(b-1)+1, upper(b))
		}
	}
}

func TestPercentilesDecay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPercentiles()
		defer p.Close()
		table := cqltype.UUID{1}
		if _, ok := p.Percentile(table, 99); ok {
			t.Error("nothing was recorded")
		}
		for range 1000 {
			p.Record(table, time.Second)
		}
		pass(10 * time.Minute) // one in 1000 is left
		for range 100 {
			p.Record(table, time.Millisecond)
		}
		if d, ok := p.Percentile(table, 95); !ok || d > 2*time.Millisecond {
			t.Errorf("got %v", d)
		}
		pass(time.Hour)
		if d, ok := p.Percentile(table, 99); ok {
			t.Errorf("got %v", d)
		}
		p.Record(table, time.Millisecond)
		p.Forget(table)
		if d, ok := p.Percentile(table, 99); ok {
			t.Errorf("got %v", d)
		}
	})
}

func BenchmarkPercentilesRecord(b *testing.B) {
	p := NewPercentiles()
	defer p.Close()
	for i := range byte(20) {
		p.Record(cqltype.UUID{i}, time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Record(cqltype.UUID{7}, time.Millisecond)
	}
}

func BenchmarkPercentile(b *testing.B) {
	p := NewPercentiles()
	defer p.Close()
	p.Record(cqltype.UUID{7}, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		p.Percentile(cqltype.UUID{7}, 99)
	}
}
