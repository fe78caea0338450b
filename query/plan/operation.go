package plan

import (
	"encoding/binary"
	"fmt"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// An operation changes one column of a row.
type operation interface {
	target() *schema.Column
	// apply adds cells to f. The value bytes must stay unchanged until f is encoded.
	apply(w *rowWriter, b *Binding, f *row.Fragment) error
	String() string
}

// assign sets a whole column.
func assign(c *schema.Column, value Term) operation {
	if c.Type.IsMultiCell() {
		return &setCells{c, value}
	}
	return &setValue{c, value}
}

// assignment plans one item of SET.
func (p *planner) assignment(t *schema.Table, a *ast.Assignment) (operation, error) {
	switch target := a.Target.(type) {
	case *ast.Column:
		c, err := p.assignable(t, target.Name)
		if err != nil {
			return nil, err
		}
		if a.Kind == ast.Assign {
			value, err := p.term(a.Value, spec(t, c))
			if err != nil {
				return nil, err
			}
			return assign(c, value), nil
		}
		return p.arithmetic(t, c, a)
	case *ast.Element:
		return p.elementAssignment(t, target, a.Value)
	case *ast.Field:
		return p.fieldAssignment(t, target, a.Value)
	default:
		return nil, schema.Invalid("Invalid assignment to %s", a.Target)
	}
}

func (p *planner) assignable(t *schema.Table, name ast.Name) (*schema.Column, error) {
	c, err := column(t, name)
	if err != nil {
		return nil, err
	}
	if c.IsPrimaryKey() {
		return nil, schema.Invalid("PRIMARY KEY part %s found in SET part", c.Name)
	}
	return c, nil
}

// arithmetic plans c = c + v and the like.
func (p *planner) arithmetic(t *schema.Table, c *schema.Column, a *ast.Assignment) (operation, error) {
	kind := c.Type.Kind()
	receiver := spec(t, c)
	if err := checkArithmetic(c, a); err != nil {
		return nil, err
	}
	if kind == cqltype.KindMap && a.Kind == ast.Subtract {
		keys, err := cqltype.SetOf(c.Type.KeyType())
		if err != nil {
			return nil, schema.Invalid("%s", err)
		}
		receiver.Type, receiver.column = keys, nil
	}
	value, err := p.term(a.Value, receiver)
	if err != nil {
		return nil, arithmeticError(err, kind, a)
	}
	switch {
	case a.Kind == ast.Add:
		return &addCells{c, value, false}, nil
	case a.Kind == ast.Prepend:
		return &addCells{c, value, true}, nil
	case kind == cqltype.KindList:
		return &discardValues{c, value}, nil
	default:
		return &discardKeys{c, value}, nil
	}
}

func checkArithmetic(c *schema.Column, a *ast.Assignment) error {
	sign := "+"
	if a.Kind == ast.Subtract {
		sign = "-"
	}
	expression := c.Name + " = " + c.Name + " " + sign + " " + a.Value.String()
	if a.Kind == ast.Prepend {
		expression = c.Name + " = " + a.Value.String() + " - " + c.Name
	}
	kind := c.Type.Kind()
	switch {
	case kind == cqltype.KindTuple || kind == cqltype.KindUDT:
		return schema.Invalid("Invalid operation (%s) for tuple column %s", expression, c.Name)
	case !kind.IsCollection():
		return schema.Invalid("Invalid operation (%s) for non counter column %s", expression, c.Name)
	case !c.Type.IsMultiCell():
		return schema.Invalid("Invalid operation (%s) for frozen collection column %s", expression, c.Name)
	case a.Kind == ast.Prepend && kind != cqltype.KindList:
		return schema.Invalid("Invalid operation (%s) for non list column %s", expression, c.Name)
	}
	return nil
}

// arithmeticError words an error in what is added to a map or taken from it.
func arithmeticError(err error, kind cqltype.Kind, a *ast.Assignment) error {
	switch {
	case kind != cqltype.KindMap:
		return err
	case a.Kind == ast.Subtract:
		return schema.Invalid("Value for a map substraction has to be a set, but was: '%s'", a.Value)
	default:
		return schema.Invalid("Value for a map addition has to be a map, but was: '%s'", a.Value)
	}
}

func (p *planner) elementAssignment(t *schema.Table, target *ast.Element, value ast.Term) (operation, error) {
	c, key, err := p.element(t, target, fmt.Sprintf("Invalid operation (%s = %s)", target, value))
	if err != nil {
		return nil, err
	}
	receiver := part(spec(t, c), "value", c.Type.ElementType())
	switch c.Type.Kind() {
	case cqltype.KindMap:
		receiver.Type = c.Type.ValueType()
	case cqltype.KindList:
	default:
		return nil, schema.Invalid("Invalid operation (%s = %s) for set column %s", target, value, c.Name)
	}
	term, err := p.term(value, receiver)
	if err != nil {
		return nil, err
	}
	return &setElement{c, key, term}, nil
}

// element resolves c[key] where an element is written or deleted. refusal begins the message that
// this cannot be done.
func (p *planner) element(t *schema.Table, target *ast.Element, refusal string) (*schema.Column, Term, error) {
	c, err := p.assignable(t, target.Operand.(*ast.Column).Name)
	if err != nil {
		return nil, nil, err
	}
	if !c.Type.Kind().IsCollection() {
		return nil, nil, schema.Invalid("%s for non collection column %s", refusal, c.Name)
	}
	if !c.Type.IsMultiCell() {
		return nil, nil, schema.Invalid("%s for frozen collection column %s", refusal, c.Name)
	}
	receiver := part(spec(t, c), "idx", cqltype.TypeInt)
	switch c.Type.Kind() {
	case cqltype.KindMap:
		receiver = part(spec(t, c), "key", c.Type.KeyType())
	case cqltype.KindSet:
		receiver = part(spec(t, c), "value", c.Type.ElementType())
	}
	key, err := p.term(target.Key, receiver)
	return c, key, err
}

// fieldAssignment plans c.name = value.
func (p *planner) fieldAssignment(t *schema.Table, target *ast.Field, value ast.Term) (operation, error) {
	c, err := p.assignable(t, target.Operand.(*ast.Column).Name)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Type.Kind() != cqltype.KindUDT:
		return nil, schema.Invalid("Invalid operation (%s = %s) for non-UDT column %s", target, value, c.Name)
	case !c.Type.IsMultiCell():
		return nil, schema.Invalid("Invalid operation (%s = %s) for frozen UDT column %s", target, value, c.Name)
	}
	index, err := fieldIndex(c, target.Name)
	if err != nil {
		return nil, err
	}
	f := c.Type.Fields()[index]
	term, err := p.term(value, Spec{Keyspace: t.Keyspace, Table: t.Name, Name: c.Name + "." + f.Name, Type: f.Type})
	if err != nil {
		return nil, err
	}
	return &setField{c, index, term}, nil
}

