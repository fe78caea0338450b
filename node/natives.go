package node

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/iliumdb/ilium/gossip"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
)

// nativeName is in front of the names of the values that say where nodes took clients last. Drivers forget a node without
// that, also one that is only down; and after a restart gossip knows nothing of a node that is.
const nativeName = "node/native/"

// readNatives returns where nodes took clients when this one was last up.
func (n *Node) readNatives() (map[ring.HostID]netip.AddrPort, error) {
	out := map[ring.HostID]netip.AddrPort{}
	err := n.engine.Values(nativeName, func(name string, value []byte) error {
		id, err := ring.ParseHostID(name[len(nativeName):])
		if err != nil {
			return fmt.Errorf("the stored address of a node: %w", err)
		}
		if out[id], err = netip.ParseAddrPort(string(value)); err != nil {
			return fmt.Errorf("the stored address of node %s: %w", id, err)
		}
		return nil
	})
	return out, err
}

// storeTimeout is how long storing an address may take. It is stored again when it changes next.
const storeTimeout = 10 * time.Second

// storeNative remembers where a node takes clients, or forgets it if the address is not valid.
func (n *Node) storeNative(id ring.HostID, native netip.AddrPort) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	put := storage.Put{Name: nativeName + id.String()}
	if native.IsValid() {
		put.Value = []byte(native.String())
	}
	if err := n.engine.Put(ctx, put); err != nil {
		n.opts.Log.Warn("where a node takes clients was not stored", "node", id, "error", err)
	}
}

// nativeOf returns where a node takes clients, as it says; false if it has not said so.
func nativeOf(p gossip.Peer) (netip.AddrPort, bool) {
	address, err := netip.ParseAddrPort(p.Values[gossip.KeyNativeAddress].Text)
	return address, err == nil
}
