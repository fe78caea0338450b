package frame

import (
	"net/netip"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// Error is ERROR: the answer to a request that was not done. It is an error too, so that clients can return it. Which
// fields have a meaning depends on Code; the others are zero after Decode and ignored by Encode.
type Error struct {
	Code    ErrorCode
	Message string

	Consistency consistency.Level
	Required    int32 // replicas that must be alive
	Alive       int32 // replicas that are

	BlockFor int32 // replicas that must answer
	Received int32 // replicas that have answered

	Failures    []Failure // who failed and why, for version 5
	NumFailures int32     // for version 4; the length of Failures if zero

	WriteType   string // such as WriteSimple
	Contentions uint16 // of a WriteCAS that timed out, for version 5
	DataPresent bool   // the replica that was asked for data, and not for a digest, has answered

	Keyspace  string
	Name      string   // of the table or function
	Arguments []string // CQL types of the arguments of the function
	ID        []byte   // of the statement that is not prepared here
}

// Failure tells of a replica that failed.
type Failure struct {
	Node   netip.Addr
	Reason FailureReason
}

// Error returns the code and the message.
func (er *Error) Error() string { return er.Code.String() + ": " + er.Message }

// Opcode returns OpError.
func (*Error) Opcode() Opcode { return OpError }

// Decode implements Message. Codes that are not known have nothing but a message.
func (er *Error) Decode(body []byte, v Version) error {
	d := decoder{message: "ERROR", body: body}
	*er = Error{Code: ErrorCode(d.int("code")), Message: d.string("message"), Failures: er.Failures, Arguments: er.Arguments}
	failures := er.Failures
	er.Failures, er.Arguments = er.Failures[:0], er.Arguments[:0]
	switch er.Code {
	case ErrorUnavailable:
		er.Consistency = d.level("consistency")
		er.Required, er.Alive = d.int("required"), d.int("alive")
	case ErrorWriteTimeout:
		er.decodeCounts(&d)
		er.WriteType = d.string("write type")
		if v >= V5 && er.WriteType == WriteCAS {
			er.Contentions = uint16(d.short("contentions"))
		}
	case ErrorReadTimeout:
		er.decodeCounts(&d)
		er.DataPresent = d.byte("data present") != 0
	case ErrorReadFailure:
		er.decodeCounts(&d)
		er.decodeFailures(&d, failures, v)
		er.DataPresent = d.byte("data present") != 0
	case ErrorWriteFailure:
		er.decodeCounts(&d)
		er.decodeFailures(&d, failures, v)
		er.WriteType = d.string("write type")
	case ErrorCASWriteUnknown:
		er.decodeCounts(&d)
	case ErrorFunctionFailure:
		er.Keyspace, er.Name = d.string("keyspace"), d.string("function")
		er.Arguments = d.stringList("arguments", er.Arguments)
	case ErrorAlreadyExists:
		er.Keyspace, er.Name = d.string("keyspace"), d.string("table")
	case ErrorUnprepared:
		er.ID = d.shortBytes("statement id")
	}
	return d.result()
}

func (er *Error) decodeCounts(d *decoder) {
	er.Consistency = d.level("consistency")
	er.Received, er.BlockFor = d.int("received"), d.int("block for")
}

func (er *Error) decodeFailures(d *decoder, into []Failure, v Version) {
	if v < V5 {
		er.NumFailures = d.int("number of failures")
		return
	}
	const least = 7 // an IPv4 address with its length, and a reason
	er.Failures = reuse(into, d.longCount("number of failures", least))
	for i := range er.Failures {
		er.Failures[i].Node = d.addr("failed node")
		er.Failures[i].Reason = FailureReason(d.short("reason of a failure"))
	}
	er.NumFailures = int32(len(er.Failures))
}

// In returns er in the form in which version v can express it, as Cassandra translates: version 3 has timeouts for
// failures and an invalid request for a failed function or CDC write; an unknown result of a conditional update is a write
// timeout before version 5. Encode does it by itself.
func (er *Error) In(v Version) *Error {
	out := *er
	out.Failures, out.NumFailures = nil, 0
	switch {
	case v < V4 && er.Code == ErrorReadFailure:
		out.Code = ErrorReadTimeout
	case v < V4 && er.Code == ErrorWriteFailure:
		out.Code = ErrorWriteTimeout
	case v < V4 && (er.Code == ErrorFunctionFailure || er.Code == ErrorCDCWriteFailure):
		out = Error{Code: ErrorInvalid, Message: "ERROR " + er.Error()}
	case v < V5 && er.Code == ErrorCASWriteUnknown:
		out.Code, out.WriteType = ErrorWriteTimeout, WriteCAS
	default:
		return er
	}
	return &out
}

// Encode implements Message.
func (er *Error) Encode(dst []byte, v Version) ([]byte, error) {
	er = er.In(v)
	e := newEncoder("ERROR", dst)
	e.int(int32(er.Code))
	e.string("message", er.Message)
	switch er.Code {
	case ErrorUnavailable:
		e.short("consistency", int(er.Consistency))
		e.int(er.Required)
		e.int(er.Alive)
	case ErrorWriteTimeout:
		er.encodeCounts(&e)
		e.string("write type", er.WriteType)
		if v >= V5 && er.WriteType == WriteCAS {
			e.short("contentions", int(er.Contentions))
		}
	case ErrorReadTimeout:
		er.encodeCounts(&e)
		e.bool(er.DataPresent)
	case ErrorReadFailure:
		er.encodeCounts(&e)
		er.encodeFailures(&e, v)
		e.bool(er.DataPresent)
	case ErrorWriteFailure:
		er.encodeCounts(&e)
		er.encodeFailures(&e, v)
		e.string("write type", er.WriteType)
	case ErrorCASWriteUnknown:
		er.encodeCounts(&e)
	case ErrorFunctionFailure:
		e.string("keyspace", er.Keyspace)
		e.string("function", er.Name)
		e.stringList("arguments", er.Arguments)
	case ErrorAlreadyExists:
		e.string("keyspace", er.Keyspace)
		e.string("table", er.Name)
	case ErrorUnprepared:
		e.shortBytes("statement id", er.ID)
	}
	return e.result()
}

func (er *Error) encodeCounts(e *encoder) {
	e.short("consistency", int(er.Consistency))
	e.int(er.Received)
	e.int(er.BlockFor)
}

func (er *Error) encodeFailures(e *encoder, v Version) {
	if v >= V5 {
		e.size("number of failures", len(er.Failures))
		for _, f := range er.Failures {
			e.addr("failed node", f.Node)
			e.short("reason of a failure", int(f.Reason))
		}
		return
	}
	n := er.NumFailures
	if n == 0 {
		n = int32(len(er.Failures))
	}
	e.int(n)
}

func (e *encoder) bool(b bool) {
	if b {
		e.byte(1)
	} else {
		e.byte(0)
	}
}
