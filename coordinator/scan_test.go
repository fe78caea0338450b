package coordinator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// vnodes returns endpoints with several tokens each.
func (w *testCluster) vnodes(datacenters string, tokens int) []ring.Endpoint {
	out := w.endpoints(datacenters)
	for i := range out {
		out[i].Tokens = nil
		for k := range tokens {
			out[i].Tokens = append(out[i].Tokens, ring.Token(1000+(k*7919+i*1237)%20000))
		}
	}
	return out
}

// Every row comes exactly once, in order of the tokens, whatever of it is on which nodes.
func TestScans(t *testing.T) {
	for _, factor := range []string{"1", "2", "3", "5"} {
		t.Run(factor, func(t *testing.T) {
			bubble(t, 5, func(w *testCluster) {
				w.setTable(simple(factor), "BLOCKING")
				w.setTopology(1, w.vnodes("dc1 dc1 dc1 dc1 dc1", 4)...)
				var want []string
				var tokens []int64
				for token := int64(500); token < 23000; token += 613 {
					w.must(w.nodes[0].write(consistency.All, w.at(token).put("a", "1").put("b", "1")))
					prefix := ""
					if token >= 1000 {
						prefix = fmt.Sprint(token, ":")
					}
					want = append(want, prefix+"a=1", prefix+"b=1")
					tokens = append(tokens, token)
				}
				w.heal()
				level := consistency.Quorum
				if factor == "2" {
					level = consistency.One
				}
				check := func(s *storage.Scan, rows, limit int, want []string) {
					t.Helper()
					s.Incarnation = w.table.Incarnation
					got, err := w.nodes[2].scan(level, s, rows, limit)
					if limit >= 0 {
						want = want[:min(limit, len(want))]
					}
					if err != nil || got != strings.Join(want, " ") {
						t.Fatalf("rows %d limit %d: %v\n got %s\nwant %s", rows, limit, err, got, strings.Join(want, " "))
					}
				}
				for rows := range 11 {
					check(&storage.Scan{}, rows, -1, want)
					check(&storage.Scan{}, rows, rows+1, want)
				}
				for i := range 8 {
					low, high := tokens[i*2], tokens[len(tokens)-1-i*2]
					check(&storage.Scan{Start: row.AppendToken(nil, low), End: row.AppendToken(nil, high+1)}, i, -1, want[i*4:len(want)-i*4])
					start := append(row.AppendPartition(nil, low, []byte("p")), byte(row.KindRow), 'a', 0) // a page ended there
					check(&storage.Scan{Start: start}, i, -1, want[i*4+1:])
					check(&storage.Scan{Start: append(row.AppendPartition(nil, low, []byte("p")), 0xFF)}, i, -1, want[i*4+2:])
				}
				if factor != "1" {
					w.down(5)
					check(&storage.Scan{}, 3, -1, want)
					w.heal()
				}
			})
		})
	}
}

// What is wrong with a range is said when it is reached.
func TestUnavailableRanges(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.setTable(simple("1"), "BLOCKING")
		for token := int64(50); token < 500; token += 100 {
			w.must(w.nodes[0].write(consistency.One, w.at(token).put(string(rune('a'+token/100)), "1")))
		}
		w.down(3)
		s := &storage.Scan{Incarnation: w.table.Incarnation}
		w.expect(w.nodes[0].scan(consistency.One, s, 1, 2))("a=1 b=1")
		got, err := w.nodes[0].scan(consistency.One, s, 1, -1)
		if got != "a=1 b=1" || outcome(err) != "unavailable 0/1" {
			t.Errorf("%q, %s", got, outcome(err))
		}
		s.Start = row.AppendToken(nil, 201)
		if _, err := w.nodes[0].scan(consistency.One, s, 1, -1); outcome(err) != "unavailable 0/1" {
			t.Error(outcome(err))
		}
		s.Start = row.AppendToken(nil, 301)
		w.expect(w.nodes[0].scan(consistency.One, s, 1, -1))("d=1 e=1")
	})
}

// A scan goes on with another topology, also if that comes while its parts are worked out.
func TestScanOverChanges(t *testing.T) {
	bubble(t, 5, func(w *testCluster) {
		w.setTable(simple("1"), "BLOCKING")
		older := w.setTopology(1, w.endpoints("dc1 dc1 dc1")...)
		newer := w.setTopology(2, w.endpoints("dc1 dc1 dc1 dc1 dc1")...)
		var want []string
		write := func(token int64) {
			c := string(rune('a' + token/20))
			for _, topology := range []*ring.Topology{older, newer} {
				p := ring.NewPlacement(topology, must(ring.ParseReplication("SimpleStrategy", map[string]string{"replication_factor": "1"})), id(1))
				c := w.at(token).put(c, "1")
				for _, e := range p.Replicas(ring.Token(token)) {
					if topology == newer || e.ID != newer.Owner(ring.Token(token)).ID {
						c.on(int(e.ID[15]))
					}
				}
			}
			want = append(want, c+"=1")
		}
		for token := int64(10); token < 520; token += 20 {
			write(token)
		}
		for at := range 60 {
			n := w.nodes[at%2]
			n.topology.Store(older)
			n.refresh = func(context.Context) error { n.topology.Store(newer); return nil }
			for _, other := range w.nodes {
				other.topology.Store(older)
			}
			calls := 0
			n.onTopology = func() {
				if calls++; calls == at/2 { // in the middle of something
					for _, other := range w.nodes {
						other.topology.Store(newer)
					}
					w.at(410).removeAll().on(1) // cleaned up, at the former owner of 301 to 500
					w.at(310).removeAll().on(1)
				}
			}
			got, err := n.scan(consistency.One, &storage.Scan{Incarnation: w.table.Incarnation}, at%4, -1)
			n.onTopology = nil
			if err != nil || got != strings.Join(want, " ") {
				t.Errorf("at %d: %v\n got %s\nwant %s", at, err, got, strings.Join(want, " "))
			}
			w.heal()
			w.at(410).put(want[410/20][:1], "1").on(1)
			w.at(310).put(want[310/20][:1], "1").on(1)
		}
		if slices.Contains(want, "") {
			t.Error("no rows")
		}
	})
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}
