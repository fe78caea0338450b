// Package page encodes runs of merged rows.
//
// Rows arrive in storage one entry at a time. Once they have settled, storage folds neighbors
// into a page: a few kilobytes of rows in key order, compressed together, with one checksum.
// That is what makes narrow rows small on disk and slices of them fast: the key-value engine
// below spends some 20 bytes on each entry, and a page is one entry.
//
// A page is stored under its upper bound, a row key: it covers all row keys after the upper
// bound of the page before it, up to and including its own. It has folded in every change to
// that range up to a commit sequence number, Through; a reader ignores older changes it may
// still find in that range. So a page may be there without rows, to cover. An empty page, one
// without a payload, covers nothing: the page that follows covers its range too.
//
// A sealed page is
//
//	crc32c u32 of storage key and rest | head u8 | through uvarint | first local time uvarint
//	| reference timestamp varint | raw size uvarint | payload, zstd-compressed if head says so
//
// and its payload
//
//	shared prefix of all keys: length uvarint, bytes
//	entries: shared with key before uvarint, rest length uvarint, rest, body length uvarint, body
//	offset u32 of every 16th entry, which shares nothing | number of them u32
//
// A body is what package row encodes, with timestamps relative to the page's reference.
package page

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/iliumdb/ilium/storage/row"
)

const (
	headFormat     = 1 << 6
	headFormatMask = 3 << 6
	headCompressed = 1 << 0

	restartInterval = 16
	maxRawSize      = 1 << 30
)

// ErrCorrupt says that bytes are no page, or not the page of that key.
var ErrCorrupt = errors.New("corrupt page")

// A Codec compresses and decompresses pages. It is safe for concurrent use.
type Codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// NewCodec returns a Codec. The caller must Close it.
func NewCodec() (*Codec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(64<<10))
	if err != nil {
		return nil, fmt.Errorf("page compression: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxRawSize), zstd.IgnoreChecksum(true))
	if err != nil {
		return nil, fmt.Errorf("page compression: %w", err)
	}
	return &Codec{encoder: encoder, decoder: decoder}, nil
}

// Close releases what the codec holds.
func (c *Codec) Close() {
	c.encoder.Close() // never fails: it writes to nothing
	c.decoder.Close()
}

// An Info describes a page without its rows.
type Info struct {
	Through   uint64 // every change up to this commit sequence number is in the page
	FirstTime int64  // earliest local time, in seconds, at which something in it may start to be purged
	HasTimes  bool   // whether there is a FirstTime
	RawSize   int    // bytes of the payload before compression; 0 for an empty page
}

// CoverSize is the RawSize of a page without rows that is not empty.
const CoverSize = 5

// appendHead appends all of a page but its checksum and payload.
func appendHead(dst []byte, info Info, head byte, reference int64) []byte {
	dst = append(dst, head|headFormat)
	dst = binary.AppendUvarint(dst, info.Through)
	first := uint64(0)
	if info.HasTimes {
		first = uint64(max(info.FirstTime, 0)) + 1
	}
	dst = binary.AppendUvarint(dst, first)
	dst = binary.AppendVarint(dst, reference)
	return binary.AppendUvarint(dst, uint64(info.RawSize))
}

// parseHead is the inverse of appendHead.
func parseHead(body []byte) (info Info, compressed bool, reference int64, payload []byte, err error) {
	if len(body) == 0 || body[0]&headFormatMask != headFormat {
		return info, false, 0, nil, ErrCorrupt
	}
	compressed = body[0]&headCompressed != 0
	rest := body[1:]
	var fields [2]uint64
	for i := range fields {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return info, false, 0, nil, ErrCorrupt
		}
		fields[i], rest = v, rest[n:]
	}
	info.Through = fields[0]
	if fields[1] > 0 {
		info.FirstTime, info.HasTimes = int64(fields[1]-1), true
	}
	reference, n := binary.Varint(rest)
	if n <= 0 {
		return info, false, 0, nil, ErrCorrupt
	}
	raw, m := binary.Uvarint(rest[n:])
	if m <= 0 || raw > maxRawSize {
		return info, false, 0, nil, ErrCorrupt
	}
	info.RawSize = int(raw)
	return info, compressed, reference, rest[n+m:], nil
}

// Stat checks a sealed page against its storage key and returns what it says of itself, without
// decompressing it.
func Stat(key, sealed []byte) (Info, error) {
	body, ok := row.Open(key, sealed)
	if !ok {
		return Info{}, ErrCorrupt
	}
	info, _, _, _, err := parseHead(body)
	return info, err
}
