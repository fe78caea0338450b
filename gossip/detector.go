package gossip

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// Options tune a Detector. Zero fields take the default.
type Options struct {
	Threshold   float64       // phi_convict_threshold: a peer above it is down; default 8
	Suspicion   float64       // a peer above it should not be asked if another can be; default 3
	Interval    time.Duration // between two heartbeats; default 250ms
	Initial     time.Duration // the first sample of a peer, before anything is known; default 2 Intervals
	MaxInterval time.Duration // longer gaps are no samples; default 8 Intervals
	MinMean     time.Duration // the mean never counts as shorter; default 100ms
	MaxPause    time.Duration // between two Checks; a longer gap is a pause of this node; default 1s
	Window      int           // samples for each peer; default 1000
}

func (o Options) withDefaults() Options {
	o.Threshold = cmp.Or(o.Threshold, 8)
	o.Suspicion = cmp.Or(o.Suspicion, 3)
	o.Interval = cmp.Or(o.Interval, 250*time.Millisecond)
	o.Initial = cmp.Or(o.Initial, 2*o.Interval)
	o.MaxInterval = cmp.Or(o.MaxInterval, 8*o.Interval)
	o.MinMean = cmp.Or(o.MinMean, 100*time.Millisecond)
	o.MaxPause = cmp.Or(o.MaxPause, time.Second)
	o.Window = cmp.Or(o.Window, 1000)
	return o
}

// clusterInterval is how long passes at least, on average, between two heartbeats in the whole cluster.
const clusterInterval = time.Millisecond

// For returns the options for a cluster of that many nodes. Packets can carry only so many heartbeats: in
// a large cluster the nodes beat more seldom, so that all of them get through.
func (o Options) For(nodes int) Options {
	if interval := time.Duration(nodes) * clusterInterval; interval > o.Interval {
		stretch := float64(interval) / float64(o.Interval)
		o.Initial = time.Duration(float64(o.Initial) * stretch)
		o.MaxInterval = time.Duration(float64(o.MaxInterval) * stretch)
		o.Interval = interval
	}
	return o
}

// A Detector says which peers are up, from when their heartbeats arrive. All times are readings of one
// monotonic clock, which the caller passes in. A Detector is not safe for concurrent use.
type Detector struct {
	base  Options
	opts  Options // for as many peers as there are
	peers map[ring.HostID]*peer

	checked   bool
	lastCheck time.Duration
	trustFrom time.Duration // no convictions before
}

// A peer is what the detector knows of a node. Its size does not depend on how long it has run.
type peer struct {
	arrivals window
	up       bool
}

// NewDetector returns a detector that knows no peers.
func NewDetector(opts Options) *Detector {
	opts = opts.withDefaults()
	return &Detector{base: opts, opts: opts, peers: map[ring.HostID]*peer{}}
}

// Heartbeat tells that the heartbeat of a peer has advanced, and reports whether that makes the peer
// up: it was unknown, or down.
func (d *Detector) Heartbeat(id ring.HostID, now time.Duration) (cameUp bool) {
	p := d.peers[id]
	if p == nil {
		p = &peer{}
		d.peers[id] = p
		d.opts = d.base.For(len(d.peers) + 1)
	}
	p.arrivals.add(now, &d.opts)
	cameUp, p.up = !p.up, true
	return cameUp
}

// Down marks a peer as down without waiting for phi: it has said that it stops. Its next heartbeat
// brings it up again.
func (d *Detector) Down(id ring.HostID) {
	if p := d.peers[id]; p != nil {
		p.up = false
	}
}

// Forget drops all that is known of a peer, as when it has left the ring or has come back as a new
// generation, whose heartbeats may have another rhythm.
func (d *Detector) Forget(id ring.HostID) {
	delete(d.peers, id)
	d.opts = d.base.For(len(d.peers) + 1)
}

// Up calls f for each peer that is up.
func (d *Detector) Up(f func(ring.HostID)) {
	for id, p := range d.peers {
		if p.up {
			f(id)
		}
	}
}

