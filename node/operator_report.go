package node

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"runtime/metrics"
	"slices"
	"strconv"

	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/http"
)

const (
	// noteReplication is Cassandra's.
	noteReplication = "Non-system keyspaces don't have the same replication settings, effective ownership information is meaningless"
	noteNoKeyspace  = "There is no keyspace yet; what nodes own is their part of the tokens"
)

// peers describes all nodes, also if there is only this one.
func (o *operator) peers() []system.Peer {
	n := o.node
	if n.cluster != nil {
		return n.cluster.peers()
	}
	e := n.view.Topology().Endpoint(n.view.Self())
	p := system.Peer{ID: e.ID, Address: e.Address, Datacenter: e.Datacenter, Rack: e.Rack, Tokens: e.Tokens,
		ReleaseVersion: system.ReleaseVersion, State: e.State, Up: true}
	if address, err := netip.ParseAddr(n.config.RPCAddress); err == nil && n.server() != nil {
		p.Native = netip.AddrPortFrom(address, uint16(n.config.NativeTransportPort))
	}
	if v, err := n.system.Version(n.Schema()); err == nil {
		p.SchemaVersion = v
	}
	return []system.Peer{p}
}

// describe describes nodes, by datacenter and address.
func (o *operator) describe(owns map[ring.HostID]float64) []http.Node {
	var out []http.Node
	for _, p := range o.peers() {
		node := describeNode(p, owns)
		if p.ID == o.node.view.Self() {
			load := o.node.engine.Size()
			node.Load = &load
		}
		out = append(out, node)
	}
	slices.SortFunc(out, compareNodes)
	return out
}

func compareNodes(a, b http.Node) int {
	x, _ := netip.ParseAddrPort(a.Address) // one that is not valid comes first
	y, _ := netip.ParseAddrPort(b.Address)
	return cmp.Or(cmp.Compare(a.Datacenter, b.Datacenter), x.Compare(y), cmp.Compare(a.ID, b.ID))
}

func describeNode(p system.Peer, owns map[ring.HostID]float64) http.Node {
	node := http.Node{ID: p.ID.String(), Address: addressText(p.Address), Native: addressText(p.Native), Datacenter: p.Datacenter,
		Rack: p.Rack, Up: p.Up, State: p.State.String(), Tokens: len(p.Tokens)}
	if load, err := strconv.ParseInt(p.Values["load"].Text, 10, 64); err == nil {
		node.Load = &load
	}
	if owns != nil && p.State != ring.Joining {
		part := owns[p.ID]
		node.Owns = &part
	}
	return node
}

func addressText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// Status implements http.Operator.
func (o *operator) Status(keyspace string) (*http.Status, error) {
	keyspaces, err := o.keyspaces(keyspace)
	if err != nil {
		return nil, err
	}
	owns, note, err := ownership(o.node.view.Topology(), keyspaces)
	if err != nil {
		return nil, err
	}
	return &http.Status{Keyspace: keyspace, Note: note, Nodes: o.describe(owns)}, nil
}

// ownership returns which part of the data of keyspaces each node holds. If they differ in that, it is nil, and note says why.
func ownership(t *ring.Topology, keyspaces []*schema.Keyspace) (owns map[ring.HostID]float64, note string, err error) {
	if len(keyspaces) == 0 {
		return t.Ownership(), noteNoKeyspace, nil
	}
	first := keyspaces[0].Replication
	for _, k := range keyspaces[1:] {
		if k.Replication.Class != first.Class || !maps.Equal(k.Replication.Options, first.Options) {
			return nil, noteReplication, nil
		}
	}
	replication, err := ring.ParseReplication(first.Class, first.Options)
	if err != nil {
		return nil, "", err
	}
	return ring.NewPlacement(t, replication, ring.HostID{}).Ownership(), "", nil
}

// Ring implements http.Operator.
func (o *operator) Ring(keyspace string) (*http.Ring, error) {
	s, err := o.Status(keyspace)
	if err != nil {
		return nil, err
	}
	return &http.Ring{Status: *s, Ring: tokensOf(o.node.view.Topology())}, nil
}

// tokensOf returns all tokens, ascending.
func tokensOf(t *ring.Topology) []http.Token {
	type pair struct {
		token ring.Token
		id    ring.HostID
	}
	var all []pair
	for _, e := range t.Endpoints() {
		for _, token := range e.Tokens {
			all = append(all, pair{token, e.ID})
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(a.token, b.token), slices.Compare(a.id[:], b.id[:])) })
	out := make([]http.Token, len(all))
	for i, p := range all {
		out[i] = http.Token{Token: p.token.String(), Node: p.id.String()}
	}
	return out
}

// Info implements http.Operator.
func (o *operator) Info() (*http.Info, error) {
	n := o.node
	i := &http.Info{Cluster: n.config.ClusterName, Version: version(), InCluster: n.cluster != nil, NativeActive: n.server() != nil,
		UptimeSeconds: int64(n.opts.Now().Sub(o.started).Seconds()), MemoryBytes: goMemory(), MemoryBudget: int64(n.config.Memory),
		Clients: len(n.clientList())}
	i.Metadata = o.metadata()
	i.Node = http.Node{ID: n.view.Self().String(), Datacenter: n.config.Datacenter, Rack: n.config.Rack, Up: true, State: stateOutside}
	for _, p := range o.peers() {
		if p.ID != n.view.Self() {
			continue
		}
		load := n.engine.Size()
		i.Node, i.Generation = describeNode(p, nil), p.Generation
		i.Load = &load
		for _, t := range p.Tokens {
			i.TokenList = append(i.TokenList, t.String())
		}
	}
	return i, nil
}

