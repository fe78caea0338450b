package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// A disk is a Store in memory for concurrent use. It survives the node that uses it.
type disk struct {
	mu     sync.Mutex
	values map[string][]byte
	fail   func(puts []storage.Put) (stored bool, err error)
	puts   int
}

func newDisk() *disk { return &disk{values: map[string][]byte{}} }

func (d *disk) Put(_ context.Context, puts ...storage.Put) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.puts++
	stored, err := true, error(nil)
	if d.fail != nil {
		stored, err = d.fail(puts)
	}
	for _, p := range puts {
		switch {
		case !stored:
		case p.Value == nil:
			delete(d.values, p.Name)
		default:
			d.values[p.Name] = bytes.Clone(p.Value)
		}
	}
	return err
}

func (d *disk) Values(prefix string, visit func(name string, value []byte) error) error {
	d.mu.Lock()
	values := maps.Clone(d.values)
	d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if strings.HasPrefix(name, prefix) {
			if err := visit(name, bytes.Clone(values[name])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *disk) Reclaim() {}

func (d *disk) failing(f func(puts []storage.Put) (bool, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

func (d *disk) count(prefix string) (n int) {
	_ = d.Values(prefix, func(string, []byte) error { n++; return nil })
	return n
}

// A network is some nodes that can reach each other.
type network struct {
	t    fataler
	raft RaftTimeouts

	mu      sync.Mutex
	nodes   []*member
	blocked map[[2]int]bool
	calls   int
	delay   func() time.Duration
}

// A member is a node of a network: number i at address 10.0.0.i+1.
type member struct {
	net     *network
	i       int
	id      ring.HostID
	store   Store
	address string

	mu     sync.Mutex
	log    *Log // nil: down
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup // handlers
	told   []string
	rings  int
}

func newNetwork(t fataler, n int) *network {
	w := &network{t: t, blocked: map[[2]int]bool{}}
	for i := range n {
		id := ring.HostID{byte(i + 1), 15: byte(i + 1)}
		w.nodes = append(w.nodes, &member{net: w, i: i, id: id, store: newDisk(), address: fmt.Sprintf("10.0.0.%d:7000", i+1)})
	}
	return w
}

// start starts a node that is down.
func (m *member) start() *Log {
	m.net.t.Helper()
	m.mu.Lock()
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.mu.Unlock()
	l, err := Open(m.store, Options{
		DefaultReplicationFactor: 1,
		OnChange:                 m.changed,
		OnTopology:               m.ringChanged,
		Cluster: &ClusterOptions{Self: m.id, Address: m.address, Peers: m, Live: m.net.live, Raft: m.net.raft,
			Log: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))},
	})
	if err != nil {
		m.net.t.Fatalf("node %d: %v", m.i, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = l
	return l
}

func (m *member) stop() {
	m.mu.Lock()
	l := m.log
	m.log = nil
	m.mu.Unlock()
	if l == nil {
		return
	}
	m.cancel()
	l.Stop()
	m.done.Wait()
}

func (m *member) current() *Log {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log
}

func (w *network) stop() {
	var stopped sync.WaitGroup
	for _, m := range w.nodes {
		stopped.Go(m.stop)
	}
	stopped.Wait()
}

func (w *network) live() (ids []ring.HostID) {
	for _, m := range w.nodes {
		if m.current() != nil {
			ids = append(ids, m.id)
		}
	}
	return ids
}

func (w *network) block(from, to int, blocked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked[[2]int{from, to}] = blocked
}

func (w *network) isBlocked(from, to int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blocked[[2]int{from, to}]
}

// partition lets nodes reach only those in their own group.
func (w *network) partition(groups ...[]int) {
	side := map[int]int{}
	for g, group := range groups {
		for _, i := range group {
			side[i] = g
		}
	}
	for a := range w.nodes {
		for b := range w.nodes {
			w.block(a, b, side[a] != side[b])
		}
	}
}

func (w *network) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.blocked)
}

func (m *member) Call(ctx context.Context, to ring.HostID, v peer.Verb, body []byte) ([]byte, error) {
	l := m.current()
	if l == nil { // while it opens
		return nil, &peer.UnreachableError{To: to, Cause: errors.New("down")}
	}
	e := l.Topology().Endpoint(to)
	if e == nil {
		return nil, &peer.UnreachableError{To: to, Cause: errors.New("unknown address")}
	}
	b, id, err := m.CallAddress(ctx, e.Address.String(), v, body)
	if err == nil && id != to {
		err = &peer.UnreachableError{To: to, Cause: errors.New("another node is there")}
	}
	return b, err
}

func (m *member) CallAddress(ctx context.Context, address string, v peer.Verb, body []byte) ([]byte, ring.HostID, error) {
	var to *member
	for _, n := range m.net.nodes {
		if n.address == address && to == nil {
			to = n
		}
	}
	if to == nil {
		return nil, ring.HostID{}, &peer.UnreachableError{Cause: errors.New("nobody is there")}
	}
	if err := m.net.travel(ctx, m.i, to.i); err != nil {
		return nil, to.id, err
	}
	to.mu.Lock()
	l := to.log
	if l == nil {
		to.mu.Unlock()
		return nil, to.id, &peer.UnreachableError{To: to.id, Cause: errors.New("down")}
	}
	handle := l.Handlers()[v]
	deadline, _ := ctx.Deadline()
	r := &peer.Request{From: m.id, Verb: v, Deadline: deadline, Body: bytes.Clone(body)}
	type result struct {
		body []byte
		err  error
	}
	results := make(chan result, 1)
	handling := to.ctx
	to.done.Go(func() {
		b, err := handle(handling, r)
		clear(r.Body) // it is used again
		var failure *peer.Failure
		if err != nil && !errors.As(err, &failure) {
			err = &peer.Failure{Message: err.Error()}
		}
		results <- result{b, err}
	})
	to.mu.Unlock()
	select {
	case got := <-results:
		if err := m.net.travel(ctx, to.i, m.i); err != nil {
			return nil, to.id, err
		}
		return got.body, to.id, got.err
	case <-handling.Done():
		return nil, to.id, &peer.UnreachableError{To: to.id, Cause: errors.New("connection ended")}
	case <-ctx.Done():
		return nil, to.id, &peer.TimeoutError{To: to.id}
	}
}

// travel takes the time that a message takes; what is blocked never arrives.
func (w *network) travel(ctx context.Context, from, to int) error {
	delay := time.Millisecond
	if w.delay != nil {
		delay = w.delay()
	}
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return &peer.TimeoutError{To: w.nodes[to].id}
	}
	w.mu.Lock()
	w.calls++
	w.mu.Unlock()
	if w.isBlocked(from, to) {
		<-ctx.Done()
		return &peer.TimeoutError{To: w.nodes[to].id}
	}
	return nil
}

// endpoint returns what a node says of itself.
func (m *member) endpoint() ring.Endpoint {
	return ring.Endpoint{ID: m.id, Address: netip.MustParseAddrPort(m.address), Datacenter: "datacenter1", Rack: "rack1"}
}

// bootstrap makes node 0 the first one.
func (w *network) bootstrap() {
	w.t.Helper()
	e := w.nodes[0].endpoint()
	e.Tokens = ring.AllocateTokens(&ring.Topology{}, e.Datacenter, e.Rack, 4, 3, 1)
	if err := w.nodes[0].start().Bootstrap(context.Background(), e); err != nil {
		w.t.Fatalf("%v", err)
	}
}

// join lets a node in that is not started yet.
func (w *network) join(i int, seeds ...int) {
	w.t.Helper()
	if err := w.tryJoin(i, seeds...); err != nil {
		w.t.Fatalf("node %d: %v", i, err)
	}
	if err := w.nodes[i].current().ProposeTopology(context.Background(), Joined{w.nodes[i].id}); err != nil {
		w.t.Fatalf("node %d: %v", i, err)
	}
}

func (w *network) tryJoin(i int, seeds ...int) error {
	m := w.nodes[i]
	l := m.current()
	if l == nil {
		l = m.start()
	}
	var addresses []string
	for _, s := range seeds {
		addresses = append(addresses, w.nodes[s].address)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return l.Join(ctx, addresses, Join{Endpoint: m.endpoint(), Tokens: 4})
}

// form makes a cluster of all nodes.
func (w *network) form() {
	w.t.Helper()
	w.bootstrap()
	for i := 1; i < len(w.nodes); i++ {
		w.join(i, i-1)
	}
}

// propose proposes a statement on a node.
func (w *network) propose(i int, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := w.nodes[i].current().Propose(ctx, Change{Keyspace: "ks", Statement: parse(w.t, text), TableID: tableIDOf(i, text)})
	return err
}

// tableIDOf makes up an id.
func tableIDOf(i int, text string) (id cqltype.UUID) {
	for j, b := range []byte(fmt.Sprint(i, text)) {
		id[j%16] = id[j%16]*31 + b
	}
	return id
}

func (w *network) mustPropose(i int, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if err := w.propose(i, text); err != nil {
			w.t.Fatalf("node %d: %s: %v", i, text, err)
		}
	}
}

// leader returns the number of the node that leads in the opinion of a majority.
func (w *network) leader() int {
	w.t.Helper()
	for range 200 {
		opinions := map[ring.HostID]int{}
		for _, m := range w.nodes {
			if l := m.current(); l != nil {
				if id, ok := l.Leader(); ok {
					opinions[id]++
				}
			}
		}
		for _, m := range w.nodes {
			if l := m.current(); l != nil && opinions[m.id] > len(w.nodes)/2 {
				if id, ok := l.Leader(); ok && id == m.id {
					return m.i
				}
			}
		}
		pause(100 * time.Millisecond)
	}
	w.t.Fatalf("there is no leader")
	return -1
}

func pause(d time.Duration) { <-time.After(d) }

// contents returns all that a state consists of, but for its index.
func contents(l *Log) string {
	s := *l.current.Load()
	s.applied = 0
	return string(s.appendSnapshot(nil))
}

// checkSame fails unless all nodes that are up have the same state, once they have caught up.
func (w *network) checkSame() {
	w.t.Helper()
	var first *Log
	for _, m := range w.nodes {
		l := m.current()
		if l == nil || l.Topology().Endpoint(m.id) == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // a snapshot that was lost is sent again after one
		err := l.CatchUp(ctx)
		cancel()
		if err != nil {
			w.t.Fatalf("node %d: %v", m.i, err)
		}
		if first == nil {
			first = l
		} else if contents(l) != contents(first) {
			w.t.Fatalf("node %d has another state: %q and %q", m.i, contents(l), contents(first))
		}
		if d, ok := m.store.(*disk); ok {
			s, mixture, err := loadState(d)
			if err != nil || mixture != nil {
				w.t.Fatalf("node %d: %v, %v", m.i, mixture, err)
			}
			s.applied = 0
			if string(s.appendSnapshot(nil)) != contents(l) {
				w.t.Fatalf("node %d has stored another state", m.i)
			}
		}
	}
}

func (m *member) changed(s *schema.Schema, e *Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := "-"
	if e != nil {
		text = fmt.Sprint(e.Change, " ", e.Target, " ", e.Keyspace, ".", e.Name)
	}
	m.told = append(m.told, text)
}

func (m *member) ringChanged(*ring.Topology) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rings++
}
