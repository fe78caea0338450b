package bench

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

func kindOf(err error) string { return "kind of " + err.Error() }

// taking returns operations that each take d.
func taking(d time.Duration) func(int) Operation {
	return func(int) Operation {
		return func(ctx context.Context, _ int64) error { return pause(ctx, d) }
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func mustRun(t *testing.T, opts Options, operation func(int) Operation) *Result {
	t.Helper()
	opts.Kind = kindOf
	r, err := Run(t.Context(), opts, operation)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// near wants a latency to three digits.
func near(t *testing.T, got, want time.Duration) {
	t.Helper()
	if diff := got - want; diff < -want/500 || diff > want/500 {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, Options{Workers: 3, Warmup: time.Second, Duration: 2 * time.Second}, taking(10*time.Millisecond))
		if r.Operations != 600 || r.Elapsed != 2*time.Second || r.Missed != 0 || r.Errors() != 0 || r.Server != nil {
			t.Errorf("got %+v", r)
		}
		near(t, r.Latency.Percentile(50), 10*time.Millisecond)
		near(t, r.Latency.Max(), 10*time.Millisecond)
	})
}

// With a number of operations and no warm-up, each number comes once: a load leaves nothing out.
func TestOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []int64
		r := mustRun(t, Options{Workers: 7, Operations: 100}, func(int) Operation {
			return func(ctx context.Context, number int64) error {
				mu.Lock()
				seen = append(seen, number)
				mu.Unlock()
				return pause(ctx, time.Duration(1+number%3)*time.Millisecond)
			}
		})
		slices.Sort(seen)
		if r.Operations != 100 || len(seen) != 100 || seen[0] != 0 || seen[99] != 99 || len(slices.Compact(seen)) != 100 {
			t.Errorf("%d operations, numbers %v", r.Operations, seen)
		}
		r = mustRun(t, Options{Workers: 7, Warmup: time.Second, Operations: 100}, taking(time.Millisecond))
		if r.Operations != 100 {
			t.Errorf("behind a warm-up: %d operations", r.Operations)
		}
	})
}

func TestOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, Options{Workers: 5, Rate: 100, Warmup: time.Second, Duration: 3 * time.Second}, taking(20*time.Millisecond))
		if r.Operations != 300 || r.Missed != 0 {
			t.Errorf("got %+v", r)
		}
		near(t, r.Latency.Max(), 20*time.Millisecond)
		r = mustRun(t, Options{Workers: 5, Rate: 100, Warmup: time.Second, Duration: time.Minute, Operations: 50}, taking(20*time.Millisecond))
		if r.Operations != 50 || r.Missed != 0 || r.Elapsed > 600*time.Millisecond {
			t.Errorf("bounded by operations: %+v", r)
		}
	})
}

// One stall of a second delays all that was to begin meanwhile, and an open loop says so. A closed
// loop sees one slow operation.
func TestStall(t *testing.T) {
	stalling := func(int) Operation {
		return func(ctx context.Context, number int64) error {
			if number == 100 {
				return pause(ctx, time.Second)
			}
			return pause(ctx, time.Millisecond)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, Options{Workers: 1, Rate: 100, Duration: 4 * time.Second}, stalling)
		if r.Operations != 400 || r.Missed != 0 {
			t.Errorf("got %+v", r)
		}
		near(t, r.Latency.Max(), time.Second)
		if p := r.Latency.Percentile(90); p < 500*time.Millisecond {
			t.Errorf("the open loop hides the stall: p90 %s", p)
		}
		r = mustRun(t, Options{Workers: 1, Duration: 4 * time.Second}, stalling)
		near(t, r.Latency.Percentile(99.9), time.Millisecond)
		near(t, r.Latency.Max(), time.Second)
	})
}

