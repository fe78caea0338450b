package bench

import (
	"context"
	"time"
)

// A worker carries out one operation at a time.
type worker struct {
	operation Operation
	latency   *Histogram
	last      time.Time // when its last operation behind the warm-up ended
	failures  map[string]Failure
	timer     *time.Timer
}

func newWorker(operation Operation) *worker {
	return &worker{operation: operation, latency: NewHistogram(), failures: make(map[string]Failure)}
}

// work takes operations until the run ends.
func (w *worker) work(ctx context.Context, r *run) {
	for ctx.Err() == nil {
		now := time.Now()
		if r.schedule.over(now) {
			return
		}
		number := r.taken.Add(1) - 1
		begin := now
		if r.schedule.open() {
			begin = r.schedule.at(number)
			if begin.Before(r.schedule.warm) && !now.Before(r.schedule.warm) {
				r.leaveWarmup()
				continue
			}
			if r.schedule.over(begin) || !w.wait(ctx, begin.Sub(now)) {
				r.taken.Add(-1) // it does not begin
				return
			}
		}
		warming := begin.Before(r.schedule.warm)
		if !r.admits(number, warming) {
			r.taken.Add(-1)
			return
		}
		err := w.operation(ctx, number)
		if err != nil && ctx.Err() != nil {
			return // it was interrupted
		}
		w.ended(r, begin, warming, err)
	}
}

// admits reports whether an operation is within the number of operations. Without a warm-up exactly
// the numbers below it are carried out, whatever the order in which workers get here.
func (r *run) admits(number int64, warming bool) bool {
	switch {
	case r.opts.Operations == 0 || warming:
		return true
	case r.opts.Warmup == 0:
		return number < r.opts.Operations
	default:
		return r.counted.Add(1) <= r.opts.Operations
	}
}

// leaveWarmup drops what an open loop was to do in the warm-up and has not begun: a server that was
// behind there starts the measurement without debt.
func (r *run) leaveWarmup() {
	first := r.schedule.firstMeasured()
	for taken := r.taken.Load(); taken < first; taken = r.taken.Load() {
		if r.taken.CompareAndSwap(taken, first) {
			return
		}
	}
}

// wait waits until an operation is to begin. It returns false if ctx ends before.
func (w *worker) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	select {
	case <-w.timer.C:
		return true
	case <-ctx.Done():
		w.timer.Stop()
		return false
	}
}

func (w *worker) ended(r *run, begin time.Time, warming bool, err error) {
	r.done.Add(1)
	now := time.Now()
	if !warming {
		w.last = now
	}
	if err != nil {
		r.failed.Add(1)
		kind := r.opts.Kind(err)
		f := w.failures[kind]
		if f.Count++; f.Count == 1 {
			f.Example = err.Error()
		}
		w.failures[kind] = f
		return
	}
	if !warming {
		w.latency.Record(now.Sub(begin))
	}
}
