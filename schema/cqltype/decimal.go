package cqltype

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is the Go form of a CQL decimal: Unscaled times ten to the power of -Scale. A nil Unscaled is zero.
type Decimal struct {
	Unscaled *big.Int
	Scale    int32
}

// String returns d as java.math.BigDecimal and cqlsh write it: plain, or in scientific notation when the
// exponent is positive or the number very small.
func (d Decimal) String() string {
	unscaled := "0"
	if d.Unscaled != nil {
		unscaled = d.Unscaled.String()
	}
	return string(appendDecimalText(nil, unscaled, d.Scale))
}

// ParseDecimal reads a number such as "-12.50" or "1.5e-7" without losing trailing zeros. It returns a
// ValueError for other text and for exponents that do not leave the scale within 32 bits.
func ParseDecimal(text string) (Decimal, error) {
	unscaled, scale, ok := splitDecimal(text)
	if !ok {
		return Decimal{}, invalid("unable to make BigDecimal from '%s'", text)
	}
	x, ok := parseBig(unscaled)
	if !ok {
		return Decimal{}, invalid("unable to make BigDecimal from '%s'", text)
	}
	return Decimal{Unscaled: x, Scale: scale}, nil
}

// decimalCodec is decimal: a scale in 4 bytes, then the unscaled number as a varint.
type decimalCodec struct{}

func (decimalCodec) validate(v []byte) error {
	switch {
	case len(v) > 0 && len(v) < 4:
		return invalid("Expected 0 or at least 4 bytes (%d)", len(v))
	case len(v) == 4: // Cassandra lets it pass, but neither it nor a driver can read it
		return invalid("Expected an unscaled value after the 4 bytes of the scale")
	}
	return nil
}

func splitDecimalValue(v []byte) (unscaled []byte, scale int32) {
	return trimVarint(v[4:]), int32(binary.BigEndian.Uint32(v))
}

// splitDecimal takes a number in text apart into the digits of its unscaled value, with a sign where it has
// one, and its scale.
func splitDecimal(text string) (unscaled string, scale int32, ok bool) {
	mantissa, exponent := text, int64(0)
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.ParseInt(text[i+1:], 10, 34); err != nil {
			return "", 0, false
		}
		mantissa = text[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if fraction != "" && !isDigits(fraction) {
		return "", 0, false
	}
	wide := int64(len(fraction)) - exponent
	if wide < math.MinInt32 || wide > math.MaxInt32 {
		return "", 0, false
	}
	return whole + fraction, int32(wide), true
}

func (decimalCodec) accepts(k LiteralKind) bool { return k == LiteralInteger || k == LiteralFloat }

func (decimalCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	return appendDecimal(nil, text)
}

// appendDecimal appends the value that text spells.
func appendDecimal(dst []byte, text string) ([]byte, error) {
	unscaled, scale, ok := splitDecimal(text)
	if ok {
		dst = binary.BigEndian.AppendUint32(dst, uint32(scale))
		dst, ok = parseVarint(dst, unscaled)
	}
	if !ok {
		return dst, invalid("unable to make BigDecimal from '%s'", text)
	}
	return dst, nil
}

func (decimalCodec) appendText(dst, v []byte, _ style) []byte {
	unscaled, scale := splitDecimalValue(v)
	var buf [24]byte
	return appendDecimalText(dst, string(varintCodec{}.appendText(buf[:0], unscaled, style{})), scale)
}

// appendDecimalText appends the number with these digits, which may have a sign, and this scale.
func appendDecimalText(dst []byte, unscaled string, scale int32) []byte {
	if unscaled[0] == '-' {
		dst = append(dst, '-')
		unscaled = unscaled[1:]
	}
	adjusted := int64(len(unscaled)) - 1 - int64(scale)
	switch point := len(unscaled) - int(scale); {
	case scale == 0:
		return append(dst, unscaled...)
	case scale < 0 || adjusted < -6:
		dst = append(dst, unscaled[0])
		if len(unscaled) > 1 {
			dst = append(dst, '.')
			dst = append(dst, unscaled[1:]...)
		}
		dst = append(dst, 'E')
		if adjusted > 0 {
			dst = append(dst, '+')
		}
		return strconv.AppendInt(dst, adjusted, 10)
	case point > 0:
		dst = append(dst, unscaled[:point]...)
		dst = append(dst, '.')
		return append(dst, unscaled[point:]...)
	default:
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, unscaled...)
	}
}

func (decimalCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case Decimal:
		dst = binary.BigEndian.AppendUint32(dst, uint32(v.Scale))
		if v.Unscaled == nil {
			return append(dst, 0), true, nil
		}
		return appendBigVarint(dst, v.Unscaled), true, nil
	case string:
		dst, err = appendDecimal(dst, v)
		return dst, true, err
	}
	out, ok, err = varintCodec{}.encode(append(dst, 0, 0, 0, 0), v)
	if !ok || err != nil {
		return dst, ok, err
	}
	return out, true, nil
}

func (c decimalCodec) decode(v []byte, dest any) (ok bool, err error) {
	if err := c.validate(v); err != nil {
		return true, err
	}
	switch d := dest.(type) {
	case *Decimal:
		unscaled, scale := splitDecimalValue(v)
		*d = Decimal{Unscaled: setBig(new(big.Int), unscaled), Scale: scale}
	case *string:
		*d = string(c.appendText(nil, v, style{}))
	default:
		return false, nil
	}
	return true, nil
}

func (decimalCodec) goValue(v []byte) (any, error) {
	unscaled, scale := splitDecimalValue(v)
	return Decimal{Unscaled: setBig(new(big.Int), unscaled), Scale: scale}, nil
}
