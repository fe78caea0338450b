package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/peer"
)

// states turns "ok silent fails down" into the states of nodes 1, 2, ...
func (w *testCluster) states(states string) {
	var down []int
	faults := map[int]mishap{}
	for i, s := range strings.Fields(states) {
		switch s {
		case "down":
			down = append(down, i+1)
		case "silent":
			faults[i+1] = mishap{loseRequest: true}
		case "mute":
			faults[i+1] = mishap{loseAnswer: true}
		case "fails":
			faults[i+1] = mishap{failure: &peer.Failure{Code: codeDisk}, delay: time.Millisecond}
		case "invalid":
			faults[i+1] = mishap{failure: &peer.Failure{Code: codeInvalid}}
		case "cut":
			faults[i+1] = mishap{unreachable: true, delay: time.Millisecond}
		case "tombstones":
			faults[i+1] = mishap{failure: &peer.Failure{Code: codeTombstones}, delay: time.Millisecond}
		}
	}
	w.down(down...)
	w.faultsAt(faults)
}

// Node 1 coordinates, and is the first replica of token 50.
func TestWriteOutcomes(t *testing.T) {
	const (
		one, two, three, quorum, all = consistency.One, consistency.Two, consistency.Three, consistency.Quorum, consistency.All
		any, localOne, localQuorum   = consistency.Any, consistency.LocalOne, consistency.LocalQuorum
		each                         = consistency.EachQuorum
	)
	type test struct {
		level  consistency.Level
		states string
		want   string
		hints  string // of node 1
	}
	run := func(name, factor, datacenters string, tests []test) {
		t.Run(name, func(t *testing.T) {
			bubble(t, len(strings.Fields(datacenters)), func(w *testCluster) {
				for _, test := range tests {
					if strings.Contains(factor, "dc") {
						w.setTable(topologyStrategy(strings.Fields(factor)...), "BLOCKING")
					} else {
						w.setTable(simple(factor), "BLOCKING")
					}
					w.setTopology(1, w.endpoints(datacenters)...)
					w.states(test.states)
					got := outcome(w.nodes[0].write(test.level, w.at(50).put("a", "1")))
					w.heal()
					hints := w.nodes[0].hintsFor()
					if got != test.want || hints != test.hints {
						t.Errorf("%s with %s: %s and hints %s, want %s and %s", test.level, test.states, got, hints, test.want, test.hints)
					}
					w.replay()
				}
			})
		})
	}
	run("one replica", "1", "dc1 dc1 dc1", []test{
		{any, "ok", "ok", "[0 0 0]"}, {one, "ok", "ok", "[0 0 0]"}, {quorum, "ok", "ok", "[0 0 0]"}, {all, "ok", "ok", "[0 0 0]"},
		{two, "ok", "unavailable 1/2", "[0 0 0]"}, {three, "ok", "unavailable 1/3", "[0 0 0]"},
		{localOne, "ok", "ok", "[0 0 0]"}, {localQuorum, "ok", "ok", "[0 0 0]"}, {each, "ok", "ok", "[0 0 0]"},
	})
	run("three replicas", "3", "dc1 dc1 dc1", []test{
		{one, "ok ok ok", "ok", "[0 0 0]"}, {all, "ok ok ok", "ok", "[0 0 0]"},
		{one, "ok down down", "ok", "[0 1 1]"}, {quorum, "ok ok down", "ok", "[0 0 1]"}, {quorum, "ok down down", "unavailable 1/2", "[0 0 0]"},
		{each, "ok down down", "unavailable 1/2", "[0 0 0]"}, {localQuorum, "ok down down", "unavailable 1/2", "[0 0 0]"},
		{two, "ok down down", "unavailable 1/2", "[0 0 0]"}, {three, "ok ok down", "unavailable 2/3", "[0 0 0]"},
		{all, "ok ok down", "unavailable 2/3", "[0 0 0]"}, {any, "ok down down", "ok", "[0 1 1]"},
		{one, "ok silent silent", "ok", "[0 1 1]"}, {quorum, "ok ok silent", "ok", "[0 0 1]"}, {quorum, "ok silent silent", "timeout 1/2", "[0 1 1]"},
		{quorum, "ok mute mute", "timeout 1/2", "[0 1 1]"}, {all, "ok ok silent", "timeout 2/3", "[0 0 1]"},
		{quorum, "ok down silent", "timeout 1/2", "[0 1 1]"}, {localOne, "ok silent down", "ok", "[0 1 1]"},
		{quorum, "ok ok fails", "ok", "[0 0 1]"}, {quorum, "ok fails fails", "failure 1/2 [2:0 3:0]", "[0 1 1]"},
		{quorum, "ok fails down", "failure 1/2 [2:0]", "[0 1 1]"}, {all, "ok silent fails", "failure 1/3 [3:0]", "[0 1 1]"},
		{quorum, "ok fails silent", "timeout 1/2", "[0 1 1]"}, {three, "ok ok cut", "failure 2/3 [3:5]", "[0 0 1]"},
		{quorum, "ok ok invalid", "ok", "[0 0 0]"},
	})
	// Token 50 has the replicas 1, 2, 3 in dc1 and 4, 5, 6 in dc2.
	run("two datacenters", "dc1 3 dc2 3", "dc1 dc1 dc1 dc2 dc2 dc2", []test{
		{localQuorum, "ok ok down down down down", "ok", "[0 0 1 1 1 1]"}, {localQuorum, "ok down down", "unavailable 1/2", "[0 0 0 0 0 0]"},
		{localOne, "ok ok ok silent silent silent", "ok", "[0 0 0 1 1 1]"}, {localQuorum, "ok silent silent", "timeout 1/2", "[0 1 1 0 0 0]"},
		{each, "ok ok down ok ok down", "ok", "[0 0 1 0 0 1]"}, {each, "ok ok ok ok down down", "unavailable 1/2 in dc2", "[0 0 0 0 0 0]"},
		{each, "ok ok ok ok silent silent", "timeout 3/4", "[0 0 0 0 1 1]"}, {each, "ok ok ok ok fails fails", "failure 3/4 [5:0 6:0]", "[0 0 0 0 1 1]"},
		{quorum, "ok ok ok ok down down", "ok", "[0 0 0 0 1 1]"}, {quorum, "ok ok ok down down down", "unavailable 3/4", "[0 0 0 0 0 0]"},
		{quorum, "ok ok ok silent silent silent", "timeout 3/4", "[0 0 0 1 1 1]"}, {all, "ok ok ok ok ok down", "unavailable 5/6", "[0 0 0 0 0 0]"},
		{all, "ok ok ok ok ok ok", "ok", "[0 0 0 0 0 0]"},
	})
	// Node 4 is about to be a replica of token 350 beside nodes 1, 2 and 3.
	run("nobody", "dc1 0", "dc1 dc1", []test{{one, "ok", "unavailable 0/1", "[0 0]"}, {all, "ok", "ok", "[0 0]"}})
}

