package query

import (
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A cursor yields the rows of a SELECT, before they are filtered. *storage.Cursor yields those of users' tables, and its
// comments say what each method does; *system.Cursor those of the system's.
type cursor interface {
	Next() bool
	SkipPartition()
	Partition() []byte
	Clustering() []byte
	Row() *row.Fragment
	Static() *row.Fragment
	Stats() storage.ReadStats
	Err() error
	Close()
}

// openPartition returns a cursor over rows of one partition.
func (r *reader) openPartition(read *storage.Read) (cursor, error) {
	if r.plan.Table.IsSystem() {
		r.parameters.Trace.Add("Making the rows of a table that is not stored")
		return r.executor.system.Read(r.executor.log.Schema(), r.plan.Table, read)
	}
	return r.executor.coordinator.Read(r.parameters.Trace, r.plan.Keyspace, r.parameters.Consistency, read)
}

// openScan returns a cursor over many partitions.
func (r *reader) openScan(scan *storage.Scan) (cursor, error) {
	if r.plan.Table.IsSystem() {
		r.parameters.Trace.Add("Making the rows of a table that is not stored")
		return r.executor.system.Scan(r.executor.log.Schema(), r.plan.Table, scan)
	}
	return r.executor.coordinator.Scan(r.parameters.Trace, r.plan.Keyspace, r.parameters.Consistency, scan)
}

// prefixOf returns what the row keys of a partition begin with.
func (r *reader) prefixOf(key []byte) []byte {
	if r.plan.Table.IsSystem() {
		return system.AppendPartition(nil, r.plan.Table, key)
	}
	return row.AppendPartition(nil, int64(ring.TokenOf(key)), key)
}
