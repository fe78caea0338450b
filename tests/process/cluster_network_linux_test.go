package process

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A laboratory is a cluster in which each node has a network of its own, with a firewall that can drop what comes in.
type laboratory struct {
	*loopback
	name string // of the bridge, and the start of the names of the networks
}

// newLaboratory makes the networks, which takes root, ip and nft, and starts nodes there.
func newLaboratory(t *testing.T, nodes int) *laboratory {
	t.Helper()
	if os.Getenv("PROCESS_CLUSTER_NETWORK") == "" {
		t.Skip("set PROCESS_CLUSTER_NETWORK=1 for tests with broken networks")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make networks")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s", tool)
		}
	}
	n := rand.IntN(250)
	l := &laboratory{name: fmt.Sprint("ilium", n)}
	l.loopback = &loopback{t: t, network: fmt.Sprintf("10.199.%d.", n), lifetime: lifetime,
		within: func(number int) []string { return []string{"ip", "netns", "exec", l.space(number)} }}
	l.command("ip", "link", "add", l.name, "type", "bridge")
	t.Cleanup(func() { l.command("ip", "link", "delete", l.name) })
	l.command("ip", "address", "add", l.network+"254/24", "dev", l.name)
	l.command("ip", "link", "set", l.name, "up")
	for i := range nodes {
		l.connect(i + 1)
	}
	l.grow(nodes)
	return l
}

func (l *laboratory) space(number int) string { return fmt.Sprint(l.name, "n", number) }

// connect makes the network of a node.
func (l *laboratory) connect(number int) {
	space, link := l.space(number), fmt.Sprint(l.name, "l", number)
	l.command("ip", "netns", "add", space)
	l.t.Cleanup(func() { l.command("ip", "netns", "delete", space) })
	l.command("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
	l.command("ip", "link", "set", link, "master", l.name, "up")
	l.command("ip", "-n", space, "address", "add", fmt.Sprint(l.network, number, "/24"), "dev", "eth0")
	l.command("ip", "-n", space, "link", "set", "eth0", "up")
	l.command("ip", "-n", space, "link", "set", "lo", "up")
	l.filter(number, "add", "table", "ip", "faults")
	l.filter(number, "add", "chain", "ip", "faults", "in", "{ type filter hook input priority 0; }")
}

func (l *laboratory) command(name string, args ...string) {
	l.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		l.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// filter changes the firewall of a node.
func (l *laboratory) filter(number int, args ...string) {
	l.t.Helper()
	l.command("ip", append([]string{"netns", "exec", l.space(number), "nft"}, args...)...)
}

// drop makes a node lose so many percent of what comes from another one.
func (l *laboratory) drop(at, from, percent int) {
	l.t.Helper()
	rule := []string{"add", "rule", "ip", "faults", "in", "ip", "saddr", fmt.Sprint(l.network, from)}
	if percent < 100 {
		rule = append(rule, "numgen", "random", "mod", "100", "<", fmt.Sprint(percent))
	}
	l.filter(at, append(rule, "counter", "drop")...)
}

// heal ends all faults, and fails the test if one of them has dropped nothing.
func (l *laboratory) heal() {
	l.t.Helper()
	for _, m := range l.members {
		space := l.space(m.number)
		out, err := exec.Command("ip", "netns", "exec", space, "nft", "list", "chain", "ip", "faults", "in").CombinedOutput()
		if err != nil {
			l.t.Fatalf("%v: %s", err, out)
		}
		if strings.Contains(string(out), "counter packets 0 ") {
			l.t.Errorf("a fault at node %d was none: %s", m.number, out)
		}
		l.filter(m.number, "flush", "chain", "ip", "faults", "in")
	}
}

// faultTime is how long a fault lasts: longer than it takes to find out that a node is down.
const faultTime = 20 * time.Second

// One node does not hear another one, which hears it.
func TestClusterOneWayPartition(t *testing.T) {
	lab := newLaboratory(t, 3)
	l := startLoad(t, lab.loopback)
	l.during("undisturbed", func() { l.await(500) })
	lab.drop(2, 1, 100)
	l.during("node 2 does not hear node 1", func() { <-time.After(faultTime) })
	lab.seen()
	lab.heal()
	l.during("after that", func() {
		lab.awaitUp()
		l.await(500)
	})
	l.verify(lab.loopback, 0)
}

// All nodes lose a part of what they send to each other.
func TestClusterLoss(t *testing.T) {
	lab := newLaboratory(t, 3)
	l := startLoad(t, lab.loopback)
	l.during("undisturbed", func() { l.await(500) })
	for _, at := range lab.members {
		for _, from := range lab.members {
			if at != from {
				lab.drop(at.number, from.number, 30)
			}
		}
	}
	l.during("30 % of all packets are lost", func() { <-time.After(faultTime) })
	lab.seen()
	lab.heal()
	l.during("after that", func() {
		lab.awaitUp()
		l.await(500)
	})
	l.verify(lab.loopback, 0)
}

// seen prints how many others each node thinks are up.
func (l *laboratory) seen() {
	l.t.Helper()
	for _, m := range l.living() {
		up, all, err := m.ups(l.t.Context())
		l.t.Logf("node %d sees %d of %d others up, %v", m.number, up, all, err)
	}
}
