package cqltype

import "bytes"

// Leading byte of the key of a value, except for ascii, blob, duration and text, which have none. Varint and decimal
// use further ones. Smaller markers sort first.
const (
	markEmpty = 0x01 // zero bytes
	markValue = 0x02 // a value of the ordinary form follows
	markRaw   = 0x03 // bytes that are no value of the type follow, escaped
)

// Bytes of the escaped form: a zero byte of the value is written as escapeByte escapeZero, the end as escapeByte
// escapeEnd. The end sorts before any continuation, so a prefix comes before what it is a prefix of.
const (
	escapeByte = 0x00
	escapeEnd  = 0x01
	escapeZero = 0xFF
)

// AppendKey appends the order-preserving key of value to dst. Keys appended one after the other compare with
// bytes.Compare as the values compare one by one with Compare, reversed for those with desc; no key is a
// prefix of another key of the same type. Values that compare equal have the same key. Nothing but dst is
// allocated, except for decimals of more than 128 bytes. A null value is encoded as zero bytes.
func (t *Type) AppendKey(dst, value []byte, desc bool) []byte {
	start := len(dst)
	dst = t.codec.appendKey(dst, value)
	if desc {
		complement(dst[start:])
	}
	return dst
}

// ReadKey undoes AppendKey for the first component of key: it appends the value to dst and returns the result with what
// follows the component. The value is the one that was encoded, byte for byte, except where several values
// compare equal: then it is one fixed representative of them. Bytes that AppendKey does not produce give a KeyError.
// The value is never null, also when dst is nil.
func (t *Type) ReadKey(key []byte, desc bool, dst []byte) (value, rest []byte, err error) {
	value, rest, err = t.codec.readKey(dst, key, keyMask(desc))
	if err != nil {
		return dst, key, err
	}
	if value == nil {
		value = []byte{}
	}
	return value, rest, nil
}

// SkipKey returns what follows the first component of key, a KeyError when the component has no end. It looks
// only at what it needs to find the end.
func (t *Type) SkipKey(key []byte, desc bool) (rest []byte, err error) {
	return t.codec.skipKey(key, keyMask(desc))
}

// PrefixSuccessor appends to dst the smallest key that is greater than every key with the given prefix, so that
// [prefix, successor) holds exactly the keys with that prefix. It returns nil when there is no such key: the prefix is
// empty or all 0xFF.
func PrefixSuccessor(dst, prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			dst = append(dst, prefix[:i+1]...)
			dst[len(dst)-1]++
			return dst
		}
	}
	return nil
}

func keyMask(desc bool) byte {
	if desc {
		return 0xFF
	}
	return 0
}

func complement(b []byte) { xor(b, 0xFF) }

func xor(b []byte, mask byte) {
	if mask == 0 {
		return
	}
	for i := range b {
		b[i] ^= mask
	}
}

// appendEscaped appends v in the escaped form.
func appendEscaped(dst, v []byte) []byte {
	for {
		i := bytes.IndexByte(v, escapeByte)
		if i < 0 {
			break
		}
		dst = append(dst, v[:i]...)
		dst = append(dst, escapeByte, escapeZero)
		v = v[i+1:]
	}
	dst = append(dst, v...)
	return append(dst, escapeByte, escapeEnd)
}

// readEscaped appends to dst the bytes that key holds in the escaped form.
func readEscaped(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	for {
		i := bytes.IndexByte(key, escapeByte^mask)
		if i < 0 || i+1 == len(key) {
			return dst, nil, errKeyTruncated
		}
		dst = append(dst, key[:i]...)
		next := key[i+1] ^ mask
		key = key[i+2:]
		switch next {
		case escapeEnd:
			xor(dst[start:], mask)
			return dst, key, nil
		case escapeZero:
			dst = append(dst, mask) // a zero byte once the mask is off
		default:
			return dst, nil, errKeyEscape
		}
	}
}

