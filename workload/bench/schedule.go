package bench

import (
	"math"
	"time"
)

// A schedule says when operations begin and which of them count.
type schedule struct {
	begin, warm time.Time // the run begins; the warm-up ends
	end         time.Time // nothing begins from here on; zero: no bound
	rate        float64   // operations a second; 0: a closed loop
	limit       int64     // operations behind the warm-up; 0: no bound
}

func newSchedule(begin time.Time, opts Options) schedule {
	s := schedule{begin: begin, warm: begin.Add(opts.Warmup), rate: opts.Rate, limit: opts.Operations}
	if opts.Duration > 0 {
		s.end = s.warm.Add(opts.Duration)
	}
	return s
}

func (s *schedule) open() bool { return s.rate > 0 }

// at returns when an operation of an open loop is to begin.
func (s *schedule) at(number int64) time.Time {
	return s.begin.Add(time.Duration(float64(number) / s.rate * float64(time.Second)))
}

// firstMeasured returns the first operation of an open loop that is due behind the warm-up.
func (s *schedule) firstMeasured() int64 {
	return int64(math.Ceil(s.warm.Sub(s.begin).Seconds() * s.rate))
}

func (s *schedule) over(t time.Time) bool { return !s.end.IsZero() && !t.Before(s.end) }

// missed returns how many operations of an open loop were to begin before its end and have not.
func (s *schedule) missed(taken int64) int64 {
	if !s.open() || s.end.IsZero() {
		return 0
	}
	due := int64(s.end.Sub(s.begin).Seconds() * s.rate)
	if s.limit > 0 {
		due = min(due, s.firstMeasured()+s.limit)
	}
	return max(due-taken, 0)
}
