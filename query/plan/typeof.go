package plan

import (
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// preferredType returns the type that a literal has if nothing says otherwise, nil if there is none.
func preferredType(l *ast.Literal) *cqltype.Type {
	switch l.Kind {
	case ast.StringLiteral:
		if strings.IndexFunc(l.Text, func(r rune) bool { return r > 127 }) < 0 {
			return cqltype.TypeASCII
		}
		return cqltype.TypeText
	case ast.IntegerLiteral:
		if _, err := strconv.ParseInt(l.Text, 10, 32); err == nil {
			return cqltype.TypeInt
		}
		if _, err := strconv.ParseInt(l.Text, 10, 64); err == nil {
			return cqltype.TypeBigint
		}
		return cqltype.TypeVarint
	case ast.FloatLiteral:
		d, err := cqltype.ParseDecimal(l.Text)
		if err != nil { // NaN or Infinity
			return cqltype.TypeDouble
		}
		if f, err := strconv.ParseFloat(l.Text, 64); err == nil {
			shown := decimalOfFloat(f, 64)
			if gap := int64(shown.Scale) - int64(d.Scale); gap < maxScaleGap && gap > -maxScaleGap {
				scale := max(shown.Scale, d.Scale)
				if rescale(shown, scale).Cmp(rescale(d, scale)) == 0 {
					return cqltype.TypeDouble
				}
			}
		}
		return cqltype.TypeDecimal
	case ast.BooleanLiteral:
		return cqltype.TypeBoolean
	case ast.UUIDLiteral:
		return cqltype.TypeUUID
	case ast.BlobLiteral:
		return cqltype.TypeBlob
	case ast.DurationLiteral:
		return cqltype.TypeDuration
	}
	return nil
}

// likelyType is exactType, but of literals it returns the type that they have if nothing says otherwise.
func (p *planner) likelyType(t ast.Term) (*cqltype.Type, error) {
	if l, ok := t.(*ast.Literal); ok {
		return preferredType(l), nil
	}
	return p.typeOf(t, p.likelyType)
}

// exactType returns the type that a term has whatever it is for, nil if that is open.
func (p *planner) exactType(t ast.Term) (*cqltype.Type, error) {
	return p.typeOf(t, p.exactType)
}

// typeOf returns the type of a term, with inner for the types of what it is made of.
func (p *planner) typeOf(t ast.Term, inner func(ast.Term) (*cqltype.Type, error)) (*cqltype.Type, error) {
	switch t := t.(type) {
	case *ast.Column:
		c, err := p.columnOf(t)
		if err != nil {
			return nil, err
		}
		return c.Type, nil
	case *ast.CountRows:
		return cqltype.TypeBigint, nil
	case *ast.WritetimeOrTTL:
		return p.cellFunctionType(t)
	case *ast.Field:
		_, typ, err := p.field(t)
		return typ, err
	case *ast.Element:
		of, err := p.collectionType(t.Operand, "element")
		switch {
		case err != nil:
			return nil, err
		case of.Kind() == cqltype.KindSet:
			return of.ElementType(), nil
		}
		return of.ValueType(), nil
	case *ast.Slice:
		of, err := p.collectionType(t.Operand, "slice")
		if err != nil {
			return nil, err
		}
		return of.Frozen(), nil
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return p.resultType(t)
	case *ast.TypeHint:
		return metadata.ResolveType(p.schema.Keyspace(p.hintKeyspace()), t.Type)
	case *ast.Tuple:
		if len(t.Elements) == 1 {
			return inner(t.Elements[0])
		}
		types, err := each(t.Elements, inner)
		if err != nil || types == nil {
			return nil, err
		}
		return frozen(cqltype.TupleOf(types...))
	case *ast.List:
		typ, err := first(t.Elements, inner)
		if typ == nil || err != nil {
			return nil, err
		}
		return frozen(cqltype.ListOf(typ.Frozen()))
	case *ast.Set:
		typ, err := first(t.Elements, inner)
		if typ == nil || err != nil {
			return nil, err
		}
		return frozen(cqltype.SetOf(typ.Frozen()))
	case *ast.Map:
		return p.mapType(t, inner)
	}
	return nil, nil
}

// hintKeyspace is where the user types in type hints are.
func (p *planner) hintKeyspace() string {
	if p.scope != nil {
		return p.scope.Keyspace
	}
	return p.keyspace
}

func (p *planner) mapType(t *ast.Map, inner func(ast.Term) (*cqltype.Type, error)) (*cqltype.Type, error) {
	if userTypeOf(t) != nil {
		return nil, nil // it may be the literal of a user type
	}
	var key, value *cqltype.Type
	for _, e := range t.Entries {
		k, err := inner(e.Key)
		if err != nil {
			return nil, err
		}
		v, err := inner(e.Value)
		if err != nil {
			return nil, err
		}
		if key == nil {
			key = k
		}
		if value == nil {
			value = v
		}
	}
	if key == nil || value == nil {
		return nil, nil
	}
	return frozen(cqltype.MapOf(key.Frozen(), value.Frozen()))
}

func frozen(t *cqltype.Type, err error) (*cqltype.Type, error) {
	if err != nil {
		return nil, schema.Invalid("%s", err)
	}
	return t.Frozen(), nil
}

// each returns the types of all terms, nil if one is open.
func each(terms []ast.Term, inner func(ast.Term) (*cqltype.Type, error)) ([]*cqltype.Type, error) {
	types := make([]*cqltype.Type, len(terms))
	for i, t := range terms {
		typ, err := inner(t)
		if typ == nil || err != nil {
			return nil, err
		}
		types[i] = typ
	}
	return types, nil
}

// first returns the first type of terms that is known.
func first(terms []ast.Term, inner func(ast.Term) (*cqltype.Type, error)) (*cqltype.Type, error) {
	for _, t := range terms {
		if typ, err := inner(t); typ != nil || err != nil {
			return typ, err
		}
	}
	return nil, nil
}

func (p *planner) resultType(t ast.Term) (*cqltype.Type, error) {
	if c, ok := t.(*ast.Call); ok && isNative(c.Function) && (c.Function.Name.Text == "token" || isCountRows(c)) {
		return cqltype.TypeBigint, nil
	}
	f, err := p.resolve(t, nil)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, unknownFunction(t)
	}
	return f.result, nil
}

