package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/node"
)

// A ledger is what the parent of a writer knows: which batches were acknowledged, and for each
// thread the one that may have been under way when the writer died.
type ledger struct {
	seed         uint64
	next         [threads]int // the number that the thread begins with when the writer runs next
	acknowledged map[batch]bool
	doubtful     map[batch]bool
	absent       int // how many of the batches that may be there or not were not, at the last check
}

func newLedger(seed uint64) *ledger {
	return &ledger{seed: seed, acknowledged: make(map[batch]bool), doubtful: make(map[batch]bool)}
}

// startWriter starts a writer that goes on where the last one ended.
func (l *ledger) startWriter(t *testing.T, dir, sync, fault string) *program {
	t.Helper()
	return startRole(t, "writer", "-dir", dir, "-sync", sync, "-fault", fault, "-seed", fmt.Sprint(l.seed),
		"-from", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(l.next)), ","), "[]"))
}

// record takes down what a dead writer had printed, and returns how many batches that were.
func (l *ledger) record(t *testing.T, printed string) int {
	t.Helper()
	lines := strings.Fields(strings.ReplaceAll(printed, " ", "/"))
	for _, line := range lines {
		var b batch
		if _, err := fmt.Sscanf(line, "%d/%d", &b.thread, &b.number); err != nil {
			t.Fatalf("the writer printed %q", line)
		}
		if b.number != l.next[b.thread] {
			t.Fatalf("the writer skipped to %s from number %d", b, l.next[b.thread])
		}
		l.acknowledged[b] = true
		l.next[b.thread] = b.number + 1
	}
	for thread := range l.next {
		l.doubtful[batch{thread, l.next[thread]}] = true
		l.next[thread]++
	}
	return len(lines)
}

// A fate is what may be left of an inserted batch.
type fate int

const (
	whole  fate = iota
	gone        // deleted
	either      // all of it or nothing
)

// fates returns what every batch that inserts must look like.
func (l *ledger) fates() map[batch]fate {
	fates := make(map[batch]fate)
	for b := range l.doubtful {
		fates[b] = either
	}
	for b := range l.acknowledged {
		fates[b] = whole
	}
	for b := range fates {
		target, ok := b.deletes()
		if !ok {
			continue
		}
		delete(fates, b)
		if _, known := fates[target]; !known {
			continue
		}
		if fates[target] = either; l.acknowledged[b] {
			fates[target] = gone
		}
	}
	return fates
}

// check compares the table with the ledger and returns what is wrong: batches that were
// acknowledged and are not there, torn ones, rows that nobody wrote.
func (l *ledger) check(ctx context.Context, n *node.Node) ([]string, error) {
	found := make(map[batch]map[position][]byte)
	rows := n.Session().Query(selectRows).PageSize(500).Iter(ctx)
	for rows.Next() {
		var b batch
		var at position
		var payload []byte
		if err := rows.Scan(&at.partition, &b.thread, &b.number, &at.index, &payload); err != nil {
			return nil, err
		}
		if found[b] == nil {
			found[b] = make(map[position][]byte)
		}
		found[b][at] = payload
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	var problems []string
	report := func(b batch, format string, args ...any) {
		problems = append(problems, b.String()+" "+fmt.Sprintf(format, args...))
	}
	fates := l.fates()
	l.absent = 0
	for b, fate := range fates {
		want, got := b.rows(l.seed), found[b]
		delete(found, b)
		if len(got) == 0 && fate == either {
			l.absent++
		}
		switch {
		case len(got) == 0 && fate == whole:
			report(b, "was acknowledged and is lost")
		case len(got) > 0 && fate == gone:
			report(b, "was deleted and has %d rows", len(got))
		case len(got) > 0 && len(got) < len(want):
			report(b, "is torn: %d of %d rows", len(got), len(want))
		}
		for at, payload := range got {
			if !bytes.Equal(payload, want[at]) {
				report(b, "has a wrong row %v", at)
			}
		}
	}
	for b, got := range found {
		report(b, "has %d rows and was never written", len(got))
	}
	slices.Sort(problems)
	return problems, nil
}

// verify opens the directory and fails the test if it is not as the ledger says.
func (l *ledger) verify(t *testing.T, dir string) {
	t.Helper()
	if problems := l.problems(t, dir, nil); len(problems) > 0 {
		t.Fatalf("%d problems:\n%s", len(problems), strings.Join(problems[:min(20, len(problems))], "\n"))
	}
}

// problems opens the directory, lets tamper change something, and checks.
func (l *ledger) problems(t *testing.T, dir string, tamper func(*node.Session) error) []string {
	t.Helper()
	n, err := startNode(t.Context(), dir, "group")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if n.Schema().Table("w", "rows") == nil {
		if len(l.acknowledged) > 0 {
			t.Fatal("the table is lost")
		}
		return nil
	}
	if tamper != nil {
		if err := tamper(n.Session()); err != nil {
			t.Fatal(err)
		}
	}
	problems, err := l.check(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

// awaitSync waits until the node has noted a sync (its file COMMITTED changes) that began after all
// that the writer has printed so far, and returns how many lines that was.
func (l *ledger) awaitSync(t *testing.T, w *program, dir string) int {
	t.Helper()
	printed := w.out.count()
	read := func() string {
		b, err := os.ReadFile(filepath.Join(dir, "COMMITTED"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for range 2 { // the first may have begun before
		for before := read(); read() == before; {
			if !w.out.awaitCount(w.out.count() + 1) {
				t.Fatalf("the writer ended by itself: %s", w.wait().err)
			}
		}
	}
	return printed
}

// doubt takes back what was recorded of the lines after the first settled ones: they need not
// have survived. The batches of each thread up to the last settled one must have.
func (l *ledger) doubt(t *testing.T, printed string, settled int) {
	t.Helper()
	for i, line := range strings.Split(printed, "\n") {
		var b batch
		if _, err := fmt.Sscanf(line, "%d %d", &b.thread, &b.number); err != nil {
			t.Fatalf("the writer printed %q", line)
		}
		if i >= settled {
			delete(l.acknowledged, b)
			l.doubtful[b] = true
		}
	}
}
