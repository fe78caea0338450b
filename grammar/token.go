package grammar

import (
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// token is a token of the text. It is a third of ANTLR's, and is kept in one slice per parse.
type token struct {
	source       *source
	kind         int32
	start, end   int32 // offsets in source.text
	line, column int32
	index        int32
}

// of returns the token behind what ANTLR hands out.
func of(t antlr.Token) *token {
	own, _ := t.(*token)
	return own
}

// raw returns the token as written.
func (t *token) raw() string { return t.source.text[t.start:t.end] }

func (t *token) position() ast.Pos { return ast.Pos{Line: int(t.line), Column: int(t.column)} }

// content returns the token without quotes and escapes.
func (t *token) content() string {
	text := t.raw()
	switch t.kind {
	case gen.CqlLexerSTRING_LITERAL:
		if text[0] == '$' {
			return text[2 : len(text)-2]
		}
		return unescape(text[1:len(text)-1], "'")
	case gen.CqlLexerQUOTED_NAME:
		return unescape(text[1:len(text)-1], `"`)
	case gen.CqlLexerEMPTY_QUOTED_NAME:
		return ""
	}
	return text
}

func unescape(text, quote string) string {
	if !strings.Contains(text, quote) {
		return text
	}
	return strings.ReplaceAll(text, quote+quote, quote)
}

// display returns the token as messages show it.
func (t *token) display() string {
	switch t.kind {
	case antlr.TokenEOF:
		return "<EOF>"
	case gen.CqlLexerEMPTY_QUOTED_NAME:
		return `""`
	}
	return t.content()
}

// The rest is what antlr.Token asks for.

func (t *token) GetSource() *antlr.TokenSourceCharStreamPair { return nil }
func (t *token) GetTokenType() int                           { return int(t.kind) }
func (t *token) GetChannel() int                             { return antlr.TokenDefaultChannel }
func (t *token) GetStart() int                               { return int(t.start) }
func (t *token) GetStop() int                                { return int(t.end) - 1 }
func (t *token) GetLine() int                                { return int(t.line) }
func (t *token) GetColumn() int                              { return int(t.column) }
func (t *token) GetText() string                             { return t.raw() }
func (t *token) SetText(string)                              {}
func (t *token) GetTokenIndex() int                          { return int(t.index) }
func (t *token) SetTokenIndex(index int)                     { t.index = int32(index) }
func (t *token) GetTokenSource() antlr.TokenSource           { return nil }
func (t *token) GetInputStream() antlr.CharStream            { return t.source }
func (t *token) String() string                              { return t.display() }

// tokenStream hands the tokens to the parser. The last one is the end of the text.
type tokenStream struct {
	tokens []token
	index  int
	// failed makes every token from here on the end of the text. So the parser, which goes on after
	// an error, unwinds without reading the rest.
	failed bool
	// deadEnd is the first token at which every alternative of a prediction ended, or nil. ANTLR keeps
	// it to itself.
	deadEnd *token
	// sought is the token from which the prediction under way went back, or 0.
	sought int
	// began is the token at which the prediction under way began, or -1.
	began int
	// ahead counts the tokens that predictions have looked at beyond their first few, up to one more
	// than maxLookahead.
	ahead int
	// steps counts calls of LA and Consume, for the test that parsing takes linear time.
	steps int
}

func (s *tokenStream) at(index int) *token {
	if s.failed || index >= len(s.tokens) {
		index = len(s.tokens) - 1
	}
	return &s.tokens[index]
}

// LA returns the kind of the token at offset: 1 is the current one, -1 the previous one.
func (s *tokenStream) LA(offset int) int {
	s.steps++
	if offset < 0 {
		return s.LT(offset).GetTokenType()
	}
	return int(s.at(s.index + offset - 1).kind)
}

// LT returns the token at offset, or nil before the first one.
func (s *tokenStream) LT(offset int) antlr.Token {
	if offset < 0 {
		if s.index+offset < 0 {
			return nil
		}
		return &s.tokens[s.index+offset]
	}
	return s.at(s.index + offset - 1)
}

// Consume moves to the next token.
func (s *tokenStream) Consume() {
	s.steps++
	if s.index < len(s.tokens)-1 {
		s.index++
	}
	if s.began >= 0 && s.index > s.began+freeLookahead {
		s.look()
	}
}

// look counts a token that a prediction looks at.
func (s *tokenStream) look() {
	if s.exhausted() {
		return
	}
	if s.ahead++; s.exhausted() {
		s.deadEnd = &s.tokens[s.index]
		s.failed = true
	}
}

// exhausted reports whether predictions have looked too far ahead.
func (s *tokenStream) exhausted() bool { return s.ahead > maxLookahead }

// Index returns the index of the current token.
func (s *tokenStream) Index() int { return s.index }

// Seek moves to the token with an index.
func (s *tokenStream) Seek(index int) {
	if s.index > index {
		s.sought = s.index
	}
	s.index = index
}

// Size returns the number of tokens.
func (s *tokenStream) Size() int { return len(s.tokens) }

// Get returns the token with an index. A prediction that fails, and nothing else, calls it: for the
// token where it began, while the current token is the one where it failed, or just after it went
// back from there.
func (s *tokenStream) Get(index int) antlr.Token {
	if s.deadEnd == nil {
		s.deadEnd = s.at(max(s.index, s.sought))
	}
	return &s.tokens[index]
}

// Reset goes back to the first token.
func (s *tokenStream) Reset() {
	s.index = 0
	s.failed = false
	s.deadEnd = nil
	s.began = -1
	s.ahead = 0
}

// Mark is called when a prediction begins.
func (s *tokenStream) Mark() int {
	s.sought = 0
	s.began = s.index
	return 0
}

// Release is called when a prediction ends.
func (s *tokenStream) Release(int) { s.began = -1 }

// GetSourceName returns a name for messages of ANTLR, which are not used.
func (s *tokenStream) GetSourceName() string { return "CQL" }

// GetTokenSource returns nil: the tokens are there before the parser starts.
func (s *tokenStream) GetTokenSource() antlr.TokenSource { return nil }

// SetTokenSource does nothing.
func (s *tokenStream) SetTokenSource(antlr.TokenSource) {}

// GetAllText returns the whole text.
func (s *tokenStream) GetAllText() string { return s.tokens[0].source.text }

// GetTextFromInterval returns the text between two tokens.
func (s *tokenStream) GetTextFromInterval(i antlr.Interval) string {
	return s.GetTextFromTokens(&s.tokens[i.Start], &s.tokens[i.Stop])
}

// GetTextFromRuleContext returns the text of a rule.
func (s *tokenStream) GetTextFromRuleContext(context antlr.RuleContext) string {
	return s.GetTextFromInterval(context.GetSourceInterval())
}

// GetTextFromTokens returns the text from the first to the last of two tokens.
func (s *tokenStream) GetTextFromTokens(first, last antlr.Token) string {
	return of(first).source.GetTextFromTokens(first, last)
}