// ANY takes a hint for an answer, but only one that is on disk.
func TestAny(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		w.setTable(simple("2"), "BLOCKING") // token 150: nodes 2 and 3; 250: 3 and 4
		n := w.nodes[0]
		check := func(name, states, want, hints string, durable bool, tokens ...int64) {
			t.Helper()
			w.states(states)
			var changes []*change
			for _, token := range tokens {
				changes = append(changes, w.at(token).put("a", "1"))
			}
			begin := time.Now()
			got := outcome(n.write(consistency.Any, changes...))
			quick := time.Since(begin) < w.timeout
			w.heal()
			if got != want || n.hintsFor() != hints || (n.durable > 0) != durable {
				t.Errorf("%s: %s, hints %s, %d durable; want %s and %s", name, got, n.hintsFor(), n.durable, want, hints)
			}
			if !quick && !strings.Contains(states, "silent") {
				t.Errorf("%s: it takes too long", name)
			}
			w.replay()
			if got == "ok" {
				for _, token := range tokens {
					first := int(token/100) + 1
					w.alike(token, first, first+1)
					w.expect(n.read(consistency.All, token))("a=1")
				}
			}
			w.setTable(simple("2"), "BLOCKING")
		}
		check("all down", "ok down down", "ok", "[0 1 1 0]", true, 150)
		check("one down", "ok ok down", "ok", "[0 0 1 0]", false, 150)
		check("all silent", "ok silent silent", "ok", "[0 2 1 0]", true, 150)
		check("all fail", "ok fails fails", "ok", "[0 2 1 0]", true, 150)
		check("one partition of two", "ok down down ok", "ok", "[0 1 1 0]", true, 150, 250)
		n.noHints = errors.New("the disk is full")
		check("no hints", "ok down down", "timeout 0/1", "[0 0 0 0]", false, 150)
		check("one partition without hints", "ok down down ok", "timeout 0/1", "[0 0 0 0]", false, 150, 250)
		n.noHints = nil
		w.setTopology(2, w.endpoints("dc1 dc1 dc1 DC1")...)
		w.states("ok ok ok down")
		w.must(n.write(consistency.Any, w.at(350).put("a", "1"))) // a pending endpoint is not asked for more
		w.states("ok ok ok silent")
		w.must(n.write(consistency.Any, w.at(350).put("b", "1")))
		w.heal()
	})
}

