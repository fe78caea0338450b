package cqltype

import (
	"strconv"
	"strings"
)

// maxDepth bounds how deep types nest, and with them the recursion of everything that walks over types.
const maxDepth = 64

// Parse reads a type as CQL spells it, which includes every Type.String. Native names may be in any case; varchar is
// text. resolve is asked for names that are not native: for UDTs, with their unquoted name and the keyspace in front of
// it, or "" without one; it returns the non-frozen type. A nil resolve knows none. Parse returns a TypeError for
// text that spells no type and for types that CQL does not allow.
func Parse(text string, resolve func(keyspace, name string) (*Type, bool)) (*Type, error) {
	p := parser{text: text, rest: text, resolve: resolve}
	t, err := p.parse(false, 0)
	if err != nil {
		return nil, err
	}
	if p.peek() != 0 {
		return nil, p.unexpected()
	}
	return t, nil
}

type parser struct {
	text, rest string
	resolve    func(keyspace, name string) (*Type, bool)
}

// peek returns the first byte of the next token, 0 at the end.
func (p *parser) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// skip skips the token c if it is next.
func (p *parser) skip(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) unexpected() error {
	if p.peek() == 0 {
		return badType("Failed parsing CQL type: [%s] reason: it ends too early", p.text)
	}
	return badType("Failed parsing CQL type: [%s] reason: unexpected '%s' at position %d",
		p.text, p.rest, len(p.text)-len(p.rest))
}

// word reads a name and reports whether it was quoted. Names without quotes come out in lower case.
func (p *parser) word() (name string, quoted bool, err error) {
	if p.skip('"') {
		for {
			i := strings.IndexByte(p.rest, '"')
			if i < 0 {
				p.rest = ""
				return "", true, p.unexpected()
			}
			name += p.rest[:i]
			if p.rest = p.rest[i+1:]; !strings.HasPrefix(p.rest, `"`) {
				break
			}
			name += `"`
			p.rest = p.rest[1:]
		}
		if name == "" {
			return "", true, p.unexpected()
		}
		return name, true, nil
	}
	p.peek()
	n := 0
	for n < len(p.rest) && isWordByte(p.rest[n]) {
		n++
	}
	if n == 0 {
		return "", false, p.unexpected()
	}
	name = strings.ToLower(p.rest[:n])
	p.rest = p.rest[n:]
	return name, false, nil
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// parse reads one type. Within frozen<> collections and UDTs are frozen as they are built.
func (p *parser) parse(frozen bool, depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, badType("Failed parsing CQL type: [%s] reason: it nests more than %d types", p.text, maxDepth)
	}
	name, quoted, err := p.word()
	if err != nil {
		return nil, err
	}
	if !quoted && p.peek() == '<' {
		return p.parseGeneric(name, frozen, depth)
	}
	if !quoted && p.peek() != '.' {
		if t, ok := Lookup(name); ok {
			return t, nil
		}
	}
	keyspace, full := "", name
	if p.skip('.') {
		keyspace = name
		if name, _, err = p.word(); err != nil {
			return nil, err
		}
		full = keyspace + "." + name
	}
	if p.resolve != nil {
		if t, ok := p.resolve(keyspace, name); ok {
			if frozen {
				t = t.Frozen()
			}
			return t, nil
		}
	}
	return nil, badType("Unknown type %s", full)
}

// number reads an integer.
func (p *parser) number() (int, error) {
	p.peek()
	n := len(p.rest) - len(strings.TrimLeft(p.rest, "-0123456789"))
	x, err := strconv.Atoi(p.rest[:n])
	if err != nil {
		return 0, p.unexpected()
	}
	p.rest = p.rest[n:]
	return x, nil
}

// parseGeneric reads what follows a name that has type parameters.
func (p *parser) parseGeneric(name string, frozen bool, depth int) (*Type, error) {
	inner := frozen || name == "frozen" || name == "tuple"
	if name == "vector" {
		inner = false // its name keeps the element type as declared
	}
	p.skip('<')
	var elems []*Type
	dimension := 0
	for {
		if name == "vector" && len(elems) == 1 {
			var err error
			if dimension, err = p.number(); err != nil {
				return nil, err
			}
			elems = append(elems, nil) // counted like a type parameter
			break
		}
		t, err := p.parse(inner, depth+1)
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
		if !p.skip(',') {
			break
		}
	}
	if !p.skip('>') {
		return nil, p.unexpected()
	}
	return p.build(name, elems, dimension, frozen)
}

// build makes the type name<elems>.
func (p *parser) build(name string, elems []*Type, dimension int, frozen bool) (*Type, error) {
	var t *Type
	var err error
	switch {
	case name == "tuple":
		return TupleOf(elems...)
	case name == "map" && len(elems) == 2:
		t, err = MapOf(elems[0], elems[1])
	case name == "vector" && len(elems) == 2:
		return VectorOf(elems[0], dimension)
	case name == "frozen" && len(elems) == 1:
		if elems[0].kind.IsNative() {
			return nil, badType("frozen<> is only allowed on collections, tuples, and user-defined types (got %s)", elems[0])
		}
		return elems[0], nil
	case name == "list" && len(elems) == 1:
		t, err = ListOf(elems[0])
	case name == "set" && len(elems) == 1:
		t, err = SetOf(elems[0])
	default:
		return nil, badType("Failed parsing CQL type: [%s] reason: '%s' with %d parameters is no type", p.text, name, len(elems))
	}
	if err == nil && frozen {
		t = t.Frozen()
	}
	return t, err
}
