package metadata

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/storage"
)

// A walk does random things to a cluster and to its network.
type walk struct {
	*network
	g    generator
	in   []int // nodes of the ring, also those that are down
	gone []int // that have left or have never been in; they begin with an empty disk
}

// Whatever happens, all nodes come to the same state, and what was acknowledged is in it.
func TestRandomWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { rapid.Check(struct{ testing.TB }{t}, randomWalk) }) // rapid asks a *testing.T for its deadline, which a bubble has none of
}

func randomWalk(rt *rapid.T) {
	const n = 6
	w := &walk{network: newNetwork(rt, n), g: generator{rt}, in: []int{0}}
	defer w.stop()
	w.raft = RaftTimeouts{SnapshotInterval: 2 * time.Second, SnapshotThreshold: 16, TrailingEntries: 4}
	longest := time.Duration(rapid.IntRange(1, 100).Draw(rt, "delay")) * time.Millisecond // messages overtake each other
	w.delay = func() time.Duration { return rand.N(longest) }
	w.bootstrap()
	for i := 1; i < n; i++ {
		if i < 4 {
			w.join(i, 0)
			w.in = append(w.in, i)
		} else {
			w.gone = append(w.gone, i)
		}
	}
	var made []string // tables that must be there
	for step := range rapid.IntRange(1, 25).Draw(rt, "steps") {
		if name := w.step(step); name != "" {
			made = append(made, name)
		}
	}
	w.settle()
	s := w.nodes[w.in[0]].current().Schema()
	for _, name := range made {
		if s.Keyspace(name) == nil {
			rt.Fatalf("%s was made and is not there", name)
		}
	}
	w.stop()
	for _, i := range w.in {
		w.nodes[i].start()
	}
	w.checkSame()
}

// settle brings everybody back and ends what is under way.
func (w *walk) settle() {
	w.heal()
	for _, i := range w.in {
		w.nodes[i].disk().failing(nil)
		if w.nodes[i].current() == nil {
			w.nodes[i].start()
		}
	}
	for _, i := range w.in {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // a snapshot that was lost is sent again after one
		if err := w.nodes[i].current().CatchUp(ctx); err != nil {
			w.t.Fatalf("node %d: %v", i, err)
		}
		cancel()
	}
	w.checkSame()
	if got := len(w.nodes[w.in[0]].current().Topology().Endpoints()); got != len(w.in) {
		w.t.Fatalf("the ring has %d nodes instead of %d", got, len(w.in))
	}
	pause(10 * time.Second)
	if got, want := len(w.nodes[w.in[0]].current().Voters()), min(5, len(w.in)); got != want {
		w.t.Fatalf("%d of %d nodes vote", got, len(w.in))
	}
}

// step does something. It returns the keyspace that must be there from now on, if any.
func (w *walk) step(step int) (made string) {
	rt := w.g.T
	up := slices.DeleteFunc(slices.Clone(w.in), func(i int) bool { return w.nodes[i].current() == nil })
	pick := func(label string, from []int) int { return rapid.SampledFrom(from).Draw(rt, label) }
	switch w.g.pick("step", "make", "make", "statement", "statement", "at once", "stop", "start", "partition", "one way", "heal", "pause", "disk", "join", "leave") {
	case "make":
		if len(up) > 0 {
			name := fmt.Sprintf("made%d", step)
			err := w.propose(pick("node", up), "CREATE KEYSPACE "+name+" WITH replication = {'class': 'SimpleStrategy'}")
			if w.check(err); err == nil {
				return name
			}
		}
	case "statement":
		if len(up) > 0 {
			w.check(w.propose(pick("node", up), w.statement()))
		}
	case "at once":
		results := make(chan error, len(up))
		for _, i := range up {
			text := w.statement()
			go func() { results <- w.propose(i, text) }()
		}
		for range up {
			w.check(<-results)
		}
	case "stop":
		if len(up) > 0 {
			w.nodes[pick("node", up)].stop()
		}
	case "start":
		if down := slices.DeleteFunc(slices.Clone(w.in), func(i int) bool { return slices.Contains(up, i) }); len(down) > 0 {
			m := w.nodes[pick("node", down)]
			m.disk().failing(nil)
			m.start()
		}
	case "partition":
		k := rapid.IntRange(0, len(w.in)).Draw(rt, "cut")
		order := rapid.Permutation(w.in).Draw(rt, "order")
		w.partition(order[:k], order[k:])
	case "one way":
		w.block(pick("from", w.in), pick("to", w.in), true)
	case "heal":
		w.heal()
	case "pause":
		pause(time.Duration(rapid.IntRange(1, 5000).Draw(rt, "milliseconds")) * time.Millisecond)
	case "disk":
		if len(up) > 0 {
			left := rapid.IntRange(1, 4).Draw(rt, "failures")
			stored := rapid.Bool().Draw(rt, "stored")
			w.nodes[pick("node", up)].disk().failing(func([]storage.Put) (bool, error) {
				if left--; left < 0 {
					return true, nil
				}
				return stored, errors.New("the disk fails")
			})
		}
	case "join":
		if len(w.gone) > 0 {
			w.settle()
			i := w.gone[0]
			w.gone = w.gone[1:]
			m := w.nodes[i]
			m.store = newDisk()
			m.id[1]++
			w.join(i, w.in...)
			w.in = append(w.in, i)
		}
	case "leave":
		if len(w.in) > 1 {
			w.settle()
			at := rapid.IntRange(0, len(w.in)-1).Draw(rt, "leaves")
			i := w.in[at]
			w.in = slices.Delete(w.in, at, at+1)
			if rapid.Bool().Draw(rt, "dead") {
				w.nodes[i].stop()
			}
			if err := w.changeRing(w.in[0], Leave{w.nodes[i].id}, Left{w.nodes[i].id}); err != nil && len(w.in) > 1 {
				w.t.Fatalf("node %d does not leave: %v", i, err)
			} else if err != nil { // the other one of two is dead: there is no majority
				w.in = append(w.in, i)
				w.nodes[i].start()
				if err := w.changeRing(i, Abort{w.nodes[i].id}); err != nil {
					w.t.Fatalf("node %d does not stay: %v", i, err)
				}
				return ""
			}
			pause(3 * time.Second)
			w.nodes[i].stop()
			w.gone = append(w.gone, i)
		}
	}
	return ""
}

func (w *walk) changeRing(i int, changes ...TopologyChange) error {
	for _, c := range changes {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		err := w.nodes[i].current().ProposeTopology(ctx, c)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// statement draws one that can be parsed.
func (w *walk) statement() string {
	text := w.g.statement()
	if _, err := grammar.Parse(text); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return text
}

// check fails if a proposal ended with an error that nobody expects.
func (w *walk) check(err error) {
	w.t.Helper()
	var none *NoLeaderError
	var unknown *UnknownOutcomeError
	if err != nil && !errors.As(err, &none) && !errors.As(err, &unknown) && class(err) == "ServerError" {
		w.t.Fatalf("got %v", err)
	}
}

func (m *member) disk() *disk { return m.store.(*disk) }