// fieldIndex returns which field of a column of a user type has a name.
func fieldIndex(c *schema.Column, name ast.Name) (int, error) {
	for i, f := range c.Type.Fields() {
		if f.Name == name.Text {
			return i, nil
		}
	}
	return 0, schema.Invalid("UDT column %s does not have a field named %s", c.Name, name.Text)
}

// deletion plans one target of DELETE.
func (p *planner) deletion(t *schema.Table, target ast.Target) (operation, error) {
	switch target := target.(type) {
	case *ast.Column:
		c, err := p.deletable(t, target.Name)
		if err != nil {
			return nil, err
		}
		return &deleteColumn{c}, nil
	case *ast.Element:
		if _, err := p.deletable(t, target.Operand.(*ast.Column).Name); err != nil {
			return nil, err
		}
		c, key, err := p.element(t, target, "Invalid deletion operation")
		if err != nil {
			return nil, err
		}
		return &setElement{c, key, nil}, nil
	case *ast.Field:
		c, err := p.deletable(t, target.Operand.(*ast.Column).Name)
		if err != nil {
			return nil, err
		}
		switch {
		case c.Type.Kind() != cqltype.KindUDT:
			return nil, schema.Invalid("Invalid field deletion operation for non-UDT column %s", c.Name)
		case !c.Type.IsMultiCell():
			return nil, schema.Invalid("Frozen UDT column %s does not support field deletions", c.Name)
		}
		index, err := fieldIndex(c, target.Name)
		if err != nil {
			return nil, err
		}
		return &setField{c, index, nil}, nil
	default:
		return nil, schema.Invalid("Invalid deletion of %s", target)
	}
}

func (p *planner) deletable(t *schema.Table, name ast.Name) (*schema.Column, error) {
	c, err := column(t, name)
	if err != nil {
		return nil, err
	}
	if c.IsPrimaryKey() {
		return nil, schema.Invalid("Invalid identifier %s for deletion (should not be a PRIMARY KEY part)", c.Name)
	}
	return c, nil
}

// fieldPath is the path of a field's cell.
func fieldPath(index int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(index)) }
