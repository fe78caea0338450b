package coordinator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// An event is an operation of a client: an append to the list, a read of it, or a change of the register if it has a value.
type event struct {
	kind    string // append, read, cas
	element string
	from    string // of a cas
}

// An observed is how it went. What is unknown may have happened or not, at any time since.
type observed struct {
	list    string // that an append or a read has seen
	applied bool
	unknown bool
}

// listModel is a list that grows. An append sees what was there.
func listModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, in, out any) (bool, any) {
			s, e, o := state.(string), in.(event), out.(observed)
			switch {
			case e.kind == "read":
				return o.list == s, s
			case e.kind == "cas" && o.unknown:
				if s == e.from {
					return true, e.element
				}
				return true, s
			case e.kind == "cas":
				if applied := s == e.from; !applied || !o.applied {
					return applied == o.applied, s
				}
				return true, e.element
			case o.unknown:
				return true, s + e.element + " "
			default:
				return o.list == s, s + e.element + " "
			}
		},
	}
}

// A record gathers what clients do with one partition.
type record struct {
	*testCluster
	token int64
	mu    sync.Mutex
	time  int64
	ops   []porcupine.Operation
	ok    int
}

func (r *record) now() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.time++
	return r.time
}

// note records an operation, unless it has certainly done nothing.
func (r *record) note(client int, e event, call int64, o observed, err error) {
	var timeout *WriteTimeoutError
	var failure *WriteFailureError
	var unknown *CASUnknownError
	o.unknown = errors.As(err, &unknown) || errors.As(err, &timeout) && timeout.WriteType == "SIMPLE" || errors.As(err, &failure) && failure.WriteType == "SIMPLE"
	op := porcupine.Operation{ClientId: client, Input: e, Call: call, Output: o, Return: r.now()}
	switch {
	case o.unknown:
		op.Return = math.MaxInt64
	case err != nil:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ops = append(r.ops, op); err == nil {
		r.ok++
	}
}

// list reads the rows as a list: the clustering keys are positions.
func list(rows *storage.Cursor) (out string, n int, err error) {
	for rows.Next() {
		for _, cell := range rows.Row().Column(1) {
			out += string(cell.Value) + " "
		}
		n++
	}
	return out, n, rows.Err()
}

func (r *record) append(n *testNode, client int, element string) {
	seen, call := "", r.now()
	applied, err := n.transact(consistency.Serial, consistency.Quorum, r.token, func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
		got, length, err := list(rows)
		seen = got
		return r.set(r.token, fmt.Sprintf("%04d", length), element, timestamp), err
	})
	if err == nil && !applied {
		r.Errorf("an append was not applied")
	}
	r.note(client, event{kind: "append", element: element}, call, observed{list: seen}, err)
}

func (r *record) read(n *testNode, client int) {
	call := r.now()
	reading := n.reading(consistency.Serial, 0)
	rows, err := n.now().Read(context.Background(), reading, n.question(r.token))
	seen := ""
	if err == nil {
		seen, _, err = list(rows)
		rows.Close()
	}
	if err == nil {
		r.note(client, event{kind: "read"}, call, observed{list: seen}, nil)
	}
}

// cas changes the register from what the last read of it has shown.
func (r *record) cas(n *testNode, client int, from, to string) {
	call := r.now()
	applied, err := n.transact(consistency.Serial, consistency.Quorum, r.token, func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
		got, _, err := list(rows)
		if err != nil || got != from {
			return nil, err
		}
		return r.set(r.token, "x", strings.TrimSpace(to), timestamp), nil
	})
	r.note(client, event{kind: "cas", from: from, element: to}, call, observed{applied: applied}, err)
}

// check fails unless the history is linearizable.
func (r *record) linearizable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return porcupine.CheckOperationsTimeout(listModel(), r.ops, 10*time.Second) != porcupine.Illegal
}

// A storm is a test with clients on some nodes, and faults that come and go.
type storm struct {
	replicas  int
	clients   []int // the node of each
	steps     int
	seed      uint64
	faults    bool
	restarts  bool // of the replicas, on which no clients may be
	register  bool // cas instead of append
	meanwhile func(w *testCluster)
	bug       func(n *testNode) // in each replica
}

