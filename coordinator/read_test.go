package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

func TestReadOutcomes(t *testing.T) {
	const one, two, quorum, all = consistency.One, consistency.Two, consistency.Quorum, consistency.All
	const localQuorum, each = consistency.LocalQuorum, consistency.EachQuorum
	type test struct {
		level        consistency.Level
		states, want string
	}
	run := func(name, factor, datacenters string, coordinator int, tests []test) {
		t.Run(name, func(t *testing.T) {
			bubble(t, len(strings.Fields(datacenters)), func(w *testCluster) {
				k := simple(factor)
				if strings.Contains(factor, "dc") {
					k = topologyStrategy(strings.Fields(factor)...)
				}
				w.setTable(k, "BLOCKING")
				w.setTopology(1, w.endpoints(datacenters)...)
				w.must(w.nodes[0].write(consistency.All, w.at(50).put("a", "1")))
				for _, test := range tests {
					w.states(test.states)
					rows, err := w.nodes[coordinator-1].read(test.level, 50)
					if got := outcome(err); got != test.want || err == nil && rows != "a=1" {
						t.Errorf("%s with %s: %s and %q, want %s", test.level, test.states, got, rows, test.want)
					}
					w.heal()
				}
			})
		})
	}
	// Node 4 is no replica: it asks 1 for data, and others for hashes.
	run("three replicas", "3", "dc1 dc1 dc1 dc1", 4, []test{
		{one, "ok ok ok", "ok"}, {one, "down down ok", "ok"}, {one, "down down down", "unavailable 0/1"},
		{quorum, "ok ok ok", "ok"}, {quorum, "down ok ok", "ok"}, {quorum, "down ok down", "unavailable 1/2"},
		{quorum, "ok down ok", "ok"}, {all, "ok ok down", "unavailable 2/3"}, {two, "ok ok down", "ok"},
		{one, "fails ok ok", "ok"}, {one, "fails fails ok", "ok"}, {one, "fails fails fails", "failure 0/1 [1:0 2:0 3:0]"},
		{quorum, "fails ok ok", "ok"}, {quorum, "ok fails ok", "ok"}, {quorum, "cut ok ok", "ok"},
		{quorum, "tombstones ok fails", "failure 1/2 [1:1 3:0]"}, {quorum, "ok fails fails", "failure 1/2 [2:0 3:0] with data"},
		{quorum, "silent ok ok", "timeout 1/2"}, {quorum, "ok silent ok", "timeout 1/2 with data"}, // no Patience, no spare
		{all, "ok silent ok", "timeout 2/3 with data"}, {all, "ok ok fails", "failure 2/3 [3:0] with data"},
		{one, "silent ok ok", "timeout 0/1"}, {one, "mute ok ok", "timeout 0/1"},
	})
	run("two datacenters", "dc1 3 dc2 3", "dc1 dc1 dc1 dc2 dc2 dc2 dc1", 7, []test{
		{localQuorum, "ok ok ok down down down", "ok"}, {localQuorum, "ok fails ok", "ok"}, {localQuorum, "ok fails fails", "failure 1/2 [2:0 3:0] with data"},
		{each, "ok ok ok ok ok ok", "ok"}, {each, "ok ok ok ok fails ok", "ok"}, {each, "ok ok ok ok silent ok", "timeout 3/4 with data"},
		{each, "ok ok ok down down ok", "unavailable 1/2 in dc2"}, {quorum, "ok fails ok ok ok ok", "ok"}, {all, "ok ok ok ok ok down", "unavailable 5/6"},
	})
}

