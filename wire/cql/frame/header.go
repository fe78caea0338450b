package frame

import (
	"encoding/binary"
	"fmt"
)

const (
	// HeaderSize is the number of bytes in front of the body of a frame.
	HeaderSize = 9

	// MaxLength is the greatest length of a body that the protocol allows.
	MaxLength = 256 << 20

	// DefaultMaxLength is the length of body that Cassandra 5.0 takes unless configured otherwise
	// (native_transport_max_frame_size).
	DefaultMaxLength = 16 << 20

	// HandshakeMaxLength is a limit fit for clients that have not yet authenticated.
	HandshakeMaxLength = 128 << 10

	// EventStream is the stream of EVENT messages.
	EventStream int16 = -1

	oldHeaderSize = 8    // versions 1 and 2
	directionBit  = 0x80 // in the first byte: the frame is a response
)

// An Opcode says which message the body of a frame is.
type Opcode uint8

// The opcodes of versions 3 to 5.
const (
	OpError         Opcode = 0x00
	OpStartup       Opcode = 0x01
	OpReady         Opcode = 0x02
	OpAuthenticate  Opcode = 0x03
	OpOptions       Opcode = 0x05
	OpSupported     Opcode = 0x06
	OpQuery         Opcode = 0x07
	OpResult        Opcode = 0x08
	OpPrepare       Opcode = 0x09
	OpExecute       Opcode = 0x0A
	OpRegister      Opcode = 0x0B
	OpEvent         Opcode = 0x0C
	OpBatch         Opcode = 0x0D
	OpAuthChallenge Opcode = 0x0E
	OpAuthResponse  Opcode = 0x0F
	OpAuthSuccess   Opcode = 0x10
)

// opcodeNames is indexed by Opcode; "" means there is no such message.
var opcodeNames = [...]string{
	OpError: "ERROR", OpStartup: "STARTUP", OpReady: "READY", OpAuthenticate: "AUTHENTICATE", OpOptions: "OPTIONS",
	OpSupported: "SUPPORTED", OpQuery: "QUERY", OpResult: "RESULT", OpPrepare: "PREPARE", OpExecute: "EXECUTE",
	OpRegister: "REGISTER", OpEvent: "EVENT", OpBatch: "BATCH", OpAuthChallenge: "AUTH_CHALLENGE",
	OpAuthResponse: "AUTH_RESPONSE", OpAuthSuccess: "AUTH_SUCCESS",
}

// Known reports whether there is a message of that opcode.
func (o Opcode) Known() bool { return int(o) < len(opcodeNames) && opcodeNames[o] != "" }

// IsResponse reports whether servers send the message, not clients.
func (o Opcode) IsResponse() bool {
	switch o {
	case OpError, OpReady, OpAuthenticate, OpSupported, OpResult, OpEvent, OpAuthChallenge, OpAuthSuccess:
		return true
	default:
		return false
	}
}

// String returns the name of the message, such as "EXECUTE".
func (o Opcode) String() string {
	if !o.Known() {
		return fmt.Sprintf("UNKNOWN(%d)", uint8(o))
	}
	return opcodeNames[o]
}

// Flags are the flags in the header of a frame.
type Flags uint8

// The flags. Those that announce a part of a Prologue are set and read by it.
const (
	FlagCompressed    Flags = 0x01 // the body is compressed; versions 3 and 4 only
	FlagTracing       Flags = 0x02 // request: trace this; response: a trace id leads the body
	FlagCustomPayload Flags = 0x04 // version 4 and newer
	FlagWarning       Flags = 0x08 // responses of version 4 and newer
	FlagBeta          Flags = 0x10 // the client agrees to a version that is in beta
)

// A Header is what stands in front of the body of a frame.
type Header struct {
	Version  Version
	Response bool // sent by a server
	Flags    Flags
	Stream   int16 // chosen by the client, never negative; -1 for events
	Opcode   Opcode
	Length   uint32 // of the body on the wire
}

// AppendHeader appends h.
func AppendHeader(dst []byte, h Header) []byte {
	first := byte(h.Version)
	if h.Response {
		first |= directionBit
	}
	dst = append(dst, first, byte(h.Flags), byte(h.Stream>>8), byte(h.Stream), byte(h.Opcode))
	return binary.BigEndian.AppendUint32(dst, h.Length)
}

// parse reads a header from the front of b. It returns ErrIncomplete for too few bytes and a VersionError for versions that
// are not supported; opcode and length may be anything.
func (h *Header) parse(b []byte) error {
	if len(b) < HeaderSize {
		if len(b) > 0 && !Version(b[0]&^directionBit).Supported() {
			return unsupported(b)
		}
		return ErrIncomplete
	}
	h.Version = Version(b[0] &^ directionBit)
	if !h.Version.Supported() {
		return unsupported(b)
	}
	h.Response = b[0]&directionBit != 0
	h.Flags = Flags(b[1])
	h.Stream = int16(binary.BigEndian.Uint16(b[2:]))
	h.Opcode = Opcode(b[4])
	h.Length = binary.BigEndian.Uint32(b[5:])
	return nil
}

// unsupported waits for as much of a header as tells the stream; an answer on another one would not be understood.
func unsupported(b []byte) error {
	switch v := b[0] &^ directionBit; {
	case v < uint8(V3) && len(b) >= 3:
		return &VersionError{Version: v, Stream: int16(int8(b[2]))}
	case v > uint8(MaxVersion) && len(b) >= 4:
		return &VersionError{Version: v, Stream: int16(binary.BigEndian.Uint16(b[2:]))}
	default:
		return ErrIncomplete
	}
}

// A Frame is one message as it was received: its header and its body, decompressed. What the message says is found by
// DecodePrologue followed by the Decode method of the type that belongs to the opcode.
type Frame struct {
	Header
	Body []byte // of the Reader; valid until it is called again
}

// AppendFrame appends a whole frame with one message, not compressed. prologue may be nil. It fails with an
// EncodeError if the message cannot be expressed in that version; dst is then returned as it was.
func AppendFrame(dst []byte, v Version, stream int16, prologue *Prologue, message Message) ([]byte, error) {
	start := len(dst)
	opcode := message.Opcode()
	h := Header{Version: v, Response: opcode.IsResponse(), Stream: stream, Opcode: opcode}
	if prologue != nil {
		h.Flags = prologue.flags(v, h.Response)
	}
	out := AppendHeader(dst, h)
	var err error
	if h.Flags != 0 {
		if out, err = prologue.append(out, h); err != nil {
			return dst, err
		}
	}
	if out, err = message.Encode(out, v); err != nil {
		return dst, err
	}
	length := len(out) - start - HeaderSize
	if length > MaxLength {
		return dst, &EncodeError{Message: opcode.String(), Field: "body",
			Reason: fmt.Sprintf("%d bytes, the protocol allows %d", length, MaxLength)}
	}
	binary.BigEndian.PutUint32(out[start+5:], uint32(length))
	return out, nil
}
