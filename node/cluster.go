package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/hint"
	"github.com/iliumdb/ilium/coordinator/stream"
	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/gossip"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// A cluster is this node's end of everything that goes on between nodes. It is nil in a node that is alone.
type cluster struct {
	node     *Node
	self     ring.HostID
	began    time.Time
	identity identity
	address  netip.AddrPort // for other nodes

	hub        *peer.Hub
	handlers   atomic.Pointer[map[peer.Verb]peer.Handler] // nil until the node can answer
	log        *metadata.Log
	opened     atomic.Bool // log is set: it asks others already while it is being opened
	hints      *hint.Store // nil if none are kept
	dispatcher *hint.Dispatcher
	mover      *stream.Mover
	proximity  *proximity
	keys       *keyFile // of gossip; the watch's

	watch     *watch
	agreement agreement
	replay    replay
	moves     moves
}

// openCluster opens the network, and goes on in the cluster that the node was a member of, if any.
func (n *Node) openCluster(ctx context.Context) error {
	id, err := n.identity(ctx)
	if err != nil {
		return err
	}
	c := &cluster{node: n, began: time.Now(), self: id.host, identity: id, watch: newWatch()}
	c.proximity = newProximity(c)
	n.cluster, n.view = c, c
	generation, err := n.nextGeneration(ctx)
	if err != nil {
		return err
	}
	if err := c.listen(ctx); err != nil {
		return err
	}
	if err := c.openLog(); err != nil {
		return err
	}
	if err := c.openHints(); err != nil {
		return err
	}
	return c.openGossip(generation)
}

// nextGeneration returns a number that is higher than at any start before: the present time, if the clock was not
// set back.
func (n *Node) nextGeneration(ctx context.Context) (uint32, error) {
	const name = "node/generation"
	last := uint32(0)
	err := n.engine.Values(name, func(_ string, value []byte) error {
		if len(value) != 4 {
			return fmt.Errorf("the stored generation of the node has %d bytes, not 4", len(value))
		}
		last = binary.BigEndian.Uint32(value)
		return nil
	})
	if err != nil {
		return 0, err
	}
	next := max(last+1, uint32(n.opts.Now().Unix()))
	return next, n.engine.Put(ctx, storage.Put{Name: name, Value: binary.BigEndian.AppendUint32(nil, next)})
}

// listen opens the port for other nodes.
func (c *cluster) listen(ctx context.Context) error {
	cfg := &c.node.config
	server, client, err := c.node.internodeTLS()
	if err != nil {
		return err
	}
	c.hub, err = peer.Listen(ctx, hostPort(cfg.ListenAddress, cfg.StoragePort), peer.Options{
		Cluster:     cfg.ClusterName,
		Self:        c.self,
		Sockets:     c.node.opts.Sockets,
		Resolve:     c.resolve,
		Handler:     c.handle,
		ServerTLS:   server,
		ClientTLS:   client,
		Compression: cfg.InternodeCompression != config.CompressNone,
		Compress:    c.compresses,
		MaxInFlight: int64(cfg.Memory) / 8,
		Log:         c.node.opts.Log,
	})
	if err != nil {
		return fmt.Errorf("listening for other nodes: %w", err)
	}
	if danger := exposedNodes(cfg, c.hub.Address().Addr()); danger != "" && !c.node.opts.Insecure {
		return &ExposedError{Setting: "listen_address", Address: cfg.ListenAddress, Danger: danger}
	}
	broadcast := cfg.BroadcastAddress
	if broadcast == "" {
		broadcast = cfg.ListenAddress
	}
	address, err := netip.ParseAddr(broadcast)
	if err != nil {
		return fmt.Errorf("listen_address %s: other nodes must be told an IP address: %w", broadcast, err)
	}
	c.address = netip.AddrPortFrom(address, c.hub.Address().Port())
	return nil
}

// exposedNodes returns what is dangerous about listening for other nodes at an address, "" if nothing is.
func exposedNodes(cfg *config.Config, address netip.Addr) string {
	switch {
	case address.IsLoopback():
		return ""
	case !cfg.ServerEncryptionEnabled || !cfg.ServerEncryptionRequireClientAuth:
		return "whoever is there could take part as a node, and read and change everything; " +
			"server_encryption_enabled and server_encryption_require_client_auth keep strangers out"
	case cfg.GossipEncryptionKeyFile == "":
		return "whoever is there could pass nodes off as alive or dead; gossip_encryption_key_file keeps strangers out"
	}
	return ""
}

func hostPort(host string, port int) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, uint16(port)).String()
	}
	return host + ":" + strconv.Itoa(port)
}

