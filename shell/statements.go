package shell

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/iliumdb/ilium/grammar"
)

// A part is a kind of text in which a semicolon means something, or nothing.
type part int

const (
	code         part = iota
	quotedText        // 'it''s'
	quotedName        // "Name"
	dollarText        // $$it's$$
	lineComment       // -- to the end of the line, or // likewise
	blockComment      // /* over lines */
)

// statements cuts text into statements while it is read, so that each can be carried out before the
// next is typed. It looks for the semicolons that end one: outside of strings, quoted names and
// comments, and outside of BEGIN ... APPLY BATCH, words that are reserved in CQL.
type statements struct {
	in    *bufio.Reader
	limit int // of one statement, in bytes

	// endsWithLine reports whether a statement that begins with the word ends with its line, also without a semicolon. nil
	// means that none does.
	endsWithLine func(word string) bool

	line  int // where the byte after the last one read is, from 1
	began int // line in which the statement begins

	text  []byte // of the statement so far
	part  part
	plain bool // known not to end with its line
	last  byte // the byte before, if it is of the same part and may begin or end the next one
	word  int  // where the word that text ends in begins
	batch bool // between BEGIN and APPLY
	solid int  // bytes that are neither space nor comment
}

func newStatements(in io.Reader) *statements {
	return &statements{in: bufio.NewReader(in), limit: grammar.MaxTextBytes, line: 1}
}

// next returns the next statement with its semicolon, and io.EOF after the last. The last one may
// lack the semicolon. Whether a statement is right is for the parser to say.
func (s *statements) next() (string, error) {
	s.text, s.solid, s.batch, s.word, s.plain = s.text[:0], 0, false, 0, false
	s.enter(code) // the input may have failed inside of something else
	for {
		c, err := s.in.ReadByte()
		if err == io.EOF && s.solid > 0 {
			return s.statement(), nil
		}
		if err != nil {
			return "", err
		}
		if len(s.text) == s.limit {
			return "", fmt.Errorf("a statement is longer than %d bytes", s.limit)
		}
		s.text = append(s.text, c)
		solid := s.solid
		end := s.take(c)
		if solid == 0 && s.solid > 0 {
			s.began = s.line
		}
		if c == '\n' {
			s.line++
			end = end || s.lineEnds()
		}
		if end {
			return s.statement(), nil
		}
	}
}

// pending reports whether a statement has begun, or something else that the end of a line does not end.
func (s *statements) pending() bool { return s.solid > 0 || s.part != code }

// lineEnds reports whether the line that has ended ends the statement too. The first line decides: a statement may have
// very many.
func (s *statements) lineEnds() bool {
	if s.endsWithLine == nil || s.plain || s.part != code || s.solid == 0 {
		return false
	}
	s.plain = !s.endsWithLine(firstWord(string(s.text)))
	return !s.plain
}

// firstWord returns the word, or else the character, with which a text begins behind spaces and comments.
func firstWord(text string) string {
	text = skipBlank(text)
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	if n == 0 && text != "" {
		n = 1
	}
	return text[:n]
}

// skipBlank returns a text without the spaces and comments in front.
func skipBlank(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		at, closing := 0, 1
		switch {
		case strings.HasPrefix(text, "--"), strings.HasPrefix(text, "//"):
			at = strings.IndexAny(text[2:], "\r\n")
		case strings.HasPrefix(text, "/*"):
			at, closing = strings.Index(text[2:], "*/"), 2
		default:
			return text
		}
		if at < 0 {
			return ""
		}
		text = text[2+at+closing:]
	}
}

func (s *statements) statement() string { return string(bytes.TrimSpace(s.text)) }

// take looks at the byte that was read, and reports whether it ends a statement.
func (s *statements) take(c byte) (end bool) {
	last := s.last
	s.last = c
	switch s.part {
	case code:
		return s.takeCode(last, c)
	case quotedText:
		s.leaveIf(c == '\'') // a doubled one begins the text again
	case quotedName:
		s.leaveIf(c == '"')
	case dollarText:
		s.leaveIf(last == '$' && c == '$')
	case lineComment:
		s.leaveIf(c == '\n' || c == '\r')
	case blockComment:
		s.leaveIf(last == '*' && c == '/')
	}
	return false
}

// takeCode looks at a byte outside of strings, names and comments.
func (s *statements) takeCode(last, c byte) (end bool) {
	s.takeWord(c)
	if !isSpace(c) {
		s.solid++
	}
	switch {
	case c == '\'':
		s.enter(quotedText)
	case c == '"':
		s.enter(quotedName)
	case last == '$' && c == '$':
		s.enter(dollarText)
	case last == '-' && c == '-', last == '/' && c == '/':
		s.solid -= 2
		s.enter(lineComment)
	case last == '/' && c == '*':
		s.solid -= 2
		s.enter(blockComment)
	case c == ';' && s.solid == 1: // alone, it is no statement
		s.text, s.solid, s.word = s.text[:0], 0, 0
	case c == ';':
		return !s.batch
	}
	return false
}

// takeWord looks for the words around a batch.
func (s *statements) takeWord(c byte) {
	if isWord(c) {
		return
	}
	switch word := string(s.text[s.word : len(s.text)-1]); {
	case strings.EqualFold(word, "BEGIN"):
		s.batch = true
	case strings.EqualFold(word, "APPLY"):
		s.batch = false
	}
	s.word = len(s.text)
}

func (s *statements) enter(p part) { s.part, s.last = p, 0 }

func (s *statements) leaveIf(end bool) {
	if end {
		s.enter(code)
		s.word = len(s.text)
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
