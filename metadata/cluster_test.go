package metadata

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/schema"
)

// inBubble runs a test with a network of n nodes whose clock is simulated.
func inBubble(t *testing.T, n int, test func(t *testing.T, w *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newNetwork(t, n)
		defer w.stop()
		test(t, w)
	})
}

func TestFirstNode(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, w *network) {
		began := time.Now()
		w.bootstrap()
		if d := time.Since(began); d > 100*time.Millisecond {
			t.Errorf("the first node took %s", d)
		}
		w.mustPropose(0, createKS, "CREATE TABLE t (k int PRIMARY KEY)")
		before := contents(w.nodes[0].current())
		w.nodes[0].stop()
		began = time.Now()
		l := w.nodes[0].start()
		if !l.IsMember() || contents(l) != before {
			t.Error("the state was not kept")
		}
		if err := l.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > 100*time.Millisecond {
			t.Errorf("the only node took %s to lead again", d)
		}
		w.mustPropose(0, "CREATE TABLE u (k int PRIMARY KEY)")
		w.checkSame()
	})
}

func TestConflictingChanges(t *testing.T) {
	for _, n := range []int{3, 5} {
		inBubble(t, n, func(t *testing.T, w *network) {
			w.form()
			w.mustPropose(0, createKS)
			results := make([]error, n)
			var proposed sync.WaitGroup
			for i := range n {
				proposed.Go(func() { results[i] = w.propose(i, "CREATE TABLE t (k int PRIMARY KEY)") })
			}
			proposed.Wait()
			won := 0
			for _, err := range results {
				var exists *schema.AlreadyExistsError
				if err == nil {
					won++
				} else if !errors.As(err, &exists) {
					t.Errorf("got %v", err)
				}
			}
			if won != 1 {
				t.Errorf("%d have created the table", won)
			}
			w.checkSame()
		})
	}
}

// When a change returns, it is in force on all nodes that are up, wherever it was proposed, and soon.
func TestChangeIsInForceEverywhere(t *testing.T) {
	inBubble(t, 5, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		for i := range w.nodes {
			began := time.Now()
			table := fmt.Sprintf("t%d", i)
			w.mustPropose(i, "CREATE TABLE "+table+" (k int PRIMARY KEY)")
			if d := time.Since(began); d > 100*time.Millisecond {
				t.Errorf("a change on node %d took %s", i, d)
			}
			for _, m := range w.nodes {
				if m.current().Schema().Table("ks", table) == nil {
					t.Errorf("node %d does not have %s", m.i, table)
				}
			}
		}
		for _, m := range w.nodes {
			if n := len(m.told); n != 6 || m.told[5] != "CREATED TABLE ks.t4" {
				t.Errorf("node %d was told %q", m.i, m.told)
			}
		}
	})
}

func TestNodeCatchesUp(t *testing.T) {
	check := func(name string, raft RaftTimeouts, changes int, bySnapshot bool) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 3, func(t *testing.T, w *network) {
				w.raft = raft
				w.form()
				w.mustPropose(0, createKS)
				late := w.nodes[(w.leader()+1)%3]
				i := (late.i + 1) % 3
				late.stop()
				for j := range changes {
					w.mustPropose(i, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY)", j))
				}
				w.mustPropose(i, "DROP TABLE t0")
				pause(10 * time.Second)
				late.told, late.rings = nil, 0
				l := late.start()
				if err := l.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				if l.Schema().Epoch != uint64(changes+2) || l.Schema().Table("ks", "t1") == nil || l.Schema().Table("ks", "t0") != nil {
					t.Errorf("it has epoch %d", l.Schema().Epoch)
				}
				pause(time.Minute) // it has asked for the state; raft comes later
				if got := late.store.(*disk).count("raft/snapshot/") > 0; got != bySnapshot {
					t.Errorf("it has got a snapshot: %t", got)
				}
				created := 0
				for _, text := range late.told {
					if strings.HasPrefix(text, "CREATED TABLE ks.t") {
						created++
					}
				}
				if want := changes - 1; created != want || len(late.told) != want { // of the state as a whole, not of each step
					t.Errorf("it was told %q", late.told)
				}
				w.mustPropose(late.i, "CREATE TABLE last (k int PRIMARY KEY)")
				w.checkSame()
				w.stop()
				for _, m := range w.nodes {
					m.start()
				}
				w.checkSame()
			})
		})
	}
	check("log", RaftTimeouts{}, 20, false)
	check("snapshot", RaftTimeouts{SnapshotInterval: time.Second, SnapshotThreshold: 8, TrailingEntries: 2}, 40, true)
}