// open lets requests of other nodes in.
func (c *cluster) open() error {
	n := c.node
	natives, err := n.readNatives()
	if err != nil {
		return err
	}
	handlers := n.coordinator.Handlers()
	maps.Copy(handlers, c.log.Handlers())
	handlers[peer.VerbMembership] = c.membership
	handlers[peer.VerbKeepHint] = c.keepHint
	c.mover = stream.New(stream.Options{
		Self:       c.self,
		Puller:     n.coordinator,
		Store:      n.engine,
		Schema:     c.log.Schema,
		IsAlive:    c.IsAlive,
		IsLost:     c.isLost,
		Throughput: int64(n.config.StreamThroughputOutbound),
		Log:        n.opts.Log,
	})
	c.handlers.Store(&handlers)
	c.watch.start(c, natives)
	c.replay.start(c)
	return nil
}

// errStarting is what others are told that ask too early.
var errStarting = errors.New("the node is starting")

// handle passes a request on to who carries it out.
func (c *cluster) handle(ctx context.Context, r *peer.Request) ([]byte, error) {
	handlers := c.handlers.Load()
	if handlers == nil {
		return nil, errStarting
	}
	handler := (*handlers)[r.Verb]
	if handler == nil {
		return nil, &peer.Failure{Code: peer.CodeUnknownVerb, Message: fmt.Sprintf("this node does not know requests of verb %d", r.Verb)}
	}
	return handler(ctx, r)
}

// compresses reports whether what is sent to a node is compressed: what stays in the datacenter is not, unless all is.
func (c *cluster) compresses(to ring.HostID) bool {
	if c.node.config.InternodeCompression == config.CompressAll {
		return true
	}
	if !c.opened.Load() {
		return false
	}
	e := c.log.Topology().Endpoint(to)
	return e != nil && e.Datacenter != c.node.config.Datacenter
}

// resolve returns where a node is: where gossip has seen it last, or else where it was when the topology
// changed.
func (c *cluster) resolve(id ring.HostID) (string, bool) {
	if m := c.memberOf(); m != nil {
		if address, ok := m.AddressOf(id); ok {
			return address, true
		}
	}
	if !c.opened.Load() {
		return "", false
	}
	e := c.log.Topology().Endpoint(id)
	if e == nil || !e.Address.IsValid() {
		return "", false
	}
	return e.Address.String(), true
}

// openLog opens the metadata log.
func (c *cluster) openLog() (err error) {
	n := c.node
	c.log, err = metadata.Open(n.engine, metadata.Options{
		DefaultReplicationFactor: n.config.DefaultKeyspaceRF,
		Datacenters:              []string{n.config.Datacenter},
		OnChange:                 n.schemaChanged,
		OnTopology:               c.topologyChanged,
		Cluster: &metadata.ClusterOptions{
			Self:    c.self,
			Address: c.address.String(),
			Peers:   c.hub,
			Live:    c.live,
			Log:     n.opts.Log,
		},
	})
	if err != nil {
		return err
	}
	n.log = c.log
	c.opened.Store(true)
	return nil
}

// openGossip begins to gossip, with the seeds and with all that were members before.
func (c *cluster) openGossip(generation uint32) error {
	n := c.node
	cfg := &n.config
	file, keys, err := openKeyFile(cfg.GossipEncryptionKeyFile, n.opts.Log)
	if err != nil {
		return err
	}
	packets, err := n.opts.Sockets.ListenPacket(context.Background(), hostPort(cfg.ListenAddress, int(c.hub.Address().Port())))
	if err != nil {
		return fmt.Errorf("listening for gossip: %w", err)
	}
	known := map[ring.HostID]string{}
	for _, e := range c.log.Topology().Endpoints() {
		if e.ID != c.self && e.Address.IsValid() && !fault.On("know the seeds alone") {
			known[e.ID] = e.Address.String()
		}
	}
	threshold := cfg.PhiConvictThreshold
	if fault.On("convict late") {
		threshold *= 4
	}
	if fault.On("convict early") {
		threshold /= 16
	}
	member, err := gossip.Start(cfg.ClusterName, c.self, generation, map[gossip.Key]string{
		gossip.KeyStatus:     statusStarting,
		gossip.KeyDatacenter: cfg.Datacenter,
		gossip.KeyRack:       cfg.Rack,
		gossip.KeyAddress:    c.address.String(),
		gossip.KeyRelease:    version(),
	}, gossip.MemberOptions{
		Seeds:     c.seeds(),
		Addresses: known,
		Keys:      keys,
		Packets:   packets,
		Streams:   c.hub.Streams(),
		Dial:      c.hub.DialStream,
		Address:   c.address,
		Detector:  gossip.Options{Threshold: threshold},
		OnChange:  c.livenessChanged,
		Allowed:   c.allowed,
		OnContested: func() {
			n.fail(fmt.Errorf("another process has the id of this node, %s", c.self))
		},
		Log: n.opts.Log,
	})
	if err != nil {
		return err
	}
	c.keys = file
	c.watch.member.Store(member)
	return nil
}

