package cql_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestErrorOf(t *testing.T) {
	asked := cql.Failed{Level: consistency.Quorum, WriteType: frame.WriteBatch}
	check := func(err error, code frame.ErrorCode, fields string) {
		t.Helper()
		got := cql.ErrorOf(fmt.Errorf("somewhere: %w", err), asked)
		all := fmt.Sprintln(got.Consistency, got.Required, got.Alive, got.BlockFor, got.Received, got.WriteType, got.NumFailures, got.Keyspace, got.Name)
		if got.Code != code || all != fields+"\n" {
			t.Errorf("%T: %s %q, want %s %q", err, got.Code, all, code, fields)
		}
		for _, v := range []frame.Version{frame.V3, frame.V4, frame.V5} {
			if _, err := frame.AppendFrame(nil, v, 1, nil, got); err != nil {
				t.Errorf("%s: %v", v, err)
			}
		}
	}
	check(errors.New("?"), frame.ErrorServer, "ANY 0 0 0 0  0  ")
	check(schema.Malformed("?"), frame.ErrorSyntax, "ANY 0 0 0 0  0  ")
	check(schema.Misconfigured("?"), frame.ErrorConfig, "ANY 0 0 0 0  0  ")
	check(schema.Unauthorized("?"), frame.ErrorUnauthorized, "ANY 0 0 0 0  0  ")
	check(&schema.AlreadyExistsError{Keyspace: "k", Table: "t"}, frame.ErrorAlreadyExists, "ANY 0 0 0 0  0 k t")
	check(&coordinator.UnavailableError{Level: consistency.All, Required: 3, Alive: 1}, frame.ErrorUnavailable, "ALL 3 1 0 0  0  ")
	check(&coordinator.WriteTimeoutError{Level: consistency.All, Required: 1}, frame.ErrorWriteTimeout, "ALL 0 0 1 0 BATCH 0  ")
	check(&coordinator.ReadTimeoutError{Level: consistency.One, Required: 2, Received: 1}, frame.ErrorReadTimeout, "ONE 0 0 2 1  0  ")
	check(&coordinator.CASUnknownError{Level: consistency.Serial, Required: 2, Received: 1}, frame.ErrorCASWriteUnknown, "SERIAL 0 0 2 1  0  ")
	check(&coordinator.WriteTimeoutError{WriteType: frame.WriteBatchLog}, frame.ErrorWriteTimeout, "ANY 0 0 0 0 BATCH_LOG 0  ")
	failures := map[netip.Addr]uint16{{}: 0, netip.MustParseAddr("10.0.0.2"): 3}
	check(&coordinator.WriteFailureError{Level: consistency.Two, Required: 2, Received: 1, Failures: failures}, frame.ErrorWriteFailure, "TWO 0 0 2 1 BATCH 2  ")
	check(&coordinator.ReadFailureError{Level: consistency.Two, Required: 2, Received: 1, Failures: failures}, frame.ErrorReadFailure, "TWO 0 0 2 1  2  ")
	check(&storage.TombstoneError{}, frame.ErrorReadFailure, "QUORUM 0 0 1 0  1  ")
	check(&storage.CorruptError{}, frame.ErrorReadFailure, "QUORUM 0 0 1 0  1  ")
	check(&storage.DamagedError{First: &storage.CorruptError{}}, frame.ErrorWriteFailure, "QUORUM 0 0 1 0 BATCH 1  ")
	check(&storage.DiskFullError{}, frame.ErrorWriteFailure, "QUORUM 0 0 1 0 BATCH 1  ")
	check(&storage.MutationTooLargeError{}, frame.ErrorInvalid, "ANY 0 0 0 0  0  ")
	check(&query.ResultTooLargeError{}, frame.ErrorInvalid, "ANY 0 0 0 0  0  ")
	check(storage.ErrClosed, frame.ErrorBootstrapping, "ANY 0 0 0 0  0  ")
	check(context.Canceled, frame.ErrorBootstrapping, "ANY 0 0 0 0  0  ")
}

// TestErrorsOfReplicas compares what is sent with the layouts of the protocol: version 3 has no failures, 4 counts them,
// and 5 says who failed and why.
func TestErrorsOfReplicas(t *testing.T) {
	const (
		counts   = "0004 00000001 00000002 " // QUORUM, received, required
		number   = "00000002 "
		reasons  = "00000002 04 0a000009 0001 10 00000000000000000000000000000001 0005 "
		simple   = "0006 53494d504c45 "
		cas      = "0003 434153 "
		unlogged = "000e 554e4c4f474745445f4241544348 "
	)
	failures := map[netip.Addr]uint16{netip.MustParseAddr("::1"): 5, netip.MustParseAddr("10.0.0.9"): 1}
	for _, test := range []struct {
		err    error
		bodies [3]string // code and fields for versions 3, 4 and 5
	}{
		{&coordinator.ReadTimeoutError{Level: consistency.Quorum, Required: 2, Received: 1, DataPresent: true},
			[3]string{"00001200 " + counts + "01", "00001200 " + counts + "01", "00001200 " + counts + "01"}},
		{&coordinator.WriteTimeoutError{Level: consistency.Quorum, Required: 2, Received: 1, WriteType: frame.WriteUnloggedBatch},
			[3]string{"00001100 " + counts + unlogged, "00001100 " + counts + unlogged, "00001100 " + counts + unlogged}},
		{&coordinator.CASUnknownError{Level: consistency.Quorum, Required: 2, Received: 1},
			[3]string{"00001100 " + counts + cas, "00001100 " + counts + cas, "00001700 " + counts}},
		{&coordinator.WriteTimeoutError{Level: consistency.Quorum, Required: 2, Received: 1, WriteType: frame.WriteCAS},
			[3]string{"00001100 " + counts + cas, "00001100 " + counts + cas, "00001100 " + counts + cas + "0000"}},
		{&coordinator.WriteTimeoutError{Level: consistency.Quorum, Required: 2, Received: 1},
			[3]string{"00001100 " + counts + simple, "00001100 " + counts + simple, "00001100 " + counts + simple}},
		{&coordinator.ReadFailureError{Level: consistency.Quorum, Required: 2, Received: 1, DataPresent: true, Failures: failures},
			[3]string{"00001200 " + counts + "01", "00001300 " + counts + number + "01", "00001300 " + counts + reasons + "01"}},
		{&coordinator.ReadFailureError{Level: consistency.Quorum, Required: 2, Received: 1, Failures: failures},
			[3]string{"00001200 " + counts + "00", "00001300 " + counts + number + "00", "00001300 " + counts + reasons + "00"}},
		{&coordinator.WriteFailureError{Level: consistency.Quorum, Required: 2, Received: 1, Failures: failures, WriteType: frame.WriteUnloggedBatch},
			[3]string{"00001100 " + counts + unlogged, "00001500 " + counts + number + unlogged, "00001500 " + counts + reasons + unlogged}},
	} {
		for i, v := range []frame.Version{frame.V3, frame.V4, frame.V5} {
			body, err := cql.ErrorOf(test.err, cql.Failed{Level: consistency.One}).Encode(nil, v)
			if err != nil {
				t.Errorf("%T for %s: %v", test.err, v, err)
				continue
			}
			message := test.err.Error()
			want := strings.ReplaceAll(test.bodies[i][:8]+fmt.Sprintf("%04x%x", len(message), message)+test.bodies[i][8:], " ", "")
			if got := hex.EncodeToString(body); got != want {
				t.Errorf("%T for %s is\n%s\nwant\n%s", test.err, v, got, want)
			}
		}
	}
}
