package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
)

// An identity is what a node is known by, for as long as its data directory exists.
type identity struct {
	host   ring.HostID
	tokens []ring.Token // ascending
}

// identity returns the stored identity. A new node makes one up.
func (n *Node) identity(ctx context.Context) (identity, error) {
	const name = "node/identity"
	var stored []byte
	err := n.engine.Values(name, func(_ string, value []byte) error {
		stored = slices.Clone(value)
		return nil
	})
	if err != nil {
		return identity{}, err
	}
	if stored == nil {
		made := newIdentity(&n.config)
		return made, n.engine.Put(ctx, storage.Put{Name: name, Value: made.encode()})
	}
	return decodeIdentity(stored)
}

// newIdentity makes up the identity of the first node of a cluster.
func newIdentity(cfg *config.Config) identity {
	var id identity
	rand.Read(id.host[:]) // never fails
	id.host[6] = id.host[6]&0x0F | 0x40
	id.host[8] = id.host[8]&0x3F | 0x80
	seed := binary.BigEndian.Uint64(id.host[8:])
	id.tokens = ring.AllocateTokens(&ring.Topology{}, cfg.Datacenter, cfg.Rack, cfg.NumTokens, cfg.AllocateTokensForLocalReplicationFactor, seed)
	return id
}

// encode returns the id of the host and the tokens, eight bytes each.
func (id identity) encode() []byte {
	out := slices.Clone(id.host[:])
	for _, t := range id.tokens {
		out = binary.BigEndian.AppendUint64(out, uint64(t))
	}
	return out
}

func decodeIdentity(b []byte) (identity, error) {
	var id identity
	if len(b) < len(id.host) || (len(b)-len(id.host))%8 != 0 {
		return id, fmt.Errorf("the stored identity of the node has %d bytes, which is no identity", len(b))
	}
	for b = b[copy(id.host[:], b):]; len(b) > 0; b = b[8:] {
		id.tokens = append(id.tokens, ring.Token(binary.BigEndian.Uint64(b)))
	}
	return id, nil
}
