// Package ring places data on nodes.
//
// A partition belongs to a Token, a hash of its partition key. The hash is that of Cassandra's
// Murmur3Partitioner, bit for bit: drivers compute it themselves to find the owner of a row. The
// tokens form a ring (Dynamo, SOSP 2007, section 4.2; Cassandra, LADIS 2009, section 5.1). A node
// has several tokens, its virtual nodes, and owns the Range that ends at each of them.
//
// A Topology is one state of the ring: which nodes there are, where they stand, and their tokens. It
// never changes; With and Without make another one. Who loads a topology once sees one world, without
// a lock. Whether a node is alive is not part of it: that is an opinion of package gossip.
//
// A Replication is what a keyspace asks for: SimpleStrategy, NetworkTopologyStrategy or
// LocalStrategy. A Placement is the answer of a topology to it: a table with the replicas of every
// range, made once, so that finding the replicas of a token is one binary search:
//
//	t, err := ring.New(endpoints...)
//	p := ring.NewPlacement(t, replication, self)
//	for _, e := range p.Replicas(ring.TokenOf(key)) {
//		...
//	}
//
// A node that joins owns nothing yet, and one that leaves still owns its ranges. A node that replaces a
// dead one joins, with the dead one's tokens or others, and Complete takes in the one and drops the other.
// Settled is the topology behind the change, and Pending the replicas that a token gets by it: writes
// go there too. Gains and Losses are the ranges that move, and between whom.
//
// AllocateTokens chooses the tokens of a new node so that all nodes hold about the same.
package ring

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// A Token is a position on the ring. MinToken belongs to no partition: ranges are written as
// (start, end], and MinToken is where the first one starts.
type Token int64

// The ends of the ring.
const (
	MinToken Token = math.MinInt64
	MaxToken Token = math.MaxInt64
)

// String prints the token in decimal, as token() does in CQL.
func (t Token) String() string { return strconv.FormatInt(int64(t), 10) }

// TokenOf returns the token of a serialized partition key, as Murmur3Partitioner does: the first
// half of MurmurHash3 x64 128 with seed 0, in Cassandra's variant, which takes the bytes of the
// last, incomplete block as signed.
func TokenOf(key []byte) Token {
	if len(key) == 0 {
		return MinToken
	}
	if t := Token(murmur3(key)); t != MinToken {
		return t
	}
	return MaxToken
}

const (
	c1 = 0x87c37b91114253d5
	c2 = 0x4cf5ad432745937f
)

func murmur3(key []byte) uint64 {
	var h1, h2 uint64
	length := uint64(len(key))
	for len(key) >= 16 {
		k1, k2 := binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:])
		h1 ^= mixFirst(k1)
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= mixSecond(k2)
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
		key = key[16:]
	}
	var k1, k2 uint64
	for i, b := range key {
		signed := uint64(int64(int8(b)))
		if i < 8 {
			k1 ^= signed << (8 * i)
		} else {
			k2 ^= signed << (8 * (i - 8))
		}
	}
	h1 ^= mixFirst(k1)
	h2 ^= mixSecond(k2)
	h1 ^= length
	h2 ^= length
	h1 += h2
	h2 += h1
	return avalanche(h1) + avalanche(h2)
}

func mixFirst(k uint64) uint64  { return bits.RotateLeft64(k*c1, 31) * c2 }
func mixSecond(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }

func avalanche(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
