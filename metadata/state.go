package metadata

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
)

// A state is all that the log's entries make. It is immutable.
type state struct {
	schema   *schema.Schema
	topology *ring.Topology
	cluster  cqltype.UUID  // made up by the first node; zero: no cluster yet
	applied  uint64        // index of the newest entry in it
	removed  []ring.HostID // nodes that were in the ring, in the order they went
}

func emptyState() *state { return &state{schema: schema.Empty(), topology: &ring.Topology{}} }

// isMember reports whether the state is that of a cluster.
func (s *state) isMember() bool { return s.cluster != cqltype.UUID{} }

// datacenters returns the names of those that have nodes which have joined, in order.
func (s *state) datacenters() []string {
	var names []string
	for _, e := range s.topology.Endpoints() {
		if e.State != ring.Joining {
			names = append(names, e.Datacenter)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Names of the values that a state is stored in.
const (
	recordPrefix   = "schema/" // of schema records
	clusterPrefix  = "cluster/"
	clusterRecord  = "cluster/state"
	topologyRecord = "cluster/topology"
	// partialRecord is there while a state is being stored in several steps, because it is too large for one. What is
	// stored otherwise is a mixture then.
	partialRecord = "cluster/partial"
)

const stateFormat = 1

// diff returns the puts that turn what is stored of before into what is stored of s.
func (s *state) diff(before *state) []storage.Put {
	var puts []storage.Put
	if s.schema != before.schema {
		for _, r := range s.schema.Diff(before.schema) {
			puts = append(puts, storage.Put{Name: recordPrefix + r.Name, Value: r.Value})
		}
	}
	if s.topology != before.topology {
		puts = append(puts, storage.Put{Name: topologyRecord, Value: s.appendRing([]byte{stateFormat})})
	}
	if s.cluster != before.cluster || s.applied != before.applied {
		puts = append(puts, storage.Put{Name: clusterRecord, Value: s.appendCluster([]byte{stateFormat})})
	}
	return puts
}

func (s *state) appendCluster(dst []byte) []byte {
	return binary.AppendUvarint(append(dst, s.cluster[:]...), s.applied)
}

func (s *state) readCluster(r *codec.Reader) {
	copy(s.cluster[:], r.Take(len(s.cluster)))
	s.applied = r.Uvarint()
}

// loadState reads what is stored. If that is a mixture, it returns an empty state and the names of all there is.
func loadState(store Store) (s *state, mixture []string, err error) {
	s = emptyState()
	var records []schema.Record
	var names []string
	err = store.Values(recordPrefix, func(name string, value []byte) error {
		names = append(names, name)
		records = append(records, schema.Record{Name: strings.TrimPrefix(name, recordPrefix), Value: value})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the stored schema: %w", err)
	}
	partial := false
	err = store.Values(clusterPrefix, func(name string, value []byte) error {
		names = append(names, name)
		if name == partialRecord {
			partial = true
			return nil
		}
		return s.loadRecord(name, value)
	})
	if err != nil {
		return nil, nil, err
	}
	if partial {
		return emptyState(), names, nil
	}
	s.schema, err = schema.Load(records)
	return s, nil, err
}

// loadRecord takes in a value that is not part of the schema.
func (s *state) loadRecord(name string, value []byte) error {
	r := codec.NewReader(value)
	if format := r.Byte(); format != stateFormat {
		return fmt.Errorf("the stored record %s has format %d; this version reads %d", name, format, stateFormat)
	}
	var err error
	switch name {
	case clusterRecord:
		s.readCluster(r)
	case topologyRecord:
		err = s.readRing(r)
	default:
		return fmt.Errorf("the stored record %s is unknown", name)
	}
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return fmt.Errorf("the stored record %s cannot be read: %w", name, err)
	}
	return nil
}

// appendSnapshot appends all of a state.
func (s *state) appendSnapshot(dst []byte) []byte {
	dst = s.appendCluster(append(dst, stateFormat))
	dst = s.appendRing(dst)
	return appendRecords(dst, s.schema)
}

// snapshotIndex returns the index of the newest entry in a snapshot.
func snapshotIndex(b []byte) (uint64, error) {
	var s state
	r := codec.NewReader(b)
	if format := r.Byte(); format != stateFormat {
		return 0, fmt.Errorf("a snapshot of the metadata has format %d; this version reads %d", format, stateFormat)
	}
	s.readCluster(r)
	if r.Failed() {
		return 0, fmt.Errorf("a snapshot of the metadata cannot be read")
	}
	return s.applied, nil
}

// readSnapshot reads what appendSnapshot wrote.
func readSnapshot(b []byte) (*state, error) {
	if _, err := snapshotIndex(b); err != nil {
		return nil, err
	}
	s := &state{}
	r := codec.NewReader(b[1:])
	s.readCluster(r)
	err := s.readRing(r)
	if err == nil {
		s.schema, err = readRecords(r)
	}
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, fmt.Errorf("a snapshot of the metadata cannot be read: %w", err)
	}
	return s, nil
}

func appendRecords(dst []byte, s *schema.Schema) []byte {
	records := s.Diff(schema.Empty())
	dst = binary.AppendUvarint(dst, uint64(len(records)))
	for _, r := range records {
		dst = codec.AppendBytes(codec.AppendBytes(dst, r.Name), r.Value)
	}
	return dst
}

func readRecords(r *codec.Reader) (*schema.Schema, error) {
	records := make([]schema.Record, r.Count(2))
	for i := range records {
		records[i] = schema.Record{Name: r.String(), Value: r.Bytes()}
	}
	if r.Failed() {
		return nil, r.End()
	}
	return schema.Load(records)
}

// appendRing appends the topology and the nodes that are not in it anymore.
func (s *state) appendRing(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, s.topology.Epoch())
	dst = binary.AppendUvarint(dst, uint64(len(s.topology.Endpoints())))
	for _, e := range s.topology.Endpoints() {
		dst = appendEndpoint(dst, e)
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.removed)))
	for _, id := range s.removed {
		dst = append(dst, id[:]...)
	}
	return dst
}

