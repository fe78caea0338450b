package system

import (
	"math"
	"net/netip"
	"runtime"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// What the node says of itself, as drivers expect it of the Cassandra whose answers it gives.
const (
	ReleaseVersion  = "5.0.6" // of the Cassandra that Ilium answers like
	cqlVersion      = "3.4.7"
	protocolVersion = "5"
	partitioner     = "org.apache.cassandra.dht.Murmur3Partitioner"
)

func (f *filler) local() {
	n := &f.node
	version, err := f.snapshot.version(f.Tables)
	if err != nil {
		f.err = err
		return
	}
	native := *f.native.Load()
	topology := f.topology()
	self := topology.Endpoint(n.Self)
	if self == nil {
		self = &ring.Endpoint{Address: n.Listen, Datacenter: n.Datacenter, Rack: n.Rack}
	}
	broadcast := nodeAddress(self)
	listen := n.Listen
	if !listen.IsValid() {
		listen = broadcast
	}
	f.add(values{
		"key":                     "local",
		"bootstrapped":            bootstrapped(topology, n.Self),
		"broadcast_address":       addressOrNull(broadcast.Addr()),
		"broadcast_port":          broadcast.Port(),
		"cluster_name":            n.Cluster,
		"cql_version":             cqlVersion,
		"data_center":             self.Datacenter,
		"gossip_generation":       f.generation(),
		"host_id":                 cqltype.UUID(n.Self),
		"listen_address":          addressOrNull(listen.Addr()),
		"listen_port":             listen.Port(),
		"native_protocol_version": protocolVersion,
		"partitioner":             partitioner,
		"rack":                    self.Rack,
		"release_version":         ReleaseVersion,
		"rpc_address":             addressOrNull(native.Addr()),
		"rpc_port":                native.Port(),
		"schema_version":          version,
		"tokens":                  tokenTexts(self.Tokens),
	})
}

// bootstrapped says how far the node is in getting its part of the data, in the words of Cassandra.
func bootstrapped(t *ring.Topology, id ring.HostID) string {
	switch self := t.Endpoint(id); {
	case self == nil && len(t.Endpoints()) == 0:
		return "NEEDS_BOOTSTRAP"
	case self == nil:
		return "DECOMMISSIONED"
	case self.State == ring.Joining:
		return "IN_PROGRESS"
	}
	return "COMPLETED"
}

// nodeAddress returns where other nodes reach an endpoint. One that listens for no others says the
// default, as drivers expect something there.
func nodeAddress(e *ring.Endpoint) netip.AddrPort {
	if !e.Address.IsValid() {
		return netip.AddrPortFrom(loopback(), 7000)
	}
	return e.Address
}

// generation returns what gossip calls this run of the node: by default, when it started, in seconds since the epoch.
func (f *filler) generation() int64 {
	for _, p := range f.nodes() {
		if p.ID == f.node.Self && p.Generation > 0 {
			return cqlInt(int64(p.Generation))
		}
	}
	return cqlInt(f.node.Started.Unix())
}

// cqlInt returns a number that is not negative as an int of CQL can hold it.
func cqlInt(n int64) int64 { return min(max(n, 0), math.MaxInt32) }

func (f *filler) ilium() {
	for name, value := range map[string]string{
		"version":    f.node.Version,
		"go_version": runtime.Version(),
		"platform":   runtime.GOOS + "/" + runtime.GOARCH,
		"started_at": f.node.Started.UTC().Format(time.RFC3339),
	} {
		f.add(values{"name": name, "value": value})
	}
}

func (f *filler) settings() {
	if f.sources.Settings == nil {
		return
	}
	for _, s := range f.sources.Settings() {
		f.add(values{"name": s.Name, "value": s.Value})
	}
}

func (f *filler) clients() {
	if f.sources.Clients == nil {
		return
	}
	for _, c := range f.sources.Clients() {
		address := c.Address.Addr().Unmap().WithZone("")
		if !address.IsValid() {
			address = netip.IPv4Unspecified()
		}
		options := c.Options
		if options == nil {
			options = map[string]string{}
		}
		f.add(values{
			"address":          address,
			"port":             c.Address.Port(),
			"client_options":   options,
			"connection_stage": c.Stage,
			"driver_name":      orNull(c.Driver),
			"driver_version":   orNull(c.Version),
			"hostname":         address.String(),
			"keyspace_name":    orNull(c.Keyspace),
			"protocol_version": c.Protocol,
			"request_count":    c.Requests,
			"ssl_cipher_suite": orNull(c.TLSCipher),
			"ssl_enabled":      c.TLSVersion != "",
			"ssl_protocol":     orNull(c.TLSVersion),
			"username":         orNull(c.User),
		})
	}
}

func (f *filler) caches() {
	if f.sources.Caches == nil {
		return
	}
	for _, c := range f.sources.Caches() {
		v := values{"name": c.Name, "capacity_bytes": c.Capacity, "entry_count": c.Entries, "size_bytes": c.Size}
		if requests := c.Hits + c.Misses; requests > 0 {
			v["hit_count"], v["request_count"] = c.Hits, requests
			v["hit_ratio"] = float64(c.Hits) / float64(requests)
		}
		f.add(v)
	}
}

// orNull returns null for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
