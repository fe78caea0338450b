package coordinator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/peer"
)

// TestWriteEndsRemoval expects a write that was planned by a newer topology to wait until a removal has ended that it has
// caused to end, whether it is for this node by another one or by itself.
func TestWriteEndsRemoval(t *testing.T) {
	for coordinator := 1; coordinator <= 2; coordinator++ {
		bubble(t, 3, func(w *testCluster) {
			replica := w.nodes[1]
			before := len(replica.own(50))
			began := make(chan struct{})
			removed := make(chan error)
			go func() {
				removed <- replica.coordinator.Removing(context.Background(), 1, func(ctx context.Context) error {
					close(began)
					<-ctx.Done()
					<-time.After(time.Second / 2) // what is removed now must not be what is written
					if len(replica.own(50)) != before {
						t.Error("the write was carried out meanwhile")
					}
					return ctx.Err()
				})
			}()
			<-began
			w.must(w.nodes[2].write(consistency.All, w.at(60).put("a", "0").remove("a"))) // of the same topology: it does not wait
			again := (*RemovalError)(nil)
			if err := replica.coordinator.Removing(context.Background(), 1, nil); !errors.As(err, &again) || again.Newer != 0 {
				t.Errorf("a second removal: %v", err)
			}
			w.setTopology(2, w.endpoints("dc1 dc1 dc1")...)
			w.must(w.nodes[coordinator-1].write(consistency.All, w.at(50).put("a", "1")))
			if err := <-removed; !errors.As(err, &again) || again.Newer != 2 {
				t.Errorf("the removal: %v", err)
			}
			w.alike(50, 1, 2, 3)
			if err := replica.coordinator.Removing(context.Background(), 1, nil); !errors.As(err, &again) || again.Newer != 2 {
				t.Errorf("a removal by the old topology: %v", err)
			}
			w.must(replica.coordinator.Removing(context.Background(), 2, func(context.Context) error { return nil }))
			w.must(replica.coordinator.Gaining(context.Background(), 3))
			if err := replica.coordinator.Removing(context.Background(), 2, nil); !errors.As(err, &again) {
				t.Errorf("a removal before data is taken over: %v", err)
			}
		})
	}
}

// TestWriteWaitsForRemoval expects a write to give up when its time is over.
func TestWriteWaitsForRemoval(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		began, end, removed := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			removed <- w.nodes[1].coordinator.Removing(context.Background(), 1, func(context.Context) error {
				close(began)
				<-end
				return nil
			})
		}()
		<-began
		w.setTopology(2, w.endpoints("dc1 dc1 dc1")...)
		for _, coordinator := range w.nodes[:2] {
			if got := outcome(coordinator.write(consistency.All, w.at(50).put("a", "1"))); got != "timeout 2/3" {
				t.Errorf("node %d: %s", coordinator.number, got)
			}
		}
		if w.count(peer.VerbMutate) == 0 {
			t.Error("there was no request")
		}
		close(end)
		w.must(<-removed)
	})
}
