package cqltype

import (
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
)

// floatCodec is float, IEEE 754 in 4 bytes. Its order is that of Java's Float.compare: -0.0 before 0.0, all
// NaNs equal and after everything else.
type floatCodec struct{}

// doubleCodec is double, the same in 8 bytes.
type doubleCodec struct{}

// The one NaN that keys decode to, which is also what Java writes.
const (
	canonicalNaN32 = 0x7fc00000
	canonicalNaN64 = 0x7ff8000000000000
)

// orderFloat turns the bits of a float into a number whose unsigned order is the float's order.
func orderFloat(bits uint32) uint32 {
	if bits&0x7fffffff > 0x7f800000 {
		bits = canonicalNaN32
	}
	if bits>>31 != 0 {
		return ^bits
	}
	return bits | 1<<31
}

func unorderFloat(u uint32) (bits uint32, err error) {
	if u>>31 != 0 {
		bits = u &^ (1 << 31)
	} else {
		bits = ^u
	}
	if bits&0x7fffffff > 0x7f800000 && bits != canonicalNaN32 {
		return 0, errKeyNotCanonical
	}
	return bits, nil
}

func orderDouble(bits uint64) uint64 {
	if bits&^(1<<63) > 0x7ff0000000000000 {
		bits = canonicalNaN64
	}
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

func unorderDouble(u uint64) (bits uint64, err error) {
	if u>>63 != 0 {
		bits = u &^ (1 << 63)
	} else {
		bits = ^u
	}
	if bits&^(1<<63) > 0x7ff0000000000000 && bits != canonicalNaN64 {
		return 0, errKeyNotCanonical
	}
	return bits, nil
}

func (floatCodec) validate(v []byte) error {
	if len(v) != 4 && len(v) != 0 {
		return invalid("Expected 4 or 0 byte value for a float (%d)", len(v))
	}
	return nil
}

func (doubleCodec) validate(v []byte) error {
	if len(v) != 8 && len(v) != 0 {
		return invalid("Expected 8 or 0 byte value for a double (%d)", len(v))
	}
	return nil
}

func (floatCodec) compare(a, b []byte) int {
	if len(a) != 4 || len(b) != 4 {
		return compareOddSizes(a, b, 4)
	}
	return cmp.Compare(orderFloat(binary.BigEndian.Uint32(a)), orderFloat(binary.BigEndian.Uint32(b)))
}

func (doubleCodec) compare(a, b []byte) int {
	if len(a) != 8 || len(b) != 8 {
		return compareOddSizes(a, b, 8)
	}
	return cmp.Compare(orderDouble(binary.BigEndian.Uint64(a)), orderDouble(binary.BigEndian.Uint64(b)))
}

func (floatCodec) appendKey(dst, v []byte) []byte {
	if len(v) != 4 {
		return appendOddSize(dst, v)
	}
	return binary.BigEndian.AppendUint32(append(dst, markValue), orderFloat(binary.BigEndian.Uint32(v)))
}

func (doubleCodec) appendKey(dst, v []byte) []byte {
	if len(v) != 8 {
		return appendOddSize(dst, v)
	}
	return binary.BigEndian.AppendUint64(append(dst, markValue), orderDouble(binary.BigEndian.Uint64(v)))
}

func (floatCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	out, rest, regular, err := readFixed(dst, key, mask, 4)
	if !regular || err != nil {
		return out, rest, err
	}
	bits, err := unorderFloat(binary.BigEndian.Uint32(out[start:]))
	binary.BigEndian.PutUint32(out[start:], bits)
	return out, rest, err
}

func (doubleCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	out, rest, regular, err := readFixed(dst, key, mask, 8)
	if !regular || err != nil {
		return out, rest, err
	}
	bits, err := unorderDouble(binary.BigEndian.Uint64(out[start:]))
	binary.BigEndian.PutUint64(out[start:], bits)
	return out, rest, err
}

func (floatCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	return skipFixed(key, mask, 4)
}

func (doubleCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	return skipFixed(key, mask, 8)
}

func (floatCodec) accepts(k LiteralKind) bool  { return k == LiteralInteger || k == LiteralFloat }
func (doubleCodec) accepts(k LiteralKind) bool { return k == LiteralInteger || k == LiteralFloat }

func (floatCodec) fromLiteral(k LiteralKind, text string) ([]byte, error) {
	x, ok := parseFloat(k, text, 32)
	if !ok {
		return nil, invalid("Unable to make float from '%s'", text)
	}
	return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(x))), nil
}

