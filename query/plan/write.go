package plan

import (
	"time"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A Writer is where a modification puts its changes.
type Writer interface {
	// Mutation returns the mutation of a partition, to add changes to.
	Mutation(k *schema.Keyspace, t *schema.Table, partitionKey []byte) (*row.Mutation, error)
	// Stored returns the cells of a row, or the static cells of its partition, as they are stored
	// now; nil if there are none. Only operations on lists by index or value ask for it.
	Stored(t *schema.Table, partitionKey, clustering []byte, static bool) (*row.Fragment, error)
}

// A Source gives what a modification needs beside its values.
type Source struct {
	Timestamp     int64                // default write timestamp, microseconds since the epoch
	Now           int64                // seconds since the epoch
	Ticks         func(n int) int64    // the first of n consecutive numbers that are given out once, units of 100 ns
	ClockSequence uint16               // with Node, makes list positions of different nodes different
	Node          [6]byte              //
	Transaction   bool                 // Timestamp is that of a Transaction
	scratch       *modificationScratch // reused from one modification to the next
}

// modificationScratch is memory that Build works in.
type modificationScratch struct {
	row, header row.Fragment
	values      [][]byte
	partition   []byte
	clustering  []byte
}

// referenceTick is where the positions of prepended list elements count backwards from:
// 2010-01-01T00:00:00Z in units of 100 ns since the epoch.
const referenceTick = 1262304000 * 10_000_000

func timeOf(tick int64) time.Time { return time.Unix(tick/10_000_000, tick%10_000_000*100) }

// MaxTTL is the longest time to live, in seconds: 20 years.
const MaxTTL = 20 * 365 * 24 * 60 * 60

// rowWriter is the state of one modification being carried out.
type rowWriter struct {
	writer       Writer
	source       *Source
	table        *schema.Table
	partitionKey []byte
	clustering   []byte // of the row at hand, in key encoding
	timestamp    int64
	now          int64
	ttl          int64
}

// Build carries out the modification with the values of b, adding its changes to w.
func (m *Modify) Build(b *Binding, s *Source, w Writer) error {
	rw, err := m.begin(b, s, w)
	if err != nil {
		return err
	}
	if m.where == nil {
		return m.buildInsert(b, rw)
	}
	keys, err := m.where.Partitions(b)
	if err != nil {
		return err
	}
	for _, key := range keys {
		rw.partitionKey = key
		if err := m.buildPartition(b, rw); err != nil {
			return err
		}
	}
	return nil
}

// begin prepares to carry out the modification.
func (m *Modify) begin(b *Binding, s *Source, w Writer) (*rowWriter, error) {
	if s.scratch == nil {
		s.scratch = &modificationScratch{}
	}
	b.Source, b.document = s, decodedDocument{}
	rw := &rowWriter{writer: w, source: s, table: m.Table, timestamp: s.Timestamp, now: s.Now}
	return rw, m.evalUsing(b, rw)
}

// evalUsing evaluates TIMESTAMP and TTL.
func (m *Modify) evalUsing(b *Binding, w *rowWriter) error {
	if m.timestamp != nil {
		timestamp, set, err := evalTimestamp(m.timestamp, b)
		if err != nil {
			return err
		}
		if set {
			w.timestamp = timestamp
		}
	}
	w.ttl = m.Table.Options.DefaultTimeToLive
	if m.ttl == nil {
		return nil
	}
	v, err := m.ttl.Eval(b)
	if err != nil || v.Unset {
		return err
	}
	if len(v.Bytes) == 0 {
		w.ttl = 0
		return nil
	}
	w.ttl = signed(v.Bytes)
	if w.ttl < 0 {
		return schema.Invalid("A TTL must be greater or equal to 0, but was %d", w.ttl)
	}
	if w.ttl > MaxTTL {
		return schema.Invalid("ttl is too large. requested (%d) maximum (%d)", w.ttl, MaxTTL)
	}
	return nil
}

func evalTimestamp(t Term, b *Binding) (timestamp int64, set bool, err error) {
	v, err := t.Eval(b)
	if err != nil || v.Unset {
		return 0, false, err
	}
	if len(v.Bytes) != 8 {
		return 0, false, schema.Invalid("Invalid null value of timestamp")
	}
	timestamp = decodeBigint(v.Bytes)
	if timestamp == row.NoTimestamp {
		return 0, false, schema.Invalid("Out of bound timestamp, must be in [%d, %d]", int64(row.NoTimestamp+1), int64(1<<63-1))
	}
	return timestamp, true, nil
}

func (m *Modify) buildInsert(b *Binding, w *rowWriter) error {
	if err := m.insertKey(b, w); err != nil {
		return err
	}
	return m.buildRow(b, w, w.clustering, m.clustering != nil)
}

// insertKey evaluates the key of an INSERT, in memory that is valid until the next one.
func (m *Modify) insertKey(b *Binding, w *rowWriter) error {
	scratch := w.source.scratch
	scratch.values = scratch.values[:0]
	for i, t := range m.partition {
		v, err := t.Eval(b)
		if err != nil {
			return err
		}
		if err := checkNotNull(v, m.Table.Partition[i]); err != nil {
			return err
		}
		scratch.values = append(scratch.values, v.Bytes)
	}
	key, err := cqltype.AppendPartitionKey(scratch.partition[:0], scratch.values...)
	if err != nil {
		return schema.Invalid("%s", err)
	}
	scratch.partition = key
	w.partitionKey = key
	if m.clustering == nil {
		w.clustering = nil
		return nil
	}
	clustering := scratch.clustering[:0]
	size := 0
	for i, t := range m.clustering {
		v, err := t.Eval(b)
		if err != nil {
			return err
		}
		c := m.Table.Clustering[i]
		if err := checkNotNull(v, c); err != nil {
			return err
		}
		if size += len(v.Bytes); size > cqltype.MaxKeyLength {
			return clusteringTooLong(size)
		}
		clustering = c.Type.AppendKey(clustering, v.Bytes, c.Descending)
	}
	scratch.clustering = clustering
	w.clustering = clustering
	return nil
}

func clusteringTooLong(size int) error {
	return schema.Invalid("Key length of %d is longer than maximum of %d", size, cqltype.MaxKeyLength)
}

// buildPartition carries out an UPDATE or DELETE in one partition.
func (m *Modify) buildPartition(b *Binding, w *rowWriter) error {
	if m.staticOnly() {
		return m.buildRow(b, w, nil, false)
	}
	if m.where.isPoint() {
		rows, err := m.where.Rows(b)
		for _, clustering := range rows {
			if err := m.buildRow(b, w, clustering, true); err != nil {
				return err
			}
		}
		return err
	}
	slices, err := m.where.Slices(b)
	if err != nil {
		return err
	}
	return m.buildRanges(w, slices)
}

// staticOnly reports whether an UPDATE or DELETE names no row, and is about static columns.
func (m *Modify) staticOnly() bool {
	return !m.whole && len(m.where.clustering) == 0 && len(m.Table.Clustering) > 0
}

// buildRanges deletes ranges of rows, or the partition if the clause names no rows.
func (m *Modify) buildRanges(w *rowWriter, slices []storage.Slice) error {
	mutation, err := w.writer.Mutation(m.Keyspace, m.Table, w.partitionKey)
	if err != nil {
		return err
	}
	f := &w.source.scratch.header
	f.Reset()
	deletion := row.Deletion{Timestamp: w.timestamp, LocalTime: w.now}
	if w.source.Transaction {
		deletion.Timestamp-- // so that the rows that other statements of a batch write survive it
	}
	if len(m.where.clustering) == 0 {
		f.Deletion = deletion
		mutation.AddHeader(f)
		return nil
	}
	for _, s := range slices {
		f.Ranges = append(f.Ranges, row.RangeTombstone{Start: s.Start, End: s.End, Deletion: deletion})
	}
	if len(f.Ranges) > 0 {
		mutation.AddHeader(f)
	}
	return nil
}

// buildRow adds the operations on one row, and on the static cells of its partition.
func (m *Modify) buildRow(b *Binding, w *rowWriter, clustering []byte, hasRow bool) error {
	w.clustering = clustering
	mutation, err := w.writer.Mutation(m.Keyspace, m.Table, w.partitionKey)
	if err != nil {
		return err
	}
	f, header := &w.source.scratch.row, &w.source.scratch.header
	f.Reset()
	header.Reset()
	if m.liveness {
		f.Liveness.Timestamp = w.timestamp
		if w.ttl > 0 {
			f.Liveness.TTL, f.Liveness.Expiry = w.ttl, w.now+w.ttl
		}
	}
	if m.whole {
		f.Deletion = row.Deletion{Timestamp: w.timestamp, LocalTime: w.now}
	}
	for _, o := range m.operations {
		into := f
		if o.target().Kind == schema.Static {
			into = header
		}
		if err := o.apply(w, b, into); err != nil {
			return err
		}
	}
	if hasRow && !f.IsEmpty() {
		f.Normalize()
		mutation.AddRow(f, clustering)
	}
	if !header.IsEmpty() {
		header.Normalize()
		mutation.AddHeader(header)
	}
	return nil
}

// BatchTimestamp returns the timestamp of a batch; set is false if it has none of its own.
func (b *Batch) BatchTimestamp(binding *Binding) (timestamp int64, set bool, err error) {
	if b.timestamp == nil {
		return 0, false, nil
	}
	return evalTimestamp(b.timestamp, binding)
}
