package coordinator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// A testCluster is some nodes with engines and coordinators, a network between them that has faults, and a table.
// It lives in a bubble of synctest: time passes when all of it waits.
type testCluster struct {
	testing.TB
	nodes    []*testNode // node n is at n-1
	schema   atomic.Pointer[schema.Schema]
	keyspace *schema.Keyspace
	table    *schema.Table
	calls    sync.WaitGroup
	timeout  time.Duration

	mu       sync.Mutex
	fault    func(from, to int, v peer.Verb) mishap
	dead     map[[2]int]bool // observer, node
	requests map[peer.Verb]int
	clock    int64 // of write timestamps
}

// A mishap is what happens to a request.
type mishap struct {
	loseRequest, loseAnswer, twice, unreachable bool
	failure                                     *peer.Failure
	delay                                       time.Duration
	hold                                        <-chan struct{} // until it is closed
}

// A testNode is one node; the Cluster, the Peers and the Hints of its coordinator.
type testNode struct {
	*testCluster
	number      int
	engine      *storage.Engine
	coordinator *Coordinator
	topology    atomic.Pointer[ring.Topology]
	onTopology  func() // called by Topology
	refresh     func(ctx context.Context) error
	catchUp     func(ctx context.Context, epoch uint64) error
	ownSchema   atomic.Pointer[schema.Schema] // nil: the cluster's
	patience    time.Duration                 // 0: none
	nearest     func() int                    // of the replicas in order of the ring

	running   sync.RWMutex                // held for writing by restart, for reading by requests
	restarted atomic.Pointer[Coordinator] // after that
	instead   func(r *peer.Request) ([]byte, error)

	hintMu  sync.Mutex
	hinted  map[int][]storedHint
	durable int
	noHints error
}

type storedHint struct {
	body    []byte
	expires time.Time
}

// bubble runs a test in a bubble with n nodes in dc1, of which node k has the token 100k.
func bubble(t *testing.T, n int, test func(w *testCluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newTestCluster(t, n)
		test(w)
		w.calls.Wait()
	})
}

func newTestCluster(t testing.TB, n int) *testCluster {
	w := &testCluster{TB: t, dead: map[[2]int]bool{}, requests: map[peer.Verb]int{}, timeout: 2 * time.Second, clock: 1000}
	w.schema.Store(schema.Empty())
	for i := range n {
		w.nodes = append(w.nodes, w.open(i+1))
	}
	w.setTable(simple("3"), "BLOCKING")
	w.setTopology(1, w.endpoints(strings.Repeat("dc1 ", n))...)
	return w
}

func (w *testCluster) open(number int) *testNode {
	n := &testNode{testCluster: w, number: number, hinted: map[int][]storedHint{}}
	var err error
	n.engine, err = storage.Open(storage.Options{Dir: w.TempDir(), Memory: 64 << 20, Sync: storage.SyncPeriodic,
		Log: slog.New(slog.DiscardHandler), Tables: func(i uint32) (storage.Table, bool) {
			return storage.Table{Name: "ks.t", GCGrace: 1000 * time.Hour}, true
		}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.must(n.engine.Close()) })
	n.coordinator = n.start()
	return n
}

// start returns a coordinator that remembers nothing but what is on disk.
func (n *testNode) start() *Coordinator {
	return New(n.engine, n, Options{Peers: n, Hints: n, Schema: n.schemaOfNow, Proximity: n, Log: slog.New(slog.DiscardHandler),
		CatchUp: func(ctx context.Context, epoch uint64) error {
			if n.catchUp == nil {
				return nil
			}
			return n.catchUp(ctx, epoch)
		},
		Refresh: func(ctx context.Context) error {
			if n.refresh == nil {
				return nil
			}
			return n.refresh(ctx)
		}})
}

// restart gives the node another coordinator.
func (n *testNode) restart() {
	n.running.Lock()
	defer n.running.Unlock()
	n.restarted.Store(n.start())
}

// now returns the coordinator of now.
func (n *testNode) now() *Coordinator {
	if c := n.restarted.Load(); c != nil {
		return c
	}
	return n.coordinator
}

