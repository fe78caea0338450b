package node

import (
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/gossip"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A watch tells clients of nodes that come and go.
type watch struct {
	member atomic.Pointer[gossip.Member]

	kick    chan struct{}
	stop    chan struct{}
	running sync.WaitGroup
	told    map[ring.HostID]seen // by run alone, as what follows
	said    *schema.Schema       // whose version others were told
	status  string               // that others were told
}

// seen is what clients were told of a node last.
type seen struct {
	native netip.AddrPort
	up     bool
}

// watchEvery is the time between two looks at what nodes say, beside those after a change.
const watchEvery = time.Second

// loadEvery is the time between two measurements of the node's own load.
const loadEvery = time.Minute

func newWatch() *watch {
	return &watch{kick: make(chan struct{}, 1), stop: make(chan struct{}), told: map[ring.HostID]seen{}, status: statusStarting}
}

// start begins to watch.
func (w *watch) start(c *cluster) {
	w.running.Go(func() {
		look, load, keys := time.NewTicker(watchEvery), time.NewTicker(loadEvery), time.NewTicker(lookAtKeysEvery)
		defer look.Stop()
		defer load.Stop()
		defer keys.Stop()
		c.sayLoad()
		for {
			w.saySchema(c)
			w.sayStatus(c)
			w.look(c)
			select {
			case <-w.stop:
				return
			case <-w.kick:
			case <-look.C:
			case <-load.C:
				c.sayLoad()
			case <-keys.C:
				c.keys.look(c.memberOf())
			}
		}
	})
}

func (w *watch) wake() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *watch) close() {
	close(w.stop)
	w.running.Wait()
}

// look compares what is with what clients were told. Clients are told of a node when it takes clients, and not before:
// they connect at once.
func (w *watch) look(c *cluster) {
	server := c.node.server()
	now := map[ring.HostID]seen{}
	for _, e := range c.log.Topology().Endpoints() {
		native, ok := c.nativeOf(e.ID)
		if e.ID == c.self || e.State == ring.Joining || !ok {
			continue
		}
		s := seen{native: native, up: c.IsAlive(e.ID)}
		before, known := w.told[e.ID]
		if known && !s.up && before.native != s.native {
			s.native = before.native
		}
		now[e.ID] = s
		if server == nil {
			continue
		}
		switch {
		case !known:
			server.TopologyChanged(frame.NewNode, s.native)
			server.StatusChanged(s.up, s.native)
		case before != s:
			server.StatusChanged(s.up, s.native)
		}
	}
	for id, s := range w.told {
		if c.log.Topology().Endpoint(id) != nil {
			if _, still := now[id]; !still {
				now[id] = s
			}
			continue
		}
		c.memberOf().Forget(id)
		if server != nil {
			server.TopologyChanged(frame.RemovedNode, s.native)
		}
	}
	w.told = now
}

// nativeOf returns where a node takes clients; false if it has not said so.
func (c *cluster) nativeOf(id ring.HostID) (netip.AddrPort, bool) {
	text, ok := c.memberOf().Get(id, gossip.KeyNativeAddress)
	if !ok {
		return netip.AddrPort{}, false
	}
	address, err := netip.ParseAddrPort(text)
	return address, err == nil
}

// livenessChanged is told by gossip that a node is up or down.
func (c *cluster) livenessChanged(id ring.HostID, up bool) {
	c.node.opts.Log.Info("a node is "+map[bool]string{true: "up", false: "down"}[up], "node", id)
	if up {
		c.hub.Retry(id)
	}
	if c.dispatcher != nil && up {
		c.dispatcher.Up(id)
	} else if c.dispatcher != nil {
		c.dispatcher.Down(id, c.node.opts.Now())
	}
	c.watch.wake()
}

// serveAt tells other nodes that this one takes clients, and where.
func (c *cluster) serveAt(native netip.AddrPort) {
	m := c.memberOf()
	m.Set(gossip.KeyNativeAddress, native.String())
	m.Set(gossip.KeyStatus, gossip.StatusNormal)
}

// sayLoad tells other nodes how much data this one has.
func (c *cluster) sayLoad() {
	c.memberOf().Set(gossip.KeyLoad, strconv.FormatInt(c.node.engine.Size(), 10))
}

// sayStatus tells other nodes what this one is about.
func (w *watch) sayStatus(c *cluster) {
	status := statusStarting
	switch e := c.log.Topology().Endpoint(c.self); {
	case e == nil:
	case e.State == ring.Joining:
		status = gossip.StatusJoining
	case e.State == ring.Leaving:
		status = gossip.StatusLeaving
	case c.node.server() != nil:
		status = gossip.StatusNormal
	}
	if status != w.status {
		c.memberOf().Set(gossip.KeyStatus, status)
		w.status = status
	}
}

// saySchema tells other nodes the version of the schema, which clients compare.
func (w *watch) saySchema(c *cluster) {
	s := c.log.Schema()
	if s == w.said {
		return
	}
	if v, err := c.node.system.Version(s); err == nil {
		c.memberOf().Set(gossip.KeySchema, v.String())
		w.said = s
	}
}

// peers describes all nodes, for the tables of the system.
func (c *cluster) peers() []system.Peer {
	said := map[ring.HostID]gossip.Peer{}
	for _, p := range c.memberOf().Peers() {
		said[p.ID] = p
	}
	var out []system.Peer
	for _, e := range c.log.Topology().Endpoints() {
		p := said[e.ID]
		peer := system.Peer{ID: e.ID, Address: e.Address, Datacenter: e.Datacenter, Rack: e.Rack, Tokens: e.Tokens,
			ReleaseVersion: system.ReleaseVersion, State: e.State, Up: c.IsAlive(e.ID), Phi: p.Phi,
			Generation: p.Heartbeat.Generation, Heartbeat: p.Heartbeat.Version}
		peer.Native, _ = netip.ParseAddrPort(p.Values[gossip.KeyNativeAddress].Text)
		if v, err := cqltype.ParseUUID(p.Values[gossip.KeySchema].Text); err == nil {
			peer.SchemaVersion = v
		}
		peer.Values = gossipValues(p)
		out = append(out, peer)
	}
	return out
}

// gossipValues returns what a node says under the names that Cassandra gives it.
func gossipValues(p gossip.Peer) map[string]system.PeerValue {
	names := map[gossip.Key]string{
		gossip.KeyStatus:        "status_with_port",
		gossip.KeyDatacenter:    "dc",
		gossip.KeyRack:          "rack",
		gossip.KeyAddress:       "internal_address_and_port",
		gossip.KeyNativeAddress: "native_address_and_port",
		gossip.KeyRelease:       "release_version",
		gossip.KeySchema:        "schema",
		gossip.KeyLoad:          "load",
	}
	out := map[string]system.PeerValue{}
	for key, v := range p.Values {
		if name := names[key]; name != "" {
			out[name] = system.PeerValue{Text: v.Text, Version: v.Version}
		}
	}
	return out
}

// pendingHints describes the hints that wait, for the tables of the system.
func (c *cluster) pendingHints() []system.PendingHint {
	if c.hints == nil {
		return nil
	}
	var out []system.PendingHint
	for _, p := range c.hints.Pending() {
		out = append(out, system.PendingHint{To: p.To, Files: p.Files, Newest: p.Newest, Oldest: p.Oldest})
	}
	return out
}