// A batch is as good as its worst partition.
func TestBatches(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.setTable(simple("2"), "BLOCKING")
		n := w.nodes[0]
		batch := func() []*change {
			return []*change{w.at(50).put("a", "1"), w.at(150).put("a", "1"), w.at(60).put("a", "1"), w.at(450).put("a", "1")}
		}
		before := w.count(peer.VerbMutate)
		w.must(n.write(consistency.All, batch()...))
		if sent := w.count(peer.VerbMutate) - before; sent != 3 {
			t.Errorf("%d requests, want one for each of nodes 2, 3 and 5", sent)
		}
		for _, token := range []int64{50, 60, 150, 450} {
			w.expect(n.read(consistency.All, token))("a=1")
		}
		for states, want := range map[string]string{
			"ok ok silent":       "timeout 1/2", // of 150
			"ok ok fails":        "failure 1/2 [3:0]",
			"ok ok ok ok silent": "timeout 1/2", // of 450
			"ok ok ok ok down":   "unavailable 1/2",
		} {
			w.states(states)
			if got := outcome(n.write(consistency.All, batch()...)); got != want {
				t.Errorf("%s: %s, want %s", states, got, want)
			}
			w.heal()
		}
		w.states("ok down silent") // 50 is on node 1, 150 nowhere, 450 on two
		if got := outcome(n.write(consistency.One, batch()...)); got != "timeout 0/1" {
			t.Error(got)
		}
		w.heal()
		if n.hintsFor() == "[0 0 0 0 0]" {
			t.Error("no hints")
		}
	})
}

// A write goes to the endpoints that become replicas, too, and needs their answers.
func TestPendingEndpoints(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		w.setTopology(2, w.endpoints("dc1 dc1 dc1 DC1")...)
		n := w.nodes[0]
		for i, test := range []struct {
			level        consistency.Level
			states, want string
		}{
			{consistency.One, "ok ok ok ok", "ok"},
			{consistency.One, "ok ok ok down", "ok"}, // two of three others
			{consistency.Quorum, "ok ok ok silent", "ok"},
			{consistency.Quorum, "ok ok silent silent", "timeout 2/3"},
			{consistency.Quorum, "ok ok down down", "unavailable 2/3"},
			{consistency.Quorum, "ok ok fails fails", "failure 2/3 [3:0 4:0]"},
			{consistency.All, "ok ok ok silent", "timeout 3/4"},
			{consistency.LocalQuorum, "ok silent ok ok", "ok"},
		} {
			w.states(test.states)
			token := int64(350)
			if got := outcome(n.write(test.level, w.at(token).put(string(rune('a'+i)), "1"))); got != test.want {
				t.Errorf("%s with %s: %s, want %s", test.level, test.states, got, test.want)
			}
			w.heal()
			w.replay()
			w.alike(350, 1, 2, 3, 4)
		}
	})
}

