package process

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// A short life of a cluster: each of three nodes is killed and restarted, and a fourth one is added, under load.
func TestCluster(t *testing.T) {
	c := newLoopback(t, 3, 2*patience)
	l := startLoad(t, c)
	l.await(100)
	l.during("undisturbed", func() { l.await(200) })
	l.killEach(c)
	l.during("a node is added", func() {
		c.add()
		c.awaitUp()
	})
	l.during("after that", func() { l.await(100) })
	l.verify(c, 3)
}

// killEach kills one node after the other and starts it again, the first after the others have found out, the others
// sooner. The next one is killed when the one before has what it missed.
func (l *load) killEach(c *loopback) {
	l.t.Helper()
	for i, m := range c.members {
		l.during(fmt.Sprintf("node %d is killed", i+1), func() {
			m.crash()
			l.await(150)
		})
		if i%2 == 0 {
			l.during("until the others find out", func() { c.awaitUp() })
			l.during(fmt.Sprintf("node %d is down", i+1), func() { l.await(150) })
		}
		l.during(fmt.Sprintf("node %d starts", i+1), func() {
			m.start()
			m.awaitReady()
			c.awaitUp()
		})
		l.during("hints are delivered", func() {
			c.awaitHints()
			l.await(50)
		})
	}
}

// long skips a test that takes minutes, unless it is asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("PROCESS_CLUSTER") == "" {
		t.Skip("set PROCESS_CLUSTER=1 for the long tests of clusters")
	}
}

// lifetime is how long a node of a long test may run.
const lifetime = time.Hour

func TestClusterOfFive(t *testing.T) {
	long(t)
	c := newLoopback(t, 5, lifetime)
	l := startLoad(t, c)
	l.during("undisturbed", func() { l.await(1000) })
	for range rounds(t) {
		l.killEach(c)
	}
	l.during("after that", func() { l.await(1000) })
	l.verify(c, 5*rounds(t))
}

// All processes are killed at once, and started in another order, of which the first has to wait for nobody.
func TestClusterColdStart(t *testing.T) {
	long(t)
	c := newLoopback(t, 3, lifetime)
	l := startLoad(t, c)
	for range rounds(t) {
		l.await(500)
		l.during("all are killed and start", func() {
			for _, m := range c.members {
				m.crash()
			}
			for _, m := range slices.Backward(c.members) {
				m.start()
				m.awaitReady()
				t.Logf("node %s was ready after %s", m.address, m.ready.Round(time.Millisecond))
			}
			c.awaitUp()
			l.await(100)
		})
	}
	l.verify(c, 3*rounds(t))
}

func TestClusterReplacesNode(t *testing.T) {
	long(t)
	c := newLoopback(t, 4, lifetime)
	l := startLoad(t, c)
	l.during("undisturbed", func() { l.await(1000) })
	l.during("node 2 is killed", func() {
		c.members[1].crash()
		l.await(500)
	})
	l.during("another one replaces it", func() {
		c.add("replace_node=" + c.members[1].address)
		c.awaitUp()
	})
	l.during("after that", func() { l.await(500) })
	l.verify(c, 1)
}

func TestClusterShrinks(t *testing.T) {
	long(t)
	c := newLoopback(t, 5, lifetime)
	l := startLoad(t, c)
	l.during("undisturbed", func() { l.await(5000) })
	l.during("node 4 leaves", func() {
		c.members[3].operate("decommission")
		c.members[3].halt()
	})
	l.during("after that", func() { l.await(500) })
	id := c.members[4].id()
	l.during("node 5 is killed", func() {
		c.members[4].crash()
		c.awaitUp()
	})
	l.during("and removed", func() { c.members[0].operate("removenode", id) })
	l.during("after that", func() { l.await(500) })
	l.verify(c, 1)
}
