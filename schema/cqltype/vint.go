package cqltype

import "math/bits"

// Cassandra's variable-length integers put the number of bytes that follow the first one into the leading
// one bits of the first, and then the number, most significant byte first.

// appendUvint appends x in 1 to 9 bytes.
func appendUvint(dst []byte, x uint64) []byte {
	extra := uvintSize(x) - 1
	if extra == 8 {
		return appendInt(append(dst, 0xFF), 8, int64(x))
	}
	start := len(dst)
	dst = appendInt(dst, extra+1, int64(x))
	dst[start] |= ^byte(0xFF >> extra)
	return dst
}

// uvintSize returns the number of bytes that appendUvint takes for x.
func uvintSize(x uint64) int {
	return min(max(bits.Len64(x)+6, 7)/7, 9)
}

// readUvint returns the number at the start of b and what follows it, ok=false when b ends before it.
func readUvint(b []byte) (x uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	extra := bits.LeadingZeros8(^b[0])
	if len(b) <= extra {
		return 0, nil, false
	}
	x = uint64(b[0] & byte(0xFF>>extra))
	for _, c := range b[1 : 1+extra] {
		x = x<<8 | uint64(c)
	}
	return x, b[1+extra:], true
}

// appendVint appends a signed number, zigzag encoded.
func appendVint(dst []byte, x int64) []byte {
	return appendUvint(dst, uint64(x)<<1^uint64(x>>63))
}

// readVint undoes appendVint.
func readVint(b []byte) (x int64, rest []byte, ok bool) {
	u, rest, ok := readUvint(b)
	return int64(u>>1) ^ -int64(u&1), rest, ok
}
