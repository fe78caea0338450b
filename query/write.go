package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A writer collects the mutations of one request. Its memory is reused from request to request.
type writer struct {
	executor *Executor
	ctx      context.Context
	level    consistency.Level
	logged   bool // the writes are those of a logged batch
	trace    *trace.Trace
	source   plan.Source

	writes []coordinator.Write
	index  map[partitionOf]int // of writes, once there are many
	free   []*row.Mutation     // from requests before
}

// A partitionOf identifies a partition of a table.
type partitionOf struct {
	incarnation uint32
	key         string
}

// manyPartitions is from how many on a writer looks them up instead of going through them.
const manyPartitions = 16

func newWriter(e *Executor) *writer {
	w := &writer{executor: e}
	w.source.Ticks, w.source.Node = e.ticks, e.node
	return w
}

// begin returns a writer for a request.
func (e *Executor) begin(ctx context.Context, parameters *Parameters) *writer {
	w := e.writers.Get().(*writer)
	w.ctx, w.level, w.logged = ctx, parameters.Consistency, false
	w.source.Now = e.now(parameters)
	w.trace = parameters.Trace
	if parameters.Timestamp.Set {
		w.source.Timestamp = parameters.Timestamp.Value
	} else {
		w.source.Timestamp = e.timestamp()
	}
	return w
}

// end gives the writer back, unless its mutations may still be in use.
func (e *Executor) end(w *writer, err error) {
	var timeout *coordinator.WriteTimeoutError
	if errors.As(err, &timeout) || errors.Is(err, context.Canceled) {
		return
	}
	for i := range w.writes {
		w.free = append(w.free, w.writes[i].Mutation)
	}
	w.writes, w.ctx = w.writes[:0], nil
	clear(w.index)
	e.writers.Put(w)
}

// timestamp returns the present time in microseconds, later than any it returned before.
func (e *Executor) timestamp() int64 {
	for {
		last, now := e.lastTimestamp.Load(), e.opts.Now().UnixMicro()
		next := max(now, last+1)
		if e.lastTimestamp.CompareAndSwap(last, next) {
			return next
		}
	}
}

// maxAdvance is how far a transaction may put the clock of other writes forward.
const maxAdvance = 100 * time.Millisecond

// advance makes the timestamps of later writes newer than that of a transaction, which may be a little ahead of the clock.
// One that is far ahead had to be newer than a value with such a timestamp. That is no reason to give others such ones.
func (e *Executor) advance(timestamp int64) {
	if timestamp > e.opts.Now().Add(maxAdvance).UnixMicro() {
		return
	}
	for {
		last := e.lastTimestamp.Load()
		if last >= timestamp || e.lastTimestamp.CompareAndSwap(last, timestamp) {
			return
		}
	}
}

// ticks returns the first of n consecutive numbers, in units of 100 ns since the epoch, that no
// one else is given.
func (e *Executor) ticks(n int) int64 {
	for {
		last, now := e.lastTick.Load(), e.opts.Now().UnixNano()/100
		first := max(now, last+1)
		if e.lastTick.CompareAndSwap(last, first+int64(n)-1) {
			return first
		}
	}
}

// timeUUID returns a new time-based UUID.
func (e *Executor) timeUUID(now time.Time) cqltype.UUID {
	return cqltype.TimeUUID(now, uint16(e.ticks(1)), e.node)
}

// Mutation implements plan.Writer: one mutation for each partition, whatever the statements.
func (w *writer) Mutation(k *schema.Keyspace, t *schema.Table, partitionKey []byte) (*row.Mutation, error) {
	if len(partitionKey) == 0 {
		return nil, schema.Invalid("Key may not be empty")
	}
	if m := w.find(t.Incarnation, partitionKey); m != nil {
		return m, nil
	}
	var m *row.Mutation
	if n := len(w.free); n > 0 {
		m, w.free = w.free[n-1], w.free[:n-1]
	} else {
		m = new(row.Mutation)
	}
	m.Begin(t.Incarnation, int64(ring.TokenOf(partitionKey)), partitionKey)
	w.writes = append(w.writes, coordinator.Write{Keyspace: k, Mutation: m})
	return m, nil
}

// find returns the mutation of a partition if there is one.
func (w *writer) find(incarnation uint32, partitionKey []byte) *row.Mutation {
	if len(w.writes) < manyPartitions {
		for i := len(w.writes) - 1; i >= 0; i-- { // most often it is the last
			if m := w.writes[i].Mutation; m.Incarnation == incarnation && m.IsOf(partitionKey) {
				return m
			}
		}
		return nil
	}
	if w.index == nil {
		w.index = make(map[partitionOf]int)
	}
	for i := len(w.index); i < len(w.writes); i++ {
		m := w.writes[i].Mutation
		w.index[partitionOf{m.Incarnation, string(m.Key())}] = i
	}
	if i, ok := w.index[partitionOf{incarnation, string(partitionKey)}]; ok {
		return w.writes[i].Mutation
	}
	return nil
}

