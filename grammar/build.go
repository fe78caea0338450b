package grammar

import (
	"fmt"
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// builder makes the tree from the contexts of the parser. It visits them in the order of the text,
// which numbers the bind markers.
type builder struct {
	markers []*ast.Marker
	// err is the first error. The builder goes on after it; its result is not used then.
	err error
}

// fail records an error that Cassandra reports without a position.
func (b *builder) fail(at ast.Pos, format string, arguments ...any) {
	if b.err == nil {
		b.err = &SyntaxError{Pos: at, Reason: fmt.Sprintf(format, arguments...), checked: true}
	}
}

// reject records that a token fits the grammar but not the place.
func (b *builder) reject(t *token) {
	if b.err == nil {
		name := shorten(t.display())
		b.err = &SyntaxError{Pos: t.position(), Reason: fmt.Sprintf("no viable alternative at input '%s'", name), Token: name}
	}
}

// is reports whether t is there and of this kind.
func is(t antlr.Token, kind int) bool {
	return t != nil && t.GetTokenType() == kind
}

// started is a context of the parser.
type started interface{ GetStart() antlr.Token }

// position returns where a context begins.
func position(c started) ast.Pos { return of(c.GetStart()).position() }

// name returns the identifier that a context of one token is.
func (b *builder) name(c started) ast.Name { return nameOf(of(c.GetStart())) }

func nameOf(t *token) ast.Name {
	switch t.kind {
	case gen.CqlLexerQUOTED_NAME, gen.CqlLexerEMPTY_QUOTED_NAME, gen.CqlLexerSTRING_LITERAL:
		return ast.Name{Pos: t.position(), Text: t.content(), Quoted: true}
	}
	return ast.Name{Pos: t.position(), Text: strings.ToLower(t.raw())}
}

// namesOf returns the identifiers that contexts of one token are.
func namesOf[C started](contexts []C) []ast.Name {
	names := make([]ast.Name, len(contexts))
	for i, c := range contexts {
		names[i] = nameOf(of(c.GetStart()))
	}
	return names
}

// objectName returns a name where the grammar also takes a bind marker.
func (b *builder) objectName(c started, kind string) ast.Name {
	t := of(c.GetStart())
	if t.kind == gen.CqlLexerQMARK {
		b.fail(t.position(), "Bind variables cannot be used for %s names", kind)
	}
	return nameOf(t)
}

// roleName returns the name of a role, which may be a string.
func (b *builder) roleName(c gen.IRoleNameContext) ast.Name { return b.objectName(c, "role") }

// userName returns the name of a user or an identity, which keeps its letter case.
func (b *builder) userName(c gen.IUserNameContext, refusal string) ast.Name {
	t := of(c.GetStart())
	if t.kind == gen.CqlLexerQUOTED_NAME {
		b.fail(t.position(), "%s", refusal)
	}
	return ast.Name{Pos: t.position(), Text: t.content(), Quoted: true}
}

// qualified returns the name of a table or of something else that kind names.
func (b *builder) qualified(c gen.IQualifiedNameContext, kind string) ast.Qualified {
	if c.GetSecond() == nil {
		return ast.Qualified{Name: b.objectName(c.GetFirst(), kind)}
	}
	return ast.Qualified{
		Keyspace: b.objectName(c.GetFirst(), "keyspace"),
		Name:     b.objectName(c.GetSecond(), kind),
	}
}

func (b *builder) table(c gen.IQualifiedNameContext) ast.Qualified { return b.qualified(c, "table") }

func (b *builder) functionName(c gen.IFunctionNameContext) ast.Qualified {
	name := ast.Qualified{Name: b.name(c.GetFunction())}
	if c.GetKeyspace() != nil {
		name.Keyspace = b.objectName(c.GetKeyspace(), "keyspace")
	}
	return name
}

// root builds a whole statement.
func (b *builder) root(c gen.IRootContext) ast.Statement {
	statement := b.statement(c.GetBody())
	if explain := c.GetExplain(); explain != nil {
		return &ast.Explain{Pos: of(explain).position(), Statement: statement}
	}
	return statement
}

func (b *builder) statement(c gen.IStatementContext) ast.Statement {
	switch {
	case c.GetSelect_() != nil:
		return b.selectStatement(c.GetSelect_())
	case c.GetInsert() != nil:
		return b.insert(c.GetInsert())
	case c.GetUpdate() != nil:
		return b.update(c.GetUpdate())
	case c.GetDelete_() != nil:
		return b.delete(c.GetDelete_())
	case c.GetBatch() != nil:
		return b.batch(c.GetBatch())
	case c.GetUse() != nil:
		return &ast.Use{Pos: position(c), Keyspace: b.objectName(c.GetUse().GetKeyspace(), "keyspace")}
	case c.GetTruncate() != nil:
		return &ast.Truncate{Pos: position(c), Table: b.table(c.GetTruncate().GetTable())}
	case c.GetCreate() != nil:
		return b.create(c.GetCreate())
	case c.GetAlter() != nil:
		return b.alter(c.GetAlter())
	case c.GetDrop() != nil:
		return b.drop(c.GetDrop())
	case c.GetGrant() != nil:
		return b.grant(c.GetGrant())
	case c.GetRevoke() != nil:
		return b.revoke(c.GetRevoke())
	case c.GetList() != nil:
		return b.list(c.GetList())
	case c.GetAdd() != nil:
		return b.addIdentity(c.GetAdd())
	default:
		return b.describe(c.GetDescribe())
	}
}