// A coordinator that knows an older topology is told so, asks for the newer one, and writes to all new replicas.
func TestStaleWrites(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		older := w.setTopology(1, w.endpoints("dc1 dc1 dc1")...)
		newer := w.setTopology(2, w.endpoints("dc1 dc1 dc1 DC1")...)
		n := w.nodes[0]
		refreshed := 0
		n.refresh = func(context.Context) error {
			refreshed++
			n.topology.Store(newer)
			return nil
		}
		n.topology.Store(older)
		w.must(n.write(consistency.Quorum, w.at(350).put("a", "1")))
		w.heal()
		w.alike(350, 1, 2, 3, 4)
		if refreshed != 1 {
			t.Errorf("refreshed %d times", refreshed)
		}
		// Enough replicas know no better, and the one that does misses nothing.
		n.topology.Store(older)
		w.nodes[1].topology.Store(older)
		w.must(n.write(consistency.Quorum, w.at(350).put("b", "1")))
		w.heal()
		w.replay()
		w.alike(350, 1, 2, 3)
		// There is no newer one to be had.
		w.faultsAt(map[int]mishap{2: {delay: time.Millisecond}, 3: {delay: time.Millisecond}})
		w.nodes[1].topology.Store(newer)
		n.refresh = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		if got := outcome(n.write(consistency.Quorum, w.at(350).put("c", "1"))); got != "timeout 1/2" {
			t.Errorf("without a newer topology: %s", got)
		}
		n.refresh = func(context.Context) error { return errors.New("no leader") }
		if got := outcome(n.write(consistency.Quorum, w.at(350).put("c", "1"))); got != "no leader" {
			t.Errorf("without a leader: %s", got)
		}
		w.heal()
	})
}

// A replica catches up with the schema before it decides that a table does not exist.
func TestSchemaOfReplicas(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		behind, ahead := w.nodes[1], w.nodes[2]
		before := w.schema.Load()
		w.setTable(simple("3"), "BLOCKING")
		behind.ownSchema.Store(before)
		behind.catchUp = func(_ context.Context, epoch uint64) error {
			if epoch != w.schema.Load().Epoch {
				t.Errorf("it is to catch up with %d", epoch)
			}
			behind.ownSchema.Store(nil)
			return nil
		}
		w.must(w.nodes[0].write(consistency.All, w.at(50).put("a", "1")))
		w.heal()
		w.alike(50, 1, 2, 3)
		behind.ownSchema.Store(before)
		w.expect(w.nodes[0].read(consistency.All, 50))("a=1")
		// It cannot.
		w.faultsAt(map[int]mishap{2: {delay: time.Millisecond}})
		behind.ownSchema.Store(before)
		behind.catchUp = func(context.Context, uint64) error { return errors.New("no leader") }
		if got := outcome(w.nodes[0].write(consistency.All, w.at(50).put("b", "1"))); got != "failure 2/3 [2:3]" {
			t.Error(got)
		}
		if _, err := w.nodes[0].read(consistency.All, 50); outcome(err) != "failure 2/3 [2:3] with data" {
			t.Error(outcome(err))
		}
		w.heal()
		behind.ownSchema.Store(nil)
		w.replay()
		w.alike(50, 1, 2, 3)
		// The table is gone where the schema is newer: there is nothing to write.
		ahead.ownSchema.Store(w.schema.Load().Without("ks"))
		w.must(w.nodes[0].write(consistency.All, w.at(50).put("c", "1")))
		w.heal()
		w.faultsAt(map[int]mishap{3: {delay: time.Millisecond}})
		if hints := w.nodes[0].hintsFor(); hints != "[0 0 0]" {
			t.Errorf("hints %s", hints)
		}
		if _, err := w.nodes[0].read(consistency.All, 50); outcome(err) != "failure 2/3 [3:3] with data" {
			t.Error(outcome(err))
		}
		w.heal()
	})
}

