// Package ast holds the syntax trees of CQL.
//
// Package grammar builds a tree from the text of a statement; a planner reads it. There is one
// struct for each statement and one for each shape of term, relation and assignment, so that a type
// switch sees every case. The package knows syntax only: no tree here has been checked against a
// schema, and no literal has been given a type.
//
// Conventions that hold throughout:
//
//   - A tree is never changed after it is built, and so may be shared between goroutines.
//   - Statements, terms, relations and types are handled as pointers; names, selectors,
//     properties and other parts as values.
//   - A nil term, and a name whose Text is empty, mean that the optional part is absent. The one
//     name that may really be empty is the column of an old table, written "".
//   - Positions are those of the first character of a part. A tree built by a program instead of
//     the parser has zero positions; nothing depends on them but error messages.
//   - String prints canonical CQL that parses to an equal tree, positions apart. Comments, letter
//     case of keywords and unquoted names, redundant parentheses around a relation, and the choice
//     between spellings of the same thing (c += 1 and c = c + 1) are not kept. A statement about
//     roles prints its passwords: log with care.
package ast

import "strings"

// Pos is a position in the text of a statement: Line counts from 1, Column from 0 in UTF-16 code
// units, as in the messages of Cassandra. The zero Pos means unknown. Nodes embed it.
type Pos struct {
	Line, Column int
}

// Position returns p. It gives every node that embeds a Pos the method of that name.
func (p Pos) Position() Pos { return p }

// Before reports whether p comes before q in the text.
func (p Pos) Before(q Pos) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// Statement is a whole CQL statement, one of the structs of this package that document a statement.
type Statement interface {
	Position() Pos
	String() string
	node
	statement()
}

// node is what the printer can print.
type node interface {
	print(*printer)
}

// Parsed is a statement together with its bind markers.
type Parsed struct {
	Statement Statement
	// Markers lists the bind markers in the order of the text: Markers[i].Index is i. A name that
	// occurs twice is two markers.
	Markers []*Marker
}

// String prints the statement.
func (p *Parsed) String() string { return p.Statement.String() }

// Name is an identifier. Text is in lower case unless the name was quoted. Quoted names have the
// same meaning as unquoted ones with the same Text; the flag is kept for messages and for printing.
type Name struct {
	Pos
	Text   string
	Quoted bool
}

// String prints the name, quoted if it was quoted or has to be.
func (n Name) String() string {
	if n.Quoted {
		return quote(n.Text)
	}
	return Identifier(n.Text)
}

// Qualified is the name of a table, index, type, function or the like, with its keyspace if given.
type Qualified struct {
	Keyspace Name
	Name     Name
}

// Position returns where the qualified name begins.
func (q Qualified) Position() Pos {
	if q.Keyspace.Text != "" {
		return q.Keyspace.Pos
	}
	return q.Name.Pos
}

// String prints the name, with a dot after the keyspace if there is one.
func (q Qualified) String() string {
	if q.Keyspace.Text != "" {
		return q.Keyspace.String() + "." + q.Name.String()
	}
	return q.Name.String()
}

// Identifier returns text as it must be written in CQL to name exactly text: as it is where lexing
// would leave it alone, else in double quotes.
func Identifier(text string) string {
	if plain(text) && !reserved[text] {
		return text
	}
	return quote(text)
}

func plain(text string) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_'):
		default:
			return false
		}
	}
	return text != ""
}

func quote(text string) string {
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}

// reserved holds the words that are names only in double quotes. A test in package grammar compares
// it with the grammar.
var reserved = words(`
	add allow alter and apply asc authorize batch begin by columnfamily create delete desc describe
	drop entries execute false from full grant if in index infinity insert into is keyspace limit
	materialized modify nan norecursive not null of on or order primary rename revoke schema select
	set table to token true truncate unlogged update use using view where with`)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
