package coordinator

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// told returns the events of a trace, each behind the last number of its node, 0 for the coordinator.
func (w *testCluster) told(t *trace.Trace) []string {
	numbers := regexp.MustCompile(`size \d+ bytes|\d+ bytes$|within .*|commit \d+`)
	events, _ := t.End()
	w.calls.Wait()
	t.Follow(func(late []trace.Event) { events = append(events, late...) })
	var out []string
	for _, e := range events {
		from := "0 "
		if e.Source.IsValid() {
			from = string('0'+e.Source.Addr().As4()[3]) + " "
		}
		out = append(out, from+numbers.ReplaceAllString(e.Activity, "*"))
	}
	return out
}

// expectTold fails unless events were told, those with the same node in this order.
func (w *testCluster) expectTold(got []string, want ...string) {
	w.Helper()
	at := map[string]int{}
	for _, line := range want {
		from := line[:1]
		i := slices.Index(got[at[from]:], line)
		if i < 0 {
			w.Errorf("there is no %q behind event %d of\n%s", line, at[from], strings.Join(got, "\n"))
			return
		}
		at[from] += i + 1
	}
}

func (n *testNode) writeTraced(t *trace.Trace, level consistency.Level, c *change) error {
	ctx, cancel := context.WithTimeout(context.Background(), n.timeout)
	defer cancel()
	return n.coordinator.Write(ctx, t, level, Write{Keyspace: n.keyspace, Mutation: &c.Mutation})
}

func TestTracedWrite(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		w.down(3)
		w.faultsAt(map[int]mishap{2: {delay: time.Millisecond}})
		tr := trace.New("worker")
		w.must(w.nodes[0].writeTraced(tr, consistency.Quorum, w.at(50).put("a", "1")))
		got := w.told(tr)
		w.expectTold(got, "0 Sending MUTATION_REQ message to /10.0.0.2:7000 message *", "0 Adding hint for /10.0.0.3:7000", "0 Received 2 of 2 answers")
		w.expectTold(got, "0 MUTATION_RSP message received from /10.0.0.2:7000", "0 Received 2 of 2 answers")
		w.expectTold(got, "2 MUTATION_REQ message received from /10.0.0.1:7000", "2 Appending to commitlog in a group of 1 writes: 2 entries, *",
			"2 Enqueuing response to /10.0.0.1:7000")
		w.alike(50, 1, 2)
		w.heal()
		w.replay()
		w.alike(50, 1, 3) // a hint does not hold that it was traced
	})
}

func TestTracedWriteIsFollowed(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		w.faultsAt(map[int]mishap{2: {failure: &peer.Failure{Code: codeDisk, Message: "full"}, delay: time.Second}, 3: {delay: 500 * time.Millisecond}})
		tr := trace.New("worker")
		w.must(w.nodes[0].writeTraced(tr, consistency.One, w.at(50).put("a", "1")))
		events, _ := tr.End()
		for _, e := range events {
			if strings.Contains(e.Activity, "hint") || e.Source.IsValid() {
				t.Errorf("%s in %s", e.Activity, e.At)
			}
		}
		var late []string
		tr.Follow(func(events []trace.Event) { // the bubble's goroutines take turns with this one
			for _, e := range events {
				late = append(late, "x "+e.Activity)
			}
		})
		w.heal()
		w.expectTold(late, "x MUTATION_REQ message received from /10.0.0.1:7000", "x MUTATION_RSP message received from /10.0.0.3:7000",
			"x MUTATION_REQ message to /10.0.0.2:7000 failed: full", "x Adding hint for /10.0.0.2:7000")
	})
}

