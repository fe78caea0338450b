package frame

import (
	"errors"
	"fmt"
)

// retained is how much memory a buffer keeps when it is empty.
const retained = 64 << 10

// A Reader takes bytes as they come from a connection and finds the frames in them: one after another in versions 3 and 4 and
// during the handshake, in segments after the handshake of version 5. It checks what can be checked without knowing
// messages, decompresses, and puts frames together that span segments.
//
// A Reader does not trust lengths: it holds bytes that were received, and at most twice the memory for them; a
// decompressed body, in addition, is bounded by the limit on bodies and by what the compressed bytes can stand for. The
// bodies of refused frames are dropped as they come.
//
// A Reader is not safe for concurrent use.
type Reader struct {
	responses   bool    // those are expected, not requests
	limit       int     // longest body
	version     Version // agreed upon in the handshake, 0 before
	compression Compression
	segmented   bool

	data  []byte // what was fed; data[at:] is still to be read
	at    int
	owned bool   // data is in own, not in memory of the caller
	own   []byte // keeps what is incomplete

	payload []byte // frames of the current segment that are still to be returned
	large   []byte // the parts so far of a frame that spans segments
	plain   []byte // memory of what is decompressed
	skip    int64  // bytes of a refused body that are still to come
	failed  error  // nothing more can be read
}

// NewServerReader returns a Reader of requests whose bodies have at most maxLength bytes.
func NewServerReader(maxLength int) *Reader { return &Reader{limit: maxLength} }

// NewClientReader returns a Reader of responses whose bodies have at most maxLength bytes.
func NewClientReader(maxLength int) *Reader { return &Reader{limit: maxLength, responses: true} }

// SetMaxLength changes the limit on bodies from the next frame on.
func (r *Reader) SetMaxLength(n int) { r.limit = n }

// Negotiate tells the version and the compression that a STARTUP has asked for. A server calls it when it has taken one:
// what follows is in segments if v is 5 or newer. A client calls it when it has sent one: what follows may be compressed,
// and is in segments from behind READY or AUTHENTICATE. Frames of other versions are refused from then on.
func (r *Reader) Negotiate(v Version, c Compression) {
	r.version, r.compression = v, c
	if !r.responses {
		r.segmented = v >= V5
	}
}

// Feed gives bytes to the Reader, any number of them. The caller must not change b before Next has returned ErrIncomplete.
// The body of the frame returned last becomes invalid.
func (r *Reader) Feed(b []byte) {
	if r.at == len(r.data) {
		r.data, r.at, r.owned = b, 0, false
		return
	}
	r.keep()
	r.own = extend(r.own, b)
	r.data = r.own
}

// extend appends part. It grows to twice the need, for a long frame comes in many parts.
func extend(b, part []byte) []byte {
	if need := len(b) + len(part); cap(b) < need {
		b = append(make([]byte, 0, 2*need), b...)
	}
	return append(b, part...)
}

// keep moves what is still to be read to the front of own.
func (r *Reader) keep() {
	if r.owned && r.at == 0 || r.at == len(r.data) {
		return
	}
	r.own = append(r.own[:0], r.data[r.at:]...)
	r.data, r.at, r.owned = r.own, 0, true
}

// Buffered returns the number of bytes that were fed and do not yet make a frame.
func (r *Reader) Buffered() int { return len(r.data) - r.at + len(r.payload) + len(r.large) }

// Trim gives memory back that the Reader does not need at the moment. It suits connections that have fallen silent.
func (r *Reader) Trim() { r.trim(0) }

func (r *Reader) trim(least int) {
	if r.at == len(r.data) {
		if r.data != nil { // it may be the caller's
			r.data, r.at, r.owned = nil, 0, false
		}
		if cap(r.own) > least {
			r.own = nil
		}
	}
	if len(r.large) == 0 && cap(r.large) > least {
		r.large = nil
	}
	if len(r.payload) == 0 && cap(r.plain) > least {
		r.plain = nil
	}
}

// Next returns the next frame. Its body is valid until Next, Feed or Trim is called. Errors are:
//
//	ErrIncomplete   there is no complete frame: Feed more
//	a FrameError    this frame is refused: answer on its stream; the next one can be read
//	all others      the connection is lost, Next will return the same error again; for a
//	                VersionError there is an answer to send first, see there
func (r *Reader) Next() (f Frame, err error) {
	if r.failed != nil {
		return f, r.failed
	}
	if r.segmented {
		err = r.nextSegmented(&f)
	} else {
		err = r.nextPlain(&f)
	}
	if err == nil {
		return f, nil
	}
	if err == ErrIncomplete {
		r.trim(retained)
		r.keep()
		return Frame{}, err
	}
	if _, ok := errors.AsType[*FrameError](err); !ok {
		r.failed = err
	}
	return Frame{}, err
}

