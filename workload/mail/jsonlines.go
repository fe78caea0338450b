package mail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// jsonMessage is a Message as a JSON line holds it.
type jsonMessage struct {
	ID      string   `json:"id"`
	User    string   `json:"user"`
	From    string   `json:"from"`
	To      []string `json:"to"`
	CC      []string `json:"cc"`
	Date    string   `json:"date"`
	Subject string   `json:"subject"`
	Body    string   `json:"body"`
	Folder  string   `json:"folder"`
}

// Iterator is a stream of messages that ends with io.EOF, such as a Source or a Generator.
type Iterator interface {
	Next() (*Message, error)
}

// WriteJSONL writes the messages of from to w, one JSON object per line, and returns how many it wrote.
// It stops at the first error, be it a MessageError; wrap from to pass over those. Open reads the
// result back as equal messages, the Date in whole seconds.
func WriteJSONL(w io.Writer, from Iterator) (int64, error) {
	buffer := bufio.NewWriterSize(w, streamBufferBytes)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	for written := int64(0); ; written++ {
		m, err := from.Next()
		if err == io.EOF {
			return written, buffer.Flush()
		}
		if err != nil {
			return written, errors.Join(err, buffer.Flush())
		}
		if err := encoder.Encode(newJSONMessage(m)); err != nil {
			return written, fmt.Errorf("mail: writing message %d: %w", written, err)
		}
	}
}

func newJSONMessage(m *Message) *jsonMessage {
	list := func(addresses []string) []string {
		if addresses == nil {
			return []string{} // the format has a list even for none
		}
		return addresses
	}
	return &jsonMessage{
		ID: m.ID, User: m.User, From: m.From, To: list(m.To), CC: list(m.CC),
		Date: m.Date.UTC().Format(time.RFC3339), Subject: m.Subject, Body: m.Body, Folder: m.Folder,
	}
}

// message checks what a JSON line held and returns it as a Message.
func (j *jsonMessage) message() (*Message, error) {
	switch {
	case j.ID == "":
		return nil, errors.New(`the object has no "id"`)
	case j.User == "":
		return nil, errors.New(`the object has no "user"`)
	}
	err := errors.Join(checkNames("id", j.ID), checkNames("user", j.User), checkNames("from", j.From),
		checkNames("to", j.To...), checkNames("cc", j.CC...))
	if err != nil {
		return nil, err
	}
	date, err := time.Parse(time.RFC3339, j.Date)
	if err != nil {
		return nil, fmt.Errorf("\"date\" is not an RFC 3339 time: %w", err)
	}
	m := &Message{
		ID: cleanText(j.ID), User: cleanText(j.User),
		To: distinctAddresses(j.To), CC: distinctAddresses(j.CC),
		Date:    date.UTC().Truncate(time.Second),
		Subject: cleanText(j.Subject), Body: cleanText(j.Body), Folder: cleanText(j.Folder),
	}
	if from := distinctAddresses([]string{j.From}); from != nil {
		m.From = from[0]
	}
	return m, nil
}

// checkNames refuses values that are too long for a key of a table.
func checkNames(field string, values ...string) error {
	for _, value := range values {
		if len(value) > maxNameBytes {
			return fmt.Errorf("%q holds %d bytes, the limit is %d", field, len(value), maxNameBytes)
		}
	}
	return nil
}

// jsonLines is the container of a JSON lines file.
type jsonLines struct {
	lines *stream
	line  int64  // number of the current line, from 1
	user  string // for objects that name no user
}

// next implements container.
func (j *jsonLines) next() (*Message, error) {
	line, err := j.readObject()
	if err != nil {
		return nil, err
	}
	var object jsonMessage
	if err := json.Unmarshal(line, &object); err != nil {
		if isCutOff(line) {
			return nil, j.truncated()
		}
		return nil, j.damaged(explained(err))
	}
	if object.User == "" {
		object.User = j.user
	}
	m, err := object.message()
	if err != nil {
		return nil, j.damaged(err)
	}
	return m, nil
}

// explained says what is wrong with a line in terms of the line, not of Go types.
func explained(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return fmt.Errorf("not a JSON object: %w", err)
	case wrong.Field == "":
		return fmt.Errorf("a JSON %s, not an object", wrong.Value)
	case wrong.Field == "to" || wrong.Field == "cc":
		return fmt.Errorf("%q holds a %s, not a list of strings", wrong.Field, wrong.Value)
	}
	return fmt.Errorf("%q holds a %s, not a string", wrong.Field, wrong.Value)
}

// skip implements container.
func (j *jsonLines) skip() error {
	line, err := j.readObject()
	if err == nil && isCutOff(line) {
		return j.truncated()
	}
	return err
}

// close implements container.
func (j *jsonLines) close() error { return j.lines.close() }

// readObject returns the next line that is not blank.
func (j *jsonLines) readObject() ([]byte, error) {
	for {
		line, err := j.lines.readLine()
		j.line++
		var failed *FileError
		switch {
		case err == errLineTooLong:
			return nil, j.damaged(fmt.Errorf("%w of %d bytes", ErrTooLarge, j.lines.limit))
		case errors.As(err, &failed):
			failed.Line = j.line
			return nil, failed
		case err != nil:
			return nil, err
		}
		if j.line == 1 {
			line = bytes.TrimPrefix(line, []byte(utf8BOM))
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

// isCutOff reports whether a line can only be the first half of one: without line end, and not valid JSON.
func isCutOff(line []byte) bool { return line[len(line)-1] != '\n' && !json.Valid(line) }

func (j *jsonLines) damaged(err error) *MessageError {
	return &MessageError{Source: j.lines.path, Line: j.line, Offset: j.lines.start, Err: err}
}

func (j *jsonLines) truncated() *FileError {
	err := fmt.Errorf("%w inside a JSON object", ErrTruncated)
	return &FileError{Path: j.lines.path, Line: j.line, Offset: j.lines.end, Err: err}
}
