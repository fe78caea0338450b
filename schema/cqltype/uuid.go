package cqltype

import (
	"encoding/binary"
	"encoding/hex"
)

// UUID is the Go form of a CQL uuid or timeuuid.
type UUID [16]byte

// String returns u in the usual form of 36 lower-case characters.
func (u UUID) String() string {
	var buf [36]byte
	return string(u.append(buf[:0]))
}

func (u UUID) append(dst []byte) []byte {
	for i, group := range [...][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}

// ParseUUID reads the usual form, groups of 8, 4, 4, 4 and 12 hexadecimal digits in any case; anything else is
// a ValueError.
func ParseUUID(text string) (UUID, error) {
	var u UUID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, invalid("Unable to make UUID from '%s'", text)
	}
	at := 0
	for _, group := range [...]string{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n, err := hex.Decode(u[at:], []byte(group))
		if err != nil {
			return u, invalid("Unable to make UUID from '%s'", text)
		}
		at += n
	}
	return u, nil
}

// Version returns the version number in u, 1 for a time-based one.
func (u UUID) Version() int { return int(u[6] >> 4) }

// uuidCodec is uuid and timeuuid. A uuid sorts by version, then by time if it has version 1 and by its first
// eight bytes otherwise, then by the last eight bytes as unsigned ones. A timeuuid sorts by time, then by the last
// eight bytes as signed ones.
type uuidCodec struct {
	time bool
}

func (c uuidCodec) validate(v []byte) error {
	switch {
	case len(v) == 0:
		return nil
	case len(v) != 16:
		return invalid("UUID should be 16 or 0 bytes (%d)", len(v))
	case c.time && v[6]>>4 != 1:
		return invalid("Invalid version for TimeUUID type: 0x%x", v[6]>>4)
	}
	return nil
}

// signBits has the sign bit of each of eight bytes set.
const signBits = 0x8080808080808080

// order turns a UUID into two numbers that compare unsigned as the UUIDs do.
func (c uuidCodec) order(high, low uint64) (uint64, uint64) {
	version := high >> 12 & 0xF
	switch {
	case c.time:
		return timeFirst(high), low ^ signBits
	case version == 1:
		return timeFirst(high), low
	}
	// The version moves to the front; the twelve bits behind it stay at the end.
	return version<<60 | high>>4&^0xFFF | high&0xFFF, low
}

// unorder undoes order.
func (c uuidCodec) unorder(high, low uint64) (uint64, uint64) {
	version := high >> 60
	switch {
	case c.time:
		return timeLast(high), low ^ signBits
	case version == 1:
		return timeLast(high), low
	}
	return high&0x0FFFFFFFFFFFF000<<4 | version<<12 | high&0xFFF, low
}

// timeFirst brings the time fields of a version 1 UUID, which are stored least significant first, into order.
// The version comes out in front.
func timeFirst(high uint64) uint64 {
	return high<<48 | high<<16&0xFFFF00000000 | high>>32
}

func timeLast(high uint64) uint64 {
	return high<<32 | high>>16&0xFFFF0000 | high>>48
}

func (c uuidCodec) compare(a, b []byte) int {
	if len(a) != 16 || len(b) != 16 {
		return compareOddSizes(a, b, 16)
	}
	highA, lowA := c.order(binary.BigEndian.Uint64(a), binary.BigEndian.Uint64(a[8:]))
	highB, lowB := c.order(binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]))
	if highA == highB {
		highA, highB = lowA, lowB
	}
	switch {
	case highA < highB:
		return -1
	case highA > highB:
		return 1
	}
	return 0
}

func (c uuidCodec) appendKey(dst, v []byte) []byte {
	if len(v) != 16 {
		return appendOddSize(dst, v)
	}
	high, low := c.order(binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:]))
	dst = binary.BigEndian.AppendUint64(append(dst, markValue), high)
	return binary.BigEndian.AppendUint64(dst, low)
}

func (c uuidCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	out, rest, regular, err := readFixed(dst, key, mask, 16)
	if regular && err == nil {
		high, low := c.unorder(binary.BigEndian.Uint64(out[start:]), binary.BigEndian.Uint64(out[start+8:]))
		binary.BigEndian.PutUint64(out[start:], high)
		binary.BigEndian.PutUint64(out[start+8:], low)
	}
	return out, rest, err
}

func (uuidCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	return skipFixed(key, mask, 16)
}

func (uuidCodec) accepts(k LiteralKind) bool { return k == LiteralUUID }

func (c uuidCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	return c.appendParsed(nil, text)
}

func (c uuidCodec) appendParsed(dst []byte, text string) ([]byte, error) {
	u, err := ParseUUID(text)
	switch {
	case err != nil && c.time:
		return dst, invalid("Unknown timeuuid representation: %s", text)
	case err != nil:
		return dst, err
	case c.time && u.Version() != 1:
		return dst, invalid("TimeUUID supports only version 1 UUIDs")
	}
	return append(dst, u[:]...), nil
}

func (uuidCodec) appendText(dst, v []byte, _ style) []byte { return UUID(v).append(dst) }

func (c uuidCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case UUID:
		out = append(dst, v[:]...)
	case [16]byte:
		out = append(dst, v[:]...)
	case []byte:
		if len(v) != 16 {
			return dst, true, invalid("UUID should be 16 or 0 bytes (%d)", len(v))
		}
		out = append(dst, v...)
	case string:
		out, err = c.appendParsed(dst, v)
		return out, true, err
	default:
		return dst, false, nil
	}
	return out, true, c.validate(out[len(dst):])
}

func (c uuidCodec) decode(v []byte, dest any) (ok bool, err error) {
	if len(v) != 16 {
		return true, c.validate(v)
	}
	switch d := dest.(type) {
	case *UUID:
		*d = UUID(v)
	case *[16]byte:
		*d = [16]byte(v)
	case *[]byte:
		*d = append([]byte{}, v...)
	case *string:
		*d = UUID(v).String()
	default:
		return false, nil
	}
	return true, nil
}

func (uuidCodec) goValue(v []byte) (any, error) { return UUID(v), nil }
