package gossip

import (
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/ring"
)

func TestMain(m *testing.M) {
	if raced {
		// The race detector of Go 1.26 fails in itself when timers of virtual time run on several processors. It finds
		// races on one as well.
		runtime.GOMAXPROCS(1)
	}
	goleak.VerifyTestMain(m)
}

// emptyGroup is a network without nodes.
func emptyGroup(t *testing.T) *group { return &group{t: t, network: newNetwork()} }

// A node that was removed is not heard anymore, though it is alive and tries, and it finds out: the others fall silent
// for it. It stays so when another node joins.
func TestRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := emptyGroup(t)
		var removed atomic.Bool
		allowed := func(id ring.HostID) bool { return id != host(3) || !removed.Load() }
		for i := range 4 {
			g.startWith(i, i, 1, "c", func(o *MemberOptions) {
				if i != 3 { // which does not know
					o.Allowed = allowed
				}
			})
		}
		g.agree(10*time.Second, all)
		wait(10 * time.Second)
		removed.Store(true)
		for _, m := range g.members[:3] {
			m.Forget(host(3))
		}
		g.agree(30*time.Second, func(of, about int) bool { return (of == 3) == (about == 3) })
		g.startWith(4, 4, 1, "c", func(o *MemberOptions) { o.Allowed = allowed })
		wait(time.Minute)
		lonely := g.members[3]
		g.members[3] = nil
		g.agree(time.Second, func(_, about int) bool { return about != 3 })
		g.members[3] = lonely
		for i, m := range g.members {
			if known := slices.ContainsFunc(m.Peers(), func(p Peer) bool { return p.ID == host(3) }); known != (i == 3) {
				t.Errorf("node %d knows the one that was removed: %t", i, known)
			}
			if _, ok := m.AddressOf(host(3)); ok {
				t.Errorf("node %d has an address of the one that was removed", i)
			}
		}
		g.stop()
	})
}

// Two processes have one id: that of the lower generation is told, once, whether it comes first or last.
func TestContested(t *testing.T) {
	check := func(t *testing.T, generation, other uint32, loser int32) {
		synctest.Test(t, func(t *testing.T) {
			g := newGroup(t, 3)
			g.agree(10*time.Second, all)
			var told [2]atomic.Int32
			one := func(number, at int, generation uint32) *Member {
				g.startWith(3, at, generation, "c", func(o *MemberOptions) {
					o.OnContested = func() { told[number].Add(1) }
				})
				return g.members[3]
			}
			first := one(0, 3, generation)
			g.agree(10*time.Second, all)
			wait(10 * time.Second)
			one(1, 13, other)
			wait(20 * time.Second)
			if got := [2]int32{told[0].Load(), told[1].Load()}; got[loser] != 1 || got[1-loser] != 0 && generation != other {
				t.Errorf("generations %d and %d: told %d", generation, other, got)
			}
			g.members = append(g.members, first)
			g.stop()
		})
	}
	check(t, 100, 200, 0)
	check(t, 200, 100, 1)
	check(t, 100, 100, 1)
}

// A node says that it stops, and comes back at once, with a higher generation.
func TestShutdownAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 3)
		g.agree(10*time.Second, all)
		wait(5 * time.Second)
		for generation := range uint32(3) {
			if err := g.members[2].Stop(); err != nil {
				t.Error(err)
			}
			g.members[2] = nil
			if took := g.agree(5*time.Second, func(_, about int) bool { return about != 2 }); took > 500*time.Millisecond {
				t.Errorf("down after %s", took)
			}
			if status, _ := g.members[0].Get(host(2), KeyStatus); status != StatusShutdown {
				t.Errorf("status %q", status)
			}
			g.start(2, 2, 10+generation, "c")
			if took := g.agree(10*time.Second, all); took > 3*time.Second {
				t.Errorf("up after %s", took)
			}
			wait(2 * time.Second)
			if status, _ := g.members[0].Get(host(2), KeyStatus); status != StatusNormal {
				t.Errorf("status %q", status)
			}
		}
		g.stop()
	})
}

// coldStart starts nodes that have no seeds and know where the others were. Node i is at the address that at says.
func coldStart(t *testing.T, size int, at func(i int) int) {
	synctest.Test(t, func(t *testing.T) {
		g := emptyGroup(t)
		addresses := map[ring.HostID]string{}
		for i := range size {
			addresses[host(i)] = address(i)
		}
		for i := range size {
			g.startWith(i, at(i), 1, "c", func(o *MemberOptions) { o.Seeds, o.Addresses = nil, addresses })
			wait(200 * time.Millisecond)
		}
		took := g.agree(5*time.Minute, all)
		if t.Logf("all up %s after the last one has started", took); took > 30*time.Second {
			t.Error("which is too late")
		}
		wait(30 * time.Second)
		for i, m := range g.members {
			for j := range size {
				if got, _ := m.AddressOf(host(j)); i != j && got != address(at(j)) {
					t.Errorf("node %d has node %d at %s", i, j, got)
				}
			}
		}
		g.stop()
	})
}

// A cluster starts with no seed: the nodes find each other where they were.
func TestColdStart(t *testing.T) {
	coldStart(t, 9, func(i int) int { return i })
}