// stateOutside is the state of a node that has not joined its cluster yet, or has left it.
const stateOutside = "LEFT"

// metadata says who decides about the schema and the ring.
func (o *operator) metadata() http.Metadata {
	log, name := o.node.log, func(id ring.HostID) string {
		if e := o.node.view.Topology().Endpoint(id); e != nil && e.Address.IsValid() {
			return e.Address.String()
		}
		return id.String()
	}
	m := http.Metadata{Voters: []string{}, Applied: log.Applied()}
	if leader, ok := log.Leader(); ok {
		m.Leader = name(leader)
	}
	for _, id := range log.Voters() {
		m.Voters = append(m.Voters, name(id))
	}
	slices.Sort(m.Voters)
	return m
}

// goMemory returns the bytes that Go has from the operating system.
func goMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// Gossip implements http.Operator.
func (o *operator) Gossip() ([]http.GossipNode, error) {
	if o.node.cluster == nil {
		return nil, nil
	}
	var out []http.GossipNode
	for _, p := range o.peers() {
		g := http.GossipNode{ID: p.ID.String(), Address: addressText(p.Address), Up: p.Up, Generation: p.Generation, Heartbeat: p.Heartbeat,
			Values: map[string]http.GossipValue{}}
		if !math.IsInf(p.Phi, 0) && !math.IsNaN(p.Phi) {
			g.Phi = &p.Phi
		}
		for name, v := range p.Values {
			g.Values[name] = http.GossipValue{Value: v.Text, Version: v.Version}
		}
		out = append(out, g)
	}
	return out, nil
}

// Describe implements http.Operator.
func (o *operator) Describe() (*http.Cluster, error) {
	c := describeCluster(o.peers())
	c.Name, c.Partitioner = o.node.config.ClusterName, "org.apache.cassandra.dht.Murmur3Partitioner"
	c.Metadata = o.metadata()
	for k := range o.node.Schema().Keyspaces() {
		c.Keyspaces = append(c.Keyspaces, http.Keyspace{Name: k.Name, Class: k.Replication.Class, Replication: k.Replication.Options})
	}
	return c, nil
}

// describeCluster counts nodes, and gathers who has which version.
func describeCluster(peers []system.Peer) *http.Cluster {
	c := &http.Cluster{}
	schemas, releases, datacenters := map[string][]string{}, map[string][]string{}, map[string]http.Datacenter{}
	for _, p := range peers {
		address, d := addressText(p.Address), datacenters[p.Datacenter]
		d.Name = p.Datacenter
		d.Nodes++
		version := p.SchemaVersion.String()
		switch {
		case !p.Up:
			version = "UNREACHABLE"
			d.Down++
			c.Unreachable++
		case p.SchemaVersion == (cqltype.UUID{}):
			version = "UNKNOWN"
			c.Live++
		default:
			c.Live++
		}
		schemas[version] = append(schemas[version], address)
		releases[p.ReleaseVersion] = append(releases[p.ReleaseVersion], address)
		datacenters[p.Datacenter] = d
		switch p.State {
		case ring.Joining:
			c.Joining++
		case ring.Leaving:
			c.Leaving++
		}
	}
	c.Schemas, c.Releases = groups(schemas), groups(releases)
	for _, name := range slices.Sorted(maps.Keys(datacenters)) {
		c.Datacenters = append(c.Datacenters, datacenters[name])
	}
	return c
}

func groups(of map[string][]string) []http.VersionGroup {
	var out []http.VersionGroup
	for _, version := range slices.Sorted(maps.Keys(of)) {
		out = append(out, http.VersionGroup{Version: version, Nodes: slices.Sorted(slices.Values(of[version]))})
	}
	return out
}

// Netstats implements http.Operator.
func (o *operator) Netstats() (*http.Netstats, error) {
	out := &http.Netstats{Mode: stateOutside, Connections: []http.Connection{}}
	if e := o.node.view.Topology().Endpoint(o.node.view.Self()); e != nil {
		out.Mode = e.State.String()
	}
	c := o.node.cluster
	if c == nil {
		return out, nil
	}
	if c.mover != nil {
		p := c.mover.Progress()
		out.Streaming = http.Streaming{Active: p.Change != 0 && !p.Finished, Done: p.Done, Total: p.Total, Bytes: p.Bytes, Table: p.Table}
	}
	for _, s := range c.hub.Stats() {
		connection := http.Connection{Node: s.ID.String(), Address: s.Address, Bulk: s.Bulk, Connected: s.Connected, Unanswered: s.Unanswered,
			Waiting: s.Waiting, Requests: s.Requests, Connections: s.Connections, Failures: s.Failures}
		if s.LastError != nil {
			connection.LastError = s.LastError.Error()
		}
		out.Connections = append(out.Connections, connection)
	}
	return out, nil
}

// Hints implements http.Operator.
func (o *operator) Hints() ([]http.PendingHints, error) {
	c := o.node.cluster
	if c == nil || c.hints == nil {
		return nil, nil
	}
	var out []http.PendingHints
	for _, p := range c.hints.Pending() {
		h := http.PendingHints{Node: p.To.String(), Files: p.Files, Bytes: p.Bytes, DamagedFiles: p.DamagedFiles, Oldest: p.Oldest, Newest: p.Newest}
		if e := c.Topology().Endpoint(p.To); e != nil {
			h.Address = addressText(e.Address)
		}
		out = append(out, h)
	}
	return out, nil
}
