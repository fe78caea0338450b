package cqltype

import "encoding/hex"

// blobCodec is blob: any bytes, compared unsigned.
type blobCodec struct{ byteOrder }

func (blobCodec) validate([]byte) error { return nil }

func (blobCodec) accepts(k LiteralKind) bool { return k == LiteralHex }

func (blobCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) { return parseHex(text) }

// parseHex returns the bytes of a literal such as 0xCAFE. The 0x may be written in either case.
func parseHex(text string) ([]byte, error) {
	if len(text) < 2 || text[0] != '0' || text[1]|0x20 != 'x' {
		return nil, invalid("String representation of blob is missing 0x prefix: %s", text)
	}
	v, err := hex.DecodeString(text[2:])
	if err != nil {
		return nil, invalid("cannot parse '%s' as hex bytes", text[2:])
	}
	return v, nil
}

func (blobCodec) appendText(dst, v []byte, _ style) []byte { return appendHex(dst, v) }

func appendHex(dst, v []byte) []byte {
	dst = append(dst, '0', 'x')
	return hex.AppendEncode(dst, v)
}

func (blobCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case []byte:
		return append(dst, v...), true, nil
	case string:
		return append(dst, v...), true, nil
	}
	return dst, false, nil
}

func (blobCodec) decode(v []byte, dest any) (ok bool, err error) {
	switch d := dest.(type) {
	case *[]byte:
		*d = append([]byte{}, v...)
	case *string:
		*d = string(v)
	default:
		return false, nil
	}
	return true, nil
}

func (blobCodec) goValue(v []byte) (any, error) { return append([]byte{}, v...), nil }
