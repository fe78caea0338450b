package plan

import (
	"encoding/binary"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// cellFunctionType checks WRITETIME, MAXWRITETIME or TTL and returns the type of its result.
func (p *planner) cellFunctionType(e *ast.WritetimeOrTTL) (*cqltype.Type, error) {
	name := strings.ToLower(e.Function.String())
	operand, ok := e.Operand.(*ast.Column)
	if !ok {
		return nil, schema.Invalid("%s is not supported yet", e)
	}
	c, err := p.columnOf(operand)
	if err != nil {
		return nil, err
	}
	if c.IsPrimaryKey() {
		return nil, schema.Invalid("Cannot use selection function %s on PRIMARY KEY part %s", name, c.Name)
	}
	typ := cqltype.TypeBigint
	if e.Function == ast.TTL {
		typ = cqltype.TypeInt
	}
	if !c.Type.IsMultiCell() || e.Function == ast.MaxWritetime {
		return typ, nil
	}
	if c.Type.Kind() == cqltype.KindUDT {
		return nil, schema.Invalid("%s of a non-frozen user type is not supported yet (%s)", strings.ToUpper(name), c.Name)
	}
	return frozen(cqltype.ListOf(typ))
}

// A cellTerm is what is known of the cells of a column beside their values.
type cellTerm struct {
	column   *schema.Column
	function ast.CellFunction
}

func (p *planner) cellFunction(e *ast.WritetimeOrTTL) (Term, error) {
	c, err := p.columnOf(e.Operand.(*ast.Column)) // cellFunctionType has seen to that
	if err != nil {
		return nil, err
	}
	p.used = append(p.used, c)
	return p.leaf(&cellTerm{c, e.Function}), nil
}

// Eval returns the write time or the time to live, a list of them for a collection of many cells.
func (c *cellTerm) Eval(b *Binding) (Value, error) {
	if !c.column.Type.IsMultiCell() {
		cell := b.Row.cell(c.column)
		if cell == nil {
			return Value{}, nil
		}
		return Value{Bytes: c.of(cell, b.Row.Now)}, nil
	}
	list := cqltype.AppendCount(nil, 0)
	count, newest := uint32(0), int64(0)
	cells := b.Row.cells(c.column)
	for i := range cells {
		cell := &cells[i]
		if cell.Kind == row.CollectionDeletion || !cell.IsLive(b.Row.Now) {
			continue
		}
		if count == 0 || cell.Timestamp > newest {
			newest = cell.Timestamp
		}
		count++
		list = cqltype.AppendElement(list, c.of(cell, b.Row.Now))
	}
	switch {
	case count == 0:
		return Value{}, nil
	case c.function == ast.MaxWritetime:
		return Value{Bytes: binary.BigEndian.AppendUint64(nil, uint64(newest))}, nil
	}
	binary.BigEndian.PutUint32(list, count)
	return Value{Bytes: list}, nil
}

func (c *cellTerm) of(cell *row.Cell, now int64) []byte {
	switch {
	case c.function != ast.TTL:
		return binary.BigEndian.AppendUint64(nil, uint64(cell.Timestamp))
	case cell.TTL == 0:
		return nil
	default:
		return binary.BigEndian.AppendUint32(nil, uint32(cell.LocalTime-now))
	}
}

func (c *cellTerm) String() string {
	return strings.ToLower(c.function.String()) + "(" + c.column.Name + ")"
}
