package cql_test

import (
	"context"
	"errors"
	"fmt"
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
	check(&storage.TombstoneError{}, frame.ErrorReadFailure, "QUORUM 0 0 1 0  1  ")
	check(&storage.CorruptError{}, frame.ErrorReadFailure, "QUORUM 0 0 1 0  1  ")
	check(&storage.DamagedError{First: &storage.CorruptError{}}, frame.ErrorWriteFailure, "QUORUM 0 0 1 0 BATCH 1  ")
	check(&storage.DiskFullError{}, frame.ErrorWriteFailure, "QUORUM 0 0 1 0 BATCH 1  ")
	check(&storage.MutationTooLargeError{}, frame.ErrorInvalid, "ANY 0 0 0 0  0  ")
	check(&query.ResultTooLargeError{}, frame.ErrorInvalid, "ANY 0 0 0 0  0  ")
	check(storage.ErrClosed, frame.ErrorBootstrapping, "ANY 0 0 0 0  0  ")
	check(context.Canceled, frame.ErrorBootstrapping, "ANY 0 0 0 0  0  ")
}
