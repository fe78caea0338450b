package coordinator

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/iliumdb/ilium/storage"
)

// Reads that arrive while an identical one is under way are carried out together, after it.
func TestIdenticalReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights
		release := make(chan error)
		var reads, failed atomic.Int32
		read := func() (result, error) {
			reads.Add(1)
			err := <-release
			return result{entries: &storage.Entries{}, block: []byte{1}}, err
		}
		start := func(key string, n int) {
			for range n {
				go func() {
					if _, err := f.do(key, read); err != nil {
						failed.Add(1)
					}
				}()
			}
			synctest.Wait()
		}
		expect := func(want int32) {
			t.Helper()
			synctest.Wait()
			if got := reads.Load(); got != want {
				t.Fatalf("%d reads, want %d", got, want)
			}
		}
		start("a", 1)
		start("a", 10)
		expect(1)
		start("b", 1)
		expect(2)
		release <- nil
		release <- nil
		expect(3) // one for all that wait
		start("a", 5)
		expect(3)
		release <- nil
		expect(4)
		release <- errors.New("no") // is not shared: the other four read for themselves
		expect(8)
		for range 4 {
			release <- nil
		}
		synctest.Wait()
		if failed.Load() != 1 || len(f.current) != 0 {
			t.Errorf("%d failed, %d left", failed.Load(), len(f.current))
		}
	})
}

func BenchmarkReadAlone(b *testing.B) {
	var f flights
	b.ReportAllocs()
	entries := &storage.Entries{}
	for b.Loop() {
		if _, err := f.do("a request of usual length, with a key", func() (result, error) { return result{entries: entries}, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
