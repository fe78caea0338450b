// Package bench carries out an operation again and again, with many workers, and measures how long
// it takes.
//
// Workers either go as fast as they can, each beginning its next operation when the last one has
// ended: a closed loop. Or operations begin at a rate: an open loop. Then each has a time at which
// it was to begin, and its latency is counted from there, whether a worker was free or not. A closed
// loop hides what a stalling server does to its clients, since a stall keeps the next operations
// from being asked; this mistake is known as coordinated omission. What the open loop could not
// begin before its end is reported as Missed.
//
// A run warms up first. The operations that begin behind the warm-up are counted, in a histogram of
// three digits, together with the CPU time of the server over the same window.
package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// An Operation is what a worker does. The number counts the operations of all workers, the warm-up
// included.
type Operation func(ctx context.Context, number int64) error

// Options tune Run. It ends after Duration or Operations, whichever comes first; one must be set.
type Options struct {
	Workers    int
	Rate       float64 // operations a second of all workers; 0: a closed loop
	Warmup     time.Duration
	Duration   time.Duration // behind the warm-up; 0: no bound
	Operations int64         // behind the warm-up; 0: no bound

	Kind     func(error) string // names an error for counting
	Interval time.Duration      // between calls of Progress
	Progress func(Progress)     // nil: none
	Server   *Process           // whose CPU time and memory are measured; nil: none
}

func (o *Options) check() error {
	switch {
	case o.Workers < 1:
		return fmt.Errorf("there must be at least one worker, not %d", o.Workers)
	case o.Rate < 0 || o.Warmup < 0 || o.Duration < 0 || o.Operations < 0 || o.Interval < 0:
		return errors.New("rate, warm-up, duration, operations and interval must not be negative")
	case o.Duration == 0 && o.Operations == 0:
		return errors.New("the duration or the number of operations must be given")
	case o.Progress != nil && o.Interval == 0:
		return errors.New("progress needs an interval")
	}
	return nil
}

// Progress says what a run has done since it was told the last time.
type Progress struct {
	Elapsed    time.Duration // since the run began
	Warming    bool
	PerSecond  float64
	Operations int64 // in all
	Errors     int64 // in all
}

// A Failure is a kind of error.
type Failure struct {
	Count   int64  `json:"count"`
	Example string `json:"example"` // the first one
}

// A Result is what was measured behind the warm-up, but for Failures and Warmup.
type Result struct {
	Operations int64         // that succeeded
	Elapsed    time.Duration // from the end of the warm-up to the end of the last operation
	Latency    *Histogram    // of those that succeeded
	Missed     int64         // of an open loop: they were to begin and did not
	Failures   map[string]Failure
	Server     *Usage // nil if no process was given
}

// Errors returns how many operations failed, the warm-up included: an error there is one as well.
func (r *Result) Errors() (n int64) {
	for _, f := range r.Failures {
		n += f.Count
	}
	return n
}

// A run is one call of Run.
type run struct {
	opts     Options
	schedule schedule
	taken    atomic.Int64 // operations that workers have taken
	counted  atomic.Int64 // of them, behind the warm-up, see admits
	done     atomic.Int64 // operations that have ended
	failed   atomic.Int64 // of them, with an error
}

// Run carries out operations until its options end it, or ctx. Each worker gets an Operation of its
// own from operation.
func Run(ctx context.Context, opts Options, operation func(worker int) Operation) (*Result, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	workers := make([]*worker, opts.Workers)
	for i := range workers {
		workers[i] = newWorker(operation(i))
	}
	r := &run{opts: opts, schedule: newSchedule(time.Now(), opts)}
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(func() { w.work(ctx, r) })
	}
	finished := make(chan struct{})
	var watcher sync.WaitGroup
	var before Usage
	var watchErr error
	watcher.Go(func() { before, watchErr = r.watch(finished) })
	group.Wait()
	close(finished)
	watcher.Wait()
	if err := errors.Join(ctx.Err(), watchErr); err != nil {
		return nil, err
	}
	result := r.collect(workers)
	if opts.Server != nil {
		after, err := opts.Server.usage()
		if err != nil {
			return nil, err
		}
		after.CPU -= before.CPU
		result.Server = &after
	}
	return result, nil
}

// watch takes the server's usage at the end of the warm-up, and reports the progress until finished.
func (r *run) watch(finished <-chan struct{}) (before Usage, err error) {
	warm := time.NewTimer(r.opts.Warmup)
	defer warm.Stop()
	var tick <-chan time.Time
	if r.opts.Progress != nil {
		t := time.NewTicker(r.opts.Interval)
		defer t.Stop()
		tick = t.C
	}
	if r.opts.Server != nil { // operations may have ended before the timer is seen
		before, err = r.opts.Server.usage()
	}
	last, lastDone := r.schedule.begin, int64(0)
	for err == nil {
		select {
		case <-finished:
			return before, nil
		case <-warm.C:
			if r.opts.Server != nil {
				before, err = r.opts.Server.usage()
			}
		case now := <-tick:
			done := r.done.Load()
			r.opts.Progress(Progress{Elapsed: now.Sub(r.schedule.begin), Warming: now.Before(r.schedule.warm), Operations: done, Errors: r.failed.Load(),
				PerSecond: float64(done-lastDone) / max(now.Sub(last).Seconds(), 1e-9)})
			last, lastDone = now, done
		}
	}
	return before, err
}

// collect adds up what the workers have measured.
func (r *run) collect(workers []*worker) *Result {
	out := &Result{Latency: NewHistogram(), Failures: make(map[string]Failure)}
	end := r.schedule.warm
	for _, w := range workers {
		out.Latency.Merge(w.latency)
		if w.last.After(end) {
			end = w.last
		}
		for kind, f := range w.failures {
			known := out.Failures[kind]
			if known.Count == 0 {
				known.Example = f.Example
			}
			known.Count += f.Count
			out.Failures[kind] = known
		}
	}
	out.Operations = out.Latency.Count()
	out.Elapsed = end.Sub(r.schedule.warm)
	out.Missed = r.schedule.missed(r.taken.Load())
	return out
}
