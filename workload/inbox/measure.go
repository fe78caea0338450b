package inbox

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// MeasureOptions tunes Measure. Zero fields take the default.
type MeasureOptions struct {
	Searches int // of each kind; default 20,000
	Seed     uint64
	Limit    int   // hits of one search: the first page; default 20
	Workers  []int // how many search at the same time; all is measured for each number; default one
}

func (o MeasureOptions) withDefaults() MeasureOptions {
	if o.Searches == 0 {
		o.Searches = 20_000
	}
	if o.Limit == 0 {
		o.Limit = 20
	}
	if len(o.Workers) == 0 {
		o.Workers = []int{1}
	}
	return o
}

func (o MeasureOptions) check() error {
	if o.Searches < 0 || o.Limit < 0 {
		return fmt.Errorf("the number of searches or their limit is negative: %d, %d", o.Searches, o.Limit)
	}
	for _, n := range o.Workers {
		if n < 1 {
			return fmt.Errorf("searching takes at least one worker, not %d", n)
		}
	}
	return nil
}

// Latencies are the times of many searches of one kind.
type Latencies struct {
	Min, Median, P99, P999, Max time.Duration
	PerSecond                   float64 // searches of all workers together
}

// A Round is what was measured with so many workers.
type Round struct {
	Workers             int
	Interactions, Terms Latencies
}

// A Measurement is what Measure found.
type Measurement struct {
	Rounds   []Round
	Searches int // of each kind in each round
	Limit    int
}

// Measure searches for random words and correspondents of random users, and measures how long each
// search takes from the call to the decoded first page. Every worker makes one search at a time. A
// twentieth as many searches before that warm up and are not counted.
func (in *Inbox) Measure(ctx context.Context, source Source, opts MeasureOptions) (*Measurement, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	const questions = 20_000
	sample, err := takeSample(source, sampleOptions{words: questions, peers: questions, seed: opts.Seed})
	if err != nil {
		return nil, err
	}
	m := &Measurement{Searches: opts.Searches, Limit: opts.Limit}
	for _, workers := range opts.Workers {
		r := Round{Workers: workers}
		for _, kind := range []struct {
			peers bool
			into  *Latencies
		}{{true, &r.Interactions}, {false, &r.Terms}} {
			s := searcher{inbox: in, sample: sample, questions: sample.of(kind.peers), limit: opts.Limit, seed: opts.Seed}
			if len(s.questions) == 0 {
				return nil, fmt.Errorf("the mail has nothing to search for")
			}
			if _, err := s.run(ctx, workers, opts.Searches/20); err != nil {
				return nil, err
			}
			if *kind.into, err = s.run(ctx, workers, opts.Searches); err != nil {
				return nil, err
			}
		}
		m.Rounds = append(m.Rounds, r)
	}
	return m, nil
}

// A searcher asks random questions of one kind.
type searcher struct {
	inbox     *Inbox
	sample    *sample
	questions []question
	limit     int
	seed      uint64
}

// run makes so many searches in all.
func (s *searcher) run(ctx context.Context, workers, searches int) (Latencies, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var taken atomic.Int64
	times := make([][]time.Duration, workers)
	var group sync.WaitGroup
	begun := time.Now()
	for w := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(s.seed, uint64(w)+1))
			for taken.Add(1) <= int64(searches) && ctx.Err() == nil {
				took, err := s.ask(ctx, s.questions[random.IntN(len(s.questions))])
				if err != nil {
					cancel(err)
					return
				}
				times[w] = append(times[w], took)
			}
		})
	}
	group.Wait()
	elapsed := time.Since(begun)
	if err := context.Cause(ctx); err != nil {
		return Latencies{}, err
	}
	return summarize(slices.Concat(times...), elapsed), nil
}

// ask makes one search. A wrong number of hits is a *Difference.
func (s *searcher) ask(ctx context.Context, q question) (time.Duration, error) {
	var hits []Hit
	var err error
	begun := time.Now()
	if q.peer {
		hits, err = s.inbox.With(ctx, q.user, q.key, s.limit, nil)
	} else {
		hits, err = s.inbox.Terms(ctx, q.user, []string{q.key}, s.limit, nil)
	}
	took := time.Since(begun)
	if err != nil {
		return took, err
	}
	if want := min(s.limit, len(s.sample.answers[q])); len(hits) != want {
		d := newDifference(q)
		d.Text = fmt.Sprintf("%d hits; the mail has %d", len(hits), want)
		return took, d
	}
	return took, nil
}

func summarize(times []time.Duration, elapsed time.Duration) Latencies {
	n := len(times)
	if n == 0 {
		return Latencies{}
	}
	slices.Sort(times)
	return Latencies{Min: times[0], Median: times[n/2], P99: times[n*99/100], P999: times[n*999/1000], Max: times[n-1],
		PerSecond: float64(n) / max(elapsed.Seconds(), 1e-9)}
}

// Write prints the table of the paper's section 6.1, with what was measured in the first round beside
// it, and then the throughput of all rounds. The paper gives no 99th percentile.
func (m *Measurement) Write(w io.Writer, data string) error {
	fmt.Fprintf(w, "Inbox search, %d searches of each kind, first %d hits, newest first; all times in milliseconds.\n", m.Searches, m.Limit)
	fmt.Fprintf(w, "Data: %s. Machine: %d CPUs, %s/%s, %s.\n\n", data, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tsearch interactions\tterm search\tpaper, 2009: interactions\tterm search\t")
	i, terms := m.Rounds[0].Interactions, m.Rounds[0].Terms
	for _, row := range []struct {
		name         string
		interactions time.Duration
		terms        time.Duration
		paper        [2]string
	}{
		{"min", i.Min, terms.Min, [2]string{"7.69", "7.78"}},
		{"median", i.Median, terms.Median, [2]string{"15.69", "18.27"}},
		{"p99", i.P99, terms.P99, [2]string{"-", "-"}},
		{"max", i.Max, terms.Max, [2]string{"26.13", "44.41"}},
	} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", row.name, milliseconds(row.interactions), milliseconds(row.terms), row.paper[0], row.paper[1])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nThe paper's figures are of a production cluster: 50 TB on 150 nodes, over the network.")
	fmt.Fprintln(w)
	fmt.Fprintln(t, "\tworkers\tsearches/s\tmedian\tp99\tp99.9\t")
	for _, r := range m.Rounds {
		for _, row := range []struct {
			name string
			Latencies
		}{{"interactions", r.Interactions}, {"terms", r.Terms}} {
			fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%s\t%s\t\n", row.name, r.Workers, row.PerSecond,
				milliseconds(row.Median), milliseconds(row.P99), milliseconds(row.P999))
		}
	}
	return t.Flush()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d.Nanoseconds())/1e6) }
