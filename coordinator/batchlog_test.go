package coordinator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/peer"
)

// writeBatch writes a logged batch.
func (n *testNode) writeBatch(level consistency.Level, changes ...*change) error {
	ctx, cancel := context.WithTimeout(context.Background(), n.timeout)
	defer cancel()
	var writes []Write
	for _, c := range changes {
		writes = append(writes, Write{Keyspace: n.keyspace, Mutation: &c.Mutation})
	}
	return n.coordinator.WriteBatch(ctx, nil, level, writes...)
}

// replayed lets all nodes look into their batchlogs, and returns how many batches they completed.
func (w *testCluster) replayed() int {
	sum := 0
	for _, n := range w.nodes {
		done, err := n.coordinator.ReplayBatches(context.Background())
		w.must(err)
		sum += done
	}
	return sum
}

// A batch whose coordinator fails halfway is completed by those who keep it, once.
func TestBatchOfFailedCoordinator(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.setTable(simple("1"), "BLOCKING")
		w.onRequest(func(from, to int, v peer.Verb) mishap {
			return mishap{loseRequest: from == 1 && v == peer.VerbMutate && to == 4}
		})
		err := w.nodes[0].writeBatch(consistency.One, w.at(250).put("a", "1"), w.at(350).put("a", "2"))
		var timeout *WriteTimeoutError
		if !errors.As(err, &timeout) || timeout.WriteType != "" {
			t.Fatalf("the write: %v", err)
		}
		w.heal()
		w.nodes[0].hinted = map[int][]storedHint{} // they are lost with the coordinator
		if n := w.replayed(); n != 0 {
			t.Errorf("%d batches completed while the coordinator may be at work", n)
		}
		<-time.After(batchAge)
		if n := w.replayed(); n != 2 {
			t.Errorf("%d completed, want one on each of two keepers", n)
		}
		w.expect(w.nodes[4].read(consistency.All, 250))("a=1")
		w.expect(w.nodes[4].read(consistency.All, 350))("a=2")
		<-time.After(batchAge)
		if n := w.replayed(); n != 0 {
			t.Errorf("%d batches completed again", n)
		}
	})
}

// A batch that is complete is kept no longer; one partition needs no keepers.
func TestBatchIsForgotten(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		w.must(w.nodes[0].writeBatch(consistency.Quorum, w.at(50).put("a", "1"), w.at(50).put("b", "1")))
		if n := w.count(peer.VerbBatchStore); n != 0 {
			t.Errorf("%d nodes keep a batch of one partition", n)
		}
		w.must(w.nodes[0].writeBatch(consistency.Quorum, w.at(50).put("c", "1"), w.at(150).put("c", "1")))
		if n := w.count(peer.VerbBatchStore); n != 2 {
			t.Errorf("%d nodes keep the batch, want 2", n)
		}
		<-time.After(2 * batchAge)
		if n := w.replayed(); n != 0 {
			t.Errorf("%d batches were completed that were complete", n)
		}
		w.alike(50, 1, 2, 3)
		w.alike(150, 1, 2, 3)
	})
}

// Nothing is begun if nobody keeps the batch. A node without others keeps it itself.
func TestBatchWithoutKeepers(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		w.onRequest(func(from, to int, v peer.Verb) mishap { return mishap{unreachable: v == peer.VerbBatchStore} })
		err := w.nodes[0].writeBatch(consistency.One, w.at(50).put("a", "1"), w.at(150).put("a", "1"))
		var timeout *WriteTimeoutError
		if !errors.As(err, &timeout) || timeout.WriteType != "BATCH_LOG" {
			t.Errorf("the write: %v", err)
		}
		if n := w.count(peer.VerbMutate); n != 0 {
			t.Errorf("%d mutations were sent", n)
		}
		w.down(2, 3)
		w.must(w.nodes[0].writeBatch(consistency.One, w.at(50).put("a", "2"), w.at(150).put("a", "2")))
	})
}
