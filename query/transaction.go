package query

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// transactEntries carries out a batch of prepared modifications, some of which have conditions.
func (e *Executor) transactEntries(ctx context.Context, entries []BatchEntry, list []*plan.Modify, parameters *Parameters) (*Result, error) {
	if err := plan.CheckBatch(list); err != nil {
		return nil, err
	}
	steps := make([]plan.Step, len(list))
	for i, m := range list {
		steps[i] = plan.Step{Modify: m, Binding: &plan.Binding{Values: entries[i].Values}}
	}
	return e.transact(ctx, steps, true, parameters)
}

// transact carries out conditional modifications: one, or those of a batch. The default timestamp of the client is not
// used: that of the transaction decides about its place among others.
func (e *Executor) transact(ctx context.Context, steps []plan.Step, batch bool, parameters *Parameters) (*Result, error) {
	source := &plan.Source{Now: e.now(parameters), Ticks: e.ticks, Node: e.node}
	t, err := plan.NewTransaction(steps, batch, source)
	if err != nil {
		return nil, err
	}
	serial := cmp.Or(parameters.Serial, consistency.Serial)
	if err := checkLevels(serial, parameters.Consistency, t.Keyspace); err != nil {
		return nil, err
	}
	read := t.Read()
	read.Now, read.Partition = source.Now, row.AppendPartition(nil, int64(ring.TokenOf(t.Key)), t.Key)
	result := &Result{Kind: RowsResult}
	decide := func(rows *storage.Cursor, timestamp int64) (*row.Mutation, error) {
		e.advance(timestamp)
		m, err := t.Decide(rows, timestamp)
		if m == nil || err != nil || !batch {
			return m, err
		}
		result.Warnings = nil
		return m, e.checkBatchSize(int64(m.Size()), result)
	}
	deadline := time.Now().Add(e.opts.WriteTimeout)
	applied, err := e.coordinator.Transact(ctx, &coordinator.Transaction{Trace: parameters.Trace, Keyspace: t.Keyspace, Table: t.Table,
		Serial: serial, Commit: parameters.Consistency, Read: read, Deadline: deadline}, decide)
	if err != nil {
		return nil, knownLevel(err)
	}
	result.Rows, err = transactionRows(t, applied)
	return result, err
}

// checkLevels refuses levels that a conditional statement cannot have.
func checkLevels(serial, commit consistency.Level, k *schema.Keyspace) error {
	switch {
	case commit == consistency.NodeLocal:
		return schema.Invalid("NODE_LOCAL consistency level is highly dangerous and should be used only for debugging purposes")
	case !serial.IsSerial():
		return schema.Invalid("Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
	case commit.IsSerial():
		return schema.Invalid("%s is not supported as conditional update commit consistency. Use ANY if you mean \"make sure it is accepted "+
			"but I don't care how many replicas commit it for non-SERIAL reads\"", commit)
	case commit == consistency.EachQuorum && k.Replication.Class != "NetworkTopologyStrategy":
		return schema.Invalid("consistency level EACH_QUORUM not compatible with replication strategy (org.apache.cassandra.locator.%s)", k.Replication.Class)
	}
	return nil
}

// knownLevel tells, as Cassandra does, of the quorum that a serial level needs and that is not alive.
func knownLevel(err error) error {
	if unavailable, ok := errors.AsType[*coordinator.UnavailableError](err); ok {
		out := *unavailable
		switch out.Level {
		case consistency.Serial:
			out.Level = consistency.Quorum
		case consistency.LocalSerial:
			out.Level = consistency.LocalQuorum
		}
		return &out
	}
	return err
}

// transactionRows returns what clients are told: whether the change was made and, if not, the present values.
func transactionRows(t *plan.Transaction, applied bool) (*Rows, error) {
	rows := &Rows{}
	add := func(value []byte) {
		at := rows.beginValue()
		rows.Data = append(rows.Data, value...)
		rows.endValue(at, value != nil)
	}
	if applied {
		rows.Columns, rows.Count = t.AppliedColumns(), 1
		add([]byte{1})
		return rows, nil
	}
	err := t.Refused(func(r *plan.Row) error {
		rows.Count++
		add([]byte{0})
		t.AppendRefused(r, add)
		return nil
	})
	rows.Columns = t.RefusedColumns()
	if rows.Count == 0 {
		rows.Columns, rows.Count = t.AppliedColumns(), 1
		add([]byte{0})
	}
	return rows, err
}
