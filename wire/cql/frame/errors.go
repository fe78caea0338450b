package frame

import (
	"errors"
	"fmt"
)

// ErrIncomplete is returned by Reader.Next when all complete frames have been returned: feed more bytes.
var ErrIncomplete = errors.New("more bytes are needed for a frame")

// ProtocolError reports bytes that break the rules of the protocol. It says which message and field are wrong and where.
type ProtocolError struct {
	Message string // the message's name, such as "EXECUTE"; "" for the framing around messages
	Field   string // what was being read
	Offset  int    // where the field begins in the message, behind the frame's header and prologue
	Reason  string
}

// Error is fit to be sent to the client as an ERROR with the code ErrorProtocol.
func (e *ProtocolError) Error() string {
	if e.Message == "" {
		return e.Reason
	}
	return fmt.Sprintf("Invalid %s message: %s at byte %d: %s", e.Message, e.Field, e.Offset, e.Reason)
}

// EncodeError reports a message that the protocol, or the version of it, cannot express. It is a mistake of the caller.
type EncodeError struct {
	Message string // the message's name, such as "EXECUTE"
	Field   string
	Reason  string
}

// Error says what cannot be encoded and why.
func (e *EncodeError) Error() string {
	return fmt.Sprintf("cannot encode %s of %s: %s", e.Field, e.Message, e.Reason)
}

// FrameError reports one frame that Reader.Next refused. The frames behind it can be read: a server answers on the stream
// of Header, and may go on.
type FrameError struct {
	Header Header
	Err    error // a ProtocolError or a TooLongError
}

// Error returns the reason alone, for it is sent to the client.
func (e *FrameError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *FrameError) Unwrap() error { return e.Err }

// TooLongError reports a body longer than the limit of the Reader, compressed or not.
type TooLongError struct {
	Length, Limit int64
}

// Error returns Cassandra's wording.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("Request is too big: length %d exceeds maximum allowed length %d.", e.Length, e.Limit)
}

// ChecksumError reports a segment that was damaged on its way. Nothing behind it can be trusted.
type ChecksumError struct {
	Part           string // "header" or "payload"
	Read, Computed uint32
}

// Error says which checksum is wrong.
func (e *ChecksumError) Error() string {
	return fmt.Sprintf("CRC mismatch in the %s of a segment: read %#x, computed %#x", e.Part, e.Read, e.Computed)
}

func unknownOpcode(o Opcode) error {
	return &ProtocolError{Reason: fmt.Sprintf("Unknown opcode %d", uint8(o))}
}
