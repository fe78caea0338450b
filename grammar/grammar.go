// Package grammar turns the text of CQL into the trees of package ast.
//
// Parse takes one statement, ParseType and ParseTerm the text of a type or a term alone. They accept
// CQL 3.4.7 as Cassandra 5.0 does, in addition NOT IN, NOT CONTAINS, BETWEEN, the analyzer match
// "column : term", CREATE TABLE ... LIKE, GENERATED PASSWORD and LIST SUPERUSERS of later versions,
// and Ilium's own EXPLAIN before any statement. A statement may end in semicolons; nothing else may
// follow it. A few expressions that Cassandra refuses parse too, such as "- - 1", CAST of a sum, and
// bind markers beside tuples in "(a, b) IN (?, (1, 2))". Whether tables, columns and functions exist,
// and whether types agree, is not looked at.
//
// # How it works
//
// CqlLexer.g4 and CqlParser.g4 are ANTLR 4 grammars; generate.sh turns them into package gen, and a
// test fails when that was forgotten. A parse has three steps:
//
//  1. The lexer splits the whole text into tokens, and the limits below are checked on them.
//  2. The parser runs with the fast prediction of ANTLR (SLL). Only if that fails it runs again with
//     the full one (LL), which decides what the error is.
//  3. The builder walks the contexts of the parser and makes the tree. It also makes the checks that
//     Cassandra makes while it parses, such as two values for one property.
//
// The parts of ANTLR learn the grammar while they run. Parsers that have learned are kept for the
// next text, one for each processor at most; they share nothing, so parallel parses do not wait for
// each other. Names and literals of the tree share memory with the text.
//
// # Errors
//
// Every error is a *SyntaxError, and only the first one is reported; those of step 3 come after all
// others. Its wording follows Cassandra, with three intended differences. At the end of the text Cassandra says "line 0:-1", here the real
// position stands. Cassandra brackets the token at which its prediction began, here it is always the
// offending one. And where Cassandra says "no viable alternative" because it looks two tokens ahead,
// this parser may need one and then says "mismatched input ... expecting ...".
//
// # Limits
//
// Text is limited to MaxTextBytes and MaxTokens, nesting of brackets to MaxDepth, operators and dots in
// one expression to MaxOperators, and bind markers to MaxMarkers. Time and memory grow linearly with the
// text. "SELECT json - (...)" has two readings until its end is seen, as have a few other texts: if
// telling them apart takes looking at a thousand tokens, the text is refused.
//
// All functions are safe for concurrent use.
package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// Parse parses one statement. The error is a *SyntaxError.
func Parse(text string) (*ast.Parsed, error) {
	p := acquire()
	defer p.release()
	root, err := parse(p, text, (*gen.CqlParser).Root)
	if err != nil {
		return nil, err
	}
	b := builder{}
	statement := b.root(root)
	if b.err != nil {
		return nil, b.err
	}
	return &ast.Parsed{Statement: statement, Markers: b.markers}, nil
}

// ParseType parses a type, such as "map<text, frozen<address>>". The error is a *SyntaxError.
func ParseType(text string) (*ast.Type, error) {
	p := acquire()
	defer p.release()
	root, err := parse(p, text, (*gen.CqlParser).TypeRoot)
	if err != nil {
		return nil, err
	}
	b := builder{}
	result := b.dataType(root.GetValue())
	if b.err != nil {
		return nil, b.err
	}
	return result, nil
}

// ParseTerm parses a term as it may follow "column =" in a WHERE clause. Bind markers are numbered
// within it. The error is a *SyntaxError.
func ParseTerm(text string) (ast.Term, error) {
	p := acquire()
	defer p.release()
	root, err := parse(p, text, (*gen.CqlParser).TermRoot)
	if err != nil {
		return nil, err
	}
	b := builder{}
	result := b.term(root.GetValue())
	if b.err != nil {
		return nil, b.err
	}
	return result, nil
}
