package system

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// shown returns the rows of a table of the system as text.
func shown(t *testing.T, tables *Tables, keyspace, name string) []string {
	t.Helper()
	table := tables.keyspaces[keyspace].Table(name)
	c, err := tables.Scan(schema.Empty(), table, &storage.Scan{})
	if err != nil {
		t.Fatal(err)
	}
	return texts(t, c, table)
}

func checkShown(t *testing.T, tables *Tables, keyspace, name string, want ...string) {
	t.Helper()
	got := shown(t, tables, keyspace, name)
	slices.Sort(got) // rows of system are in order of tokens
	if !slices.Equal(got, want) {
		t.Errorf("%s.%s is\n%s\nwant\n%s", keyspace, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// nodes are one of each kind; the last one is as a node sees one that was down when it started.
func nodes() []Peer {
	peer := func(n byte, state ring.State, tokens ...ring.Token) Peer {
		return Peer{
			ID: ring.HostID{n}, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 7000),
			Native:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 0, n}), 9042),
			Datacenter: "dc1", Rack: "r" + string('0'+n), Tokens: tokens, ReleaseVersion: "5.0.6", SchemaVersion: cqltype.UUID{0xAA},
			State: state, Up: true, Phi: 0.5, Generation: 100 + uint32(n), Heartbeat: 7,
		}
	}
	self, normal, joining, leaving, idle := peer(1, ring.Normal, 1), peer(2, ring.Normal, -20, 20), peer(3, ring.Joining, 30), peer(4, ring.Leaving, 40), peer(5, ring.Normal)
	normal.Values = map[string]PeerValue{
		"load": {"123.0", 9}, "tokens": {"secret", 4}, "schema": {"aa", 1 << 31}, "dc": {"dc1", 3}, "invented": {"?", 1}, "address": {"?", 1},
	}
	leaving.Address = netip.AddrPortFrom(netip.MustParseAddr("::ffff:10.0.0.4"), 7001)
	silent := Peer{ID: ring.HostID{6}, Address: netip.MustParseAddrPort("[2001:db8::6]:7000"), Datacenter: "dc2", Rack: "r6", Tokens: []ring.Token{60}}
	return []Peer{self, normal, joining, leaving, idle, silent}
}

func clusterTables(t *testing.T, n Node, sources Sources) *Tables {
	t.Helper()
	if sources.Topology == nil {
		var endpoints []ring.Endpoint
		for _, p := range nodes() {
			endpoints = append(endpoints, ring.Endpoint{ID: p.ID, Address: p.Address, Datacenter: p.Datacenter, Rack: p.Rack, Tokens: p.Tokens, State: p.State})
		}
		topology, err := ring.New(endpoints...)
		if err != nil {
			t.Fatal(err)
		}
		sources.Topology = func() *ring.Topology { return topology }
	}
	tables, err := New(n, sources)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestPeers(t *testing.T) {
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: nodes})
	checkShown(t, tables, "system", "peers",
		"peer = '10.0.0.2' data_center='dc1' host_id=02000000-0000-0000-0000-000000000000 rack='r2' release_version='5.0.6' "+
			"rpc_address='192.168.0.2' schema_version=aa000000-0000-0000-0000-000000000000 tokens has '-20' tokens has '20'",
		"peer = '10.0.0.4' data_center='dc1' host_id=04000000-0000-0000-0000-000000000000 rack='r4' release_version='5.0.6' "+
			"rpc_address='192.168.0.4' schema_version=aa000000-0000-0000-0000-000000000000 tokens has '40'",
		"peer = '2001:db8::6' data_center='dc2' host_id=06000000-0000-0000-0000-000000000000 rack='r6' tokens has '60'")
	checkShown(t, tables, "system", "peers_v2",
		"peer = '10.0.0.2' AND peer_port = 7000 data_center='dc1' host_id=02000000-0000-0000-0000-000000000000 native_address='192.168.0.2' native_port=9042 "+
			"rack='r2' release_version='5.0.6' schema_version=aa000000-0000-0000-0000-000000000000 tokens has '-20' tokens has '20'",
		"peer = '10.0.0.4' AND peer_port = 7001 data_center='dc1' host_id=04000000-0000-0000-0000-000000000000 native_address='192.168.0.4' native_port=9042 "+
			"rack='r4' release_version='5.0.6' schema_version=aa000000-0000-0000-0000-000000000000 tokens has '40'",
		"peer = '2001:db8::6' AND peer_port = 7000 data_center='dc2' host_id=06000000-0000-0000-0000-000000000000 rack='r6' tokens has '60'")
}

