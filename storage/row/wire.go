package row

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Nodes send each other mutations as
//
//	incarnation uvarint | partition: length uvarint, bytes | number of changes uvarint | changes
//
// and a change as
//
//	kind u8 | clustering key: length uvarint, bytes | sealed value: length uvarint, bytes
//
// The seals are those that storage keeps: nobody on the way computes them again.

// BeginAt starts a mutation of the partition that a row key lies in.
func (m *Mutation) BeginAt(incarnation uint32, rowKey []byte) error {
	end, err := PartitionEnd(rowKey)
	if err != nil {
		return err
	}
	return m.beginPartition(incarnation, rowKey[:end])
}

func (m *Mutation) beginPartition(incarnation uint32, partition []byte) error {
	token, key, err := SplitPartition(partition, m.key[:0])
	if err != nil {
		return err
	}
	m.key = key
	if m.Begin(incarnation, token, key); !bytes.Equal(m.Partition(), partition) {
		return &ErrFormat{"a partition key with a bad escape"}
	}
	return nil
}

// AddEntry adds a change of the row or header with the given row key, and reports whether it lies in m's
// partition; if not, nothing was added. f must be normalized; it is encoded at once and may be reused.
func (m *Mutation) AddEntry(rowKey []byte, f *Fragment) bool {
	partition := m.Partition()
	if len(rowKey) <= len(partition) || !bytes.HasPrefix(rowKey, partition) {
		return false
	}
	if Kind(rowKey[len(partition)]) == KindHeader {
		m.AddHeader(f)
	} else {
		m.AddRow(f, rowKey[len(partition)+1:])
	}
	return true
}

// Append appends the wire form of m.
func (m *Mutation) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(m.Incarnation))
	dst = appendBytes(dst, m.Partition())
	dst = binary.AppendUvarint(dst, uint64(len(m.entries)))
	for i := range m.entries {
		key, value := m.Entry(i)
		dst = append(dst, key[m.prefix])
		dst = appendBytes(dst, key[m.prefix+1:])
		dst = appendBytes(dst, value)
	}
	return dst
}

// Decode overwrites m with what Append made, taken from the front of b, and copies it. It checks the keys and every
// seal: any bytes are safe. m may not be used after an error except to Decode or Begin again.
func (m *Mutation) Decode(b []byte) (rest []byte, err error) {
	d := decoder{rest: b}
	incarnation, partition, count := d.uvarint(), d.bytes(d.uvarint()), d.uvarint()
	if d.err != nil {
		return nil, d.err
	}
	if incarnation > math.MaxUint32 {
		return nil, &ErrFormat{"an incarnation that is too large"}
	}
	if err := m.beginPartition(uint32(incarnation), partition); err != nil {
		return nil, err
	}
	for ; count > 0; count-- {
		kind, clustering, sealed := Kind(d.byte()), d.bytes(d.uvarint()), d.bytes(d.uvarint())
		if d.err != nil {
			return nil, d.err
		}
		if err := m.addSealed(kind, clustering, sealed); err != nil {
			return nil, err
		}
	}
	return d.rest, nil
}

// addSealed adds a change that was sealed elsewhere, under the same key.
func (m *Mutation) addSealed(kind Kind, clustering, sealed []byte) error {
	switch {
	case kind > KindRow:
		return &ErrFormat{"a change of an unknown kind"}
	case kind == KindHeader && len(clustering) > 0:
		return &ErrFormat{"a header with a clustering key"}
	}
	start := len(m.buf)
	m.buf = append(m.buf, m.buf[:m.prefix]...)
	m.buf = append(append(m.buf, byte(kind)), clustering...)
	value := len(m.buf)
	if _, ok := Open(m.buf[start:value], sealed); !ok {
		return &ErrFormat{"a change whose checksum is wrong"}
	}
	m.buf = append(m.buf, sealed...)
	m.entries = append(m.entries, entry{start, value, len(m.buf)})
	m.hasHeader = m.hasHeader || kind == KindHeader
	return nil
}
