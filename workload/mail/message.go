package mail

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxNameBytes bounds the strings that become keys of a table: users, Message-IDs. It is the longest
// line RFC 5322 section 2.1.1 allows, and far below the 64 KiB that a key may have in Cassandra.
const maxNameBytes = 998

// Message is one mail in one mailbox, reduced to what a search needs. All text is valid UTF-8
// with "\n" line ends and without NUL.
type Message struct {
	ID      string    // Message-ID without <>; never empty
	User    string    // owner of the mailbox; never empty
	From    string    // sender's address in lower case; empty if the mail names none
	To      []string  // addresses in lower case, no repeats; nil if there are none
	CC      []string  // like To
	Date    time.Time // UTC, whole seconds
	Subject string    // may be empty
	Body    string    // plain text, may be empty
	Folder  string    // folder inside the mailbox, "/" between levels; may be empty
}

// Correspondents returns the distinct addresses of m in the order from, to, cc.
func Correspondents(m *Message) []string {
	all := make([]string, 0, 1+len(m.To)+len(m.CC))
	all = append(all, m.From)
	all = append(all, m.To...)
	all = append(all, m.CC...)
	return distinctAddresses(all)
}

// MessageError reports one message that could not be read. The source goes on with the next one.
type MessageError struct {
	Source  string // path of the file
	Ordinal int64  // position of the message in the whole source, from 0
	Line    int64  // line in the file, from 1, for JSON lines; else 0
	Offset  int64  // where the message starts in the uncompressed file, in bytes
	Err     error
}

// Error names the file, the place in it and the cause.
func (e *MessageError) Error() string {
	return fmt.Sprintf("mail: %s: message %d at %s: %v", e.Source, e.Ordinal, place(e.Line, e.Offset), e.Err)
}

// Unwrap returns the cause.
func (e *MessageError) Unwrap() error { return e.Err }

// FileError reports a file that cannot be read to its end, so that messages may be missing.
// The source ends there: later calls return the same error.
type FileError struct {
	Path   string
	Line   int64 // line where reading stopped, from 1, for JSON lines; else 0
	Offset int64 // where reading stopped in the uncompressed file, in bytes
	Err    error
}

// Error names the file, the place in it and the cause.
func (e *FileError) Error() string {
	return fmt.Sprintf("mail: %s: at %s: %v", e.Path, place(e.Line, e.Offset), e.Err)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Causes of a MessageError or FileError that a caller may ask for with errors.Is.
var (
	ErrTooLarge  = errors.New("the message is larger than the limit")
	ErrTruncated = errors.New("the file is cut off")
)

func place(line, offset int64) string {
	if line > 0 {
		return fmt.Sprintf("line %d (byte %d)", line, offset)
	}
	return fmt.Sprintf("byte %d", offset)
}

// distinctAddresses lower-cases addresses and drops empty and repeated ones, in place; nil if none is left.
func distinctAddresses(addresses []string) []string {
	kept := addresses[:0]
	seen := make(map[string]struct{}, len(addresses))
	for _, a := range addresses {
		a = strings.ToLower(strings.TrimSpace(cleanText(a)))
		if _, repeated := seen[a]; a == "" || repeated {
			continue
		}
		seen[a] = struct{}{}
		kept = append(kept, a)
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// cleanText makes text valid UTF-8 with "\n" line ends. NUL goes because Postgres text cannot hold it.
func cleanText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	return text
}