// TestPeersAreLive looks whether rows follow the cluster while the schema stays.
func TestPeersAreLive(t *testing.T) {
	all, known := nodes(), 0
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: func() []Peer { return all[:known] }})
	for i, want := range []int{0, 0, 1, 1, 2, 2, 3} {
		known = i
		if got := shown(t, tables, "system", "peers"); len(got) != want {
			t.Errorf("%d of %d nodes are peers", len(got), known)
		}
	}
	table := tables.keyspaces["system"].Table("peers")
	key, err := cqltype.AppendPartitionKey(nil, []byte{10, 0, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tables.Read(schema.Empty(), table, &storage.Read{Partition: AppendPartition(nil, table, key), Slices: []storage.Slice{{Start: []byte{}}}})
	if err != nil || !c.Next() || c.Next() {
		t.Errorf("the row of one peer cannot be read: %v", err)
	}
}

func TestPeersThatShareAnAddress(t *testing.T) {
	shared := nodes()[1:5]
	for i := range shared {
		shared[i].Address = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 7000+uint16(i))
	}
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: func() []Peer { return shared }})
	if v1, v2 := len(shown(t, tables, "system", "peers")), len(shown(t, tables, "system", "peers_v2")); v1 != 1 || v2 != 2 {
		t.Errorf("%d rows, and %d", v1, v2)
	}
}

func TestGossipInfo(t *testing.T) {
	some := nodes()
	some = []Peer{some[0], some[1], some[5], {ID: ring.HostID{9}, Generation: 1}}
	some[0].Generation = 1 << 31
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: func() []Peer { return some }})
	checkShown(t, tables, "system_views", "gossip_info",
		"address = '10.0.0.1' AND port = 7000 dc='dc1' generation=2147483647 heartbeat=7 host_id='01000000-0000-0000-0000-000000000000' "+
			"hostname='10.0.0.1' rack='r1' release_version='5.0.6'",
		"address = '10.0.0.2' AND port = 7000 dc='dc1' dc_version=3 generation=102 heartbeat=7 host_id='02000000-0000-0000-0000-000000000000' "+
			"hostname='10.0.0.2' load='123.0' load_version=9 rack='r2' release_version='5.0.6' schema='aa' schema_version=2147483647 tokens_version=4")
}

func TestFailureDetector(t *testing.T) {
	some := nodes()
	some = []Peer{some[0], some[2], some[5]}
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: func() []Peer { return some }})
	checkShown(t, tables, "system_views", "ilium_failure_detector",
		"host_id = 03000000-0000-0000-0000-000000000000 address='10.0.0.3' data_center='dc1' generation=103 heartbeat=7 phi=0.5 port=7000 rack='r3' "+
			"state='JOINING' up=true",
		"host_id = 06000000-0000-0000-0000-000000000000 address='2001:db8::6' data_center='dc2' port=7000 rack='r6' state='NORMAL' up=false")
}