func (doubleCodec) fromLiteral(k LiteralKind, text string) ([]byte, error) {
	x, ok := parseFloat(k, text, 64)
	if !ok {
		return nil, invalid("Unable to make double from '%s'", text)
	}
	return binary.BigEndian.AppendUint64(nil, math.Float64bits(x)), nil
}

// parseFloat reads a literal. As in Cassandra, integers and floats beyond the range of the type become infinite, but a
// LiteralFloat beyond the range of a double is refused.
func parseFloat(k LiteralKind, text string, bits int) (x float64, ok bool) {
	switch text {
	case "NaN", "+NaN", "-NaN":
		return math.Float64frombits(canonicalNaN64), true // not math.NaN, whose bits are others; a sign would not survive a key
	case "Infinity", "+Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	for i := range len(text) { // leaves out what Go reads but CQL does not: inf, 0x1p3, 1_0
		switch c := text[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return 0, false
		}
	}
	wide, err := strconv.ParseFloat(text, 64)
	if err != nil && !(math.IsInf(wide, 0) && k == LiteralInteger) {
		return 0, false
	}
	if bits == 32 {
		x, _ = strconv.ParseFloat(text, 32) // once more, since rounding twice may differ
		return x, true
	}
	return wide, true
}

func (floatCodec) appendText(dst, v []byte, s style) []byte {
	return appendFloat(dst, float64(math.Float32frombits(binary.BigEndian.Uint32(v))), 32, s)
}

func (doubleCodec) appendText(dst, v []byte, s style) []byte {
	return appendFloat(dst, math.Float64frombits(binary.BigEndian.Uint64(v)), 64, s)
}

// appendFloat writes x as cqlsh does, whose precision counts the digits behind the point for numbers that it does not
// write in scientific notation, or for CQL with as many digits as it takes to read x back.
func appendFloat(dst []byte, x float64, bits int, s style) []byte {
	switch {
	case math.IsNaN(x):
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	}
	if s.literal {
		start := len(dst)
		dst = strconv.AppendFloat(dst, x, 'g', -1, bits)
		for _, c := range dst[start:] {
			if c == '.' || c == 'e' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	precision := s.floatPrecision
	if bits == 64 {
		precision = s.doublePrecision
	}
	const epsilon = 0x1p-52
	if abs := math.Abs(x); abs > epsilon {
		if exponent := int(math.Log10(abs)); exponent >= -4 && exponent < precision {
			precision += exponent + 1
		}
	}
	return strconv.AppendFloat(dst, x, 'g', max(precision, 1), 64)
}

func (floatCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	var x float32
	switch v := v.(type) {
	case float32:
		x = v
	case float64:
		x = float32(v)
		if math.IsInf(float64(x), 0) && !math.IsInf(v, 0) {
			return dst, true, invalid("%v is out of the range of a float", v)
		}
	default:
		return dst, false, nil
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(x)), true, nil
}

func (doubleCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	var x float64
	switch v := v.(type) {
	case float64:
		x = v
	case float32:
		x = float64(v)
	default:
		return dst, false, nil
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(x)), true, nil
}

func (c floatCodec) decode(v []byte, dest any) (ok bool, err error) {
	if len(v) != 4 {
		return true, c.validate(v)
	}
	x := math.Float32frombits(binary.BigEndian.Uint32(v))
	switch d := dest.(type) {
	case *float32:
		*d = x
	case *float64:
		*d = float64(x)
	default:
		return false, nil
	}
	return true, nil
}

func (c doubleCodec) decode(v []byte, dest any) (ok bool, err error) {
	if len(v) != 8 {
		return true, c.validate(v)
	}
	x := math.Float64frombits(binary.BigEndian.Uint64(v))
	d, ok := dest.(*float64) // not float32: digits would be lost without a word
	if ok {
		*d = x
	}
	return ok, nil
}

func (floatCodec) goValue(v []byte) (any, error) {
	return math.Float32frombits(binary.BigEndian.Uint32(v)), nil
}

func (doubleCodec) goValue(v []byte) (any, error) {
	return math.Float64frombits(binary.BigEndian.Uint64(v)), nil
}
