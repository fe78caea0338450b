package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

func (b *builder) selectStatement(c gen.ISelectStatementContext) *ast.Select {
	s := &ast.Select{
		Pos:            position(c),
		JSON:           c.GetJson() != nil,
		Distinct:       c.GetDistinct() != nil,
		Selectors:      b.selectors(c.GetList()),
		From:           b.table(c.GetTable()),
		Where:          b.where(c.GetWhere()),
		AllowFiltering: c.GetFiltering() != nil,
	}
	if groups := c.GetGroups(); len(groups) > 0 {
		s.GroupBy = b.expressions(groups)
	}
	for _, o := range c.GetOrderings() {
		ordering := ast.Ordering{Column: b.name(o.GetColumn()), Descending: is(o.GetDirection(), gen.CqlLexerK_DESC)}
		if o.GetAnn() != nil {
			ordering.ANN = b.term(o.GetAnn())
		}
		s.OrderBy = append(s.OrderBy, ordering)
	}
	s.PerPartitionLimit = b.integer(c.GetPerPartition())
	s.Limit = b.integer(c.GetTotal())
	return s
}

func (b *builder) selectors(c gen.ISelectListContext) []ast.Selector {
	if star := c.GetStar(); star != nil {
		return []ast.Selector{{Expression: &ast.Star{Pos: of(star).position()}}}
	}
	selectors := make([]ast.Selector, len(c.GetSelectors()))
	for i, s := range c.GetSelectors() {
		selectors[i].Expression = b.expression(s.GetValue())
		if s.GetAlias() != nil {
			selectors[i].Alias = b.name(s.GetAlias())
		}
	}
	return selectors
}

func (b *builder) expression(c gen.ISelectorExpressionContext) ast.Term {
	first := b.selected(c.GetFirst())
	if len(c.GetOperators()) == 0 {
		return first
	}
	return binary(first, c.GetOperators(), func(i int) ast.Term { return b.selected(c.GetOperands()[i]) })
}

func (b *builder) expressions(contexts []gen.ISelectorExpressionContext) []ast.Term {
	terms := make([]ast.Term, len(contexts))
	for i, c := range contexts {
		terms[i] = b.expression(c)
	}
	return terms
}

// selected builds one operand of a selector.
func (b *builder) selected(c gen.ISelectorOperandContext) ast.Term {
	if c.GetNegated() != nil {
		return &ast.Negate{Pos: position(c), Operand: b.selected(c.GetNegated())}
	}
	modifiers := c.GetModifiers()
	if len(modifiers) > 0 {
		if call := b.qualifiedCall(c.GetBase(), modifiers[0]); call != nil {
			return b.modified(call, modifiers[1:])
		}
	}
	return b.modified(b.primary(c.GetBase()), modifiers)
}

// qualifiedCall builds keyspace.function(...), where the first name is read like a column, perhaps
// after type hints, and the second one like a field. It returns nil if the modifier is not that.
func (b *builder) qualifiedCall(base gen.ISelectorPrimaryContext, m gen.ISelectorModifierContext) ast.Term {
	if m.GetArguments() == nil {
		return nil
	}
	if p := base.GetParenthesized(); p != nil && p.GetHint() != nil {
		call := b.qualifiedCall(p.GetOperand(), m)
		if call == nil {
			return nil
		}
		return &ast.TypeHint{Pos: position(p), Type: b.dataType(p.GetHint()), Operand: call}
	}
	keyspace, ok := b.bareName(base)
	if !ok {
		return nil
	}
	name := m.GetFunction()
	if name == nil {
		name = m.GetField().GetStart()
	}
	b.checkFunction(of(name), m.GetArguments())
	return b.callOf(ast.Qualified{Keyspace: keyspace, Name: nameOf(of(name))}, m.GetArguments())
}

// bareName returns the name that a primary is, if it is no more than that.
func (b *builder) bareName(c gen.ISelectorPrimaryContext) (ast.Name, bool) {
	t := c.GetColumn()
	switch {
	case c.GetArguments() != nil || c.GetOpen() != nil:
		return ast.Name{}, false
	case c.GetKeyword() != nil:
		t = c.GetKeyword().GetStart()
	case c.GetFunction() != nil:
		t = c.GetFunction()
	}
	if t == nil {
		return ast.Name{}, false
	}
	return nameOf(of(t)), true
}

