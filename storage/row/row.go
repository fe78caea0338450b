// Package row is the data model of one stored row and the rule that merges its versions.
//
// A Fragment is a partial version of one row, as one write left it: the row's liveness, a
// deletion of the whole row, and cells. Writes never read; they add fragments. Whoever reads
// merges all fragments of a row with Merge, which is commutative, associative and idempotent,
// so that every replica ends with the same row in whatever order the writes arrived.
//
// The rule is Cassandra's: the higher write timestamp wins; on equal timestamps a deletion
// beats an expiring value, an expiring value beats a plain one, and last the greater value
// wins. A deletion at timestamp T removes everything written at T or before.
//
// Each partition has, beside its rows, one header: the fragment that holds the deletion of the
// whole partition, deletions of ranges of rows, and the static cells.
//
// The package also defines how rows are laid out as bytes:
//
//   - Key composes storage keys that sort as Cassandra sorts rows (key.go).
//   - AppendBody and DecodeBody turn a Fragment into bytes and back (codec.go).
//   - Seal and Open put a checksum around a body, over its key too (envelope.go).
//   - Mutation collects the encoded changes of one partition (mutation.go).
//
// Everything here is pure data: no clock, no disk, no locks. Values are not safe for
// concurrent use while one goroutine changes them.
package row

import (
	"bytes"
	"math"
	"slices"
)

// NoTimestamp is the write timestamp of something that is not there. Cassandra reserves it too.
const NoTimestamp = math.MinInt64

// Live is the absence of a deletion.
var Live = Deletion{Timestamp: NoTimestamp}

// A Deletion removes everything that was written at Timestamp or before.
type Deletion struct {
	Timestamp int64 // write timestamp, microseconds since the epoch
	LocalTime int64 // when it was made by the coordinator's clock, seconds since the epoch; starts gc_grace_seconds
}

// Exists reports whether there is a deletion at all.
func (d Deletion) Exists() bool { return d.Timestamp != NoTimestamp }

// Deletes reports whether something written at timestamp is removed.
func (d Deletion) Deletes(timestamp int64) bool { return timestamp <= d.Timestamp }

// Supersedes reports whether d is stronger than other, so that other need not be kept.
func (d Deletion) Supersedes(other Deletion) bool {
	if d.Timestamp != other.Timestamp {
		return d.Timestamp > other.Timestamp
	}
	return d.LocalTime > other.LocalTime
}

// Liveness says that a row exists although it may have no cells: what INSERT writes beside them.
type Liveness struct {
	Timestamp int64 // NoTimestamp if the row has no liveness of its own
	TTL       int64 // seconds; 0 means it does not expire
	Expiry    int64 // seconds since the epoch; 0 if TTL is 0
}

// NoLiveness is the liveness of a row that was only ever updated.
var NoLiveness = Liveness{Timestamp: NoTimestamp}

// Exists reports whether there is a liveness, expired or not.
func (l Liveness) Exists() bool { return l.Timestamp != NoTimestamp }

// IsLive reports whether the liveness holds at now, in seconds since the epoch.
func (l Liveness) IsLive(now int64) bool {
	return l.Timestamp != NoTimestamp && (l.TTL == 0 || now < l.Expiry)
}

func (l Liveness) supersedes(other Liveness) bool {
	switch {
	case l.Timestamp != other.Timestamp:
		return l.Timestamp > other.Timestamp
	case (l.TTL > 0) != (other.TTL > 0):
		return l.TTL > 0
	case l.Expiry != other.Expiry:
		return l.Expiry > other.Expiry
	default:
		return l.TTL < other.TTL
	}
}

// CellKind says what a Cell holds.
type CellKind uint8

// The kinds of cell. Their order is the order of strength at equal timestamps, except for
// CollectionDeletion, which is not a value but removes the other cells of its column.
const (
	LiveCell           CellKind = iota // a value
	ExpiringCell                       // a value with a TTL
	Tombstone                          // a deleted value
	CollectionDeletion                 // deletes every older element of a collection; sorts before them
)

