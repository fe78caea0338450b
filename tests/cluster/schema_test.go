package cluster

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/schema"
)

const createKeyspace = "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"

func TestSchemaContest(t *testing.T) {
	each(t, 6, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			n := 3 + 2*int(seed%2)
			c.Form(n)
			if err := c.Exec(int(seed)%n, createKeyspace); err != nil {
				t.Fatal(err)
			}
			decided := 0
			for round := range 8 {
				switch order := c.Random.Perm(n); c.Random.IntN(4) {
				case 0:
					k := 1 + c.Random.IntN(n-1)
					c.Partition(order[:k], order[k:])
				case 1:
					c.Block(order[0], order[1])
				case 2:
					c.Drop(0.2, 0.1, 0.2)
				}
				if contest(c, round) {
					decided++
				}
				c.Heal()
				c.Wait(time.Duration(c.Random.IntN(10)) * time.Second)
			}
			if decided < 2 {
				t.Errorf("%d of 8 contests were decided: too few to say anything", decided)
			}
			c.MustAgree(n, 30*time.Second)
		})
	})
}

// contest lets all members create the same table, each with another column. It reports whether one has won.
func contest(c *Cluster, round int) bool {
	n := len(c.Members())
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		later := time.Duration(c.Random.IntN(3)) * time.Millisecond
		all.Go(func() {
			c.Wait(later)
			errs[i] = c.Exec(i, fmt.Sprintf("CREATE TABLE ks.t%d (k int PRIMARY KEY, c%d int)", round, i))
		})
	}
	all.Wait()
	won, exist, unknown, winner := 0, 0, 0, 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
			winner = i
		case is[*schema.AlreadyExistsError](err):
			exist++
		case is[*metadata.UnknownOutcomeError](err):
			unknown++
		case !is[*metadata.NoLeaderError](err):
			c.T.Errorf("creating t%d at member %d: %T: %v", round, i, err, err)
		}
	}
	c.Logf("contest %d: %v", round, errs)
	if won > 1 || won+unknown == 0 && exist > 0 {
		c.T.Errorf("%d have created t%d, %d were told that it exists: %v", won, round, exist, errs)
	}
	if won == 1 {
		for _, i := range []int{winner} {
			table := c.Member(i).Node().Schema().Table("ks", fmt.Sprintf("t%d", round))
			if table == nil || table.Column(fmt.Sprintf("c%d", winner)) == nil {
				c.T.Errorf("member %d has created t%d, and it is not that: %v", winner, round, table)
			}
		}
	}
	return won == 1
}

func TestSchemaIsCaughtUp(t *testing.T) {
	each(t, 6, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			c.Form(3)
			if err := c.Exec(0, createKeyspace); err != nil {
				t.Fatal(err)
			}
			away := c.Random.IntN(3)
			if seed%2 == 0 {
				c.Crash(away)
			} else {
				c.Stop(away)
			}
			c.Wait(time.Duration(c.Random.IntN(20)) * time.Second)
			other := (away + 1) % 3
			made := 0
			for range 1 + c.Random.IntN(30) {
				if err := c.Exec(other, fmt.Sprintf("CREATE TABLE ks.t%d (k int PRIMARY KEY)", made)); err != nil {
					c.Logf("creating t%d: %v", made, err)
					c.Wait(time.Second)
					continue
				}
				made++
			}
			if made == 0 {
				t.Fatal("nothing was made")
			}
			if err := c.Start(away); err != nil {
				t.Fatal(err)
			}
			err := c.Do(away, func(s *node.Session) error {
				return s.Query(fmt.Sprintf("INSERT INTO ks.t%d (k) VALUES (1)", made-1)).Exec(background())
			})
			if err != nil {
				t.Errorf("the node serves without the newest table: %v", err)
			}
			c.MustAgree(3, 10*time.Second)
		})
	})
}
