package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// tokenCount is how many tokens a node has: Cassandra's num_tokens.
const tokenCount = 16

// An identity is what a node is known by, for as long as its data directory exists.
type identity struct {
	host   cqltype.UUID
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
		made := newIdentity()
		return made, n.engine.Put(ctx, storage.Put{Name: name, Value: made.encode()})
	}
	return decodeIdentity(stored)
}

func newIdentity() identity {
	var id identity
	rand.Read(id.host[:]) // never fails
	id.host[6] = id.host[6]&0x0F | 0x40
	id.host[8] = id.host[8]&0x3F | 0x80
	for len(id.tokens) < tokenCount {
		var b [8]byte
		rand.Read(b[:])
		if t := ring.Token(binary.BigEndian.Uint64(b[:])); t != ring.MinToken && !slices.Contains(id.tokens, t) {
			id.tokens = append(id.tokens, t)
		}
	}
	slices.Sort(id.tokens)
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
