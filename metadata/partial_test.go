package metadata

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

// bulky returns a schema of so many tables, each of which takes 12 KiB.
func bulky(t fataler, tables int) *schema.Schema {
	t.Helper()
	statements := []string{createKS}
	for i := range tables {
		statements = append(statements, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY) WITH comment = '%s'", i, strings.Repeat("x", 12<<10)))
	}
	return build(t, statements...)
}

// isStep reports whether puts are one of several steps.
func isStep(puts []storage.Put) bool {
	return slices.ContainsFunc(puts, func(p storage.Put) bool { return p.Name == partialRecord && p.Value != nil })
}

// What is too large for one Put is stored in several. Whichever of them the node ends at, it comes back to what the
// others have: by the log's first entry, or by a snapshot.
func TestStoringInSteps(t *testing.T) {
	large := bulky(t, 45)
	check := func(name string, raft RaftTimeouts) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 5, func(t *testing.T, w *network) {
				w.raft = raft
				for _, r := range large.Diff(schema.Empty()) {
					w.nodes[0].disk().values[recordPrefix+r.Name] = r.Value
				}
				w.bootstrap()
				for range raft.SnapshotThreshold {
					w.mustPropose(0, "TRUNCATE t0")
				}
				pause(5 * time.Second)
				steps := 0
				w.nodes[1].disk().failing(func(puts []storage.Put) (bool, error) {
					if isStep(puts) {
						steps++
					}
					return true, nil
				})
				w.join(1, 0)
				if steps < 2 {
					t.Fatalf("%d steps", steps)
				}
				for at := range steps {
					w.stopAtStep(2+at, at, at%2 == 0)
				}
				w.checkSame()
			})
		})
	}
	check("log", RaftTimeouts{})
	check("snapshot", RaftTimeouts{SnapshotInterval: time.Second, SnapshotThreshold: 8, TrailingEntries: 2})
}

// stopAtStep has a node join whose disk fails at a step, and then start again.
func (w *network) stopAtStep(i, at int, stored bool) {
	w.t.Helper()
	m, left := w.nodes[i], at
	m.disk().failing(func(puts []storage.Put) (bool, error) {
		if isStep(puts) {
			if left--; left < 0 {
				return stored, errors.New("broken")
			}
		}
		return true, nil
	})
	if err := w.tryJoin(i, 0); err == nil {
		w.t.Fatalf("node %d has joined", i)
	}
	m.stop()
	m.disk().failing(nil)
	if m.disk().count(partialRecord) == 0 && (at > 0 || stored) {
		w.t.Fatalf("nothing was stored by node %d", i)
	}
	m.start()
	pause(5 * time.Second)
	w.join(i, 0)
}
