package cqltype

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// byteOrder implements order and keys of the types that compare as unsigned bytes of any length.
type byteOrder struct{}

func (byteOrder) compare(a, b []byte) int { return bytes.Compare(a, b) }

func (byteOrder) appendKey(dst, v []byte) []byte { return appendEscaped(dst, v) }

func (byteOrder) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	return readEscaped(dst, key, mask)
}

func (byteOrder) skipKey(key []byte, mask byte) (rest []byte, err error) {
	return skipEscaped(key, mask)
}

// textCodec is text (UTF-8) and ascii.
type textCodec struct {
	byteOrder
	ascii bool
}

func (c textCodec) validate(v []byte) error {
	if c.ascii {
		for _, b := range v {
			if b >= utf8.RuneSelf {
				return invalid("Invalid byte for ascii: %d", int8(b))
			}
		}
		return nil
	}
	if !utf8.Valid(v) {
		return invalid("String didn't validate.")
	}
	return nil
}

func (c textCodec) accepts(k LiteralKind) bool { return k == LiteralString }

func (c textCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	if c.ascii {
		for _, r := range text {
			if r >= utf8.RuneSelf {
				return nil, invalid("Invalid ASCII character in string literal: %q", r)
			}
		}
	}
	v := []byte(text)
	return v, c.validate(v)
}

func (c textCodec) appendText(dst, v []byte, s style) []byte {
	switch {
	case s.literal:
		return appendQuoted(dst, string(v))
	case s.nested:
		dst = append(dst, '\'')
		dst = appendReadable(dst, v, true)
		return append(dst, '\'')
	}
	return appendReadable(dst, v, false)
}

// appendQuoted appends s as a CQL string literal.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '\'')
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			break
		}
		dst = append(dst, s[:i]...)
		dst = append(dst, "''"...)
		s = s[i+1:]
	}
	dst = append(dst, s...)
	return append(dst, '\'')
}

// appendReadable appends text the way cqlsh shows it: backslashes doubled and control characters escaped;
// single quotes doubled when the text stands inside quotes.
func appendReadable(dst, v []byte, quoted bool) []byte {
	const hex = "0123456789abcdef"
	for len(v) > 0 {
		r, n := utf8.DecodeRune(v)
		switch {
		case r == '\\':
			dst = append(dst, `\\`...)
		case r == '\'' && quoted:
			dst = append(dst, "''"...)
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ' || r >= 0x7f && r <= 0xa0:
			dst = append(dst, '\\', 'x', hex[r>>4], hex[r&15])
		default:
			dst = append(dst, v[:n]...)
		}
		v = v[n:]
	}
	return dst
}

func (c textCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	start := len(dst)
	switch v := v.(type) {
	case string:
		dst = append(dst, v...)
	case []byte:
		dst = append(dst, v...)
	default:
		return dst, false, nil
	}
	return dst, true, c.validate(dst[start:])
}

func (c textCodec) decode(v []byte, dest any) (ok bool, err error) {
	switch d := dest.(type) {
	case *string:
		*d = string(v)
	case *[]byte:
		*d = append([]byte{}, v...)
	default:
		return false, nil
	}
	return true, nil
}

func (c textCodec) goValue(v []byte) (any, error) { return string(v), nil }