func (n *testNode) schemaOfNow() *schema.Schema {
	if s := n.ownSchema.Load(); s != nil {
		return s
	}
	return n.schema.Load()
}

// setTable makes an empty table in a keyspace with another replication.
func (w *testCluster) setTable(k *schema.Keyspace, readRepair string) {
	s, incarnation := w.schema.Load().TakeIncarnation()
	options := schema.DefaultOptions()
	options.ReadRepair = readRepair
	w.table = (&schema.Table{Keyspace: "ks", Name: "t", Incarnation: incarnation, Options: options}).Seal()
	w.keyspace = k.WithTable(w.table)
	w.schema.Store(s.With(w.keyspace))
}

// endpoints returns endpoints: of each node its datacenter, in capitals if it joins, with a minus if it leaves.
func (w *testCluster) endpoints(datacenters string) (out []ring.Endpoint) {
	for i, name := range strings.Fields(datacenters) {
		number := i + 1
		e := ring.Endpoint{ID: id(number), Rack: "r", Tokens: []ring.Token{ring.Token(100 * number)},
			Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(number)}), 7000)}
		name, leaves := strings.CutSuffix(name, "-")
		if e.Datacenter = strings.ToLower(name); leaves {
			e.State = ring.Leaving
		} else if e.Datacenter != name {
			e.State = ring.Joining
		}
		out = append(out, e)
	}
	return out
}

// setTopology makes all nodes know a topology.
func (w *testCluster) setTopology(epoch uint64, endpoints ...ring.Endpoint) *ring.Topology {
	t, err := ring.New(endpoints...)
	w.must(err)
	t = t.AtEpoch(epoch)
	for _, n := range w.nodes {
		n.topology.Store(t)
	}
	return t
}

func (w *testCluster) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// down makes nodes seem dead to all others, and unreachable.
func (w *testCluster) down(numbers ...int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.dead)
	for _, dead := range numbers {
		for observer := range w.nodes {
			w.dead[[2]int{observer + 1, dead}] = observer+1 != dead
		}
	}
}

// onRequest sets the faults.
func (w *testCluster) onRequest(f func(from, to int, v peer.Verb) mishap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// faultsAt sets faults by the node that is asked.
func (w *testCluster) faultsAt(faults map[int]mishap) {
	w.onRequest(func(_, to int, _ peer.Verb) mishap { return faults[to] })
}

// heal ends all faults, and waits for all requests.
func (w *testCluster) heal() {
	w.onRequest(nil)
	w.down()
	w.calls.Wait()
}

func (w *testCluster) count(v peer.Verb) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[v]
}

func (n *testNode) Self() ring.HostID { return id(n.number) }

func (n *testNode) Topology() *ring.Topology {
	if n.onTopology != nil {
		n.onTopology()
	}
	return n.topology.Load()
}

func (n *testNode) IsAlive(h ring.HostID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.dead[[2]int{n.number, int(h[15])}]
}

// Sort puts first the replica that the test wants there. Otherwise they stay in order of the ring.
func (n *testNode) Sort(replicas []*ring.Endpoint) {
	if n.nearest == nil || len(replicas) == 0 {
		return
	}
	first := n.nearest() % len(replicas)
	rotated := slices.Concat(replicas[first:], replicas[:first])
	copy(replicas, rotated)
}
func (n *testNode) Record(ring.HostID, *schema.Table, time.Duration) {}
func (n *testNode) Patience(*schema.Table) (time.Duration, bool) {
	return n.patience, n.patience > 0
}

// Send carries out a request on another node, or does what the faults say.
func (n *testNode) Send(to ring.HostID, v peer.Verb, deadline time.Time, body []byte, done func([]byte, error)) {
	if to == n.Self() {
		n.Errorf("node %d sends itself a request", n.number)
	}
	n.mu.Lock()
	n.requests[v]++
	f := mishap{}
	if n.fault != nil {
		f = n.fault(n.number, int(to[15]), v)
	}
	n.mu.Unlock()
	n.calls.Go(func() {
		answer, err := n.deliver(n.nodes[to[15]-1], f, &peer.Request{From: n.Self(), Verb: v, Deadline: deadline, Body: bytes.Clone(body)})
		done(answer, err)
		overwrite(answer) // it is valid during the call only
	})
}

