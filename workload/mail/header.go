package mail

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
)

// maxFieldBytes bounds a header field that is used. Real ones stay below 100 KiB, even with a thousand recipients.
const maxFieldBytes = 1 << 20

// field names a header field that matters here.
type field int

const (
	fieldFrom field = iota
	fieldSender
	fieldReturnPath
	fieldTo
	fieldCC
	fieldDate
	fieldReceived
	fieldMessageID
	fieldSubject
	fieldContentType
	fieldTransferEncoding
	fieldDisposition
	fieldCount
)

// fieldOf returns the field of a name, in any case.
func fieldOf(name []byte) (field, bool) {
	if len(name) > 32 { // longer than any name below
		return 0, false
	}
	switch strings.ToLower(string(name)) {
	case "from":
		return fieldFrom, true
	case "sender":
		return fieldSender, true
	case "return-path":
		return fieldReturnPath, true
	case "to":
		return fieldTo, true
	case "cc":
		return fieldCC, true
	case "date":
		return fieldDate, true
	case "received":
		return fieldReceived, true
	case "message-id":
		return fieldMessageID, true
	case "subject":
		return fieldSubject, true
	case "content-type":
		return fieldContentType, true
	case "content-transfer-encoding":
		return fieldTransferEncoding, true
	case "content-disposition":
		return fieldDisposition, true
	}
	return 0, false
}

// header holds the fields that matter.
type header struct {
	raw   [fieldCount][]byte // unfolded
	count int                // fields of any name
}

// get returns the value of a field as UTF-8, with encoded words still encoded; "" if the field is missing.
func (h *header) get(f field) string {
	return strings.TrimSpace(decodeCharset("", h.raw[f]))
}

// parseHeader splits a message or a part into header and content. net/mail gives up at the first line that is not a
// field; here the content starts there, as a lost blank line is the usual cause. Of a field that occurs
// twice the first counts (the newest Received stands on top), but To and Cc are joined.
func parseHeader(raw []byte) (head header, content []byte, err error) {
	rest := raw
	for len(rest) > 0 {
		line, after := cutLine(rest)
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return head, after, nil
		}
		name, value, isField := cutField(line)
		if !isField {
			if head.count == 0 && isForeignLine(line) {
				rest = after
				continue
			}
			return head, rest, nil
		}
		head.count++
		start, end := len(line)-len(value), len(line)+foldedBytes(after)
		if f, known := fieldOf(name); known {
			if err := head.add(f, name, rest[start:end]); err != nil {
				return head, nil, err
			}
		}
		rest = rest[end:]
	}
	return head, nil, nil
}

// add keeps the value of a field, given with its folds.
func (h *header) add(f field, name, folded []byte) error {
	kept := h.raw[f]
	if kept != nil && f != fieldTo && f != fieldCC {
		return nil
	}
	if len(kept)+len(folded) > maxFieldBytes {
		return fmt.Errorf("header field %q has more than %d bytes: %w", name, maxFieldBytes, ErrTooLarge)
	}
	if kept != nil {
		kept = append(kept, ',')
	}
	for _, c := range folded {
		if c != '\r' && c != '\n' {
			kept = append(kept, c)
		}
	}
	h.raw[f] = kept
	return nil
}

// cutLine returns the first line with its line end, and the rest.
func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i+1], data[i+1:]
	}
	return data, nil
}

// cutField splits a line at the colon that follows a field name (RFC 5322 section 2.2).
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !found || len(name) == 0 {
		return nil, nil, false
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return nil, nil, false
		}
	}
	return name, value, true
}

// isForeignLine tells a line that programs put in front of the first field, or a fold without one.
func isForeignLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From ")) || isFold(line)
}

// foldedBytes returns the length of the lines at the start of data that continue a field.
func foldedBytes(data []byte) int {
	end := 0
	for {
		line, _ := cutLine(data[end:])
		if !isFold(line) {
			return end
		}
		end += len(line)
	}
}

// isFold tells a continuation line: it starts with white space and is not blank.
func isFold(line []byte) bool {
	return len(line) > 0 && (line[0] == ' ' || line[0] == '\t') && len(bytes.TrimSpace(line)) > 0
}

// decodeWords decodes the encoded words (RFC 2047) of a header value. What cannot be decoded stays as it is.
func decodeWords(value string) string {
	decoder := mime.WordDecoder{CharsetReader: charsetReader}
	decoded, err := decoder.DecodeHeader(value)
	if err != nil {
		return value
	}
	return decoded
}
