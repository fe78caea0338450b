package process

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// verify compares what is in the cluster with the ledger. All that was acknowledged must be there at QUORUM, at once, and
// at each replica alone when the hints are delivered. Only then may a coordinator that was killed have left gaps:
// a write whose two replicas it had heard of and whose third it had not. kills says how many coordinators that were.
func (l *load) verify(c *loopback, kills int) {
	l.t.Helper()
	l.stop()
	l.running.Wait()
	if len(l.lost) > 0 {
		l.t.Errorf("%d reads went wrong: %s", len(l.lost), strings.Join(l.lost[:min(10, len(l.lost))], "\n"))
	}
	// Reads at QUORUM repair what they find. They leave half of the partitions to the hints.
	l.report(l.compare(c.living()[0].session(), gocql.Quorum, func(p int) bool { return p%2 == 0 }), "at QUORUM")
	c.awaitUp()
	delivered := c.awaitHints()
	gaps := 0
	for _, m := range c.living() {
		// A node that is a replica answers by itself at LOCAL_ONE.
		problems := l.compare(m.session(), gocql.LocalOne, func(int) bool { return true })
		missing := slices.DeleteFunc(slices.Clone(problems), func(p string) bool { return !strings.HasSuffix(p, lostRow) })
		if gaps += len(missing); len(missing) < len(problems) || gaps > kills*loadWriters*loadGapsPerWriter {
			l.report(problems, "at node "+m.address+" alone")
		}
	}
	for _, m := range c.living() {
		l.report(l.compare(m.session(), gocql.Quorum, func(int) bool { return true }), "at QUORUM, by node "+m.address)
	}
	l.t.Logf("%d rows acknowledged, %d refused, %d unknown: none lost; hints were delivered after %s; %d rows are missing at one replica",
		len(l.acknowledged), len(l.refused), len(l.doubtful), inMillis(delivered), gaps)
}

// loadGapsPerWriter is how many writes of a writer a coordinator that is killed may not have sent to all replicas: the
// one that is under way, and the one before.
const loadGapsPerWriter = 2

const lostRow = "was acknowledged and is lost"

func (l *load) report(problems []string, where string) {
	l.t.Helper()
	if len(problems) > 0 {
		l.t.Errorf("%s: %d problems: %s", where, len(problems), strings.Join(problems[:min(10, len(problems))], "\n"))
	}
}

// compare reads partitions and returns how they differ from the ledger.
func (l *load) compare(s *gocql.Session, level gocql.Consistency, included func(partition int) bool) []string {
	l.t.Helper()
	found := map[int64][]byte{}
	for p := range loadPartitions {
		if !included(p) {
			continue
		}
		eventually(l.t, func(ctx context.Context) error {
			rows := s.Query(selectAll, p).Consistency(level).PageSize(500).IterContext(ctx)
			var n int64
			var v []byte
			for rows.Scan(&n, &v) {
				found[n] = slices.Clone(v)
			}
			return rows.Close()
		})
	}
	return l.differences(found, included)
}

// differences returns how rows that were found differ from the ledger.
func (l *load) differences(found map[int64][]byte, included func(partition int) bool) (problems []string) {
	for _, n := range l.acknowledged {
		if !included(int(n % loadPartitions)) {
			continue
		}
		switch v, ok := found[n]; {
		case !ok:
			problems = append(problems, fmt.Sprintf("row %d ", n)+lostRow)
		case !slices.Equal(v, valueOf(n)):
			problems = append(problems, fmt.Sprintf("row %d has a wrong value", n))
		}
	}
	for n := range found {
		switch {
		case l.refused[n]:
			problems = append(problems, fmt.Sprintf("row %d was refused and is there", n))
		case n >= l.next || n < 0:
			problems = append(problems, fmt.Sprintf("row %d was never written", n))
		}
	}
	slices.Sort(problems)
	return problems
}

// The ledger finds errors that are planted in what was read.
func TestClusterLedgerFindsPlantedErrors(t *testing.T) {
	l := &load{t: t, next: 4, acknowledged: []int64{0, 1}, doubtful: map[int64]bool{2: true}, refused: map[int64]bool{3: true}}
	all := func(int) bool { return true }
	for name, c := range map[string]struct {
		found map[int64][]byte
		want  []string
	}{
		"right":    {map[int64][]byte{0: valueOf(0), 1: valueOf(1)}, nil},
		"doubtful": {map[int64][]byte{0: valueOf(0), 1: valueOf(1), 2: valueOf(2)}, nil},
		"lost":     {map[int64][]byte{0: valueOf(0)}, []string{"row 1 " + lostRow}},
		"wrong":    {map[int64][]byte{0: valueOf(0), 1: valueOf(7)}, []string{"row 1 has a wrong value"}},
		"refused":  {map[int64][]byte{0: valueOf(0), 1: valueOf(1), 3: valueOf(3)}, []string{"row 3 was refused and is there"}},
		"invented": {map[int64][]byte{0: valueOf(0), 1: valueOf(1), 9: valueOf(9)}, []string{"row 9 was never written"}},
	} {
		if got := l.differences(c.found, all); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
