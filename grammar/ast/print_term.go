package ast

// Binding strength of operators, for the parentheses that a tree built by a program may need.
const (
	looseOperator = iota + 1 // + -
	tightOperator            // * / %
	prefixOperator
	noOperator
)

func strength(t Term) int {
	switch t := t.(type) {
	case *Binary:
		if t.Operator == '+' || t.Operator == '-' {
			return looseOperator
		}
		return tightOperator
	case *Negate, *TypeHint:
		return prefixOperator
	}
	return noOperator
}

// operand appends t, in parentheses if it binds less than least. The parser never builds such a tree:
// there the parentheses are a Tuple.
func (p *printer) operand(t Term, least int) {
	if strength(t) < least {
		p.write("(")
		t.print(p)
		p.write(")")
		return
	}
	t.print(p)
}

func (p *printer) terms(open string, terms []Term, end string) {
	p.write(open)
	nodes(p, terms, ", ")
	p.write(end)
}

func (t *Literal) print(p *printer) {
	switch t.Kind {
	case StringLiteral:
		p.string(t.Text)
	case NullLiteral:
		p.write("NULL")
	default:
		p.write(t.Text)
	}
}

func (t *Marker) print(p *printer) {
	if t.Name == "" {
		p.write("?")
		return
	}
	p.write(":", Identifier(t.Name))
}

func (t *List) print(p *printer)  { p.terms("[", t.Elements, "]") }
func (t *Set) print(p *printer)   { p.terms("{", t.Elements, "}") }
func (t *Tuple) print(p *printer) { p.terms("(", t.Elements, ")") }

func (t *Map) print(p *printer) {
	p.write("{")
	p.list(len(t.Entries), ", ", func(i int) {
		t.Entries[i].Key.print(p)
		p.write(": ")
		t.Entries[i].Value.print(p)
	})
	p.write("}")
}

func (t *UserType) print(p *printer) {
	p.write("{")
	p.list(len(t.Fields), ", ", func(i int) {
		p.name(t.Fields[i].Name)
		p.write(": ")
		t.Fields[i].Value.print(p)
	})
	p.write("}")
}

func (t *Call) print(p *printer) {
	p.call(t.Function)
	p.terms("(", t.Arguments, ")")
}

func (t *Cast) print(p *printer) {
	p.write("CAST(")
	t.Operand.print(p)
	p.write(" AS ")
	t.Type.print(p)
	p.write(")")
}

func (t *TypeHint) print(p *printer) {
	p.write("(")
	t.Type.print(p)
	p.write(")")
	p.operand(t.Operand, prefixOperator)
}

func (t *Binary) print(p *printer) {
	own := strength(t)
	p.operand(t.Left, own)
	p.write(" ", string(t.Operator), " ")
	p.operand(t.Right, own+1)
}

// print leaves a space after the sign: without it "-5" is a literal and "--" opens a comment.
func (t *Negate) print(p *printer) {
	p.write("- ")
	p.operand(t.Operand, prefixOperator)
}

func (t *Star) print(p *printer) { p.write("*") }

func (t *Column) print(p *printer) { p.name(t.Name) }

// base appends what a field, element or slice is taken from.
func (p *printer) base(t Term) {
	hint, hinted := t.(*TypeHint)
	for hinted {
		t = hint.Operand
		p.write("(", hint.Type.String(), ")")
		hint, hinted = t.(*TypeHint)
	}
	p.operand(t, noOperator)
	// "1.a" would be read as a float before a name.
	_, literal := t.(*Literal)
	p.when(literal, " ")
}

func (t *Field) print(p *printer) {
	p.base(t.Operand)
	p.write(".")
	p.name(t.Name)
}

func (t *Element) print(p *printer) {
	p.base(t.Operand)
	p.write("[")
	t.Key.print(p)
	p.write("]")
}

func (t *Slice) print(p *printer) {
	p.base(t.Operand)
	p.write("[")
	if t.From != nil {
		t.From.print(p)
		p.write(" ")
	}
	p.write("..")
	if t.To != nil {
		p.write(" ")
		t.To.print(p)
	}
	p.write("]")
}

func (t *CountRows) print(p *printer) { p.write("COUNT(*)") }

func (t *WritetimeOrTTL) print(p *printer) {
	p.write(t.Function.String(), "(")
	t.Operand.print(p)
	p.write(")")
}

// String prints the term.
func (t *Literal) String() string { return text(t) }

// String prints the term.
func (t *Marker) String() string { return text(t) }

// String prints the term.
func (t *List) String() string { return text(t) }

// String prints the term.
func (t *Set) String() string { return text(t) }

// String prints the term.
func (t *Map) String() string { return text(t) }

// String prints the term.
func (t *UserType) String() string { return text(t) }

// String prints the term.
func (t *Tuple) String() string { return text(t) }

// String prints the term.
func (t *Call) String() string { return text(t) }

// String prints the term.
func (t *Cast) String() string { return text(t) }

// String prints the term.
func (t *TypeHint) String() string { return text(t) }

// String prints the term.
func (t *Binary) String() string { return text(t) }

// String prints the term.
func (t *Negate) String() string { return text(t) }

// String prints the term.
func (t *Star) String() string { return text(t) }

// String prints the name of the column.
func (t *Column) String() string { return text(t) }

// String prints the term.
func (t *Field) String() string { return text(t) }

// String prints the term.
func (t *Element) String() string { return text(t) }

// String prints the term.
func (t *Slice) String() string { return text(t) }

// String prints the term.
func (t *CountRows) String() string { return text(t) }

// String prints the term.
func (t *WritetimeOrTTL) String() string { return text(t) }
