package cluster

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
)

func TestJoin(t *testing.T) { membership(t, 6, joins) }

func TestDecommission(t *testing.T) { membership(t, 6, decommissions) }

func TestReplace(t *testing.T) { membership(t, 6, replaces) }

func TestRemove(t *testing.T) { membership(t, 6, removes) }

// membership runs a change of the ring under load. change returns how many nodes there are after it.
func membership(t *testing.T, seeds int, change func(c *Cluster) int) {
	each(t, seeds, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) {
			c.Form(4)
			l := NewLedger(c, 0, 3, 80)
			ctx, cancel := context.WithCancel(background())
			defer cancel()
			var load sync.WaitGroup
			load.Go(func() { l.Load(ctx, 4, 50*time.Millisecond) })
			c.Wait(3 * time.Second)
			size := change(c)
			c.Logf("the change is complete")
			c.Wait(3 * time.Second)
			cancel()
			load.Wait()
			c.Wait(writesEnd)
			c.MustAgree(size, 10*time.Second)
			l.CheckAll(consistency.Quorum, nil)
			for _, at := range c.Up() {
				if err := l.Scan(at); err != nil {
					t.Errorf("a scan at member %d: %v", at, err)
				}
			}
			if l.Acked < 100 || l.Read < 50 {
				t.Errorf("%d writes and %d reads have succeeded: too few to say anything", l.Acked, l.Read)
			}
		})
	})
}

// soon returns a time within a span, short ones more often.
func (c *Cluster) soon(span time.Duration) time.Duration {
	return time.Duration(c.Random.Float64() * c.Random.Float64() * float64(span))
}

// startThrough starts a member, and crashes and starts it again while it joins, mostly.
func startThrough(c *Cluster, i int) {
	for range c.Random.IntN(3) {
		done := make(chan error, 1)
		go func() { done <- c.Start(i) }()
		c.Wait(c.soon(2 * time.Second))
		c.Crash(i)
		if err := <-done; err != nil && !errors.Is(err, ErrLost) {
			c.T.Errorf("the member does not start: %v", err)
		}
		c.Wait(c.soon(20 * time.Second))
	}
	if err := c.Start(i); err != nil {
		c.T.Errorf("the member does not start: %v", err)
	}
}

func joins(c *Cluster) int {
	startThrough(c, c.Add(nil))
	return 5
}

func decommissions(c *Cluster) int {
	victim := c.Random.IntN(4)
	for range c.Random.IntN(3) {
		ctx, cancel := context.WithCancel(background())
		done := make(chan error, 1)
		n := c.Member(victim).Node()
		go func() { done <- n.Decommission(ctx, nil) }()
		c.Wait(c.soon(2 * time.Second))
		select {
		case err := <-done: // it was faster
			cancel()
			if err != nil {
				c.T.Errorf("decommissioning: %v", err)
			}
			c.Stop(victim)
			return 3
		default:
		}
		c.Crash(victim)
		cancel()
		<-done
		c.Wait(c.soon(20 * time.Second))
		if err := c.Start(victim); err != nil {
			c.Logf("the leaving member does not start again: %v", err)
			return 3 // then it must have left
		}
	}
	ctx, cancel := context.WithTimeout(background(), 5*time.Minute)
	defer cancel()
	if err := c.Member(victim).Node().Decommission(ctx, func(s string) { c.Logf("%s", s) }); err != nil {
		c.T.Errorf("decommissioning: %v", err)
	}
	c.Stop(victim)
	return 3
}

// loses crashes a member for good, and waits until the others have noticed.
func loses(c *Cluster) (victim int, id ring.HostID) {
	victim = c.Random.IntN(4)
	id = c.ID(victim)
	c.Crash(victim)
	c.Wait(10 * time.Second)
	return victim, id
}

func replaces(c *Cluster) int {
	victim, id := loses(c)
	seed := c.Member((victim + 1) % 4).IP()
	i := c.Add(func(cfg *config.Config) {
		cfg.ReplaceNode = id.String()
		cfg.Seeds = config.Addresses(seed)
	})
	startThrough(c, i)
	return 4
}

func removes(c *Cluster) int {
	victim, id := loses(c)
	by := (victim + 1 + c.Random.IntN(3)) % 4
	for range c.Random.IntN(3) {
		ctx, cancel := context.WithCancel(background())
		done := make(chan error, 1)
		n := c.Member(by).Node()
		go func() { done <- n.RemoveNode(ctx, id, nil) }()
		c.Wait(c.soon(2 * time.Second))
		c.Crash(by)
		cancel()
		<-done
		c.Wait(c.soon(20 * time.Second))
		if err := c.Start(by); err != nil {
			c.T.Errorf("member %d does not start again: %v", by, err)
		}
		c.Wait(10 * time.Second)
	}
	ctx, cancel := context.WithTimeout(background(), 5*time.Minute)
	defer cancel()
	err := c.Member(by).Node().RemoveNode(ctx, id, func(s string) { c.Logf("%s", s) })
	if err != nil && c.Agree(3) != "" { // it may have been removed before the crash
		c.T.Errorf("removing: %v", err)
	}
	return 3
}
