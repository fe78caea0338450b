package coordinator

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/peer"
)

// A history is what a random test has written.
type history struct {
	*testCluster
	*rapid.T
	n     int
	acked map[int64][]*change // by token, at QUORUM or more
	all   map[int64][]*change
	seen  map[string]int64 // by token and row, the newest write that a read has shown
}

var genFault = rapid.Custom(func(t *rapid.T) mishap {
	switch rapid.IntRange(0, 6).Draw(t, "fault") {
	case 0:
		return mishap{loseRequest: true}
	case 1:
		return mishap{loseAnswer: true}
	case 2:
		return mishap{failure: &peer.Failure{Code: codeDisk}}
	case 3:
		return mishap{unreachable: true}
	case 4:
		return mishap{delay: time.Second}
	case 5:
		return mishap{twice: true}
	default:
		return mishap{}
	}
})

// upset draws faults for some links, and nodes that seem dead.
func (h *history) upset() {
	faults := map[[2]int]mishap{}
	var down []int
	for from := 1; from <= h.n; from++ {
		for to := 1; to <= h.n; to++ {
			if rapid.IntRange(0, 3).Draw(h.T, "link") == 0 {
				faults[[2]int{from, to}] = genFault.Draw(h.T, "kind")
			}
		}
		if rapid.IntRange(0, 6).Draw(h.T, "down") == 0 {
			down = append(down, from)
		}
	}
	h.down(down...)
	h.onRequest(func(from, to int, _ peer.Verb) mishap { return faults[[2]int{from, to}] })
}

// change draws changes of one partition.
func (h *history) change() *change {
	c := h.at(int64(rapid.IntRange(0, 3).Draw(h.T, "partition"))*100 + 50)
	row := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	for range rapid.IntRange(1, 3).Draw(h.T, "changes") {
		switch rapid.IntRange(0, 8).Draw(h.T, "what") {
		case 0:
			c.remove(row.Draw(h.T, "row"))
		case 1:
			from := row.Draw(h.T, "from")
			c.removeRange(from, from+"\xff")
		case 2:
			c.removeRange("b", "e")
		case 3:
			if rapid.IntRange(0, 3).Draw(h.T, "all") == 0 {
				c.removeAll()
			}
			c.static(fmt.Sprint(h.clock))
		default:
			c.put(row.Draw(h.T, "row"), fmt.Sprint(h.clock))
		}
	}
	return c
}

func (h *history) write() {
	c, n := h.change(), h.nodes[rapid.IntRange(0, h.n-1).Draw(h.T, "coordinator")]
	level := rapid.SampledFrom([]consistency.Level{consistency.One, consistency.Quorum, consistency.Quorum, consistency.All, consistency.Any}).Draw(h.T, "level")
	err := n.write(level, c)
	h.all[c.Token] = append(h.all[c.Token], c)
	if err == nil && (level == consistency.Quorum || level == consistency.All) {
		h.acked[c.Token] = append(h.acked[c.Token], c)
	}
}

// read reads at QUORUM, and checks that the answer has all that was acknowledged at QUORUM.
func (h *history) read() {
	token := int64(rapid.IntRange(0, 3).Draw(h.T, "token"))*100 + 50
	n := h.nodes[rapid.IntRange(0, h.n-1).Draw(h.T, "reader")]
	rows, first := rapid.IntRange(0, 3).Draw(h.T, "rows"), rapid.IntRange(0, 2).Draw(h.T, "first")
	n.nearest = func() int { return first }
	q := h.question(token)
	q.Reverse = rapid.Bool().Draw(h.T, "reverse")
	got, err := n.ask(consistency.Quorum, q, rows)
	if err != nil {
		return
	}
	h.checkSeen(token, got, q.Reverse)
}

