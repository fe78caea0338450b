package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// The partition of most tests, of which nodes 1, 2 and 3 are the replicas.
const contested = 50

// transact carries out a transaction on a partition.
func (n *testNode) transact(serial, commit consistency.Level, token int64, decide Decide) (bool, error) {
	q := &Transaction{Keyspace: n.keyspace, Table: n.table, Serial: serial, Commit: commit, Read: n.question(token), Deadline: time.Now().Add(n.timeout)}
	return n.now().Transact(context.Background(), q, decide)
}

// set returns a change of one row.
func (w *testCluster) set(token int64, clustering, value string, timestamp int64) *row.Mutation {
	m := new(row.Mutation)
	m.Begin(w.table.Incarnation, token, []byte("p"))
	f := row.NewFragment()
	f.Liveness = row.Liveness{Timestamp: timestamp}
	f.Cells = []row.Cell{{Column: 1, Value: []byte(value), Timestamp: timestamp}}
	m.AddRow(f, []byte(clustering))
	return m
}

// allRows reads a cursor to its end.
func allRows(rows *storage.Cursor) (string, error) {
	var out []string
	for rows.Next() {
		out = append(out, print(rows))
	}
	return strings.Join(out, " "), rows.Err()
}

// cas sets row x if its value is that expected.
func (n *testNode) cas(serial, commit consistency.Level, expected, value string) (bool, error) {
	return n.transact(serial, commit, contested, func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
		got, err := allRows(rows)
		if err != nil || got != expected {
			return nil, err
		}
		return n.set(contested, "x", value, timestamp), nil
	})
}

func (n *testNode) mustCAS(expected, value string, want bool) {
	n.Helper()
	if ok, err := n.cas(consistency.Serial, consistency.Quorum, expected, value); ok != want || err != nil {
		n.Errorf("node %d, %q to %q: %v, %v", n.number, expected, value, ok, err)
	}
}

func TestTransactAlone(t *testing.T) {
	bubble(t, 1, func(w *testCluster) {
		w.setTable(simple("1"), "BLOCKING")
		n := w.nodes[0]
		n.mustCAS("", "1", true)
		n.mustCAS("", "2", false)
		n.mustCAS("x=1", "2", true)
		w.must(n.engine.Apply(context.Background(), n.set(contested, "x", "3", time.Now().Add(time.Hour).UnixMicro()))) // a clock that is ahead
		n.mustCAS("x=3", "4", true)
		w.expect(n.read(consistency.Serial, contested))("x=4")
		if _, err := n.cas(consistency.Serial, consistency.Quorum, "", ""); err != nil {
			t.Error(err)
		}
		failed := errors.New("a condition that cannot be evaluated")
		if _, err := n.transact(consistency.Serial, consistency.One, contested, func(*storage.Cursor, int64) (*row.Mutation, error) { return nil, failed }); err != failed {
			t.Errorf("the error of decide is %v", err)
		}
		w.setTable(simple("3"), "BLOCKING")
		if _, err := n.cas(consistency.Serial, consistency.Quorum, "", "1"); outcome(err) != "unavailable 1/2" {
			t.Errorf("with one of three replicas: %v", err)
		}
	})
}

func TestTransact(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		n := w.nodes
		n[0].mustCAS("", "1", true)
		n[3].mustCAS("x=1", "2", true) // no replica
		n[4].mustCAS("x=1", "9", false)
		w.expect(n[1].read(consistency.Serial, contested))("x=2")
		w.expect(n[4].read(consistency.LocalSerial, contested))("x=2")
		w.down(2)
		n[2].mustCAS("x=2", "3", true)
		w.down(1)
		n[3].mustCAS("x=3", "4", true) // node 2 has missed one
		w.expect(n[2].read(consistency.Serial, contested))("x=4")
		w.down(1, 2)
		_, err := n[3].cas(consistency.Serial, consistency.One, "x=4", "5")
		if outcome(err) != "unavailable 1/2" {
			t.Errorf("with one live replica: %v", err)
		}
	})
}

// Without others in its way a transaction asks each replica three times.
func TestTransactRequests(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		w.nodes[3].mustCAS("", "1", true)
		w.calls.Wait()
		for _, v := range []peer.Verb{peer.VerbPrepare, peer.VerbAccept, peer.VerbCommit} {
			if got := w.count(v); got != 3 {
				t.Errorf("%d requests of verb %d", got, v)
			}
		}
		w.nodes[3].mustCAS("", "1", false)
		w.expect(w.nodes[3].read(consistency.Serial, contested))("x=1")
		w.calls.Wait()
		if p, a := w.count(peer.VerbPrepare), w.count(peer.VerbAccept); p != 9 || a != 3 {
			t.Errorf("%d prepare and %d accept", p, a)
		}
	})
}

