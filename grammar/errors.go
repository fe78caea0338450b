package grammar

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// SyntaxError says why and where a text is not CQL.
type SyntaxError struct {
	// Pos is where the error is; at the end of the text if something is missing there.
	Pos ast.Pos
	// Reason is the message without position, such as "mismatched input 'FORM' expecting K_FROM".
	Reason string
	// Token is the offending token without its quotes, "<EOF>" at the end of the text. It is empty if
	// the error is not about one token.
	Token string
	// Snippet is the text around the offending token, which is in brackets; it may be empty.
	Snippet string
	// checked marks the errors that Cassandra finds after parsing, and reports without a position.
	checked bool
}

// Error returns the message in the form that Cassandra gives it.
func (e *SyntaxError) Error() string {
	if e.checked {
		return e.Reason
	}
	text := fmt.Sprintf("line %d:%d %s", e.Pos.Line, e.Pos.Column, e.Reason)
	if e.Snippet != "" {
		text += " (" + e.Snippet + ")"
	}
	return text
}

// failure is the first error of the parser.
type failure struct {
	token    *token
	rule     int                // the rule that failed
	expected *antlr.IntervalSet // nil if no alternative was viable
}

// errorStrategy keeps the first error and lets the parser unwind. Unlike that of ANTLR it neither
// recovers, nor looks ahead for errors where an optional part may begin, nor prints.
type errorStrategy struct {
	*antlr.DefaultErrorStrategy
	stream *tokenStream
	failed *failure
}

// fail keeps an error at the current token, where one of expected must follow, or one of several
// alternatives if that is nil.
func (s *errorStrategy) fail(p antlr.Parser, expected *antlr.IntervalSet) {
	if s.failed != nil {
		return
	}
	s.failed = &failure{token: of(p.GetCurrentToken()), rule: p.GetParserRuleContext().GetRuleIndex(), expected: expected}
	if dead := s.stream.deadEnd; dead != nil && dead != s.failed.token {
		s.failed.token, s.failed.expected = dead, nil
	}
	s.stream.failed = true
}

// Sync is called where an optional part may begin.
func (s *errorStrategy) Sync(antlr.Parser) {}

// RecoverInline is called when the current token is not the one that must follow.
func (s *errorStrategy) RecoverInline(p antlr.Parser) antlr.Token {
	s.fail(p, p.GetExpectedTokens())
	p.SetError(antlr.NewInputMisMatchException(p))
	return nil
}

// ReportError is called when a rule ends with an error.
func (s *errorStrategy) ReportError(p antlr.Parser, _ antlr.RecognitionException) { s.fail(p, nil) }

// Recover is called after ReportError.
func (s *errorStrategy) Recover(antlr.Parser, antlr.RecognitionException) {}

// ReportMatch is called when a token is the one that must follow.
func (s *errorStrategy) ReportMatch(antlr.Parser) {}

func (p *parser) syntaxError(f *failure) *SyntaxError {
	name := shorten(f.token.display())
	reason := fmt.Sprintf("no viable alternative at input '%s'", name)
	if expected, ok := p.oneExpected(f); ok {
		reason = fmt.Sprintf("mismatched input '%s' expecting %s", name, p.tokenName(expected))
	}
	return &SyntaxError{Pos: f.token.position(), Reason: reason, Token: name, Snippet: p.snippet(f.token)}
}

// oneExpected returns the kind of token that alone could have followed, if the message should say so.
// Where Cassandra's parser sees a choice of several and this one does not, because its rules are
// factored, it should not.
func (p *parser) oneExpected(f *failure) (int, bool) {
	if f.expected == nil {
		return 0, false
	}
	intervals := f.expected.GetIntervals()
	if len(intervals) != 1 || intervals[0].Length() != 1 {
		return 0, false
	}
	expected := intervals[0].Start
	var before int32
	if f.token.index > 0 {
		before = p.stream.tokens[f.token.index-1].kind
	}
	switch expected {
	case antlr.TokenEOF, gen.CqlLexerK_FROM, gen.CqlLexerK_SET:
		return expected, !isOperand(f.token.kind) || !endsOperand(before)
	case gen.CqlLexerLEFT_PAREN:
		return expected, f.rule != gen.CqlParserRULE_termArguments || before == gen.CqlLexerK_TOKEN
	case gen.CqlLexerEQUAL:
		return expected, f.rule != gen.CqlParserRULE_property
	}
	return expected, true
}

// isOperand reports whether a token of this kind is a name or a literal.
func isOperand(kind int32) bool {
	switch kind {
	case gen.CqlLexerIDENT, gen.CqlLexerQUOTED_NAME, gen.CqlLexerSTRING_LITERAL, gen.CqlLexerINTEGER, gen.CqlLexerFLOAT,
		gen.CqlLexerBOOLEAN, gen.CqlLexerDURATION, gen.CqlLexerUUID, gen.CqlLexerHEXNUMBER:
		return true
	}
	return false
}

