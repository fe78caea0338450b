package gossip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/iliumdb/ilium/ring"
)

// MemberOptions say how a Member reaches others, and tune it. The first four must be set; zero fields of
// the others take the default. Callbacks must be quick, and must not call the Member.
type MemberOptions struct {
	Packets net.PacketConn                                              // the Member closes it
	Streams <-chan net.Conn                                             // connections that others have made
	Dial    func(ctx context.Context, address string) (net.Conn, error) // makes a connection that comes out of the other's Streams
	Address netip.AddrPort                                              // where others reach Packets and Streams

	Seeds     []string               // addresses to join at; default none: the first node of a cluster
	Addresses map[ring.HostID]string // where nodes were when this one ran last; they are tried as well
	Keys      [][]byte               // see Member.Keys; default none: not encrypted
	Allowed   func(ring.HostID) bool // false for nodes that were removed; they are not heard; default all are allowed
	Detector  Options

	OnChange    func(id ring.HostID, up bool) // called for one node after the other
	OnContested func()                        // called once if a later process has this node's id: this one should stop
	Log         *slog.Logger                  // default slog.Default()

	CheckInterval  time.Duration // between two looks at phi; default 100ms
	RejoinInterval time.Duration // between two tries to reach somebody lost; default 10s
}

func (o MemberOptions) withDefaults() MemberOptions {
	o.Detector = o.Detector.withDefaults()
	o.Log = cmp.Or(o.Log, slog.Default())
	o.CheckInterval = cmp.Or(o.CheckInterval, 100*time.Millisecond)
	o.RejoinInterval = cmp.Or(o.RejoinInterval, 10*time.Second)
	if o.Allowed == nil {
		o.Allowed = func(ring.HostID) bool { return true }
	}
	if o.OnChange == nil {
		o.OnChange = func(ring.HostID, bool) {}
	}
	if o.OnContested == nil {
		o.OnContested = func() {}
	}
	return o
}

func (o *MemberOptions) check() error {
	switch {
	case o.Packets == nil || o.Dial == nil:
		return errors.New("gossip: no network")
	case !o.Address.IsValid() || o.Address.Addr().IsUnspecified() || o.Address.Port() == 0:
		return fmt.Errorf("gossip: %s is no address that others can reach", o.Address)
	}
	return nil
}

// A Member takes part in the gossip of a cluster. It is safe for concurrent use.
type Member struct {
	opts      MemberOptions
	self      ring.HostID
	list      *memberlist.Memberlist
	transport *transport
	started   time.Time
	inbox     chan arrival
	conflicts chan conflict
	callers   chan string // addresses of nodes that are heard and are not in memberlist's list
	stop      chan struct{}
	running   sync.WaitGroup
	stopped   func() error // ends it, once
	view      atomic.Pointer[View]

	keysMu sync.Mutex
	keys   *memberlist.Keyring // nil if there are none

	mu        sync.Mutex // never held during a call into memberlist, which calls back under its locks
	table     *Table
	detector  *Detector
	addresses map[ring.HostID]string // where nodes were seen last, or should be
	listed    map[ring.HostID]bool   // who is in memberlist's list
	digests   []Digest               // scratch
	turn      int                    // who is tried next
	contested bool
}

// Start joins the gossip of a cluster, as far as a seed can be reached, and returns at once. cluster is
// its name; packets of other clusters are dropped. generation is as for NewTable. values is what the
// node says of itself. If Start fails, it closes opts.Packets.
func Start(cluster string, self ring.HostID, generation uint32, values map[Key]string, opts MemberOptions) (*Member, error) {
	opts = opts.withDefaults()
	if err := opts.check(); err != nil {
		if opts.Packets != nil {
			err = errors.Join(err, opts.Packets.Close())
		}
		return nil, err
	}
	m := &Member{opts: opts, self: self, started: time.Now(),
		inbox: make(chan arrival, 1024), conflicts: make(chan conflict, 16), callers: make(chan string, 16), stop: make(chan struct{}),
		table: NewTable(self, generation), detector: NewDetector(opts.Detector),
		addresses: map[ring.HostID]string{}, listed: map[ring.HostID]bool{}}
	maps.Copy(m.addresses, opts.Addresses)
	delete(m.addresses, self)
	for key, text := range values {
		m.table.Set(key, text)
	}
	m.look()
	if err := m.open(cluster); err != nil {
		return nil, errors.Join(err, m.close())
	}
	m.stopped = sync.OnceValue(m.leave)
	m.running.Go(m.run)
	m.running.Go(m.keepJoined)
	return m, nil
}

