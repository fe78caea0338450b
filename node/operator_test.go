package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/http"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

func operatorConfig(t *testing.T) config.Config {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort = t.TempDir(), 64<<20, 0
	return cfg
}

func startOperated(t *testing.T, cfg config.Config, opts Options) *Node {
	t.Helper()
	n, err := StartWith(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// serveOperators serves a node's operators as Serve's options say, and returns the URL.
func serveOperators(t *testing.T, n *Node) string {
	t.Helper()
	options, err := n.serverOptions(t.Context(), ServeOptions{Generated: func(string, string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := n.startHTTP(listener, options)
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + o.address.String()
}

func request(t *testing.T, method, url string, password ...string) (int, string) {
	t.Helper()
	r, err := nethttp.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if len(password) > 0 {
		r.SetBasicAuth(superuser, password[0])
	}
	r.Close = true
	answer, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func decode[T any](t *testing.T, url string) (v T) {
	t.Helper()
	status, body := request(t, "GET", url)
	if status != 200 {
		t.Fatalf("%s: status %d, %s", url, status, body)
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOperatorAlone asks a node that has no others.
func TestOperatorAlone(t *testing.T) {
	n := startOperated(t, operatorConfig(t), Options{})
	url := serveOperators(t, n)
	if status, _ := request(t, "GET", url+"/readyz"); status != 503 {
		t.Errorf("ready before it serves: %d", status)
	}
	if _, err := n.Serve(t.Context(), ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	if status, _ := request(t, "GET", url+"/readyz"); status != 200 {
		t.Errorf("not ready: %d", status)
	}
	s := decode[http.Status](t, url+"/api/v1/status")
	if len(s.Nodes) != 1 || !s.Nodes[0].Up || s.Nodes[0].State != "NORMAL" || s.Nodes[0].Load == nil || *s.Nodes[0].Load <= 0 || *s.Nodes[0].Owns < 0.999 || s.Note != noteNoKeyspace {
		t.Errorf("%+v", s)
	}
	for _, statement := range []string{
		"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE k.t (a int PRIMARY KEY)", "INSERT INTO k.t (a) VALUES (1)",
	} {
		if err := n.Session().Query(statement).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s := decode[http.Status](t, url+"/api/v1/status?keyspace=k"); s.Note != "" || *s.Nodes[0].Owns < 0.999 || s.Keyspace != "k" {
		t.Errorf("%+v", s)
	}
	if r := decode[http.Ring](t, url+"/api/v1/ring"); len(r.Ring) != 16 || len(r.Nodes) != 1 {
		t.Errorf("%+v", r)
	}
	if i := decode[http.Info](t, url+"/api/v1/info"); i.ID != n.view.Self().String() || i.InCluster || !i.NativeActive || len(i.TokenList) != 16 || i.MemoryBytes <= 0 {
		t.Errorf("%+v", i)
	}
	if c := decode[http.Cluster](t, url+"/api/v1/describecluster"); len(c.Metadata.Voters) != 0 || c.Live != 1 || len(c.Schemas) != 1 || len(c.Keyspaces) != 1 || c.Keyspaces[0].Name != "k" {
		t.Errorf("%+v", c)
	}
	if s := decode[http.Netstats](t, url+"/api/v1/netstats"); s.Mode != "NORMAL" || s.Streaming.Active {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		method, path string
		status       int
		answer       string
	}{
		{"GET", "gossipinfo", 200, "[]"},
		{"GET", "hints", 200, "[]"},
		{"GET", "status?keyspace=nope", 404, `{"error":"The keyspace nope, does not exist"}`},
		{"POST", "decommission", 409, `{"error":"this node is alone: listen_address is not set"}`},
		{"POST", "removenode?id=x", 409, `{"error":"this node is alone: listen_address is not set"}`},
		{"POST", "abort?id=x", 409, `{"error":"this node is alone: listen_address is not set"}`},
		{"POST", "cleanup", 409, `{"error":"this node is alone: listen_address is not set"}`},
		{"POST", "truncatehints", 409, `{"error":"this node is alone: listen_address is not set"}`},
		{"POST", "compact", 200, `{"progress":"compacting k.t"}` + "\n" + `{"done":true}`},
		{"POST", "compact?keyspace=k&table=t", 200, `{"done":true}`},
		{"POST", "compact?keyspace=k&table=nope", 400, `{"error":"table k.nope does not exist"}`},
	} {
		if status, answer := request(t, c.method, url+"/api/v1/"+c.path); status != c.status || answer != c.answer+"\n" {
			t.Errorf("%s: status %d, %s", c.path, status, answer)
		}
	}
}

func TestOperatorPassword(t *testing.T) {
	cfg := operatorConfig(t)
	cfg.Authenticator, cfg.SuperuserPassword = config.PasswordAuthenticator, "secret"
	url := serveOperators(t, startOperated(t, cfg, Options{}))
	if status, answer := request(t, "GET", url+"/api/v1/info"); status != 401 {
		t.Errorf("no password: status %d, %s", status, answer)
	}
	if status, answer := request(t, "GET", url+"/api/v1/info", "wrong"); status != 401 {
		t.Errorf("a wrong password: status %d, %s", status, answer)
	}
	if status, answer := request(t, "GET", url+"/api/v1/info", "secret"); status != 200 {
		t.Errorf("the password: status %d, %s", status, answer)
	}
}

// TestOperatorExposed expects no server for other machines without passwords, and none at all without a port.
func TestOperatorExposed(t *testing.T) {
	n := startOperated(t, operatorConfig(t), Options{})
	options, err := n.serverOptions(t.Context(), ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if o, err := n.serveHTTP(t.Context(), options, ServeOptions{}); o != nil || err != nil || o.stop() != nil {
		t.Errorf("%v, error %v", o, err)
	}
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	n.config.HTTPAddress, n.config.HTTPPort = "0.0.0.0", port
	if o, err := n.serveHTTP(t.Context(), options, ServeOptions{}); o != nil || err == nil || !strings.HasPrefix(err.Error(), "http_address 0.0.0.0 can be reached from other machines") {
		t.Errorf("%v, error %v", o, err)
	}
	o, err := n.serveHTTP(t.Context(), options, ServeOptions{Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestOperatorCluster lets a second node join, cleans up, and lets it leave.
func TestOperatorCluster(t *testing.T) {
	network := memory.New(1)
	node := func(host string) *Node {
		cfg := operatorConfig(t)
		cfg.ListenAddress, cfg.Seeds = host, "127.0.0.1"
		cfg.RPCAddress = "127.0.0.1"
		return startOperated(t, cfg, Options{Sockets: network.Host(host)})
	}
	first := node("127.0.0.1")
	url := serveOperators(t, first)
	exec := func(text string, values ...any) {
		t.Helper()
		if err := first.Session().Query(text, values...).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	exec("CREATE TABLE k.t (a int PRIMARY KEY)")
	for i := range 200 {
		exec("INSERT INTO k.t (a) VALUES (?)", i)
	}
	if status, answer := request(t, "POST", url+"/api/v1/decommission"); status != 409 || !strings.Contains(answer, "last node") {
		t.Errorf("the last node: status %d, %s", status, answer)
	}
	second := node("127.0.0.2")
	s := decode[http.Status](t, url+"/api/v1/status?keyspace=k")
	if len(s.Nodes) != 2 || s.Nodes[1].ID != second.view.Self().String() || s.Nodes[1].State != "NORMAL" || !s.Nodes[1].Up {
		t.Fatalf("%+v", s)
	}
	if sum := *s.Nodes[0].Owns + *s.Nodes[1].Owns; sum < 0.999 || sum > 1.001 {
		t.Errorf("they own %f", sum)
	}
	if g := decode[[]http.GossipNode](t, url+"/api/v1/gossipinfo"); len(g) != 2 || g[0].Generation == 0 {
		t.Errorf("%+v", g)
	}
	if n := decode[http.Netstats](t, url+"/api/v1/netstats"); len(n.Connections) == 0 {
		t.Errorf("%+v", n)
	}
	for path, want := range map[string]int{"removenode?id=127.0.0.2": 409, "abort?id=127.0.0.2": 409, "removenode?id=127.0.0.9": 404,
		"removenode?id=" + first.view.Self().String(): 409, "truncatehints": 200, "truncatehints?id=127.0.0.2": 200, "truncatehints?id=x": 404} {
		if status, answer := request(t, "POST", url+"/api/v1/"+path); status != want {
			t.Errorf("%s: status %d, %s", path, status, answer)
		}
	}
	status, answer := request(t, "POST", url+"/api/v1/cleanup")
	if status != 200 || !strings.HasSuffix(answer, `{"done":true}`+"\n") || !strings.Contains(answer, "cleaning up k.t") {
		t.Errorf("cleanup: status %d, %s", status, answer)
	}
	count := func() (rows int) {
		t.Helper()
		if err := first.Session().Query("SELECT count(*) FROM k.t").Scan(t.Context(), &rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if rows := count(); rows != 200 {
		t.Errorf("%d rows after cleanup", rows)
	}
	status, answer = request(t, "POST", serveOperators(t, second)+"/api/v1/decommission")
	if status != 200 || !strings.HasSuffix(answer, `{"done":true}`+"\n") {
		t.Errorf("decommission: status %d, %s", status, answer)
	}
	if rows := count(); rows != 200 {
		t.Errorf("%d rows after decommission", rows)
	}
	if s := decode[http.Status](t, url+"/api/v1/status"); len(s.Nodes) != 1 {
		t.Errorf("%+v", s)
	}
	eventually(t, "the one that left is forgotten", func() bool { return len(first.cluster.memberOf().Peers()) == 1 })
}

func someTopology(t rapid.TB, sizes ...int) *ring.Topology {
	t.Helper()
	topology := &ring.Topology{}
	for i, tokens := range sizes {
		e := ring.Endpoint{ID: ring.HostID{byte(i + 1)}, Address: netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:7000", i+1)), Datacenter: "dc1", Rack: "r"}
		for k := range tokens {
			e.Tokens = append(e.Tokens, ring.Token(int64(k*7919+i*104729)%1000*1_000_000_007_000))
		}
		var err error
		if topology, err = topology.With(e); err != nil {
			t.Skip(err)
		}
	}
	return topology
}

// TestForeignRanges expects ranges to hold exactly the tokens of which a node is no replica, and no two of them to be neighbors.
func TestForeignRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := someTopology(t, rapid.SliceOfN(rapid.IntRange(1, 5), 1, 5).Draw(t, "sizes")...)
		p := ring.NewPlacement(topology, ring.Simple(rapid.IntRange(1, 4).Draw(t, "replicas")), ring.HostID{})
		self := ring.HostID{1}
		ranges := foreignRanges(p, self)
		for range 20 {
			token := ring.Token(rapid.Int64().Draw(t, "token"))
			own := slices.ContainsFunc(p.Replicas(token), func(e *ring.Endpoint) bool { return e.ID == self })
			if foreign := slices.ContainsFunc(ranges, func(r ring.Range) bool { return r.Contains(token) }); foreign == own {
				t.Fatalf("token %d: own %t, foreign %t, ranges %v", token, own, foreign, ranges)
			}
		}
		for i := 1; i < len(ranges); i++ {
			if ranges[i-1].End == ranges[i].Start {
				t.Fatalf("neighbors in %v", ranges)
			}
		}
	})
}

func TestOwnership(t *testing.T) {
	topology := someTopology(t, 4, 4)
	keyspace := func(name string, factor string) *schema.Keyspace {
		return &schema.Keyspace{Name: name, Replication: schema.Replication{Class: "SimpleStrategy", Options: map[string]string{"replication_factor": factor}}}
	}
	sum := func(owns map[ring.HostID]float64) (total float64) {
		for _, part := range owns {
			total += part
		}
		return total
	}
	owns, note, err := ownership(topology, []*schema.Keyspace{keyspace("a", "2"), keyspace("b", "2")})
	if total := sum(owns); total < 1.999 || total > 2.001 || note != "" || err != nil {
		t.Errorf("%v, %q, error %v", owns, note, err)
	}
	if owns, note, err := ownership(topology, []*schema.Keyspace{keyspace("a", "2"), keyspace("b", "1")}); owns != nil || note != noteReplication || err != nil {
		t.Errorf("%v, %q, error %v", owns, note, err)
	}
	if owns, note, err := ownership(topology, nil); sum(owns) < 0.999 || note != noteNoKeyspace || err != nil {
		t.Errorf("%v, %q, error %v", owns, note, err)
	}
}

func TestFindEndpoint(t *testing.T) {
	topology := someTopology(t, 1, 1)
	topology, err := topology.With(ring.Endpoint{ID: ring.HostID{9}, Address: netip.MustParseAddrPort("10.0.0.2:7001"), Tokens: []ring.Token{5}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]byte{"10.0.0.1": 1, "10.0.0.1:7000": 1, "10.0.0.1:7001": 0, "10.0.0.2": 0, "10.0.0.2:7001": 9,
		(ring.HostID{2}).String(): 2, (ring.HostID{3}).String(): 0, "": 0, "x": 0} {
		e := findEndpoint(topology, text)
		if got := e != nil; got != (want != 0) || got && e.ID[0] != want {
			t.Errorf("%q: %v", text, e)
		}
	}
}

func TestDescribeCluster(t *testing.T) {
	v := cqltype.UUID{1}
	c := describeCluster([]system.Peer{
		{Datacenter: "dc2", Address: netip.MustParseAddrPort("10.0.0.2:7000"), Up: true, SchemaVersion: v, ReleaseVersion: "5"},
		{Datacenter: "dc1", Address: netip.MustParseAddrPort("10.0.0.1:7000"), Up: true, SchemaVersion: v, ReleaseVersion: "5", State: ring.Leaving},
		{Datacenter: "dc1", Address: netip.MustParseAddrPort("10.0.0.3:7000"), Up: true, State: ring.Joining, ReleaseVersion: "5"},
		{Datacenter: "dc1", Address: netip.MustParseAddrPort("10.0.0.4:7000"), SchemaVersion: v, ReleaseVersion: "5"},
	})
	b, err := json.Marshal(c)
	want := `{"name":"","partitioner":"","schema_versions":[` +
		`{"version":"01000000-0000-0000-0000-000000000000","nodes":["10.0.0.1:7000","10.0.0.2:7000"]},` +
		`{"version":"UNKNOWN","nodes":["10.0.0.3:7000"]},{"version":"UNREACHABLE","nodes":["10.0.0.4:7000"]}],` +
		`"live":3,"joining":1,"leaving":1,"unreachable":1,` +
		`"datacenters":[{"name":"dc1","nodes":3,"down":1},{"name":"dc2","nodes":1,"down":0}],` +
		`"releases":[{"version":"5","nodes":["10.0.0.1:7000","10.0.0.2:7000","10.0.0.3:7000","10.0.0.4:7000"]}],"keyspaces":null,` +
		`"metadata_log":{"leader":"","voters":null,"applied":0}}`
	if err != nil || string(b) != want {
		t.Errorf("error %v\n got %s\nwant %s", err, b, want)
	}
}

// TestWhileTopologyIs expects a context to end when the topology changes, and with its parent.
func TestWhileTopologyIs(t *testing.T) {
	n := startOperated(t, func() config.Config {
		cfg := operatorConfig(t)
		cfg.ListenAddress = "127.0.0.1"
		return cfg
	}(), Options{Sockets: memory.New(1).Host("127.0.0.1")})
	ctx, stop := whileTopologyIs(t.Context(), n.cluster, n.cluster.Topology())
	if ctx.Err() != nil {
		t.Error("it has ended although nothing has changed")
	}
	stop()
	ctx, stop = whileTopologyIs(t.Context(), n.cluster, &ring.Topology{})
	defer stop()
	wait, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-wait.Done():
		t.Error("it has not ended")
	}
}