// A silent replica is given up for a spare one after a while.
func TestSpareReplicas(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		n := w.nodes[3]
		n.patience = 100 * time.Millisecond
		w.must(n.write(consistency.All, w.at(50).put("a", "1")))
		check := func(level consistency.Level, states string, least time.Duration, want string) {
			t.Helper()
			w.states(states)
			begin := time.Now()
			_, err := n.read(level, 50)
			took := time.Since(begin)
			if got := outcome(err); got != want || took < least || took > least+50*time.Millisecond {
				t.Errorf("%s with %s: %s after %v, want %s after %v", level, states, got, took, want, least)
			}
			w.heal()
		}
		check(consistency.One, "silent ok ok", n.patience, "ok")
		check(consistency.Quorum, "silent ok ok", n.patience, "ok")
		check(consistency.Quorum, "ok silent ok", n.patience, "ok")
		check(consistency.Quorum, "fails ok ok", 0, "ok")
		check(consistency.All, "ok silent ok", w.timeout, "timeout 2/3 with data")
		check(consistency.Quorum, "silent silent ok", w.timeout, "timeout 1/2 with data")
		// Also when data is asked for a second time.
		w.at(50).put("a", "2").on(1)
		asked := 0
		w.onRequest(func(_, to int, v peer.Verb) mishap {
			if to == 2 && v == peer.VerbRead {
				if asked++; asked == 2 {
					return mishap{loseRequest: true}
				}
			}
			return mishap{}
		})
		w.expect(n.read(consistency.Quorum, 50))("a=2")
		w.heal()
		if asked != 2 {
			t.Errorf("node 2 was asked %d times", asked)
		}
	})
}

// Replicas that differ are merged and repaired before anybody sees the rows.
func TestReadRepair(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		n := w.nodes[3]
		w.at(50).put("a", "1").put("b", "1").put("c", "1").static("s").on(1, 2, 3)
		w.at(50).put("b", "2").on(1)
		w.at(50).remove("c").put("d", "1").on(2)
		w.expect(n.read(consistency.Quorum, 50))("s/a=1 s/b=2 s/d=1")
		w.alike(50, 1, 2)
		before := w.count(peer.VerbHint)
		w.expect(n.read(consistency.Quorum, 50))("s/a=1 s/b=2 s/d=1")
		if w.count(peer.VerbHint) != before {
			t.Error("what is repaired is repaired again")
		}
		w.states("down ok ok") // the other one has missed it all
		w.expect(n.read(consistency.Quorum, 50))("s/a=1 s/b=2 s/d=1")
		w.heal()
		w.alike(50, 1, 2, 3)

		// A replica that cannot be repaired does not count.
		w.at(50).put("e", "1").on(1)
		w.onRequest(func(_, to int, v peer.Verb) mishap {
			return mishap{failure: &peer.Failure{Code: codeDisk}}.onlyIf(v == peer.VerbHint)
		})
		_, err := n.read(consistency.Quorum, 50)
		if got := outcome(err); got != "timeout 1/2 with data" {
			t.Error(got)
		}
		w.onRequest(func(_, to int, v peer.Verb) mishap { return mishap{loseRequest: true}.onlyIf(v == peer.VerbHint) })
		_, err = n.read(consistency.Quorum, 50)
		if got := outcome(err); got != "timeout 1/2 with data" {
			t.Error(got)
		}
		w.heal()

		w.setTable(simple("3"), "NONE")
		w.at(50).put("a", "1").on(1)
		before = w.count(peer.VerbHint)
		w.expect(n.read(consistency.All, 50))("a=1")
		if w.count(peer.VerbHint) != before {
			t.Error("it repairs")
		}
		w.heal()

		w.setTable(simple("3"), "BLOCKING") // the coordinator itself lacks rows, or has more
		w.at(50).put("a", "1").on(2)
		w.expect(w.nodes[0].read(consistency.Quorum, 50))("a=1")
		w.at(50).put("b", "1").on(1)
		w.expect(w.nodes[0].read(consistency.Quorum, 50))("a=1 b=1")
		w.heal()
		w.alike(50, 1, 2)
	})
}

func (f mishap) onlyIf(ok bool) mishap {
	if ok {
		return f
	}
	return mishap{}
}

