package frame

import (
	"encoding/binary"
	"fmt"
)

// The outer framing of version 5 (its section 2). Once the handshake is done, frames travel in segments: a header with a
// CRC24, a payload, and the CRC32 of the payload. All integers are little-endian, and bits are counted from the lowest.
// Without compression the header has 17 bits of payload length and a bit that says whether the payload is whole frames;
// with LZ4 it has 17 bits of length on the wire, 17 of length when decompressed (0: it is not compressed), and that bit.
const (
	maxPayload         = 1<<17 - 1 // decompressed
	segmentTrailerSize = 4
)

// segmentHeader says what the payload of a segment is.
type segmentHeader struct {
	length        int // of the payload on the wire
	plain         int // of the payload when decompressed; 0: it is not compressed
	selfContained bool
}

// segmentHeaderSize returns the number of bytes of a header with its CRC.
func segmentHeaderSize(c Compression) int {
	if c == LZ4 {
		return 8
	}
	return 6
}

// putSegmentHeader writes h over the first bytes of b.
func putSegmentHeader(b []byte, h segmentHeader, c Compression) {
	bits, shift := uint64(h.length), 17
	if c == LZ4 {
		bits |= uint64(h.plain) << 17
		shift = 34
	}
	if h.selfContained {
		bits |= 1 << shift
	}
	n := segmentHeaderSize(c) - 3
	for i := range n {
		b[i] = byte(bits >> (8 * i))
	}
	crc := crc24(b[:n])
	b[n], b[n+1], b[n+2] = byte(crc), byte(crc>>8), byte(crc>>16)
}

// parseSegmentHeader reads a header. It returns ErrIncomplete for too few bytes and a ChecksumError for damaged ones.
func parseSegmentHeader(b []byte, c Compression) (segmentHeader, error) {
	size := segmentHeaderSize(c)
	if len(b) < size {
		return segmentHeader{}, ErrIncomplete
	}
	var bits uint64
	n := size - 3
	for i := range n {
		bits |= uint64(b[i]) << (8 * i)
	}
	read := uint32(b[n]) | uint32(b[n+1])<<8 | uint32(b[n+2])<<16
	if crc := crc24(b[:n]); crc != read {
		return segmentHeader{}, &ChecksumError{Part: "header", Read: read, Computed: crc}
	}
	h := segmentHeader{length: int(bits & maxPayload)}
	shift := 17
	if c == LZ4 {
		h.plain = int(bits >> 17 & maxPayload)
		shift = 34
	}
	h.selfContained = bits>>shift&1 != 0
	return h, nil
}

// parseSegment reads a whole segment from the front of b and returns its payload as it is on the wire, and the number of
// bytes that it takes.
func parseSegment(b []byte, c Compression) (h segmentHeader, payload []byte, size int, err error) {
	if h, err = parseSegmentHeader(b, c); err != nil {
		return h, nil, 0, err
	}
	start := segmentHeaderSize(c)
	end := start + h.length
	size = end + segmentTrailerSize
	if len(b) < size {
		return h, nil, 0, ErrIncomplete
	}
	payload = b[start:end]
	read := binary.LittleEndian.Uint32(b[end:])
	if crc := payloadCRC(payload); crc != read {
		return h, nil, 0, &ChecksumError{Part: "payload", Read: read, Computed: crc}
	}
	return h, payload, size, nil
}

// decompressPayload returns the payload that frames are in, in the memory of dst if there is enough.
func decompressPayload(dst, payload []byte, h segmentHeader) ([]byte, error) {
	if h.plain == 0 {
		return payload, nil
	}
	if h.plain > h.length*lz4Ratio+ratioSlack {
		return nil, &ProtocolError{Reason: fmt.Sprintf("%d compressed bytes cannot stand for %d", h.length, h.plain)}
	}
	return decompressLZ4(dst, payload, h.plain)
}