// open starts memberlist.
func (m *Member) open(cluster string) (err error) {
	if m.keys, err = keyring(m.opts.Keys); err != nil {
		return err
	}
	m.transport = newTransport(&m.opts)
	if m.list, err = memberlist.Create(m.config(cluster)); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	return nil
}

// close ends what open has started.
func (m *Member) close() error {
	switch {
	case m.list != nil:
		return m.list.Shutdown() // and that of the transport
	case m.transport != nil:
		return m.transport.Shutdown()
	default:
		return m.opts.Packets.Close()
	}
}

func (m *Member) config(cluster string) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = m.self.String()
	c.Label = cluster
	c.Transport = m.transport
	c.Delegate, c.Events, c.Alive, c.Conflict = delegate{m}, delegate{m}, delegate{m}, delegate{m}
	c.Keyring = m.keys                  // GossipVerifyIncoming and Outgoing are set: all is encrypted or dropped
	c.EnableCompression = false         // ids are random
	c.DeadNodeReclaimTime = time.Second // a node that restarts at another address is let in
	c.Logger = newLineLog(m.opts.Log)
	return c
}

// now reads the monotonic clock.
func (m *Member) now() time.Duration { return time.Since(m.started) }

// run beats, reads what comes in, and looks at phi.
func (m *Member) run() {
	beat, check := time.NewTimer(0), time.NewTicker(m.opts.CheckInterval)
	lost, round := time.NewTicker(time.Second), time.NewTicker(roundInterval)
	defer beat.Stop()
	defer check.Stop()
	defer lost.Stop()
	defer round.Stop()
	for {
		select {
		case <-m.stop:
			return
		case in := <-m.inbox:
			m.receive(in)
		case c := <-m.conflicts:
			m.tell(c)
		case <-beat.C:
			beat.Reset(m.beat())
		case <-check.C:
			m.check()
		case <-lost.C:
			m.callLost()
		case <-round.C:
			m.gossip()
		}
	}
}

// beat advances the heartbeat, and returns when to do that again.
func (m *Member) beat() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.Beat()
	return m.opts.Detector.For(m.table.Len()).Interval
}

// check looks who is down or suspect by now.
func (m *Member) check() {
	m.mu.Lock()
	now := m.now()
	down := m.detector.Check(nil, now)
	if len(down) > 0 {
		m.look()
	}
	m.suspect(m.detector.Suspects(nil, now))
	m.mu.Unlock()
	for _, id := range down {
		m.opts.OnChange(id, false)
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

// Phi returns how suspicious the silence of another node is.
func (m *Member) Phi(id ring.HostID) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.detector.Phi(id, m.now())
}

// Forget drops all that is known of another node, after it was removed from the cluster. It goes on
// being heard unless MemberOptions.Allowed refuses it; that must do so first. OnChange is not called.
func (m *Member) Forget(id ring.HostID) {
	if id == m.self {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.Forget(id)
	m.detector.Forget(id)
	delete(m.addresses, id)
	delete(m.listed, id)
	m.look()
}

// Stop tells the others that this node stops, as far as they can be reached, and leaves the gossip. It
// may be called more than once.
func (m *Member) Stop() error { return m.stopped() }

func (m *Member) leave() error {
	close(m.stop)
	m.transport.interrupt()
	m.running.Wait()
	m.mu.Lock()
	m.table.Set(KeyStatus, StatusShutdown)
	goodbye := AppendDeltas(m.start(kindDeltas), m.table.Deltas([]Digest{{Host: m.self}}))
	var to []string
	for id, address := range m.addresses {
		if m.detector.IsUp(id) {
			to = append(to, address)
		}
	}
	m.mu.Unlock()
	for _, address := range to {
		m.send(address, goodbye)
	}
	return m.close()
}
