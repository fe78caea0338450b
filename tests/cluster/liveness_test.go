package cluster

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestHealed(t *testing.T) {
	each(t, 6, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			c.Form(3 + int(seed%3))
			l := NewLedger(c, 0, 3, 10)
			order := c.Random.Perm(len(c.Members()))
			k := 1 + c.Random.IntN(len(order)-1)
			switch seed % 3 {
			case 0:
				c.Partition(order[:k], order[k:])
			case 1:
				c.Block(order[0], order[1])
				c.Block(order[1], order[2])
			case 2:
				c.Pause(order[0])
				c.Drop(0.2, 0.1, 0.2)
			}
			c.Wait(time.Duration(5+c.Random.IntN(120)) * time.Second)
			c.Resume(order[0])
			c.Heal()
			healed := time.Now()
			if !c.Await(30*time.Second, c.AllUp) {
				t.Errorf("30 s after all was well: %v", c.Opinions())
			}
			for _, i := range c.Up() {
				if err := l.Write(i, i); err != nil {
					t.Errorf("%s after all was well, a write at member %d: %v", time.Since(healed), i, err)
				}
				if !c.Await(30*time.Second-time.Since(healed), func() bool {
					return c.Exec(i, "CREATE KEYSPACE IF NOT EXISTS healed WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}") == nil
				}) {
					t.Errorf("%s after all was well, member %d cannot change the schema", time.Since(healed), i)
				}
			}
			c.MustAgree(len(order), 30*time.Second-time.Since(healed))
		})
	})
}

func TestNoFlapping(t *testing.T) {
	each(t, 2, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			c.Form(5)
			if !c.Await(10*time.Second, c.AllUp) {
				t.Fatal("the nodes do not find each other")
			}
			c.Drop(0.2, 0.05, 0.1)
			c.Delay(0, 20*time.Millisecond)
			c.Wait(10 * time.Minute)
			for _, l := range c.Changes() {
				if !l.Up {
					t.Errorf("at %s member %d thought that %s is down", l.At.Format(time.TimeOnly), l.By, l.Node)
				}
			}
		})
	})
}

// downAfter is until when all must have noticed that a node was killed, but for one time in a hundred.
const downAfter = 6 * time.Second

func TestKilledIsDown(t *testing.T) {
	var mu sync.Mutex
	var took []time.Duration
	t.Run("seeds", func(t *testing.T) {
		each(t, 20, func(t *testing.T, seed uint64) {
			Run(t, seed, func(c *Cluster) {
				c.Form(3 + int(seed%3))
				if !c.Await(10*time.Second, c.AllUp) {
					t.Fatal("the nodes do not find each other")
				}
				c.Wait(time.Duration(c.Random.IntN(60_000)) * time.Millisecond)
				victim := c.Random.IntN(len(c.Members()))
				id := c.ID(victim).String()
				c.Crash(victim)
				killed := time.Now()
				noticed := func() bool {
					for _, opinions := range without(c.Opinions(), victim) {
						if opinions[id] {
							return false
						}
					}
					return true
				}
				if !c.Await(time.Minute, noticed) {
					t.Errorf("a minute after %s was killed: %v", id, c.Opinions())
				}
				mu.Lock()
				took = append(took, time.Since(killed))
				mu.Unlock()
			})
		})
	})
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("nothing was measured")
	}
	if d := took[(len(took)*99+99)/100-1]; d > downAfter {
		t.Errorf("it took %s", took)
	}
	t.Logf("a killed node is down after %s to %s", took[0], took[len(took)-1])
}

func without(opinions map[int]map[string]bool, i int) map[int]map[string]bool {
	delete(opinions, i)
	return opinions
}
