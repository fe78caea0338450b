package gossip

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A figure is what a simulation has found out for one threshold.
type figure struct {
	nodes     int
	loss      float64
	interval  time.Duration // between heartbeats, as the size of the cluster makes it
	threshold float64
	quiet     time.Duration // how long all were alive
	wrong     int           // how often one was taken for down meanwhile
	bytes     int           // of packets with IP headers, for each node and second
	median    time.Duration // from a kill until a node knows
	last      time.Duration // until the last one knows
	unnoticed int           // nodes that never came to know
}

// measure lets nodes gossip for a while, after half a minute in which they get to know each other, and then
// kills some.
func measure(what simulated, quiet time.Duration) []figure {
	s := newSimulation(what)
	s.down = func(int, int, float64) {}
	s.run(30 * time.Second)
	wrong := map[float64]int{}
	s.down = func(_, _ int, threshold float64) { wrong[threshold]++ }
	sent := s.bytes
	s.run(quiet)
	sent = s.bytes - sent

	victims := s.nodes[max(s.Nodes/2, s.Nodes-3):] // three, or less than half
	killed := s.now()
	for _, n := range victims {
		n.dead = true
	}
	took := map[float64][]time.Duration{}
	s.down = func(_, about int, threshold float64) {
		if s.nodes[about].dead {
			took[threshold] = append(took[threshold], s.now()-killed)
		} else {
			wrong[threshold]++
		}
	}
	expected := min(what.Watch, what.Nodes-len(victims)) * len(victims) // all who watch and live, of each victim
	for range 90 {
		if s.run(time.Second); !slices.ContainsFunc(what.Thresholds, func(threshold float64) bool { return len(took[threshold]) < expected }) {
			break
		}
	}
	var out []figure
	for _, threshold := range what.Thresholds {
		times := append(took[threshold], 0) // there is one in any case
		slices.Sort(times)
		out = append(out, figure{
			nodes: what.Nodes, loss: what.Loss, interval: s.Interval, threshold: threshold, quiet: quiet, wrong: wrong[threshold],
			bytes: int(float64(sent) / float64(what.Nodes) / quiet.Seconds()), median: times[len(times)/2], last: times[len(times)-1],
			unnoticed: expected - len(times) + 1,
		})
	}
	return out
}

// Nobody who lives is taken for down, and a kill is found in time by all. The bounds are those of docs/GOSSIP.md.
func TestSimulatedDetection(t *testing.T) {
	type bound struct{ threshold, earliest, latest float64 } // seconds
	check := func(nodes int, interval, quiet time.Duration, bounds ...bound) {
		for _, loss := range []float64{0, 0.2} {
			what := simulated{Nodes: nodes, Loss: loss, Interval: interval, Watch: nodes, Seed: 1}
			for _, b := range bounds {
				what.Thresholds = append(what.Thresholds, b.threshold)
			}
			for i, f := range measure(what, quiet) {
				t.Log(f.row())
				if f.wrong > 0 || f.unnoticed > 0 || f.last.Seconds() > bounds[i].latest || f.median.Seconds() < bounds[i].earliest {
					t.Errorf("%d wrong convictions, %d did not notice a kill; bounds %+v", f.wrong, f.unnoticed, bounds[i])
				}
			}
		}
	}
	check(5, 0, 10*time.Minute, bound{8, 4, 6})
	check(20, 0, 2*time.Minute, bound{8, 4, 7})
	check(20, time.Second, time.Minute, bound{5, 11, 14}, bound{8, 17, 22})
	if !testing.Short() && !raced { // which would be slow, and there are no goroutines here
		check(100, 0, 20*time.Second, bound{8, 5, 9})
	}
}

// Writes the figures of docs/GOSSIP.md, and the plot beside it, when the environment names the folder in
// GOSSIP_FIGURES. That takes some minutes, and gigabytes of memory.
func TestFigures(t *testing.T) {
	folder := os.Getenv("GOSSIP_FIGURES")
	if folder == "" {
		t.Skip("GOSSIP_FIGURES is not set")
	}
	var figures []figure
	for _, nodes := range []int{5, 20, 100, 1000} {
		quiet, watch := 10*time.Minute, nodes
		if nodes == 1000 {
			quiet, watch = 2*time.Minute, 50
		}
		for _, loss := range []float64{0, 0.2} {
			what := simulated{Nodes: nodes, Loss: loss, Watch: watch, Seed: 1}
			what.Interval, what.Thresholds = 250*time.Millisecond, []float64{8}
			if nodes < 1000 { // there it is stretched to a second
				figures = append(figures, measure(what, quiet)...)
			}
			what.Interval, what.Thresholds = time.Second, []float64{5, 8}
			figures = append(figures, measure(what, quiet)...)
			t.Logf("%d nodes are done", nodes)
		}
	}
	var table strings.Builder
	table.WriteString("| nodes | heartbeat | threshold | loss | known by half | known by all | wrong convictions | bytes per node and second |\n")
	table.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, f := range figures {
		table.WriteString(f.row() + "\n")
	}
	page := filepath.Join(folder, "GOSSIP.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- figures -->\n", "<!-- end of figures -->\n"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for figures", page)
	}
	write(t, page, before+begin+table.String()+end+after)
	write(t, filepath.Join(folder, "gossip-detection.svg"), plot(figures))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// row returns a line of the table.
func (f figure) row() string {
	return fmt.Sprintf("| %d | %s | %v | %.0f %% | %.1f s | %.1f s | %d in %s | %d |",
		f.nodes, f.interval, f.threshold, f.loss*100, f.median.Seconds(), f.last.Seconds(), f.wrong, f.quiet, f.bytes)
}