// statusStarting is the status of a node that takes no clients yet.
const statusStarting = "STARTING"

// seeds returns the addresses of other nodes from the settings.
func (c *cluster) seeds() []string {
	return slices.DeleteFunc(c.node.config.Seeds.HostPorts(c.node.config.StoragePort), func(s string) bool { return s == c.address.String() })
}

// openHints opens the hints for others.
func (c *cluster) openHints() error {
	n := c.node
	cfg := &n.config
	if !cfg.HintedHandoffEnabled {
		return nil
	}
	dir := cfg.HintsDirectory
	if dir == "" {
		dir = filepath.Join(cfg.DataDirectory, "hints")
	}
	var err error
	c.hints, err = hint.Open(hint.Options{
		Dir:             dir,
		Window:          cfg.MaxHintWindow,
		MaxBytesPerHost: int64(cfg.MaxHintsSizePerHost),
		MaxFileSize:     int64(cfg.MaxHintsFileSize),
		Throttle:        int64(cfg.HintedHandoffThrottle),
		Nodes:           func() int { return len(c.log.Topology().Endpoints()) },
		FlushPeriod:     hintPeriod,
		Final:           coordinator.IsFinal,
		Free:            n.engine.HasRoom,
		Now:             n.opts.Now,
		Log:             n.opts.Log,
	})
	if err != nil {
		return fmt.Errorf("hints: %w", err)
	}
	c.dispatcher = hint.NewDispatcher(hint.DispatcherOptions{
		Store:      c.hints,
		Send:       c.sendHint,
		MaxThreads: cfg.MaxHintsDeliveryThreads,
		Interval:   hintPeriod,
	})
	return nil
}

// hintPeriod is the time after which hints are written to disk, and after which those for a node that was not missed as a
// whole are delivered. It is shorter than Cassandra's ten seconds, because a coordinator that is killed loses what it has
// not written, and a replica then lacks it until somebody reads it.
const hintPeriod = time.Second

// hintTimeout is how long a node may take for a hint.
const hintTimeout = 10 * time.Second

func (c *cluster) sendHint(to ring.HostID, body []byte, done func(error)) {
	c.hub.Send(to, peer.VerbHint, time.Now().Add(hintTimeout), body, func(_ []byte, err error) { done(err) })
}

// Self returns the id of the node.
func (c *cluster) Self() ring.HostID { return c.self }

// Topology returns the newest topology that the node knows.
func (c *cluster) Topology() *ring.Topology { return c.log.Topology() }

// IsAlive reports whether a node is thought to be alive.
func (c *cluster) IsAlive(id ring.HostID) bool {
	if id == c.self {
		return true
	}
	m := c.memberOf()
	return m != nil && m.IsUp(id)
}

// memberOf returns the node's part in the gossip, nil before it has begun.
func (c *cluster) memberOf() *gossip.Member { return c.watch.member.Load() }

// live returns all other nodes that are thought to be alive.
func (c *cluster) live() []ring.HostID {
	var out []ring.HostID
	if !c.opened.Load() {
		return nil
	}
	for _, e := range c.log.Topology().Endpoints() {
		if e.ID != c.self && c.IsAlive(e.ID) {
			out = append(out, e.ID)
		}
	}
	return out
}

// allowed reports whether a node may gossip: one that was removed may not.
func (c *cluster) allowed(id ring.HostID) bool { return !c.log.Removed(id) }

// close ends everything, the last first.
func (c *cluster) close() error {
	c.moves.close()
	c.replay.close()
	c.watch.close()
	var errs []error
	c.proximity.close()
	if c.dispatcher != nil {
		c.dispatcher.Close()
	}
	if m := c.memberOf(); m != nil {
		errs = append(errs, m.Stop())
	}
	if c.log != nil {
		c.log.Stop()
	}
	if c.hub != nil {
		errs = append(errs, c.hub.Close())
	}
	if c.hints != nil {
		errs = append(errs, c.hints.Close())
	}
	return errors.Join(errs...)
}
