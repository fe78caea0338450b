package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

func TestQuorum(t *testing.T) {
	each(t, 8, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) { quorum(c, 3+2*int(seed%2), 40*time.Second, 150*time.Millisecond) })
	})
}

func TestQuorumLong(t *testing.T) {
	each(t, 2, func(t *testing.T, seed uint64) {
		Run(t, seed, func(c *Cluster) { quorum(c, 3, 10*time.Minute, 2*time.Second) })
	})
}

// quorum loads a cluster while its parts fail, lets it recover, and looks whether all is there.
func quorum(c *Cluster, nodes int, lasts, pause time.Duration) {
	c.Form(nodes)
	l := NewLedger(c, 0, 3, 60)
	n := newNemesis(c)
	ctx, cancel := context.WithTimeout(background(), lasts)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.run(ctx, lasts/12)
	}()
	l.Load(ctx, 6, pause)
	<-done
	n.recover()
	c.settle(l, n)
	if l.Acked < 100 || l.Read < 50 {
		c.T.Errorf("%d writes and %d reads have succeeded: too few to say anything", l.Acked, l.Read)
	}
}

// writesEnd is how long a write may take that has been acknowledged already, and some.
const writesEnd = 5 * time.Second

// settle waits until hints are delivered, and checks all replicas one by one, and all rows.
func (c *Cluster) settle(l *Ledger, n *nemesis) {
	c.Wait(writesEnd)
	if !c.Await(time.Minute, func() bool { return c.hints() == 0 }) {
		c.T.Errorf("a minute after everything is well again %d hints wait", c.hints())
	}
	l.CheckAll(consistency.NodeLocal, n.forgets)
	l.CheckAll(consistency.Quorum, nil)
	for _, at := range c.Up() {
		if err := l.Scan(at); err != nil {
			c.T.Errorf("a scan at member %d: %v", at, err)
		}
	}
}
