package row

import "bytes"

// A Mutation is a set of changes to one partition of one table, encoded as storage keeps them.
// It is built once by the coordinator; the same bytes go to every replica.
//
// The zero Mutation is not usable; call Begin first. A Mutation may be reused for another
// partition by calling Begin again once nobody holds slices of it anymore.
type Mutation struct {
	Incarnation uint32
	Token       int64

	buf       []byte // the keys' common prefix, then keys and sealed values, one after the other
	entries   []entry
	key       []byte // the serialized partition key
	prefix    int    // length of a storage key up to its kind
	hasHeader bool
}

type entry struct{ key, value, end int } // offsets into buf

// Begin starts a mutation of the partition with the given serialized key.
func (m *Mutation) Begin(incarnation uint32, token int64, partitionKey []byte) {
	m.Incarnation, m.Token, m.hasHeader = incarnation, token, false
	m.entries = m.entries[:0]
	m.key = append(m.key[:0], partitionKey...)
	m.buf = AppendTable(m.buf[:0], incarnation, Fragments)
	m.buf = AppendPartition(m.buf, token, partitionKey)
	m.prefix = len(m.buf)
}

// AddRow adds a change of the row with the given clustering key, in key encoding. f must be
// normalized; it is encoded at once and may be reused.
func (m *Mutation) AddRow(f *Fragment, clustering []byte) {
	m.add(KindRow, clustering, f)
}

// AddHeader adds a change of the partition's header: static cells, a deletion of the partition
// or of ranges of its rows. f must be normalized.
func (m *Mutation) AddHeader(f *Fragment) {
	m.hasHeader = true
	m.add(KindHeader, nil, f)
}

func (m *Mutation) add(kind Kind, clustering []byte, f *Fragment) {
	start := len(m.buf)
	m.buf = append(m.buf, m.buf[:m.prefix]...)
	m.buf = append(append(m.buf, byte(kind)), clustering...)
	value := len(m.buf)
	m.buf = AppendBody(BeginSeal(m.buf), f, 0)
	EndSeal(m.buf[start:value], m.buf[value:])
	m.entries = append(m.entries, entry{start, value, len(m.buf)})
}

// IsOf reports whether m changes the partition with the given serialized key.
func (m *Mutation) IsOf(partitionKey []byte) bool { return bytes.Equal(m.key, partitionKey) }

// Key returns the serialized partition key, valid until Begin.
func (m *Mutation) Key() []byte { return m.key }

// Len returns the number of rows and headers that m changes; one changed twice counts twice.
func (m *Mutation) Len() int { return len(m.entries) }

// Entry returns the storage key and sealed value of change i. They are valid until Begin.
func (m *Mutation) Entry(i int) (key, value []byte) {
	e := m.entries[i]
	return m.buf[e.key:e.value:e.value], m.buf[e.value:e.end:e.end]
}

// HasHeader reports whether m changes its partition's header.
func (m *Mutation) HasHeader() bool { return m.hasHeader }

// Size returns the bytes that m occupies, keys included.
func (m *Mutation) Size() int { return len(m.buf) - m.prefix }

// Partition returns the partition's part of the row key: token and escaped partition key.
func (m *Mutation) Partition() []byte { return m.buf[TablePrefixSize:m.prefix:m.prefix] }
