package workload

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/tests/nodes"
	"github.com/iliumdb/ilium/workload/bench"
)

// serve starts a node that takes clients, and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	_, address := nodes.Serve(t)
	return address
}

// kv runs `workload kv` on small tables, and wants a report of so many operations without errors.
func (u *terminal) kv(t *testing.T, operations int64, arguments ...string) bench.Report {
	t.Helper()
	u.out.Reset()
	u.err.Reset()
	arguments = append([]string{"kv"}, arguments...)
	arguments = append(arguments, "--output", "json", "--keys", "300", "--partitions", "3", "--rows", "120", "--workers", "4")
	if err := execute(t.Context(), Command(u.start), &u.out, &u.err, arguments...); err != nil {
		t.Fatalf("%q: %v", arguments, err)
	}
	var r bench.Report
	if err := json.Unmarshal([]byte(u.out.String()), &r); err != nil {
		t.Fatal(err)
	}
	if r.Operations != operations || r.Errors != 0 || r.P50 <= 0 || r.P50 > r.P99 || r.P99 > r.Max || r.PerSecond <= 0 {
		t.Errorf("%q: %+v", arguments, r)
	}
	return r
}

func kvEnd(t *testing.T, u *terminal, where ...string) {
	measure := append([]string{"--operations", "200", "--warmup", "10ms"}, where...)
	u.kv(t, 300, append([]string{"load"}, where...)...)
	u.kv(t, 360, append([]string{"load", "--table", "wide"}, where...)...)
	u.kv(t, 200, append([]string{"write", "--distribution", "zipfian"}, measure...)...)
	u.kv(t, 200, append([]string{"read"}, measure...)...)
	u.kv(t, 200, append([]string{"mixed", "--reads", "30"}, measure...)...)
	r := u.kv(t, 200, append([]string{"slice", "--rate", "4000"}, measure...)...)
	if r.Workload != "kv slice" || r.Rate != 4000 || r.Seconds < 0.04 {
		t.Errorf("got %+v", r)
	}
}

func TestKVEmbedded(t *testing.T) { kvEnd(t, newTerminal(t)) }

func TestKVOfServers(t *testing.T) {
	u := newTerminal(t)
	kvEnd(t, u, "--hosts", serve(t), "--consistency", "one", "--connections", "1")
	if left, err := os.ReadDir(u.data); err != nil || len(left) > 0 {
		t.Errorf("there is a node in this process, too: %v, %v", left, err)
	}
}

func TestKVReport(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	u := newTerminal(t)
	pid := strconv.Itoa(os.Getpid())
	err := execute(t.Context(), Command(u.start), &u.out, &u.err, "kv", "load", "--keys", "2000", "--server-pid", pid, "--interval", "1ms")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kv load data: 2000 operations in ", " with 64 workers, closed loop: ", "\nlatency in ms: p50 ", "us of CPU for each operation"} {
		if !strings.Contains(u.out.String(), want) {
			t.Errorf("%s does not say %s", u.out.String(), want)
		}
	}
	if !strings.Contains(u.err.String(), " operations  0 errors\n") {
		t.Errorf("progress: %s", u.err.String())
	}
}

