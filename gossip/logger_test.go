package gossip

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Of each kind of line that memberlist logs, one goes out each minute.
func TestLinesAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := newLineLog(slog.New(slog.NewTextHandler(&out, nil)))
		check := func(want ...string) {
			t.Helper()
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			out.Reset()
			if len(lines) == 1 && lines[0] == "" {
				lines = nil
			}
			for i, line := range lines {
				if _, rest, _ := strings.Cut(line, " "); i >= len(want) || rest != want[i] {
					t.Errorf("line %q", rest)
				}
			}
			if len(lines) != len(want) {
				t.Errorf("%d lines, want %d", len(lines), len(want))
			}
		}
		for i := range 100 {
			l.Printf("[ERR] memberlist: Decrypt packet failed: %d", i)
			l.Printf("[WARN] memberlist: Refuting a suspect message (from: %d)", i)
			l.Printf("[DEBUG] memberlist: Stream connection %d", i)
		}
		check(`level=WARN msg="gossip: Decrypt packet failed: 0" dropped=0`, `level=WARN msg="gossip: Refuting a suspect message (from: 0)" dropped=0`)
		<-time.After(logEvery)
		l.Printf("[ERR] memberlist: Decrypt packet failed: again")
		check(`level=WARN msg="gossip: Decrypt packet failed: again" dropped=99`)
		for i := range 10 * logKinds {
			l.Printf("[ERR] memberlist: %d", i)
		}
		if n := len(l.Writer().(*lineLog).kinds); n > logKinds || n == 0 {
			t.Errorf("%d kinds are remembered", n)
		}
		out.Reset()
		fmt.Fprintln(l.Writer(), "something else")
		check()
	})
}
