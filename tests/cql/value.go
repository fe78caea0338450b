package cql

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// Value is the value of a bind marker as a script writes it: it gets a type when the statement has been prepared.
type Value struct {
	// Name is that of the bind marker, empty if values are given by position.
	Name string
	text string
}

// Bound is a value in the form in which it is sent.
type Bound struct {
	Bytes []byte // nil for null
	Unset bool
}

// Bind encodes values for the bind markers of a statement and puts them into the order of the markers. Given by
// position there may be fewer than markers.
func Bind(markers []Column, values []Value) ([]Bound, error) {
	if len(values) > 0 && values[0].Name != "" {
		sorted, err := sortByName(markers, values)
		if err != nil {
			return nil, err
		}
		values = sorted
	}
	if len(values) > len(markers) {
		return nil, fmt.Errorf("%d values for %d bind markers", len(values), len(markers))
	}
	bound := make([]Bound, len(values))
	for i, v := range values {
		var err error
		if bound[i], err = v.encode(markers[i].Type); err != nil {
			return nil, fmt.Errorf("value %s of %s: %w", v.text, markers[i].Type, err)
		}
	}
	return bound, nil
}

// sortByName returns one value for each marker; one value serves all markers of its name.
func sortByName(markers []Column, values []Value) ([]Value, error) {
	byName := make(map[string]Value, len(values))
	for _, v := range values {
		byName[v.Name] = v
	}
	used := make(map[string]bool, len(values))
	sorted := make([]Value, len(markers))
	for i, m := range markers {
		v, ok := byName[m.Name]
		if !ok {
			return nil, fmt.Errorf("no value for bind marker %s", m.Name)
		}
		sorted[i], used[m.Name] = v, true
	}
	if len(used) != len(values) {
		return nil, fmt.Errorf("%d names for values, but %d of bind markers", len(values), len(used))
	}
	return sorted, nil
}

func (v Value) encode(t *cqltype.Type) (Bound, error) {
	if v.text == "unset" {
		return Bound{Unset: true}, nil
	}
	if digits, ok := strings.CutPrefix(v.text, "raw 0x"); ok {
		b, err := hex.DecodeString(digits)
		return Bound{Bytes: b}, err
	}
	term, err := grammar.ParseTerm(v.text)
	if err != nil {
		return Bound{}, err
	}
	b, err := encodeTerm(t, term)
	return Bound{Bytes: b}, err
}

// literalKinds maps the parser's kinds of literals to those of cqltype; null is not among them.
var literalKinds = map[ast.LiteralKind]cqltype.LiteralKind{
	ast.StringLiteral: cqltype.LiteralString, ast.IntegerLiteral: cqltype.LiteralInteger,
	ast.FloatLiteral: cqltype.LiteralFloat, ast.BooleanLiteral: cqltype.LiteralBoolean,
	ast.UUIDLiteral: cqltype.LiteralUUID, ast.BlobLiteral: cqltype.LiteralHex,
	ast.DurationLiteral: cqltype.LiteralDuration,
}

// encodeTerm returns the bytes of a term without markers and calls, nil for null.
func encodeTerm(t *cqltype.Type, term ast.Term) ([]byte, error) {
	switch term := term.(type) {
	case *ast.Literal:
		if term.Kind == ast.NullLiteral {
			return nil, nil
		}
		return t.FromLiteral(literalKinds[term.Kind], term.Text)
	case *ast.List:
		return buildAll(t, term.Elements)
	case *ast.Set:
		return buildAll(t, term.Elements)
	case *ast.Tuple:
		return buildAll(t, term.Elements)
	case *ast.Map:
		var parts []ast.Term
		for _, entry := range term.Entries {
			parts = append(parts, entry.Key, entry.Value)
		}
		return buildAll(t, parts)
	case *ast.UserType:
		given := make(map[string]ast.Term, len(term.Fields))
		for _, f := range term.Fields {
			given[f.Name.Text] = f.Value
		}
		parts := make([]ast.Term, len(t.Fields()))
		for i, f := range t.Fields() {
			parts[i] = given[f.Name]
		}
		return buildAll(t, parts)
	}
	return nil, fmt.Errorf("%T is no value to bind", term)
}

// buildAll returns a composite value of these elements; a nil element is null.
func buildAll(t *cqltype.Type, parts []ast.Term) ([]byte, error) {
	types := elementTypes(t, len(parts))
	if len(parts) > len(types) {
		return nil, fmt.Errorf("%d elements for %s", len(parts), t)
	}
	elems := make([][]byte, len(parts))
	for i, part := range parts {
		if part == nil {
			continue
		}
		var err error
		if elems[i], err = encodeTerm(types[i], part); err != nil {
			return nil, err
		}
	}
	return t.Build(elems)
}

// elementTypes returns the types of n elements of a value of type t, fewer if t cannot have that many.
func elementTypes(t *cqltype.Type, n int) []*cqltype.Type {
	if t.FieldTypes() != nil {
		return t.FieldTypes()
	}
	types := make([]*cqltype.Type, n)
	for i := range types {
		switch {
		case t.Kind() == cqltype.KindMap && i%2 == 0:
			types[i] = t.KeyType()
		case t.Kind() == cqltype.KindMap:
			types[i] = t.ValueType()
		case t.ElementType() != nil:
			types[i] = t.ElementType()
		default:
			return nil
		}
	}
	return types
}

// parseValues splits the line of a script that holds the values of one execution.
func parseValues(line string) ([]Value, error) {
	if line == "." {
		return nil, nil
	}
	var values []Value
	for _, part := range splitTopLevel(line) {
		v := Value{text: strings.TrimSpace(part)}
		if name, text, ok := strings.Cut(v.text, " = "); ok && !strings.ContainsAny(name, `'"{[`) {
			v.Name, v.text = name, text
		}
		if v.text == "" {
			return nil, fmt.Errorf("missing value in %q", line)
		}
		values = append(values, v)
	}
	for _, v := range values {
		if (v.Name == "") != (values[0].Name == "") {
			return nil, fmt.Errorf("values with and without names in %q", line)
		}
	}
	return values, nil
}

// splitTopLevel splits at the commas that are outside of quotes and brackets.
func splitTopLevel(line string) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i, c := range line {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, line[start:i])
			start = i + 1
		}
	}
	return append(parts, line[start:])
}