// Node 4, which is no replica, dies at some point of a transaction; what it leaves behind is finished by others.
func TestCoordinatorDies(t *testing.T) {
	reaching := func(verb peer.Verb, nodes ...int) func(from, to int, v peer.Verb) mishap {
		return func(from, to int, v peer.Verb) mishap {
			lost := v > verb
			if v == verb {
				lost = true
				for _, n := range nodes {
					lost = lost && n != to
				}
			}
			return mishap{loseRequest: from == 4 && lost}
		}
	}
	for name, test := range map[string]struct {
		fault      func(from, to int, v peer.Verb) mishap
		want       string // outcome
		seen       []string
		mustChange bool
	}{
		"before all":               {reaching(peer.VerbPrepare), "timeout 0/2", []string{"x=1"}, false},
		"prepared at one":          {reaching(peer.VerbPrepare, 1), "timeout 1/2", []string{"x=1"}, false},
		"prepared":                 {reaching(peer.VerbAccept), "unknown", []string{"x=1"}, false},
		"accepted at one":          {reaching(peer.VerbAccept, 2), "unknown", []string{"x=1", "x=2"}, false},
		"accepted at two":          {reaching(peer.VerbAccept, 1, 3), "timeout 0/2", []string{"x=2"}, true},
		"accepted":                 {reaching(peer.VerbCommit), "timeout 0/2", []string{"x=2"}, true},
		"committed at one":         {reaching(peer.VerbCommit, 3), "timeout 1/2", []string{"x=2"}, true},
		"committed at another one": {reaching(peer.VerbCommit, 1), "timeout 1/2", []string{"x=2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 5, func(w *testCluster) {
				w.nodes[4].mustCAS("", "1", true)
				w.calls.Wait()
				<-time.After(time.Second)
				w.onRequest(test.fault)
				_, err := w.nodes[3].cas(consistency.Serial, consistency.Quorum, "x=1", "2")
				var unknown *CASUnknownError
				got := outcome(err)
				if errors.As(err, &unknown) {
					got = "unknown"
				}
				if got != test.want {
					t.Errorf("%v", err)
				}
				w.heal()
				w.down(1 + len(name)%3)
				first, err := w.nodes[4].read(consistency.Serial, contested)
				if err != nil || !strings.Contains(fmt.Sprint(test.seen), first) {
					t.Errorf("read %q, %v", first, err)
				}
				for _, down := range []int{1, 2, 3} {
					w.down(down)
					again, err := w.nodes[4].read(consistency.Serial, contested)
					if err != nil || again != first && !(first == "x=1" && again == "x=2" && len(test.seen) == 2) {
						t.Errorf("read %q without node %d, and %q before; %v", again, down, first, err)
					}
					first = again
				}
				w.down()
				w.nodes[4].mustCAS(first, "3", true)
				w.expect(w.nodes[0].read(consistency.Serial, contested))("x=3")
			})
		})
	}
}

// Whoever has been preempted after some had accepted finds out that others have finished the change.
func TestOwnChangeFinishedByOthers(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.nodes[4].mustCAS("", "1", true)
		w.calls.Wait()
		accepts := 0
		w.onRequest(func(from, to int, v peer.Verb) mishap {
			if from == 4 && v == peer.VerbAccept {
				if accepts++; accepts <= 3 && to != 1 { // comes too late for nodes 2 and 3
					return mishap{delay: 100 * time.Millisecond}
				}
			}
			return mishap{}
		})
		done := make(chan error, 1)
		go func() {
			ok, err := w.nodes[3].cas(consistency.Serial, consistency.Quorum, "x=1", "2")
			if err == nil && !ok {
				err = errors.New("it is said not to be applied")
			}
			done <- err
		}()
		<-time.After(50 * time.Millisecond)
		w.down(3) // so that node 1 answers
		for i := 2; i < 7; i++ {
			w.nodes[4].mustCAS(fmt.Sprintf("x=%d", i), fmt.Sprint(i+1), true)
		}
		w.down()
		w.must(<-done)
		w.expect(w.nodes[4].read(consistency.Serial, contested))("x=7")
	})
}

func TestLocalSerial(t *testing.T) {
	bubble(t, 6, func(w *testCluster) {
		w.setTable(topologyStrategy("dc1", "3", "dc2", "3"), "BLOCKING")
		w.setTopology(2, w.endpoints("dc1 dc1 dc1 dc2 dc2 dc2")...)
		w.down(4, 5, 6)
		if ok, err := w.nodes[0].cas(consistency.LocalSerial, consistency.LocalQuorum, "", "1"); !ok || err != nil {
			t.Errorf("with the other datacenter down: %v, %v", ok, err)
		}
		if _, err := w.nodes[0].cas(consistency.Serial, consistency.LocalQuorum, "x=1", "2"); outcome(err) != "unavailable 3/4" {
			t.Errorf("SERIAL: %v", err)
		}
		w.down()
		w.calls.Wait()
		w.replay()
		w.expect(w.nodes[3].read(consistency.LocalQuorum, contested))("x=1")
	})
}

