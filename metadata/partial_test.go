package metadata

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// manyUses returns a schema with so many tables that use one type.
func manyUses(t fataler, tables int) *schema.Schema {
	t.Helper()
	s := build(t, createKS, "CREATE TYPE y (a int)")
	for i := range tables {
		c := change(t, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY, v y)", i), 0)
		c.TableID = cqltype.UUID{1, byte(i), byte(i >> 8)}
		next, _, err := Apply(s, c)
		if err != nil {
			t.Fatalf("%v", err)
		}
		s = next
	}
	return s
}

// What is too large for one Put is stored in several. Whichever of them the node ends at, it comes back to what the
// others have.
func TestStoringInSteps(t *testing.T) {
	large := manyUses(t, 700)
	inBubble(t, 2, func(t *testing.T, w *network) {
		first := w.nodes[0].disk()
		for _, r := range large.Diff(schema.Empty()) {
			first.values[recordPrefix+r.Name] = r.Value
		}
		w.bootstrap()
		second := w.nodes[1].disk()
		steps := 0
		second.failing(func(puts []storage.Put) (bool, error) {
			for _, p := range puts {
				if p.Name == partialRecord {
					steps++
					break
				}
			}
			return true, nil
		})
		w.join(1, 0)
		if steps < 3 {
			t.Fatalf("%d steps", steps)
		}
		w.checkSame()
		// Each change of the type stores all tables. The node stops at every one of the steps.
		for at := range steps {
			left, broken := at, errors.New("broken")
			second.failing(func(puts []storage.Put) (bool, error) {
				for _, p := range puts {
					if p.Name == partialRecord {
						if left--; left < 0 {
							return at%2 == 0, broken
						}
						break
					}
				}
				return left >= 0, nil
			})
			w.mustPropose(0, fmt.Sprintf("ALTER TYPE y ADD b%d int", at))
			w.nodes[1].stop()
			second.failing(nil)
			if second.count(partialRecord) == 0 {
				t.Errorf("step %d was the last", at)
			}
			l := w.nodes[1].start()
			pause(5 * time.Second)
			if l.Topology().Endpoint(w.nodes[1].id) == nil {
				t.Fatalf("it did not come back from step %d", at)
			}
			w.checkSame()
		}
		second.failing(nil)
		w.stop()
		for _, m := range w.nodes {
			m.start()
		}
		w.checkSame()
	})
}
