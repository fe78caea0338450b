package mail

import (
	"bytes"
	"encoding/base64"
	"mime"
	"strings"
)

// maxPartDepth bounds how deep parts nest. Forwards of forwards stay below ten.
const maxPartDepth = 32

// textKind ranks what a part offers.
type textKind int

const (
	noText textKind = iota
	strippedHTML
	plainText
)

// entityText returns the text of a message or part (RFC 2045, 2046): of alternatives the plain one, else HTML without
// its markup; of other multiparts everything that is text. Attachments count as no text.
func entityText(head *header, content []byte, depth int) (string, textKind) {
	disposition, _, _ := strings.Cut(head.get(fieldDisposition), ";")
	if strings.EqualFold(strings.TrimSpace(disposition), "attachment") || depth > maxPartDepth {
		return "", noText
	}
	media, parameters := contentType(head.get(fieldContentType))
	container, kind, _ := strings.Cut(media, "/")
	boundary := parameters["boundary"]
	switch {
	case container == "multipart" && boundary != "":
		return multipartText(content, boundary, kind == "alternative", depth)
	case media == "message/rfc822":
		return partText(content, depth)
	case media == "text/plain", container == "multipart":
		data := decodeTransfer(head.get(fieldTransferEncoding), content)
		return decodeCharset(parameters["charset"], data), plainText
	case media == "text/html":
		data := decodeTransfer(head.get(fieldTransferEncoding), content)
		return stripHTML(decodeCharset(parameters["charset"], data)), strippedHTML
	}
	return "", noText
}

// partText returns the text of what starts with a header of its own.
func partText(raw []byte, depth int) (string, textKind) {
	head, content, err := parseHeader(raw)
	if err != nil {
		return "", noText // the other parts are not affected
	}
	return entityText(&head, content, depth+1)
}

// multipartText joins the texts of the parts, or picks one of them if they are alternatives.
func multipartText(content []byte, boundary string, alternative bool, depth int) (string, textKind) {
	var texts []string
	best := noText
	for part := range parts(content, boundary) {
		text, kind := partText(part, depth)
		if strings.TrimSpace(text) == "" {
			continue
		}
		if alternative && kind > best {
			texts = texts[:0]
		}
		if !alternative || kind > best {
			texts = append(texts, text)
		}
		best = max(best, kind)
	}
	return strings.Join(texts, "\n"), best
}

// parts yields the parts between the delimiter lines of a multipart (RFC 2046 section 5.1.1), without the line end
// before each delimiter. A missing last delimiter ends the last part with the content.
func parts(content []byte, boundary string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start := -1 // of the current part
		for position, rest := 0, content; len(rest) > 0; {
			line, after := cutLine(rest)
			delimiter, closing := isDelimiter(line, boundary)
			if delimiter && start >= 0 && !yield(trimLineEnd(content[start:position])) {
				return
			}
			if closing {
				return
			}
			position += len(line)
			rest = after
			if delimiter {
				start = position
			}
		}
		if start >= 0 {
			yield(content[start:])
		}
	}
}

// isDelimiter tells "--boundary", and "--boundary--" which is also closing.
func isDelimiter(line []byte, boundary string) (delimiter, closing bool) {
	rest, found := bytes.CutPrefix(line, []byte("--"))
	if !found {
		return false, false
	}
	if rest, found = bytes.CutPrefix(rest, []byte(boundary)); !found {
		return false, false
	}
	switch string(bytes.TrimSpace(rest)) {
	case "":
		return true, false
	case "--":
		return true, true
	}
	return false, false
}

func trimLineEnd(data []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
}

// contentType returns the media type in lower case and its parameters. What mime refuses is read without regard
// to rules; what has no type at all is text/plain (RFC 2045 section 5.2).
func contentType(value string) (media string, parameters map[string]string) {
	media, parameters, err := mime.ParseMediaType(value)
	if err == nil && strings.Contains(media, "/") {
		return media, parameters
	}
	media, rest, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if !strings.Contains(media, "/") {
		return "text/plain", nil
	}
	parameters = make(map[string]string)
	for piece := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(piece, "=")
		parameters[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return media, parameters
}

// decodeTransfer undoes a transfer encoding (RFC 2045 section 6). Damage costs the characters concerned only.
func decodeTransfer(encoding string, data []byte) []byte {
	switch strings.ToLower(encoding) {
	case "base64":
		return decodeBase64(data)
	case "quoted-printable":
		return decodeQuotedPrintable(data)
	}
	return data
}

// decodeBase64 ignores everything outside of the alphabet, and what follows padding.
func decodeBase64(data []byte) []byte {
	data, _, _ = bytes.Cut(data, []byte("="))
	kept := make([]byte, 0, len(data))
	for _, c := range data {
		if isLetter(c) || isDigit(c) || c == '+' || c == '/' {
			kept = append(kept, c)
		}
	}
	if len(kept)%4 == 1 {
		kept = kept[:len(kept)-1] // six bits make no byte
	}
	n, err := base64.RawStdEncoding.Decode(kept, kept)
	if err != nil {
		panic("mail: base64 of the right alphabet and length does not decode: " + err.Error())
	}
	return kept[:n]
}

// decodeQuotedPrintable keeps what is not well-formed as it is.
func decodeQuotedPrintable(data []byte) []byte {
	decoded := make([]byte, 0, len(data))
	for len(data) > 0 {
		line, rest := cutLine(data)
		data = rest
		text := bytes.TrimRight(line, " \t\r\n") // white space at the end of a line was added on the way
		soft := bytes.HasSuffix(text, []byte("="))
		text = bytes.TrimSuffix(text, []byte("="))
		for i := 0; i < len(text); i++ {
			if text[i] == '=' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
				decoded = append(decoded, unhex(text[i+1])<<4|unhex(text[i+2]))
				i += 2
				continue
			}
			decoded = append(decoded, text[i])
		}
		if !soft && bytes.HasSuffix(line, []byte("\n")) {
			decoded = append(decoded, '\n')
		}
	}
	return decoded
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