// At ANY nobody is waited for; the next one sees the change all the same.
func TestCommitAny(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.onRequest(func(_, _ int, v peer.Verb) mishap {
			if v == peer.VerbCommit {
				return mishap{delay: time.Second}
			}
			return mishap{}
		})
		begun := time.Now()
		if ok, err := w.nodes[3].cas(consistency.Serial, consistency.Any, "", "1"); !ok || err != nil || time.Since(begun) > 0 {
			t.Errorf("%v, %v after %v", ok, err, time.Since(begun))
		}
		w.onRequest(nil)
		w.expect(w.nodes[4].read(consistency.Serial, contested))("x=1")
	})
}

func TestTransactPending(t *testing.T) {
	bubble(t, 6, func(w *testCluster) {
		joining := func(numbers ...int) {
			e := w.endpoints("dc1 dc1 dc1 dc1 dc1 dc1")
			for _, n := range numbers {
				e[n-1].State, e[n-1].Tokens = ring.Joining, []ring.Token{ring.Token(50 + n)}
			}
			w.setTopology(w.nodes[0].topology.Load().Epoch()+1, e...)
		}
		joining(4)
		w.nodes[0].mustCAS("", "1", true)
		w.down(1)
		w.nodes[1].mustCAS("x=1", "2", true) // with the pending one
		w.down(1, 4)
		if _, err := w.nodes[1].cas(consistency.Serial, consistency.Quorum, "x=2", "3"); outcome(err) != "unavailable 2/3" {
			t.Errorf("without the pending one: %v", err)
		}
		w.down()
		joining(4, 5)
		if _, err := w.nodes[0].cas(consistency.Serial, consistency.Quorum, "x=2", "3"); err == nil || !strings.HasPrefix(outcome(err), "unavailable") {
			t.Errorf("with two pending ones: %v", err)
		}
	})
}

// What a node has promised and accepted is on its disk.
func TestStateOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := newTestCluster(t, 1)
		open := func() *Coordinator {
			e, err := storage.Open(storage.Options{Dir: dir, Memory: 64 << 20, Tables: func(uint32) (storage.Table, bool) { return Paxos(), true }})
			w.must(err)
			return New(e, w.nodes[0], Options{Schema: w.schema.Load})
		}
		c, ctx := open(), context.Background()
		q := &query{read: w.question(contested)}
		b, later := c.newBallot(0), c.newBallot(0)
		if p, err := c.promise(ctx, later, q); !p.given || err != nil {
			t.Fatal(p, err)
		}
		m := w.set(contested, "x", "1", later.Time)
		own := w.proposal(later, m)
		if ok, _, err := c.accept(ctx, own, m); !ok || err != nil {
			t.Fatal(ok, err)
		}
		w.must(c.engine.Close())
		c = open()
		p, err := c.promise(ctx, b, q)
		if p.given || err != nil || p.state.Promised != later || p.state.Accepted.Ballot != later || string(p.state.Accepted.Change) != string(own.Change) {
			t.Errorf("after a restart: %+v, %v", p, err)
		}
		w.must(c.commit(ctx, own, m))
		w.must(c.engine.Close())
		c = open()
		defer func() { w.must(c.engine.Close()) }()
		p, err = c.promise(ctx, c.newBallot(later.Time), q)
		if !p.given || err != nil || p.state.Unfinished() || p.state.Committed.Ballot != later || len(p.block) == 0 {
			t.Errorf("after the commit: %+v, %v", p, err)
		}
		c.opts.Now = func() time.Time { return time.Now().Add(2000 * time.Hour) }
		clear(c.acceptors.of(contested).states)
		if p, err := c.promise(ctx, c.newBallot(0), q); !p.given || err != nil || p.state.Committed.Ballot.Time != 0 {
			t.Errorf("after a long time: %+v, %v", p, err)
		}
	})
}

func (w *testCluster) proposal(b paxos.Ballot, m *row.Mutation) *paxos.Proposal {
	return &paxos.Proposal{Ballot: b, Origin: b, Change: m.Append(nil)}
}

// Rows that are more than a block are read on, in transactions and at SERIAL.
func TestTransactLarge(t *testing.T) {
	for _, nodes := range []int{1, 4} {
		bubble(t, nodes, func(w *testCluster) {
			w.setTable(simple(fmt.Sprint(min(nodes, 3))), "BLOCKING")
			n := w.nodes[nodes-1]
			large := strings.Repeat("v", 300<<10)
			for _, name := range []string{"a", "b", "c", "d"} {
				w.must(n.write(consistency.All, w.at(contested).put(name, large)))
			}
			count := 0
			applied, err := n.transact(consistency.Serial, consistency.Quorum, contested, func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
				_, length, err := list(rows)
				count = length
				return n.set(contested, "e", "1", timestamp), err
			})
			if !applied || err != nil || count != 4 {
				t.Errorf("%d nodes: %v, %v, %d rows", nodes, applied, err, count)
			}
			if got, err := n.read(consistency.Serial, contested); err != nil || len(got) < 4*len(large) || !strings.HasSuffix(got, " e=1") {
				t.Errorf("%d nodes: %d bytes, %v", nodes, len(got), err)
			}
		})
	}
}