// modified applies fields, elements and slices to base.
func (b *builder) modified(base ast.Term, modifiers []gen.ISelectorModifierContext) ast.Term {
	for _, m := range modifiers {
		switch {
		case m.GetArguments() != nil: // a function name where a field must be
			b.reject(of(m.GetArguments().GetStart()))
		case m.GetField() != nil:
			base = &ast.Field{Operand: base, Name: b.name(m.GetField())}
		case m.GetRange_() != nil:
			slice := &ast.Slice{Operand: base}
			if m.GetLower() != nil {
				slice.From = b.term(m.GetLower())
			}
			if m.GetUpper() != nil {
				slice.To = b.term(m.GetUpper())
			}
			base = slice
		default:
			base = &ast.Element{Operand: base, Key: b.term(m.GetLower())}
		}
	}
	return base
}

// primary builds an operand without its sign and modifiers.
func (b *builder) primary(c gen.ISelectorPrimaryContext) ast.Term {
	if name, ok := b.bareName(c); ok {
		return &ast.Column{Name: name}
	}
	switch {
	case c.GetLiteral() != nil:
		return literal(of(c.GetLiteral()))
	case c.GetMark() != nil:
		return b.marker(c.GetMark(), c.GetParameter())
	case c.GetParenthesized() != nil:
		return b.selectorParenthesized(c.GetParenthesized())
	case c.GetBraced() != nil:
		return b.selectorBraced(c.GetBraced())
	case c.GetFunction() != nil:
		return b.function(c)
	case c.GetColumn() != nil:
		return b.callOf(ast.Qualified{Name: nameOf(of(c.GetColumn()))}, c.GetArguments())
	case c.GetKeyword() != nil:
		return b.callOf(ast.Qualified{Name: b.name(c.GetKeyword())}, c.GetArguments())
	default:
		return &ast.List{Pos: position(c), Elements: b.expressions(c.GetItems())}
	}
}

// callOf builds a call. Only COUNT takes a "*".
func (b *builder) callOf(function ast.Qualified, arguments gen.ISelectorArgumentsContext) ast.Term {
	if star := arguments.GetStar(); star != nil {
		b.reject(of(star))
	}
	return &ast.Call{Function: function, Arguments: b.expressions(arguments.GetItems())}
}

// function builds the calls that begin with a keyword of their own.
func (b *builder) function(c gen.ISelectorPrimaryContext) ast.Term {
	t := of(c.GetFunction())
	switch t.kind {
	case gen.CqlLexerK_CAST:
		return &ast.Cast{Pos: t.position(), Operand: b.expression(c.GetOperand()), Type: nativeType(c.GetCastType())}
	case gen.CqlLexerK_COUNT:
		if c.GetArguments().GetStar() != nil {
			return &ast.CountRows{Pos: t.position()}
		}
	case gen.CqlLexerK_WRITETIME:
		return b.cellFunction(c, ast.Writetime)
	case gen.CqlLexerK_MAXWRITETIME:
		return b.cellFunction(c, ast.MaxWritetime)
	case gen.CqlLexerK_TTL:
		return b.cellFunction(c, ast.TTL)
	}
	return b.callOf(ast.Qualified{Name: nameOf(t)}, c.GetArguments())
}

func (b *builder) cellFunction(c gen.ISelectorPrimaryContext, function ast.CellFunction) ast.Term {
	column := &ast.Column{Name: b.name(c.GetTarget())}
	return &ast.WritetimeOrTTL{Pos: position(c), Function: function, Operand: b.modified(column, c.GetModifiers())}
}

func (b *builder) selectorParenthesized(c gen.ISelectorParenthesizedContext) ast.Term {
	if c.GetHint() != nil {
		return &ast.TypeHint{Pos: position(c), Type: b.dataType(c.GetHint()), Operand: b.primary(c.GetOperand())}
	}
	return &ast.Tuple{Pos: position(c), Elements: b.expressions(c.GetItems())}
}

func (b *builder) selectorBraced(c gen.ISelectorBracedContext) ast.Term {
	if len(c.GetValues()) > 0 {
		return &ast.Map{Pos: position(c), Entries: entries(c.GetKeys(), c.GetValues(), b.expression)}
	}
	return &ast.Set{Pos: position(c), Elements: b.expressions(c.GetKeys())}
}
