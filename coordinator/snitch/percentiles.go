package snitch

import (
	"maps"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// Percentiles knows how long the requests for each table take. It is safe for concurrent use.
type Percentiles struct {
	mu     sync.Mutex // for changing tables
	tables atomic.Pointer[map[cqltype.UUID]*histogram]
	loop   loop
}

// A histogram counts, in units that are parts of one, so that counts can decay. A bucket is an eighth
// of a power of two wide.
type histogram [buckets]atomic.Uint64

const (
	buckets   = 8 * 24 // up to two minutes, more than the longest
	unit      = 1 << 10
	decayTime = 10 * time.Second
	halfLife  = time.Minute
)

// NewPercentiles returns Percentiles that know nothing yet. They must be closed.
func NewPercentiles() *Percentiles {
	p := &Percentiles{}
	p.tables.Store(&map[cqltype.UUID]*histogram{})
	p.loop.start(decayTime, p.decay)
	return p
}

// Close ends the decay.
func (p *Percentiles) Close() { p.loop.close() }

func (p *Percentiles) decay() {
	for _, h := range *p.tables.Load() {
		h.decay()
	}
}

// Record says how long a request for a table took.
func (p *Percentiles) Record(table cqltype.UUID, d time.Duration) {
	h := (*p.tables.Load())[table]
	if h == nil {
		h = p.add(table)
	}
	h[bucket(micros(d))].Add(unit)
}

func (p *Percentiles) add(table cqltype.UUID) *histogram {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.tables.Load()
	if h := old[table]; h != nil {
		return h
	}
	next := maps.Clone(old)
	next[table] = &histogram{}
	p.tables.Store(&next)
	return next[table]
}

// Forget forgets a table, which was dropped.
func (p *Percentiles) Forget(table cqltype.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.tables.Load())
	delete(next, table)
	p.tables.Store(&next)
}

// Percentile returns the time in which that many percent of a table's requests were answered, at most
// an eighth too long. ok is false if none was lately.
func (p *Percentiles) Percentile(table cqltype.UUID, percent float64) (d time.Duration, ok bool) {
	h := (*p.tables.Load())[table]
	if h == nil {
		return 0, false
	}
	total := uint64(0)
	for i := range h {
		total += h[i].Load()
	}
	if total == 0 {
		return 0, false
	}
	wanted, seen, last := float64(total)*percent/100, uint64(0), 0
	for i := range h {
		n := h[i].Load()
		if n == 0 {
			continue
		}
		seen, last = seen+n, i
		if float64(seen) >= wanted {
			break
		}
	}
	return time.Duration(upper(last)) * time.Microsecond, true
}

// decay makes what was counted weigh less. What is counted meanwhile is not lost.
func (h *histogram) decay() {
	part := 1 - math.Exp2(-float64(decayTime)/float64(halfLife))
	for i := range h {
		if n := h[i].Load(); n > 0 {
			h[i].Add(-uint64(math.Ceil(float64(n) * part)))
		}
	}
}

// bucket returns the bucket of a number of microseconds.
func bucket(micros uint64) int {
	if micros < 8 {
		return int(micros)
	}
	power := bits.Len64(micros) - 4 // the first bit and three more make the bucket
	return power*8 + int(micros>>power)
}

// upper returns the largest number of microseconds in a bucket.
func upper(bucket int) uint64 {
	if bucket < 16 {
		return uint64(bucket)
	}
	power := bucket/8 - 1
	return uint64(bucket%8+9)<<power - 1
}
