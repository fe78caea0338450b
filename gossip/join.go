package gossip

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

const (
	roundInterval = 200 * time.Millisecond // memberlist's
	nodesPerExtra = 80                     // see extraPackets
	maxExtra      = 3
	maxLostCalls  = 20 // packets a second to nodes that are down
)

// extraPackets returns how many digest packets a node sends in each round beside the three of memberlist,
// which cannot carry the heartbeats of a large cluster.
func extraPackets(nodes int) int { return min(nodes/nodesPerExtra, maxExtra) }

// gossip sends the extra packets, to nodes that are up.
func (m *Member) gossip() {
	m.mu.Lock()
	extra := extraPackets(m.table.Len())
	if extra == 0 {
		m.mu.Unlock()
		return
	}
	var up []string
	m.detector.Up(func(id ring.HostID) {
		if address := m.addresses[id]; address != "" {
			up = append(up, address)
		}
	})
	rand.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
	up = up[:min(extra, len(up))]
	packet := m.packet(packetSize)
	m.mu.Unlock()
	for _, address := range up {
		m.send(address, packet)
	}
}

// callLost sends a digest to some of those that are down, so that each gets one every ten seconds.
// memberlist stops talking to a node half a minute after it has declared it dead, and a partition that
// lasts longer would never heal.
func (m *Member) callLost() {
	m.mu.Lock()
	var down []string
	for id, address := range m.addresses {
		if !m.detector.IsUp(id) && m.heeds(id) {
			down = append(down, address)
		}
	}
	slices.Sort(down)
	calls := min(1+len(down)/10, maxLostCalls, len(down))
	first := m.turn
	m.turn += calls
	packet := m.packet(packetSize)
	m.mu.Unlock()
	for i := range calls {
		m.send(down[(first+i)%len(down)], packet)
	}
}

// invite lets the node join at an address from which it was heard, though memberlist does not know it.
func (m *Member) invite(address string) {
	select {
	case m.callers <- address:
	default: // it will be heard again
	}
}

// tell tells both of two that have one id how late the later one is, so that the other one knows.
func (m *Member) tell(c conflict) {
	m.mu.Lock()
	digests := []Digest{{Host: m.self, Heartbeat: m.table.Heartbeat(m.self)}, {Host: c.id, Heartbeat: m.table.Heartbeat(c.id)}}
	packet := AppendDigests(m.start(kindDigests), digests)
	m.mu.Unlock()
	for _, address := range c.addresses {
		m.send(address, packet)
	}
}

// keepJoined joins at the seeds, and goes on trying the addresses of those that memberlist has lost or never
// had.
func (m *Member) keepJoined() {
	tried := map[string]time.Time{}
	for try := 0; ; try++ {
		if missing := m.missing(); len(missing) > 0 {
			m.join(missing[try%len(missing)], tried)
		}
		wait := m.opts.RejoinInterval
		if m.list.NumMembers() < 2 {
			wait = min(wait, time.Second)
		}
		if !m.answerCallers(wait, tried) {
			return
		}
	}
}

// answerCallers joins those who call, for a while. It returns false when the member stops.
func (m *Member) answerCallers(wait time.Duration, tried map[string]time.Time) bool {
	done := time.NewTimer(wait)
	defer done.Stop()
	for {
		select {
		case <-m.stop:
			return false
		case <-done.C:
			return true
		case address := <-m.callers:
			if time.Since(tried[address]) >= m.opts.RejoinInterval {
				m.join(address, tried)
			}
		}
	}
}

func (m *Member) join(address string, tried map[string]time.Time) {
	for other, at := range tried {
		if time.Since(at) > m.opts.RejoinInterval {
			delete(tried, other)
		}
	}
	if _, err := m.list.Join([]string{address}); err != nil {
		m.opts.Log.Debug("gossip: joining", "error", err)
	}
	tried[address] = time.Now()
}

// missing returns the addresses of seeds and nodes that memberlist does not count as members. A seed whose
// address is a name counts while there are no others.
func (m *Member) missing() []string {
	present := map[string]bool{m.opts.Address.String(): true}
	for _, n := range m.list.Members() {
		present[n.Address()] = true
	}
	missing := slices.DeleteFunc(slices.Clone(m.opts.Seeds), func(address string) bool {
		_, err := netip.ParseAddrPort(address)
		return err != nil && len(present) > 1
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, address := range m.addresses {
		if m.heeds(id) {
			missing = append(missing, address)
		}
	}
	slices.Sort(missing)
	return slices.DeleteFunc(slices.Compact(missing), func(address string) bool { return present[address] })
}