// Rows deleted on one replica do not make answers short, whatever is read and however much at once.
func TestShortReads(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		n := w.nodes[3]
		for rows := range 6 {
			for _, reverse := range []bool{false, true} {
				w.setTable(simple("3"), "BLOCKING")
				all := w.at(50).static("s")
				for c := 'a'; c <= 'p'; c++ {
					all.put(string(c), "1")
				}
				all.on(1, 2, 3)
				w.at(50).remove("a").remove("b").remove("p").removeRange("d", "g").on(1)
				w.at(50).remove("c").removeRange("f", "i").put("q", "2").on(2)
				w.at(50).removeRange("j", "l").static("t").put("d", "3").on(3)
				q := w.question(50)
				q.Reverse = reverse
				want := "t/d=3 t/i=1 t/l=1 t/m=1 t/n=1 t/o=1 t/q=2"
				if reverse {
					want = "t/q=2 t/o=1 t/n=1 t/m=1 t/l=1 t/i=1 t/d=3"
				}
				c, err := n.coordinator.Read(context.Background(), n.reading(consistency.All, rows), q)
				w.must(err)
				got, err := drain(c, 2)
				if first := strings.Join(strings.Fields(want)[:2], " "); err != nil || got != first {
					t.Errorf("rows %d reverse %v: %q, %v, want %q", rows, reverse, got, err, first)
				}
				w.expect(n.ask(consistency.All, q, rows))(want)
				w.alike(50, 1, 2, 3)
				q.Slices = []storage.Slice{{Start: []byte("b"), End: []byte("e")}, {Start: []byte("m"), End: []byte("n")}, {Start: []byte("q")}}
				want = "t/d=3 t/m=1 t/q=2"
				if reverse {
					want = "t/q=2 t/m=1 t/d=3"
				}
				w.expect(n.ask(consistency.All, q, rows))(want)
				q.Point, q.Slices = true, []storage.Slice{{Start: []byte("d")}}
				w.expect(n.ask(consistency.Quorum, q, rows))("t/d=3")
				q.Slices[0].Start = []byte("f")
				w.expect(n.ask(consistency.Quorum, q, rows))("")
			}
		}
		w.setTable(simple("3"), "BLOCKING")
		w.at(50).static("s").put("a", "1").on(1, 2, 3)
		w.at(50).remove("a").on(2)
		q := w.question(50)
		q.StaticOnly = true
		w.expect(n.ask(consistency.Quorum, q, 1))("s/-")
		w.at(50).removeAll().on(3)
		w.expect(n.ask(consistency.All, q, 1))("")
		w.expect(n.ask(consistency.Quorum, q, 1))("")
	})
}

// Reading ends with its context, its deadline, or when nobody is left.
func TestReadsEnd(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		n := w.nodes[3]
		w.must(n.write(consistency.All, w.at(50).put("a", "1").put("b", "1")))
		ctx, cancel := context.WithCancel(context.Background())
		w.states("silent silent silent")
		c, err := n.coordinator.Read(ctx, n.reading(consistency.Quorum, 0), w.question(50))
		w.must(err)
		w.calls.Go(func() {
			<-time.After(time.Second)
			cancel()
		})
		if _, err := drain(c, -1); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		w.heal()
		// Between two blocks replicas die.
		c, err = n.coordinator.Read(context.Background(), n.reading(consistency.Quorum, 1), w.question(50))
		w.must(err)
		if !c.Next() {
			t.Fatal(c.Err())
		}
		w.down(1, 2)
		if _, err := drain(c, -1); outcome(err) != "unavailable 1/2" {
			t.Error(outcome(err))
		}
		w.heal()
		// No newer topology is to be had.
		older := n.topology.Load()
		w.setTopology(2, w.endpoints("dc1 dc1 dc1 dc1")...)
		n.topology.Store(older)
		n.refresh = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		begin := time.Now()
		if _, err := n.read(consistency.Quorum, 50); outcome(err) != "timeout 0/2" || time.Since(begin) != w.timeout {
			t.Errorf("%s after %v", outcome(err), time.Since(begin))
		}
		refreshed := 0
		n.refresh = func(context.Context) error {
			refreshed++
			n.topology.Store(w.nodes[0].topology.Load())
			return nil
		}
		w.expect(n.read(consistency.Quorum, 50))("a=1 b=1")
		n.topology.Store(older)
		w.expect(n.scan(consistency.Quorum, &storage.Scan{Incarnation: w.table.Incarnation}, 1, -1))("a=1 b=1")
		if refreshed != 2 {
			t.Error(fmt.Sprint("refreshed ", refreshed))
		}
	})
}
