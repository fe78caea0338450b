package bench

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	h, other := NewHistogram(), NewHistogram()
	if h.Count() != 0 || h.Max() != 0 || h.Percentile(50) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram has latencies")
	}
	for i := range 1000 {
		[]*Histogram{h, other}[i%2].Record(time.Duration(i+1) * time.Millisecond)
	}
	h.Merge(other)
	if h.Count() != 1000 {
		t.Errorf("%d latencies", h.Count())
	}
	near(t, h.Percentile(50), 500*time.Millisecond)
	near(t, h.Percentile(99.9), 999*time.Millisecond)
	near(t, h.Max(), time.Second)
	near(t, h.Mean(), 500500*time.Microsecond)
	h.Record(-time.Second)
	h.Record(25 * time.Hour)
	if h.Count() != 1002 {
		t.Error("latencies out of range are lost")
	}
	near(t, h.Max(), time.Hour)
}

func report() *Report {
	h := NewHistogram()
	for range 99 {
		h.Record(time.Millisecond)
	}
	h.Record(4 * time.Millisecond)
	r := &Result{Operations: 100, Elapsed: 2 * time.Second, Latency: h, Missed: 7,
		Failures: map[string]Failure{"timeout": {2, "no, answer"}, "missing": {1, "key 5"}},
		Server:   &Usage{CPU: 5 * time.Millisecond, Resident: 300 << 20, PeakResident: 500 << 20}}
	return NewReport("kv read", Options{Workers: 8, Rate: 50}, r)
}

func write(t *testing.T, r *Report, format string) string {
	t.Helper()
	var out strings.Builder
	if err := r.Write(&out, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	const want = `kv read: 100 operations in 2.0 s with 8 workers, open loop of 50/s: 50/s
latency in ms: p50 1.000, p90 1.000, p99 1.000, p99.9 4.002, max 4.002, mean 1.030
server: 50.0 us of CPU for each operation, 300 MiB resident, 500 MiB at the peak
behind: 7 operations were to begin and did not
errors: 1 of missing, the first: key 5
errors: 2 of timeout, the first: no, answer
`
	if got := write(t, report(), "text"); got != want {
		t.Errorf("got\n%s", got)
	}
	bare := NewReport("kv write", Options{Workers: 1}, &Result{Latency: NewHistogram()})
	if got := write(t, bare, "text"); got != "kv write: 0 operations in 0.0 s with 1 workers, closed loop: 0/s\n"+
		"latency in ms: p50 0.000, p90 0.000, p99 0.000, p99.9 0.000, max 0.000, mean 0.000\n" {
		t.Errorf("got\n%s", got)
	}
}

func TestCSV(t *testing.T) {
	const want = `workload,workers,rate,operations,seconds,operations_per_second,p50_ms,p90_ms,p99_ms,p999_ms,max_ms,mean_ms,errors,missed,` +
		`server_cpu_us_per_operation,server_resident_bytes,server_peak_resident_bytes
kv read,8,50.000,100,2.000,50.000,1.000,1.000,1.000,4.002,4.002,1.030,3,7,50.000,314572800,524288000
`
	if got := write(t, report(), "csv"); got != want {
		t.Errorf("got\n%s", got)
	}
}

// JSON and CSV have the same fields, the failures aside.
func TestJSON(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(write(t, report(), "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got["p50_ms"].(float64) < 1 || got["errors"] != 3.0 || got["failures"].(map[string]any)["missing"].(map[string]any)["example"] != "key 5" {
		t.Errorf("got %v", got)
	}
	delete(got, "failures")
	head, _, _ := strings.Cut(write(t, report(), "csv"), "\n")
	if names := strings.Split(head, ","); !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(slices.Values(names))) {
		t.Errorf("CSV has %v, JSON %v", names, got)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := report().Write(&strings.Builder{}, "xml"); err == nil || !strings.Contains(err.Error(), `"xml"`) {
		t.Errorf("error %v", err)
	}
}
