package node

import (
	"net"
	"net/netip"
	"runtime/debug"

	"github.com/iliumdb/ilium/query/system"
)

const (
	// keptTraces is how many events of traced requests are kept, in all, if memory allows.
	keptTraces = 20_000
	// traceSize is what the memory is divided by for it: an event takes a kilobyte at most, a request 12 beside its events.
	traceSize = 16 << 10
)

// openSystem makes the tables of the system.
func (n *Node) openSystem() (err error) {
	n.traces = system.NewTraces(int(min(keptTraces, int64(n.config.Memory)/traceSize)))
	self := system.Node{Cluster: n.config.ClusterName, Self: n.view.Self(), Started: n.opts.Now(), Version: version()}
	sources := system.Sources{
		Topology: n.view.Topology,
		Settings: n.settings,
		Clients:  n.clientList,
		Traces:   n.traces,
		Caches:   func() []system.Cache { return n.executor.Caches() },
	}
	if c := n.cluster; c != nil {
		self.Listen, sources.Peers, sources.Hints, sources.OtherTrace = c.address, c.peers, c.pendingHints, c.otherTrace
	}
	n.system, err = system.New(self, sources)
	return err
}

func (n *Node) settings() []system.Setting {
	var out []system.Setting
	for _, v := range n.config.Values() {
		out = append(out, system.Setting{Name: v.Setting, Value: v.Text})
	}
	return out
}

// version returns the version of Ilium that the program was built from.
func version() string {
	const module = "github.com/iliumdb/ilium"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Path == module && info.Main.Version != "" {
		return info.Main.Version
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return "unknown"
}

// announce tells clients, by system.local, where they reach the node. A node that listens at all addresses of
// the machine says that of the loopback: it cannot know which of the others clients can reach.
func (n *Node) announce(address net.Addr) {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return
	}
	at := tcp.AddrPort()
	host := at.Addr().Unmap().WithZone("")
	if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if broadcast, err := netip.ParseAddr(n.config.BroadcastRPCAddress); err == nil {
		host = broadcast
	}
	native := netip.AddrPortFrom(host, at.Port())
	n.system.ServeAt(native)
	if n.cluster != nil {
		n.cluster.serveAt(native)
	}
}
