package frame

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/pierrec/lz4/v4"
)

// A Compression is what a client may choose in STARTUP. In versions 3 and 4 it compresses the bodies of frames, in
// version 5 the segments in which frames travel.
type Compression uint8

// The compressions. Version 5 knows no Snappy.
const (
	NoCompression Compression = iota
	LZ4
	Snappy
)

// String returns the name that OptionCompression has for c, "" for none.
func (c Compression) String() string {
	switch c {
	case LZ4:
		return "lz4"
	case Snappy:
		return "snappy"
	default:
		return ""
	}
}

// ParseCompression returns the compression of that name, in any case of letters, if version v has it; "" is none. The errors
// are ProtocolErrors in Cassandra's wording.
func ParseCompression(name string, v Version) (Compression, error) {
	switch strings.ToLower(name) {
	case "":
		return NoCompression, nil
	case "lz4":
		return LZ4, nil
	case "snappy":
		if v >= V5 {
			return 0, &ProtocolError{Reason: "Snappy compression is not supported in protocol V5"}
		}
		return Snappy, nil
	default:
		return 0, &ProtocolError{Reason: "Unknown compression algorithm: " + name}
	}
}

// leastCompressed is the length from which on compressing is tried: what is shorter hardly gets any shorter.
const leastCompressed = 128

// The highest factors by which the formats compress: what claims more is not even allocated for. LZ4 has one byte for 255 of
// a match, Snappy has three bytes for a copy of 64.
const (
	lz4Ratio    = 255
	snappyRatio = 64
	ratioSlack  = 64 // bytes
)

// appendCompressedBody appends a body as versions 3 and 4 compress it: LZ4 with the length in front, Snappy as it is.
func appendCompressedBody(dst, body []byte, c Compression) []byte {
	start := len(dst)
	if c == Snappy {
		dst = slices.Grow(dst, s2.MaxEncodedLen(len(body)))
		return dst[:start+len(s2.EncodeSnappy(dst[start:cap(dst)], body))]
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	return appendLZ4(dst, body)
}

// appendLZ4 appends src as an LZ4 block.
func appendLZ4(dst, src []byte) []byte {
	dst = slices.Grow(dst, lz4.CompressBlockBound(len(src)))
	start := len(dst)
	// It cannot fail: there is as much room as it may ever need.
	n, _ := lz4.CompressBlock(src, dst[start:cap(dst)], nil)
	return dst[:start+n]
}

// decompressBody returns what body, of a frame of version 3 or 4, was before compression, in the memory of dst if there is
// enough. Nothing is allocated for a length beyond limit, nor for one that so few bytes cannot stand for.
func decompressBody(dst, body []byte, c Compression, limit int) ([]byte, error) {
	if c == LZ4 {
		if len(body) < 4 {
			return nil, &ProtocolError{Reason: "LZ4 body without a length"}
		}
		length, block := int(binary.BigEndian.Uint32(body)), body[4:]
		if err := checkRatio(length, len(block), lz4Ratio, limit); err != nil {
			return nil, err
		}
		return decompressLZ4(dst, block, length)
	}
	length, err := s2.DecodedLen(body)
	if err != nil {
		return nil, &ProtocolError{Reason: "Provided frame does not appear to be Snappy compressed"}
	}
	if err := checkRatio(length, len(body), snappyRatio, limit); err != nil {
		return nil, err
	}
	out, err := s2.Decode(sized(dst, length), body)
	if err != nil {
		return nil, &ProtocolError{Reason: "Snappy body is damaged: " + err.Error()}
	}
	return out, nil
}

func checkRatio(length, compressed, ratio, limit int) error {
	if length > limit {
		return &TooLongError{Length: int64(length), Limit: int64(limit)}
	}
	if length > compressed*ratio+ratioSlack {
		return &ProtocolError{Reason: fmt.Sprintf("%d compressed bytes cannot stand for %d", compressed, length)}
	}
	return nil
}

// decompressLZ4 returns the length bytes that the block src stands for, in the memory of dst if there is enough.
func decompressLZ4(dst, src []byte, length int) ([]byte, error) {
	if length == 0 {
		return dst[:0], nil // Cassandra looks no further either
	}
	dst = sized(dst, length)
	n, err := lz4.UncompressBlock(src, dst)
	if err == nil && n != length {
		err = fmt.Errorf("%d bytes announced, it has %d", length, n)
	}
	if err != nil {
		return nil, &ProtocolError{Reason: "LZ4 block is damaged: " + err.Error()}
	}
	return dst, nil
}

// sized returns a slice of n bytes, in the memory of b if there is enough.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
