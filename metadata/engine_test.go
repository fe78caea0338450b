package metadata

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

// TestClusterOnEngines has three nodes with real storage, and a schema that is too large for one of its transactions.
func TestClusterOnEngines(t *testing.T) {
	w := newNetwork(t, 3)
	w.raft = RaftTimeouts{Heartbeat: 200 * time.Millisecond, SnapshotInterval: 50 * time.Millisecond, SnapshotThreshold: 8, TrailingEntries: 1}
	dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
	engines := make([]*storage.Engine, len(dirs))
	open := func(i int) {
		t.Helper()
		var err error
		if engines[i], err = storage.Open(storage.Options{Dir: dirs[i], Memory: 64 << 20}); err != nil {
			t.Fatal(err)
		}
		w.nodes[i].store = engines[i]
	}
	shut := func(i int) {
		t.Helper()
		w.nodes[i].stop()
		if err := engines[i].Close(); err != nil {
			t.Error(err)
		}
	}
	for i := range dirs {
		open(i)
	}
	for records := range slices.Chunk(bulky(t, 80).Diff(schema.Empty()), 20) {
		var puts []storage.Put
		for _, r := range records {
			puts = append(puts, storage.Put{Name: recordPrefix + r.Name, Value: r.Value})
		}
		if err := engines[0].Put(t.Context(), puts...); err != nil {
			t.Fatal(err)
		}
	}
	w.bootstrap()
	w.join(1, 0)
	for j := range 5 {
		w.mustPropose(j%2, fmt.Sprintf("CREATE TABLE u%d (k int PRIMARY KEY)", j))
	}
	w.join(2, 1) // by a snapshot
	w.mustPropose(2, "DROP TABLE t0", "TRUNCATE u1")
	w.checkSame()
	want := contents(w.nodes[0].current())
	for i := range dirs {
		shut(i)
	}
	for i := range dirs {
		open(i)
		defer shut(i)
		if l := w.nodes[i].start(); contents(l) != want {
			t.Errorf("node %d has another state than before", i)
		}
	}
	w.mustPropose(1, "CREATE TABLE last (k int PRIMARY KEY)")
	w.checkSame()
}