// Errors are counted, printed, and fail the command if there are too many.
func TestKVErrors(t *testing.T) {
	u := newTerminal(t)
	run := func(arguments ...string) error {
		u.out.Reset()
		return execute(t.Context(), Command(u.start), &u.out, io.Discard, append([]string{"kv", "read", "--operations", "50", "--warmup", "0s"}, arguments...)...)
	}
	err := run()
	if err == nil || err.Error() != "50 operations failed, and --max-errors is 0" {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(u.out.String(), "\nerrors: 50 of missing, the first: key ") {
		t.Errorf("it prints %s", u.out.String())
	}
	if err := run("--max-errors", "50"); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestKVRefusals(t *testing.T) {
	u := newTerminal(t)
	refuse := func(want string, arguments ...string) {
		t.Helper()
		u.out.Reset()
		err := execute(t.Context(), Command(u.start), &u.out, io.Discard, append([]string{"kv"}, arguments...)...)
		if err == nil || !strings.Contains(err.Error(), want) || u.out.Len() > 0 {
			t.Errorf("%q: error %v, want %s; it prints %q", arguments, err, want, u.out.String())
		}
	}
	refuse(`--output must be one of ["text" "json" "csv"], not "xml"`, "load", "--output", "xml")
	refuse("--max-errors must not be negative", "load", "--max-errors", "-1")
	refuse(`--table must be data or wide, not "deep"`, "load", "--table", "deep")
	refuse("--reads must be a percentage, not 101", "mixed", "--reads", "101")
	refuse(`there is no distribution "even"`, "read", "--distribution", "even")
	refuse("must all be at least 1", "read", "--keys", "0")
	refuse("there must be at least one worker, not 0", "read", "--workers", "0")
	refuse("must be given", "read", "--duration", "0s")
	refuse("unknown flag: --reads", "read", "--reads", "5")
	for _, name := range remoteFlags() {
		value := map[string]string{"timeout": "1s", "coalesce": "1s", "protocol": "5", "connections": "1", "replication-factor": "1"}[name]
		refuse("--"+name+" is for servers: give --hosts too", "read", "--"+name, value)
	}
	free := nodes.Unused(t)
	refuse("connecting to ["+free+"]", "read", "--hosts", free)
	refuse("--protocol must be 4 or 5, not 3", "read", "--hosts", free, "--protocol", "3")
	refuse("--timeout must be above 0", "read", "--hosts", free, "--timeout", "0s")
	refuse("--connections must be at least 1", "read", "--hosts", free, "--connections", "0")
	refuse("--replication-factor must be at least 1", "read", "--hosts", free, "--replication-factor", "0")
	refuse("--hosts names no host", "read", "--hosts", "")
	refuse("--hosts names an empty host", "read", "--hosts", free+",")
	refuse(`"SOME" is no consistency level`, "read", "--hosts", free, "--consistency", "SOME")
}

func TestHosts(t *testing.T) {
	w := where{}
	w.servers.Hosts = []string{"a", "b:1", "::1", "[::2]", "[::3]:2", "127.0.0.1"}
	t.Setenv(passwordVariable, "secret")
	got := w.options()
	if want := "a:9042 b:1 [::1]:9042 [::2]:9042 [::3]:2 127.0.0.1:9042"; strings.Join(got.Hosts, " ") != want || got.Password != "secret" {
		t.Errorf("got %+v", got)
	}
	w.servers.Password = "given"
	if got := w.options(); got.Password != "given" {
		t.Errorf("got %q", got.Password)
	}
}

// The inbox of servers is the one of the embedded node.
func TestInboxOfServers(t *testing.T) {
	u := newTerminal(t)
	data := filepath.Join(files(t, map[string]string{"mail.jsonl": jsonLines}), "mail.jsonl")
	for _, batch := range []string{"0", "300", "-1"} {
		hosts := []string{"--hosts", serve(t)}
		u.show(t, loaded, append([]string{"load", "--data", data, "--workers", "3", "--batch", batch}, hosts...)...)
		u.show(t, "loaded 0 messages: 0 term postings, 0 interaction postings in # s (# postings/s)\n4 messages had been loaded before\n",
			append([]string{"load", "--data", data}, hosts...)...)
		u.show(t, "31 searches with 37 hits: no difference\n", append([]string{"check", "--data", data}, hosts...)...)
		u.show(t, "2019-03-06 08:15  ada@x                             Re: Yarn\n1 messages in # ms\nnext page: --page 2019-03-06T08:15:00Z/2@x\n",
			append([]string{"search", "ada", "yarn", "--limit", "1"}, hosts...)...)
		if err := u.run(t.Context(), append([]string{"measure", "--data", data, "--searches", "40", "--workers", "1,3"}, hosts...)...); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"interactions         1  ", "interactions         3  ", "terms         3  "} {
			if !strings.Contains(u.out.String(), want) {
				t.Errorf("%s does not say %s", u.out.String(), want)
			}
		}
		u.refuse(t, "--compact is for the embedded node", append([]string{"load", "--data", data, "--compact"}, hosts...)...)
	}
}

func TestBatchFlag(t *testing.T) {
	check := func(flag int, remote bool, want int) {
		t.Helper()
		if got := batchSize(flag, remote); got != want {
			t.Errorf("batchSize(%d, %t) = %d, want %d", flag, remote, got, want)
		}
	}
	check(-1, false, 0)
	check(-1, true, -1)
	check(0, false, -1)
	check(0, true, -1)
	check(5000, false, 5000)
	check(5000, true, 5000)
}
