package cqltype

import (
	"encoding/binary"
	"strconv"
	"time"
)

// timestampCodec is timestamp: milliseconds since 1970-01-01T00:00Z in 8 bytes.
type timestampCodec struct{ fixed }

func (timestampCodec) validate(v []byte) error {
	if len(v) != 8 && len(v) != 0 {
		return invalid("Expected 8 or 0 byte long for date (%d)", len(v))
	}
	return nil
}

func (timestampCodec) accepts(k LiteralKind) bool { return k == LiteralString || k == LiteralInteger }

// fromLiteral gives zero bytes for an empty string, as Cassandra does.
func (timestampCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	if text == "" {
		return []byte{}, nil
	}
	ms, err := parseTimestamp(text)
	if err != nil {
		return nil, err
	}
	return appendInt(nil, 8, ms), nil
}

// appendText falls back on milliseconds since 1970 for people, as cqlsh does for times that Python cannot show.
func (timestampCodec) appendText(dst, v []byte, s style) []byte {
	ms := readInt(v)
	t := time.UnixMilli(ms).UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return strconv.AppendInt(dst, ms, 10)
	}
	if s.literal || s.nested {
		dst = append(dst, '\'')
	}
	dst = DateOf(t).append(dst)
	nanos := ((ms%msPerDay + msPerDay) % msPerDay) * int64(time.Millisecond)
	if s.literal {
		dst = append(dst, 'T')
		dst = appendClock(dst, nanos, 3)
		dst = append(dst, 'Z')
	} else {
		dst = append(dst, ' ')
		dst = appendClock(dst, nanos, 6)
		dst = append(dst, "+0000"...)
	}
	if s.literal || s.nested {
		dst = append(dst, '\'')
	}
	return dst
}

const msPerDay = secondsPerDay * 1000

func (timestampCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	var ms int64
	switch v := v.(type) {
	case time.Time:
		if ms = v.UnixMilli(); time.UnixMilli(ms).Unix() != v.Unix() {
			return dst, true, invalid("year %d is out of the range of a timestamp", v.Year())
		}
	case int64:
		ms = v
	case string:
		if ms, err = parseTimestamp(v); err != nil {
			return dst, true, err
		}
	default:
		return dst, false, nil
	}
	return binary.BigEndian.AppendUint64(dst, uint64(ms)), true, nil
}

func (c timestampCodec) decode(v []byte, dest any) (ok bool, err error) {
	if len(v) != 8 {
		return true, c.validate(v)
	}
	switch d := dest.(type) {
	case *time.Time:
		*d = time.UnixMilli(readInt(v)).UTC()
	case *int64:
		*d = readInt(v)
	case *string:
		*d = time.UnixMilli(readInt(v)).UTC().Format("2006-01-02T15:04:05.000Z")
	default:
		return false, nil
	}
	return true, nil
}

func (timestampCodec) goValue(v []byte) (any, error) { return time.UnixMilli(readInt(v)).UTC(), nil }
