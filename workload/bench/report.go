package bench

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// A Report is a result in the form in which it is printed. Latencies are in milliseconds.
type Report struct {
	Workload     string             `json:"workload"`
	Workers      int                `json:"workers"`
	Rate         float64            `json:"rate"` // asked for; 0: closed loop
	Operations   int64              `json:"operations"`
	Seconds      float64            `json:"seconds"`
	PerSecond    float64            `json:"operations_per_second"`
	P50          float64            `json:"p50_ms"`
	P90          float64            `json:"p90_ms"`
	P99          float64            `json:"p99_ms"`
	P999         float64            `json:"p999_ms"`
	Max          float64            `json:"max_ms"`
	Mean         float64            `json:"mean_ms"`
	Errors       int64              `json:"errors"`
	Missed       int64              `json:"missed"`
	Failures     map[string]Failure `json:"failures"`
	ServerCPU    float64            `json:"server_cpu_us_per_operation"` // 0: not measured
	Resident     int64              `json:"server_resident_bytes"`
	PeakResident int64              `json:"server_peak_resident_bytes"`
}

// NewReport makes the report of a result.
func NewReport(workload string, opts Options, r *Result) *Report {
	out := &Report{Workload: workload, Workers: opts.Workers, Rate: opts.Rate, Operations: r.Operations, Seconds: r.Elapsed.Seconds(),
		PerSecond: float64(r.Operations) / max(r.Elapsed.Seconds(), 1e-9), Mean: milliseconds(r.Latency.Mean()),
		P50: milliseconds(r.Latency.Percentile(50)), P90: milliseconds(r.Latency.Percentile(90)), P99: milliseconds(r.Latency.Percentile(99)),
		P999: milliseconds(r.Latency.Percentile(99.9)), Max: milliseconds(r.Latency.Max()),
		Errors: r.Errors(), Missed: r.Missed, Failures: r.Failures}
	if r.Server != nil {
		out.ServerCPU = float64(r.Server.CPU.Microseconds()) / float64(max(r.Operations, 1))
		out.Resident, out.PeakResident = r.Server.Resident, r.Server.PeakResident
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// Formats returns the names that Write takes.
func Formats() []string { return []string{"text", "json", "csv"} }

// Write prints the report in a format.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.text(w)
	case "json":
		return json.NewEncoder(w).Encode(r)
	case "csv":
		return r.csv(w)
	default:
		return fmt.Errorf("there is no format %q, only %q", format, Formats())
	}
}

func (r *Report) text(w io.Writer) error {
	loop := "closed loop"
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop of %.0f/s", r.Rate)
	}
	fmt.Fprintf(w, "%s: %d operations in %.1f s with %d workers, %s: %.0f/s\n", r.Workload, r.Operations, r.Seconds, r.Workers, loop, r.PerSecond)
	_, err := fmt.Fprintf(w, "latency in ms: p50 %.3f, p90 %.3f, p99 %.3f, p99.9 %.3f, max %.3f, mean %.3f\n", r.P50, r.P90, r.P99, r.P999, r.Max, r.Mean)
	if r.ServerCPU > 0 {
		_, err = fmt.Fprintf(w, "server: %.1f us of CPU for each operation, %d MiB resident, %d MiB at the peak\n", r.ServerCPU, r.Resident>>20, r.PeakResident>>20)
	}
	if r.Missed > 0 {
		_, err = fmt.Fprintf(w, "behind: %d operations were to begin and did not\n", r.Missed)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Failures)) {
		_, err = fmt.Fprintf(w, "errors: %d of %s, the first: %s\n", r.Failures[kind].Count, kind, r.Failures[kind].Example)
	}
	return err
}

func (r *Report) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	// An error of one of these is returned by Flush's Error.
	_ = out.Write([]string{"workload", "workers", "rate", "operations", "seconds", "operations_per_second", "p50_ms", "p90_ms", "p99_ms", "p999_ms",
		"max_ms", "mean_ms", "errors", "missed", "server_cpu_us_per_operation", "server_resident_bytes", "server_peak_resident_bytes"})
	_ = out.Write([]string{r.Workload, strconv.Itoa(r.Workers), number(r.Rate), whole(r.Operations), number(r.Seconds), number(r.PerSecond),
		number(r.P50), number(r.P90), number(r.P99), number(r.P999), number(r.Max), number(r.Mean), whole(r.Errors), whole(r.Missed),
		number(r.ServerCPU), whole(r.Resident), whole(r.PeakResident)})
	out.Flush()
	return out.Error()
}
