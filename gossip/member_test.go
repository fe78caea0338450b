package gossip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/ring"
)

func address(n int) string { return fmt.Sprintf("10.0.0.%d:7000", n+1) }

// A group is some members on a network, under virtual time.
type group struct {
	t       *testing.T
	network *network
	members []*Member

	mu      sync.Mutex
	changes int // of opinions on who is up
}

func newGroup(t *testing.T, size int) *group {
	g := &group{t: t, network: newNetwork(), members: make([]*Member, size)}
	for i := range size {
		g.start(i, i, uint32(i+1), "c")
	}
	return g
}

// start starts node i at an address. All know the address of node 0.
func (g *group) start(i, at int, generation uint32, cluster string) {
	g.t.Helper()
	g.startWith(i, at, generation, cluster, func(*MemberOptions) {})
}

// startWith starts a node with other options.
func (g *group) startWith(i, at int, generation uint32, cluster string, adjust func(*MemberOptions)) {
	g.t.Helper()
	s := g.network.join(address(at))
	opts := MemberOptions{
		Packets: s, Streams: s.streams, Dial: s.dial, Address: netip.MustParseAddrPort(address(at)),
		Seeds: []string{address(0)}, Log: slog.New(slog.DiscardHandler),
		OnChange: func(ring.HostID, bool) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.changes++
		},
	}
	adjust(&opts)
	m, err := Start(cluster, host(i), generation, map[Key]string{KeyRack: fmt.Sprint("r", i), KeyStatus: StatusNormal}, opts)
	if err != nil {
		g.t.Fatal(err)
	}
	if i >= len(g.members) {
		g.members = append(g.members, make([]*Member, i+1-len(g.members))...)
	}
	g.members[i] = m
}

// stop stops the members, and lets the goroutines of memberlist end that do not wait for Shutdown.
func (g *group) stop() {
	for _, m := range g.members {
		if m == nil {
			continue
		}
		if err := m.Stop(); err != nil {
			g.t.Error(err)
		}
	}
	wait(time.Minute)
}

func wait(d time.Duration) { <-time.After(d) }

// agree waits until every running member has the opinion that want gives, and returns how long it took.
func (g *group) agree(limit time.Duration, want func(of, about int) bool) time.Duration {
	g.t.Helper()
	begin := time.Now()
	for time.Since(begin) < limit {
		if g.agrees(want) {
			return time.Since(begin)
		}
		wait(50 * time.Millisecond)
	}
	for i, m := range g.members {
		for j := range g.members {
			if m != nil && m.IsUp(host(j)) != want(i, j) {
				g.t.Errorf("after %s: for node %d, node %d is up: %t", limit, i, j, m.IsUp(host(j)))
			}
		}
	}
	return limit
}

func (g *group) agrees(want func(of, about int) bool) bool {
	for i, m := range g.members {
		for j := range g.members {
			if m != nil && m.IsUp(host(j)) != want(i, j) {
				return false
			}
		}
	}
	return true
}

func all(int, int) bool { return true }

func (g *group) changed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.changes
	g.changes = 0
	return n
}

// kill ends node i without a goodbye: the others do not hear of it anymore.
func (g *group) kill(i int) {
	g.network.cut(address(i))
	killed := g.members[i]
	g.members[i] = nil
	if err := killed.Stop(); err != nil {
		g.t.Error(err)
	}
}

// Five nodes find each other, learn what they say, notice a kill in time, and one that comes back with
// another address. A node that stops is down at once.
func TestMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 5)
		t.Logf("all up after %s", g.agree(10*time.Second, all))
		wait(60 * time.Second)
		for _, m := range g.members {
			if rack, _ := m.Get(host(3), KeyRack); rack != "r3" {
				t.Errorf("rack %q", rack)
			}
		}
		g.members[3].Set(KeyRack, "other")
		wait(2 * time.Second)
		if rack, _ := g.members[4].Get(host(3), KeyRack); rack != "other" {
			t.Errorf("rack %q after a change", rack)
		}
		cutOff := func(from, to string) bool { return from == address(3) || to == address(3) }
		g.network.set(0, cutOff)
		took := g.agree(20*time.Second, func(of, about int) bool { return of == about || of != 3 && about != 3 })
		if t.Logf("a node that is cut off is down after %s", took); took < 2*time.Second || took > 6*time.Second {
			t.Error("which is too soon or too late")
		}
		g.kill(3)
		g.network.set(0, nil)
		wait(time.Minute)
		g.start(3, 13, 50, "c")
		t.Logf("back at another address after %s", g.agree(15*time.Second, all))

		for range 2 {
			if err := g.members[2].Stop(); err != nil {
				t.Error(err)
			}
		}
		g.members[2] = nil
		if took := g.agree(time.Minute, func(_, about int) bool { return about != 2 }); took > time.Second {
			t.Errorf("a node that says goodbye is down after %s", took)
		}
		g.stop()
	})
}

