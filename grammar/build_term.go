package grammar

import (
	"strconv"
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

func (b *builder) term(c gen.ITermContext) ast.Term {
	first := b.operand(c.GetFirst())
	if len(c.GetOperators()) == 0 {
		return first
	}
	return binary(first, c.GetOperators(), func(i int) ast.Term { return b.operand(c.GetOperands()[i]) })
}

func (b *builder) terms(contexts []gen.ITermContext) []ast.Term {
	terms := make([]ast.Term, len(contexts))
	for i, c := range contexts {
		terms[i] = b.term(c)
	}
	return terms
}

// binary applies a flat list of operators to first and the operands that next returns: those that
// bind tighter first, those that bind alike from the left.
func binary(first ast.Term, operators []antlr.Token, next func(i int) ast.Term) ast.Term {
	var sum ast.Term // waits, with the operator after it, for the product to its right
	var pending ast.Operator
	product := first
	for i, t := range operators {
		operator := ast.Operator(of(t).raw()[0])
		operand := next(i)
		if operator != '+' && operator != '-' {
			product = &ast.Binary{Pos: product.Position(), Operator: operator, Left: product, Right: operand}
			continue
		}
		sum = add(sum, pending, product)
		product, pending = operand, operator
	}
	return add(sum, pending, product)
}

func add(sum ast.Term, operator ast.Operator, product ast.Term) ast.Term {
	if sum == nil {
		return product
	}
	return &ast.Binary{Pos: sum.Position(), Operator: operator, Left: sum, Right: product}
}

func (b *builder) operand(c gen.ITermOperandContext) ast.Term {
	switch {
	case c.GetLiteral() != nil:
		return literal(of(c.GetLiteral()))
	case c.GetMark() != nil:
		return b.marker(c.GetMark(), c.GetParameter())
	case c.GetNegated() != nil:
		return &ast.Negate{Pos: position(c), Operand: b.operand(c.GetNegated())}
	case c.GetCall() != nil:
		return b.call(c.GetCall())
	case c.GetParenthesized() != nil:
		return b.parenthesized(c.GetParenthesized())
	case c.GetBraced() != nil:
		return b.braced(c.GetBraced())
	default:
		return &ast.List{Pos: position(c), Elements: b.terms(c.GetItems())}
	}
}

func literal(t *token) *ast.Literal {
	l := &ast.Literal{Pos: t.position(), Text: t.raw()}
	switch t.kind {
	case gen.CqlLexerSTRING_LITERAL:
		l.Kind, l.Text = ast.StringLiteral, t.content()
	case gen.CqlLexerINTEGER:
		l.Kind = ast.IntegerLiteral
	case gen.CqlLexerFLOAT:
		l.Kind = ast.FloatLiteral
	case gen.CqlLexerBOOLEAN:
		l.Kind, l.Text = ast.BooleanLiteral, strings.ToLower(l.Text)
	case gen.CqlLexerDURATION:
		l.Kind = ast.DurationLiteral
	case gen.CqlLexerUUID:
		l.Kind = ast.UUIDLiteral
	case gen.CqlLexerHEXNUMBER:
		l.Kind = ast.BlobLiteral
		if l.Text[1] == 'X' {
			l.Text = "0x" + l.Text[2:]
		}
	case gen.CqlLexerK_NAN, gen.CqlLexerNEGATIVE_NAN: // has no sign
		l.Kind, l.Text = ast.FloatLiteral, "NaN"
	case gen.CqlLexerK_INFINITY:
		l.Kind, l.Text = ast.FloatLiteral, "Infinity"
	case gen.CqlLexerNEGATIVE_INFINITY:
		l.Kind, l.Text = ast.FloatLiteral, "-Infinity"
	case gen.CqlLexerK_NULL:
		l.Kind, l.Text = ast.NullLiteral, "null"
	}
	return l
}

// marker returns the next bind marker: "?", or ":" and the name parameter.
func (b *builder) marker(mark antlr.Token, parameter gen.INameContext) *ast.Marker {
	m := &ast.Marker{Pos: of(mark).position(), Index: len(b.markers)}
	if parameter != nil {
		m.Name = b.name(parameter).Text
	}
	if m.Index >= MaxMarkers && b.err == nil {
		b.err = &SyntaxError{Pos: m.Pos, Reason: "statement has more than " + strconv.Itoa(MaxMarkers) + " bind markers"}
	}
	if b.err == nil {
		b.markers = append(b.markers, m)
	}
	return m
}

func (b *builder) markerOf(c gen.IMarkerContext) *ast.Marker {
	return b.marker(c.GetMark(), c.GetParameter())
}

// integer returns an integer or a bind marker, or nil if c is.
func (b *builder) integer(c gen.IIntegerValueContext) ast.Term {
	switch {
	case c == nil:
		return nil
	case c.GetMark() != nil:
		return b.markerOf(c.GetMark())
	default:
		return literal(of(c.GetLiteral()))
	}
}

func (b *builder) call(c gen.IFunctionCallContext) ast.Term {
	if c.GetCast() != nil {
		return &ast.Cast{Pos: position(c), Operand: b.term(c.GetOperand()), Type: nativeType(c.GetCastType())}
	}
	function := ast.Qualified{}
	switch {
	case c.GetFunction() != nil:
		function.Name = nameOf(of(c.GetFunction()))
	case c.GetSecond() != nil:
		function.Keyspace = b.name(c.GetFirst())
		function.Name = b.name(c.GetSecond())
	default:
		b.checkFunction(of(c.GetFirst().GetStart()), c.GetArguments())
		function.Name = b.name(c.GetFirst())
	}
	return &ast.Call{Function: function, Arguments: b.terms(c.GetArguments().GetItems())}
}

// checkFunction rejects arguments after a keyword that may name a column but not a function.
func (b *builder) checkFunction(name *token, arguments started) {
	switch name.kind {
	case gen.CqlLexerK_TTL, gen.CqlLexerK_WRITETIME, gen.CqlLexerK_MAXWRITETIME, gen.CqlLexerK_KEY,
		gen.CqlLexerK_CAST, gen.CqlLexerK_JSON, gen.CqlLexerK_DISTINCT:
		b.reject(of(arguments.GetStart()))
	}
}

func (b *builder) parenthesized(c gen.ITermParenthesizedContext) ast.Term {
	if c.GetHint() != nil {
		return &ast.TypeHint{Pos: position(c), Type: b.dataType(c.GetHint()), Operand: b.operand(c.GetOperand())}
	}
	return &ast.Tuple{Pos: position(c), Elements: b.terms(c.GetItems())}
}

func (b *builder) braced(c gen.ITermBracedContext) ast.Term {
	switch {
	case len(c.GetFields()) > 0:
		fields := make([]ast.FieldValue, len(c.GetFields()))
		for i, field := range c.GetFields() {
			fields[i] = ast.FieldValue{Name: b.name(field.GetField()), Value: b.term(field.GetValue())}
		}
		return &ast.UserType{Pos: position(c), Fields: fields}
	case len(c.GetValues()) > 0:
		return &ast.Map{Pos: position(c), Entries: entries(c.GetKeys(), c.GetValues(), b.term)}
	default:
		return &ast.Set{Pos: position(c), Elements: b.terms(c.GetKeys())}
	}
}

// entries builds the entries of a map in the order of the text.
func entries[C any](keys, values []C, build func(C) ast.Term) []ast.MapEntry {
	result := make([]ast.MapEntry, len(keys))
	for i := range keys {
		result[i].Key = build(keys[i])
		result[i].Value = build(values[i])
	}
	return result
}

func (b *builder) types(contexts []gen.IDataTypeContext) []*ast.Type {
	types := make([]*ast.Type, len(contexts))
	for i, c := range contexts {
		types[i] = b.dataType(c)
	}
	return types
}

func nativeType(c gen.INativeTypeContext) *ast.Type {
	t := of(c.GetStart())
	return &ast.Type{Pos: t.position(), Kind: ast.NativeType, Native: strings.ToLower(t.raw())}
}

func (b *builder) dataType(c gen.IDataTypeContext) *ast.Type {
	result := &ast.Type{Pos: position(c)}
	switch {
	case c.GetNative() != nil:
		return nativeType(c.GetNative())
	case c.GetUser() != nil:
		result.Kind = ast.UserDefined
		result.Name = b.typeName(c.GetUser())
		return result
	case c.GetClass() != nil:
		result.Kind = ast.CustomType
		result.Class = of(c.GetClass()).content()
		return result
	}
	result.Parameters = b.types(c.GetParameters())
	switch of(c.GetCollection()).kind {
	case gen.CqlLexerK_LIST:
		result.Kind = ast.ListType
	case gen.CqlLexerK_SET:
		result.Kind = ast.SetType
	case gen.CqlLexerK_MAP:
		result.Kind = ast.MapType
	case gen.CqlLexerK_TUPLE:
		result.Kind = ast.TupleType
	case gen.CqlLexerK_VECTOR:
		result.Kind = ast.VectorType
		result.Dimension = b.dimension(of(c.GetDimension()))
	default:
		result.Kind = ast.FrozenType
		if inner := result.Parameters[0]; inner.Kind == ast.NativeType || inner.Kind == ast.CustomType {
			b.fail(result.Pos, "frozen<> is only allowed on collections, tuples, and user-defined types (got %s)", inner)
		}
	}
	return result
}

func (b *builder) dimension(t *token) int {
	n, err := strconv.ParseInt(t.raw(), 10, 32)
	if err != nil {
		b.fail(t.position(), "vector dimension %s is out of range", t.raw())
	}
	return int(n)
}

// typeName returns the name of a user type. Some words are kept for types to come.
func (b *builder) typeName(c gen.IUserTypeNameContext) ast.Qualified {
	name := ast.Qualified{Name: b.name(c.GetType_())}
	if c.GetKeyspace() != nil {
		name.Keyspace = b.name(c.GetKeyspace())
	}
	if !name.Name.Quoted {
		switch name.Name.Text {
		case "byte", "complex", "enum", "interval", "macaddr", "bitstring":
			b.fail(name.Name.Pos, "Invalid (reserved) user type name %s", name.Name.Text)
		}
	}
	return name
}
