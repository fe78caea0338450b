package node_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/iliumdb/ilium/node"
)

// clock is a clock that a test moves.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(c.seconds.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

// newClockSession returns a session in keyspace ks of a node whose clock the test moves.
func newClockSession(t testing.TB) (*node.Session, *clock) {
	t.Helper()
	c := &clock{}
	c.seconds.Store(time.Date(2019, 3, 5, 8, 15, 0, 0, time.UTC).Unix())
	n, err := node.StartWith(t.Context(), settings(t.TempDir()), node.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	exec(t, s, "USE ks")
	return s, c
}

func TestTTL(t *testing.T) {
	s, clock := newClockSession(t)
	execAll(t, s,
		"CREATE TABLE t (k int PRIMARY KEY, v text, w text)",
		"CREATE TABLE short (k int PRIMARY KEY, v text) WITH default_time_to_live = 50",
		"INSERT INTO t (k, v) VALUES (1, 'row') USING TTL 100",
		"INSERT INTO t (k, v) VALUES (2, 'kept')",
		"UPDATE t USING TTL 30 SET w = 'cell' WHERE k = 2",
		"INSERT INTO short (k, v) VALUES (1, 'default')",
		"INSERT INTO short (k, v) VALUES (2, 'own') USING TTL 80")
	exec(t, s, "INSERT INTO t (k, v) VALUES (3, 'bound') USING TTL ?", 60)

	check := func(rows, cells, short string) {
		t.Helper()
		checkTexts(t, s.Query("SELECT v FROM t WHERE k IN (1, 2, 3)"), rows)
		checkTexts(t, s.Query("SELECT w FROM t WHERE k = 2"), cells)
		checkTexts(t, s.Query("SELECT v FROM short WHERE k IN (1, 2)"), short)
	}
	left := func(want int) {
		t.Helper()
		var ttl int
		if scan(t, s.Query("SELECT ttl(v) FROM t WHERE k = 1"), &ttl); ttl != want {
			t.Errorf("%d seconds are left, want %d", ttl, want)
		}
	}
	check("row kept bound", "cell", "default own")
	left(100)
	clock.advance(29 * time.Second)
	check("row kept bound", "cell", "default own")
	left(71)
	clock.advance(time.Second)
	check("row kept bound", "", "default own")
	clock.advance(30 * time.Second)
	check("row kept", "", "own")
	clock.advance(40 * time.Second)
	check("kept", "", "")
}

// Write timestamps come from the clock and never repeat.
func TestTimestampsOfOneMoment(t *testing.T) {
	s, clock := newClockSession(t)
	exec(t, s, "CREATE TABLE t (k int PRIMARY KEY, v text)")
	for _, v := range []string{"c", "b", "a"} { // at the same moment, the last write wins in spite of its smaller value
		exec(t, s, "INSERT INTO t (k, v) VALUES (1, ?)", v)
	}
	checkTexts(t, s.Query("SELECT v FROM t"), "a")
	var written int64
	scan(t, s.Query("SELECT writetime(v) FROM t"), &written)
	if late := written - clock.now().UnixMicro(); late < 0 || late > 1000 {
		t.Errorf("the write time is %d microseconds behind the clock", late)
	}
}
