package inbox

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	in, mails := newInbox(t), invented(t, 60)
	in.load(t, mails)
	m, err := in.Measure(t.Context(), mails.again(), MeasureOptions{Searches: 50, Limit: 3, Workers: []int{1, 4}})
	if err != nil {
		t.Fatal(err)
	}
	if m.Searches != 50 || m.Limit != 3 || len(m.Rounds) != 2 || m.Rounds[0].Workers != 1 || m.Rounds[1].Workers != 4 {
		t.Errorf("measured %+v", m)
	}
	for _, r := range m.Rounds {
		for _, l := range []Latencies{r.Interactions, r.Terms} {
			if l.Min <= 0 || l.Min > l.Median || l.Median > l.P99 || l.P99 > l.P999 || l.P999 > l.Max || l.PerSecond <= 0 {
				t.Errorf("latencies %+v", l)
			}
		}
	}
}

func TestMeasureFindsWrongAnswers(t *testing.T) {
	check := func(table, want string) {
		t.Helper()
		in, mails := newInbox(t), invented(t, 20)
		in.load(t, mails)
		in.exec(t, "TRUNCATE inbox."+table)
		_, err := in.Measure(t.Context(), mails.again(), MeasureOptions{Searches: 10})
		var d *Difference
		if !errors.As(err, &d) || !strings.Contains(d.Error(), want) || !strings.Contains(d.Text, "0 hits; the mail has ") {
			t.Errorf("without %s: error %v, want %s", table, err, want)
		}
	}
	check("interactions", ", correspondent ")
	check("term_index", ", words ")
}

func TestMeasureNeedsMail(t *testing.T) {
	in := newInbox(t)
	silent := written("ada 1 100 bob@x eve@x 123")
	in.load(t, silent)
	_, err := in.Measure(t.Context(), silent.again(), MeasureOptions{Searches: 10})
	if err == nil || err.Error() != "the mail has nothing to search for" {
		t.Errorf("error %v", err)
	}
}

func TestMeasureOfNegativeCounts(t *testing.T) {
	in, mails := newInbox(t), invented(t, 5)
	in.load(t, mails)
	for _, opts := range []MeasureOptions{{Searches: -1}, {Limit: -1}, {Workers: []int{1, -2}}} {
		if _, err := in.Measure(t.Context(), mails.again(), opts); err == nil || !strings.Contains(err.Error(), "-") {
			t.Errorf("%+v: error %v", opts, err)
		}
	}
}

func TestMeasurementTable(t *testing.T) {
	m := &Measurement{Searches: 2000, Limit: 20, Rounds: []Round{{Workers: 1,
		Interactions: Latencies{Min: 4567 * time.Nanosecond, Median: 12 * time.Microsecond, P99: 345 * time.Microsecond, P999: time.Millisecond,
			Max: 12 * time.Millisecond, PerSecond: 70123.4},
		Terms: Latencies{Min: 0, Median: 123456 * time.Nanosecond, P99: time.Second, P999: 2 * time.Second, Max: 12345 * time.Millisecond, PerSecond: 80}}}}
	var out strings.Builder
	if err := m.Write(&out, "60 messages"); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`Machine: .*`).ReplaceAllString(out.String(), "Machine: MASKED")
	const want = `Inbox search, 2000 searches of each kind, first 20 hits, newest first; all times in milliseconds.
Data: 60 messages. Machine: MASKED

            search interactions   term search   paper, 2009: interactions   term search
      min                 0.005         0.000                        7.69          7.78
   median                 0.012         0.123                       15.69         18.27
      p99                 0.345      1000.000                           -             -
      max                12.000     12345.000                       26.13         44.41

The paper's figures are of a production cluster: 50 TB on 150 nodes, over the network.

                  workers   searches/s   median        p99      p99.9
   interactions         1        70123    0.012      0.345      1.000
          terms         1           80    0.123   1000.000   2000.000
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !regexp.MustCompile(`Machine: \d+ CPUs, \w+/\w+, go[\w.]+`).MatchString(out.String()) {
		t.Errorf("the machine is missing in\n%s", out.String())
	}
}
