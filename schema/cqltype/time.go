package cqltype

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// timeCodec is time: nanoseconds since midnight in 8 bytes. Unlike Cassandra, which checks only the size, it refuses
// numbers that are no time of a day.
type timeCodec struct{ fixed }

const nanosPerDay = 24 * int64(time.Hour)

func (timeCodec) validate(v []byte) error {
	if len(v) != 8 {
		return invalid("Expected 8 byte long for time (%d)", len(v))
	}
	if n := readInt(v); n < 0 || n >= nanosPerDay {
		return invalid("Input long out of bounds: %d", n)
	}
	return nil
}

func (timeCodec) accepts(k LiteralKind) bool { return k == LiteralString || k == LiteralInteger }

func (timeCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	nanos, err := parseTime(text)
	if err != nil {
		return nil, err
	}
	return appendInt(nil, 8, nanos), nil
}

// parseTime reads nanoseconds or hh:mm:ss[.fffffffff] and returns nanoseconds since midnight.
func parseTime(text string) (int64, error) {
	if isInteger(text) {
		nanos, err := strconv.ParseInt(text, 10, 64)
		if err != nil || nanos < 0 || nanos >= nanosPerDay {
			return 0, invalid("Unable to make long (for time) from: '%s'", text)
		}
		return nanos, nil
	}
	clock, fraction, hasFraction := strings.Cut(strings.TrimSpace(text), ".")
	parts := strings.Split(clock, ":")
	ok := len(parts) == 3 && (!hasFraction || isDigits(fraction) && len(fraction) <= 9)
	var nanos int64
	if ok {
		for i, limit := range [...]int{24, 60, 60} {
			n, err := strconv.Atoi(parts[i])
			ok = ok && err == nil && n >= 0 && n < limit
			nanos = nanos*60 + int64(n)
		}
	}
	if !ok {
		return 0, invalid("(TimeType) Unable to coerce '%s' to a formatted time (long)", text)
	}
	return nanos*int64(time.Second) + parseFraction(fraction), nil
}

// parseFraction returns the nanoseconds that up to nine digits behind a decimal point stand for.
func parseFraction(digits string) int64 {
	nanos := int64(0)
	for i := range 9 {
		nanos *= 10
		if i < len(digits) {
			nanos += int64(digits[i] - '0')
		}
	}
	return nanos
}

func (timeCodec) appendText(dst, v []byte, s style) []byte {
	if s.literal {
		dst = append(dst, '\'')
		dst = appendClock(dst, readInt(v), 9)
		return append(dst, '\'')
	}
	return appendClock(dst, readInt(v), 9)
}

// appendClock appends nanoseconds since midnight as hh:mm:ss.fff with the given number of fractional digits.
func appendClock(dst []byte, nanos int64, digits int) []byte {
	seconds, fraction := nanos/int64(time.Second), nanos%int64(time.Second)
	dst = appendPadded(dst, seconds/3600, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, seconds/60%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, seconds%60, 2)
	dst = append(dst, '.')
	return appendPadded(dst, fraction, 9)[:len(dst)+digits]
}

func (c timeCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	var nanos int64
	switch v := v.(type) {
	case time.Duration:
		nanos = int64(v)
	case int64:
		nanos = v
	case string:
		if nanos, err = parseTime(v); err != nil {
			return dst, true, err
		}
	default:
		return dst, false, nil
	}
	out = binary.BigEndian.AppendUint64(dst, uint64(nanos))
	return out, true, c.validate(out[len(dst):])
}

func (c timeCodec) decode(v []byte, dest any) (ok bool, err error) {
	if err := c.validate(v); err != nil {
		return true, err
	}
	switch d := dest.(type) {
	case *time.Duration:
		*d = time.Duration(readInt(v))
	case *int64:
		*d = readInt(v)
	case *string:
		*d = string(appendClock(nil, readInt(v), 9))
	default:
		return false, nil
	}
	return true, nil
}

func (timeCodec) goValue(v []byte) (any, error) { return time.Duration(readInt(v)), nil }
