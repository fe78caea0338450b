package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// pullGains pulls what a node gains by the changes under way, from whom package stream does.
func (n *testNode) pullGains(p *ring.Placement) {
	for _, move := range p.Gains(n.Self()) {
		sources := move.Endpoints
		if move.Handover && n.IsAlive(sources[0].ID) {
			sources = sources[:1]
		}
		for _, e := range sources {
			if n.IsAlive(e.ID) {
				n.must(n.coordinator.Pull(context.Background(), e, n.table, move.Range, func(int) error { return nil }))
			}
		}
	}
}

// A write that two replicas of three have is seen at QUORUM after a change of the ring, whoever had missed it and
// whichever two of the new replicas are asked.
func TestQuorumOverChanges(t *testing.T) {
	replacing := func(w *testCluster) []ring.Endpoint {
		out := w.endpoints("dc1 dc1 dc1 dc1 DC1")
		out[4].Replaces, out[4].Tokens = id(2), out[1].Tokens
		return out
	}
	for name, test := range map[string]struct {
		down   []int
		change func(w *testCluster) []ring.Endpoint
	}{
		"join":              {nil, func(w *testCluster) []ring.Endpoint { return w.endpoints("dc1 dc1 dc1 dc1 DC1") }},
		"join, one down":    {[]int{3}, func(w *testCluster) []ring.Endpoint { return w.endpoints("dc1 dc1 dc1 dc1 DC1") }},
		"leave":             {nil, func(w *testCluster) []ring.Endpoint { return w.endpoints("dc1 dc1- dc1 dc1 dc1") }},
		"leave, it is dead": {[]int{2}, func(w *testCluster) []ring.Endpoint { return w.endpoints("dc1 dc1- dc1 dc1 dc1") }},
		"replace":           {[]int{2}, replacing},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 5, func(w *testCluster) {
				w.setTable(simple("3"), "NONE")
				during := w.setTopology(2, test.change(w)...)
				replication := must(ring.ParseReplication("SimpleStrategy", map[string]string{"replication_factor": "3"}))
				before := ring.NewPlacement(during, replication, id(1))
				for token := int64(10); token < 600; token += 35 {
					for missed := range int64(3) {
						c := w.at(token+missed).put("a", "1")
						for i, other := range before.Replicas(ring.Token(token + missed)) {
							if i != int(missed) {
								c.on(int(other.ID[15]))
							}
						}
					}
				}
				w.down(test.down...)
				for _, n := range w.nodes {
					if !slices.Contains(test.down, n.number) {
						n.pullGains(before)
					}
				}
				w.heal()
				after := during.Settled().AtEpoch(3)
				for _, n := range w.nodes {
					n.topology.Store(after)
				}
				for token := int64(10); token < 600; token += 35 {
					for missed := range int64(3) {
						for _, e := range ring.NewPlacement(after, replication, id(1)).Replicas(ring.Token(token + missed)) {
							w.down(int(e.ID[15]))
							reader := w.nodes[0]
							if e.ID == id(1) {
								reader = w.nodes[3]
							}
							got, err := reader.read(consistency.Quorum, token+missed)
							if err != nil || got != "a=1" {
								t.Errorf("token %d without %d: %q, %v", token+missed, e.ID[15], got, err)
							}
						}
					}
				}
			})
		})
	}
}