// run returns the history.
func (s storm) run(t *testing.T) (r *record) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestCluster(t, max(5, s.replicas+1))
		w.setTable(simple(fmt.Sprint(s.replicas)), "BLOCKING")
		w.timeout = time.Second
		for _, n := range w.nodes {
			n.refresh = func(ctx context.Context) error { <-time.After(time.Millisecond); return ctx.Err() }
			if s.bug != nil && n.number <= s.replicas {
				s.bug(n)
			}
		}
		r = &record{testCluster: w, token: contested}
		random := rand.New(rand.NewPCG(s.seed, 1))
		stop, weather := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(weather)
			s.weather(w, random, stop)
		}()
		var clients sync.WaitGroup
		for i, number := range s.clients {
			own := rand.New(rand.NewPCG(s.seed, uint64(i)+2))
			clients.Go(func() { s.client(r, i, w.nodes[number-1], own) })
		}
		if s.meanwhile != nil {
			s.meanwhile(w)
		}
		clients.Wait()
		close(stop)
		<-weather
		w.heal()
		for _, n := range w.nodes {
			r.read(n, len(s.clients)+n.number)
		}
		w.calls.Wait()
	})
	return r
}

func (s storm) client(r *record, i int, n *testNode, random *rand.Rand) {
	for k := range s.steps {
		<-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond)
		element := fmt.Sprintf("%d.%d", i, k)
		switch {
		case random.IntN(4) == 0:
			r.read(n, i)
		case s.register:
			from := ""
			if rows, err := n.now().Read(context.Background(), n.reading(consistency.One, 0), n.question(r.token)); err == nil {
				from, _, _ = list(rows)
				rows.Close()
			}
			r.cas(n, i, from, element+" ")
		default:
			r.append(n, i, element)
		}
	}
}

// weather changes the faults until stop.
func (s storm) weather(w *testCluster, random *rand.Rand, stop <-chan struct{}) {
	var mu sync.Mutex
	for {
		mu.Lock()
		level := 0.0
		if s.faults && random.IntN(3) > 0 {
			level = random.Float64() / 3
		}
		slow := time.Duration(random.IntN(8)) * time.Millisecond
		cut := 0
		if s.faults && random.IntN(3) == 0 {
			cut = 1 + random.IntN(s.replicas)
		}
		mu.Unlock()
		w.onRequest(func(from, to int, v peer.Verb) mishap {
			mu.Lock()
			defer mu.Unlock()
			f := mishap{delay: time.Duration(random.Int64N(int64(slow) + 1e6))}
			if !s.faults {
				return f
			}
			if to == cut {
				f.loseRequest = random.IntN(2) == 0
				f.loseAnswer = !f.loseRequest
				return f
			}
			switch p := random.Float64(); {
			case p < level/3:
				f.loseRequest = true
			case p < level*2/3:
				f.loseAnswer = true
			case p < level:
				f.twice = true
			}
			return f
		})
		mu.Lock()
		pause := time.Duration(5+random.IntN(100)) * time.Millisecond
		mu.Unlock()
		select {
		case <-stop:
			return
		case <-time.After(pause):
		}
		if s.restarts {
			mu.Lock()
			number := 1 + random.IntN(s.replicas)
			mu.Unlock()
			w.nodes[number-1].restart()
		}
	}
}

func TestLinearizable(t *testing.T) {
	for name, s := range map[string]storm{
		"calm":                    {replicas: 3, clients: []int{1, 2, 3, 4, 5}, steps: 8},
		"contention":              {replicas: 3, clients: []int{1, 2, 3, 4, 5, 1, 2, 3, 4, 5}, steps: 6},
		"faults":                  {replicas: 3, clients: []int{1, 2, 3, 4, 5}, steps: 8, faults: true},
		"register":                {replicas: 3, clients: []int{1, 2, 3, 4, 5}, steps: 8, faults: true, register: true},
		"restarts":                {replicas: 3, clients: []int{4, 5, 4, 5}, steps: 8, faults: true, restarts: true},
		"five replicas":           {replicas: 5, clients: []int{1, 2, 3, 4, 6}, steps: 6, faults: true},
		"five replicas, restarts": {replicas: 5, clients: []int{6, 6, 6}, steps: 8, faults: true, restarts: true, register: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s.seed = seed
				r := s.run(t)
				if t.Logf("seed %d: %d operations, %d with known results", seed, len(r.ops), r.ok); !r.linearizable() {
					t.Errorf("seed %d: the history is not linearizable", seed)
				}
			}
		})
	}
}

