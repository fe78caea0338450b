package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/node"
)

// A Ledger writes and reads rows of one table, and complains if a read at QUORUM returns less than it must: what was acknowledged, or read,
// before it began.
//
// Each row has one writer at a time, which numbers what it writes and makes the number the write's timestamp. Every fifth is a deletion. A
// write that failed may be there, or not, or later.
type Ledger struct {
	cluster *Cluster
	Table   string

	mu    sync.Mutex
	rows  []rowState
	Acked int // writes
	Read  int // reads that have returned something to check
	wrong int
}

// A rowState is what is known of a row.
type rowState struct {
	busy  bool // somebody writes it
	tried int  // the newest version that a write was begun of
	acked int  // the newest that was acknowledged
	floor int  // the newest that was acknowledged or read
	by    int  // who has acknowledged acked
	at    time.Time
}

// deletes reports whether a version is a deletion.
func deletes(version int) bool { return version%5 == 0 }

// NewLedger makes a keyspace and a table with rows of a replication factor.
func NewLedger(c *Cluster, at, factor, rows int) *Ledger {
	c.T.Helper()
	l := &Ledger{cluster: c, Table: "ledger.rows", rows: make([]rowState, rows)}
	for _, text := range []string{
		fmt.Sprintf("CREATE KEYSPACE ledger WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': %d}", factor),
		"CREATE TABLE ledger.rows (k int PRIMARY KEY, v int, t text)",
	} {
		if err := c.Do(at, func(s *node.Session) error { return s.Query(text).Exec(background()) }); err != nil {
			c.T.Fatalf("%s: %v", text, err)
		}
	}
	return l
}

func (l *Ledger) complain(format string, args ...any) {
	l.mu.Lock()
	l.wrong++
	few := l.wrong <= 5
	l.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	l.cluster.Logf("WRONG: %s", text)
	if few {
		l.cluster.T.Errorf("%s", text)
	}
}

// text is the value of a version of a row.
func text(key, version int) string { return fmt.Sprintf("version %d of row %d", version, key) }

// Write writes the next version of a row, at a member.
func (l *Ledger) Write(at, key int) error {
	l.mu.Lock()
	r := &l.rows[key]
	if r.busy {
		l.mu.Unlock()
		return nil
	}
	r.busy = true
	r.tried++
	version := r.tried
	l.mu.Unlock()
	err := l.cluster.Do(at, func(s *node.Session) error {
		q := s.Query("UPDATE ledger.rows SET v = ?, t = ? WHERE k = ?", int32(version), text(key, version), int32(key))
		if deletes(version) {
			q = s.Query("DELETE FROM ledger.rows WHERE k = ?", int32(key))
		}
		return q.Consistency(consistency.Quorum).Timestamp(int64(version)).Exec(background())
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	r.busy = false
	if err == nil {
		r.acked, r.by, r.at = version, at, time.Now()
		r.floor = max(r.floor, version)
		l.Acked++
	}
	return err
}

// Check reads a row at a member.
func (l *Ledger) Check(at, key int, level consistency.Level) error {
	floor := l.floor(key, level)
	var version int32
	var value string
	err := l.cluster.Do(at, func(s *node.Session) error {
		return s.Query("SELECT v, t FROM ledger.rows WHERE k = ?", int32(key)).Consistency(level).Scan(background(), &version, &value)
	})
	if errors.Is(err, ErrLost) {
		return err
	}
	if errors.Is(err, node.ErrNotFound) {
		l.judge(at, key, 0, floor, level)
		return nil
	}
	if err == nil {
		if value != text(key, int(version)) {
			l.complain("row %d at member %d has the value %q with version %d", key, at, value, version)
		}
		l.judge(at, key, int(version), floor, level)
	}
	return err
}

// floor returns the least version that a read that begins now may return.
func (l *Ledger) floor(key int, level consistency.Level) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if level == consistency.Quorum {
		return l.rows[key].floor
	}
	return l.rows[key].acked
}

// judge complains if a read may not have returned a version, 0 for none.
func (l *Ledger) judge(at, key, version, floor int, level consistency.Level) {
	l.mu.Lock()
	r := &l.rows[key]
	l.Read++
	tried := r.tried
	if version > r.floor && level == consistency.Quorum {
		r.floor = version
	}
	l.mu.Unlock()
	if version > 0 {
		if version < floor || version > tried || deletes(version) {
			l.cluster.Logf("version %d was acknowledged by member %d, %s ago", r.acked, r.by, time.Since(r.at))
			l.complain("row %d at member %d at %s: version %d, not one of %d to %d", key, at, level, version, floor, tried)
		}
		return
	}
	for v := floor; v <= tried; v++ {
		if deletes(v) { // 0 as well
			return
		}
	}
	l.cluster.Logf("version %d was acknowledged by member %d, %s ago", r.acked, r.by, time.Since(r.at))
	l.complain("row %d at member %d at %s: nothing, though it is at version %d to %d", key, at, level, floor, tried)
}

// Scan reads all rows at QUORUM.
func (l *Ledger) Scan(at int) error {
	floors := make([]int, len(l.rows))
	for key := range floors {
		floors[key] = l.floor(key, consistency.Quorum)
	}
	got := map[int]int{}
	err := l.cluster.Do(at, func(s *node.Session) error {
		rows := s.Query("SELECT k, v, t FROM ledger.rows").Consistency(consistency.Quorum).PageSize(17).Iter(background())
		defer rows.Close()
		for rows.Next() {
			var k, v int32
			var value string
			if err := rows.Scan(&k, &v, &value); err != nil {
				return err
			}
			if _, twice := got[int(k)]; twice {
				l.complain("a scan at member %d returns row %d twice", at, k)
			}
			got[int(k)] = int(v)
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	for key, floor := range floors {
		l.judge(at, key, got[key], floor, consistency.Quorum)
	}
	return nil
}

// Load writes and reads with some clients until ctx ends. They pause for up to twice a time between two requests.
func (l *Ledger) Load(ctx context.Context, clients int, pause time.Duration) {
	var running sync.WaitGroup
	for i := range clients {
		random := rand.New(rand.NewPCG(l.cluster.Seed, uint64(i)+100))
		running.Go(func() {
			for ctx.Err() == nil {
				l.once(random)
				select {
				case <-time.After(time.Duration(random.Int64N(int64(2 * pause)))):
				case <-ctx.Done():
				}
			}
		})
	}
	running.Wait()
}

// once makes one request.
func (l *Ledger) once(random *rand.Rand) {
	at, key := random.IntN(len(l.cluster.Members())), random.IntN(len(l.rows))
	var err error
	what := "read"
	switch n := random.IntN(100); {
	case n < 60:
		what, err = "write", l.Write(at, key)
	case n < 97:
		err = l.Check(at, key, consistency.Quorum)
	default:
		what, err = "scan", l.Scan(at)
	}
	if err != nil && !errors.Is(err, ErrDown) {
		l.unless(what, at, err)
	}
}

// CheckAll reads all rows at all members that are up, at a level, which must succeed. skip, which may be nil, says which rows are not to be
// looked at.
func (l *Ledger) CheckAll(level consistency.Level, skip func(by int, at time.Time) bool) {
	for _, at := range l.cluster.Up() {
		for key := range l.rows {
			l.mu.Lock()
			r := l.rows[key]
			l.mu.Unlock()
			if skip != nil && skip(r.by, r.at) {
				continue
			}
			if err := l.Check(at, key, level); err != nil {
				l.complain("row %d at member %d at %s: %v", key, at, level, err)
			}
		}
	}
}
