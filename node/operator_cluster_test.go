package node

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/wire/http"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

// clusterConfig returns the settings of a node at an address, of a cluster that 127.0.0.1 begins.
func clusterConfig(t *testing.T, host string) config.Config {
	cfg := operatorConfig(t)
	cfg.ListenAddress, cfg.Seeds, cfg.RPCAddress = host, "127.0.0.1", "127.0.0.1"
	return cfg
}

// unusedPort returns a port at which nobody listens.
func unusedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().(*net.TCPAddr).Port
}

// eventually looks again and again until what it sees is so.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	until := time.After(time.Minute)
	for !look() {
		select {
		case <-tick.C:
		case <-until:
			t.Fatal("it does not happen: " + what)
		}
	}
}

func exec(t *testing.T, n *Node, text string, values ...any) {
	t.Helper()
	if err := n.Session().Query(text, values...).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestOperatorWhileJoining watches a node that joins slowly, at itself and at another one, and gives the join up.
func TestOperatorWhileJoining(t *testing.T) {
	network := memory.New(1)
	first := startOperated(t, clusterConfig(t, "127.0.0.1"), Options{Sockets: network.Host("127.0.0.1")})
	url := serveOperators(t, first)
	exec(t, first, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	exec(t, first, "CREATE TABLE k.t (a int PRIMARY KEY, v text)")
	for i := range 200 {
		exec(t, first, "INSERT INTO k.t (a, v) VALUES (?, ?)", i, strings.Repeat("v", 1000))
	}
	cfg := clusterConfig(t, "127.0.0.2")
	cfg.StreamThroughputOutbound, cfg.HTTPPort = 1024, unusedPort(t)
	own := fmt.Sprintf("http://127.0.0.1:%d", cfg.HTTPPort)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		n, err := StartWith(ctx, cfg, Options{Sockets: network.Host("127.0.0.2"), Operators: &ServeOptions{}})
		if err == nil {
			err = n.Stop()
		}
		ended <- err
	}()
	joining := ""
	eventually(t, "the node joins", func() bool {
		s := decode[http.Status](t, url+"/api/v1/status?keyspace=k")
		if len(s.Nodes) == 2 && s.Nodes[1].Up && s.Nodes[1].State == "JOINING" {
			joining = s.Nodes[1].ID
		}
		return joining != ""
	})
	eventually(t, "it pulls", func() bool { return decode[http.Netstats](t, own+"/api/v1/netstats").Streaming.Active })
	if n := decode[http.Netstats](t, own+"/api/v1/netstats"); n.Mode != "JOINING" || len(n.Connections) == 0 {
		t.Errorf("%+v", n)
	}
	if i := decode[http.Info](t, own+"/api/v1/info"); i.ID != joining || i.NativeActive || i.State != "JOINING" || len(i.Metadata.Voters) == 0 {
		t.Errorf("%+v", i)
	}
	if s := decode[http.Status](t, own+"/api/v1/status"); len(s.Nodes) != 2 {
		t.Errorf("%+v", s)
	}
	eventually(t, "others hear what it is about", func() bool {
		g := decode[[]http.GossipNode](t, url+"/api/v1/gossipinfo")
		return len(g) == 2 && (g[0].Values["status_with_port"].Value == "JOINING" || g[1].Values["status_with_port"].Value == "JOINING")
	})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		if status, _ := request(t, "GET", own+path); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, answer := request(t, "POST", own+"/api/v1/decommission"); status != 409 {
		t.Errorf("decommission: status %d, %s", status, answer)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the node has joined")
	}
	if status, answer := request(t, "POST", url+"/api/v1/abort?id="+joining); status != 200 || answer != `{"done":true}`+"\n" {
		t.Errorf("abort: status %d, %s", status, answer)
	}
	if s := decode[http.Status](t, url+"/api/v1/status"); len(s.Nodes) != 1 {
		t.Errorf("%+v", s)
	}
}

// TestOperatorDeadNode takes a node out of a cluster of three that does not come back.
func TestOperatorDeadNode(t *testing.T) {
	network := memory.New(1)
	start := func(host string) *Node {
		return startOperated(t, clusterConfig(t, host), Options{Sockets: network.Host(host)})
	}
	first := start("127.0.0.1")
	url := serveOperators(t, first)
	exec(t, first, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2}")
	exec(t, first, "CREATE TABLE k.t (a int PRIMARY KEY)")
	start("127.0.0.2")
	third := start("127.0.0.3")
	for i := range 50 {
		exec(t, first, "INSERT INTO k.t (a) VALUES (?)", i)
	}
	c := decode[http.Cluster](t, url+"/api/v1/describecluster")
	if m := c.Metadata; m.Leader != "127.0.0.1:7000" || m.Applied == 0 || !strings.HasPrefix(strings.Join(m.Voters, " "), "127.0.0.1:7000 ") {
		t.Errorf("%+v", m)
	}
	eventually(t, "all nodes say how much they have", func() bool {
		return !slices.ContainsFunc(decode[http.Status](t, url+"/api/v1/status").Nodes, func(n http.Node) bool { return n.Load == nil || *n.Load <= 0 })
	})
	if err := third.Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is down", func() bool { return !decode[http.Status](t, url+"/api/v1/status").Nodes[2].Up })
	if status, answer := request(t, "POST", url+"/api/v1/removenode?id="+third.view.Self().String()); status != 200 || !strings.HasSuffix(answer, `{"done":true}`+"\n") {
		t.Errorf("removenode: status %d, %s", status, answer)
	}
	rows := 0
	if err := first.Session().Query("SELECT count(*) FROM k.t").Scan(t.Context(), &rows); err != nil || rows != 50 {
		t.Errorf("%d rows, error %v", rows, err)
	}
	if s := decode[http.Status](t, url+"/api/v1/status"); len(s.Nodes) != 2 {
		t.Errorf("%+v", s)
	}
	want := "Not enough live nodes to maintain replication factor in keyspace k (RF = 2, N = 2). Perform a forceful decommission to ignore."
	if status, answer := request(t, "POST", url+"/api/v1/decommission"); status != 409 || !strings.Contains(answer, want) {
		t.Errorf("decommission: status %d, %s", status, answer)
	}
	if status, answer := request(t, "POST", url+"/api/v1/decommission?force=true"); status != 200 || !strings.HasSuffix(answer, `{"done":true}`+"\n") {
		t.Errorf("a forced decommission: status %d, %s", status, answer)
	}
	state := ""
	if err := first.Session().Query("SELECT bootstrapped FROM system.local").Scan(t.Context(), &state); err != nil || state != "DECOMMISSIONED" {
		t.Errorf("bootstrapped %s, error %v", state, err)
	}
	if m := decode[http.Netstats](t, url+"/api/v1/netstats").Mode; m != "LEFT" {
		t.Errorf("mode %s", m)
	}
}

func TestCheckReplication(t *testing.T) {
	topology := someTopology(t, 1, 1, 1)
	others := ring.Endpoint{ID: ring.HostID{9}, Datacenter: "dc2", Rack: "r", Tokens: []ring.Token{5}}
	topology, err := topology.With(others)
	if err != nil {
		t.Fatal(err)
	}
	with := func(class string, options map[string]string) *schema.Schema {
		return schema.Empty().With(&schema.Keyspace{Name: "k", Replication: schema.Replication{Class: class, Options: options}})
	}
	for _, c := range []struct {
		schema *schema.Schema
		leaves byte
		want   string
	}{
		{with("SimpleStrategy", map[string]string{"replication_factor": "3"}), 1, ""},
		{with("SimpleStrategy", map[string]string{"replication_factor": "4"}), 1, "(RF = 4, N = 4)"},
		{with("NetworkTopologyStrategy", map[string]string{"dc1": "2"}), 1, ""},
		{with("NetworkTopologyStrategy", map[string]string{"dc1": "3"}), 9, ""},
		{with("NetworkTopologyStrategy", map[string]string{"dc1": "3"}), 1, "(RF = 3, N = 3)"},
		{with("NetworkTopologyStrategy", map[string]string{"dc1": "1", "dc2": "1"}), 9, "(RF = 1, N = 1)"},
		{schema.Empty(), 1, ""},
	} {
		err := checkReplication(topology, topology.Endpoint(ring.HostID{c.leaves}), c.schema)
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("node %d: %s, want %q", c.leaves, got, c.want)
		}
	}
}
