package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

// A Cluster is nodes on a network of their own. Its methods may be called by several goroutines of its bubble, but those that
// start and end one member by one at a time.
type Cluster struct {
	T       testing.TB
	Seed    uint64
	Random  *rand.Rand // for one goroutine
	Network *memory.Network

	dir     string
	journal *journal
	still   chan struct{} // holds a token; who has it may wait for the bubble to come to rest

	mu      sync.Mutex
	members []*Member
	over    sync.WaitGroup // processes that end on their own
}

// Run runs a test of a cluster without nodes in a bubble. If it fails, the seed and the journal are printed.
func Run(t *testing.T, seed uint64, test func(c *Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		dir, err := os.MkdirTemp(tempParent(), "ilium-cluster-")
		if err != nil {
			t.Fatal(err)
		}
		c := &Cluster{T: t, Seed: seed, Random: rand.New(rand.NewPCG(seed, 1)), Network: memory.New(seed), dir: dir,
			journal: &journal{began: time.Now()}, still: make(chan struct{}, 1)}
		defer func() {
			c.close()
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("the journal:\n%s\nto run this again: go test ./tests/cluster -run '^%s$' -seed %d", c.journal.text(400), topName(t.Name()), seed)
			}
		}()
		test(c)
	})
}

// topName returns the name of a test without its parts.
func topName(name string) string {
	for i := range name {
		if name[i] == '/' {
			return name[:i]
		}
	}
	return name
}

// close ends all nodes.
func (c *Cluster) close() {
	c.Heal()
	for _, m := range c.Members() {
		c.Resume(m.Index)
	}
	for _, m := range c.Members() {
		c.kill(m, false)
	}
	c.over.Wait()
	c.Wait(time.Minute) // a probe of gossip ends with its timer only, and time stands still when the test has ended
}

// Logf writes into the journal.
func (c *Cluster) Logf(format string, args ...any) {
	c.journal.add("test", fmt.Sprintf(format, args...))
}

// Wait lets time pass.
func (c *Cluster) Wait(d time.Duration) { time.Sleep(d) }

// Await waits until something is so, and reports whether it was in time. It looks ten times a second.
func (c *Cluster) Await(atMost time.Duration, is func() bool) bool {
	for end := time.Now().Add(atMost); ; c.Wait(100 * time.Millisecond) {
		if is() {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}

// Add adds a member that is not started yet, and returns its number. All have the first as their seed, unless adapt, which may be nil,
// changes that.
func (c *Cluster) Add(adapt func(cfg *config.Config)) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &Member{Index: len(c.members)}
	m.dir = filepath.Join(c.dir, fmt.Sprintf("%d-0", m.Index))
	cfg := config.Default()
	cfg.Memory, cfg.NativeTransportPort = 64*config.MiB, 0
	cfg.ListenAddress = fmt.Sprintf("10.0.0.%d", m.Index+1)
	cfg.Seeds = "10.0.0.1"
	cfg.NumTokens = 4
	cfg.MaxMutationSize = 1 * config.MiB
	if adapt != nil {
		adapt(&cfg)
	}
	m.config = cfg
	c.members = append(c.members, m)
	return m.Index
}

// Start makes a cluster of n nodes for a test that is in a bubble already; see Run, which is needed around it.
func (c *Cluster) Form(n int) {
	c.T.Helper()
	for range n {
		i := c.Add(nil)
		if err := c.Start(i); err != nil {
			c.T.Fatalf("node %d: %v", i, err)
		}
	}
}

// Members returns all members.
func (c *Cluster) Members() []*Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*Member(nil), c.members...)
}

// Member returns one member.
func (c *Cluster) Member(i int) *Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i]
}

// Up returns the numbers of the members that take clients.
func (c *Cluster) Up() (up []int) {
	for _, m := range c.Members() {
		if m.IsUp() {
			up = append(up, m.Index)
		}
	}
	return up
}

// Changes returns what nodes have thought of each other, in order.
func (c *Cluster) Changes() []Liveness { return c.journal.changes() }

// background is the context of what a test does at a node.
func background() context.Context { return context.Background() }