// Stored implements plan.Writer.
func (w *writer) Stored(t *schema.Table, partitionKey, clustering []byte, static bool) (*row.Fragment, error) {
	k := w.executor.Schema().Keyspace(t.Keyspace)
	if k == nil {
		return nil, schema.Invalid("keyspace %s does not exist", t.Keyspace)
	}
	read := &storage.Read{Incarnation: t.Incarnation, Now: w.source.Now, StaticOnly: static,
		Partition: row.AppendPartition(nil, int64(ring.TokenOf(partitionKey)), partitionKey)}
	if static {
		read.Slices = []storage.Slice{{Start: []byte{}, End: []byte{}}} // no row, only the header
	} else {
		read.Slices, read.Point = []storage.Slice{{Start: clustering}}, true
	}
	w.trace.Add("Reading what the operation on a list changes")
	cursor, err := w.executor.coordinator.Read(w.ctx, &coordinator.Reading{Trace: w.trace, Keyspace: k, Table: t, Level: w.level,
		Deadline: time.Now().Add(w.executor.opts.ReadTimeout), Rows: 1}, read)
	if err != nil {
		return nil, err
	}
	defer cursor.Close()
	if !cursor.Next() {
		return nil, cursor.Err()
	}
	if static {
		return cursor.Static().Clone(), nil
	}
	return cursor.Row().Clone(), nil
}

// modify carries out one modification.
func (e *Executor) modify(ctx context.Context, m *plan.Modify, parameters *Parameters) (*Result, error) {
	if m.IsConditional() {
		return e.transact(ctx, []plan.Step{{Modify: m, Binding: &plan.Binding{Values: parameters.Values}}}, false, parameters)
	}
	w := e.begin(ctx, parameters)
	err := m.Build(&plan.Binding{Values: parameters.Values}, &w.source, w)
	if err == nil {
		err = e.commit(ctx, w)
	}
	e.end(w, err)
	if err != nil {
		return nil, err
	}
	return &Result{Kind: Void}, nil
}

// batch carries out a batch: on one node all of it at once.
func (e *Executor) batch(ctx context.Context, b *plan.Batch, parameters *Parameters) (*Result, error) {
	binding := &plan.Binding{Values: parameters.Values}
	if b.IsConditional() {
		steps := make([]plan.Step, len(b.Statements))
		for i, m := range b.Statements {
			steps[i] = plan.Step{Modify: m, Binding: binding}
		}
		return e.transact(ctx, steps, true, parameters)
	}
	w := e.begin(ctx, parameters)
	w.logged = !b.Unlogged
	timestamp, set, err := b.BatchTimestamp(binding)
	if set {
		w.source.Timestamp = timestamp
	}
	for i := 0; err == nil && i < len(b.Statements); i++ {
		err = b.Statements[i].Build(binding, &w.source, w)
	}
	return e.finishBatch(ctx, w, len(b.Statements), err)
}

// A BatchEntry is a prepared modification with its values, for ExecuteBatch.
type BatchEntry struct {
	Prepared *Prepared
	Values   []plan.Value
}

// ExecuteBatch carries out many modifications at once, as BEGIN BATCH does. parameters apply to
// all of them; their values are in the entries.
func (s *Session) ExecuteBatch(ctx context.Context, entries []BatchEntry, parameters *Parameters) (*Result, error) {
	e := s.executor
	list := make([]*plan.Modify, len(entries))
	conditional := false
	for i := range entries {
		var err error
		if list[i], err = planEntry(&entries[i], parameters.Trace); err != nil {
			return nil, err
		}
		conditional = conditional || list[i].IsConditional()
	}
	if conditional {
		return e.transactEntries(ctx, entries, list, parameters)
	}
	w := e.begin(ctx, parameters)
	w.logged = !parameters.Unlogged
	binding := &plan.Binding{}
	var err error
	for i := 0; err == nil && i < len(entries); i++ {
		binding.Values = entries[i].Values
		err = list[i].Build(binding, &w.source, w)
	}
	return e.finishBatch(ctx, w, len(entries), err)
}

// planEntry returns the plan of an entry, whose values fit.
func planEntry(entry *BatchEntry, t *trace.Trace) (*plan.Modify, error) {
	p, err := entry.Prepared.PlanTraced(t)
	if err != nil {
		return nil, err
	}
	m, ok := p.(*plan.Modify)
	if !ok {
		return nil, schema.Invalid("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
	}
	return m, checkValues(m.Markers(), &Parameters{Values: entry.Values})
}

func (e *Executor) finishBatch(ctx context.Context, w *writer, statements int, err error) (*Result, error) {
	result := &Result{Kind: Void}
	if w.trace.On() && err == nil {
		w.trace.Add("Batch of %d statements on %d partitions", statements, len(w.writes))
	}
	if err == nil && statements > 1 {
		size := int64(0)
		for i := range w.writes {
			size += int64(w.writes[i].Mutation.Size())
		}
		err = e.checkBatchSize(size, result)
	}
	if err == nil {
		err = e.commit(ctx, w)
	}
	e.end(w, err)
	if err != nil {
		return nil, err
	}
	return result, nil
}

// checkBatchSize refuses batches that are too large, and warns of large ones.
func (e *Executor) checkBatchSize(size int64, result *Result) error {
	if limit := e.opts.BatchFail; limit > 0 && size > limit {
		return schema.Invalid("Batch too large")
	}
	if limit := e.opts.BatchWarn; limit > 0 && size > limit {
		result.Warnings = append(result.Warnings,
			fmt.Sprintf("Batch is of size %d bytes, exceeding specified threshold of %d bytes by %d.", size, limit, size-limit))
	}
	return nil
}

// commit hands the collected mutations to the coordinator.
func (e *Executor) commit(ctx context.Context, w *writer) error {
	if w.level.IsSerial() {
		return schema.Invalid("You must use conditional updates for serializable writes")
	}
	if len(w.writes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.opts.WriteTimeout)
	defer cancel()
	if w.logged && len(w.writes) > 1 {
		return e.coordinator.WriteBatch(ctx, w.trace, w.level, w.writes...)
	}
	return e.coordinator.Write(ctx, w.trace, w.level, w.writes...)
}
