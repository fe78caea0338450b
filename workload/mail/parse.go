package mail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

// origin tells of a raw message what its headers do not say.
type origin struct {
	user, folder string
	envelope     string    // the "From " line of an mbox; else empty
	modified     time.Time // of the file; dates a message that has no date anywhere
}

// parseMessage reads an RFC 5322 message. Only a message without any header field, or with a field of absurd
// size, is an error. The result shares no memory with raw.
func parseMessage(raw []byte, from origin) (*Message, error) {
	head, content, err := parseHeader(raw)
	if err != nil {
		return nil, err
	}
	if head.count == 0 {
		return nil, errors.New("no header field: this is not a mail message")
	}
	sender, sent := envelopeParts(from.envelope)
	body, _ := entityText(&head, content, 0)
	return &Message{
		ID:      messageID(head.get(fieldMessageID), raw),
		User:    cleanText(from.user), // a file name is any bytes
		From:    firstAddress(head.get(fieldFrom), head.get(fieldSender), head.get(fieldReturnPath), sender),
		To:      distinctAddresses(addresses(head.get(fieldTo))),
		CC:      distinctAddresses(addresses(head.get(fieldCC))),
		Date:    firstDate(&head, sent, from.modified),
		Subject: strings.TrimSpace(cleanText(decodeWords(head.get(fieldSubject)))),
		Body:    strings.Trim(cleanText(body), "\n"),
		Folder:  cleanText(from.folder),
	}, nil
}

// envelopeParts takes a "From " line apart; both results are zero if there is none.
func envelopeParts(line string) (sender string, sent time.Time) {
	sender, sent, ok := splitEnvelope(strings.TrimSpace(strings.TrimPrefix(line, "From ")))
	if !ok {
		return "", time.Time{}
	}
	return sender, sent
}

// messageID returns the id between the first "<" and ">" of a field. A message without a usable one gets an id that
// depends on its content only, so that every run gives the same; ".invalid" cannot clash with a real host.
func messageID(field string, raw []byte) string {
	_, after, found := strings.Cut(field, "<")
	id, _, closed := strings.Cut(after, ">")
	if !found || !closed {
		id = field
	}
	id = cleanText(strings.Join(strings.Fields(id), ""))
	if id != "" && len(id) <= maxNameBytes {
		return id
	}
	sum := sha256.Sum256(bytes.TrimRight(raw, "\r\n")) // an mbox adds a blank line
	return fmt.Sprintf("%x@missing-message-id.invalid", sum[:16])
}

// firstAddress returns the first address in the first field that has one, or "".
func firstAddress(fields ...string) string {
	for _, field := range fields {
		if found := distinctAddresses(addresses(field)); found != nil {
			return found[0]
		}
	}
	return ""
}

// firstDate dates a message: by its Date, by the newest Received field, by the "From " line, by its file.
func firstDate(head *header, envelope, modified time.Time) time.Time {
	if date, ok := parseDate(head.get(fieldDate)); ok {
		return date
	}
	received := head.get(fieldReceived)
	if date, ok := parseDate(received[strings.LastIndexByte(received, ';')+1:]); ok {
		return date
	}
	if !envelope.IsZero() {
		return envelope
	}
	return modified.UTC().Truncate(time.Second)
}
