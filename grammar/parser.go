package grammar

import (
	"fmt"
	"runtime"
	"sync"
	"unicode/utf8"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// parser is everything that one parse needs, reusable for the next one. The lexer and the parser of
// ANTLR learn the grammar in caches as they go. Each parser has its own: shared ones would make
// parallel parses wait for each other at every character, and could grow without limit.
type parser struct {
	source source
	lexer  *antlr.LexerATNSimulator
	stream tokenStream
	parser *gen.CqlParser
	errors *errorStrategy
	// lexical is the error at which the lexer stopped, or nil. The tokens before it are parsed all the
	// same: they may hold an earlier error.
	lexical *SyntaxError
}

func newParser() *parser {
	p := &parser{}
	network := gen.LexerATN()
	p.lexer = antlr.NewLexerATNSimulator(gen.NewCqlLexer(&p.source), network, caches(network), antlr.NewPredictionContextCache())
	p.errors = &errorStrategy{DefaultErrorStrategy: antlr.NewDefaultErrorStrategy(), stream: &p.stream}
	p.parser = gen.NewCqlParser(&p.stream)
	network = gen.ParserATN()
	p.parser.Interpreter = antlr.NewParserATNSimulator(p.parser, network, caches(network), antlr.NewPredictionContextCache())
	p.parser.BuildParseTrees = false
	p.parser.RemoveErrorListeners()
	p.parser.SetErrorHandler(p.errors)
	return p
}

// caches returns an empty cache for each decision of a network.
func caches(network *antlr.ATN) []*antlr.DFA {
	result := make([]*antlr.DFA, len(network.DecisionToState))
	for i, state := range network.DecisionToState {
		result[i] = antlr.NewDFA(state, i)
	}
	return result
}

// freeList keeps parsers that nobody uses. The one used last goes out first, so that few parsers
// learn what is needed. A sync.Pool would forget them whenever garbage is collected.
type freeList struct {
	mu      sync.Mutex
	parsers []*parser
}

// idle is shared by all callers. What they see does not depend on it.
var idle freeList

// take returns a parser, or nil if there is none.
func (l *freeList) take() *parser {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.parsers) - 1
	if last < 0 {
		return nil
	}
	p := l.parsers[last]
	l.parsers[last] = nil
	l.parsers = l.parsers[:last]
	return p
}

// give keeps p, unless there are parsers enough to keep all processors busy.
func (l *freeList) give(p *parser) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.parsers) < runtime.GOMAXPROCS(0) {
		l.parsers = append(l.parsers, p)
	}
}

// acquire returns a parser for the caller alone.
func acquire() *parser {
	if p := idle.take(); p != nil {
		return p
	}
	return newParser()
}

// A parser that has grown beyond these sizes is not kept. ANTLR clings to contexts of the last parse,
// so a parser that has seen a large text would keep it in memory; and hostile texts can fill caches.
const (
	keptTokens = 4096
	keptStates = 2000
)

// release gives p back. Nothing may refer to its tokens any more.
func (p *parser) release() {
	if cap(p.stream.tokens) > keptTokens || p.states() > keptStates {
		return
	}
	p.source.text = ""
	idle.give(p)
}

// states returns the size of the caches of the parser. Those of the lexer are bounded by the grammar.
func (p *parser) states() int {
	var n int
	for _, cache := range p.parser.Interpreter.DecisionToDFA() {
		n += cache.Len()
	}
	return n
}

// parse reads the whole text by the rule entry and returns its context.
func parse[C any](p *parser, text string, entry func(*gen.CqlParser) C) (C, error) {
	var none C
	if err := p.scan(text); err != nil {
		return none, err
	}
	var context C
	for _, mode := range []int{antlr.PredictionModeSLL, antlr.PredictionModeLL} {
		p.stream.Reset()
		p.errors.failed = nil
		p.parser.SetTokenStream(&p.stream)
		p.parser.GetInterpreter().SetPredictionMode(mode)
		context = entry(p.parser)
		if p.errors.failed == nil || p.stream.exhausted() {
			break
		}
	}
	switch failed := p.errors.failed; {
	case p.stream.exhausted():
		return none, &SyntaxError{Pos: p.stream.deadEnd.position(), Reason: "statement has too many expressions that are ambiguous up to here"}
	case failed != nil && (p.lexical == nil || failed.token.kind != antlr.TokenEOF):
		return none, p.syntaxError(failed)
	case p.lexical != nil:
		return none, p.lexical
	}
	return context, nil
}

// scan splits the text into tokens, up to the first error of the lexer, and checks the limits.
func (p *parser) scan(text string) error {
	p.source = source{text: text}
	p.stream.tokens = p.stream.tokens[:0]
	p.lexical = nil
	if len(text) > MaxTextBytes {
		return &SyntaxError{Pos: ast.Pos{Line: 1}, Reason: fmt.Sprintf("statement has %d bytes, more than %d", len(text), MaxTextBytes)}
	}
	if !utf8.ValidString(text) {
		return invalidText(text)
	}
	p.lexer.Line, p.lexer.CharPositionInLine = 1, 0
	var gauge depthGauge
	for {
		t := token{
			start: int32(p.source.index), line: int32(p.lexer.Line), column: int32(p.lexer.CharPositionInLine),
			index: int32(len(p.stream.tokens)), source: &p.source,
		}
		t.kind = antlr.TokenEOF // ANTLR would find out slowly
		if p.source.index < len(text) {
			t.kind = int32(p.lexer.Match(&p.source, antlr.LexerDefaultMode))
		}
		t.end = int32(p.source.index)
		switch t.kind {
		case gen.CqlLexerWHITESPACE, gen.CqlLexerCOMMENT:
			continue
		case gen.CqlLexerUNEXPECTED, gen.CqlLexerUNCLOSED_COMMENT:
			p.lexical = p.lexicalError(t)
			t.kind, t.end = antlr.TokenEOF, t.start
		case gen.CqlLexerMINUS_WORD:
			t.kind, t.end = gen.CqlLexerMINUS, t.start+1
			p.source.index, p.lexer.CharPositionInLine = int(t.end), int(t.column)+1
		case gen.CqlLexerINTEGER_RANGE:
			t = p.split(t, gen.CqlLexerINTEGER)
		case gen.CqlLexerFLOAT_RANGE:
			t = p.split(t, gen.CqlLexerFLOAT)
		}
		if broken := gauge.add(int(t.kind)); broken != "" {
			return &SyntaxError{Pos: t.position(), Reason: broken}
		}
		if len(p.stream.tokens) >= MaxTokens && t.kind != antlr.TokenEOF {
			return &SyntaxError{Pos: t.position(), Reason: fmt.Sprintf("statement has more than %d tokens", MaxTokens)}
		}
		p.stream.tokens = append(p.stream.tokens, t)
		if t.kind == antlr.TokenEOF {
			return nil
		}
	}
}

// split appends the number at the start of t as a token of its own, and returns the ".." after it.
func (p *parser) split(t token, number int32) token {
	const width = int32(len(".."))
	dots := t
	dots.kind = gen.CqlLexerRANGE
	dots.start = t.end - width
	dots.column += dots.start - t.start
	dots.index++
	t.kind = number
	t.end = dots.start
	p.stream.tokens = append(p.stream.tokens, t)
	return dots
}