// isCountRows reports whether a call is another way to write count(*).
func isCountRows(c *ast.Call) bool {
	if c.Function.Name.Text != "count" || len(c.Arguments) != 1 {
		return false
	}
	_, ok := c.Arguments[0].(*ast.Literal)
	return ok
}

func unknownFunction(t ast.Term) error {
	return schema.Invalid("Unknown function '%s'", t.(*ast.Call).Function)
}

// columnName returns how the result of an expression is called.
func (p *planner) columnName(t ast.Term) string {
	switch t := t.(type) {
	case *ast.Column:
		return t.Name.Text
	case *ast.CountRows:
		return "count"
	case *ast.Marker:
		return "?"
	case *ast.WritetimeOrTTL:
		return strings.ToLower(t.Function.String()) + "(" + p.columnName(t.Operand) + ")"
	case *ast.Field:
		return p.columnName(t.Operand) + "." + t.Name.Text
	case *ast.Element:
		return p.columnName(t.Operand) + "[" + p.keyName(t.Key) + "]"
	case *ast.Slice:
		name := p.columnName(t.Operand) + "["
		if t.From != nil {
			name += p.keyName(t.From)
		}
		name += ".."
		if t.To != nil {
			name += p.keyName(t.To)
		}
		return name + "]"
	case *ast.Call:
		if isCountRows(t) && isNative(t.Function) {
			return "count"
		}
		name := t.Function.Name.Text
		if name == "tojson" {
			name = "to_json"
		}
		return "system." + name + "(" + p.columnNames(t.Arguments) + ")"
	case *ast.Cast:
		if typ, err := p.exactType(t.Operand); err == nil && typ != nil && typ.String() == strings.ToLower(t.Type.String()) {
			return p.columnName(t.Operand)
		}
		return "cast(" + p.columnName(t.Operand) + " as " + strings.ToLower(t.Type.String()) + ")"
	case *ast.TypeHint:
		return "(" + t.Type.String() + ")" + p.columnName(t.Operand)
	case *ast.Binary:
		return p.columnName(t.Left) + " " + string(rune(t.Operator)) + " " + p.columnName(t.Right)
	case *ast.Negate:
		return "-" + p.columnName(t.Operand)
	case *ast.List:
		return "[" + p.columnNames(t.Elements) + "]"
	case *ast.Set:
		return "{" + p.columnNames(t.Elements) + "}"
	case *ast.Tuple:
		return "(" + p.columnNames(t.Elements) + ")"
	case *ast.Map:
		parts := make([]string, len(t.Entries))
		for i, e := range t.Entries {
			parts[i] = p.columnName(e.Key) + ": " + p.columnName(e.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return t.String()
}

// keyName is columnName for the key of an element, where operations go by the names of their functions.
func (p *planner) keyName(t ast.Term) string {
	switch t := t.(type) {
	case *ast.Binary:
		return `system."` + operatorName(t.Operator) + `"(` + p.keyName(t.Left) + ", " + p.keyName(t.Right) + ")"
	case *ast.Negate:
		return `system."_negate"(` + p.keyName(t.Operand) + ")"
	}
	return p.columnName(t)
}

func (p *planner) columnNames(terms []ast.Term) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = p.columnName(t)
	}
	return strings.Join(parts, ", ")
}