func TestTracedRead(t *testing.T) {
	bubble(t, 4, func(w *testCluster) {
		w.at(50).put("a", "1").on(1, 2, 3)
		w.at(50).put("b", "2").on(2)
		w.onRequest(func(int, int, peer.Verb) mishap { return mishap{delay: time.Millisecond} })
		tr := trace.New("worker")
		q := w.nodes[3].reading(consistency.Quorum, 0)
		q.Trace = tr
		c, err := w.nodes[3].coordinator.Read(context.Background(), q, w.question(50))
		w.must(err)
		w.expect(drain(c, -1))("a=1 b=2")
		if c.Stats().Commit != 0 {
			t.Error("the cursor over blocks has a commit")
		}
		got := w.told(tr)
		w.expectTold(got, "0 reading data from /10.0.0.1:7000", "0 Sending READ_REQ message to /10.0.0.1:7000 message *",
			"0 reading digests from /10.0.0.2:7000", "0 Digest mismatch: reading data from all replicas that were asked", "0 reading data from /10.0.0.2:7000",
			"0 READ_RSP message received from /10.0.0.2:7000", "0 Sending READ_REPAIR_REQ message to /10.0.0.1:7000 message *",
			"0 READ_REPAIR_RSP message received from /10.0.0.1:7000")
		w.expectTold(got, "1 READ_REQ message received from /10.0.0.4:7000", "1 Executing single-partition query on ks.t", "1 Read 1 live rows and 0 tombstone cells",
			"1 Enqueuing response to /10.0.0.4:7000", "1 READ_REPAIR_REQ message received from /10.0.0.4:7000")
		w.expectTold(got, "2 Read 2 live rows and 0 tombstone cells")
		w.alike(50, 1, 2)
	})
}

func TestTracedScan(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		w.at(50).put("a", "1").on(1, 2, 3)
		w.faultsAt(map[int]mishap{3: {failure: &peer.Failure{Message: "broken"}}})
		tr := trace.New("worker")
		q := w.nodes[0].reading(consistency.Quorum, 0)
		q.Trace = tr
		c, err := w.nodes[0].coordinator.Scan(context.Background(), q, &storage.Scan{Incarnation: w.table.Incarnation, Now: time.Now().Unix()})
		w.must(err)
		w.expect(drain(c, -1))("a=1")
		got := w.told(tr)
		w.expectTold(got, "0 Sending RANGE_REQ message to /10.0.0.2:7000 message *", "0 reading data from this node", "0 Executing seq scan on ks.t", "0 Read 1 live rows and 0 tombstone cells")
		w.expectTold(got, "2 RANGE_REQ message received from /10.0.0.1:7000", "2 Executing seq scan on ks.t")
	})
}

func TestTracedRequestsThatFail(t *testing.T) {
	bubble(t, 3, func(w *testCluster) {
		for _, body := range [][]byte{nil, {byte(peer.VerbRaft)}, {byte(peer.VerbTraced)}} {
			if _, err := w.nodes[0].handle(&peer.Request{From: id(2), Verb: peer.VerbTraced, Deadline: time.Now().Add(time.Second), Body: body}); err == nil {
				t.Errorf("%v was carried out", body)
			}
		}
		stale := w.nodes[1].topology.Load().AtEpoch(2)
		w.nodes[1].topology.Store(stale) // refuses what is planned by an older one
		tr, tries := trace.New("worker"), 0
		w.nodes[0].refresh = func(context.Context) error { tries++; w.nodes[0].topology.Store(stale); return nil }
		w.must(w.nodes[0].writeTraced(tr, consistency.All, w.at(50).put("a", "1")))
		got := w.told(tr)
		w.expectTold(got, "0 The topology has changed: trying again")
		w.expectTold(got, "2 The request has failed: the topology of epoch 1 is out of date: it is at 2", "2 Enqueuing response to /10.0.0.1:7000")
		if tries != 1 {
			t.Errorf("%d tries: the code of the failure is lost", tries)
		}
	})
}

func FuzzDecodeTraced(f *testing.F) {
	f.Add(appendTraced([]byte("answer"), nil, trace.New("replica")))
	f.Add(appendTraced(nil, &peer.Failure{Code: codeStale, Message: "old"}, trace.New("replica")))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, failed, _, took, err := decodeTraced(b)
		if len(answer) > len(b) || took < 0 || err != nil && failed != nil {
			t.Errorf("%q, %v, %v", answer, failed, err)
		}
	})
}
