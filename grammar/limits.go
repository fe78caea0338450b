package grammar

import (
	"fmt"

	"github.com/iliumdb/ilium/grammar/gen"
)

// Limits on what is parsed. They protect the stack and the memory of a server from hostile text; no
// sensible statement comes near them.
const (
	// MaxTextBytes is the longest text.
	MaxTextBytes = 16 << 20
	// MaxTokens is the largest number of tokens. Each may cost several hundred bytes while the text is
	// parsed, whatever its own length.
	MaxTokens = 1_000_000
	// MaxDepth is how deep parentheses, brackets, braces and the angle brackets of types may nest.
	MaxDepth = 100
	// MaxOperators is how many arithmetic operators, signs, type hints, dots and subscripts may be
	// chained without a comma or bracket between them. Each deepens the tree by one.
	MaxOperators = 1000
	// MaxMarkers is how many bind markers a statement may have: the native protocol counts them in
	// 16 bits.
	MaxMarkers = 65535
)

// Predictions of the parser rarely look further than freeLookahead tokens. The few readings of a text
// that only the tokens after a long expression can tell apart, such as "SELECT json - (...)", may look
// at maxLookahead more in a whole statement: each costs a state of a cache.
const (
	freeLookahead = 8
	maxLookahead  = 1000
)

// depthGauge watches the limits MaxDepth and MaxOperators while tokens come from the lexer. The
// parser recurses along both, so they must hold before it starts.
type depthGauge struct {
	depth    int // open brackets
	angles   int // open angle brackets of a type
	previous int // kind of the previous token
	// chain[d] counts the operators since the last separator at depth d.
	chain [MaxDepth + 1]int
}

// add takes the next token and returns what limit it breaks, or "".
func (g *depthGauge) add(kind int) string {
	previous := g.previous
	g.previous = kind
	long := false
	switch kind {
	case gen.CqlLexerLEFT_PAREN, gen.CqlLexerLEFT_BRACKET, gen.CqlLexerLEFT_BRACE, gen.CqlLexerEXPRESSION_OPEN:
		// ")(" occurs only after a type hint, and "[" may be a subscript: both deepen the term.
		if kind == gen.CqlLexerLEFT_BRACKET || previous == gen.CqlLexerRIGHT_PAREN {
			g.chain[g.depth]++
		}
		long = g.chain[g.depth] > MaxOperators
		g.angles = 0
		g.depth++
		if g.depth <= MaxDepth {
			g.chain[g.depth] = 0
		}
	case gen.CqlLexerRIGHT_PAREN, gen.CqlLexerRIGHT_BRACKET, gen.CqlLexerRIGHT_BRACE:
		g.angles = 0
		g.depth = max(0, g.depth-1)
	case gen.CqlLexerLESS:
		if opensParameters(previous) {
			g.angles++
		}
	case gen.CqlLexerGREATER:
		g.angles = max(0, g.angles-1)
	case gen.CqlLexerPLUS, gen.CqlLexerMINUS, gen.CqlLexerSTAR, gen.CqlLexerSLASH, gen.CqlLexerPERCENT, gen.CqlLexerDOT:
		g.chain[g.depth]++
		long = g.chain[g.depth] > MaxOperators
	case gen.CqlLexerCOMMA, gen.CqlLexerCOLON, gen.CqlLexerSEMICOLON:
		g.chain[g.depth] = 0
	case gen.CqlLexerK_AND, gen.CqlLexerK_WHERE, gen.CqlLexerK_SET, gen.CqlLexerK_FROM, gen.CqlLexerK_IF, gen.CqlLexerK_INTO:
		// Every clause, and every statement of a batch, has one of these. They also tell "list < 3
		// AND ..." from a type.
		g.chain[g.depth] = 0
		g.angles = 0
	}
	if g.depth+g.angles > MaxDepth {
		return fmt.Sprintf("brackets are nested deeper than %d levels", MaxDepth)
	}
	if long {
		return fmt.Sprintf("expression has more than %d operators", MaxOperators)
	}
	return ""
}

// opensParameters reports whether "<" after a token of this kind begins the parameters of a type.
func opensParameters(kind int) bool {
	switch kind {
	case gen.CqlLexerK_LIST, gen.CqlLexerK_SET, gen.CqlLexerK_MAP, gen.CqlLexerK_TUPLE, gen.CqlLexerK_VECTOR, gen.CqlLexerK_FROZEN:
		return true
	}
	return false
}
