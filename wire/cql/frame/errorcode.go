package frame

import "fmt"

// An ErrorCode says what kind of error an Error is.
type ErrorCode int32

// The codes (section 8 of version 5). Behind them: the fields of Error that they use, besides Message.
const (
	ErrorServer          ErrorCode = 0x0000 // a bug of the server
	ErrorProtocol        ErrorCode = 0x000A // the client broke the protocol
	ErrorBadCredentials  ErrorCode = 0x0100
	ErrorUnavailable     ErrorCode = 0x1000 // Consistency, Required, Alive
	ErrorOverloaded      ErrorCode = 0x1001
	ErrorBootstrapping   ErrorCode = 0x1002
	ErrorTruncate        ErrorCode = 0x1003
	ErrorWriteTimeout    ErrorCode = 0x1100 // Consistency, Received, BlockFor, WriteType, Contentions
	ErrorReadTimeout     ErrorCode = 0x1200 // Consistency, Received, BlockFor, DataPresent
	ErrorReadFailure     ErrorCode = 0x1300 // Consistency, Received, BlockFor, Failures, NumFailures, DataPresent
	ErrorFunctionFailure ErrorCode = 0x1400 // Keyspace, Name, Arguments
	ErrorWriteFailure    ErrorCode = 0x1500 // Consistency, Received, BlockFor, Failures, NumFailures, WriteType
	ErrorCDCWriteFailure ErrorCode = 0x1600
	ErrorCASWriteUnknown ErrorCode = 0x1700 // Consistency, Received, BlockFor
	ErrorSyntax          ErrorCode = 0x2000
	ErrorUnauthorized    ErrorCode = 0x2100
	ErrorInvalid         ErrorCode = 0x2200
	ErrorConfig          ErrorCode = 0x2300
	ErrorAlreadyExists   ErrorCode = 0x2400 // Keyspace, Name ("" for a keyspace)
	ErrorUnprepared      ErrorCode = 0x2500 // ID
)

// String returns Cassandra's name of the code, such as "WRITE_TIMEOUT".
func (c ErrorCode) String() string {
	names := [...]struct {
		code ErrorCode
		name string
	}{
		{ErrorServer, "SERVER_ERROR"}, {ErrorProtocol, "PROTOCOL_ERROR"}, {ErrorBadCredentials, "BAD_CREDENTIALS"},
		{ErrorUnavailable, "UNAVAILABLE"}, {ErrorOverloaded, "OVERLOADED"}, {ErrorBootstrapping, "IS_BOOTSTRAPPING"},
		{ErrorTruncate, "TRUNCATE_ERROR"}, {ErrorWriteTimeout, "WRITE_TIMEOUT"}, {ErrorReadTimeout, "READ_TIMEOUT"},
		{ErrorReadFailure, "READ_FAILURE"}, {ErrorFunctionFailure, "FUNCTION_FAILURE"},
		{ErrorWriteFailure, "WRITE_FAILURE"}, {ErrorCDCWriteFailure, "CDC_WRITE_FAILURE"},
		{ErrorCASWriteUnknown, "CAS_WRITE_UNKNOWN"}, {ErrorSyntax, "SYNTAX_ERROR"}, {ErrorUnauthorized, "UNAUTHORIZED"},
		{ErrorInvalid, "INVALID"}, {ErrorConfig, "CONFIG_ERROR"}, {ErrorAlreadyExists, "ALREADY_EXISTS"},
		{ErrorUnprepared, "UNPREPARED"},
	}
	for _, n := range names {
		if n.code == c {
			return n.name
		}
	}
	return fmt.Sprintf("UNKNOWN(%#04x)", int32(c))
}

// Types of writes that time out or fail.
const (
	WriteSimple        = "SIMPLE"
	WriteBatch         = "BATCH" // logged, and in the log
	WriteUnloggedBatch = "UNLOGGED_BATCH"
	WriteCounter       = "COUNTER"
	WriteBatchLog      = "BATCH_LOG"
	WriteCAS           = "CAS"
	WriteView          = "VIEW"
	WriteCDC           = "CDC"
)

// A FailureReason says why a replica failed.
type FailureReason uint16

// The reasons, as Cassandra 5.0 numbers them.
const (
	FailureUnknown            FailureReason = 0
	FailureTooManyTombstones  FailureReason = 1
	FailureTimeout            FailureReason = 2
	FailureIncompatibleSchema FailureReason = 3
	FailureReadSize           FailureReason = 4
	FailureNodeDown           FailureReason = 5
	FailureIndexNotAvailable  FailureReason = 6
	FailureTooManyIndexes     FailureReason = 7
)