// Suspects appends to dst the peers that are up and have been silent for longer than the Suspicion allows,
// in order of their ids. There are none while this node has stood still itself; Check comes first.
func (d *Detector) Suspects(dst []ring.HostID, now time.Duration) []ring.HostID {
	if now < d.trustFrom {
		return dst
	}
	first := len(dst)
	for id, p := range d.peers {
		if p.up && p.arrivals.phi(now, &d.opts) > d.opts.Suspicion {
			dst = append(dst, id)
		}
	}
	slices.SortFunc(dst[first:], compareHosts)
	return dst
}

func compareHosts(a, b ring.HostID) int { return slices.Compare(a[:], b[:]) }

// IsUp reports whether a peer is up. One that was never heard of is down.
func (d *Detector) IsUp(id ring.HostID) bool {
	p := d.peers[id]
	return p != nil && p.up
}

// Phi returns how suspicious the silence of a peer is: at phi, the odds that the peer is alive and its
// heartbeat only late are 1 in 10^phi. It is infinite for a peer that was never heard of.
func (d *Detector) Phi(id ring.HostID, now time.Duration) float64 {
	p := d.peers[id]
	if p == nil {
		return math.Inf(1)
	}
	return p.arrivals.phi(now, &d.opts)
}

// Check appends to dst the peers that are down from now on, in order of their ids. It must be called
// regularly, several times in each interval: when it was not called for longer than MaxPause, this
// node itself has stood still, and heartbeats that have arrived meanwhile are yet to be read. Then
// nobody is convicted for the time of another MaxPause (Cassandra's MAX_LOCAL_PAUSE).
func (d *Detector) Check(dst []ring.HostID, now time.Duration) []ring.HostID {
	if d.checked && now-d.lastCheck > d.opts.MaxPause {
		d.trustFrom = now + d.opts.MaxPause
	}
	d.checked, d.lastCheck = true, now
	if now < d.trustFrom {
		return dst
	}
	first := len(dst)
	for id, p := range d.peers {
		if p.up && p.arrivals.phi(now, &d.opts) > d.opts.Threshold {
			p.up = false
			dst = append(dst, id)
		}
	}
	slices.SortFunc(dst[first:], compareHosts)
	return dst
}

// A window holds the latest gaps between arrivals, and their sum.
type window struct {
	last time.Duration
	gaps []uint32 // microseconds; a ring once it is full
	next int
	sum  uint64
}

// add takes an arrival. The first one brings the initial interval as a sample, which is long because
// the right mean is not known yet: better late than wrong. A gap that is longer than MaxInterval is
// left out, so that a peer that is often away is noticed soon, and not adapted to.
func (w *window) add(now time.Duration, o *Options) {
	gap := o.Initial
	if w.gaps != nil {
		gap = now - w.last
	}
	w.last = max(w.last, now)
	if gap < 0 || w.gaps != nil && gap > o.MaxInterval {
		return
	}
	sample := uint32(min(gap.Microseconds(), math.MaxUint32))
	w.sum += uint64(sample)
	if len(w.gaps) < o.Window {
		w.gaps = append(w.gaps, sample)
		return
	}
	w.sum -= uint64(w.gaps[w.next])
	w.gaps[w.next] = sample
	w.next = (w.next + 1) % o.Window
}

// mean returns the mean of the gaps.
func (w *window) mean(o *Options) time.Duration {
	if len(w.gaps) == 0 {
		return o.Initial
	}
	mean := time.Duration(w.sum) * time.Microsecond / time.Duration(len(w.gaps))
	return max(mean, o.MinMean)
}

// phi is -log10 of the chance that the next arrival takes longer than it has taken already, if gaps
// are distributed exponentially: t/mean * 1/ln 10.
func (w *window) phi(now time.Duration, o *Options) float64 {
	return float64(now-w.last) / float64(w.mean(o)) * math.Log10E
}
