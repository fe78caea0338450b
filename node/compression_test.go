package node

import (
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/ring"
)

// TestCompressesUnknown checks what is compressed before the topology is known.
func TestCompressesUnknown(t *testing.T) {
	for mode, want := range map[config.InternodeCompression]bool{config.CompressAll: true, config.CompressDatacenters: false} {
		c := &cluster{node: &Node{config: config.Config{InternodeCompression: mode}}}
		if got := c.compresses(ring.HostID{1}); got != want {
			t.Errorf("%s: %v", mode, got)
		}
	}
}
