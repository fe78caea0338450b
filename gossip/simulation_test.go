package gossip

import (
	"math/rand/v2"
	"slices"
	"time"
)

// A simulation lets tables and detectors gossip as memberlist does it by default: each node sends a packet to
// three others every 200 ms, and pings one every second, which answers; in large clusters a Member sends some
// more. It has no goroutines, and the same
// seed gives the same. Packets are under way for 10 to 20 ms.
type simulation struct {
	simulated
	random *rand.Rand
	slot   int // of time
	nodes  []*simNode
	wheel  [][]simPacket // what arrives in the next slots
	free   [][]Digest    // memory of packets
	bytes  int           // sent
	down   func(of, about int, threshold float64)
}

// simulated is what a simulation is made of.
type simulated struct {
	Nodes      int
	Loss       float64 // of packets
	Interval   time.Duration
	Thresholds []float64 // each node that watches has a detector for each
	Watch      int       // how many nodes watch: a thousand would need much memory
	Seed       uint64
}

type simNode struct {
	number             int
	table              *Table
	detectors          []*Detector // none if it does not watch
	beat, gossip, ping int         // the slots in which it does that
	pinged             int         // whom it pings next
	dead               bool
}

type simPacket struct {
	from, to int
	digests  []Digest
	ping     bool // is to be answered
}

const (
	simSlot  = 10 * time.Millisecond
	simRoom  = 47                                    // digests in a packet of memberlist's, which has 1400 bytes
	simExtra = 28 + 3 + 24                           // bytes of headers of IP, UDP, memberlist and this package
	gossips  = int(200 * time.Millisecond / simSlot) // slots between two rounds of gossip
	pings    = int(time.Second / simSlot)            // slots between two pings
	checks   = int(100 * time.Millisecond / simSlot) // slots between two looks at phi
)

func newSimulation(what simulated) *simulation {
	s := &simulation{simulated: what, random: rand.New(rand.NewPCG(what.Seed, 1)), wheel: make([][]simPacket, 4)}
	s.Interval = Options{Interval: what.Interval}.withDefaults().For(s.Nodes).Interval
	var known []Digest
	for i := range s.Nodes {
		n := &simNode{number: i, table: NewTable(host(i), 1), pinged: s.random.IntN(s.Nodes),
			beat: s.random.IntN(s.slots(s.Interval)), gossip: s.random.IntN(gossips), ping: s.random.IntN(pings)}
		for _, threshold := range what.Thresholds {
			if i < what.Watch {
				n.detectors = append(n.detectors, NewDetector(Options{Interval: what.Interval, Threshold: threshold}))
			}
		}
		s.nodes = append(s.nodes, n)
		known = append(known, n.table.Digests(nil)...)
	}
	for _, n := range s.nodes { // as the exchange over TCP does when a node joins
		s.observe(n, known)
	}
	return s
}

func (s *simulation) slots(d time.Duration) int { return int(d / simSlot) }

func (s *simulation) now() time.Duration { return time.Duration(s.slot) * simSlot }

// run lets time pass.
func (s *simulation) run(d time.Duration) {
	for end := s.slot + s.slots(d); s.slot < end; s.slot++ {
		arrived := s.wheel[s.slot%len(s.wheel)]
		s.wheel[s.slot%len(s.wheel)] = nil
		for _, p := range arrived {
			s.receive(p)
		}
		for _, n := range s.nodes {
			if !n.dead {
				s.act(n)
			}
		}
	}
}

func (s *simulation) receive(p simPacket) {
	if n := s.nodes[p.to]; !n.dead {
		s.observe(n, p.digests)
		if p.ping {
			s.send(n, p.from, false)
		}
	}
	s.free = append(s.free, p.digests[:0])
}

func (s *simulation) observe(n *simNode, digests []Digest) {
	for _, c := range n.table.Observe(digests) {
		for _, d := range n.detectors {
			d.Heartbeat(c.Host, s.now())
		}
	}
}

// act does what a node does in this slot.
func (s *simulation) act(n *simNode) {
	if s.slot%s.slots(s.Interval) == n.beat {
		n.table.Beat()
	}
	if s.slot%gossips == n.gossip {
		var to []int
		for len(to) < min(3+extraPackets(s.Nodes), s.Nodes-1) {
			if other := s.random.IntN(s.Nodes); other != n.number && !slices.Contains(to, other) {
				to = append(to, other)
				s.send(n, other, false)
			}
		}
	}
	if s.slot%pings == n.ping {
		if n.pinged = (n.pinged + 1) % s.Nodes; n.pinged != n.number {
			s.send(n, n.pinged, true)
		}
	}
	if s.slot%checks != 0 {
		return
	}
	for i, d := range n.detectors {
		for _, id := range d.Check(nil, s.now()) {
			s.down(n.number, int(id[14])<<8|int(id[15]), s.Thresholds[i])
		}
	}
}

func (s *simulation) send(from *simNode, to int, ping bool) {
	var memory []Digest
	if last := len(s.free) - 1; last >= 0 {
		memory, s.free = s.free[last], s.free[:last]
	}
	digests := from.table.Pick(memory, simRoom)
	s.bytes += simExtra + len(digests)*DigestSize
	if s.random.Float64() < s.Loss {
		s.free = append(s.free, digests[:0])
		return
	}
	at := (s.slot + 1 + s.random.IntN(2)) % len(s.wheel)
	s.wheel[at] = append(s.wheel[at], simPacket{from.number, to, digests, ping})
}
