package peer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/s2"
)

const (
	headerSize = 28
	// unlimited is the remaining time of a request without a deadline.
	unlimited = math.MaxUint32
	// compressedFlag is added to the kind of a frame whose payload is compressed.
	compressedFlag = 0x80
)

// A kind says what a frame is.
type kind uint8

const (
	kindRequest kind = iota + 1
	kindAnswer
	kindFailure
	kindPing
	kindPong
)

// A header precedes the payload of a frame.
type header struct {
	length     int
	kind       kind
	compressed bool
	verb       Verb
	code       uint16
	id         uint64
	remaining  uint32 // milliseconds
	checksum   uint32 // of the payload
}

// castagnoli is the table of the polynomial that processors know.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// put writes h to the first headerSize bytes of b.
func (h *header) put(b []byte) {
	_ = b[headerSize-1]
	binary.LittleEndian.PutUint32(b, uint32(h.length))
	b[4] = byte(h.kind)
	if h.compressed {
		b[4] |= compressedFlag
	}
	b[5] = byte(h.verb)
	binary.LittleEndian.PutUint16(b[6:], h.code)
	binary.LittleEndian.PutUint64(b[8:], h.id)
	binary.LittleEndian.PutUint32(b[16:], h.remaining)
	binary.LittleEndian.PutUint32(b[20:], h.checksum)
	binary.LittleEndian.PutUint32(b[24:], checksum(b[:24]))
}

// parse reads a header whose payload has at most limit bytes.
func (h *header) parse(b []byte, limit int) error {
	_ = b[headerSize-1]
	if binary.LittleEndian.Uint32(b[24:]) != checksum(b[:24]) {
		return &frameError{"checksum of the header"}
	}
	length := binary.LittleEndian.Uint32(b)
	if int64(length) > int64(limit) {
		return &frameError{fmt.Sprintf("%d bytes, at most %d", length, limit)}
	}
	*h = header{
		length: int(length), kind: kind(b[4] &^ compressedFlag), compressed: b[4]&compressedFlag != 0, verb: Verb(b[5]),
		code: binary.LittleEndian.Uint16(b[6:]), id: binary.LittleEndian.Uint64(b[8:]),
		remaining: binary.LittleEndian.Uint32(b[16:]), checksum: binary.LittleEndian.Uint32(b[20:]),
	}
	if h.kind < kindRequest || h.kind > kindPong {
		return &frameError{fmt.Sprintf("unknown kind %d", h.kind)}
	}
	return nil
}

// decodedLen returns how long the payload is when it is not compressed, which is at most limit.
func (h *header) decodedLen(payload []byte, limit int) (int, error) {
	if !h.compressed {
		return len(payload), nil
	}
	n, err := s2.DecodedLen(payload)
	if err != nil || n > limit {
		return 0, &frameError{"compressed payload"}
	}
	return n, nil
}

// decode writes the payload to b, which has the decoded length.
func (h *header) decode(b, payload []byte) error {
	if !h.compressed {
		copy(b, payload)
		return nil
	}
	if len(b) == 0 { // s2 must have something to take as its target
		b = make([]byte, 1)[:0:1]
	}
	d, err := s2.Decode(b[:len(b):len(b)], payload)
	if err != nil || len(d) != len(b) {
		return &frameError{"compressed payload"}
	}
	return nil
}

const (
	inputSize = 32 << 10
	// keptSize is how large a buffer stays.
	keptSize = 64 << 10
)

// An input reads frames. Memory grows with the bytes that are there, not with those that were announced.
type input struct {
	r       io.Reader
	limit   int                // bytes of a payload
	heard   func(partial bool) // called when bytes have arrived; partial: in the middle of a frame
	buffer  []byte
	at, end int    // what of buffer was read and not returned
	scratch []byte // for decode
}

// next returns a frame. Its payload is valid until the next call.
func (in *input) next() (h header, payload []byte, err error) {
	if in.at == in.end {
		in.at, in.end = 0, 0
		if len(in.buffer) > keptSize {
			in.buffer = nil
		}
	}
	if err := in.fill(headerSize); err != nil {
		return h, nil, err
	}
	if err := h.parse(in.buffer[in.at:], in.limit); err != nil {
		return h, nil, err
	}
	if err := in.fill(headerSize + h.length); err != nil {
		return h, nil, err
	}
	payload = in.buffer[in.at+headerSize : in.at+headerSize+h.length]
	in.at += headerSize + h.length
	if checksum(payload) != h.checksum {
		return h, nil, &frameError{"checksum of the payload"}
	}
	return h, payload, nil
}

// fill reads until n bytes are there.
func (in *input) fill(n int) error {
	for in.end-in.at < n {
		if in.end == len(in.buffer) || in.at > 0 && len(in.buffer)-in.at < n {
			in.makeRoom(n)
		}
		k, err := in.r.Read(in.buffer[in.end:])
		in.end += k
		if k > 0 {
			in.heard(in.end-in.at < n)
			continue
		}
		if err == io.EOF && in.end > in.at {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeRoom moves what is there to the beginning of the buffer, a larger one if it is full.
func (in *input) makeRoom(n int) {
	old := in.buffer[in.at:in.end]
	if len(old) >= len(in.buffer) {
		in.buffer = make([]byte, max(inputSize, min(2*len(old), n)))
	}
	copy(in.buffer, old)
	in.at, in.end = 0, len(old)
}

// decode returns a payload as it was before it was compressed, valid until the next call.
func (in *input) decode(h *header, payload []byte) ([]byte, error) {
	if !h.compressed {
		return payload, nil
	}
	n, err := h.decodedLen(payload, in.limit)
	if err != nil {
		return nil, err
	}
	if cap(in.scratch) < n {
		in.scratch = make([]byte, n)
	}
	b := in.scratch[:n]
	if n > keptSize {
		in.scratch = nil
	}
	return b, h.decode(b, payload)
}
