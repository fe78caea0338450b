package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Table describes one table. It is immutable once it is part of a Schema, and safe for
// concurrent use.
type Table struct {
	Keyspace, Name string
	ID             cqltype.UUID
	Incarnation    uint32 // under which storage keeps its data; TRUNCATE gives it a new one; 0 for tables of the system
	Virtual        bool   // made of the node's state, as Cassandra means it; partitions are in order of their keys
	Options        Options

	Partition  []*Column // the partition key, in order
	Clustering []*Column // the clustering key, in order
	Static     []*Column // in order of their names
	Regular    []*Column // in order of their names

	NextColumn uint32          // the next column id to give out
	Dropped    []DroppedColumn // oldest first

	byName map[string]*Column
	byID   map[uint32]*Column
}

// A ColumnKind says what part of a table a column is.
type ColumnKind uint8

// The kinds of columns.
const (
	PartitionKey ColumnKind = iota + 1
	Clustering
	Static
	Regular
)

// String returns the kind as system_schema.columns.kind shows it.
func (k ColumnKind) String() string {
	switch k {
	case PartitionKey:
		return "partition_key"
	case Clustering:
		return "clustering"
	case Static:
		return "static"
	case Regular:
		return "regular"
	default:
		return fmt.Sprintf("ColumnKind(%d)", uint8(k))
	}
}

// A Column is one column of a table.
type Column struct {
	ID         uint32 // identifies the column in stored cells for ever, whatever its name
	Name       string
	Type       *cqltype.Type
	Kind       ColumnKind
	Position   int  // in its key; 0 for columns that are not in the primary key
	Descending bool // for clustering columns: stored from the greatest to the least
}

// IsPrimaryKey reports whether the column is part of the primary key.
func (c *Column) IsPrimaryKey() bool { return c.Kind == PartitionKey || c.Kind == Clustering }

// A DroppedColumn is remembered so that its data can be told from that of a later column of the
// same name, and so that it is not added again with another type.
type DroppedColumn struct {
	Name   string
	Type   string
	Static bool
	At     int64 // write timestamp of the drop, microseconds
}

// LastDropped returns the dropped columns in order of their names; of several with one name, the one that was dropped last.
func (t *Table) LastDropped() []DroppedColumn {
	last := map[string]DroppedColumn{}
	for _, d := range t.Dropped {
		last[d.Name] = d
	}
	return slices.SortedFunc(maps.Values(last), func(a, b DroppedColumn) int { return strings.Compare(a.Name, b.Name) })
}

// Seal makes the lookups of a table that was built or changed by hand, and sorts its static and
// regular columns. It must be called once, before the table is shared.
func (t *Table) Seal() *Table {
	byName := func(a, b *Column) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(t.Static, byName)
	slices.SortFunc(t.Regular, byName)
	t.byName, t.byID = map[string]*Column{}, map[uint32]*Column{}
	for c := range t.Columns() {
		t.byName[c.Name] = c
		t.byID[c.ID] = c
	}
	return t
}

// Clone returns a copy of t that shares no slices with it, to be changed and sealed. Its columns
// are shared.
func (t *Table) Clone() *Table {
	c := *t
	c.Partition, c.Clustering = slices.Clone(t.Partition), slices.Clone(t.Clustering)
	c.Static, c.Regular = slices.Clone(t.Static), slices.Clone(t.Regular)
	c.Dropped = slices.Clone(t.Dropped)
	c.Options = t.Options.Clone()
	return &c
}

// Columns yields all columns: partition key, clustering key, static, regular; as SELECT * does.
func (t *Table) Columns() func(yield func(*Column) bool) {
	return func(yield func(*Column) bool) {
		for _, list := range [][]*Column{t.Partition, t.Clustering, t.Static, t.Regular} {
			for _, c := range list {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// IsSystem reports whether the table belongs to the system: it is read only, and not kept in storage.
func (t *Table) IsSystem() bool { return t.Incarnation == 0 }

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column { return t.byName[name] }

// ColumnByID returns the column that has the id, or nil if it was dropped.
func (t *Table) ColumnByID(id uint32) *Column { return t.byID[id] }

// IsCounter reports whether the table holds counters.
func (t *Table) IsCounter() bool {
	for _, list := range [][]*Column{t.Static, t.Regular} {
		for _, c := range list {
			if c.Type.Kind() == cqltype.KindCounter {
				return true
			}
		}
	}
	return false
}

// String returns keyspace and table as error messages show them.
func (t *Table) String() string {
	return cqltype.QuoteName(t.Keyspace) + "." + cqltype.QuoteName(t.Name)
}

// Options are the options of a table, as Cassandra 5.0 names them. DESCRIBE shows all; what
// Ilium does with each is in the manual.
type Options struct {
	AdditionalWritePolicy   string
	AllowAutoSnapshot       bool
	BloomFilterFPChance     float64
	Caching                 map[string]string
	CDC                     bool
	Comment                 string
	Compaction              map[string]string
	Compression             map[string]string
	CRCCheckChance          float64
	DefaultTimeToLive       int64 // seconds
	Extensions              map[string]string
	GCGraceSeconds          int64
	IncrementalBackups      bool
	MaxIndexInterval        int64
	Memtable                string
	MemtableFlushPeriodInMs int64
	MinIndexInterval        int64
	ReadRepair              string
	SpeculativeRetry        string
}

// DefaultOptions returns the options of a table that is created without any.
func DefaultOptions() Options {
	return Options{
		AdditionalWritePolicy: "99p",
		AllowAutoSnapshot:     true,
		BloomFilterFPChance:   0.01,
		Caching:               map[string]string{"keys": "ALL", "rows_per_partition": "NONE"},
		Compaction: map[string]string{"class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
			"max_threshold": "32", "min_threshold": "4"},
		Compression:        map[string]string{"chunk_length_in_kb": "16", "class": "org.apache.cassandra.io.compress.LZ4Compressor"},
		CRCCheckChance:     1,
		Extensions:         map[string]string{},
		GCGraceSeconds:     864000,
		IncrementalBackups: true,
		MaxIndexInterval:   2048,
		Memtable:           "default",
		MinIndexInterval:   128,
		ReadRepair:         "BLOCKING",
		SpeculativeRetry:   "99p",
	}
}

// Clone returns a copy that shares no maps with o.
func (o Options) Clone() Options {
	o.Caching, o.Compaction = maps.Clone(o.Caching), maps.Clone(o.Compaction)
	o.Compression, o.Extensions = maps.Clone(o.Compression), maps.Clone(o.Extensions)
	return o
}

// Compresses reports whether the table's data is to be compressed.
func (o Options) Compresses() bool {
	return o.Compression["enabled"] != "false" && o.Compression["class"] != ""
}