func overwrite(b []byte) {
	for i := range b {
		b[i] = 0xEE
	}
}

func (n *testNode) deliver(to *testNode, f mishap, r *peer.Request) ([]byte, error) {
	late := &peer.TimeoutError{To: to.Self()}
	until := func(wait <-chan time.Time, hold <-chan struct{}) bool {
		select {
		case <-wait:
		case <-hold:
		case <-time.After(time.Until(r.Deadline)):
			return false
		}
		return true
	}
	if f.delay > 0 && !until(time.After(f.delay), nil) {
		return nil, late
	}
	switch {
	case f.unreachable:
		return nil, &peer.UnreachableError{To: to.Self(), Cause: errors.New("it is cut off")}
	case f.loseRequest, f.hold != nil && !until(nil, f.hold):
		<-time.After(time.Until(r.Deadline))
		return nil, late
	case f.failure != nil:
		return nil, f.failure
	}
	answer, err := to.handle(r)
	if f.twice {
		answer, err = to.handle(r)
	}
	if f.loseAnswer {
		<-time.After(time.Until(r.Deadline))
	}
	if !time.Now().Before(r.Deadline) {
		return nil, late
	}
	return answer, err
}

// handle carries out a request as a hub does.
func (n *testNode) handle(r *peer.Request) ([]byte, error) {
	ctx, cancel := context.WithDeadline(context.Background(), r.Deadline)
	defer cancel()
	own := *r
	own.Body, own.Memory = bytes.Clone(r.Body), make([]byte, 0, 64)
	n.running.RLock()
	handler := n.now().Handlers()[r.Verb]
	if n.instead != nil && (r.Verb == peer.VerbPrepare || r.Verb == peer.VerbAccept) {
		handler = func(_ context.Context, r *peer.Request) ([]byte, error) { return n.instead(r) }
	}
	answer, err := handler(ctx, &own)
	n.running.RUnlock()
	if own.Body != nil {
		answer = bytes.Clone(answer)
		overwrite(own.Body)
	}
	var failure *peer.Failure
	if err != nil && !errors.As(err, &failure) {
		err = &peer.Failure{Message: err.Error()}
	}
	return answer, err
}

// Add records a hint.
func (n *testNode) Add(to ring.HostID, body []byte, expires time.Time) error {
	n.hintMu.Lock()
	defer n.hintMu.Unlock()
	if n.noHints != nil {
		return n.noHints
	}
	if to == n.Self() {
		n.Errorf("node %d has a hint for itself", n.number)
	}
	n.hinted[int(to[15])] = append(n.hinted[int(to[15])], storedHint{bytes.Clone(body), expires})
	return nil
}

// AddDurable records a hint.
func (n *testNode) AddDurable(_ context.Context, to ring.HostID, body []byte, expires time.Time) error {
	err := n.Add(to, body, expires)
	n.hintMu.Lock()
	defer n.hintMu.Unlock()
	if err == nil {
		n.durable++
	}
	return err
}

// hintsFor returns how many hints a node has for others.
func (n *testNode) hintsFor() string {
	n.hintMu.Lock()
	defer n.hintMu.Unlock()
	out := make([]int, len(n.nodes))
	for to, hints := range n.hinted {
		out[to-1] = len(hints)
	}
	return fmt.Sprint(out)
}

// replay brings all hints to their nodes.
func (w *testCluster) replay() {
	for _, n := range w.nodes {
		n.hintMu.Lock()
		all := n.hinted
		n.hinted, n.durable = map[int][]storedHint{}, 0
		n.hintMu.Unlock()
		for to, hints := range all {
			for _, h := range hints {
				_, err := w.nodes[to-1].handle(&peer.Request{From: n.Self(), Verb: peer.VerbHint, Deadline: time.Now().Add(time.Hour), Body: h.body})
				w.must(err)
			}
		}
	}
}

