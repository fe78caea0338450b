package shell

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// historyFile is the name of the file with earlier statements, in the home directory.
const historyFile = ".ilium_history"

// maxHistory is how many statements are kept.
const maxHistory = 1000

// history is what was typed earlier, the oldest first. It implements term.History.
type history struct {
	path    string // "" keeps it in memory alone
	entries []string
}

// loadHistory reads a file, which need not exist yet.
func loadHistory(path string) (*history, error) {
	h := &history{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			h.entries = append(h.entries, string(line))
		}
	}
	if len(h.entries) <= 2*maxHistory { // so that the file is rarely written anew
		return h, nil
	}
	h.entries = h.entries[len(h.entries)-maxHistory:]
	return h, os.WriteFile(path, []byte(strings.Join(h.entries, "\n")+"\n"), 0o600)
}

// Len implements term.History.
func (h *history) Len() int { return len(h.entries) }

// At implements term.History: 0 is the newest.
func (h *history) At(i int) string { return h.entries[len(h.entries)-1-i] }

// Add implements term.History. It does nothing: whole statements are kept, by record, and not the lines they came in.
func (h *history) Add(string) {}

// record keeps a statement, as one line, unless that is not possible, it may hold a password, or it is too long for a line.
func (h *history) record(statement string) error {
	line := oneLine(statement)
	repeated := len(h.entries) > 0 && h.entries[len(h.entries)-1] == line
	if line == "" || repeated || holdsPassword(line) || utf8.RuneCountInString(line) >= maxTypedLine {
		return nil
	}
	h.entries = append(h.entries, line)
	if h.path == "" {
		return nil
	}
	file, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line + "\n")
	return errors.Join(err, file.Close())
}

// oneLine returns a statement as one line that says the same, without what is a comment to the end of its line; "" if a
// string or a name goes over lines.
func oneLine(statement string) string {
	var s statements
	var line []byte
	for _, c := range []byte(statement) {
		before := s.part
		s.text = append(s.text, c)
		s.take(c)
		lineEnds := c == '\n' || c == '\r'
		switch {
		case s.part == lineComment && before != lineComment:
			line = line[:len(line)-1] // it has begun with the character before
		case s.part == lineComment:
		case lineEnds && (before == quotedText || before == quotedName || before == dollarText):
			return ""
		case lineEnds:
			line = append(line, ' ')
		default:
			line = append(line, c)
		}
	}
	return string(bytes.TrimSpace(line))
}

// holdsPassword reports whether a statement may hold a password. It is better to keep one too few.
func holdsPassword(statement string) bool {
	return strings.Contains(strings.ToUpper(statement), "PASSWORD") || strings.EqualFold(firstWord(statement), "LOGIN")
}