// skipEscaped returns what follows the escaped form at the start of key.
func skipEscaped(key []byte, mask byte) (rest []byte, err error) {
	for {
		i := bytes.IndexByte(key, escapeByte^mask)
		if i < 0 || i+1 == len(key) {
			return nil, errKeyTruncated
		}
		next := key[i+1] ^ mask
		key = key[i+2:]
		if next == escapeEnd {
			return key, nil
		}
		if next != escapeZero {
			return nil, errKeyEscape
		}
	}
}

// sizeRank sorts the values of a fixed-size type by length: empty ones, regular ones, malformed ones.
func sizeRank(v []byte, size int) int {
	switch len(v) {
	case 0:
		return 0
	case size:
		return 1
	}
	return 2
}

// compareOddSizes compares two values of a fixed-size type of which at least one has not that size.
func compareOddSizes(a, b []byte, size int) int {
	ra, rb := sizeRank(a, size), sizeRank(b, size)
	if ra != rb {
		return sign(ra - rb)
	}
	return bytes.Compare(a, b)
}

// appendOddSize appends the key of a value of a fixed-size type that has not that size.
func appendOddSize(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, markEmpty)
	}
	return appendEscaped(append(dst, markRaw), v)
}

// readFixed reads a component that holds size bytes behind markValue and appends them to dst, or, with regular=false, an
// empty or malformed value.
func readFixed(dst, key []byte, mask byte, size int) (out, rest []byte, regular bool, err error) {
	if len(key) == 0 {
		return dst, nil, false, errKeyTruncated
	}
	marker := key[0] ^ mask
	key = key[1:]
	switch marker {
	case markEmpty:
		return dst, key, false, nil
	case markValue:
		if len(key) < size {
			return dst, nil, false, errKeyTruncated
		}
		start := len(dst)
		dst = append(dst, key[:size]...)
		xor(dst[start:], mask)
		return dst, key[size:], true, nil
	case markRaw:
		start := len(dst)
		dst, rest, err = readEscaped(dst, key, mask)
		if err == nil && sizeRank(dst[start:], size) != 2 {
			err = errKeyNotCanonical
		}
		return dst, rest, false, err
	}
	return dst, nil, false, errKeyMarker
}

// skipFixed skips a component that readFixed reads.
func skipFixed(key []byte, mask byte, size int) (rest []byte, err error) {
	if len(key) == 0 {
		return nil, errKeyTruncated
	}
	switch key[0] ^ mask {
	case markEmpty:
		return key[1:], nil
	case markValue:
		if len(key) <= size {
			return nil, errKeyTruncated
		}
		return key[1+size:], nil
	case markRaw:
		return skipEscaped(key[1:], mask)
	}
	return nil, errKeyMarker
}

// fixed implements order and keys of the types whose values are size bytes that compare unsigned once the bits of flip
// are turned in the first byte: 0x80 for two's complement numbers, 0 for unsigned ones.
type fixed struct {
	size int
	flip byte
}

func (f fixed) compare(a, b []byte) int {
	if len(a) != f.size || len(b) != f.size {
		return compareOddSizes(a, b, f.size)
	}
	if x, y := a[0]^f.flip, b[0]^f.flip; x != y {
		if x < y {
			return -1
		}
		return 1
	}
	return bytes.Compare(a[1:], b[1:])
}

func (f fixed) appendKey(dst, v []byte) []byte {
	if len(v) != f.size {
		return appendOddSize(dst, v)
	}
	dst = append(dst, markValue, v[0]^f.flip)
	return append(dst, v[1:]...)
}

func (f fixed) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	out, rest, regular, err := readFixed(dst, key, mask, f.size)
	if regular && err == nil {
		out[start] ^= f.flip
	}
	return out, rest, err
}

func (f fixed) skipKey(key []byte, mask byte) (rest []byte, err error) {
	return skipFixed(key, mask, f.size)
}

// sign returns -1, 0 or +1.
func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