func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, Options{Workers: 2, Rate: 1000, Duration: 10 * time.Second}, taking(10*time.Millisecond))
		if r.Operations != 2000 || r.Missed != 8000 {
			t.Errorf("%d operations, %d missed", r.Operations, r.Missed)
		}
		if p := r.Latency.Max(); p < 7*time.Second {
			t.Errorf("the last operation was only %s late", p)
		}
		// What was missed in the warm-up is forgotten.
		r = mustRun(t, Options{Workers: 2, Rate: 1000, Warmup: 10 * time.Second, Duration: time.Second}, taking(10*time.Millisecond))
		if r.Operations != 200 || r.Missed != 800 {
			t.Errorf("behind a warm-up: %d operations, %d missed", r.Operations, r.Missed)
		}
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, Options{Workers: 4, Warmup: time.Second, Duration: time.Second}, func(worker int) Operation {
			return func(ctx context.Context, _ int64) error {
				if err := pause(ctx, 100*time.Millisecond); err != nil || worker < 2 {
					return err
				}
				return errors.New([]string{"", "", "odd", "even"}[worker])
			}
		})
		// Ten each in the warm-up and behind it.
		if r.Operations != 20 || r.Errors() != 40 || len(r.Failures) != 2 || r.Failures["kind of odd"] != (Failure{20, "odd"}) {
			t.Errorf("%d operations, %d errors, %+v", r.Operations, r.Errors(), r.Failures)
		}
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Progress
		mustRun(t, Options{Workers: 2, Warmup: 1500 * time.Millisecond, Duration: time.Second, Interval: time.Second,
			Progress: func(p Progress) { got = append(got, p) }}, taking(300*time.Millisecond))
		want := []Progress{
			{Elapsed: time.Second, Warming: true, PerSecond: 6, Operations: 6},
			{Elapsed: 2 * time.Second, PerSecond: 6, Operations: 12},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, rate := range []float64{0, 0.1} {
			if _, err := Run(ctx, Options{Workers: 2, Rate: rate, Duration: time.Hour, Kind: kindOf}, taking(time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("rate %f: error %v", rate, err)
			}
		}
	})
}

func TestOptions(t *testing.T) {
	for want, opts := range map[string]Options{
		"at least one worker":   {Duration: 1},
		"must not be negative":  {Workers: 1, Duration: -1},
		"must be given":         {Workers: 1},
		"progress needs an int": {Workers: 1, Duration: 1, Progress: func(Progress) {}},
	} {
		if _, err := Run(t.Context(), opts, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", opts, err, want)
		}
	}
}

const statHead = "42 (a) b (c) S 1 1 1 0 -1 4194304 100 0 0 0 "

func proc(stat, status string) fstest.MapFS {
	return fstest.MapFS{"42/stat": {Data: []byte(stat)}, "42/status": {Data: []byte(status)}}
}

const status = "Name:\ta) b (c\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"

// A changing FS is files that are replaced while they are read.
type changing struct {
	mu    sync.Mutex
	files fstest.MapFS
}

func (c *changing) Open(name string) (fs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.files.Open(name)
}

func (c *changing) replace(files fstest.MapFS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = files
}

// The server's CPU time is that of the window behind the warm-up.
func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := &changing{files: proc(statHead+"100 50 0 0 20 0 1 0 5", status)}
		server := &Process{PID: 42, Proc: files}
		r := mustRun(t, Options{Workers: 1, Warmup: time.Second, Duration: time.Second, Server: server}, func(int) Operation {
			done := 0
			return func(ctx context.Context, _ int64) error {
				if done++; done == 4 { // behind the warm-up
					files.replace(proc(statHead+"130 70 0 0 20 0 1 0 5", status))
				}
				return pause(ctx, 400*time.Millisecond)
			}
		})
		if r.Server == nil || *r.Server != (Usage{CPU: 500 * time.Millisecond, Resident: 1 << 20, PeakResident: 2 << 20}) {
			t.Errorf("got %+v", r.Server)
		}
	})
}

func TestNoServer(t *testing.T) {
	for want, files := range map[string]fstest.MapFS{
		"file does not exist": {},
		"stat has 2 fields":   proc("42 (ilium) S 1", status),
		"invalid syntax":      proc(statHead+"x 50", status),
		"42/status":           {"42/stat": {Data: []byte(statHead + "100 50")}},
	} {
		server := &Process{PID: 42, Proc: files}
		_, err := Run(t.Context(), Options{Workers: 1, Operations: 1, Server: server, Kind: kindOf}, taking(0))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "measuring process 42") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
