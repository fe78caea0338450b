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
	said    *schema.Schema // whose version others were told; by run alone, as what follows
	status  string         // that others were told
	forgot  uint64         // epoch of the topology, what is not in which was forgotten

	mu   sync.Mutex
	told map[ring.HostID]seen // changed by run alone
}

// seen is what clients were told of a node last.
type seen struct {
	native     netip.AddrPort
	up         bool
	generation uint32 // one that has restarted is announced again, also if nobody has missed it: its clients have
}

// watchEvery is the time between two looks at what nodes say, beside those after a change.
const watchEvery = 250 * time.Millisecond

// loadEvery is the time between two measurements of the node's own load.
const loadEvery = time.Minute

func newWatch() *watch {
	return &watch{kick: make(chan struct{}, 1), stop: make(chan struct{}), told: map[ring.HostID]seen{}, status: statusStarting}
}

// start begins to watch, with where nodes took clients before.
func (w *watch) start(c *cluster, natives map[ring.HostID]netip.AddrPort) {
	w.mu.Lock()
	for id, native := range natives {
		w.told[id] = seen{native: native}
	}
	w.mu.Unlock()
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
			w.forget(c)
			select {
			case <-w.stop:
				return
			case <-w.kick:
			case <-look.C:
			case <-load.C:
				c.sayLoad()
				w.forgot = 0 // a write that was under way may have left a hint
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

// forget drops what is kept of nodes that were taken out of the cluster, hints among it: nobody will ever want them.
func (w *watch) forget(c *cluster) {
	epoch := c.log.Topology().Epoch()
	if w.forgot == epoch {
		return
	}
	w.forgot = epoch
	for _, p := range c.memberOf().Peers() {
		if c.log.Removed(p.ID) {
			c.memberOf().Forget(p.ID)
			c.proximity.latencies.Forget(p.ID)
		}
	}
	if c.hints == nil {
		return
	}
	for _, p := range c.hints.Pending() {
		if c.log.Removed(p.To) {
			c.hints.Forget(p.To)
		}
	}
}

// look compares what is with what clients were told. Clients are told of a node when it takes clients, and not before:
// they connect at once.
func (w *watch) look(c *cluster) {
	now := map[ring.HostID]seen{}
	topology := c.log.Topology()
	for _, p := range c.memberOf().Peers() {
		e := topology.Endpoint(p.ID)
		native, ok := nativeOf(p)
		if e == nil || p.ID == c.self || e.State == ring.Joining || !ok {
			continue
		}
		now[p.ID] = seen{native: native, up: p.Up, generation: p.Heartbeat.Generation}
		w.tell(c, p.ID, now[p.ID])
	}
	for id, s := range w.told {
		if _, known := now[id]; known {
			continue
		}
		if topology.Endpoint(id) != nil { // it has not said yet where it takes clients now
			now[id] = seen{native: s.native, generation: s.generation, up: s.up && c.IsAlive(id)}
			w.tell(c, id, now[id])
			continue
		}
		if server := c.node.server(); server != nil {
			server.TopologyChanged(frame.RemovedNode, s.native)
		}
		c.node.storeNative(id, netip.AddrPort{})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = now
}

// tell tells clients what is new of a node.
func (w *watch) tell(c *cluster, id ring.HostID, s seen) {
	before, known := w.told[id]
	if !known || before.native != s.native {
		c.node.storeNative(id, s.native)
	}
	server := c.node.server()
	if server == nil || before == s {
		return
	}
	if known && before.native != s.native {
		server.TopologyChanged(frame.RemovedNode, before.native)
	}
	if !known || before.native != s.native {
		server.TopologyChanged(frame.NewNode, s.native)
	}
	server.StatusChanged(s.up, s.native)
}

// native returns where a node took clients last.
func (w *watch) native(id ring.HostID) netip.AddrPort {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[id].native
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
	v, err := c.node.system.Version(s)
	if err != nil {
		c.node.opts.Log.Error("the version of the schema cannot be told to other nodes", "error", err)
	} else {
		c.memberOf().Set(gossip.KeySchema, v.String())
	}
	if w.said != nil {
		c.proximity.forgetTables(w.said, s)
	}
	w.said = s
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
		native, ok := nativeOf(p)
		if !ok {
			native = c.watch.native(e.ID)
		}
		peer.Native = native
		if v, err := cqltype.ParseUUID(p.Values[gossip.KeySchema].Text); err == nil {
			peer.SchemaVersion = v
		}
		peer.Values = gossipValues(p)
		out = append(out, peer)
	}
	c.settle(out)
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
