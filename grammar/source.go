package grammar

import (
	"unicode/utf8"

	"github.com/antlr4-go/antlr/v4"
)

// source is the text as the lexer reads it, without a copy. Indexes are offsets in bytes, so that
// the text of a token is a slice of the text.
type source struct {
	text  string
	index int
}

// otherCharacter stands for every character that has no meaning of its own in the grammar: lexers
// of ANTLR are slow outside ASCII.
const otherCharacter = 0x7f

const micro = 'µ' // the only such character with a meaning, in durations

// LA returns the current character if offset is 1, which is all that a lexer asks for.
func (s *source) LA(offset int) int {
	at := s.index + offset - 1
	if at >= len(s.text) || at < 0 {
		return antlr.TokenEOF
	}
	c := s.text[at]
	if c < utf8.RuneSelf {
		return int(c)
	}
	if r, _ := utf8.DecodeRuneInString(s.text[at:]); r == micro {
		return micro
	}
	return otherCharacter
}

// Consume moves to the next UTF-16 code unit, because columns count these: a character of four
// bytes, which is two of them, takes two steps of two bytes.
func (s *source) Consume() {
	switch c := s.text[s.index]; {
	case c < utf8.RuneSelf:
		s.index++
	case c >= 0xe0 && c < 0xf0:
		s.index += 3
	default:
		s.index += 2
	}
}

// Index returns the offset of the current character.
func (s *source) Index() int { return s.index }

// Seek moves to an offset that Index returned.
func (s *source) Seek(index int) { s.index = index }

// Size returns the length of the text.
func (s *source) Size() int { return len(s.text) }

// Mark does nothing: the whole text stays in memory.
func (s *source) Mark() int { return 0 }

// Release does nothing.
func (s *source) Release(int) {}

// GetSourceName returns a name for messages of ANTLR, which are not used.
func (s *source) GetSourceName() string { return "CQL" }

// GetText returns the text from the offset start up to and including stop.
func (s *source) GetText(start, stop int) string { return s.text[start : stop+1] }

// GetTextFromTokens returns the text of all tokens from start to end.
func (s *source) GetTextFromTokens(start, end antlr.Token) string {
	return s.GetText(start.GetStart(), end.GetStop())
}

// GetTextFromInterval returns the text between two offsets.
func (s *source) GetTextFromInterval(i antlr.Interval) string { return s.GetText(i.Start, i.Stop) }
