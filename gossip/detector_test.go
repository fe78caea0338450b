package gossip

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/iliumdb/ilium/ring"
)

const ms = time.Millisecond

func host(n int) ring.HostID { return ring.HostID{14: byte(n >> 8), 15: byte(n)} }

// cassandra are Cassandra's settings.
func cassandra(window int) Options {
	return Options{Interval: time.Second, MaxInterval: 2 * time.Second, MinMean: time.Nanosecond, MaxPause: 5 * time.Second, Window: window}
}

// The arrivals and values are those of Cassandra's ArrivalWindowTest.testWithNanoTime. It gives phi
// times ln 10 in later versions: 1.0 and 22.03.
func TestPhiPublished(t *testing.T) {
	d := NewDetector(cassandra(4))
	for _, at := range []time.Duration{111, 222, 333, 444, 555} {
		d.Heartbeat(host(1), at*ms)
	}
	check := func(at time.Duration, want float64) {
		t.Helper()
		if got := d.Phi(host(1), at); math.Abs(got-want) > 0.001 {
			t.Errorf("phi at %s is %v, want %v", at, got, want)
		}
	}
	check(666*ms, 0.4343)
	check(3000*ms, 9.566)
	check(666*ms, 1.0/math.Ln10)
	check(555*ms, 0)
}

func TestWindow(t *testing.T) {
	o := cassandra(3).withDefaults()
	var w window
	check := func(at, mean time.Duration) {
		t.Helper()
		w.add(at, &o)
		if got := w.mean(&o); got != mean {
			t.Errorf("after %s the mean is %s, want %s", at, got, mean)
		}
	}
	check(10*time.Second, 2000*ms) // the initial interval
	check(11*time.Second, 1500*ms)
	check(12*time.Second, 1333333*time.Microsecond+333)
	check(13*time.Second, 1000*ms)                      // the initial interval is out
	check(15*time.Second, 1333333*time.Microsecond+333) // just not too long
	check(18*time.Second, 1333333*time.Microsecond+333) // too long
	check(18*time.Second, 1000*ms)
	check(17*time.Second, 1000*ms) // a clock that goes back is no sample
	if w.last != 18*time.Second || len(w.gaps) != 3 {
		t.Errorf("last arrival %s, %d gaps", w.last, len(w.gaps))
	}
	fast := Options{}.withDefaults()
	var quick window
	for i := range 2000 {
		quick.add(time.Duration(i)*ms, &fast)
	}
	if got := quick.mean(&fast); got != 100*ms || len(quick.gaps) != 1000 {
		t.Errorf("the mean is %s of %d gaps, want no less than 100ms of 1000", got, len(quick.gaps))
	}
}

// beat lets heartbeats arrive at the interval from start on, with checks between them, until end. It
// returns the time of the last heartbeat.
func beat(t *testing.T, d *Detector, start, end, interval time.Duration) (last time.Duration) {
	t.Helper()
	for at := start; at < end; at += interval {
		d.Heartbeat(host(1), at)
		if down := d.Check(nil, at+interval/2); len(down) > 0 {
			t.Fatalf("down at %s", at+interval/2)
		}
		last = at
	}
	return last
}

// silence checks every step from start on, and returns when the peer is down.
func silence(t *testing.T, d *Detector, start, step time.Duration) time.Duration {
	t.Helper()
	for at := start; at < start+time.Hour; at += step {
		if down := d.Check(nil, at); len(down) > 0 {
			if !slices.Equal(down, []ring.HostID{host(1)}) {
				t.Fatalf("down: %v", down)
			}
			return at
		}
	}
	t.Fatal("the peer never goes down")
	return 0
}

// phi > 8 after 18.42 mean gaps: what Cassandra's documentation says of phi_convict_threshold 8.
func TestConvictionTime(t *testing.T) {
	check := func(o Options, want time.Duration) {
		t.Helper()
		o = o.withDefaults()
		d := NewDetector(o)
		last := beat(t, d, 0, 2000*o.Interval, o.Interval)
		if got := silence(t, d, last+o.Interval/2, 10*ms) - last; got < want-20*ms || got > want+20*ms {
			t.Errorf("threshold %v, interval %s: down after %s, want %s", o.Threshold, o.Interval, got, want)
		}
		if d.IsUp(host(1)) {
			t.Error("down and up")
		}
		if down := d.Check(nil, last+time.Hour); len(down) > 0 {
			t.Error("down twice")
		}
	}
	check(cassandra(1000), 18421*ms)
	check(Options{}, 4605*ms)
	check(Options{Threshold: 5}, 2878*ms)
	check(Options{Threshold: 12}, 6908*ms)
}