// All but one node have got other addresses, some of them each other's, while the whole cluster was down.
func TestChangedAddresses(t *testing.T) {
	coldStart(t, 7, func(i int) int {
		switch {
		case i == 4:
			return i
		case i < 2:
			return 1 - i
		default:
			return i + 20
		}
	})
}

// What one way is lost comes another: nobody is down as long as there is any. A node that hears all and is
// heard by nobody is down for all.
func TestOneWayPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 5)
		g.agree(10*time.Second, all)
		wait(20 * time.Second)
		g.changed()
		g.network.set(0, func(from, to string) bool { return from == address(1) && to == address(2) })
		wait(time.Minute)
		if n := g.changed(); n > 0 {
			t.Errorf("one way between two nodes is cut: %d changes of opinion", n)
		}
		g.network.set(0, func(from, _ string) bool { return from == address(1) })
		took := g.agree(time.Minute, func(of, about int) bool { return of == 1 || about != 1 })
		if t.Logf("a node that is not heard is down after %s", took); took > 6*time.Second {
			t.Error("which is too late")
		}
		wait(time.Minute)
		g.agree(time.Second, func(of, about int) bool { return of == 1 || about != 1 })
		g.network.set(0, nil)
		if took := g.agree(time.Minute, all); took > 30*time.Second {
			t.Errorf("healed after %s", took)
		}
		g.stop()
	})
}

// Silence makes a node suspect before it is down. A view that was taken before says what it said.
func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 3)
		g.agree(10*time.Second, all)
		wait(time.Minute)
		m, before := g.members[0], g.members[0].View()
		if m.Suspects(host(2)) || m.Suspects(host(0)) || !m.IsUp(host(0)) || m.IsUp(host(9)) {
			t.Error("somebody is wrongly suspect or up")
		}
		peers := m.Peers()
		if p := peers[2]; len(peers) != 3 || p.ID != host(2) || !p.Up || p.Phi > 3 || p.Values[KeyRack].Text != "r2" ||
			p.Heartbeat.Generation != 3 || p.Address != address(2) || peers[0].Phi != 0 || !peers[0].Up {
			t.Errorf("peers %+v", peers)
		}
		g.kill(2)
		cut := time.Now()
		var suspect, down time.Duration
		for down == 0 && time.Since(cut) < time.Minute {
			wait(100 * time.Millisecond)
			if suspect == 0 && m.Suspects(host(2)) {
				suspect = time.Since(cut)
			}
			if !m.IsUp(host(2)) {
				down = time.Since(cut)
			}
		}
		t.Logf("suspect after %s, down after %s", suspect, down)
		if suspect < time.Second || suspect > 3*time.Second || down < suspect+time.Second {
			t.Error("which is too soon or too late")
		}
		if m.Suspects(host(2)) || !before.IsUp(host(2)) || before.Suspects(host(2)) {
			t.Error("a node that is down is suspect, or an old view has changed")
		}
		if phi := m.Phi(host(2)); phi < 8 || !math.IsInf(m.Phi(host(9)), 1) {
			t.Errorf("phi %v", phi)
		}
		m.Forget(host(2))
		if len(m.Peers()) != 2 {
			t.Errorf("peers %+v", m.Peers())
		}
		g.stop()
	})
}

// Readers take no lock while opinions change.
func TestViewsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 3)
		var readers sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(10 * time.Millisecond):
						for i := range 3 {
							g.members[0].IsUp(host(i))
							g.members[0].Suspects(host(i))
						}
					}
				}
			})
		}
		g.agree(10*time.Second, all)
		g.network.set(0, func(string, string) bool { return true })
		wait(20 * time.Second)
		close(stop)
		readers.Wait()
		g.stop()
	})
}

func TestStartRefuses(t *testing.T) {
	network := newNetwork()
	check := func(want string, adjust func(*MemberOptions)) {
		t.Helper()
		s := network.join(address(0))
		o := MemberOptions{Packets: s, Streams: s.streams, Dial: s.dial, Address: netip.MustParseAddrPort(address(0))}
		adjust(&o)
		if _, err := Start("c", host(0), 1, nil, o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		select {
		case <-s.closed:
		default:
			if o.Packets != nil {
				t.Error("the socket is left open")
			}
		}
	}
	check("gossip: no network", func(o *MemberOptions) { o.Dial = nil })
	check("gossip: no network", func(o *MemberOptions) { o.Packets = nil })
	check("gossip: invalid AddrPort is no address that others can reach", func(o *MemberOptions) { o.Address = netip.AddrPort{} })
	check("gossip: key size must be 16, 24 or 32 bytes", func(o *MemberOptions) { o.Keys = [][]byte{{1}} })
}

func BenchmarkIsUp(b *testing.B) {
	m := &Member{self: host(0), detector: NewDetector(Options{})}
	for i := range 100 {
		m.detector.Heartbeat(host(i+1), 0)
	}
	m.look()
	b.ReportAllocs()
	for b.Loop() {
		if !m.IsUp(host(50)) || m.Suspects(host(50)) {
			b.Fatal("down")
		}
	}
}
