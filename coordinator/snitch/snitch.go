// Package snitch says which replica to ask first, and when to ask another one.
//
// Latencies is Cassandra's dynamic snitch. It learns how fast endpoints answer and sorts replicas by
// where they are (the node itself, its rack, its datacenter, the others) and by how fast they are. A
// replica that is better placed is passed over only for one that is clearly faster: by
// Options.BadnessThreshold, where 1.0 means twice as fast. A request that was not answered should be
// recorded with its timeout, or a node that is gone looks as good as it was. How fast an endpoint is, is
// an average over seconds, made anew every Options.UpdateInterval. An endpoint that is not asked is
// not measured either. So one of the same datacenter that was not heard from for Options.RetryInterval,
// or never, comes first in one sort; what is recorded then counts for more than all that is old.
// Cassandra forgets what it knows of all endpoints every 10 minutes (dynamic_snitch_reset_interval), and
// then sends slow ones many requests.
//
// Percentiles knows how long the reads of each table take, for the speculative_retry of the table, which
// is a Retry: ALWAYS, NEVER, a percentile as in 99p, a time as in 10ms, or MIN or MAX of both. It gives
// more weight to newer reads; what is a minute old has half the weight.
//
// Recording needs no lock and no memory.
package snitch

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// Options say how Latencies works. The zero value has the defaults of Cassandra 5.0.
type Options struct {
	UpdateInterval   time.Duration // between two looks at what was recorded (dynamic_snitch_update_interval), or 0 for 100 ms
	RetryInterval    time.Duration // after which an endpoint that was not heard from is tried, or 0 for 1 minute
	BadnessThreshold float64       // how much slower, in parts, a better placed replica may be (dynamic_snitch_badness_threshold), or 0 for 1.0; negative for none
}

// averaged is how far back the average reaches: what is so old weighs 1/e.
const averaged = 5 * time.Second

// Latencies knows how fast endpoints answer. It is safe for concurrent use.
type Latencies struct {
	o         Options
	mu        sync.Mutex // for changing endpoints, and their averages
	endpoints atomic.Pointer[map[ring.HostID]*latency]
	loop      loop
}

// A latency is that of one endpoint.
type latency struct {
	recorded atomic.Uint64 // since the last update: microseconds in all, from bit countBits on, and how many
	average  atomic.Uint64 // microseconds, a float64; 0 if nothing is known

	retry atomic.Bool // one request may try it, because it was not heard from for long

	sum, weight float64       // decaying; these are guarded by the mutex of Latencies
	silent      time.Duration // since it was heard from, or may be tried
}

const (
	countBits = 24
	longest   = time.Minute // what takes longer counts as that
)

// NewLatencies returns Latencies that know nothing yet. They must be closed.
func NewLatencies(o Options) *Latencies {
	if o.UpdateInterval <= 0 {
		o.UpdateInterval = 100 * time.Millisecond
	}
	if o.RetryInterval <= 0 {
		o.RetryInterval = time.Minute
	}
	if o.BadnessThreshold == 0 {
		o.BadnessThreshold = 1
	}
	o.BadnessThreshold = max(0, o.BadnessThreshold)
	l := &Latencies{o: o}
	l.endpoints.Store(&map[ring.HostID]*latency{})
	l.loop.start(o.UpdateInterval, l.update)
	return l
}

// Close ends the updates.
func (l *Latencies) Close() { l.loop.close() }

// Record says how long an endpoint took to answer, or for how long it has not.
func (l *Latencies) Record(id ring.HostID, d time.Duration) {
	e := (*l.endpoints.Load())[id]
	if e == nil {
		e = l.add(id)
	}
	e.recorded.Add(micros(d)<<countBits | 1)
}

// micros returns a duration in microseconds, at least 1.
func micros(d time.Duration) uint64 { return uint64(max(1, min(d, longest)/time.Microsecond)) }

