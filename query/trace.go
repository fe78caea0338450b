package query

import (
	"github.com/iliumdb/ilium/storage"
)

// What follows tells the client of a traced SELECT what happens, in Cassandra's words where it is the same.

func (r *reader) traceScan(resume *position) {
	t := r.parameters.Trace
	switch {
	case !t.On():
	case resume != nil:
		t.Add("Executing scan of %s from where the page before has ended", r.plan.Table)
	default:
		t.Add("Executing scan of %s in token order", r.plan.Table)
	}
}

func (r *reader) tracePartition(read *storage.Read) {
	t := r.parameters.Trace
	switch {
	case !t.On():
	case read.Point:
		t.Add("Executing single-partition query on %s: one row by its key", r.plan.Table)
	case len(read.Slices) == 0:
		t.Add("Executing single-partition query on %s: the whole partition", r.plan.Table)
	default:
		t.Add("Executing single-partition query on %s: slices: %d", r.plan.Table, len(read.Slices))
	}
}

// traceCursor says what a cursor has passed.
func (r *reader) traceCursor(stats storage.ReadStats) {
	t := r.parameters.Trace
	if !t.On() {
		return
	}
	t.Add("Read %d live rows and %d tombstone cells", stats.Rows, stats.Tombstones)
	if stats.Commit > 0 { // it is of this node's own data, not of a table of the system or what replicas have sent
		t.Add("Merged %d fragments that are not folded and %d pages, as of commit %d", stats.Fragments, stats.Pages, stats.Commit)
	}
}

func (r *reader) traceResult() {
	t := r.parameters.Trace
	switch {
	case !t.On():
	case r.rows.PagingState != nil:
		t.Add("Returning a page of %d rows, %d bytes; more follow", r.rows.Count, len(r.rows.Data))
	default:
		t.Add("Returning %d rows, %d bytes; no more follow", r.rows.Count, len(r.rows.Data))
	}
}
