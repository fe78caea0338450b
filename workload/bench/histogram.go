package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Histogram counts latencies to three digits, from 64 ns to an hour.
type Histogram struct {
	values *hdrhistogram.Histogram
}

const (
	shortest = 64 * time.Nanosecond
	longest  = time.Hour
)

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdrhistogram.New(int64(shortest), int64(longest), 3)}
}

// Record counts a latency. One above an hour counts as an hour.
func (h *Histogram) Record(d time.Duration) {
	_ = h.values.RecordValue(int64(min(max(d, 0), longest))) // only what is out of range is an error
}

// Merge adds what another histogram has counted.
func (h *Histogram) Merge(other *Histogram) { h.values.Merge(other.values) }

// Count returns how many latencies were recorded.
func (h *Histogram) Count() int64 { return h.values.TotalCount() }

// Percentile returns the latency that so many percent do not exceed.
func (h *Histogram) Percentile(p float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.values.ValueAtPercentile(p))
}

// Max returns the longest latency.
func (h *Histogram) Max() time.Duration { return h.Percentile(100) }

// Mean returns the average latency.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.values.Mean())
}