// A Cell is one value of one column, or one element of a collection.
type Cell struct {
	Column    uint32   // the column's id, see schema.Column
	Kind      CellKind //
	Path      []byte   // key encoding of the element's position in its collection; nil for a whole column
	Value     []byte   // serialized value; empty for tombstones and set elements
	Timestamp int64    // write timestamp, microseconds since the epoch
	TTL       int64    // seconds, only for ExpiringCell
	LocalTime int64    // seconds since the epoch: when an ExpiringCell expires or a deletion was made
}

// IsLive reports whether the cell has a value at now, in seconds since the epoch.
func (c *Cell) IsLive(now int64) bool {
	return c.Kind == LiveCell || c.Kind == ExpiringCell && now < c.LocalTime
}

// Deletion returns the deletion that a CollectionDeletion cell stands for.
func (c *Cell) Deletion() Deletion {
	return Deletion{Timestamp: c.Timestamp, LocalTime: c.LocalTime}
}

// A RangeTombstone deletes the rows of one partition whose clustering key, in key encoding,
// lies in [Start, End). A nil End means to the end of the partition.
type RangeTombstone struct {
	Start, End []byte
	Deletion   Deletion
}

// A Fragment is a partial version of one row or of one partition header. The zero Fragment is
// not empty; use Reset or NewFragment.
type Fragment struct {
	Liveness Liveness         // rows only
	Deletion Deletion         // of the row; in a header, of the whole partition
	Ranges   []RangeTombstone // headers only
	Cells    []Cell           // ordered by column, then path; in a header, the static cells
}

// NewFragment returns an empty fragment.
func NewFragment() *Fragment {
	return &Fragment{Liveness: NoLiveness, Deletion: Live}
}

// Clone returns a copy of f that shares no memory with it.
func (f *Fragment) Clone() *Fragment {
	out := &Fragment{Liveness: f.Liveness, Deletion: f.Deletion, Cells: slices.Clone(f.Cells)}
	for _, r := range f.Ranges {
		r.Start, r.End = bytes.Clone(r.Start), bytes.Clone(r.End)
		out.Ranges = append(out.Ranges, r)
	}
	for i := range out.Cells {
		c := &out.Cells[i]
		c.Path, c.Value = bytes.Clone(c.Path), bytes.Clone(c.Value)
	}
	return out
}

// Reset empties f and keeps its memory.
func (f *Fragment) Reset() {
	f.Liveness, f.Deletion = NoLiveness, Live
	f.Ranges, f.Cells = f.Ranges[:0], f.Cells[:0]
}

// IsEmpty reports whether f says nothing.
func (f *Fragment) IsEmpty() bool {
	return !f.Liveness.Exists() && !f.Deletion.Exists() && len(f.Ranges) == 0 && len(f.Cells) == 0
}

// Size returns roughly the bytes that f takes when it is encoded, rather too few.
func (f *Fragment) Size() int64 {
	size := int64(0)
	for i := range f.Cells {
		size += int64(len(f.Cells[i].Path) + len(f.Cells[i].Value) + 2)
	}
	for i := range f.Ranges {
		size += int64(len(f.Ranges[i].Start) + len(f.Ranges[i].End) + 3)
	}
	return size
}

// IsLive reports whether the row exists at now: it has a liveness or at least one live cell.
// f must be merged.
func (f *Fragment) IsLive(now int64) bool {
	if f.Liveness.IsLive(now) {
		return true
	}
	for i := range f.Cells {
		if f.Cells[i].IsLive(now) {
			return true
		}
	}
	return false
}

// Column returns the cells of one column: none, one, or for a collection its deletion, if any,
// followed by its elements.
func (f *Fragment) Column(id uint32) []Cell {
	cells := f.Cells
	lo := 0
	for lo < len(cells) && cells[lo].Column < id {
		lo++
	}
	hi := lo
	for hi < len(cells) && cells[hi].Column == id {
		hi++
	}
	return cells[lo:hi]
}
