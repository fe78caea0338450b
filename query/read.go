package query

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A reader carries out one SELECT.
type reader struct {
	executor   *Executor
	plan       *plan.Select
	parameters *Parameters
	binding    plan.Binding
	filter     *plan.Filter
	slices     []storage.Slice
	now        int64
	timeout    time.Duration
	deadline   time.Time // by the executor's clock

	pageLeft      int // rows that still fit the page; negative: no bound
	limitLeft     int // rows that LIMIT still allows; negative: no bound
	perPartition  int // PER PARTITION LIMIT; 0: none
	partitionLeft int // of it, in the partition at hand

	// The row at hand.
	row       plan.Row
	key       []byte // of the partition, serialized
	prefix    []byte // of its row keys
	clusterOf []byte // memory of the clustering values
	ends      []int  // where each of them ends in it

	rows        Rows
	last        position // of the last row that was returned
	aggregation *plan.Aggregation
	group       *group // nil without GROUP BY
	sorted      []sortedRow
	sortedBytes int64 // of them
	steps       int
	tombstones  int  // passed
	live        int  // rows passed
	more        bool // there is at least one row behind the page
}

// read carries out a SELECT and returns one page of its rows.
func (e *Executor) read(ctx context.Context, p *plan.Select, parameters *Parameters) (*Result, error) {
	if parameters.Consistency == consistency.Any {
		return nil, schema.Invalid("ANY ConsistencyLevel is only supported for writes")
	}
	r := &reader{executor: e, plan: p, parameters: parameters, now: e.now(parameters)}
	r.binding.Values = parameters.Values
	if err := r.prepare(); err != nil {
		return nil, err
	}
	var err error
	if p.IsScan() {
		err = r.scan(ctx)
	} else {
		err = r.readPartitions(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = &coordinator.ReadTimeoutError{Level: parameters.Consistency, Required: 1}
	}
	if err != nil {
		return nil, knownLevel(err)
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	r.traceResult()
	result := &Result{Kind: RowsResult, Rows: &r.rows}
	if p.Aggregate && p.IsScan() {
		result.Warnings = append(result.Warnings, "Aggregation query used without partition key")
	} else if p.Aggregate && p.HasIn() {
		result.Warnings = append(result.Warnings, "Aggregation query used on multiple partition keys (IN restriction)")
	}
	if warn := e.opts.TombstoneWarn; warn > 0 && r.tombstones > warn {
		result.Warnings = append(result.Warnings, fmt.Sprintf("Read %d live rows and %d tombstone cells for a query on %s (see tombstone_warn_threshold)",
			r.live, r.tombstones, p.Table))
	}
	return result, nil
}

// prepare evaluates what does not depend on rows.
func (r *reader) prepare() (err error) {
	r.row.Now = r.now
	r.binding.Row = &r.row
	if r.plan.Impure {
		r.binding.Source = &plan.Source{Ticks: r.executor.ticks, Node: r.executor.node}
	}
	r.rows.Columns, r.rows.Data = r.plan.Columns, r.parameters.Memory
	r.pageLeft, r.limitLeft = -1, -1
	if r.parameters.PageSize > 0 && (!r.plan.Aggregate || r.plan.GroupBy > 0) {
		r.pageLeft = r.parameters.PageSize
	}
	limit, perPartition, err := r.plan.Limits(&r.binding)
	if err != nil {
		return err
	}
	if limit > 0 {
		r.limitLeft = limit
	}
	if r.perPartition = perPartition; r.plan.Distinct {
		r.perPartition = 1
	}
	if r.filter, err = r.plan.Where.Filter(&r.binding); err != nil {
		return err
	}
	if r.slices, err = r.plan.Where.Slices(&r.binding); err != nil {
		return err
	}
	if len(r.plan.Sort) > 0 && r.parameters.PageSize > 0 {
		return schema.Invalid("Cannot page queries with both ORDER BY and a IN restriction on the partition key; " +
			"you must either remove the ORDER BY or the IN and sort client side, or disable paging for this query")
	}
	if r.plan.Aggregate {
		r.aggregation = r.plan.NewAggregation(&r.binding)
		if r.plan.GroupBy == 0 {
			r.limitLeft = -1 // it limits the result, which is one row
		} else {
			r.group = &group{}
		}
	}
	timeout := r.executor.opts.ReadTimeout
	if r.plan.IsScan() {
		timeout = r.executor.opts.RangeTimeout
	}
	r.timeout, r.deadline = timeout, r.executor.opts.Now().Add(timeout)
	return nil
}

// scan reads the partitions of a token range.
func (r *reader) scan(ctx context.Context) error {
	start, end, ok, err := r.plan.Where.Tokens(&r.binding)
	if err != nil || !ok {
		return err
	}
	s := &storage.Scan{Incarnation: r.plan.Table.Incarnation, Start: start, End: end, StaticOnly: r.wantsStatic(), Now: r.now}
	resume, err := r.resume()
	if err != nil {
		return err
	}
	if resume != nil {
		s.Start = resume.after()
		r.prefix = bytes.Clone(resume.partition)
		if err := r.splitPartition(); err != nil {
			return err
		}
		r.partitionLeft = resume.partitionLeft
	}
	r.traceScan(resume)
	cursor, err := r.openScan(ctx, s)
	if err != nil {
		return err
	}
	defer cursor.Close()
	_, err = r.drain(ctx, cursor)
	return err
}

// wantsStatic reports whether a partition without rows but with static cells is a row of the result.
func (r *reader) wantsStatic() bool { return r.plan.StaticToo }

// readPartitions reads the named partitions one after the other.
func (r *reader) readPartitions(ctx context.Context) error {
	keys, err := r.plan.Where.Partitions(&r.binding)
	if err != nil {
		return err
	}
	resume, err := r.resume()
	if err != nil {
		return err
	}
	if r.parameters.Consistency.IsSerial() && len(keys) > 1 {
		return schema.Invalid("SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time")
	}
	partitions := make([][]byte, 0, len(keys))
	for _, key := range keys {
		if len(key) == 0 {
			return schema.Invalid("Key may not be empty")
		}
		partitions = append(partitions, r.prefixOf(key))
	}
	for _, prefix := range partitions {
		if resume != nil && !bytes.Equal(prefix, resume.partition) {
			continue // it was read before the page began
		}
		r.prefix = prefix
		if err := r.splitPartition(); err != nil {
			return err
		}
		r.partitionLeft = r.perPartition
		full, err := r.readPartition(ctx, resume)
		if err != nil || full {
			return err
		}
		resume = nil
	}
	return nil
}

// readPartition reads one partition, behind resume if that is given.
func (r *reader) readPartition(ctx context.Context, resume *position) (full bool, err error) {
	read := &storage.Read{Incarnation: r.plan.Table.Incarnation, Partition: r.prefix, Slices: r.slices,
		Reverse: r.plan.Reversed, Point: r.plan.IsPoint() && len(r.slices) <= 1, StaticOnly: r.wantsStatic(), Now: r.now}
	if read.Point && len(r.slices) == 0 {
		read.Slices = []storage.Slice{{Start: []byte{}}}
	}
	if r.slices != nil && len(r.slices) == 0 {
		return false, nil // the conditions contradict each other
	}
	if resume != nil {
		if resume.clustering == nil {
			return false, nil // its static cells were all there is
		}
		r.partitionLeft = resume.partitionLeft
		read.StaticOnly, read.Point = false, false
		if read.Slices = cutSlices(read.Slices, resume.clustering, read.Reverse); len(read.Slices) == 0 {
			return false, nil
		}
	}
	r.tracePartition(read)
	cursor, err := r.openPartition(ctx, read)
	if err != nil {
		return false, err
	}
	defer cursor.Close()
	return r.drain(ctx, cursor)
}

// cutSlices returns what of slices lies behind a clustering key, in reading order.
func cutSlices(list []storage.Slice, clustering []byte, reverse bool) []storage.Slice {
	if len(list) == 0 {
		list = []storage.Slice{{Start: []byte{}}}
	}
	after := append(bytes.Clone(clustering), 0)
	var out []storage.Slice
	for _, s := range list {
		if reverse {
			if s.End == nil || bytes.Compare(s.End, clustering) > 0 {
				s.End = clustering
			}
		} else if bytes.Compare(s.Start, after) < 0 {
			s.Start = after
		}
		if s.End == nil || bytes.Compare(s.Start, s.End) < 0 {
			out = append(out, s)
		}
	}
	return out
}

// drain takes the rows of a cursor. It reports true when the page is full or LIMIT reached.
func (r *reader) drain(ctx context.Context, cursor cursor) (full bool, err error) {
	defer func() {
		stats := cursor.Stats()
		r.tombstones += stats.Tombstones
		r.live += stats.Rows
		r.traceCursor(stats)
	}()
	for cursor.Next() {
		if r.steps++; r.steps%256 == 0 && (ctx.Err() != nil || r.executor.opts.Now().After(r.deadline)) {
			return false, cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
		if !bytes.Equal(cursor.Partition(), r.prefix) {
			r.prefix = append(r.prefix[:0], cursor.Partition()...)
			if err := r.splitPartition(); err != nil {
				return false, err
			}
			r.partitionLeft = r.perPartition
		}
		if r.perPartition > 0 && r.partitionLeft == 0 && (r.group == nil || !r.group.open || r.plan.Distinct) {
			if !r.plan.IsScan() {
				return false, nil
			}
			cursor.SkipPartition()
			continue
		}
		if err := r.take(cursor); err != nil {
			return false, err
		}
		if r.filter != nil && !r.filter.Matches(&r.row) {
			continue
		}
		if full, err := r.emit(cursor); full || err != nil {
			return full, err
		}
	}
	return false, cursor.Err()
}

// take makes the cursor's row the row at hand.
func (r *reader) take(cursor cursor) error {
	r.row.Static, r.row.Regular = cursor.Static(), cursor.Row()
	columns := r.plan.Table.Clustering
	if r.row.Regular == nil || r.plan.Distinct {
		r.row.Clustering = nil
		return nil
	}
	r.clusterOf, r.ends = r.clusterOf[:0], r.ends[:0]
	rest := cursor.Clustering()
	for _, c := range columns {
		var err error
		if r.clusterOf, rest, err = c.Type.ReadKey(rest, c.Descending, r.clusterOf); err != nil {
			return &storage.CorruptError{Table: r.plan.Table.String(), Key: r.plan.Table.FormatKey(r.key, nil), Cause: err.Error()}
		}
		r.ends = append(r.ends, len(r.clusterOf))
	}
	if r.row.Clustering = r.row.Clustering[:0]; r.row.Clustering == nil {
		r.row.Clustering = make([][]byte, 0, len(columns))
	}
	start := 0
	for _, end := range r.ends {
		r.row.Clustering = append(r.row.Clustering, r.clusterOf[start:end:end])
		start = end
	}
	return nil
}

// splitPartition takes the key of the partition at hand apart.
func (r *reader) splitPartition() error {
	token, key, err := row.SplitPartition(r.prefix, r.key[:0])
	if err == nil {
		r.key, r.row.Token = key, token
		r.row.Partition, err = cqltype.SplitPartitionKey(r.row.Partition[:0], key, len(r.plan.Table.Partition))
	}
	if err != nil {
		return &storage.CorruptError{Table: r.plan.Table.String(), Key: "unknown", Cause: err.Error()}
	}
	return nil
}

// emit puts the row at hand into the result. It reports true if the result has no room for it,
// or none left behind it.
func (r *reader) emit(cursor cursor) (full bool, err error) {
	if r.group != nil {
		return r.addToGroup(cursor)
	}
	if r.limitLeft == 0 {
		return true, nil
	}
	if r.pageLeft == 0 {
		r.more = true
		return true, nil
	}
	if r.perPartition > 0 {
		r.partitionLeft--
	}
	switch {
	case r.aggregation != nil:
		return false, r.aggregation.Add(&r.binding)
	}
	if err := r.put(); err != nil || len(r.plan.Sort) > 0 {
		return false, err
	}
	if r.limitLeft > 0 {
		r.limitLeft--
	}
	if r.pageLeft > 0 {
		if r.pageLeft--; int64(len(r.rows.Data)) >= r.executor.opts.PageBytes {
			r.pageLeft = 0 // fewer rows than asked for: clients ask on as long as there is a paging state
		}
	}
	if r.pageLeft == 0 {
		r.last.set(r.prefix, cursor, r.plan.Distinct)
		r.last.limitLeft, r.last.partitionLeft = r.limitLeft, r.partitionLeft
	}
	return r.limitLeft == 0, nil
}

// put takes the row or group at hand into the result, or among those that are to be sorted.
func (r *reader) put() error {
	var err error
	if len(r.plan.Sort) > 0 {
		err = r.keepSorted()
	} else {
		err = r.appendRow()
	}
	if err != nil {
		return err
	}
	return r.checkSize()
}

func (r *reader) appendRow() error {
	for i := range r.plan.Selectors {
		at := r.rows.beginValue()
		var ok bool
		var err error
		if r.rows.Data, ok, err = r.plan.Selectors[i].Append(r.rows.Data, &r.binding); err != nil {
			return err
		}
		r.rows.endValue(at, ok)
	}
	r.rows.Count++
	return nil
}

// finish computes what depends on all rows, and the paging state.
func (r *reader) finish() error {
	switch {
	case r.group != nil:
		if err := r.endGroup(); err != nil {
			return err
		}
	case r.aggregation != nil:
		return r.appendRow()
	}
	switch {
	case len(r.plan.Sort) > 0:
		r.finishSorted()
	case r.more:
		r.rows.PagingState = r.last.encode()
	}
	return nil
}

// A sortedRow is a row that waits for the others to be sorted with.
type sortedRow struct {
	keys [][]byte // values of the columns to sort by
	data []byte   // its values as in Rows.Data
}

// sortedOverhead is what a sortedRow takes beside its bytes, roughly.
const sortedOverhead = 100

func (r *reader) keepSorted() error {
	s := sortedRow{}
	if r.group != nil {
		s.keys = r.group.sortKeys
	} else {
		s.keys = r.sortKeys()
	}
	start := len(r.rows.Data)
	if err := r.appendRow(); err != nil {
		return err
	}
	s.data = bytes.Clone(r.rows.Data[start:])
	r.rows.Data = r.rows.Data[:start]
	r.sorted = append(r.sorted, s)
	r.sortedBytes += int64(len(s.data)) + sortedOverhead
	for _, key := range s.keys {
		r.sortedBytes += int64(len(key))
	}
	return nil
}

// sortKeys returns what the row at hand is sorted by.
func (r *reader) sortKeys() [][]byte {
	var keys [][]byte
	for _, c := range r.plan.Sort {
		keys = append(keys, bytes.Clone(r.row.Value(c.Column)))
	}
	return keys
}

func (r *reader) finishSorted() {
	slices.SortStableFunc(r.sorted, func(a, b sortedRow) int {
		for i, c := range r.plan.Sort {
			order := c.Column.Type.Compare(a.keys[i], b.keys[i])
			if c.Descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	if r.limitLeft >= 0 {
		r.sorted = r.sorted[:min(len(r.sorted), r.limitLeft)]
	}
	r.rows.Count = len(r.sorted)
	for _, s := range r.sorted {
		r.rows.Data = append(r.rows.Data, s.data...)
	}
}