func TestPendingHints(t *testing.T) {
	at := time.UnixMilli(5000)
	hints := []PendingHint{{To: ring.HostID{2}, Files: 3, Newest: at, Oldest: at.Add(-time.Second)}, {To: ring.HostID{6}, Files: 1}, {To: ring.HostID{8}}}
	tables := clusterTables(t, Node{Self: ring.HostID{1}}, Sources{Peers: nodes, Hints: func() []PendingHint { return hints }})
	checkShown(t, tables, "system_views", "pending_hints",
		"host_id = 02000000-0000-0000-0000-000000000000 address='10.0.0.2' dc='dc1' files=3 newest='1970-01-01T00:00:05.000Z' "+
			"oldest='1970-01-01T00:00:04.000Z' port=7000 rack='r2' status='UP'",
		"host_id = 06000000-0000-0000-0000-000000000000 address='2001:db8::6' dc='dc2' files=1 port=7000 rack='r6' status='DOWN'",
		"host_id = 08000000-0000-0000-0000-000000000000 dc='Unknown' files=0 rack='Unknown' status='Unknown'")
}

func TestNoClusterNoRows(t *testing.T) {
	tables := newTables(t)
	for _, name := range []string{"gossip_info", "ilium_failure_detector", "pending_hints"} {
		checkShown(t, tables, "system_views", name)
	}
	checkShown(t, tables, "system", "peers")
	checkShown(t, tables, "system", "peers_v2")
}

func TestLocal(t *testing.T) {
	check := func(tables *Tables, want ...string) {
		t.Helper()
		rows := shown(t, tables, "system", "local")
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		for _, text := range want {
			if !strings.Contains(rows[0], text) {
				t.Errorf("%s is not in %s", text, rows[0])
			}
		}
	}
	started := time.Unix(50, 0)
	check(clusterTables(t, Node{Self: ring.HostID{1}, Started: started, Listen: netip.MustParseAddrPort("172.16.0.1:7005")}, Sources{Peers: nodes}),
		"bootstrapped='COMPLETED'", "broadcast_address='10.0.0.1'", "broadcast_port=7000", "gossip_generation=101",
		"listen_address='172.16.0.1'", "listen_port=7005", "rpc_address='127.0.0.1'", "rpc_port=9042", "tokens has '1'")
	check(clusterTables(t, Node{Self: ring.HostID{3}, Started: started}, Sources{}),
		"bootstrapped='IN_PROGRESS'", "broadcast_address='10.0.0.3'", "gossip_generation=50", "listen_address='10.0.0.3'", "listen_port=7000")
	outside := Node{Self: ring.HostID{77}, Started: started, Listen: netip.MustParseAddrPort("172.16.0.1:7005"), Datacenter: "dc7", Rack: "r7"}
	check(clusterTables(t, outside, Sources{}), "bootstrapped='DECOMMISSIONED'", "broadcast_address='172.16.0.1'", "data_center='dc7'", "rack='r7'")
	check(clusterTables(t, outside, Sources{Topology: func() *ring.Topology { return &ring.Topology{} }}), "bootstrapped='NEEDS_BOOTSTRAP'")
	check(newTables(t), "bootstrapped='COMPLETED'", "broadcast_address='127.0.0.1'", "broadcast_port=7000", "listen_address='127.0.0.1'", "listen_port=7000")
}

// BenchmarkPeers measures what drivers read of a large cluster after each change of it.
func BenchmarkPeers(b *testing.B) {
	all := make([]Peer, 300)
	for i := range all {
		all[i] = Peer{ID: ring.HostID{1, byte(i >> 8), byte(i)}, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 7000)}
		for j := range 16 {
			all[i].Tokens = append(all[i].Tokens, ring.Token(i*16+j))
		}
	}
	tables, err := New(Node{}, Sources{Peers: func() []Peer { return all }})
	if err != nil {
		b.Fatal(err)
	}
	s, table := schema.Empty(), tables.keyspaces["system"].Table("peers_v2")
	b.ReportAllocs()
	for b.Loop() {
		c, err := tables.Scan(s, table, &storage.Scan{})
		if err != nil || !c.Next() {
			b.Fatal(err)
		}
	}
}
