package plan

import (
	"encoding/binary"
	"strings"

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
		c, index, s, err := p.field(t, target)
		if err != nil {
			return nil, err
		}
		value, err := p.term(a.Value, s)
		if err != nil {
			return nil, err
		}
		return &setField{c, index, value}, nil
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
	sign := "+"
	if a.Kind == ast.Subtract {
		sign = "-"
	}
	expression := c.Name + " = " + c.Name + " " + sign + " " + a.Value.String()
	if a.Kind == ast.Prepend {
		expression = c.Name + " = " + a.Value.String() + " - " + c.Name
	}
	if !c.Type.IsMultiCell() {
		if c.Type.Kind().IsCollection() {
			return nil, schema.Invalid("Invalid operation (%s) for frozen collection column %s", expression, c.Name)
		}
		return nil, schema.Invalid("Invalid operation (%s) for non counter column %s", expression, c.Name)
	}
	kind := c.Type.Kind()
	receiver := spec(t, c)
	switch {
	case a.Kind == ast.Prepend && kind != cqltype.KindList:
		return nil, schema.Invalid("Invalid operation (%s) for non list column %s", expression, c.Name)
	case kind == cqltype.KindUDT:
		return nil, schema.Invalid("Invalid operation (%s) for non counter column %s", expression, c.Name)
	case a.Kind == ast.Subtract && kind == cqltype.KindMap:
		set, err := cqltype.SetOf(c.Type.KeyType())
		if err != nil {
			return nil, schema.Invalid("%s", err)
		}
		receiver.Type = set
	}
	value, err := p.term(a.Value, receiver)
	if err != nil {
		return nil, err
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

func (p *planner) elementAssignment(t *schema.Table, target *ast.Element, value ast.Term) (operation, error) {
	c, key, err := p.element(t, target)
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

// element resolves c[key] where an element is written or deleted.
func (p *planner) element(t *schema.Table, target *ast.Element) (*schema.Column, Term, error) {
	c, err := p.assignable(t, target.Operand.(*ast.Column).Name)
	if err != nil {
		return nil, nil, err
	}
	if !c.Type.Kind().IsCollection() {
		return nil, nil, schema.Invalid("Invalid operation (%s) for non collection column %s", target, c.Name)
	}
	if !c.Type.IsMultiCell() {
		return nil, nil, schema.Invalid("Invalid operation (%s) for frozen collection column %s", target, c.Name)
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

// field resolves c.name where a field of a user type is written or deleted.
func (p *planner) field(t *schema.Table, target *ast.Field) (*schema.Column, int, Spec, error) {
	c, err := p.assignable(t, target.Operand.(*ast.Column).Name)
	if err != nil {
		return nil, 0, Spec{}, err
	}
	if c.Type.Kind() != cqltype.KindUDT {
		return nil, 0, Spec{}, schema.Invalid("Invalid operation (%s) for non-UDT column %s", target, c.Name)
	}
	if !c.Type.IsMultiCell() {
		return nil, 0, Spec{}, schema.Invalid("Invalid operation (%s) for frozen UDT column %s", target, c.Name)
	}
	for i, f := range c.Type.Fields() {
		if f.Name == target.Name.Text {
			return c, i, Spec{Keyspace: t.Keyspace, Table: t.Name, Name: c.Name + "." + f.Name, Type: f.Type}, nil
		}
	}
	_, name := c.Type.UDTName()
	return nil, 0, Spec{}, schema.Invalid("UDT column %s does not have a field named %s (type %s)", c.Name, target.Name.Text, name)
}

// deletion plans one target of DELETE.
func (p *planner) deletion(t *schema.Table, target ast.Target) (operation, error) {
	switch target := target.(type) {
	case *ast.Column:
		c, err := column(t, target.Name)
		if err != nil {
			return nil, err
		}
		if c.IsPrimaryKey() {
			return nil, schema.Invalid("Invalid identifier %s for deletion (should not be a PRIMARY KEY part)", c.Name)
		}
		return &deleteColumn{c}, nil
	case *ast.Element:
		c, key, err := p.element(t, target)
		if err != nil {
			return nil, deletionError(err, c)
		}
		return &setElement{c, key, nil}, nil
	case *ast.Field:
		c, index, _, err := p.field(t, target)
		if err != nil {
			return nil, err
		}
		return &setField{c, index, nil}, nil
	default:
		return nil, schema.Invalid("Invalid deletion of %s", target)
	}
}

// deletionError words an error of element for DELETE.
func deletionError(err error, _ *schema.Column) error {
	if invalid, ok := err.(*schema.InvalidRequestError); ok {
		return schema.Invalid("%s", strings.Replace(invalid.Message, "Invalid operation", "Invalid deletion operation", 1))
	}
	return err
}

// fieldPath is the path of a field's cell.
func fieldPath(index int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(index)) }
