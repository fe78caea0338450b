package cluster

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator/consistency"
)

func TestColdStart(t *testing.T) {
	each(t, 8, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			n := 3 + int(seed%3)
			c.Form(n)
			l := NewLedger(c, 0, 3, 30)
			ctx, cancel := context.WithTimeout(background(), 5*time.Second)
			defer cancel()
			l.Load(ctx, 3, 50*time.Millisecond)
			if l.Acked < 30 {
				t.Fatalf("%d writes have succeeded", l.Acked)
			}
			for _, i := range c.Random.Perm(n) {
				if c.Random.IntN(2) == 0 {
					c.Crash(i)
				} else {
					c.Stop(i)
				}
				c.Wait(c.soon(20 * time.Second))
			}
			c.Wait(c.soon(2 * time.Minute))
			order := c.Random.Perm(n)
			if seed%4 == 0 { // the seed comes last
				for at, i := range order {
					if i == 0 {
						order[at], order[n-1] = order[n-1], 0
					}
				}
			}
			if seed%2 == 0 {
				for _, i := range c.Random.Perm(n)[:1+c.Random.IntN((n-1)/2)] {
					c.Logf("member %d has another address", i)
					c.Member(i).Adapt(func(cfg *config.Config) { cfg.ListenAddress = fmt.Sprintf("10.0.1.%d", i+1) })
				}
			}
			missing := order[n-1]
			var starting sync.WaitGroup
			for _, i := range order[:n-1] {
				starting.Go(func() {
					if err := c.Start(i); err != nil {
						t.Errorf("member %d: %v", i, err)
					}
				})
				c.Wait(c.soon(5 * time.Second))
			}
			starting.Wait()
			works(c, l, "without one")
			if err := c.Start(missing); err != nil {
				t.Errorf("member %d: %v", missing, err)
			}
			works(c, l, "with all")
			c.MustAgree(n, 30*time.Second)
			c.Wait(writesEnd)
			l.CheckAll(consistency.Quorum, nil)
		})
	})
}

// works fails if some member cannot write at QUORUM and change the schema soon.
func works(c *Cluster, l *Ledger, when string) {
	for _, i := range c.Up() {
		var err error
		if !c.Await(30*time.Second, func() bool { err = l.Write(i, i); return err == nil }) {
			c.T.Errorf("%s, member %d cannot write: %v", when, i, err)
		}
		if !c.Await(30*time.Second, func() bool {
			err = c.Exec(i, "CREATE TABLE IF NOT EXISTS ledger.other (k int PRIMARY KEY)")
			return err == nil
		}) {
			c.T.Errorf("%s, member %d cannot change the schema: %v", when, i, err)
		}
	}
}
