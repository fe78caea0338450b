package cqltype

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// The key of a decimal other than zero is a sign marker, the decimal exponent e of 0.DDD x 10^e as a varint key, and
// the digits D without trailing zeros, two to a byte plus one, closed by a zero byte. Behind the marker of a
// negative number everything is complemented.
const (
	markDecimalNegative = 0x02
	markDecimalZero     = 0x03
	markDecimalPositive = 0x04
	markDecimalRaw      = 0x05
	endOfDigits         = 0x00
)

const (
	// plainDigits is up to how many digits a decoded integer has scale 0: 100 rather than 1E+2.
	plainDigits = 40
	// maxRestoredZeros bounds what a decoded number may grow by to keep its scale within 32 bits.
	maxRestoredZeros = 1 << 18
	// stackWords is the size in 32-bit words of the numbers whose digits need no allocation.
	stackWords = 32
)

// decimalDigits holds the decimal digits of a number of up to stackWords words.
type decimalDigits [stackWords*10 + 10]byte

// scaledDigits returns the sign of a valid, non-empty decimal and, unless it is zero, its digits without
// trailing zeros and its exponent. The digits may lie in buf.
func scaledDigits(v []byte, buf *decimalDigits) (signum int, digits []byte, exponent int64) {
	unscaled, scale := splitDecimalValue(v)
	switch {
	case len(unscaled) <= 8:
		digits = strconv.AppendUint(buf[:0], magnitude(readInt(unscaled)), 10)
	case len(unscaled) <= 4*stackWords:
		digits = appendDigits(buf[:0], unscaled)
	default:
		x := setBig(new(big.Int), unscaled)
		digits = x.Abs(x).Append(nil, 10)
	}
	exponent = int64(len(digits)) - int64(scale)
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	switch {
	case len(digits) == 0:
		return 0, nil, 0
	case unscaled[0] >= 0x80:
		return -1, digits, exponent
	}
	return 1, digits, exponent
}

// magnitude returns the absolute value of x.
func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// appendDigits appends the decimal digits of the absolute value of num, two's complement of at most 4*stackWords bytes.
func appendDigits(dst, num []byte) []byte {
	var words [stackWords]uint32 // least significant first
	negative := num[0] >= 0x80
	for i := range num {
		b := num[len(num)-1-i]
		if negative {
			b = ^b
		}
		words[i/4] |= uint32(b) << (8 * (i % 4))
	}
	if negative {
		for i := range words {
			if words[i]++; words[i] != 0 {
				break
			}
		}
	}
	top := stackWords
	start := len(dst)
	for {
		for top > 0 && words[top-1] == 0 {
			top--
		}
		if top == 0 {
			break
		}
		const chunk, chunkDigits = 1e9, 9
		var rem uint64
		for i := top - 1; i >= 0; i-- {
			rem = rem<<32 | uint64(words[i])
			words[i] = uint32(rem / chunk)
			rem %= chunk
		}
		for range chunkDigits {
			dst = append(dst, byte('0'+rem%10))
			rem /= 10
		}
	}
	for len(dst) > start+1 && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	for i, j := start, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return dst
}

// powersOfTen holds those that fit 64 bits.
var powersOfTen = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18, 1e19}

func (decimalCodec) compare(a, b []byte) int {
	if len(a) < 5 || len(b) < 5 {
		return compareShortDecimals(a, b)
	}
	ua, scaleA := splitDecimalValue(a)
	ub, scaleB := splitDecimalValue(b)
	switch {
	case scaleA == scaleB:
		return compareVarint(ua, ub)
	case len(ua) <= 8 && len(ub) <= 8:
		return compareSmallDecimals(readInt(ua), readInt(ub), scaleA, scaleB)
	}
	var bufA, bufB decimalDigits
	signA, digitsA, expA := scaledDigits(a, &bufA)
	signB, digitsB, expB := scaledDigits(b, &bufB)
	switch {
	case signA != signB:
		return sign(signA - signB)
	case expA != expB:
		return signA * cmp.Compare(expA, expB)
	}
	return signA * bytes.Compare(digitsA, digitsB)
}

// compareShortDecimals compares two values of which at least one is empty or malformed: empty, regular, malformed.
func compareShortDecimals(a, b []byte) int {
	rank := func(v []byte) int {
		switch {
		case len(v) == 0:
			return 0
		case len(v) >= 5:
			return 1
		}
		return 2
	}
	if ra, rb := rank(a), rank(b); ra != rb {
		return sign(ra - rb)
	}
	return bytes.Compare(a, b)
}

// compareSmallDecimals compares x and y, each divided by ten to the power of its scale.
func compareSmallDecimals(x, y int64, scaleX, scaleY int32) int {
	signX, signY := cmp.Compare(x, 0), cmp.Compare(y, 0)
	if signX != signY || signX == 0 {
		return sign(signX - signY)
	}
	mx, my := magnitude(x), magnitude(y)
	nx, ny := digitCount(mx), digitCount(my)
	if ex, ey := int64(nx)-int64(scaleX), int64(ny)-int64(scaleY); ex != ey {
		return signX * cmp.Compare(ex, ey)
	}
	var hx, hy uint64 // high words of the magnitudes once they have the same number of digits
	if nx < ny {
		hx, mx = bits.Mul64(mx, powersOfTen[ny-nx])
	} else {
		hy, my = bits.Mul64(my, powersOfTen[nx-ny])
	}
	if hx != hy {
		return signX * cmp.Compare(hx, hy)
	}
	return signX * cmp.Compare(mx, my)
}

