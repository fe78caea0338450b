package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// A loopback is a cluster of processes, each at a loopback address of its own. Linux answers at all of 127.0.0.0/8.
type loopback struct {
	t        *testing.T
	network  string                    // the first three parts of the addresses
	lifetime time.Duration             // of a process, after which it counts as hanging
	members  []*member                 // that run, or did before they were killed
	within   func(number int) []string // the start of the command that runs a node somewhere else; may be nil
}

const (
	clientPort   = 19042
	internalPort = 17000
	operatorPort = 17080
)

// A member is a node of a loopback.
type member struct {
	*program
	cluster  *loopback
	number   int // from 1
	address  string
	settings []string
	ready    time.Duration // how long the last start took
	dead     bool
	asked    *gocql.Session // connected to this node alone; nil until it is needed
}

// newLoopback starts a cluster.
func newLoopback(t *testing.T, nodes int, lifetime time.Duration, settings ...string) *loopback {
	t.Helper()
	c := &loopback{t: t, network: fmt.Sprintf("127.%d.%d.", 1+rand.IntN(250), rand.IntN(250)), lifetime: lifetime}
	c.grow(nodes, settings...)
	return c
}

func (c *loopback) grow(nodes int, settings ...string) {
	c.t.Helper()
	for range nodes {
		c.add(settings...)
	}
	c.awaitUp()
}

// add starts another node, and returns when it is ready.
func (c *loopback) add(settings ...string) *member {
	c.t.Helper()
	m := &member{cluster: c, number: len(c.members) + 1}
	m.address = fmt.Sprint(c.network, m.number)
	m.settings = append([]string{"cluster_name=loopback", "memory=128MiB", "data_directory=" + c.t.TempDir(),
		"listen_address=" + m.address, "rpc_address=" + m.address,
		fmt.Sprint("native_transport_port=", clientPort), fmt.Sprint("storage_port=", internalPort),
		"http_address=" + m.address, fmt.Sprint("http_port=", operatorPort),
		fmt.Sprintf("seeds=%s1:%d", c.network, internalPort)}, settings...)
	c.members = append(c.members, m)
	m.start()
	m.awaitReady()
	return m
}

// start starts the node's process.
func (m *member) start() {
	m.cluster.t.Helper()
	args := []string{os.Getenv(binaryVariable), "start"}
	if m.cluster.within != nil { // where others might connect, if the addresses were not made up
		args = append(append(m.cluster.within(m.number), args...), "--insecure")
	}
	for _, s := range m.settings {
		args = append(args, "--set", s)
	}
	m.program = startFor(m.cluster.t, m.cluster.lifetime, nil, args[0], args[1:]...)
	m.dead = false
}

// awaitReady waits until the node takes clients.
func (m *member) awaitReady() {
	m.cluster.t.Helper()
	began := time.Now()
	if m.out.await(servingLine) == nil {
		m.cluster.t.Fatalf("node %s did not start: %s", m.address, m.wait().err)
	}
	m.ready = time.Since(began)
}

// crash ends the node with SIGKILL.
func (m *member) crash() {
	m.cluster.t.Helper()
	m.forget()
	m.kill()
	if o := m.wait(); o.signal != syscall.SIGKILL {
		m.cluster.t.Errorf("node %s had ended before it was killed: exit status %d: %s", m.address, o.code, o.err)
	}
}

// halt stops the node as an operator would.
func (m *member) halt() {
	m.cluster.t.Helper()
	m.forget()
	m.signal(syscall.SIGTERM)
	if o := m.wait(); o.code != 0 {
		m.cluster.t.Errorf("node %s ended with exit status %d, signal %v: %s", m.address, o.code, o.signal, o.err)
	}
}

func (m *member) forget() {
	m.dead = true
	if m.asked != nil {
		m.asked.Close()
		m.asked = nil
	}
}

// operate runs a command for operators on this node.
func (m *member) operate(args ...string) {
	t := m.cluster.t
	t.Helper()
	o := startFor(t, m.cluster.lifetime, nil, os.Getenv(binaryVariable), append(args, "--host", m.address, "--http-port", fmt.Sprint(operatorPort))...).wait()
	if o.code != 0 {
		t.Fatalf("%s: exit status %d: %s %s", args, o.code, o.out, o.err)
	}
}

// id returns the id of the node.
func (m *member) id() string {
	m.cluster.t.Helper()
	var id gocql.UUID
	eventually(m.cluster.t, func(ctx context.Context) error {
		return m.session().Query("SELECT host_id FROM system.local").ScanContext(ctx, &id)
	})
	return id.String()
}

// session connects to this node and no other.
func (m *member) session() *gocql.Session {
	m.cluster.t.Helper()
	if m.asked == nil {
		cfg := gocql.NewCluster(m.address)
		cfg.Port, cfg.ProtoVersion, cfg.NumConns = clientPort, 5, 1
		cfg.Timeout, cfg.ConnectTimeout = patience/3, patience/3
		cfg.Consistency = gocql.LocalOne
		cfg.HostFilter = gocql.WhiteListHostFilter(m.address)
		cfg.Events.DisableNodeStatusEvents, cfg.Events.DisableTopologyEvents, cfg.Events.DisableSchemaEvents = true, true, true
		cfg.Logger = gocql.NewLogger(gocql.LogLevelNone)
		s, err := cfg.CreateSession()
		if err != nil {
			m.cluster.t.Fatalf("connecting to %s: %v", m.address, err)
		}
		m.asked = s
		m.cluster.t.Cleanup(s.Close)
	}
	return m.asked
}

// living returns the nodes that run.
func (c *loopback) living() []*member {
	return slices.DeleteFunc(slices.Clone(c.members), func(m *member) bool { return m.dead })
}

// ups returns how many others a node thinks are alive, and how many there are in all.
func (m *member) ups(ctx context.Context) (up, all int, err error) {
	rows := m.session().Query("SELECT up FROM system_views.ilium_failure_detector").IterContext(ctx)
	for is := false; rows.Scan(&is); {
		if all++; is {
			up++
		}
	}
	return up, all, rows.Close()
}

// awaitUp waits until all nodes that run know who else does, and who does not.
func (c *loopback) awaitUp() time.Duration {
	c.t.Helper()
	began, want := time.Now(), len(c.living())-1
	for _, m := range c.living() {
		eventually(c.t, func(ctx context.Context) error {
			up, _, err := m.ups(ctx)
			if err == nil && up != want {
				err = fmt.Errorf("node %s sees %d others up, not %d", m.address, up, want)
			}
			return err
		})
	}
	return time.Since(began)
}

// awaitHints waits until no node that runs keeps hints for another one that does.
func (c *loopback) awaitHints() time.Duration {
	c.t.Helper()
	began := time.Now()
	for _, m := range c.living() {
		eventually(c.t, func(ctx context.Context) error {
			status, waiting := "", 0
			rows := m.session().Query("SELECT status FROM system_views.pending_hints").IterContext(ctx)
			for rows.Scan(&status) {
				if status == "UP" {
					waiting++
				}
			}
			if err := rows.Close(); err != nil || waiting == 0 {
				return err
			}
			return fmt.Errorf("node %s keeps hints for %d others", m.address, waiting)
		})
	}
	return time.Since(began)
}

// eventually tries until it works. The test fails if it does not for too long.
func eventually(t *testing.T, attempt func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := attempt(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(errors.Join(ctx.Err(), err))
		case <-again.C:
		}
	}
}