func TestLeaderKilled(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		for round := range 4 {
			dead := w.nodes[w.leader()]
			dead.stop()
			began := time.Now()
			w.mustPropose((dead.i+1)%3, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY)", round))
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %s", d)
			}
			dead.start()
			w.checkSame()
		}
	})
}

func TestMinority(t *testing.T) {
	inBubble(t, 5, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		leader := w.leader()
		few := []int{leader, (leader + 1) % 5}
		many := []int{(leader + 2) % 5, (leader + 3) % 5, (leader + 4) % 5}
		w.partition(few, many)
		pause(3 * time.Second)
		for _, i := range few {
			var none *NoLeaderError
			if err := w.propose(i, "CREATE TABLE a (k int PRIMARY KEY)"); !errors.As(err, &none) {
				t.Errorf("node %d of the minority: %v", i, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if err := w.nodes[i].current().CatchUp(ctx); !errors.As(err, &none) {
				t.Errorf("node %d of the minority catches up: %v", i, err)
			}
			cancel()
		}
		for _, i := range many {
			w.mustPropose(i, fmt.Sprintf("CREATE TABLE b%d (k int PRIMARY KEY)", i))
		}
		w.heal()
		for _, i := range few {
			w.mustPropose(i, fmt.Sprintf("CREATE TABLE c%d (k int PRIMARY KEY)", i))
		}
		w.checkSame()
		if s := w.nodes[0].current().Schema(); s.Table("ks", "a") != nil || s.Table("ks", fmt.Sprintf("b%d", many[0])) == nil {
			t.Error("what was refused was done, or the other way round")
		}
	})
}

// A leader that is cut off in the middle of a proposal cannot know what becomes of it, and says so.
func TestUnknownOutcome(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		leader := w.leader()
		w.partition([]int{leader}, []int{(leader + 1) % 3, (leader + 2) % 3})
		err := w.propose(leader, "CREATE TABLE a (k int PRIMARY KEY)")
		var unknown *UnknownOutcomeError
		if !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
		w.mustPropose((leader+1)%3, "CREATE TABLE a (k int PRIMARY KEY)") // it was not
		w.heal()
		w.checkSame()
	})
}

// A cluster in which nothing changes sends little, and writes nothing.
func TestIdle(t *testing.T) {
	inBubble(t, 5, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		pause(5 * time.Second)
		count := func() (messages, puts int) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range w.nodes {
				d := m.disk()
				d.mu.Lock()
				puts += d.puts
				d.mu.Unlock()
			}
			return w.calls, puts
		}
		messages, puts := count()
		pause(time.Minute)
		after, putsAfter := count()
		perFollower := float64(after-messages) / 2 / 60 / 4 // requests and answers, seconds, followers
		if perFollower > 10 || putsAfter != puts {
			t.Errorf("%.1f requests a second to each follower, %d puts", perFollower, putsAfter-puts)
		}
		if testing.Verbose() {
			t.Logf("%.1f requests a second to each follower", perFollower)
		}
	})
}

// Nodes stop in the middle of things without waiting long, and leave nothing running.
func TestStopInTheMiddle(t *testing.T) {
	for round := range 30 {
		inBubble(t, 3, func(t *testing.T, w *network) {
			w.form()
			w.mustPropose(0, createKS)
			if round%3 == 1 {
				w.partition([]int{0}, []int{1}, []int{2})
			}
			var proposed sync.WaitGroup
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for i, m := range w.nodes {
				l := m.current()
				for j := range 3 {
					c := change(t, fmt.Sprintf("CREATE TABLE t%d%d (k int PRIMARY KEY)", i, j), byte(1+i*3+j))
					proposed.Go(func() { _, _ = l.Propose(ctx, c) })
				}
				proposed.Go(func() { _ = l.CatchUp(ctx) })
				proposed.Go(func() { _ = l.ProposeTopology(ctx, Leave{w.nodes[2].id}) })
			}
			pause(time.Duration(round) * time.Millisecond)
			began := time.Now()
			w.stop()
			if d := time.Since(began); d > 2*time.Second {
				t.Errorf("round %d: stopping took %s", round, d)
			}
			proposed.Wait()
			for _, m := range w.nodes {
				m.start()
			}
			w.heal()
			w.mustPropose(1, "CREATE TABLE last (k int PRIMARY KEY)")
			w.checkSame()
		})
	}
}
