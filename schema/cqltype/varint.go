package cqltype

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"strconv"
)

// varintCodec is varint: a two's complement number of any length, most significant byte first. Cassandra also
// accepts needless leading bytes; keys drop them.
//
// A key starts with a byte that holds sign and length, so that longer numbers lie further from zero, and
// goes on with the number itself. Lengths beyond shortVarint follow in four bytes.
type varintCodec struct{}

const (
	shortVarint        = 124
	markVarintLongNeg  = 0x02 // followed by the complement of the length
	markVarintZero     = 0x7F // minus the length for a negative number; plus 1 and the length for another
	markVarintLongPos  = 0xFF // followed by the length
	markVarintFirst    = markVarintZero - shortVarint
	markVarintLast     = markVarintZero + 1 + shortVarint
	markVarintNegative = markVarintZero - 1
	markVarintPositive = markVarintZero + 2
)

// trimVarint drops the leading bytes of a number that only repeat its sign.
func trimVarint(v []byte) []byte {
	for len(v) > 1 && (v[0] == 0 && v[1] < 0x80 || v[0] == 0xFF && v[1] >= 0x80) {
		v = v[1:]
	}
	return v
}

func (varintCodec) validate([]byte) error { return nil }

func (varintCodec) compare(a, b []byte) int {
	if len(a) == 0 || len(b) == 0 {
		return sign(len(a) - len(b))
	}
	return compareVarint(trimVarint(a), trimVarint(b))
}

// compareVarint compares two numbers without needless leading bytes.
func compareVarint(a, b []byte) int {
	negA, negB := a[0] >= 0x80, b[0] >= 0x80
	switch {
	case negA && !negB:
		return -1
	case !negA && negB:
		return 1
	case len(a) != len(b) && negA:
		return sign(len(b) - len(a))
	case len(a) != len(b):
		return sign(len(a) - len(b))
	}
	return bytes.Compare(a, b)
}

func (varintCodec) appendKey(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, markEmpty)
	}
	return appendVarintKey(dst, trimVarint(v))
}

// appendVarintKey appends the key of a number without needless leading bytes.
func appendVarintKey(dst, v []byte) []byte {
	n, negative := len(v), v[0] >= 0x80
	switch {
	case n <= shortVarint && negative:
		dst = append(dst, markVarintZero-byte(n))
	case n <= shortVarint:
		dst = append(dst, markVarintZero+1+byte(n))
	case negative:
		dst = binary.BigEndian.AppendUint32(append(dst, markVarintLongNeg), ^uint32(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, markVarintLongPos), uint32(n))
	}
	return append(dst, v...)
}

// splitVarintKey returns the number at the start of key, still masked, and what follows it.
func splitVarintKey(key []byte, mask byte) (num, rest []byte, negative bool, err error) {
	if len(key) == 0 {
		return nil, nil, false, errKeyTruncated
	}
	marker, n := key[0]^mask, 0
	key = key[1:]
	switch {
	case marker >= markVarintFirst && marker <= markVarintNegative:
		negative, n = true, int(markVarintZero-marker)
	case marker >= markVarintPositive && marker <= markVarintLast:
		n = int(marker - markVarintZero - 1)
	case marker == markVarintLongNeg, marker == markVarintLongPos:
		if len(key) < 4 {
			return nil, nil, false, errKeyTruncated
		}
		size := binary.BigEndian.Uint32(key)
		if negative = marker == markVarintLongNeg; negative != (mask != 0) {
			size = ^size // complemented once, not twice
		}
		key = key[4:]
		if uint64(size) > uint64(len(key)) {
			return nil, nil, false, errKeyTruncated
		}
		if n = int(size); n <= shortVarint {
			return nil, nil, false, errKeyNotCanonical
		}
	default:
		return nil, nil, false, errKeyMarker
	}
	if len(key) < n {
		return nil, nil, false, errKeyTruncated
	}
	return key[:n], key[n:], negative, nil
}

// readVarintKey appends to dst the number at the start of key.
func readVarintKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	num, rest, negative, err := splitVarintKey(key, mask)
	if err != nil {
		return dst, nil, err
	}
	start := len(dst)
	dst = append(dst, num...)
	xor(dst[start:], mask)
	if v := dst[start:]; v[0] >= 0x80 != negative || len(trimVarint(v)) != len(v) {
		return dst, nil, errKeyNotCanonical
	}
	return dst, rest, nil
}