// A partition of five minutes heals: memberlist alone has forgotten the other side after half a minute.
func TestPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 5)
		g.agree(10*time.Second, all)
		small := map[string]bool{address(0): true, address(1): true}
		g.network.set(0, func(from, to string) bool { return small[from] != small[to] })
		g.agree(30*time.Second, func(of, about int) bool { return (of < 2) == (about < 2) })
		wait(5 * time.Minute)
		g.network.set(0, nil)
		took := g.agree(time.Minute, all)
		if t.Logf("healed after %s", took); took > 30*time.Second {
			t.Error("which is too late")
		}
		g.stop()
	})
}

// At 20 percent loss nobody is taken for down in two minutes.
func TestNoFlappingAtLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 5)
		g.network.set(0.2, nil)
		g.agree(20*time.Second, all)
		wait(5 * time.Second)
		g.changed()
		sent := g.network.sent()
		wait(2 * time.Minute)
		if n := g.changed(); n > 0 {
			t.Errorf("%d changes of opinion", n)
		}
		t.Logf("%d bytes of packets per node and second", (g.network.sent()-sent)/5/120)
		g.stop()
	})
}

// Nodes of two clusters that know each other's addresses keep apart.
func TestOtherCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, 2)
		g.agree(10*time.Second, all)
		g.start(2, 2, 1, "another")
		wait(time.Minute)
		g.agree(time.Second, func(of, about int) bool { return (of == 2) == (about == 2) })
		g.stop()
	})
}

// listen opens sockets of the operating system at a free port. What is accepted comes out of the channel.
func listen(t *testing.T) (net.PacketConn, <-chan net.Conn, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	streams := make(chan net.Conn)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		defer close(streams)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case streams <- conn:
			case <-t.Context().Done():
				closeQuietly(conn)
			}
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		accepting.Wait()
	})
	return packets, streams, l.Addr().(*net.TCPAddr).AddrPort()
}

// Two members find each other over real sockets.
func TestSockets(t *testing.T) {
	up := make(chan ring.HostID, 10)
	var seeds []string
	for i := range 2 {
		packets, streams, address := listen(t)
		m, err := Start("c", host(i), 1, nil, MemberOptions{
			Packets: packets, Streams: streams, Address: address, Seeds: seeds,
			Dial: func(ctx context.Context, address string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", address)
			},
			Log: slog.New(slog.DiscardHandler), OnChange: func(id ring.HostID, isUp bool) {
				if isUp {
					up <- id
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, address.String())
		defer func() {
			if err := m.Stop(); err != nil {
				t.Error(err)
			}
		}()
	}
	seen := map[ring.HostID]bool{}
	for len(seen) < 2 {
		select {
		case id := <-up:
			seen[id] = true
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d nodes are up", len(seen))
		}
	}
}

// When not all digests fit into a packet, they take turns, and the node's own is always the first.
func TestPacketsTakeTurns(t *testing.T) {
	m := &Member{self: host(500), table: NewTable(host(500), 1), opts: MemberOptions{Address: netip.MustParseAddrPort(address(0))}}
	for i := range 200 {
		m.table.Observe([]Digest{{Host: host(i), Heartbeat: Heartbeat{1, 1}}})
	}
	const limit = 1200
	seen := map[ring.HostID]int{}
	pick := func() (others []ring.HostID) {
		in, err := parse(m.packet(limit))
		if err != nil || in.sender != m.self || in.address.String() != address(0) {
			t.Fatalf("%+v, %v", in, err)
		}
		digests, err := DecodeDigests(nil, in.body)
		if err != nil || len(in.body) > limit || digests[0].Host != m.self {
			t.Fatalf("%d digests in %d bytes, %v", len(digests), len(in.body), err)
		}
		for _, d := range digests[1:] {
			others = append(others, d.Host)
			seen[d.Host]++
		}
		return others
	}
	for range 5 * newsSends {
		pick()
	}
	if len(seen) != 200 {
		t.Errorf("the packets hold %d of 200 nodes", len(seen))
	}
	for id, times := range seen {
		if times < newsSends {
			t.Errorf("news of %s was told %d times", id, times)
		}
	}
	m.table.Observe([]Digest{{Host: host(77), Heartbeat: Heartbeat{1, 2}}})
	for range newsSends {
		if others := pick(); others[0] != host(77) {
			t.Errorf("the latest heartbeat is not among the first: %v", others)
		}
	}
	if others := pick(); slices.Contains(others, host(77)) {
		t.Error("old news is repeated before others had their turn")
	}
	if m.packet(50) != nil {
		t.Error("a packet without room is made")
	}
}