func TestUpAndDown(t *testing.T) {
	d := NewDetector(Options{})
	if d.IsUp(host(1)) || !math.IsInf(d.Phi(host(1), 0), 1) {
		t.Error("an unknown peer is up")
	}
	if !d.Heartbeat(host(1), 0) || d.Heartbeat(host(1), 250*ms) || !d.IsUp(host(1)) {
		t.Error("the first heartbeat makes a peer up, the second does not")
	}
	if d.Down(host(1)); d.IsUp(host(1)) {
		t.Error("up after saying goodbye")
	}
	if !d.Heartbeat(host(1), 500*ms) || !d.IsUp(host(1)) {
		t.Error("a peer does not come back")
	}
	if d.Forget(host(1)); d.IsUp(host(1)) || len(d.peers) > 0 {
		t.Error("a forgotten peer is known")
	}
}

// After a pause of its own the node convicts nobody until heartbeats could come in, and then those
// that stay silent.
func TestLocalPause(t *testing.T) {
	d := NewDetector(Options{})
	last := beat(t, d, 0, 60*time.Second, 250*ms)
	woken := last + 30*time.Second
	for at := woken; at < woken+time.Second; at += 100 * ms {
		if down := d.Check(nil, at); len(down) > 0 {
			t.Fatalf("down %s after the pause", at-woken)
		}
	}
	if down := d.Check(nil, woken+time.Second); len(down) != 1 {
		t.Error("not down when the trust is back")
	}
}

// At 20 percent loss and with jitter there is no wrong conviction in a day, and kills are found in time. The
// gaps are those of gossip: several ways for every heartbeat, so a lost one only delays it.
func TestNoFlapping(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	d := NewDetector(Options{})
	now := time.Duration(0)
	for now < 24*time.Hour {
		d.Heartbeat(host(1), now)
		gap := 250 * ms
		for r.Float64() < 0.2 {
			gap += 250 * ms
		}
		gap += time.Duration(r.Int64N(int64(100 * ms)))
		for end := now + gap; now < end; now += 50 * ms {
			if len(d.Check(nil, now)) > 0 {
				t.Fatalf("down at %s", now)
			}
		}
	}
	if took := silence(t, d, now, 50*ms) - d.peers[host(1)].arrivals.last; took < 4*time.Second || took > 8*time.Second {
		t.Errorf("a kill is found after %s", took)
	}
}

// In a large cluster nodes beat more seldom, and are waited for longer.
func TestLargeClusters(t *testing.T) {
	check := func(o Options, nodes int, interval, initial, longest time.Duration) {
		t.Helper()
		got := o.withDefaults().For(nodes)
		if got.Interval != interval || got.Initial != initial || got.MaxInterval != longest {
			t.Errorf("%d nodes: %+v", nodes, got)
		}
	}
	check(Options{}, 1, 250*ms, 500*ms, 2*time.Second)
	check(Options{}, 250, 250*ms, 500*ms, 2*time.Second)
	check(Options{}, 500, 500*ms, time.Second, 4*time.Second)
	check(Options{}, 1000, time.Second, 2*time.Second, 8*time.Second)
	check(cassandra(10), 1000, time.Second, 2*time.Second, 2*time.Second)
	check(cassandra(10), 2000, 2*time.Second, 4*time.Second, 4*time.Second)
	d := NewDetector(Options{})
	for i := range 999 {
		d.Heartbeat(host(i), 0)
	}
	if d.opts.Interval != time.Second {
		t.Errorf("999 peers: interval %s", d.opts.Interval)
	}
	for i := range 900 {
		d.Forget(host(i))
	}
	if d.opts.Interval != 250*ms {
		t.Errorf("99 peers: interval %s", d.opts.Interval)
	}
}

// A peer is suspect long before it is down, and not while this node has stood still itself.
func TestSuspects(t *testing.T) {
	d := NewDetector(Options{})
	last := beat(t, d, 0, 600*time.Second, 250*ms)
	check := func(at time.Duration, want bool) {
		t.Helper()
		if got := slices.Equal(d.Suspects(nil, at), []ring.HostID{host(1)}); got != want {
			t.Errorf("%s after the last heartbeat: suspect: %t", at-last, got)
		}
	}
	check(last+1700*ms, false)
	check(last+1800*ms, true)
	d.Check(nil, last+30*time.Second)
	check(last+30*time.Second, false) // after a pause
	d.Down(host(1))
	check(last+40*time.Second, false)
}

func BenchmarkHeartbeat(b *testing.B) {
	d := NewDetector(Options{})
	now := time.Duration(0)
	for i := range 1000 {
		for range 1001 {
			d.Heartbeat(host(i), now)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		now += 250 * time.Microsecond
		n = (n + 1) % 1000
		d.Heartbeat(host(n), now)
	}
}

func BenchmarkCheck1000Peers(b *testing.B) {
	d := NewDetector(Options{})
	for i := range 1000 {
		d.Heartbeat(host(i), 0)
	}
	b.ReportAllocs()
	var down []ring.HostID
	for b.Loop() {
		down = d.Check(down[:0], 100*ms)
	}
}
