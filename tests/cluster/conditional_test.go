package cluster

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/node"
)

func TestConditionalCounter(t *testing.T) {
	each(t, 4, func(t *testing.T, seed uint64) {
		Run(t, seed, conditionalCounter)
	})
}

// conditionalCounter has clients of all members count together by conditional updates while one member is away. Each
// number is reached once: what clients know that they have added, and at most what they do not know of, is in the sum.
func conditionalCounter(c *Cluster) {
	c.Form(3)
	for _, text := range []string{
		"CREATE KEYSPACE counting WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}",
		"CREATE TABLE counting.t (k int PRIMARY KEY, v int, who set<text>)",
		"INSERT INTO counting.t (k, v) VALUES (1, 0) IF NOT EXISTS",
	} {
		if err := c.Do(0, func(s *node.Session) error { return s.Query(text).Consistency(consistency.Quorum).Exec(background()) }); err != nil {
			c.T.Fatalf("%s: %v", text, err)
		}
	}
	tally := &tally{reached: map[int]string{}}
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() {
			for step := range 15 {
				tally.add(c, i%3, fmt.Sprintf("%d.%d", i, step))
				c.Wait(200 * time.Millisecond)
			}
		})
	}
	c.Wait(time.Second)
	c.Crash(2)
	c.Wait(3 * time.Second)
	if err := c.Start(2); err != nil {
		c.T.Error(err)
	}
	clients.Wait()
	for _, at := range c.Up() {
		var sum int
		var who []string
		err := c.Do(at, func(s *node.Session) error {
			return s.Query("SELECT v, who FROM counting.t WHERE k = 1").Consistency(consistency.Serial).Scan(background(), &sum, &who)
		})
		if err != nil || sum < tally.applied || sum > tally.applied+tally.unknown || len(who) != sum {
			c.T.Errorf("member %d has %d of %d changes and %d that are not known, by %d, %v", at, sum, tally.applied, tally.unknown, len(who), err)
		}
	}
	if tally.applied < 20 {
		c.T.Errorf("%d changes: too few to say anything", tally.applied)
	}
}

// A tally is what clients know of a counter.
type tally struct {
	mu               sync.Mutex
	applied, unknown int
	reached          map[int]string // who has reached a number
}

// add adds one to the counter, if nobody else does so meanwhile.
func (l *tally) add(c *Cluster, at int, who string) {
	var sum int
	applied, tried := false, false
	err := c.Do(at, func(s *node.Session) (err error) {
		err = s.Query("SELECT v FROM counting.t WHERE k = 1").Consistency(consistency.Serial).Scan(background(), &sum)
		if err != nil {
			return err
		}
		tried = true
		applied, err = s.Query("UPDATE counting.t SET v = ?, who = who + ? WHERE k = 1 IF v = ?", sum+1, []string{who}, sum).
			Consistency(consistency.Quorum).ScanCAS(background(), nil)
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil && !isExpected(err) && !is[*coordinator.CASUnknownError](err):
		c.T.Errorf("a change at member %d: %T: %v", at, err, err)
	case err != nil && tried:
		l.unknown++
	case applied:
		if other, twice := l.reached[sum+1]; twice {
			c.T.Errorf("%d was reached by %s and %s", sum+1, other, who)
		}
		l.applied++
		l.reached[sum+1] = who
	}
}
