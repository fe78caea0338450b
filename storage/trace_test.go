package storage

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// activities returns what a trace was told.
func activities(t *trace.Trace) string {
	var lines []string
	events, _ := t.End()
	for _, e := range events {
		lines = append(lines, e.Thread+": "+e.Activity)
	}
	return strings.Join(lines, "\n")
}

func checkActivities(t *testing.T, tr *trace.Trace, want ...string) {
	t.Helper()
	got := activities(tr)
	if !regexp.MustCompile("^" + strings.Join(want, "\n") + "$").MatchString(got) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestTracesOfCommits(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	insert(m, "a", 1, "v")
	insert(m, "b", 1, "v")
	tr := trace.New("test")
	if err := e.ApplyTraced(t.Context(), tr, m); err != nil {
		t.Fatal(err)
	}
	checkActivities(t, tr, "test: Queued for the next commit group", `committer: Appending to commitlog in a group of 1 writes: 3 entries, \d+ bytes`,
		`committer: Commit 1 appended and synced to disk within .*s`, "committer: Visible to readers")

	large := mutation("pk")
	for i := range 200 {
		insert(large, fmt.Sprint(i), 2, string(noise(20_000)))
	}
	tr = trace.New("test")
	if err := e.ApplyTraced(t.Context(), tr, large); err != nil {
		t.Fatal(err)
	}
	checkActivities(t, tr, `test: Larger than a commit group: staged by \d+ commits, then carried out by \d+, of which the last makes all visible`,
		`committer: Appending to commitlog in a group of 1 writes: \d+ entries, \d+ bytes`, `committer: Commit \d+ appended and synced to disk within .*s`,
		"committer: Visible to readers")
}

// TestTraceOfFailedCommit checks that a refused write is not said to be visible.
func TestTraceOfFailedCommit(t *testing.T) {
	options := testOptions(t.TempDir())
	options.DiskFloor = 1 << 60
	e := openEngine(t, options)
	defer closeEngine(t, e)
	m := mutation("pk")
	insert(m, "a", 1, "v")
	tr := trace.New("test")
	err := e.ApplyTraced(t.Context(), tr, m)
	if err == nil {
		t.Fatal("written on a full disk")
	}
	checkActivities(t, tr, "test: Queued for the next commit group", "committer: Commit failed: "+regexp.QuoteMeta(err.Error()))
}

// TestReadStats checks what a cursor says of fragments, pages and the state that it has read.
func TestReadStats(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	for _, c := range []string{"a", "b", "c"} {
		m := mutation("pk")
		insert(m, c, 1, string(noise(20_000))) // more than a page
		apply(t, e, m)
	}
	read := func() ReadStats {
		c := e.Read(&Read{Incarnation: table7, Partition: row.AppendPartition(nil, 42, []byte("pk"))})
		defer c.Close()
		for c.Next() {
		}
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
		return c.Stats()
	}
	if got := read(); got != (ReadStats{Rows: 3, Fragments: 3, Commit: 3}) {
		t.Errorf("%+v", got)
	}
	if err := e.Compact(t.Context(), table7); err != nil {
		t.Fatal(err)
	}
	m := mutation("pk")
	insert(m, "b", 2, "new")
	apply(t, e, m)
	if got := read(); got.Rows != 3 || got.Fragments != 1 || got.Pages != countPages(t, e) || got.Pages < 2 || got.Commit <= 3 {
		t.Errorf("%+v with %d pages", got, countPages(t, e))
	}
}
