package hint

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, Options{Dir: b.TempDir(), FlushPeriod: time.Hour})
			body, to, expires := make([]byte, size), hostID(1), distant()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for left := 0; b.Loop(); left-- {
				if left == 0 {
					b.StopTimer() // the disk is not what is measured
					s.Truncate(to)
					left = 2 << 20 / size
					b.StartTimer()
				}
				if err := s.Add(to, body, expires); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAddDurable(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	body, to, expires := make([]byte, 1000), hostID(1), distant()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.AddDurable(b.Context(), to, body, expires); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	body, expires := make([]byte, 1000), distant()
	const hints = 10000
	b.SetBytes(hints * int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range hints {
			if err := s.Add(hostID(1), body, expires); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if err := s.Replay(b.Context(), hostID(1), func(_ []byte, done func(error)) { done(nil) }); err != nil {
			b.Fatal(err)
		}
	}
}