// checkSeen checks what an answer must have, and what it may have. What one answer shows, all later ones must.
func (h *history) checkSeen(token int64, got string, reverse bool) {
	present := map[string]bool{}
	for _, r := range strings.Fields(got) {
		present[r[strings.Index(r, "/")+1:]] = true
	}
	for _, r := range h.settled(token) {
		if !present[r] {
			h.Fatalf("token %d: %q (reverse %v) lacks %s, which was acknowledged", token, got, reverse, r)
		}
	}
	for r := range present {
		if !h.possible(token, r) {
			h.Fatalf("token %d: %q (reverse %v) has %s, which was deleted or replaced", token, got, reverse, r)
		}
		name, value, _ := strings.Cut(r, "=")
		for _, e := range h.effects(token, name) {
			if e.value == value && value != "" {
				h.seen[fmt.Sprint(token, name)] = e.at
			}
		}
	}
}

// An effect is what one change did to a row.
type effect struct {
	at    int64
	value string // empty: it was deleted
	acked bool
}

// effects returns what happened to a row, oldest first.
func (h *history) effects(token int64, name string) (out []effect) {
	acked := map[*change]bool{}
	for _, c := range h.acked[token] {
		acked[c] = true
	}
	for _, c := range h.all[token] {
		for _, e := range c.log {
			if e.covers(name) {
				out = append(out, effect{e.at, e.value, acked[c] || e.value != "" && e.at <= h.seen[fmt.Sprint(token, name)]})
			}
		}
	}
	return out
}

// settled returns the rows that each answer must have: whose newest change was acknowledged.
func (h *history) settled(token int64) (out []string) {
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if all := h.effects(token, name); len(all) > 0 && all[len(all)-1].acked && all[len(all)-1].value != "" {
			out = append(out, name+"="+all[len(all)-1].value)
		}
	}
	return out
}

// possible reports whether a row may be seen: nothing newer was acknowledged.
func (h *history) possible(token int64, r string) bool {
	name, value, _ := strings.Cut(r, "=")
	if name == "-" {
		return true
	}
	found := false
	for _, e := range h.effects(token, name) {
		switch {
		case e.value == value:
			found = true
		case found && e.acked:
			return false
		}
	}
	return found
}

// Whatever happens on the way, a write that was acknowledged at QUORUM is seen at QUORUM; and when all is over,
// and hints have reached their replicas, these are alike.
func TestRandomHistories(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestCluster(t, 5)
		rapid.Check(struct{ rapid.TB }{t}, func(r *rapid.T) { // without the deadline, which no bubble has
			h := &history{testCluster: w, T: r, n: rapid.IntRange(3, 5).Draw(r, "nodes"), acked: map[int64][]*change{}, all: map[int64][]*change{},
				seen: map[string]int64{}}
			w.setTable(simple("3"), "BLOCKING")
			w.setTopology(1, w.endpoints(strings.Repeat("dc1 ", h.n))...)
			for range rapid.IntRange(1, 25).Draw(r, "steps") {
				switch rapid.IntRange(0, 5).Draw(r, "step") {
				case 0:
					h.upset()
				case 1, 2:
					h.read()
				case 3:
					h.replaySome()
				default:
					h.write()
				}
			}
			w.heal()
			for token := int64(50); token < 400; token += 100 {
				got, err := w.nodes[0].read(consistency.Quorum, token)
				if err != nil {
					r.Fatal(err)
				}
				h.checkSeen(token, got, false)
			}
			w.replay()
			h.checkAlike()
		})
		w.calls.Wait()
	})
}

func (h *history) replaySome() {
	if rapid.Bool().Draw(h.T, "waits") {
		h.calls.Wait()
		h.replay()
	}
}

// checkAlike compares what the replicas hold.
func (h *history) checkAlike() {
	for i := range 4 {
		token := int64(i*100 + 50)
		first := h.nodes[i%h.n].own(token)
		for k := range 3 {
			if other := h.nodes[(i+k)%h.n].own(token); !bytes.Equal(first, other) {
				h.Fatalf("nodes %d and %d differ at token %d:\n%q\n%q", i+1, (i+k)%h.n+1, token, first, other)
			}
		}
	}
}
