package gossip

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// MemberOptions tune a Member. Zero fields take the default.
type MemberOptions struct {
	Seeds     []string             // addresses to join at; default none: the first node of a cluster
	Transport memberlist.Transport // default: UDP and TCP at Host and Port
	Host      string               // to listen at; default 127.0.0.1
	Port      int                  // to listen at; default 7000
	Detector  Options
	OnChange  func(id ring.HostID, up bool) // called for one node after the other; must not block
	Log       *slog.Logger                  // default slog.Default()

	CheckInterval  time.Duration // between two looks at phi; default 100ms
	RejoinInterval time.Duration // between two tries to reach somebody lost; default 10s
}

func (o MemberOptions) withDefaults() MemberOptions {
	o.Host = cmp.Or(o.Host, "127.0.0.1")
	o.Port = cmp.Or(o.Port, 7000)
	o.Detector = o.Detector.withDefaults()
	o.Log = cmp.Or(o.Log, slog.Default())
	o.CheckInterval = cmp.Or(o.CheckInterval, 100*time.Millisecond)
	o.RejoinInterval = cmp.Or(o.RejoinInterval, 10*time.Second)
	if o.OnChange == nil {
		o.OnChange = func(ring.HostID, bool) {}
	}
	return o
}

// A Member takes part in the gossip of a cluster. It is safe for concurrent use.
type Member struct {
	opts    MemberOptions
	self    ring.HostID
	list    *memberlist.Memberlist
	started time.Time
	inbox   chan message
	stop    chan struct{}
	running sync.WaitGroup
	stopped func() error // ends it, once

	mu        sync.Mutex // never held during a call into memberlist, which calls back under its locks
	table     *Table
	detector  *Detector
	addresses map[ring.HostID]string // where memberlist has seen nodes
	digests   []Digest               // scratch
	turn      int                    // which digest a packet begins with, and who is tried next
}

// Start joins the gossip of a cluster, as far as a seed can be reached, and returns at once. cluster is
// its name; packets of other clusters are dropped. generation is as for NewTable. values is what the
// node says of itself.
func Start(cluster string, self ring.HostID, generation uint32, values map[Key]string, opts MemberOptions) (*Member, error) {
	m := &Member{opts: opts.withDefaults(), self: self, started: time.Now(),
		inbox: make(chan message, 1024), stop: make(chan struct{}),
		table: NewTable(self, generation), addresses: map[ring.HostID]string{}}
	m.detector = NewDetector(m.opts.Detector)
	for key, text := range values {
		m.table.Set(key, text)
	}
	list, err := memberlist.Create(m.config(cluster))
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	m.list, m.stopped = list, sync.OnceValue(m.leave)
	m.running.Go(m.run)
	m.running.Go(m.keepJoined)
	return m, nil
}

func (m *Member) config(cluster string) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = m.self.String()
	c.Label = cluster
	c.Transport = m.opts.Transport
	c.BindAddr, c.BindPort, c.AdvertisePort = m.opts.Host, m.opts.Port, m.opts.Port
	c.Delegate, c.Events = delegate{m}, delegate{m}
	c.DeadNodeReclaimTime = time.Second // a node that restarts at another address is let in
	c.Logger = slog.NewLogLogger(m.opts.Log.Handler(), slog.LevelDebug)
	return c
}

// now reads the monotonic clock.
func (m *Member) now() time.Duration { return time.Since(m.started) }

// run beats, reads what comes in, and looks at phi.
func (m *Member) run() {
	beat, check := time.NewTicker(m.opts.Detector.Interval), time.NewTicker(m.opts.CheckInterval)
	lost := time.NewTicker(time.Second)
	defer beat.Stop()
	defer check.Stop()
	defer lost.Stop()
	for {
		select {
		case <-m.stop:
			return
		case in := <-m.inbox:
			m.receive(in)
		case <-beat.C:
			m.mu.Lock()
			m.table.Beat()
			m.mu.Unlock()
		case <-check.C:
			m.mu.Lock()
			down := m.detector.Check(nil, m.now())
			m.mu.Unlock()
			for _, id := range down {
				m.opts.OnChange(id, false)
			}
		case <-lost.C:
			m.callLost()
		}
	}
}

// callLost sends a digest to one of those that are down. memberlist stops talking to a node half a
// minute after it has declared it dead, and a partition that lasts longer would never heal.
func (m *Member) callLost() {
	m.mu.Lock()
	var down []string
	for id, address := range m.addresses {
		if id != m.self && !m.detector.IsUp(id) {
			down = append(down, address)
		}
	}
	m.turn++
	turn, packet := m.turn, m.packet(1200)
	m.mu.Unlock()
	if len(down) > 0 {
		slices.Sort(down)
		m.send(down[turn%len(down)], packet)
	}
}

// keepJoined joins at the seeds, and goes on trying the addresses of those that memberlist has lost.
func (m *Member) keepJoined() {
	for try := 0; ; try++ {
		if missing := m.missing(); len(missing) > 0 {
			if _, err := m.list.Join([]string{missing[try%len(missing)]}); err != nil {
				m.opts.Log.Debug("gossip: joining", "error", err)
			}
		}
		wait := m.opts.RejoinInterval
		if m.list.NumMembers() < 2 {
			wait = min(wait, time.Second)
		}
		select {
		case <-m.stop:
			return
		case <-time.After(wait):
		}
	}
}

// missing returns the addresses of seeds and nodes that memberlist does not count as members.
func (m *Member) missing() []string {
	present := map[string]bool{}
	for _, n := range m.list.Members() {
		present[n.Address()] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	missing := slices.Clone(m.opts.Seeds)
	for _, address := range m.addresses {
		missing = append(missing, address)
	}
	slices.Sort(missing)
	return slices.DeleteFunc(slices.Compact(missing), func(address string) bool { return present[address] })
}

// send sends a packet, which may be lost: what it would have told comes with a later one.
func (m *Member) send(address string, packet []byte) {
	if err := m.list.SendToAddress(memberlist.Address{Addr: address}, packet); err != nil {
		m.opts.Log.Debug("gossip: sending", "to", address, "error", err)
	}
}

// Set says something of this node, as Table.Set does.
func (m *Member) Set(key Key, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.Set(key, text)
}

// Get returns what a node has said, and whether it has.
func (m *Member) Get(id ring.HostID, key Key) (text string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Get(id, key)
}

// IsUp reports whether a node is up. The node itself always is.
func (m *Member) IsUp(id ring.HostID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return id == m.self || m.detector.IsUp(id)
}

// Phi returns how suspicious the silence of another node is.
func (m *Member) Phi(id ring.HostID) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.detector.Phi(id, m.now())
}

// Stop tells the others that this node stops, as far as they can be reached, and leaves the gossip. It
// may be called more than once.
func (m *Member) Stop() error { return m.stopped() }

func (m *Member) leave() error {
	close(m.stop)
	m.running.Wait()
	m.mu.Lock()
	m.table.Set(KeyStatus, StatusShutdown)
	goodbye := AppendDeltas(m.start(kindDeltas), m.table.Deltas([]Digest{{Host: m.self}}))
	var to []string
	for id, address := range m.addresses {
		if id != m.self && m.detector.IsUp(id) {
			to = append(to, address)
		}
	}
	m.mu.Unlock()
	for _, address := range to {
		m.send(address, goodbye)
	}
	return m.list.Shutdown()
}
