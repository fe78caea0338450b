package cql_test

import (
	"net/netip"
	"testing"

	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestNodeEvents(t *testing.T) {
	h := newHost(t, cql.Options{})
	four, six := netip.MustParseAddrPort("10.0.0.2:9042"), netip.MustParseAddrPort("[2001:db8::1]:19042")
	mapped := netip.MustParseAddrPort("[::ffff:10.0.0.2]:9042")
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		topology, status := h.connect(t, v, compression), h.connect(t, v, compression)
		topology.ask(&frame.Register{Events: []string{frame.EventTopologyChange}})
		status.ask(&frame.Register{Events: []string{frame.EventStatusChange}})
		bystander := h.connect(t, v, compression)
		check := func(listener *client, kind, change string, address netip.AddrPort) {
			t.Helper()
			got := listener.receive()
			event, ok := got.message.(*frame.Event)
			if !ok || got.stream != frame.EventStream || event.Type != kind || event.Node != (frame.NodeChange{Change: change, Address: address}) {
				t.Errorf("received %+v, want %s %s of %s", got, kind, change, address)
			}
		}
		// Each client sees only what it has registered for, in order.
		h.server.TopologyChanged(frame.NewNode, four)
		h.server.StatusChanged(true, four)
		h.server.StatusChanged(false, netip.AddrPort{}) // which nobody could be told of
		h.server.StatusChanged(false, mapped)
		h.server.TopologyChanged(frame.RemovedNode, six)
		check(topology, frame.EventTopologyChange, frame.NewNode, four)
		check(topology, frame.EventTopologyChange, frame.RemovedNode, six)
		check(status, frame.EventStatusChange, frame.NodeUp, four)
		check(status, frame.EventStatusChange, frame.NodeDown, four)
		// The answer to a request is the next thing that each receives.
		for _, c := range []*client{topology, status, bystander} {
			if m := c.ask(&frame.Options{}); m.Opcode() != frame.OpSupported {
				t.Errorf("received %+v", m)
			}
		}
	})
}
