package system

import (
	"net/netip"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Peer is a node of the cluster, as this one knows it.
type Peer struct {
	ID               ring.HostID
	Address          netip.AddrPort // for other nodes; it must be valid for the node to be shown where that is the key
	Native           netip.AddrPort // for clients; not valid if unknown, and then drivers leave the node out
	Datacenter, Rack string
	Tokens           []ring.Token
	ReleaseVersion   string       // of the Cassandra whose answers it gives; may be empty
	SchemaVersion    cqltype.UUID // zero if unknown
	State            ring.State

	// What gossip says of it.
	Up                    bool
	Phi                   float64 // how suspect its silence is
	Generation, Heartbeat uint32  // zero if gossip knows nothing of it
	Values                map[string]PeerValue
}

// A PeerValue is what a node says of itself by gossip, under one of Cassandra's names in lower case, such as load or
// status_with_port. Names that Cassandra does not have are not shown.
type PeerValue struct {
	Text    string
	Version uint32
}

// A PendingHint is what is kept for a node that has missed writes.
type PendingHint struct {
	To             ring.HostID
	Files          int
	Newest, Oldest time.Time // when the hints were written; zero if unknown
}

// nodes returns the nodes that gossip knows.
func (f *filler) nodes() []Peer {
	if f.sources.Peers == nil {
		return nil
	}
	return f.sources.Peers()
}

// owners returns the peers that clients can be sent to: all that own something. One that joins is not among them until
// it has its data, and one that leaves is until others have it, as in Cassandra.
func (f *filler) owners() []Peer {
	var out []Peer
	for _, p := range f.nodes() {
		if p.ID != f.node.Self && p.State != ring.Joining && len(p.Tokens) > 0 && p.Address.IsValid() {
			out = append(out, p)
		}
	}
	return out
}

// peers has one row for each IP address: where several nodes share one, only peersV2 tells them apart.
func (f *filler) peers() {
	for _, p := range f.owners() {
		f.add(values{
			"peer":            addressOrNull(p.Address.Addr()),
			"data_center":     orNull(p.Datacenter),
			"host_id":         cqltype.UUID(p.ID),
			"rack":            orNull(p.Rack),
			"release_version": orNull(p.ReleaseVersion),
			"rpc_address":     addressOrNull(p.Native.Addr()),
			"schema_version":  uuidOrNull(p.SchemaVersion),
			"tokens":          tokenTexts(p.Tokens),
		})
	}
}

func (f *filler) peersV2() {
	for _, p := range f.owners() {
		f.add(values{
			"peer":            addressOrNull(p.Address.Addr()),
			"peer_port":       p.Address.Port(),
			"data_center":     orNull(p.Datacenter),
			"host_id":         cqltype.UUID(p.ID),
			"native_address":  addressOrNull(p.Native.Addr()),
			"native_port":     portOrNull(p.Native),
			"rack":            orNull(p.Rack),
			"release_version": orNull(p.ReleaseVersion),
			"schema_version":  uuidOrNull(p.SchemaVersion),
			"tokens":          tokenTexts(p.Tokens),
		})
	}
}

// gossip shows the nodes that gossip knows, this one included. What a node has not said by gossip, but the topology
// tells, has no version.
func (f *filler) gossip() {
	for _, p := range f.nodes() {
		if !p.Address.IsValid() || p.Generation == 0 {
			continue
		}
		v := values{
			"address":         addressOrNull(p.Address.Addr()),
			"port":            p.Address.Port(),
			"hostname":        p.Address.Addr().Unmap().WithZone("").String(),
			"generation":      cqlInt(int64(p.Generation)),
			"heartbeat":       cqlInt(int64(p.Heartbeat)),
			"dc":              orNull(p.Datacenter),
			"host_id":         p.ID.String(),
			"rack":            orNull(p.Rack),
			"release_version": orNull(p.ReleaseVersion),
		}
		for name, value := range p.Values {
			version := f.table.Column(name + "_version")
			if version == nil {
				continue
			}
			v[version.Name] = cqlInt(int64(value.Version))
			if f.table.Column(name) != nil { // that of the tokens is not shown
				v[name] = value.Text
			}
		}
		f.add(v)
	}
}

func (f *filler) failureDetector() {
	for _, p := range f.nodes() {
		if p.ID == f.node.Self {
			continue
		}
		v := values{
			"host_id":     cqltype.UUID(p.ID),
			"address":     addressOrNull(p.Address.Addr()),
			"port":        portOrNull(p.Address),
			"data_center": orNull(p.Datacenter),
			"rack":        orNull(p.Rack),
			"state":       p.State.String(),
			"up":          p.Up,
		}
		if p.Generation > 0 {
			v["phi"], v["generation"], v["heartbeat"] = p.Phi, int64(p.Generation), int64(p.Heartbeat)
		}
		f.add(v)
	}
}

// pendingHints says of nodes that have left, for which hints may still be there, what Cassandra says of them.
func (f *filler) pendingHints() {
	if f.sources.Hints == nil {
		return
	}
	const unknown = "Unknown"
	topology, status := f.topology(), map[ring.HostID]string{}
	for _, p := range f.nodes() {
		status[p.ID] = "DOWN"
		if p.Up {
			status[p.ID] = "UP"
		}
	}
	for _, h := range f.sources.Hints() {
		v := values{
			"host_id": cqltype.UUID(h.To),
			"dc":      unknown,
			"files":   h.Files,
			"newest":  timeOrNull(h.Newest),
			"oldest":  timeOrNull(h.Oldest),
			"rack":    unknown,
			"status":  unknown,
		}
		if e := topology.Endpoint(h.To); e != nil {
			v["address"], v["port"], v["dc"], v["rack"] = addressOrNull(e.Address.Addr()), portOrNull(e.Address), e.Datacenter, e.Rack
			if s, ok := status[h.To]; ok {
				v["status"] = s
			}
		}
		f.add(v)
	}
}

// tokenTexts returns tokens as drivers read them.
func tokenTexts(tokens []ring.Token) []string {
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = t.String()
	}
	return out
}

func portOrNull(a netip.AddrPort) any {
	if !a.IsValid() {
		return nil
	}
	return a.Port()
}

func uuidOrNull(id cqltype.UUID) any {
	if id == (cqltype.UUID{}) {
		return nil
	}
	return id
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