func (varintCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	if len(key) > 0 && key[0]^mask == markEmpty {
		return dst, key[1:], nil
	}
	return readVarintKey(dst, key, mask)
}

func (varintCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	if len(key) > 0 && key[0]^mask == markEmpty {
		return key[1:], nil
	}
	_, rest, _, err = splitVarintKey(key, mask)
	return rest, err
}

func (varintCodec) accepts(k LiteralKind) bool { return k == LiteralInteger }

func (varintCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	v, ok := parseVarint(nil, text)
	if !ok {
		return nil, invalid("unable to make int from '%s'", text)
	}
	return v, nil
}

// parseVarint appends the number that text spells in decimal.
func parseVarint(dst []byte, text string) (out []byte, ok bool) {
	if x, err := strconv.ParseInt(text, 10, 64); err == nil {
		return appendVarint(dst, x), true
	}
	x, ok := parseBig(text)
	if !ok {
		return dst, false
	}
	return appendBigVarint(dst, x), true
}

// maxDigits bounds the numbers that are read from text, as the time that takes grows with the square of their length.
const maxDigits = 1 << 16

// parseBig reads a decimal number; unlike big.Int's own reader it takes no underscores.
func parseBig(text string) (*big.Int, bool) {
	if len(text) > maxDigits {
		return nil, false
	}
	digits := text
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if !isDigits(digits) {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

// appendVarint appends x in as few bytes as hold it.
func appendVarint(dst []byte, x int64) []byte {
	size := 1
	for size < 8 && x>>(8*size-1) != 0 && x>>(8*size-1) != -1 {
		size++
	}
	return appendInt(dst, size, x)
}

// appendBigVarint appends x in as few bytes as hold it.
func appendBigVarint(dst []byte, x *big.Int) []byte {
	if x.IsInt64() {
		return appendVarint(dst, x.Int64())
	}
	if x.Sign() > 0 {
		b := x.Bytes()
		if b[0] >= 0x80 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	b := new(big.Int).Not(x).Bytes() // -x-1 has the bits of x complemented
	if b[0] >= 0x80 {
		dst = append(dst, 0xFF)
	}
	start := len(dst)
	dst = append(dst, b...)
	complement(dst[start:])
	return dst
}

// setBig sets x to the number that v serializes and returns it. No bytes are zero.
func setBig(x *big.Int, v []byte) *big.Int {
	if len(v) <= 8 {
		return x.SetInt64(readInt(v))
	}
	x.SetBytes(v)
	if v[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	return x
}

func (varintCodec) appendText(dst, v []byte, _ style) []byte {
	if v = trimVarint(v); len(v) <= 8 {
		return strconv.AppendInt(dst, readInt(v), 10)
	}
	return setBig(new(big.Int), v).Append(dst, 10)
}

func (varintCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case *big.Int:
		if v == nil { // null, which the caller finds out
			return dst, false, nil
		}
		return appendBigVarint(dst, v), true, nil
	case big.Int:
		return appendBigVarint(dst, &v), true, nil
	case string:
		if dst, ok = parseVarint(dst, v); !ok {
			return dst, true, invalid("unable to make int from '%s'", v)
		}
		return dst, true, nil
	case uint64:
		return appendBigVarint(dst, new(big.Int).SetUint64(v)), true, nil
	case uint:
		return appendBigVarint(dst, new(big.Int).SetUint64(uint64(v))), true, nil
	}
	x, ok, _ := goInt(v)
	if !ok {
		return dst, false, nil
	}
	return appendVarint(dst, x), true, nil
}

func (varintCodec) decode(v []byte, dest any) (ok bool, err error) {
	switch d := dest.(type) {
	case *big.Int:
		setBig(d, v)
		return true, nil
	case *string:
		*d = string(varintCodec{}.appendText(nil, v, style{}))
		return true, nil
	case *uint64:
		if x := setBig(new(big.Int), v); x.IsUint64() {
			*d = x.Uint64()
			return true, nil
		}
	}
	if v = trimVarint(v); len(v) <= 8 {
		return setInt(dest, readInt(v))
	}
	if ok, _ = setInt(dest, 0); !ok {
		return false, nil // dest is no integer at all
	}
	return true, invalid("varint of %d bytes does not fit in %T", len(v), dest)
}

func (varintCodec) goValue(v []byte) (any, error) { return setBig(new(big.Int), v), nil }
