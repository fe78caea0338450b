package cqltype

import "strings"

// booleanCodec is boolean: one byte, zero for false, anything else for true.
type booleanCodec struct{}

// Key markers that take the place of markValue and a byte.
const (
	markFalse      = 0x02
	markTrue       = 0x03
	markBooleanRaw = 0x04
)

func (booleanCodec) validate(v []byte) error {
	if len(v) > 1 {
		return invalid("Expected 1 or 0 byte value (%d)", len(v))
	}
	return nil
}

func (booleanCodec) compare(a, b []byte) int {
	if len(a) != 1 || len(b) != 1 {
		return compareOddSizes(a, b, 1)
	}
	switch x, y := a[0] != 0, b[0] != 0; {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func (booleanCodec) appendKey(dst, v []byte) []byte {
	switch {
	case len(v) == 0:
		return append(dst, markEmpty)
	case len(v) > 1:
		return appendEscaped(append(dst, markBooleanRaw), v)
	case v[0] == 0:
		return append(dst, markFalse)
	}
	return append(dst, markTrue)
}

func (booleanCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	if len(key) == 0 {
		return dst, nil, errKeyTruncated
	}
	switch key[0] ^ mask {
	case markEmpty:
		return dst, key[1:], nil
	case markFalse:
		return append(dst, 0), key[1:], nil
	case markTrue:
		return append(dst, 1), key[1:], nil
	case markBooleanRaw:
		start := len(dst)
		out, rest, err = readEscaped(dst, key[1:], mask)
		if err == nil && len(out)-start < 2 {
			err = errKeyNotCanonical
		}
		return out, rest, err
	}
	return dst, nil, errKeyMarker
}

func (booleanCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	if len(key) == 0 {
		return nil, errKeyTruncated
	}
	switch key[0] ^ mask {
	case markEmpty, markFalse, markTrue:
		return key[1:], nil
	case markBooleanRaw:
		return skipEscaped(key[1:], mask)
	}
	return nil, errKeyMarker
}

func (booleanCodec) accepts(k LiteralKind) bool { return k == LiteralBoolean }

func (booleanCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	switch { // the lengths keep letters beyond ASCII out, some of which fold to these
	case len(text) == 4 && strings.EqualFold(text, "true"):
		return []byte{1}, nil
	case len(text) == 5 && strings.EqualFold(text, "false"):
		return []byte{0}, nil
	}
	return nil, invalid("Unable to make boolean from '%s'", text)
}

// appendText writes True and False for people, as cqlsh does, and true and false for CQL.
func (booleanCodec) appendText(dst, v []byte, s style) []byte {
	switch truth := v[0] != 0; {
	case s.literal && truth:
		return append(dst, "true"...)
	case s.literal:
		return append(dst, "false"...)
	case truth:
		return append(dst, "True"...)
	}
	return append(dst, "False"...)
}

func (booleanCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	b, ok := v.(bool)
	switch {
	case !ok:
		return dst, false, nil
	case b:
		return append(dst, 1), true, nil
	}
	return append(dst, 0), true, nil
}

func (c booleanCodec) decode(v []byte, dest any) (ok bool, err error) {
	d, ok := dest.(*bool)
	if !ok {
		return false, nil
	}
	if err := c.validate(v); err != nil {
		return true, err
	}
	*d = v[0] != 0
	return true, nil
}

func (booleanCodec) goValue(v []byte) (any, error) { return v[0] != 0, nil }
