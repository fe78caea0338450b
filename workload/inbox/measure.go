package inbox

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// MeasureOptions tunes Measure. Zero fields take the default.
type MeasureOptions struct {
	Searches int // of each kind; default 20,000
	Seed     uint64
	Limit    int // hits of one search: the first page; default 20
}

func (o MeasureOptions) withDefaults() MeasureOptions {
	if o.Searches == 0 {
		o.Searches = 20_000
	}
	if o.Limit == 0 {
		o.Limit = 20
	}
	return o
}

// Latencies are the times of many searches of one kind.
type Latencies struct {
	Min, Median, P99, Max time.Duration
}

// A Measurement is what Measure found.
type Measurement struct {
	Interactions, Terms Latencies
	Searches            int // of each kind
	Limit               int
}

// Measure searches for random words and correspondents of random users, one search at a time, and
// measures how long each takes from the call to the decoded first page. A twentieth as many
// searches before that warm up and are not counted.
func (in *Inbox) Measure(ctx context.Context, source Source, opts MeasureOptions) (*Measurement, error) {
	if opts.Searches < 0 || opts.Limit < 0 {
		return nil, fmt.Errorf("the number of searches or their limit is negative: %d, %d", opts.Searches, opts.Limit)
	}
	opts = opts.withDefaults()
	const questions = 20_000
	sample, err := takeSample(source, sampleOptions{words: questions, peers: questions, seed: opts.Seed})
	if err != nil {
		return nil, err
	}
	m := &Measurement{Searches: opts.Searches, Limit: opts.Limit}
	random := rand.New(rand.NewPCG(opts.Seed, 1))
	for _, kind := range []struct {
		peers bool
		into  *Latencies
	}{{true, &m.Interactions}, {false, &m.Terms}} {
		of := sample.of(kind.peers)
		if len(of) == 0 {
			return nil, fmt.Errorf("the mail has nothing to search for")
		}
		times := make([]time.Duration, 0, opts.Searches)
		for i := range opts.Searches + opts.Searches/20 {
			q := of[random.IntN(len(of))]
			begun := time.Now()
			hits, err := in.ask(ctx, q, opts.Limit)
			took := time.Since(begun)
			if err != nil {
				return nil, err
			}
			if want := min(opts.Limit, len(sample.answers[q])); len(hits) != want {
				d := newDifference(q)
				d.Text = fmt.Sprintf("%d hits; the mail has %d", len(hits), want)
				return nil, d
			}
			if i >= opts.Searches/20 {
				times = append(times, took)
			}
		}
		slices.Sort(times)
		*kind.into = Latencies{Min: times[0], Median: times[len(times)/2], P99: times[len(times)*99/100], Max: times[len(times)-1]}
	}
	return m, nil
}

func (in *Inbox) ask(ctx context.Context, q question, limit int) ([]Hit, error) {
	if q.peer {
		return in.With(ctx, q.user, q.key, limit, nil)
	}
	return in.Terms(ctx, q.user, []string{q.key}, limit, nil)
}

// Write prints the table of the paper's section 6.1, with what was measured beside it. The paper
// gives no 99th percentile.
func (m *Measurement) Write(w io.Writer, data string) error {
	fmt.Fprintf(w, "Inbox search, %d searches of each kind, first %d hits, newest first; all times in milliseconds.\n", m.Searches, m.Limit)
	fmt.Fprintf(w, "Data: %s. Machine: %d CPUs, %s/%s, %s.\n\n", data, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tsearch interactions\tterm search\tpaper, 2009: interactions\tterm search\t")
	for _, row := range []struct {
		name         string
		interactions time.Duration
		terms        time.Duration
		paper        [2]string
	}{
		{"min", m.Interactions.Min, m.Terms.Min, [2]string{"7.69", "7.78"}},
		{"median", m.Interactions.Median, m.Terms.Median, [2]string{"15.69", "18.27"}},
		{"p99", m.Interactions.P99, m.Terms.P99, [2]string{"-", "-"}},
		{"max", m.Interactions.Max, m.Terms.Max, [2]string{"26.13", "44.41"}},
	} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", row.name, milliseconds(row.interactions), milliseconds(row.terms), row.paper[0], row.paper[1])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nThe paper's figures are of a production cluster: 50 TB on 150 nodes, over the network.")
	return err
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d.Nanoseconds())/1e6) }