func (l *Latencies) add(id ring.HostID) *latency {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := *l.endpoints.Load()
	if e := old[id]; e != nil {
		return e
	}
	next := maps.Clone(old)
	e := &latency{}
	e.retry.Store(true)
	next[id] = e
	l.endpoints.Store(&next)
	return e
}

// Forget forgets an endpoint, which is not a part of the cluster anymore.
func (l *Latencies) Forget(id ring.HostID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := maps.Clone(*l.endpoints.Load())
	delete(next, id)
	l.endpoints.Store(&next)
}

// update makes the averages.
func (l *Latencies) update() {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := math.Exp(-float64(l.o.UpdateInterval) / float64(averaged))
	for _, e := range *l.endpoints.Load() {
		e.sum, e.weight = e.sum*keep, e.weight*keep
		word := e.recorded.Swap(0)
		if count := word & (1<<countBits - 1); count > 0 {
			e.sum += float64(word>>countBits) / float64(count)
			e.weight++
			e.average.Store(math.Float64bits(e.sum / e.weight))
			e.silent = 0
			e.retry.Store(false)
		} else if e.silent += l.o.UpdateInterval; e.silent >= l.o.RetryInterval {
			e.silent = 0
			e.retry.Store(true)
		}
	}
}

// Latency returns how long an endpoint takes to answer, or 0 if nothing is known.
func (l *Latencies) Latency(id ring.HostID) time.Duration {
	return time.Duration(l.average(id) * float64(time.Microsecond))
}

func (l *Latencies) average(id ring.HostID) float64 {
	if e := (*l.endpoints.Load())[id]; e != nil {
		return math.Float64frombits(e.average.Load())
	}
	return 0
}

// A candidate is a replica while it is being sorted.
type candidate struct {
	endpoint *ring.Endpoint
	distance int
	average  float64 // or 0 if nothing is known
}

// Sort puts those replicas first that self should ask first. Each place goes to the best placed of those
// left that are not clearly slower than the fastest of them; of equally placed ones to the faster, and
// then to the one that was in front. One of which nothing is known goes before those that are placed
// as well. If the first one is known, one that is to be tried may come before it. self may be nil. The
// slice is changed: it must not be the one that a ring.Placement returns.
func (l *Latencies) Sort(replicas []*ring.Endpoint, self *ring.Endpoint) {
	var room [16]candidate
	left := room[:0]
	for _, e := range replicas {
		left = append(left, candidate{e, distance(e, self), l.average(e.ID)})
	}
	slices.SortStableFunc(left, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.average, b.average))
	})
	for at := range replicas {
		fastest := math.Inf(1)
		for _, c := range left {
			if c.average > 0 {
				fastest = min(fastest, c.average)
			}
		}
		i := slices.IndexFunc(left, func(c candidate) bool { return c.average <= fastest*(1+l.o.BadnessThreshold) })
		replicas[at] = left[i].endpoint
		left = slices.Delete(left, i, i+1)
	}
	l.try(replicas, self)
}

// try moves a replica to the front that is to be tried, if there is one.
func (l *Latencies) try(replicas []*ring.Endpoint, self *ring.Endpoint) {
	if len(replicas) < 2 || l.average(replicas[0].ID) == 0 {
		return
	}
	endpoints := *l.endpoints.Load()
	for i, e := range replicas[1:] {
		if distance(e, self) == elsewhere {
			continue
		}
		known := endpoints[e.ID]
		if known == nil {
			known = l.add(e.ID)
		}
		if known.retry.Load() && known.retry.CompareAndSwap(true, false) {
			copy(replicas[1:], replicas[:i+1])
			replicas[0] = e
			return
		}
	}
}

// elsewhere is the distance of endpoints in other datacenters.
const elsewhere = 3

// distance returns how far an endpoint is away.
func distance(e, self *ring.Endpoint) int {
	switch {
	case self == nil || e.Datacenter != self.Datacenter:
		return elsewhere
	case e.ID == self.ID:
		return 0
	case e.Rack == self.Rack:
		return 1
	default:
		return 2
	}
}
