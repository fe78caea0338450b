package peer_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

// benchmark has callers make round trips with 256 bytes over the loopback interface.
func benchmark(b *testing.B, callers int) {
	one, _ := pair(b, func(*peer.Options) {})
	body := make([]byte, 256)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	if _, err := one.Call(ctx, hostID(2), peer.VerbRead, body); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := one.Call(ctx, hostID(2), peer.VerbRead, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSerial(b *testing.B)     { benchmark(b, 1) }
func BenchmarkConcurrent(b *testing.B) { benchmark(b, 64) }

// BenchmarkSend keeps 64 requests under way without goroutines that wait.
func BenchmarkSend(b *testing.B) {
	one, _ := pair(b, func(*peer.Options) {})
	body := make([]byte, 256)
	if _, err := one.Call(b.Context(), hostID(2), peer.VerbRead, body); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	tokens := make(chan struct{}, 64)
	done := func(_ []byte, err error) {
		if err != nil {
			b.Error(err)
		}
		<-tokens
	}
	for b.Loop() {
		tokens <- struct{}{}
		one.Send(hostID(2), peer.VerbRead, time.Now().Add(time.Minute), body, done)
	}
	for range cap(tokens) {
		tokens <- struct{}{}
	}
}