// digitCount returns the number of decimal digits of m, which is not zero.
func digitCount(m uint64) int {
	n := 1
	for n < len(powersOfTen) && m >= powersOfTen[n] {
		n++
	}
	return n
}

func (decimalCodec) appendKey(dst, v []byte) []byte {
	switch {
	case len(v) == 0:
		return append(dst, markEmpty)
	case len(v) < 5:
		return appendEscaped(append(dst, markDecimalRaw), v)
	}
	var buf decimalDigits
	signum, digits, exponent := scaledDigits(v, &buf)
	if signum == 0 {
		return append(dst, markDecimalZero)
	}
	start := len(dst) + 1
	dst = append(dst, markDecimalPositive)
	var num [8]byte
	dst = appendVarintKey(dst, appendVarint(num[:0], exponent))
	for i := 0; i < len(digits); i += 2 {
		pair := 10 * (digits[i] - '0')
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, endOfDigits)
	if signum < 0 {
		dst[start-1] = markDecimalNegative
		complement(dst[start:])
	}
	return dst
}

// decimalMask returns the mask under which the rest of a key with this marker lies.
func decimalMask(marker, mask byte) byte {
	if marker == markDecimalNegative {
		return ^mask
	}
	return mask
}

func (decimalCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	if len(key) == 0 {
		return dst, nil, errKeyTruncated
	}
	marker := key[0] ^ mask
	key = key[1:]
	switch marker {
	case markEmpty:
		return dst, key, nil
	case markDecimalZero:
		return append(dst, 0, 0, 0, 0, 0), key, nil
	case markDecimalRaw:
		start := len(dst)
		out, rest, err = readEscaped(dst, key, mask)
		if n := len(out) - start; err == nil && (n == 0 || n >= 5) {
			err = errKeyNotCanonical
		}
		return out, rest, err
	case markDecimalNegative, markDecimalPositive:
	default:
		return dst, nil, errKeyMarker
	}
	mask = decimalMask(marker, mask)
	var num [8]byte
	exp, key, err := readVarintKey(num[:0], key, mask)
	if err != nil {
		return dst, nil, err
	}
	if len(exp) > 8 {
		return dst, nil, errKeyRange
	}
	end := bytes.IndexByte(key, endOfDigits^mask)
	if end < 0 {
		return dst, nil, errKeyTruncated
	}
	out, err = appendDecimalFromPairs(dst, key[:end], mask, marker == markDecimalNegative, readInt(exp))
	return out, key[end+1:], err
}

// appendDecimalFromPairs appends the canonical value with the digits in pairs and the given exponent.
func appendDecimalFromPairs(dst, pairs []byte, mask byte, negative bool, exponent int64) ([]byte, error) {
	n := 2 * len(pairs)
	if n == 0 || pairs[0]^mask <= 10 || pairs[len(pairs)-1]^mask == 1 {
		return dst, errKeyNotCanonical // no digits, or a zero in front or a pair of them at the end
	}
	if (pairs[len(pairs)-1]^mask-1)%10 == 0 {
		n--
	}
	scale := int64(n) - exponent
	zeros := int64(0)
	switch {
	case scale < 0 && exponent <= plainDigits:
		zeros = -scale
	case scale < math.MinInt32:
		zeros = math.MinInt32 - scale
	}
	if scale += zeros; scale > math.MaxInt32 || zeros > maxRestoredZeros {
		return dst, errKeyRange
	}
	var buf decimalDigits
	digits := buf[:0]
	for _, pair := range pairs {
		if pair = pair ^ mask - 1; pair > 99 {
			return dst, errKeyNotCanonical
		}
		digits = append(digits, '0'+pair/10, '0'+pair%10)
	}
	digits = digits[:n]
	for range zeros {
		digits = append(digits, '0')
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(scale))
	if len(digits) <= 18 {
		var x int64
		for _, d := range digits {
			x = 10*x + int64(d-'0')
		}
		if negative {
			x = -x
		}
		return appendVarint(dst, x), nil
	}
	x, _ := new(big.Int).SetString(string(digits), 10) // only digits: it cannot fail
	if negative {
		x.Neg(x)
	}
	return appendBigVarint(dst, x), nil
}

func (decimalCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	if len(key) == 0 {
		return nil, errKeyTruncated
	}
	marker := key[0] ^ mask
	key = key[1:]
	switch marker {
	case markEmpty, markDecimalZero:
		return key, nil
	case markDecimalRaw:
		return skipEscaped(key, mask)
	case markDecimalNegative, markDecimalPositive:
		mask = decimalMask(marker, mask)
		if _, key, _, err = splitVarintKey(key, mask); err != nil {
			return nil, err
		}
		end := bytes.IndexByte(key, endOfDigits^mask)
		if end < 0 {
			return nil, errKeyTruncated
		}
		return key[end+1:], nil
	}
	return nil, errKeyMarker
}
