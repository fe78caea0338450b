package cql

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A Failed says what was asked for when an error occurred, as far as clients are told.
type Failed struct {
	Level     consistency.Level
	WriteType string // frame.WriteSimple and so on; "" for frame.WriteSimple
}

// ErrorOf returns what clients are told of an error of this program: the code, and all fields that belong
// to it.
func ErrorOf(err error, f Failed) *frame.Error {
	if f.WriteType == "" {
		f.WriteType = frame.WriteSimple
	}
	out := &frame.Error{Code: frame.ErrorServer, Message: err.Error()}
	switch {
	case is[*grammar.SyntaxError](err), is[*schema.SyntaxError](err):
		out.Code = frame.ErrorSyntax
	case is[*schema.InvalidRequestError](err), is[*query.ResultTooLargeError](err),
		is[*storage.KeyTooLongError](err), is[*storage.MutationTooLargeError](err):
		out.Code = frame.ErrorInvalid
	case is[*schema.ConfigurationError](err):
		out.Code = frame.ErrorConfig
	case is[*schema.UnauthorizedError](err):
		out.Code = frame.ErrorUnauthorized
	default:
		if !replicaError(out, err, f) {
			storageError(out, err, f)
		}
	}
	return out
}

// replicaError translates errors that have fields.
func replicaError(out *frame.Error, err error, f Failed) bool {
	var (
		exists       *schema.AlreadyExistsError
		unavailable  *coordinator.UnavailableError
		unknown      *coordinator.CASUnknownError
		writeTimeout *coordinator.WriteTimeoutError
		readTimeout  *coordinator.ReadTimeoutError
		writeFailure *coordinator.WriteFailureError
		readFailure  *coordinator.ReadFailureError
		function     *schema.FunctionFailedError
	)
	switch {
	case errors.As(err, &exists):
		out.Code, out.Keyspace, out.Name = frame.ErrorAlreadyExists, exists.Keyspace, exists.Table
	case errors.As(err, &function):
		out.Code, out.Keyspace, out.Name, out.Arguments = frame.ErrorFunctionFailure, function.Keyspace, function.Function, function.Arguments
	case errors.As(err, &unavailable):
		out.Code, out.Consistency = frame.ErrorUnavailable, unavailable.Level
		out.Required, out.Alive = int32(unavailable.Required), int32(unavailable.Alive)
	case errors.As(err, &unknown): // before version 5 a WRITE_TIMEOUT
		out.Code, out.Consistency = frame.ErrorCASWriteUnknown, unknown.Level
		out.BlockFor, out.Received = int32(unknown.Required), int32(unknown.Received)
	case errors.As(err, &writeTimeout):
		out.Code, out.Consistency, out.WriteType = frame.ErrorWriteTimeout, writeTimeout.Level, cmp.Or(writeTimeout.WriteType, f.WriteType)
		out.BlockFor, out.Received = int32(writeTimeout.Required), int32(writeTimeout.Received)
	case errors.As(err, &readTimeout):
		out.Code, out.Consistency = frame.ErrorReadTimeout, readTimeout.Level
		out.BlockFor, out.Received = int32(readTimeout.Required), int32(readTimeout.Received)
		out.DataPresent = readTimeout.DataPresent
	case errors.As(err, &writeFailure):
		out.Code, out.Consistency, out.WriteType = frame.ErrorWriteFailure, writeFailure.Level, cmp.Or(writeFailure.WriteType, f.WriteType)
		out.BlockFor, out.Received = int32(writeFailure.Required), int32(writeFailure.Received)
		setFailures(out, writeFailure.Failures)
	case errors.As(err, &readFailure):
		out.Code, out.Consistency, out.DataPresent = frame.ErrorReadFailure, readFailure.Level, readFailure.DataPresent
		out.BlockFor, out.Received = int32(readFailure.Required), int32(readFailure.Received)
		setFailures(out, readFailure.Failures)
	default:
		return false
	}
	return true
}

// setFailures says which replicas failed and why, in order of their addresses. One that has no address is this node.
func setFailures(out *frame.Error, failures map[netip.Addr]uint16) {
	for _, address := range slices.SortedFunc(maps.Keys(failures), netip.Addr.Compare) {
		node := address.Unmap().WithZone("")
		if !node.IsValid() {
			node = thisNode()
		}
		out.Failures = append(out.Failures, frame.Failure{Node: node, Reason: frame.FailureReason(failures[address])})
	}
	out.NumFailures = int32(len(out.Failures))
}

// storageError translates what the replica on this node has failed at.
func storageError(out *frame.Error, err error, f Failed) {
	failed := func(code frame.ErrorCode, reason frame.FailureReason) {
		out.Code, out.Consistency, out.BlockFor = code, f.Level, 1
		out.NumFailures, out.Failures = 1, []frame.Failure{{Node: thisNode(), Reason: reason}}
	}
	switch {
	case is[*storage.TombstoneError](err):
		failed(frame.ErrorReadFailure, frame.FailureTooManyTombstones)
	case is[*storage.DiskFullError](err), is[*storage.FailedError](err), is[*storage.DamagedError](err): // it may wrap a CorruptError
		failed(frame.ErrorWriteFailure, frame.FailureUnknown)
		out.WriteType = f.WriteType
	case is[*storage.CorruptError](err):
		failed(frame.ErrorReadFailure, frame.FailureUnknown)
	case errors.Is(err, storage.ErrClosed), errors.Is(err, context.Canceled):
		out.Code, out.Message = frame.ErrorBootstrapping, "the node is stopping" // drivers then ask another node
	case errors.Is(err, context.DeadlineExceeded):
		out.Message = "Operation timed out"
	}
}

// thisNode is the address under which a node speaks of itself while it has no peers.
func thisNode() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func overloaded() *frame.Error {
	return &frame.Error{Code: frame.ErrorOverloaded, Message: "Server is in overloaded state. Cannot accept more requests at this point"}
}

// unprepared says that a client has to prepare a statement again.
func unprepared(id []byte) *frame.Error {
	return &frame.Error{Code: frame.ErrorUnprepared, ID: id,
		Message: "Prepared query with ID " + hexOf(id) + " not found (either the query was not prepared on this host (maybe the host has " +
			"been restarted?) or you have prepared too many queries and it has been evicted from the internal cache)"}
}
