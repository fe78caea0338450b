package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// inboxFolder is the folder of mail whose container names none.
const inboxFolder = "INBOX"

// mbox is the container of an mbox file (RFC 4155 and its mboxo and mboxrd relatives).
type mbox struct {
	lines    *stream
	origin   origin
	envelope string // "From " line of the message to come, without its line end; "" at the end of the file
	start    int64  // offset of that line
	blank    bool   // the line before the current one was blank
	data     []byte // the message, reused
}

// begin moves to the first "From " line.
func (b *mbox) begin() error {
	info, err := os.Stat(b.lines.path)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	b.origin.modified = info.ModTime()
	for b.envelope == "" {
		line, err := b.lines.readLine()
		var failed *FileError
		switch {
		case errors.As(err, &failed):
			return failed
		case err != nil:
			return &FileError{Path: b.lines.path, Err: errors.New("the file starts with no \"From \" line anymore")}
		}
		b.takeEnvelope(bytes.TrimPrefix(line, []byte(utf8BOM)))
	}
	return nil
}

// next implements container.
func (b *mbox) next() (*Message, error) {
	start, envelope := b.start, b.envelope
	if err := b.readMessage(true); err != nil {
		return nil, err
	}
	from := b.origin
	from.envelope = envelope
	m, err := parseMessage(b.data, from)
	if err != nil {
		return nil, &MessageError{Source: b.lines.path, Offset: start, Err: err}
	}
	return m, nil
}

// skip implements container.
func (b *mbox) skip() error { return b.readMessage(false) }

// close implements container.
func (b *mbox) close() error { return b.lines.close() }

// readMessage moves to the next "From " line or to the end. It collects the lines before it in b.data if keep is set.
func (b *mbox) readMessage(keep bool) error {
	if b.envelope == "" {
		return io.EOF
	}
	start := b.start
	b.envelope = ""
	if cap(b.data) > keptBytes {
		b.data = nil
	}
	b.data = b.data[:0]
	tooLarge := false
	for b.envelope == "" {
		line, err := b.lines.readLine()
		switch {
		case err == io.EOF:
			return b.finish(start, tooLarge)
		case err == errLineTooLong:
			tooLarge, b.blank = true, false
			continue
		case err != nil:
			return err
		case line[len(line)-1] != '\n':
			err := fmt.Errorf("%w inside a line of the last message", ErrTruncated)
			return &FileError{Path: b.lines.path, Offset: b.lines.end, Err: err}
		}
		if b.takeEnvelope(line) {
			continue
		}
		tooLarge = tooLarge || len(b.data)+len(line) > b.lines.limit
		if keep && !tooLarge {
			b.data = append(b.data, unquoted(line)...)
		}
	}
	return b.finish(start, tooLarge)
}

// finish reports a message over the limit, once the splitter stands after it.
func (b *mbox) finish(start int64, tooLarge bool) error {
	if !tooLarge {
		return nil
	}
	b.data = nil
	err := fmt.Errorf("%w of %d bytes", ErrTooLarge, b.lines.limit)
	return &MessageError{Source: b.lines.path, Offset: start, Err: err}
}

// takeEnvelope reports whether line starts a message, and keeps it if so.
func (b *mbox) takeEnvelope(line []byte) bool {
	if isEnvelope(line, b.blank) {
		b.envelope = strings.TrimRight(string(line), "\r\n")
		b.start = b.lines.start
		b.blank = false
		return true
	}
	b.blank = len(bytes.TrimRight(line, "\r\n")) == 0
	return false
}

// isEnvelope tells a "From " line from text. Writers that do not quote leave sentences with "From " in bodies, so
// the line must name a sender and a date. Thunderbird's "From " and "From -" have neither; they count after
// a blank line only.
func isEnvelope(line []byte, afterBlank bool) bool {
	rest, found := bytes.CutPrefix(line, []byte("From "))
	if !found || len(line) > maxNameBytes {
		return false
	}
	text := strings.TrimSpace(string(rest))
	if text == "" || text == "-" {
		return afterBlank
	}
	_, _, ok := splitEnvelope(text)
	return ok
}

// splitEnvelope returns the sender and the date of what follows "From ".
func splitEnvelope(text string) (sender string, date time.Time, ok bool) {
	sender, rest, _ := strings.Cut(text, " ")
	if !strings.Contains(rest, ":") { // a time of day
		return "", time.Time{}, false
	}
	date, ok = parseDate(rest)
	return sender, date, ok
}

// unquoted takes one ">" off a line that quotes a "From " line. That is mboxrd's rule; mboxo's
// differs only for lines that had a ">" before.
func unquoted(line []byte) []byte {
	if line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
		return line[1:]
	}
	return line
}