// locked takes the lock of the contested partition, and returns what frees it.
func (n *testNode) locked() func() {
	c := n.now()
	n.must(c.acceptors.lock(context.Background(), contested))
	return func() { c.acceptors.unlock(contested) }
}

// The bugs that the tests above must be able to find.
func TestBugsAreFound(t *testing.T) {
	for name, bug := range map[string]func(n *testNode){
		"accepts without looking at the promise": func(n *testNode) {
			n.instead = func(r *peer.Request) ([]byte, error) {
				if r.Verb != peer.VerbAccept {
					return n.now().handlePrepare(context.Background(), r)
				}
				_, p, m, err := decodeProposal(r.Body)
				n.must(err)
				defer n.locked()()
				old, err := n.now().loadState(m.Incarnation, m.Partition())
				n.must(err)
				broken := paxos.State{Promised: p.Ballot, Accepted: p, Committed: old.Committed}
				n.must(n.now().storeState(context.Background(), m.Incarnation, m.Partition(), &old, &broken))
				return appendAccepted(nil, true, p.Ballot), nil
			}
		},
		"forgets promises": func(n *testNode) {
			n.instead = func(r *peer.Request) ([]byte, error) {
				if r.Verb != peer.VerbPrepare {
					return n.now().handleProposal(context.Background(), r)
				}
				_, b, q, err := decodePrepare(r.Body)
				n.must(err)
				defer n.locked()()
				s, err := n.now().loadState(q.read.Incarnation, q.read.Partition)
				n.must(err)
				p := promise{state: s}
				if p.given = p.state.Promise(b); p.given {
					p.block, err = n.now().block(nil, nil, &q)
				}
				return p.append(nil), err
			}
		},
		"shows nothing unfinished": func(n *testNode) {
			n.instead = func(r *peer.Request) ([]byte, error) {
				if r.Verb != peer.VerbPrepare {
					return n.now().handleProposal(context.Background(), r)
				}
				answer, err := n.now().handlePrepare(context.Background(), r)
				if err != nil {
					return nil, err
				}
				p, err := decodePromise(answer)
				p.state.Accepted = paxos.Proposal{}
				return p.append(nil), err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) {
				s := storm{replicas: 3, clients: []int{4, 5, 4, 5, 4}, steps: 10, faults: true, seed: seed, bug: bug}
				if !s.run(t).linearizable() {
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

// A node joins, and takes over the range from another one, while clients are at work.
func TestLinearizableWhileJoining(t *testing.T) {
	for seed := range uint64(4) {
		s := storm{replicas: 3, clients: []int{1, 2, 3, 5, 2}, steps: 10, faults: seed%2 == 1, seed: seed, meanwhile: join}
		r := s.run(t)
		if t.Logf("seed %d: %d operations, %d with known results", seed, len(r.ops), r.ok); !r.linearizable() {
			t.Errorf("seed %d: the history is not linearizable", seed)
		}
	}
}

// join makes node 4 the first replica of the partition, as the node's mover does it.
func join(w *testCluster) {
	epoch := w.nodes[0].topology.Load().Epoch()
	w.nodes[4].topology.Load()
	spread := func(state ring.State) *ring.Topology {
		e := w.endpoints("dc1 dc1 dc1 dc1 dc1")
		e[3].State, e[3].Tokens = state, []ring.Token{60}
		t, err := ring.New(e...)
		w.must(err)
		epoch++
		t = t.AtEpoch(epoch)
		for _, n := range w.nodes {
			<-time.After(3 * time.Millisecond)
			n.topology.Store(t)
		}
		for _, n := range w.nodes {
			w.must(n.now().Drain(context.Background()))
		}
		return t
	}
	<-time.After(20 * time.Millisecond)
	t := spread(ring.Joining)
	replication, err := ring.ParseReplication(w.keyspace.Replication.Class, w.keyspace.Replication.Options)
	w.must(err)
	for _, move := range ring.NewPlacement(t, replication, id(4)).Gains(id(4)) {
		sources := move.Endpoints
		if move.Handover {
			sources = sources[:1]
		}
		for _, from := range sources {
			err := errors.New("not yet")
			for err != nil {
				err = w.nodes[3].now().Pull(context.Background(), from, w.table, move.Range, func(int) error { return nil })
			}
		}
	}
	spread(ring.Normal)
}
