package coordinator

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// Acceptors refuse whoever knows an older topology, and tables that are gone.
func TestAcceptorsAdmit(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		n := w.nodes[0]
		b := n.coordinator.newBallot(0)
		m := w.set(contested, "x", "1", b.Time)
		code := func(v peer.Verb, body []byte) uint16 {
			_, err := n.handle(&peer.Request{From: id(4), Verb: v, Deadline: time.Now().Add(time.Second), Body: body})
			if err == nil {
				return 0
			}
			return err.(*peer.Failure).Code
		}
		check := func(e epochs, want uint16) {
			t.Helper()
			own := w.proposal(b, m)
			for v, body := range map[peer.Verb][]byte{
				peer.VerbPrepare: appendPrepare(e, b, &query{read: w.question(contested)}),
				peer.VerbAccept:  appendProposal(e, own),
				peer.VerbCommit:  appendProposal(e, own),
			} {
				if got := code(v, body); got != want {
					t.Errorf("verb %d gives code %d, want %d", v, got, want)
				}
			}
		}
		check(epochs{topology: 1}, 0)
		check(epochs{topology: 0}, codeStale)
		w.setTable(simple("3"), "BLOCKING")
		w.schema.Store(w.schema.Load().With(simple("3")))
		check(epochs{topology: 1}, codeSchema)
		for _, v := range []peer.Verb{peer.VerbPrepare, peer.VerbAccept, peer.VerbCommit} {
			if got := code(v, []byte{1, 1, 1}); got != codeInvalid {
				t.Errorf("nonsense for verb %d gives code %d", v, got)
			}
		}
	})
}

// A replica that has missed a change gets it before the next one is accepted.
func TestMissedChangesAreBrought(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		w.onRequest(func(_, to int, v peer.Verb) mishap { return mishap{unreachable: v == peer.VerbCommit && to != 1} })
		if ok, err := w.nodes[3].cas(consistency.Serial, consistency.One, "", "1"); !ok || err != nil {
			t.Fatal(ok, err)
		}
		w.heal()
		w.down(2)
		w.nodes[3].mustCAS("x=1", "2", true)
		w.down(1)
		w.expect(w.nodes[3].read(consistency.Quorum, contested))("x=2")
		w.down()
		w.replay()
		w.calls.Wait()
		w.alike(contested, 1, 2, 3)
	})
}

// A node that has taken over a range knows what was accepted and committed there, and has what was committed.
func TestPullStates(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		ctx, from := context.Background(), w.nodes[0].coordinator
		first, second := from.newBallot(0), from.newBallot(0)
		committed, accepted := w.set(contested, "a", "1", first.Time), w.set(contested, "b", "2", second.Time)
		w.must(from.commit(ctx, w.proposal(first, committed), committed))
		if ok, _, err := from.accept(ctx, w.proposal(second, accepted), accepted); !ok || err != nil {
			t.Fatal(ok, err)
		}
		to := w.nodes[3].coordinator
		other := w.set(contested, "c", "3", 1)
		if ok, _, err := to.accept(ctx, w.proposal(paxos.Ballot{Time: 1}, other), other); !ok || err != nil {
			t.Fatal(ok, err)
		}
		e := w.nodes[3].Topology().Endpoint(id(1))
		w.must(to.Pull(ctx, e, w.table, ring.Range{Start: 0, End: 100}, func(int) error { return nil }))
		s, err := to.loadState(w.table.Incarnation, w.question(contested).Partition)
		if err != nil || s.Promised != second || s.Accepted.Ballot != second || s.Committed.Ballot != first {
			t.Errorf("%+v, %v", s, err)
		}
		w.expect(w.nodes[3].ask(consistency.One, w.question(contested), 0))("a=1")
	})
}

// A change that was decided before a node takes over a range, and that nobody has made yet, is made after it.
func TestDecidedBeforeJoining(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.nodes[4].mustCAS("", "1", true)
		w.calls.Wait()
		w.onRequest(func(_, to int, v peer.Verb) mishap {
			return mishap{loseRequest: v == peer.VerbAccept && to == 2, unreachable: v == peer.VerbCommit}
		})
		if ok, err := w.nodes[4].cas(consistency.Serial, consistency.Any, "x=1", "2"); !ok || err != nil {
			t.Fatal(ok, err)
		}
		w.heal()
		join(w) // node 4 replaces node 3
		w.down(1)
		w.expect(w.nodes[4].read(consistency.Serial, contested))("x=2")
	})
}

func FuzzPaxosBodies(f *testing.F) {
	b := paxos.Ballot{Time: 5, Nonce: 1}
	m := new(row.Mutation)
	m.Begin(1, 50, []byte("p"))
	m.AddRow(row.NewFragment(), []byte("x"))
	p := paxos.Proposal{Ballot: b, Origin: b, Change: m.Append(nil)}
	f.Add(appendPrepare(epochs{1, 2}, b, &query{read: &storage.Read{Incarnation: 1, Partition: row.AppendPartition(nil, 50, []byte("p"))}}))
	f.Add(appendProposal(epochs{1, 2}, &p))
	f.Add((&promise{given: true, state: paxos.State{Promised: b, Accepted: p}, block: []byte("block")}).append(nil))
	f.Add(appendAccepted(nil, true, b))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, b, q, err := decodePrepare(body); err == nil {
			if _, _, _, err := decodePrepare(appendPrepare(e, b, &q)); err != nil {
				t.Error(err)
			}
		}
		if e, p, m, err := decodeProposal(body); err == nil {
			if _, _, again, err := decodeProposal(appendProposal(e, &p)); err != nil || !bytes.Equal(m.Append(nil), again.Append(nil)) {
				t.Error(err)
			}
		}
		if p, err := decodePromise(body); err == nil {
			if _, err := decodePromise(p.append(nil)); err != nil {
				t.Error(err)
			}
		}
		if ok, above, err := decodeAccepted(body); err == nil {
			if again, _, err := decodeAccepted(appendAccepted(nil, ok, above)); err != nil || again != ok {
				t.Error(err)
			}
		}
	})
}

func BenchmarkTransact(b *testing.B) {
	for name, nodes := range map[string]int{"alone": 1, "three replicas": 4} {
		b.Run(name, func(b *testing.B) {
			w := newTestCluster(b, nodes)
			w.setTable(simple(map[bool]string{true: "1", false: "3"}[nodes == 1]), "BLOCKING")
			n := w.nodes[nodes-1]
			b.ReportAllocs()
			for i := int64(0); b.Loop(); i++ {
				token := i % 100 // or it is reading the many versions of one row that takes the time
				ok, err := n.transact(consistency.Serial, consistency.Quorum, token, func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
					_, err := allRows(rows)
					return w.set(token, "x", "value", timestamp), err
				})
				if !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
			w.calls.Wait()
		})
	}
}
