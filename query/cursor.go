package query

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/coordinator"
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
func (r *reader) openPartition(ctx context.Context, read *storage.Read) (cursor, error) {
	if r.plan.Table.IsSystem() {
		r.parameters.Trace.Add("Making the rows of a table that is not stored")
		return r.executor.system.Read(r.executor.log.Schema(), r.plan.Table, read)
	}
	return r.executor.coordinator.Read(ctx, r.reading(), read)
}

// openScan returns a cursor over many partitions.
func (r *reader) openScan(ctx context.Context, scan *storage.Scan) (cursor, error) {
	if r.plan.Table.IsSystem() {
		r.parameters.Trace.Add("Making the rows of a table that is not stored")
		return r.executor.system.Scan(r.executor.log.Schema(), r.plan.Table, scan)
	}
	return r.executor.coordinator.Scan(ctx, r.reading(), scan)
}

// reading returns what the coordinator is to know.
func (r *reader) reading() *coordinator.Reading {
	return &coordinator.Reading{
		Trace:    r.parameters.Trace,
		Keyspace: r.plan.Keyspace,
		Table:    r.plan.Table,
		Level:    r.parameters.Consistency,
		Deadline: time.Now().Add(r.timeout),
		Rows:     r.wanted(),
	}
}

// wanted returns how many rows are needed at most if none is filtered out, 0 if there is no bound.
func (r *reader) wanted() int {
	if r.filter != nil || r.aggregation != nil || r.group != nil || len(r.plan.Sort) > 0 {
		return 0
	}
	rows := r.limitLeft
	if r.pageLeft >= 0 && (rows < 0 || r.pageLeft < rows) {
		rows = r.pageLeft + 1 // whether there is more behind the page
	}
	if r.perPartition > 0 && !r.plan.IsScan() && (rows < 0 || r.partitionLeft < rows) {
		rows = r.partitionLeft
	}
	return max(rows, 0)
}

// prefixOf returns what the row keys of a partition begin with.
func (r *reader) prefixOf(key []byte) []byte {
	if r.plan.Table.IsSystem() {
		return system.AppendPartition(nil, r.plan.Table, key)
	}
	return row.AppendPartition(nil, int64(ring.TokenOf(key)), key)
}
