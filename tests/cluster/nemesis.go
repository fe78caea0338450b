package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/iliumdb/ilium/node"
)

// A nemesis lets parts of a cluster fail, one after the other and several at a time.
type nemesis struct {
	cluster *Cluster
	random  *rand.Rand
	starts  sync.WaitGroup

	mu      sync.Mutex
	crashes map[int][]time.Time
}

func newNemesis(c *Cluster) *nemesis {
	return &nemesis{cluster: c, random: rand.New(rand.NewPCG(c.Seed, 2)), crashes: map[int][]time.Time{}}
}

// run lets something fail until ctx ends; each fault lasts for a time, about.
func (n *nemesis) run(ctx context.Context, lasts time.Duration) {
	for ctx.Err() == nil {
		d := lasts/2 + time.Duration(n.random.Int64N(int64(lasts)))
		undo := n.strike()
		n.pause(ctx, d)
		if undo != nil {
			undo()
		}
		if n.random.IntN(3) == 0 {
			n.cluster.Heal()
			n.pause(ctx, lasts)
		}
	}
}

func (n *nemesis) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// strike lets something fail, and returns what ends it.
func (n *nemesis) strike() (undo func()) {
	c := n.cluster
	order := n.random.Perm(len(c.Members()))
	i, j := order[0], order[1]
	switch n.random.IntN(9) {
	case 0:
		c.Drop(n.random.Float64()*0.3, n.random.Float64()*0.1, n.random.Float64()*0.3)
	case 1:
		c.Delay(0, time.Duration(n.random.IntN(300))*time.Millisecond)
	case 2, 3:
		k := 1 + n.random.IntN(len(order)-1)
		c.Partition(order[:k], order[k:])
		return c.HealPartition
	case 4:
		c.Block(i, j)
		return func() { c.Unblock(i, j) }
	case 5:
		c.Pause(i)
		return func() { c.Resume(i) }
	case 6, 7:
		if !c.Member(i).IsUp() {
			return nil
		}
		n.crash(i)
		return func() { n.start(i) }
	case 8:
		c.Stop(i)
		return func() { n.start(i) }
	}
	return nil
}

func (n *nemesis) crash(i int) {
	n.mu.Lock()
	n.crashes[i] = append(n.crashes[i], time.Now())
	n.mu.Unlock()
	n.cluster.Crash(i)
}

// start starts a member that is down, in the background: it may have to wait for others.
func (n *nemesis) start(i int) {
	if n.cluster.Member(i).isDown() {
		n.starts.Go(func() {
			if err := n.cluster.Start(i); err != nil && !errors.Is(err, ErrLost) && !errors.Is(err, ErrRunning) {
				n.cluster.T.Errorf("member %d does not start again: %v", i, err)
			}
		})
	}
}

// recover makes all well again.
func (n *nemesis) recover() {
	c := n.cluster
	for _, m := range c.Members() {
		c.Resume(m.Index)
	}
	c.Heal()
	for _, m := range c.Members() {
		n.start(m.Index)
	}
	n.starts.Wait()
}

// hintsFlushed is how long after a write it may take until what it leaves to be done is on the coordinator's disk: the write's timeout, and
// some.
const hintsFlushed = 15 * time.Second

// forgets reports whether the coordinator of a write has crashed before it had hints of it on disk. Such a write is on a quorum, but perhaps not
// everywhere.
func (n *nemesis) forgets(by int, at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, crash := range n.crashes[by] {
		if !crash.Before(at) && crash.Sub(at) < hintsFlushed {
			return true
		}
	}
	return false
}

// isDown reports whether a member neither runs nor starts.
func (m *Member) isDown() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process == nil
}

// hints returns how many files of hints wait in all members that are up.
func (c *Cluster) hints() (files int) {
	for _, i := range c.Up() {
		err := c.Do(i, func(s *node.Session) error {
			rows := s.Query("SELECT host_id FROM system_views.pending_hints").Iter(background())
			defer rows.Close()
			for rows.Next() {
				files++
			}
			return rows.Err()
		})
		if err != nil {
			files++
		}
	}
	return files
}
