package process

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/node"
)

// A writer is killed again and again, while it starts, recovers and writes. Every batch that it
// acknowledged is there, whole, and no other is there in part. (The writes of a killed process
// are in the operating system's cache, so this holds for commitlog_sync periodic as well. What
// is lost when the power fails is another matter: TestPowerLoss.)
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	for _, sync := range []string{"group", "periodic"} {
		t.Run(sync, func(t *testing.T) {
			t.Parallel()
			random, seed := newRandom(t)
			dir, l := t.TempDir(), newLedger(seed)
			total := 0
			for kill := range 14 * rounds(t) {
				w := l.startWriter(t, dir, sync, "")
				if kill%3 == 2 { // probably before the first acknowledgement
					w.killAfter(millis(random, 60))
				} else {
					if !w.out.awaitCount(1 + random.IntN(700)) {
						t.Fatalf("the writer ended by itself: %s", w.wait().err)
					}
					w.killAfter(millis(random, 4))
				}
				total += l.record(t, w.wait().out)
				if kill%2 == 1 { // else the next writer has to recover from two crashes at once
					l.verify(t, dir)
				}
			}
			t.Logf("%d acknowledged batches, all there", total)
		})
	}
}

// The ledger finds errors that were planted: in the writer, or in the data by ordinary statements.
func TestLedgerFindsPlantedErrors(t *testing.T) {
	_, seed := newRandom(t)
	write := func(t *testing.T, fault string) (string, *ledger) {
		dir, l := t.TempDir(), newLedger(seed)
		w := l.startWriter(t, dir, "group", fault)
		if !w.out.awaitCount(threads * 40) {
			t.Fatalf("the writer ended by itself: %s", w.wait().err)
		}
		w.kill()
		l.record(t, w.wait().out)
		return dir, l
	}
	for fault, want := range map[string]string{
		"": "", faultForget: "was acknowledged and is lost", faultTear: "is torn", faultKeep: "was deleted and has",
	} {
		t.Run("writer "+fault, func(t *testing.T) {
			t.Parallel()
			dir, l := write(t, fault)
			problems := l.problems(t, dir, nil)
			t.Logf("%d problems", len(problems))
			if (len(problems) > 0) != (want != "") {
				t.Fatalf("problems: %q", problems)
			}
			for _, p := range problems {
				if !strings.Contains(p, want) {
					t.Errorf("problem %q, want %q", p, want)
				}
			}
		})
	}
	t.Run("data", func(t *testing.T) {
		t.Parallel()
		dir, l := write(t, "")
		plant := func(want string, statement string, args ...any) {
			t.Helper()
			text := fmt.Sprintf(statement, args...)
			problems := l.problems(t, dir, func(s *node.Session) error { return s.Query(text).Exec(t.Context()) })
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
				t.Errorf("%s: problems %q, want %q", text, problems, want)
			}
		}
		victim := batch{1, 0}
		rows := victim.rows(seed)
		for at := range rows {
			plant(victim.String()+" has a wrong row", `UPDATE w.rows SET payload = 0x00 WHERE p = %d AND thread = 1 AND number = 0 AND i = %d`,
				at.partition, at.index)
			plant(victim.String()+" is torn", `DELETE FROM w.rows WHERE p = %d AND thread = 1 AND number = 0 AND i = %d`,
				at.partition, at.index)
			break
		}
		for p := range partitions {
			if p == partitions-1 {
				plant(victim.String()+" was acknowledged and is lost", `DELETE FROM w.rows WHERE p = %d AND thread = 1 AND number = 0`, p)
				break
			}
			l.problems(t, dir, func(s *node.Session) error {
				return s.Query(deleteBatch, p, victim.thread, victim.number).Exec(t.Context())
			})
		}
		plant("batch 999999 of thread 2 has 1 rows and was never written",
			`INSERT INTO w.rows (p, thread, number, i, payload) VALUES (0, 2, 999999, 0, 0x00)`)
	})
}