// nextPlain finds the next frame outside of segments.
func (r *Reader) nextPlain(f *Frame) error {
	if r.skip > 0 {
		n := min(r.skip, int64(len(r.data)-r.at))
		r.skip -= n
		r.at += int(n)
	}
	rest := r.data[r.at:]
	if err := f.parse(rest); err != nil {
		return err
	}
	if int64(f.Length) > int64(r.limit) {
		r.at += HeaderSize
		r.skip = int64(f.Length)
		return r.tooLong(f)
	}
	end := HeaderSize + int(f.Length)
	if len(rest) < end {
		return ErrIncomplete
	}
	r.at += end
	f.Body = rest[HeaderSize:end:end]
	return r.open(f)
}

// nextSegmented finds the next frame in the current segment or those behind it.
func (r *Reader) nextSegmented(f *Frame) error {
	for len(r.payload) == 0 {
		h, payload, size, err := parseSegment(r.data[r.at:], r.compression)
		if err != nil {
			return err
		}
		r.at += size
		if h.plain != 0 {
			if payload, err = decompressPayload(r.plain, payload, h); err != nil {
				return err
			}
			r.plain = payload
		}
		if !h.selfContained {
			if err := r.collect(f, payload); err != ErrIncomplete {
				return err
			}
			continue
		}
		if len(r.large) > 0 || r.skip > 0 {
			return &ProtocolError{Reason: "Self-contained segment inside of a frame that spans segments"}
		}
		r.payload = payload
	}
	return r.nextOfPayload(f)
}

// nextOfPayload takes the next frame of a self-contained segment.
func (r *Reader) nextOfPayload(f *Frame) error {
	err := f.parse(r.payload)
	if err == ErrIncomplete || err == nil && int64(f.Length) > int64(len(r.payload)-HeaderSize) {
		return &ProtocolError{Reason: fmt.Sprintf("Self-contained segment ends inside of a frame: %d bytes left", len(r.payload))}
	}
	if err != nil {
		return err
	}
	end := HeaderSize + int(f.Length)
	f.Body = r.payload[HeaderSize:end:end]
	r.payload = r.payload[end:]
	if len(f.Body) > r.limit {
		return r.tooLong(f)
	}
	return r.open(f)
}

// collect adds the payload of a segment to the frame that spans it. Without an error the frame is complete.
func (r *Reader) collect(f *Frame, payload []byte) error {
	if r.skip > 0 {
		if r.skip -= int64(len(payload)); r.skip < 0 {
			return errBehindFrame()
		}
		return ErrIncomplete
	}
	r.large = extend(r.large, payload)
	if err := f.parse(r.large); err != nil {
		return err
	}
	end := HeaderSize + int64(f.Length)
	switch {
	case int64(len(r.large)) > end:
		return errBehindFrame()
	case int64(f.Length) > int64(r.limit):
		r.skip = end - int64(len(r.large))
		r.large = r.large[:0]
		return r.tooLong(f)
	case int64(len(r.large)) < end:
		return ErrIncomplete
	}
	f.Body = r.large[HeaderSize:end:end]
	r.large = r.large[:0]
	return r.open(f)
}

func errBehindFrame() error {
	return &ProtocolError{Reason: "Segment has bytes behind the frame that spans it"}
}

func (r *Reader) tooLong(f *Frame) error {
	return &FrameError{Header: f.Header, Err: &TooLongError{Length: int64(f.Length), Limit: int64(r.limit)}}
}

// open decompresses the body, unless the header is wrong.
func (r *Reader) open(f *Frame) error {
	if err := r.check(&f.Header); err != nil {
		return &FrameError{Header: f.Header, Err: err}
	}
	if f.Opcode == OpReady || f.Opcode == OpAuthenticate {
		r.segmented = r.version >= V5
	}
	// Version 5 ignores the flag; without a compression so does Cassandra.
	compressed := f.Flags&FlagCompressed != 0 && f.Version < V5 && r.compression != NoCompression
	f.Flags &^= FlagCompressed
	if compressed {
		body, err := decompressBody(r.plain, f.Body, r.compression, r.limit)
		if err != nil {
			return &FrameError{Header: f.Header, Err: err}
		}
		r.plain, f.Body = body, body
	}
	return nil
}

// check looks at the header of a frame in the light of the connection.
func (r *Reader) check(h *Header) error {
	switch {
	case !h.Opcode.Known():
		return unknownOpcode(h.Opcode)
	case h.Response != r.responses || h.Opcode.IsResponse() != r.responses:
		return &ProtocolError{Reason: fmt.Sprintf("Wrong protocol direction (expected %s, got %s) for opcode %d (%s)",
			direction(h.Opcode.IsResponse()), direction(h.Response), h.Opcode, h.Opcode)}
	case r.version != 0 && h.Version != r.version:
		return &ProtocolError{Reason: fmt.Sprintf(
			"Invalid message version. Got %s but previous messages on this connection had version %s", h.Version, r.version)}
	}
	return nil
}

func direction(response bool) string {
	if response {
		return "RESPONSE"
	}
	return "REQUEST"
}
