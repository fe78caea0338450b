package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

// pair starts two nodes of a cluster that take clients, and returns them with what starts them again.
func pair(t *testing.T) (nodes [2]*Node, start func(i int) *Node) {
	t.Helper()
	network := memory.New(1)
	var configs [2]config.Config
	for i := range configs {
		cfg := config.Default()
		cfg.DataDirectory, cfg.Memory = t.TempDir(), 64*config.MiB
		cfg.ListenAddress, cfg.Seeds, cfg.NativeTransportPort = fmt.Sprint("127.0.0.", i+1), "127.0.0.1", 0
		configs[i] = cfg
	}
	start = func(i int) *Node {
		t.Helper()
		n := startOperated(t, configs[i], Options{Sockets: network.Host(configs[i].ListenAddress)})
		if _, err := n.Serve(t.Context(), ServeOptions{}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range nodes {
		nodes[i] = start(i)
	}
	return nodes, start
}

// other returns what a node tells drivers of the other one.
func other(t *testing.T, n *Node) (version, native string) {
	t.Helper()
	var v, own cqltype.UUID
	err := n.Session().Query("SELECT schema_version, native_address FROM system.peers_v2").Scan(t.Context(), &v, &native)
	if err == nil {
		err = n.Session().Query("SELECT schema_version FROM system.local").Scan(t.Context(), &own)
	}
	if err != nil {
		t.Fatal(err)
	}
	if v == own {
		return "the same", native
	}
	return v.String(), native
}

// Right after a change of the schema both nodes say that they agree, whichever was asked for the change.
func TestAgreement(t *testing.T) {
	nodes, _ := pair(t)
	for i := range 10 {
		text := fmt.Sprintf("CREATE KEYSPACE k%d WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", i)
		if err := nodes[i%2].Session().Query(text).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		for at, n := range nodes {
			if version, _ := other(t, n); version != "the same" {
				t.Errorf("change %d: node %d says that the other one has version %s", i, at+1, version)
			}
		}
	}
}

// A node that is down is still shown with the address for clients, also by one that has not seen it since it started.
func TestNativesOutliveRestarts(t *testing.T) {
	nodes, start := pair(t)
	awaitNative := func(n *Node) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if known, err := n.readNatives(); err != nil {
				t.Fatal(err)
			} else if len(known) == 1 {
				return
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				t.Fatal(t.Context().Err())
			}
		}
	}
	awaitNative(nodes[0])
	for _, n := range []*Node{nodes[1], nodes[0]} {
		if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, native := other(t, start(0)); native != "127.0.0.1" {
		t.Errorf("the address for clients is %q", native)
	}
}

// What one node has traced is found at the other one.
func TestTraceOfAnotherNode(t *testing.T) {
	nodes, _ := pair(t)
	id := cqltype.UUID{6: 0x10, 8: 0x80, 15: 1}
	nodes[0].traces.Record(system.TraceSession{ID: id, Request: "something", Started: time.Unix(1, 0)})
	for i, n := range nodes {
		text := ""
		err := n.Session().Query("SELECT request FROM system_traces.sessions WHERE session_id = ?", id).Scan(t.Context(), &text)
		if err != nil || text != "something" {
			t.Errorf("node %d: %q, %v", i+1, text, err)
		}
	}
}