// A partition of any size is pulled, with keys of any length, and only what lies in the range.
func TestPull(t *testing.T) {
	bubble(t, 2, func(w *testCluster) {
		key := []byte(strings.Repeat("k", 8000)) // in a block once, in a mutation with each row
		var all change
		all.testCluster = w
		all.Begin(w.table.Incarnation, 150, key)
		for i := range 600 {
			all.put(fmt.Sprintf("%08d", i), "1")
		}
		all.on(1)
		for i := range 40 {
			w.at(160).put(fmt.Sprintf("%08d", i), strings.Repeat("x", 100_000)).on(1)
		}
		w.at(160).removeRange("00000003", "00000005").static("s").on(1)
		for _, token := range []int64{100, 101, 200, 201, -5} {
			w.at(token).put("a", "1").on(1)
		}
		from := w.nodes[1].topology.Load().Endpoint(id(1))
		pull := func(start, end ring.Token, told func(int) error) error {
			return w.nodes[1].coordinator.Pull(context.Background(), from, w.table, ring.Range{Start: start, End: end}, told)
		}
		blocks, bytes := 0, 0
		w.must(pull(100, 200, func(n int) error { blocks, bytes = blocks+1, bytes+n; return nil }))
		if blocks < 4 || bytes < 3_800_000 {
			t.Errorf("%d blocks, %d bytes", blocks, bytes)
		}
		count := func(n *testNode) int {
			c := n.engine.Scan(&storage.Scan{Incarnation: w.table.Incarnation, Now: time.Now().Unix()})
			got, err := drain(c, -1)
			w.must(err)
			return len(strings.Fields(got))
		}
		if got := count(w.nodes[1]); got != 600+38+2 {
			t.Errorf("%d rows", got)
		}
		w.alike(160, 1, 2)
		w.must(pull(ring.MaxToken, ring.MinToken, func(int) error { return nil }))
		if got := count(w.nodes[1]); got != 600+38+2 {
			t.Errorf("%d rows after an empty range", got)
		}
		ended := errors.New("it is enough")
		if err := pull(100, 200, func(int) error { return ended }); !errors.Is(err, ended) {
			t.Error(err)
		}
		w.must(pull(200, 100, func(int) error { return nil })) // around the ring
		if got := count(w.nodes[1]); got != 600+38+5 {
			t.Errorf("%d rows of all", got)
		}
	})
}

// A read of rows with long keys repairs them in pieces.
func TestRepairInPieces(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		for i := range 30 {
			w.at(50).put(fmt.Sprintf("%s%08d", strings.Repeat("k", 60_000), i), "1").on(1)
		}
		for i := range int64(80) {
			var c change
			c.testCluster = w
			c.Begin(w.table.Incarnation, 60+i%20, []byte(strings.Repeat("k", 50_000)+fmt.Sprint(i)))
			c.put("a", "1")
			c.on(1)
		}
		if _, err := w.nodes[1].read(consistency.Quorum, 50); err != nil {
			t.Fatal(err)
		}
		before := w.count(peer.VerbHint)
		got, err := w.nodes[0].scan(consistency.All, &storage.Scan{Incarnation: w.table.Incarnation, Start: row.AppendToken(nil, 51)}, 0, -1)
		if err != nil || len(strings.Fields(got)) != 80 {
			t.Errorf("%d rows, %v", len(strings.Fields(got)), err)
		}
		if sent := w.count(peer.VerbHint) - before; sent < 4 {
			t.Errorf("%d requests", sent)
		}
		w.heal()
		w.alike(50, 1, 2)
	})
}

// A pull from a node that does not know the table, or does not answer, is an error.
func TestPullFails(t *testing.T) {
	bubble(t, 2, func(w *testCluster) {
		from := w.nodes[1].topology.Load().Endpoint(id(1))
		pull := func() error {
			return w.nodes[1].coordinator.Pull(context.Background(), from, w.table, ring.Range{Start: 0, End: 100}, func(int) error { return nil })
		}
		var failure *peer.Failure
		w.nodes[0].ownSchema.Store(schema.Empty().With(w.keyspace).Without("ks"))
		if err := pull(); !errors.As(err, &failure) || failure.Code != codeSchema {
			t.Error(err)
		}
		w.nodes[0].ownSchema.Store(nil)
		w.faultsAt(map[int]mishap{1: {loseAnswer: true}})
		begin := time.Now()
		if err := pull(); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != pullTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		w.heal()
		w.must(pull())
	})
}
