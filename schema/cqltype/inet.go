package cqltype

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// inetCodec is inet: 4 or 16 bytes, compared as unsigned bytes of whatever length. In a key the first four
// bytes are followed by one that tells whether twelve more come.
type inetCodec struct{}

const (
	inetEnds      = 0x01
	inetContinues = 0x02
)

func (inetCodec) validate(v []byte) error {
	if len(v) != 4 && len(v) != 16 && len(v) != 0 {
		return invalid("Expected 4 or 16 byte inetaddress; got %x", v[:min(len(v), 64)])
	}
	return nil
}

func (inetCodec) compare(a, b []byte) int {
	ra, rb := inetRank(a), inetRank(b)
	if ra != rb {
		return sign(ra - rb)
	}
	return bytes.Compare(a, b)
}

// inetRank sorts empty, regular and malformed values.
func inetRank(v []byte) int {
	if len(v) == 16 {
		return 1
	}
	return sizeRank(v, 4)
}

func (inetCodec) appendKey(dst, v []byte) []byte {
	if inetRank(v) != 1 {
		return appendOddSize(dst, v)
	}
	dst = append(append(dst, markValue), v[:4]...)
	if len(v) == 4 {
		return append(dst, inetEnds)
	}
	return append(append(dst, inetContinues), v[4:]...)
}

func (inetCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	start := len(dst)
	dst, key, regular, err := readFixed(dst, key, mask, 4)
	if !regular || err != nil {
		if err == nil && len(dst)-start == 16 {
			err = errKeyNotCanonical
		}
		return dst, key, err
	}
	if len(key) == 0 {
		return dst, nil, errKeyTruncated
	}
	switch key[0] ^ mask {
	case inetEnds:
		return dst, key[1:], nil
	case inetContinues:
		if len(key) < 13 {
			return dst, nil, errKeyTruncated
		}
		dst = append(dst, key[1:13]...)
		xor(dst[start+4:], mask)
		return dst, key[13:], nil
	}
	return dst, nil, errKeyMarker
}

func (inetCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	regular := len(key) > 0 && key[0]^mask == markValue
	rest, err = skipFixed(key, mask, 4)
	if !regular || err != nil {
		return rest, err
	}
	switch {
	case len(rest) > 0 && rest[0]^mask == inetEnds:
		return rest[1:], nil
	case len(rest) >= 13 && rest[0]^mask == inetContinues:
		return rest[13:], nil
	}
	return nil, errKeyTruncated
}

func (inetCodec) accepts(k LiteralKind) bool { return k == LiteralString }

// fromLiteral gives zero bytes for an empty string, as Cassandra does.
func (inetCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	if text == "" {
		return []byte{}, nil
	}
	return appendInet(nil, text)
}

// appendInet appends the address that text spells. Host names are not looked up.
func appendInet(dst []byte, text string) ([]byte, error) {
	if addr, err := netip.ParseAddr(trimInet(text)); err == nil && addr.Zone() == "" {
		return append(dst, addr.Unmap().AsSlice()...), nil
	}
	if addr, ok := parseShortIPv4(text); ok {
		return append(dst, byte(addr>>24), byte(addr>>16), byte(addr>>8), byte(addr)), nil
	}
	return dst, invalid("Unable to make inet address from '%s'", text)
}

// trimInet drops the brackets and the numeric zone that an IPv6 address may have.
func trimInet(text string) string {
	if !strings.Contains(text, ":") {
		return text
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	if address, zone, ok := strings.Cut(text, "%"); ok && isDigits(zone) {
		return address
	}
	return text
}

// parseShortIPv4 reads one to four decimal numbers with points between them, leading zeros allowed, of which
// the last fills all the bytes that are left.
func parseShortIPv4(text string) (addr uint32, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return 0, false
	}
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 32 - 8*i
		}
		n, err := strconv.ParseUint(part, 10, bits)
		if err != nil {
			return 0, false
		}
		addr |= uint32(n) << (32 - 8*i - bits)
	}
	return addr, true
}

func readInet(v []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(v) // v has 4 or 16 bytes
	return addr
}

// appendText quotes addresses in CQL and within collections.
func (inetCodec) appendText(dst, v []byte, s style) []byte {
	if !s.literal && !s.nested {
		return readInet(v).AppendTo(dst)
	}
	if s.literal && len(v) == 16 && readInet(v).Is4In6() {
		return appendBlobCall(dst, KindInet, v) // as a string it would come back with 4 bytes
	}
	dst = append(dst, '\'')
	dst = readInet(v).AppendTo(dst)
	return append(dst, '\'')
}

func (inetCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case netip.Addr:
		if !v.IsValid() {
			return dst, true, invalid("Unable to make inet address from the zero netip.Addr")
		}
		return append(dst, v.AsSlice()...), true, nil
	case net.IP:
		if v == nil { // null, which the caller finds out
			return dst, false, nil
		}
		if v4 := v.To4(); v4 != nil {
			return append(dst, v4...), true, nil
		}
		if len(v) != net.IPv6len {
			return dst, true, invalid("Unable to make inet address from a net.IP of %d bytes", len(v))
		}
		return append(dst, v...), true, nil
	case string:
		dst, err = appendInet(dst, v)
		return dst, true, err
	}
	return dst, false, nil
}

func (c inetCodec) decode(v []byte, dest any) (ok bool, err error) {
	if err := c.validate(v); err != nil {
		return true, err
	}
	switch d := dest.(type) {
	case *netip.Addr:
		*d = readInet(v)
	case *net.IP:
		*d = append(net.IP{}, v...)
	case *string:
		*d = readInet(v).String()
	default:
		return false, nil
	}
	return true, nil
}

func (inetCodec) goValue(v []byte) (any, error) { return readInet(v), nil }