func (s *state) readRing(r *codec.Reader) error {
	epoch := r.Uvarint()
	endpoints := make([]ring.Endpoint, r.Count(leastEndpoint))
	for i := range endpoints {
		endpoints[i] = readEndpoint(r)
	}
	s.removed = nil
	for range r.Count(len(ring.HostID{})) {
		var id ring.HostID
		copy(id[:], r.Take(len(id)))
		s.removed = append(s.removed, id)
	}
	if r.Failed() {
		return r.End()
	}
	t, err := ring.New(endpoints...)
	if err == nil {
		s.topology = t.AtEpoch(epoch)
	}
	return err
}

// leastEndpoint is how many bytes an endpoint takes at least.
const leastEndpoint = 16 + 16 + 6

func appendEndpoint(dst []byte, e *ring.Endpoint) []byte {
	dst = append(append(dst, e.ID[:]...), e.Replaces[:]...)
	address, err := e.Address.MarshalBinary()
	if err != nil {
		panic(err) // it has no other errors than none
	}
	dst = codec.AppendBytes(dst, address)
	dst = codec.AppendBytes(codec.AppendBytes(dst, e.Datacenter), e.Rack)
	dst = binary.AppendUvarint(append(dst, byte(e.State)), e.Since)
	dst = binary.AppendUvarint(dst, uint64(len(e.Tokens)))
	for _, t := range e.Tokens {
		dst = binary.BigEndian.AppendUint64(dst, uint64(t))
	}
	return dst
}

func readEndpoint(r *codec.Reader) (e ring.Endpoint) {
	copy(e.ID[:], r.Take(len(e.ID)))
	copy(e.Replaces[:], r.Take(len(e.Replaces)))
	e.Address = readAddress(r)
	e.Datacenter, e.Rack, e.State = r.String(), r.String(), ring.State(r.Byte())
	if e.State > ring.Leaving {
		r.Fail()
	}
	e.Since = r.Uvarint()
	if n := r.Count(8); n > 0 {
		e.Tokens = make([]ring.Token, n)
	}
	for i := range e.Tokens {
		if b := r.Take(8); b != nil {
			e.Tokens[i] = ring.Token(binary.BigEndian.Uint64(b))
		}
	}
	return e
}

func readAddress(r *codec.Reader) (a netip.AddrPort) {
	if err := a.UnmarshalBinary(r.Bytes()); err != nil {
		r.Fail()
	}
	return a
}
