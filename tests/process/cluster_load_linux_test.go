package process

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// A load writes unique rows to a cluster at QUORUM, and reads at QUORUM what was acknowledged, all the time. What
// became of each row is in its ledger.
type load struct {
	t       *testing.T
	session *gocql.Session
	stop    context.CancelFunc
	running sync.WaitGroup

	mu           sync.Mutex
	next         int64
	acknowledged []int64 // in this order
	doubtful     map[int64]bool
	refused      map[int64]bool
	operations   []operation
	lost         []string // that reads at QUORUM did not find
}

// An operation is one request, as the client saw it.
type operation struct {
	began  time.Time
	took   time.Duration
	failed string // the kind of error; empty if there was none
}

const (
	loadWriters    = 4
	loadReaders    = 4
	loadPartitions = 32
	loadPause      = 8 * time.Millisecond // between two operations of a worker

	insertKey = `INSERT INTO c.keys (p, n, v) VALUES (?, ?, ?)`
	selectKey = `SELECT v FROM c.keys WHERE p = ? AND n = ?`
	selectAll = `SELECT n, v FROM c.keys WHERE p = ?`
)

// valueOf returns what is written for a number.
func valueOf(n int64) []byte {
	v := make([]byte, 0, 64)
	for i := range int64(8) {
		v = binary.BigEndian.AppendUint64(v, uint64(n*1_000_003+i))
	}
	return v
}

// startLoad creates a table with three replicas and begins.
func startLoad(t *testing.T, c *loopback) *load {
	t.Helper()
	cfg := gocql.NewCluster(c.members[0].address, c.members[1].address)
	cfg.Port, cfg.ProtoVersion, cfg.NumConns = clientPort, 5, 1
	cfg.Timeout, cfg.ConnectTimeout = patience/6, patience/6
	cfg.Consistency = gocql.Quorum
	cfg.Logger = gocql.NewLogger(gocql.LogLevelNone)
	cfg.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	s, err := cfg.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, ddl := range []string{
		`CREATE KEYSPACE c WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}`,
		`CREATE TABLE c.keys (p int, n bigint, v blob, PRIMARY KEY (p, n))`,
	} {
		if err := s.Query(ddl).ExecContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l := &load{t: t, session: s, doubtful: map[int64]bool{}, refused: map[int64]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	for i := range loadWriters + loadReaders {
		work := l.write
		if i >= loadWriters {
			work = l.read
		}
		l.running.Go(func() {
			pause := time.NewTicker(loadPause)
			defer pause.Stop()
			for ctx.Err() == nil {
				work()
				select {
				case <-pause.C:
				case <-ctx.Done():
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// end stops all work.
func (l *load) end() {
	l.stop()
	l.running.Wait()
	l.session.Close()
}

// write writes the next row, once.
func (l *load) write() {
	l.mu.Lock()
	n := l.next
	l.next++
	l.mu.Unlock()
	began := time.Now()
	err := l.session.Query(insertKey, n%loadPartitions, n, valueOf(n)).Exec()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(began, "write", err)
	var unavailable *gocql.RequestErrUnavailable
	switch {
	case err == nil:
		l.acknowledged = append(l.acknowledged, n)
	case errors.As(err, &unavailable): // before anything was written
		l.refused[n] = true
	default:
		l.doubtful[n] = true
	}
}

// read reads a row that was acknowledged, most often one of the last.
func (l *load) read() {
	l.mu.Lock()
	known := l.acknowledged
	l.mu.Unlock()
	if len(known) == 0 {
		return
	}
	n := known[rand.IntN(len(known))]
	if rand.IntN(4) > 0 {
		n = known[len(known)-1-rand.IntN(min(len(known), 50))]
	}
	began := time.Now()
	var v []byte
	err := l.session.Query(selectKey, n%loadPartitions, n).Scan(&v)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(err, gocql.ErrNotFound):
		l.lost = append(l.lost, fmt.Sprintf("row %d was acknowledged, and not found at QUORUM %s", n, began.Format(time.TimeOnly)))
		err = nil
	case err == nil && !slices.Equal(v, valueOf(n)):
		l.lost = append(l.lost, fmt.Sprintf("row %d has a wrong value", n))
	}
	l.note(began, "read", err)
}

// note takes an operation down. l.mu is held.
func (l *load) note(began time.Time, what string, err error) {
	o := operation{began: began, took: time.Since(began)}
	if err != nil {
		o.failed = what + ": " + kindOf(err)
	}
	l.operations = append(l.operations, o)
}

// kindOf names an error for counting.
func kindOf(err error) string {
	if request, ok := errors.AsType[gocql.RequestError](err); ok {
		return fmt.Sprintf("%T", request)[len("*gocql."):]
	}
	switch {
	case errors.Is(err, gocql.ErrTimeoutNoResponse), errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	case errors.Is(err, gocql.ErrNoConnections), errors.Is(err, gocql.ErrConnectionClosed):
		return "no connection"
	default:
		text := err.Error() // most name addresses
		return "connection: " + text[max(0, strings.LastIndex(text, ": ")+1):]
	}
}

// during carries an event out under load, and prints how clients fared from its beginning to its end.
func (l *load) during(name string, event func()) {
	l.t.Helper()
	began := time.Now()
	event()
	ended := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := summarize(l.operations, began, ended)
	l.t.Logf("%-34s %s", name, s)
	if s.operations == 0 {
		l.t.Errorf("%s: no operation began during the event", name)
	}
}

// A summary is how clients fared in some time.
type summary struct {
	lasted             time.Duration
	operations, failed int
	p50, p99, most     time.Duration // of those that succeeded
	gap                time.Duration // the longest time in which none succeeded
	kinds              map[string]int
}

func summarize(all []operation, from, to time.Time) summary {
	s := summary{lasted: to.Sub(from), kinds: map[string]int{}}
	var took []time.Duration
	var succeeded []time.Time
	for _, o := range all {
		if o.began.Before(from) || o.began.After(to) {
			continue
		}
		s.operations++
		if o.failed != "" {
			s.failed++
			s.kinds[o.failed]++
			continue
		}
		took = append(took, o.took)
		succeeded = append(succeeded, o.began.Add(o.took))
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		s.p50, s.p99, s.most = took[n/2], took[n*99/100], took[n-1]
	}
	slices.SortFunc(succeeded, time.Time.Compare)
	last := from
	for _, at := range append(succeeded, to) {
		s.gap, last = max(s.gap, at.Sub(last)), at
	}
	return s
}

func (s summary) String() string {
	text := fmt.Sprintf("%6.1f s %6d ops %5.2f %% failed  p50 %s p99 %s max %s, longest pause %s", s.lasted.Seconds(), s.operations,
		100*float64(s.failed)/float64(max(1, s.operations)), inMillis(s.p50), inMillis(s.p99), inMillis(s.most), inMillis(s.gap))
	for kind, n := range s.kinds {
		text += fmt.Sprintf("\n%40d %s", n, kind)
	}
	return text
}

func inMillis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// await waits until so many more rows were acknowledged, so that there is load before, during and after a fault.
func (l *load) await(more int) {
	l.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acknowledged)
	}
	want := count() + more
	eventually(l.t, func(context.Context) error {
		if n := count(); n < want {
			return fmt.Errorf("%d rows were acknowledged, not %d", n, want)
		}
		return nil
	})
}
