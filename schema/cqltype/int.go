package cqltype

import (
	"math"
	"math/big"
	"strconv"
)

// intCodec is the two's complement types of 1, 2, 4 or 8 bytes.
type intCodec struct {
	fixed
	empty   bool   // zero bytes are a value
	sizeErr string // Cassandra's wording for a wrong size
	noun    string // Cassandra's word for the type in "Unable to make ... from"
	hex     bool   // a blob literal is accepted
}

// Their names in messages are those of Cassandra's implementation.
var (
	tinyintCodec  = intCodec{fixed: fixed{1, 0x80}, sizeErr: "Expected 1 byte for a tinyint (%d)", noun: "byte", hex: true}
	smallintCodec = intCodec{fixed: fixed{2, 0x80}, sizeErr: "Expected 2 bytes for a smallint (%d)", noun: "short"}
	int32Codec    = intCodec{fixed: fixed{4, 0x80}, empty: true, sizeErr: "Expected 4 or 0 byte int (%d)", noun: "int"}
	bigintCodec   = intCodec{fixed: fixed{8, 0x80}, empty: true, sizeErr: "Expected 8 or 0 byte long (%d)", noun: "long"}
	counterCodec  = bigintCodec
)

func (c intCodec) validate(v []byte) error {
	if len(v) != c.size && (len(v) != 0 || !c.empty) {
		return invalid(c.sizeErr, len(v))
	}
	return nil
}

func (c intCodec) accepts(k LiteralKind) bool {
	return k == LiteralInteger || k == LiteralHex && c.hex // Cassandra takes 0x2A for a tinyint, for no other integer
}

func (c intCodec) fromLiteral(k LiteralKind, text string) ([]byte, error) {
	if k == LiteralHex {
		v, err := parseHex(text)
		if err != nil {
			return nil, err
		}
		return v, c.validate(v)
	}
	x, err := strconv.ParseInt(text, 10, 8*c.size)
	if err != nil {
		return nil, invalid("Unable to make %s from '%s'", c.noun, text)
	}
	return appendInt(nil, c.size, x), nil
}

func (c intCodec) appendText(dst, v []byte, _ style) []byte {
	return strconv.AppendInt(dst, readInt(v), 10)
}

func (c intCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	x, ok, fits := goInt(v)
	if !ok {
		return dst, false, nil
	}
	if limit := int64(math.MaxInt64) >> (64 - 8*c.size); !fits || x > limit || x < -limit-1 {
		return dst, true, invalid("%v is out of the range of a %d-byte integer", v, c.size)
	}
	return appendInt(dst, c.size, x), true, nil
}

func (c intCodec) decode(v []byte, dest any) (ok bool, err error) {
	if len(v) != c.size {
		return true, c.validate(v)
	}
	return setInt(dest, readInt(v))
}

func (c intCodec) goValue(v []byte) (any, error) {
	x := readInt(v)
	switch c.size {
	case 1:
		return int8(x), nil
	case 2:
		return int16(x), nil
	case 4:
		return int32(x), nil
	}
	return x, nil
}

// appendInt appends the low size bytes of x, most significant first.
func appendInt(dst []byte, size int, x int64) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(x>>shift))
	}
	return dst
}

// readInt returns the two's complement number in v, 1 to 8 bytes.
func readInt(v []byte) int64 {
	x := int64(int8(v[0]))
	for _, b := range v[1:] {
		x = x<<8 | int64(b)
	}
	return x
}

// goInt returns the integer that v holds when it is of a predeclared integer type or a *big.Int. fits is
// false when it does not fit an int64.
func goInt(v any) (x int64, ok, fits bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true, true
	case int64:
		return v, true, true
	case int32:
		return int64(v), true, true
	case int16:
		return int64(v), true, true
	case int8:
		return int64(v), true, true
	case uint:
		return int64(v), true, v <= math.MaxInt64
	case uint64:
		return int64(v), true, v <= math.MaxInt64
	case uint32:
		return int64(v), true, true
	case uint16:
		return int64(v), true, true
	case uint8:
		return int64(v), true, true
	case *big.Int:
		if v == nil {
			return 0, false, false
		}
		return v.Int64(), true, v.IsInt64()
	}
	return 0, false, false
}

// setInt stores x in dest when dest points to an integer type that can hold it.
func setInt(dest any, x int64) (ok bool, err error) {
	fits := true
	switch d := dest.(type) {
	case *int64:
		*d = x
	case *int:
		*d, fits = int(x), int64(int(x)) == x
	case *int32:
		*d, fits = int32(x), int64(int32(x)) == x
	case *int16:
		*d, fits = int16(x), int64(int16(x)) == x
	case *int8:
		*d, fits = int8(x), int64(int8(x)) == x
	case *uint64:
		*d, fits = uint64(x), x >= 0
	case *uint:
		*d, fits = uint(x), x >= 0 && int64(uint(x)) == x
	case *uint32:
		*d, fits = uint32(x), int64(uint32(x)) == x
	case *uint16:
		*d, fits = uint16(x), int64(uint16(x)) == x
	case *uint8:
		*d, fits = uint8(x), int64(uint8(x)) == x
	case *big.Int:
		d.SetInt64(x)
	default:
		return false, nil
	}
	if !fits {
		return true, invalid("%d does not fit in %T", x, dest)
	}
	return true, nil
}
