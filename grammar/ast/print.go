package ast

import (
	"strconv"
	"strings"
)

// printer collects the text of a tree.
type printer struct {
	text []byte
}

func text(n node) string {
	p := &printer{}
	n.print(p)
	return string(p.text)
}

// write appends strings as they are.
func (p *printer) write(parts ...string) {
	for _, part := range parts {
		p.text = append(p.text, part...)
	}
}

// when appends part if condition holds.
func (p *printer) when(condition bool, part string) {
	if condition {
		p.write(part)
	}
}

// list appends n items with separator between them.
func (p *printer) list(n int, separator string, item func(i int)) {
	for i := range n {
		if i > 0 {
			p.write(separator)
		}
		item(i)
	}
}

// nodes appends items with separator between them.
func nodes[N node](p *printer, items []N, separator string) {
	p.list(len(items), separator, func(i int) { items[i].print(p) })
}

func (p *printer) name(n Name) { p.write(n.String()) }

func (p *printer) names(names []Name) {
	p.list(len(names), ", ", func(i int) { p.name(names[i]) })
}

func (p *printer) qualified(q Qualified) { p.write(q.String()) }

// call appends the name of a function before its opening parenthesis.
func (p *printer) call(q Qualified) {
	p.function(q)
	// "expr(" would be read as the opening of an index expression.
	p.when(q.Name.Text == "expr" && !q.Name.Quoted, " ")
}

// function appends the name of a function. The reserved word "token" is one.
func (p *printer) function(q Qualified) {
	if q.Keyspace.Text != "" {
		p.name(q.Keyspace)
		p.write(".")
	}
	if q.Name.Text == "token" && !q.Name.Quoted {
		p.write("token")
		return
	}
	p.name(q.Name)
}

func (p *printer) string(s string) {
	p.write("'", strings.ReplaceAll(s, "'", "''"), "'")
}

func (p *printer) integer(n int) {
	p.text = strconv.AppendInt(p.text, int64(n), 10)
}

// role appends the name of a role or user: unlike other names, quoted as a string.
func (p *printer) role(n Name) {
	if n.Quoted {
		p.string(n.Text)
	} else {
		p.name(n)
	}
}

// String prints the type.
func (t *Type) String() string { return text(t) }

func (t *Type) print(p *printer) {
	switch t.Kind {
	case NativeType:
		p.write(t.Native)
	case UserDefined:
		p.qualified(t.Name)
	case CustomType:
		p.string(t.Class)
	default:
		p.write(t.Kind.keyword(), "<")
		nodes(p, t.Parameters, ", ")
		if t.Kind == VectorType {
			p.write(", ")
			p.integer(t.Dimension)
		}
		p.write(">")
	}
}

// keyword returns the word before the parameters of a type.
func (k TypeKind) keyword() string {
	switch k {
	case ListType:
		return "list"
	case SetType:
		return "set"
	case MapType:
		return "map"
	case TupleType:
		return "tuple"
	case VectorType:
		return "vector"
	case FrozenType:
		return "frozen"
	}
	return "unknown"
}

func (p *printer) types(types []*Type) {
	p.write("(")
	nodes(p, types, ", ")
	p.write(")")
}