// The caller may use mutations again unless it was told otherwise, so a write does not succeed while the
// node itself is still at it.
func TestOwnStorageIsSlow(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		c := w.at(50).put("a", "1")
		g := newWriting(w.nodes[0].coordinator, consistency.One)
		p, err := g.coordinator.plan(w.keyspace, consistency.One, 50, true)
		w.must(err)
		g.add(p, &c.Mutation)
		g.answer(&g.targets[1], nil)
		g.apply(ctx, nil, &g.targets[0]) // it does not wait for the engine
		if err := g.result(ctx, nil); err == nil {
			t.Error("the write is done, and its mutation in use")
		}
	})
}

// Drain waits for the writes that have begun, also on a node that is alone when they do, and after a Drain that was given up.
func TestDrain(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		n := w.nodes[0]
		drained := func() chan struct{} {
			done := make(chan struct{})
			w.calls.Go(func() {
				defer close(done)
				if err := n.coordinator.Drain(context.Background()); err != nil {
					t.Error(err)
				}
			})
			return done
		}
		isDone := func(c chan struct{}) bool {
			<-time.After(time.Millisecond)
			select {
			case <-c:
				return true
			default:
				return false
			}
		}
		hold := make(chan struct{})
		w.faultsAt(map[int]mishap{2: {hold: hold}, 3: {hold: hold}})
		w.calls.Go(func() { _ = n.write(consistency.Quorum, w.at(50).put("a", "1")) })
		<-time.After(time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := n.coordinator.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v", err)
		}
		first, second := drained(), drained()
		if isDone(first) || isDone(second) {
			t.Error("a write is under way")
		}
		w.onRequest(nil)
		w.must(n.write(consistency.Quorum, w.at(50).put("b", "1"))) // it is not held up
		close(hold)
		<-first
		<-second

		alone := w.setTopology(2, w.endpoints("dc1")...)
		var during chan struct{}
		n.onTopology = func() {
			if during == nil {
				n.onTopology = nil
				if during = drained(); isDone(during) {
					t.Error("a write is under way on a node alone")
				}
			}
		}
		_ = alone
		w.setTable(simple("1"), "BLOCKING")
		w.must(n.write(consistency.One, w.at(50).put("a", "1")))
		<-during
	})
}

// Any bytes are safe for a replica.
func FuzzRequests(f *testing.F) {
	w := newTestCluster(f, 1)
	body := appendMutations(epochs{1, 1}, nil)
	f.Add(byte(peer.VerbMutate), body)
	f.Add(byte(peer.VerbRead), (&query{read: w.question(1)}).append(epochs{1, 1}, true))
	c := w.at(5).put("a", "1")
	for _, v := range []peer.Verb{peer.VerbMutate, peer.VerbHint} {
		b := c.Append(append(epochs{1, 1}.append(nil), 1))
		f.Add(byte(v), b)
	}
	f.Fuzz(func(t *testing.T, v byte, b []byte) {
		h := w.nodes[0].coordinator.Handlers()[peer.Verb(v)]
		if h == nil {
			return
		}
		if _, err := h(context.Background(), &peer.Request{Verb: peer.Verb(v), Body: b, Deadline: time.Now().Add(time.Hour)}); err != nil {
			_ = fmt.Sprint(err)
		}
	})
}