// A change is some changes of one partition. Its clustering keys are strings of lower case letters.
type change struct {
	*testCluster
	row.Mutation
	log []logged
}

// A logged is what a change does to some rows.
type logged struct {
	at       int64
	from, to string // the rows, from <= row < to
	value    string // empty: they are deleted
}

func (l logged) covers(clustering string) bool { return l.from <= clustering && clustering < l.to }

func (c *change) note(from, to, value string) {
	c.log = append(c.log, logged{c.clock, from, to, value})
}

// at begins a change of the partition with a token.
func (w *testCluster) at(token int64) *change {
	c := &change{testCluster: w}
	c.Begin(w.table.Incarnation, token, []byte("p"))
	return c
}

func (w *testCluster) tick() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock++
	return w.clock
}

// put sets the value of a row.
func (c *change) put(clustering, value string) *change {
	t := c.tick()
	f := row.NewFragment()
	f.Liveness = row.Liveness{Timestamp: t}
	f.Cells = []row.Cell{{Column: 1, Value: []byte(value), Timestamp: t}}
	c.AddRow(f, []byte(clustering))
	c.note(clustering, clustering+"\x00", value)
	return c
}

// static sets the value of the static column.
func (c *change) static(value string) *change {
	f := row.NewFragment()
	f.Cells = []row.Cell{{Column: 2, Value: []byte(value), Timestamp: c.tick()}}
	c.AddHeader(f)
	return c
}

func (c *change) deletion() row.Deletion {
	return row.Deletion{Timestamp: c.tick(), LocalTime: time.Now().Unix()}
}

// remove deletes a row.
func (c *change) remove(clustering string) *change {
	f := row.NewFragment()
	f.Deletion = c.deletion()
	c.AddRow(f, []byte(clustering))
	c.note(clustering, clustering+"\x00", "")
	return c
}

// removeRange deletes the rows in [from, to).
func (c *change) removeRange(from, to string) *change {
	f := row.NewFragment()
	f.Ranges = []row.RangeTombstone{{Start: []byte(from), End: []byte(to), Deletion: c.deletion()}}
	c.AddHeader(f)
	c.note(from, to, "")
	return c
}

// removeAll deletes the partition.
func (c *change) removeAll() *change {
	f := row.NewFragment()
	f.Deletion = c.deletion()
	c.AddHeader(f)
	c.note("", "\xff", "")
	return c
}

// on carries the change out on some nodes, behind the backs of the coordinators.
func (c *change) on(numbers ...int) {
	c.Helper()
	for _, n := range numbers {
		c.must(c.nodes[n-1].engine.Apply(context.Background(), &c.Mutation))
	}
}

// write carries out changes in the present keyspace, within the cluster's time limit.
func (n *testNode) write(level consistency.Level, changes ...*change) error {
	ctx, cancel := context.WithTimeout(context.Background(), n.timeout)
	defer cancel()
	writes := make([]Write, len(changes))
	for i, c := range changes {
		writes[i] = Write{Keyspace: n.keyspace, Mutation: &c.Mutation}
	}
	return n.coordinator.Write(ctx, nil, level, writes...)
}

func (n *testNode) reading(level consistency.Level, rows int) *Reading {
	return &Reading{Keyspace: n.keyspace, Table: n.table, Level: level, Deadline: time.Now().Add(n.timeout), Rows: rows}
}

// question returns a read of the partition with a token.
func (w *testCluster) question(token int64) *storage.Read {
	return &storage.Read{Incarnation: w.table.Incarnation, Partition: row.AppendPartition(nil, token, []byte("p")), Now: time.Now().Unix()}
}

// read returns what a partition holds.
func (n *testNode) read(level consistency.Level, token int64) (string, error) {
	return n.ask(level, n.question(token), 0)
}

