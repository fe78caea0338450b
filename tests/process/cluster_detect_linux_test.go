package process

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// How long it takes all others to see that a node was killed, and that it is back. The one that was killed before has just
// started, and does not know yet how regular the others are: it is slower.
func TestClusterDetection(t *testing.T) {
	long(t)
	c := newLoopback(t, 5, lifetime)
	var first, most, all, back []time.Duration
	for kill := range 20 * rounds(t) {
		m := c.members[kill%len(c.members)]
		others := len(c.members) - 1
		m.crash()
		began := time.Now()
		c.awaitCount(func(downs int) bool { return downs > 0 })
		first = append(first, time.Since(began))
		c.awaitCount(func(downs int) bool { return downs >= others-1 })
		most = append(most, time.Since(began))
		c.awaitCount(func(downs int) bool { return downs == others })
		all = append(all, time.Since(began))
		m.start()
		m.awaitReady()
		back = append(back, c.awaitUp())
	}
	t.Logf("%-42s %10s %10s %10s", fmt.Sprintf("%d kills of 5 nodes, seconds", len(all)), "p50", "p99", "max")
	for _, row := range []struct {
		name string
		took []time.Duration
	}{{"from the kill until the first other knows", first}, {"until all others but one know", most}, {"until all others know", all}, {"from ready until all others know", back}} {
		slices.Sort(row.took)
		n := len(row.took)
		t.Logf("%-42s %10.2f %10.2f %10.2f", row.name, row.took[n/2].Seconds(), row.took[n*99/100].Seconds(), row.took[n-1].Seconds())
	}
	if p99 := all[len(all)*99/100]; p99 > 10*time.Second {
		t.Errorf("a node that was killed was not known to be down after %s", p99)
	}
}

// awaitCount waits until enough says that so many nodes see another one down.
func (c *loopback) awaitCount(enough func(downs int) bool) {
	c.t.Helper()
	eventually(c.t, func(ctx context.Context) error {
		downs := 0
		for _, m := range c.living() {
			up, all, err := m.ups(ctx)
			if err != nil {
				return err
			}
			if up < all {
				downs++
			}
		}
		if !enough(downs) {
			return fmt.Errorf("%d nodes see one down", downs)
		}
		return nil
	})
}