// endsOperand reports whether a name or a term may end with a token of this kind.
func endsOperand(kind int32) bool {
	switch kind {
	case gen.CqlLexerRIGHT_PAREN, gen.CqlLexerRIGHT_BRACKET, gen.CqlLexerRIGHT_BRACE:
		return true
	}
	return isOperand(kind)
}

// tokenName returns the name of a kind of token as messages show it: 'x' for a punctuation mark, K_X
// for a keyword, and X for a token with many spellings.
func (p *parser) tokenName(kind int) string {
	if kind == antlr.TokenEOF {
		return "EOF"
	}
	symbol := p.parser.SymbolicNames[kind]
	if kind < len(p.parser.LiteralNames) && p.parser.LiteralNames[kind] != "" && !strings.HasPrefix(symbol, "K_") {
		return p.parser.LiteralNames[kind]
	}
	return symbol
}

// lexicalError says why the lexer stopped at t.
func (p *parser) lexicalError(t token) *SyntaxError {
	rest := p.source.text[t.start:]
	if end := closing(rest); end != "" {
		return &SyntaxError{
			Pos: p.end(t), Token: "<EOF>",
			Reason: fmt.Sprintf("mismatched character '<EOF>' expecting '%s'", end),
		}
	}
	character, _ := utf8.DecodeRuneInString(rest)
	reason := fmt.Sprintf("no viable alternative at character '%c'", character)
	if second := map[rune]string{'!': "=", '$': "$"}[character]; second != "" && len(rest) > 1 {
		character, _ = utf8.DecodeRuneInString(rest[1:])
		reason = fmt.Sprintf("mismatched character '%c' expecting '%s'", character, second)
		t.column++
	}
	return &SyntaxError{Pos: t.position(), Token: string(character), Reason: reason}
}

// closing returns how what the text opens at its start should be closed, or "".
func closing(text string) string {
	switch {
	case text[0] == '\'' || text[0] == '"':
		return text[:1]
	case strings.HasPrefix(text, "$$"):
		return "$"
	case strings.HasPrefix(text, "/*"):
		return "*"
	}
	return ""
}

// end returns the position of the end of the text, for a t with which the lexer stopped.
func (p *parser) end(t token) ast.Pos {
	p.source.index = int(t.start)
	p.lexer.Line, p.lexer.CharPositionInLine = int(t.line), int(t.column)
	for p.source.index < len(p.source.text) {
		p.lexer.Consume(&p.source)
	}
	return ast.Pos{Line: p.lexer.Line, Column: p.lexer.CharPositionInLine}
}

func invalidText(text string) *SyntaxError {
	line, column := 1, 0
	for i, r := range text {
		if _, width := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && width == 1 {
			return &SyntaxError{Pos: ast.Pos{Line: line, Column: column}, Reason: fmt.Sprintf("byte 0x%02x is not UTF-8", text[i])}
		}
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r > 0xffff:
			column += 2
		default:
			column++
		}
	}
	panic("grammar: no invalid byte in invalid text")
}

// snippetWords is how many tokens, blanks between them included, a snippet shows before the
// offending one.
const snippetWords = 10

// snippet returns the text up to t, with t in brackets. It is empty at the end of the text.
func (p *parser) snippet(t *token) string {
	if t.kind == antlr.TokenEOF {
		return ""
	}
	from := int(t.start)
	words := snippetWords
	for i := t.index; words > 0 && i > 0; i-- {
		before := &p.stream.tokens[i-1]
		if int(before.end) < from { // a blank or comment
			from = int(before.end)
			if words--; words == 0 {
				break
			}
		}
		from = int(before.start)
		words--
	}
	text := p.source.text
	if int(t.start)-from > shownBytes {
		from = int(t.start) - shownBytes
		for !utf8.RuneStart(text[from]) {
			from++
		}
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("...")
	}
	b.WriteString(oneLine(text[from:t.start]))
	b.WriteString("[" + oneLine(shorten(t.raw())) + "]")
	if int(t.end) < len(text) {
		b.WriteString("...")
	}
	return b.String()
}

// shownBytes is how much of a token, and of the text before it, a message shows.
const shownBytes = 100

// shorten cuts text that is too long for a message.
func shorten(text string) string {
	if len(text) <= shownBytes {
		return text
	}
	end := shownBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// oneLine returns text without line ends, as Cassandra does it.
func oneLine(text string) string {
	return strings.NewReplacer("\r", "", "\n", "").Replace(text)
}

var _ antlr.ErrorStrategy = (*errorStrategy)(nil)
var _ antlr.TokenStream = (*tokenStream)(nil)
var _ antlr.CharStream = (*source)(nil)
var _ antlr.Token = (*token)(nil)