// ask carries out a read with a number of rows for each block, 0 for all.
func (n *testNode) ask(level consistency.Level, r *storage.Read, rows int) (string, error) {
	c, err := n.coordinator.Read(context.Background(), n.reading(level, rows), r)
	if err != nil {
		return "", err
	}
	return drain(c, -1)
}

// scan carries out a scan.
func (n *testNode) scan(level consistency.Level, s *storage.Scan, rows, limit int) (string, error) {
	c, err := n.coordinator.Scan(context.Background(), n.reading(level, rows), s)
	if err != nil {
		return "", err
	}
	return drain(c, limit)
}

// drain prints up to limit rows of a cursor, and closes it.
func drain(c *storage.Cursor, limit int) (string, error) {
	defer c.Close()
	var out []string
	for limit != 0 && c.Next() {
		out = append(out, print(c))
		limit--
	}
	return strings.Join(out, " "), c.Err()
}

// print prints a row as token:static/clustering=value; without the token if it is below 1000.
func print(c *storage.Cursor) (out string) {
	if token, err := row.PartitionToken(c.Partition()); err != nil {
		return err.Error()
	} else if token >= 1000 || token < 0 {
		out = fmt.Sprint(token, ":")
	}
	for _, cell := range c.Static().Column(2) {
		out += string(cell.Value) + "/"
	}
	if c.Row() == nil {
		return out + "-"
	}
	out += string(c.Clustering()) + "="
	for _, cell := range c.Row().Column(1) {
		out += string(cell.Value)
	}
	return out
}

// own returns what a node itself has of a partition, byte by byte.
func (n *testNode) own(token int64) []byte {
	block, _, err := n.engine.ReadBlock(nil, n.question(token), storage.Limit{})
	n.must(err)
	return block
}

// alike fails unless nodes have the same data.
func (w *testCluster) alike(token int64, numbers ...int) {
	w.Helper()
	first := w.nodes[numbers[0]-1].own(token)
	for _, n := range numbers[1:] {
		if other := w.nodes[n-1].own(token); !bytes.Equal(first, other) {
			w.Errorf("nodes %d and %d differ at token %d:\n%.300q\n%.300q", numbers[0], n, token, first, other)
		}
	}
}

// expect fails unless a read gives the wanted rows.
func (w *testCluster) expect(got string, err error) func(want string) {
	w.Helper()
	return func(want string) {
		w.Helper()
		if err != nil || got != want {
			w.Errorf("got %q and error %v, want %q", got, err, want)
		}
	}
}

// outcome prints an error without what differs from run to run.
func outcome(err error) string {
	var unavailable *UnavailableError
	var writeTimeout *WriteTimeoutError
	var readTimeout *ReadTimeoutError
	var writeFailure *WriteFailureError
	var readFailure *ReadFailureError
	data := func(present bool) string {
		if present {
			return " with data"
		}
		return ""
	}
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &unavailable):
		out := fmt.Sprintf("unavailable %d/%d", unavailable.Alive, unavailable.Required)
		if unavailable.Datacenter != "" {
			out += " in " + unavailable.Datacenter
		}
		return out
	case errors.As(err, &writeTimeout):
		return fmt.Sprintf("timeout %d/%d", writeTimeout.Received, writeTimeout.Required)
	case errors.As(err, &readTimeout):
		return fmt.Sprintf("timeout %d/%d", readTimeout.Received, readTimeout.Required) + data(readTimeout.DataPresent)
	case errors.As(err, &writeFailure):
		return fmt.Sprintf("failure %d/%d %s", writeFailure.Received, writeFailure.Required, reasons(writeFailure.Failures))
	case errors.As(err, &readFailure):
		return fmt.Sprintf("failure %d/%d %s", readFailure.Received, readFailure.Required, reasons(readFailure.Failures)) + data(readFailure.DataPresent)
	default:
		return err.Error()
	}
}

// reasons prints reasons by the last number of the address.
func reasons(failures map[netip.Addr]uint16) string {
	var out []string
	for a, reason := range failures {
		out = append(out, fmt.Sprintf("%d:%d", a.As4()[3], reason))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}
