package gossip

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/iliumdb/ilium/ring"
)

// DigestSize is the number of bytes of a digest in a message.
const DigestSize = len(ring.HostID{}) + 3*4

// maxText bounds a value, so that no sender can make others keep much.
const maxText = 1 << 10

// A MessageError reports that bytes are no message.
type MessageError struct{ Reason string }

func (e *MessageError) Error() string { return "gossip: " + e.Reason }

// AppendDigests appends digests, DigestSize bytes each: host id, generation, heartbeat and version, the
// numbers big endian.
func AppendDigests(dst []byte, digests []Digest) []byte {
	for _, d := range digests {
		dst = appendStart(dst, d.Host, d.Heartbeat, d.Version)
	}
	return dst
}

// DecodeDigests appends to dst the digests that AppendDigests made b of.
func DecodeDigests(dst []Digest, b []byte) ([]Digest, error) {
	if len(b)%DigestSize != 0 {
		return dst, &MessageError{fmt.Sprintf("%d bytes are no digests", len(b))}
	}
	for ; len(b) > 0; b = b[DigestSize:] {
		var d Digest
		d.Host, d.Heartbeat, d.Version = start(b)
		dst = append(dst, d)
	}
	return dst, nil
}

// AppendDeltas appends deltas. Each begins like a digest, with the version that it comes after; then
// follow the number of values and, ascending by key, each value's key, version, length and text.
func AppendDeltas(dst []byte, deltas []Delta) []byte {
	for _, d := range deltas {
		dst = appendStart(dst, d.Host, d.Heartbeat, d.After)
		dst = append(dst, byte(len(d.Values)))
		for _, key := range slices.Sorted(maps.Keys(d.Values)) {
			v := d.Values[key]
			dst = append(dst, byte(key))
			dst = binary.BigEndian.AppendUint32(dst, v.Version)
			dst = binary.BigEndian.AppendUint16(dst, uint16(len(v.Text)))
			dst = append(dst, v.Text...)
		}
	}
	return dst
}

// DecodeDeltas returns the deltas that AppendDeltas made b of.
func DecodeDeltas(b []byte) ([]Delta, error) {
	var out []Delta
	for len(b) > 0 {
		if len(b) < DigestSize+1 {
			return nil, &MessageError{"a delta is cut off"}
		}
		d := Delta{Values: map[Key]Value{}}
		d.Host, d.Heartbeat, d.After = start(b)
		count := int(b[DigestSize])
		var err error
		if b, err = decodeValues(d.Values, b[DigestSize+1:], count); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// decodeValues reads count values into values, and returns what follows them.
func decodeValues(values map[Key]Value, b []byte, count int) (rest []byte, err error) {
	const head = 1 + 4 + 2
	last := Key(0)
	for i := range count {
		if len(b) < head {
			return nil, &MessageError{"a value is cut off"}
		}
		key, version, length := Key(b[0]), binary.BigEndian.Uint32(b[1:]), int(binary.BigEndian.Uint16(b[5:]))
		switch b = b[head:]; {
		case i > 0 && key <= last:
			return nil, &MessageError{"values are not in order of their keys"}
		case length > maxText:
			return nil, &MessageError{fmt.Sprintf("a value of %d bytes, at most %d", length, maxText)}
		case length > len(b):
			return nil, &MessageError{"a value is cut off"}
		}
		values[key] = Value{version, string(b[:length])}
		last, b = key, b[length:]
	}
	return b, nil
}

func appendStart(dst []byte, host ring.HostID, h Heartbeat, version uint32) []byte {
	dst = append(dst, host[:]...)
	dst = binary.BigEndian.AppendUint32(dst, h.Generation)
	dst = binary.BigEndian.AppendUint32(dst, h.Version)
	return binary.BigEndian.AppendUint32(dst, version)
}

// start reads what appendStart wrote.
func start(b []byte) (host ring.HostID, h Heartbeat, version uint32) {
	n := copy(host[:], b)
	h = Heartbeat{binary.BigEndian.Uint32(b[n:]), binary.BigEndian.Uint32(b[n+4:])}
	return host, h, binary.BigEndian.Uint32(b[n+8:])
}
