package mail

import (
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// decodeCharset converts data in the named character set to UTF-8. Mail often names none, a wrong one, or one
// that does not exist: then valid UTF-8 is taken as such, and anything else as windows-1252, which knows every byte.
func decodeCharset(label string, data []byte) string {
	label = strings.ToLower(strings.TrimSpace(label))
	switch label {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968":
		return guessCharset(data)
	case "utf-8", "utf8":
		return strings.ToValidUTF8(string(data), "\uFFFD")
	case "cp932":
		label = "shift_jis"
	case "cp936":
		label = "gbk"
	case "cp949":
		label = "euc-kr"
	case "utf-16": // browsers take it for little-endian, RFC 2781 goes by the byte order mark
		return decodeWith(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), data)
	}
	charset, err := htmlindex.Get(label)
	if err != nil || charset == encoding.Replacement { // known, but browsers refuse it
		return guessCharset(data)
	}
	return decodeWith(charset, data)
}

func decodeWith(charset encoding.Encoding, data []byte) string {
	decoded, err := charset.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	return string(decoded)
}

func guessCharset(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	return decodeWith(charmap.Windows1252, data)
}

// charsetReader is decodeCharset for mime.WordDecoder.
func charsetReader(label string, from io.Reader) (io.Reader, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	return strings.NewReader(decodeCharset(label, data)), nil
}
