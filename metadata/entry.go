package metadata

import (
	"encoding/binary"
	"fmt"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A proposalID names a proposal, so that whoever made it finds its result. It is random.
type proposalID [16]byte

// An entry is what the replicated log holds: one of the three.
type entry struct {
	id       proposalID
	change   *Change
	topology TopologyChange
	first    *firstNode
}

// firstNode is what a cluster begins with: the state of its first node.
type firstNode struct {
	cluster  cqltype.UUID
	schema   *schema.Schema
	endpoint ring.Endpoint
}

// entryFormat is the version of all kinds of entries. A node that does not know it must not go on: it could not
// come to the same state as the others.
const entryFormat = 1

// The kinds of entries.
const (
	entryChange byte = iota + 1
	entryFirst
	entryJoin
	entryJoined
	entryLeave
	entryLeft
	entryAbort
	entryUpdate
)

// encode returns the entry in bytes: its format, its kind, its id and its fields.
func (e *entry) encode() []byte {
	begin := func(kind byte) []byte { return append([]byte{entryFormat, kind}, e.id[:]...) }
	switch {
	case e.change != nil:
		return appendChange(begin(entryChange), e.change)
	case e.first != nil:
		b := append(begin(entryFirst), e.first.cluster[:]...)
		return appendRecords(appendEndpoint(b, &e.first.endpoint), e.first.schema)
	}
	switch c := e.topology.(type) {
	case Join:
		b := appendEndpoint(begin(entryJoin), &c.Endpoint)
		b = binary.AppendUvarint(b, uint64(max(c.Tokens, 0)))
		return append(binary.AppendUvarint(b, uint64(max(c.Replicas, 0))), c.Replaces[:]...)
	case Joined:
		return append(begin(entryJoined), c.ID[:]...)
	case Leave:
		return append(begin(entryLeave), c.ID[:]...)
	case Left:
		return append(begin(entryLeft), c.ID[:]...)
	case Abort:
		return append(begin(entryAbort), c.ID[:]...)
	case Update:
		address, err := c.Address.MarshalBinary()
		if err != nil {
			panic(err) // it has no other errors than none
		}
		return codec.AppendBytes(append(begin(entryUpdate), c.ID[:]...), address)
	}
	panic(fmt.Sprintf("%T cannot be an entry", e.topology))
}

func appendChange(dst []byte, c *Change) []byte {
	dst = codec.AppendBytes(codec.AppendBytes(dst, c.Keyspace), c.Statement.String())
	dst = binary.AppendVarint(append(dst, c.TableID[:]...), c.Timestamp)
	return binary.AppendUvarint(dst, uint64(max(c.DefaultReplicationFactor, 0)))
}

// decodeEntry reads what encode wrote.
func decodeEntry(b []byte) (*entry, error) {
	r := codec.NewReader(b)
	if format := r.Byte(); format != entryFormat {
		return nil, fmt.Errorf("an entry of the metadata log has format %d; this version reads %d", format, entryFormat)
	}
	e := &entry{}
	kind := r.Byte()
	copy(e.id[:], r.Take(len(e.id)))
	var err error
	switch kind {
	case entryChange:
		e.change, err = readChange(r)
	case entryFirst:
		e.first = &firstNode{}
		copy(e.first.cluster[:], r.Take(len(e.first.cluster)))
		e.first.endpoint = readEndpoint(r)
		e.first.schema, err = readRecords(r)
	default:
		e.topology, err = readTopologyChange(kind, r)
	}
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, fmt.Errorf("an entry of the metadata log cannot be read: %w", err)
	}
	return e, nil
}

func readChange(r *codec.Reader) (*Change, error) {
	c := &Change{Keyspace: r.String()}
	text := r.String()
	copy(c.TableID[:], r.Take(len(c.TableID)))
	c.Timestamp = r.Varint()
	c.DefaultReplicationFactor = int(r.Uvarint() & 0x7FFF_FFFF)
	if err := r.End(); err != nil {
		return nil, err
	}
	parsed, err := grammar.Parse(text)
	if err != nil {
		return nil, err
	}
	c.Statement = parsed.Statement
	return c, nil
}

func readTopologyChange(kind byte, r *codec.Reader) (TopologyChange, error) {
	id := func() (id ring.HostID) {
		copy(id[:], r.Take(len(id)))
		return id
	}
	switch kind {
	case entryJoin:
		c := Join{Endpoint: readEndpoint(r), Tokens: int(r.Uvarint() & 0x7FFF_FFFF), Replicas: int(r.Uvarint() & 0x7FFF_FFFF)}
		c.Replaces = id()
		return c, nil
	case entryJoined:
		return Joined{id()}, nil
	case entryLeave:
		return Leave{id()}, nil
	case entryLeft:
		return Left{id()}, nil
	case entryAbort:
		return Abort{id()}, nil
	case entryUpdate:
		return Update{ID: id(), Address: readAddress(r)}, nil
	}
	return nil, fmt.Errorf("its kind %d is unknown", kind)
}

// apply returns the state that an entry makes of s, and what drivers are to be told. It is a function of its arguments
// alone. If there is nothing to do, the parts of the state are the same as before. The index is not set.
func (s *state) apply(e *entry) (*state, *Event, error) {
	next := *s
	if e.first != nil {
		if s.isMember() {
			return nil, nil, &MemberError{"it cannot begin another one"}
		}
		t, err := ring.New(e.first.endpoint)
		if err != nil {
			return nil, nil, err
		}
		next.cluster, next.topology = e.first.cluster, t.Follow(s.topology)
		if len(e.first.schema.Diff(s.schema)) > 0 {
			next.schema = e.first.schema
		}
		return &next, nil, nil
	}
	if !s.isMember() {
		return nil, nil, &NotMemberError{}
	}
	var event *Event
	var err error
	if e.topology != nil {
		if err = s.refuseRemoved(e.topology); err == nil {
			next.topology, err = e.topology.change(s.topology)
		}
		if err == nil && next.topology != s.topology {
			next.topology = next.topology.Follow(s.topology)
			next.removed = s.removedBy(next.topology)
		}
	} else {
		c := *e.change
		c.Datacenters = s.datacenters()
		next.schema, event, err = Apply(s.schema, c)
	}
	if err != nil {
		return nil, nil, err
	}
	return &next, event, nil
}
