package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// where returns the relations of a WHERE clause, or nil if c is.
func (b *builder) where(c gen.IWhereClauseContext) []ast.Relation {
	if c == nil {
		return nil
	}
	relations := make([]ast.Relation, len(c.GetRelations()))
	for i, r := range c.GetRelations() {
		relations[i] = b.relation(r)
	}
	return relations
}

func comparator(c gen.IComparisonContext) ast.Comparator {
	switch of(c.GetStart()).kind {
	case gen.CqlLexerEQUAL:
		return ast.Equal
	case gen.CqlLexerNOT_EQUAL:
		return ast.NotEqual
	case gen.CqlLexerLESS:
		return ast.Less
	case gen.CqlLexerLESS_EQUAL:
		return ast.LessOrEqual
	case gen.CqlLexerGREATER:
		return ast.Greater
	default:
		return ast.GreaterOrEqual
	}
}

func (b *builder) relation(c gen.IRelationContext) ast.Relation {
	switch {
	case c.GetParenthesized() != nil:
		return b.parenthesizedRelation(c.GetParenthesized())
	case c.GetExpression() != nil:
		return &ast.IndexExpression{
			Pos:   of(c.GetExpression()).position(),
			Index: b.objectName(c.GetIndex(), "index"),
			Value: b.term(c.GetValue()),
		}
	case c.GetFunction() != nil:
		token := &ast.Token{Pos: position(c), Columns: namesOf(c.GetTuple().GetColumns())}
		if c.GetBetween() != nil {
			return &ast.Between{Target: token, Low: b.term(c.GetLow()), High: b.term(c.GetHigh())}
		}
		return &ast.Comparison{Target: token, Comparator: comparator(c.GetOperator()), Value: b.term(c.GetValue())}
	}
	return b.columnRelation(c, &ast.Column{Name: b.name(c.GetColumn())})
}

// columnRelation builds a relation that begins with a column.
func (b *builder) columnRelation(c gen.IRelationContext, column *ast.Column) ast.Relation {
	switch {
	case c.GetBracket() != nil:
		element := &ast.Element{Operand: column, Key: b.term(c.GetKey())}
		return &ast.Comparison{Target: element, Comparator: comparator(c.GetOperator()), Value: b.term(c.GetValue())}
	case c.GetOperator() != nil:
		return &ast.Comparison{Target: column, Comparator: comparator(c.GetOperator()), Value: b.term(c.GetValue())}
	case c.GetIn() != nil:
		return b.in(column, c.GetNegated() != nil, c.GetValues())
	case c.GetContains() != nil:
		return &ast.Contains{
			Column: column, Not: c.GetNegated() != nil, Key: c.GetContainsKey() != nil, Value: b.term(c.GetValue()),
		}
	case c.GetLike() != nil:
		return &ast.Comparison{Target: column, Comparator: ast.Like, Value: b.term(c.GetValue())}
	case c.GetBetween() != nil:
		return &ast.Between{Target: column, Low: b.term(c.GetLow()), High: b.term(c.GetHigh())}
	case c.GetMatch() != nil:
		return &ast.Match{Column: column, Value: b.term(c.GetValue())}
	default:
		return &ast.IsNotNull{Column: column}
	}
}

func (b *builder) in(target ast.Target, not bool, values gen.IInValuesContext) *ast.In {
	in := &ast.In{Target: target, Not: not}
	if values.GetMark() != nil {
		in.Marker = b.markerOf(values.GetMark())
	} else {
		in.Values = b.terms(values.GetItems())
	}
	return in
}

// parenthesizedRelation builds a relation on a tuple of columns, or one that is in parentheses as a
// whole, which are dropped.
func (b *builder) parenthesizedRelation(c gen.IParenthesizedRelationContext) ast.Relation {
	if c.GetInner() != nil {
		return b.relation(c.GetInner())
	}
	tuple := &ast.ColumnTuple{Pos: position(c), Columns: namesOf(c.GetTuple().GetColumns())}
	switch {
	case c.GetOperator() != nil:
		return &ast.Comparison{Target: tuple, Comparator: comparator(c.GetOperator()), Value: b.tupleValue(c.GetValue())}
	case c.GetBetween() != nil:
		return &ast.Between{Target: tuple, Low: b.tupleValue(c.GetLow()), High: b.tupleValue(c.GetHigh())}
	}
	in := &ast.In{Target: tuple, Not: c.GetNegated() != nil}
	if c.GetMark() != nil {
		in.Marker = b.markerOf(c.GetMark())
		return in
	}
	in.Values = make([]ast.Term, len(c.GetValues()))
	for i, value := range c.GetValues() {
		in.Values[i] = b.tupleValue(value)
	}
	return in
}

func (b *builder) tupleValue(c gen.ITupleValueContext) ast.Term {
	if c.GetMark() != nil {
		return b.markerOf(c.GetMark())
	}
	return &ast.Tuple{Pos: position(c), Elements: b.terms(c.GetItems())}
}

// ifClause returns what follows IF, or nothing if c is nil.
func (b *builder) ifClause(c gen.IIfClauseContext) (exists bool, conditions []ast.Relation) {
	if c == nil {
		return false, nil
	}
	for _, condition := range c.GetConditions() {
		conditions = append(conditions, b.condition(condition))
	}
	return c.GetExists() != nil, conditions
}

func (b *builder) condition(c gen.IConditionContext) ast.Relation {
	column := &ast.Column{Name: b.name(c.GetColumn())}
	if c.GetContains() != nil {
		return &ast.Contains{Column: column, Key: c.GetContainsKey() != nil, Value: b.term(c.GetValue())}
	}
	target := b.target(column, c.GetKey(), c.GetField())
	if c.GetIn() != nil {
		return b.in(target, false, c.GetValues())
	}
	return &ast.Comparison{Target: target, Comparator: comparator(c.GetOperator()), Value: b.term(c.GetValue())}
}

// target returns the column, its element at key or its field, whichever of these is not nil.
func (b *builder) target(column *ast.Column, key gen.ITermContext, field gen.INameContext) ast.Target {
	switch {
	case key != nil:
		return &ast.Element{Operand: column, Key: b.term(key)}
	case field != nil:
		return &ast.Field{Operand: column, Name: b.name(field)}
	default:
		return column
	}
}
