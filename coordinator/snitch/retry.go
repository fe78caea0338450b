package snitch

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Retry is the speculative_retry of a table: after what time a request that is not answered is sent to
// another replica too. The zero value is NEVER.
type Retry struct {
	percent float64       // or 0
	fixed   time.Duration // or negative, if there is a percentile alone
	longer  bool          // of the two, not the shorter
	some    bool          // not NEVER
}

// A RetryError reports that a text is no Retry.
type RetryError struct{ Text string }

func (e *RetryError) Error() string { return fmt.Sprintf("%q is no speculative_retry", e.Text) }

// ParseRetry reads a speculative_retry in the form in which the schema keeps it: ALWAYS, NEVER, 99p,
// 10ms, MIN(99p,10ms) or MAX(99p,10ms).
func ParseRetry(text string) (Retry, error) {
	inner, hybrid := strings.CutSuffix(text, ")")
	shorter, isMin := strings.CutPrefix(inner, "MIN(")
	longer, isMax := strings.CutPrefix(inner, "MAX(")
	var r Retry
	ok := false
	switch {
	case text == "NEVER":
		return Retry{}, nil
	case text == "ALWAYS":
		return Retry{some: true}, nil
	case hybrid && (isMin || isMax):
		if isMin {
			longer = shorter
		}
		first, second, _ := strings.Cut(longer, ",")
		var okPercent, okTime bool
		r.percent, okPercent = parsePercent(first)
		r.fixed, okTime = parseTime(second)
		r.longer, ok = isMax, okPercent && okTime
	case strings.HasSuffix(text, "ms"):
		r.fixed, ok = parseTime(text)
	default:
		r.percent, ok = parsePercent(text)
		r.fixed = -1
	}
	if !ok {
		return Retry{}, &RetryError{text}
	}
	r.some = true
	return r, nil
}

func parsePercent(text string) (float64, bool) {
	number, ok := strings.CutSuffix(text, "p")
	x, err := strconv.ParseFloat(number, 64)
	return x, ok && err == nil && x > 0 && x < 100
}

func parseTime(text string) (time.Duration, bool) {
	number, ok := strings.CutSuffix(text, "ms")
	n, err := strconv.ParseUint(number, 10, 31)
	return time.Duration(n) * time.Millisecond, ok && err == nil
}

// After returns after what time another replica is asked, and whether one is at all. percentile is
// asked for the latency of the table (Percentiles.Percentile); while it is not known, unknown stands for
// it. Cassandra takes half of the read timeout.
func (r Retry) After(percentile func(percent float64) (time.Duration, bool), unknown time.Duration) (time.Duration, bool) {
	if r.percent == 0 {
		return r.fixed, r.some
	}
	wait, known := percentile(r.percent)
	if !known {
		wait = unknown
	}
	switch {
	case r.fixed < 0:
		return wait, true
	case r.longer:
		return max(wait, r.fixed), true
	default:
		return min(wait, r.fixed), true
	}
}

// Always reports whether other replicas are asked at once.
func (r Retry) Always() bool { return r.some && r.percent == 0 && r.fixed == 0 }
