package grammar

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// using returns the options after USING, or nil if c is.
func (b *builder) using(c gen.IUsingClauseContext) ast.Using {
	if c == nil {
		return nil
	}
	using := make(ast.Using, len(c.GetOptions_()))
	for i, option := range c.GetOptions_() {
		kind := ast.UsingTimestamp
		if is(option.GetKind(), gen.CqlLexerK_TTL) {
			kind = ast.UsingTTL
		}
		using[i] = ast.UsingOption{Pos: position(option), Kind: kind, Value: b.integer(option.GetValue())}
	}
	return using
}

func (b *builder) insert(c gen.IInsertStatementContext) ast.Statement {
	table := b.table(c.GetTable())
	if len(c.GetColumns()) > 0 {
		return &ast.Insert{
			Pos:         position(c),
			Table:       table,
			Columns:     namesOf(c.GetColumns()),
			Values:      b.terms(c.GetValues()),
			IfNotExists: c.GetAbsent() != nil,
			Using:       b.using(c.GetUsing()),
		}
	}
	s := &ast.InsertJSON{
		Pos:          position(c),
		Table:        table,
		DefaultUnset: c.GetUnset() != nil,
		IfNotExists:  c.GetAbsent() != nil,
	}
	if c.GetMark() != nil {
		s.Value = b.markerOf(c.GetMark())
	} else {
		s.Value = literal(of(c.GetJson()))
	}
	s.Using = b.using(c.GetUsing())
	return s
}

func (b *builder) update(c gen.IUpdateStatementContext) *ast.Update {
	s := &ast.Update{
		Pos:         position(c),
		Table:       b.table(c.GetTable()),
		Using:       b.using(c.GetUsing()),
		Assignments: make([]ast.Assignment, len(c.GetAssignments())),
	}
	for i, a := range c.GetAssignments() {
		s.Assignments[i] = b.assignment(a)
	}
	b.checkAssignments(s.Assignments)
	s.Where = b.where(c.GetWhere())
	s.IfExists, s.If = b.ifClause(c.GetConditions())
	return s
}

// checkAssignments refuses to set a column as a whole and to change it in another way too.
func (b *builder) checkAssignments(assignments []ast.Assignment) {
	seen := make(map[string]bool, len(assignments)) // whether the column was set as a whole
	for _, a := range assignments {
		column, whole := a.Target, false
		switch target := a.Target.(type) {
		case *ast.Column:
			whole = a.Kind == ast.Assign
		case *ast.Element:
			column = target.Operand.(*ast.Column)
		case *ast.Field:
			column = target.Operand.(*ast.Column)
		}
		name := column.(*ast.Column).Name
		if before, again := seen[name.Text]; again && (whole || before) {
			b.fail(name.Pos, "Multiple incompatible setting of column %s", name)
		}
		seen[name.Text] = seen[name.Text] || whole
	}
}

func (b *builder) assignment(c gen.IAssignmentContext) ast.Assignment {
	column := &ast.Column{Name: b.name(c.GetColumn())}
	switch {
	case c.GetValue() != nil:
		return b.assigned(column, c.GetValue())
	case is(c.GetOperator(), gen.CqlLexerPLUS_EQUAL):
		return ast.Assignment{Target: column, Kind: ast.Add, Value: b.term(c.GetOperand())}
	case is(c.GetOperator(), gen.CqlLexerMINUS_EQUAL):
		return ast.Assignment{Target: column, Kind: ast.Subtract, Value: b.term(c.GetOperand())}
	}
	target := b.target(column, c.GetKey(), c.GetField())
	return ast.Assignment{Target: target, Kind: ast.Assign, Value: b.term(c.GetOperand())}
}

// assigned builds column = value, where the value may name the column again.
func (b *builder) assigned(column *ast.Column, c gen.IAssignmentValueContext) ast.Assignment {
	again := func(name started, format string, arguments ...any) {
		if b.name(name).Text != column.Name.Text {
			b.fail(position(name), format, arguments...)
		}
	}
	switch {
	case c.GetOperator() != nil:
		operator := of(c.GetOperator())
		again(c.GetColumn(), "Only expressions of the form X = X %s<value> are supported.", operator.raw())
		kind := ast.Add
		if operator.kind == gen.CqlLexerMINUS {
			kind = ast.Subtract
		}
		return ast.Assignment{Target: column, Kind: kind, Value: b.term(c.GetValue())}
	case c.GetLiteral() != nil:
		number := literal(of(c.GetLiteral()))
		sign := "+"
		if number.Text[0] == '-' {
			sign = "-"
		}
		again(c.GetColumn(), "Only expressions of the form X = X %s <value> are supported.", sign)
		return ast.Assignment{Target: column, Kind: ast.Add, Value: number}
	}
	value := binary(b.operand(c.GetFirst()), c.GetOperators(), func(i int) ast.Term { return b.operand(c.GetOperands()[i]) })
	if c.GetPrepended() != nil {
		again(c.GetPrepended(), "Only expressions of the form X = <value> + X are supported.")
		return ast.Assignment{Target: column, Kind: ast.Prepend, Value: value}
	}
	return ast.Assignment{Target: column, Kind: ast.Assign, Value: value}
}

func (b *builder) delete(c gen.IDeleteStatementContext) *ast.Delete {
	s := &ast.Delete{Pos: position(c)}
	for _, target := range c.GetTargets() {
		column := &ast.Column{Name: b.name(target.GetColumn())}
		s.Targets = append(s.Targets, b.target(column, target.GetKey(), target.GetField()))
	}
	s.Table = b.table(c.GetTable())
	if timestamp := c.GetTimestamp(); timestamp != nil {
		s.Using = ast.Using{{Pos: of(c.GetKind()).position(), Kind: ast.UsingTimestamp, Value: b.integer(timestamp)}}
	}
	s.Where = b.where(c.GetWhere())
	s.IfExists, s.If = b.ifClause(c.GetConditions())
	return s
}

func (b *builder) batch(c gen.IBatchStatementContext) *ast.Batch {
	s := &ast.Batch{Pos: position(c), Kind: ast.LoggedBatch, Using: b.using(c.GetUsing())}
	switch {
	case is(c.GetKind(), gen.CqlLexerK_UNLOGGED):
		s.Kind = ast.UnloggedBatch
	case is(c.GetKind(), gen.CqlLexerK_COUNTER):
		s.Kind = ast.CounterBatch
	}
	s.Statements = make([]ast.Statement, len(c.GetChanges()))
	for i, change := range c.GetChanges() {
		switch {
		case change.GetInsert() != nil:
			s.Statements[i] = b.insert(change.GetInsert())
		case change.GetUpdate() != nil:
			s.Statements[i] = b.update(change.GetUpdate())
		default:
			s.Statements[i] = b.delete(change.GetDelete_())
		}
	}
	return s
}
