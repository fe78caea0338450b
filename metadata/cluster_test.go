package metadata

import (
	"errors"
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
