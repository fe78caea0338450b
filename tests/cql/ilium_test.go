package cql

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
	wire "github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// newIlium starts a node for one script; t.Cleanup stops it.
func newIlium(t testing.TB) *node.Node {
	cfg := config.Default()
	cfg.DataDirectory = t.TempDir()
	cfg.Memory = 64 << 20
	cfg.NativeTransportPort = 0
	cfg.BatchSizeWarnThreshold, cfg.BatchSizeFailThreshold = 0, 50<<10 // as the recorded Cassandra was configured
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// newWire connects to a node as a driver does; t.Cleanup closes the connection before the node is stopped.
func newWire(t testing.TB, n *node.Node) Target {
	address, err := n.Serve(t.Context(), node.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := Dial(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := peer.Close(); err != nil {
			t.Error(err)
		}
	})
	return peer
}

// ilium is a Target: one session of an embedded node.
type ilium struct {
	session *query.Session
}

// Exec implements Target.
func (i ilium) Exec(ctx context.Context, s Statement) (Result, error) {
	level, ok := levelOf(s.Consistency)
	if !ok {
		return Result{}, errors.New("unknown consistency level " + s.Consistency)
	}
	parameters := &query.Parameters{Consistency: level, PageSize: s.PageSize, PagingState: s.PagingState}
	if s.Serial != "" {
		if parameters.Serial, ok = levelOf(s.Serial); !ok {
			return Result{}, errors.New("unknown consistency level " + s.Serial)
		}
	}
	if s.Now != 0 {
		parameters.Now = query.Given(int64(s.Now))
	}
	if s.Timestamp != nil {
		parameters.Timestamp = query.Given(*s.Timestamp)
	}
	if !s.Prepare {
		result, err := i.session.Execute(ctx, s.Text, parameters)
		return answer(result, err, false)
	}
	prepared, err := i.session.Prepare(s.Text)
	if err != nil {
		return answer(nil, err, true)
	}
	p, err := prepared.Plan()
	if err != nil {
		return answer(nil, err, true)
	}
	markers := columns(p.Markers())
	bound, err := Bind(markers, s.Values)
	if err != nil {
		return Result{}, err
	}
	for _, b := range bound {
		parameters.Values = append(parameters.Values, plan.Value{Bytes: b.Bytes, Unset: b.Unset})
	}
	executed, err := i.session.ExecutePrepared(ctx, prepared, parameters)
	result, err := answer(executed, err, false)
	result.Markers, result.PartitionKey = markers, plan.PartitionKeyMarkers(p)
	return result, err
}

func columns(specs []plan.Spec) []Column {
	out := make([]Column, len(specs))
	for i, s := range specs {
		out[i] = Column{Name: s.Name, Type: s.Type}
	}
	return out
}

// answer translates what a session returns into what a client is told.
func answer(r *query.Result, err error, preparing bool) (Result, error) {
	if err != nil {
		return Result{}, refusal(err, preparing)
	}
	result := Result{Warnings: r.Warnings}
	if r.Kind != query.RowsResult {
		return result, nil
	}
	result.Columns, result.PagingState = columns(r.Rows.Columns), r.Rows.PagingState
	values := reader{b: r.Rows.Data}
	for range r.Rows.Count {
		row := make([][]byte, len(result.Columns))
		for i := range row {
			row[i] = values.bytes()
		}
		result.Rows = append(result.Rows, row)
	}
	if values.err == nil && len(values.b) > 0 {
		values.err = errors.New("bytes left over behind the rows")
	}
	return result, values.err
}

// refusal names an error as the native protocol does.
func refusal(err error, preparing bool) error {
	told := wire.ErrorOf(err, wire.Failed{})
	refused := &Error{Kind: errorKinds[int(told.Code)], Message: told.Message, Preparing: preparing}
	switch told.Code {
	case frame.ErrorAlreadyExists:
		refused.Details = told.Keyspace + "." + told.Name
	case frame.ErrorUnavailable:
		refused.Details = fmt.Sprintf("%s, required %d, alive %d", told.Consistency, told.Required, told.Alive)
	}
	return refused
}
