// Package gen is the lexer and the parser that ANTLR generates from CqlLexer.g4 and CqlParser.g4.
//
// Only package grammar imports it. Everything but this file is written by generate.sh; SUMS holds the
// checksums that a test in package grammar compares.
package gen
