package plan

import (
	"bytes"
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
	c, err := p.cellColumn(e.Operand)
	if err != nil {
		return nil, err
	}
	if c.IsPrimaryKey() {
		return nil, schema.Invalid("Cannot use selection function %s on PRIMARY KEY part %s", name, c.Name)
	}
	if _, err := p.exactType(e.Operand); err != nil {
		return nil, err
	}
	typ := cqltype.TypeBigint
	if e.Function == ast.TTL {
		typ = cqltype.TypeInt
	}
	switch e.Operand.(type) {
	case *ast.Element, *ast.Field:
		return typ, nil
	}
	if !c.Type.IsMultiCell() || e.Function == ast.MaxWritetime {
		return typ, nil
	}
	return frozen(cqltype.ListOf(typ))
}

// cellColumn finds the column whose cells the operand of a cell function means.
func (p *planner) cellColumn(operand ast.Term) (*schema.Column, error) {
	switch o := operand.(type) {
	case *ast.Column:
		return p.columnOf(o)
	case *ast.Field:
		return p.cellColumn(o.Operand)
	case *ast.Element:
		return p.cellColumn(o.Operand)
	case *ast.Slice:
		return p.cellColumn(o.Operand)
	}
	return nil, schema.Invalid("%s has no cells", operand)
}

// A cellTerm is what is known of the cells of a column beside their values.
type cellTerm struct {
	column   *schema.Column
	function ast.CellFunction
	part     *subscript // an element or a slice
	field    int        // of a user type; -1 without one
	value    Term       // of a frozen value the part that has to be there
}

func (p *planner) cellFunction(e *ast.WritetimeOrTTL) (Term, error) {
	column, err := p.cellColumn(e.Operand)
	if err != nil {
		return nil, err
	}
	p.used = append(p.used, column)
	c := &cellTerm{column: column, function: e.Function, field: -1}
	if _, whole := e.Operand.(*ast.Column); whole {
		return p.leaf(c), nil
	}
	was := p.inAggregate
	p.inAggregate = true // what it is a part of is read of the row at hand, too
	switch o := e.Operand.(type) {
	case *ast.Field:
		c.field, _, err = p.field(o)
		if err == nil && !column.Type.IsMultiCell() {
			c.value, err = p.fieldTerm(o)
		}
	case *ast.Element:
		c.value, err = p.elementTerm(o)
	case *ast.Slice:
		c.value, err = p.sliceTerm(o)
	}
	c.part, _ = c.value.(*subscript)
	p.inAggregate = was
	if err != nil {
		return nil, err
	}
	return p.leaf(c), nil
}

// Eval returns the write time or the time to live, a list of them for a collection of many cells.
func (c *cellTerm) Eval(b *Binding) (Value, error) {
	if !c.column.Type.IsMultiCell() {
		return c.single(b)
	}
	if c.column.Type.Kind() == cqltype.KindUDT && c.field < 0 && c.function != ast.MaxWritetime {
		return c.ofFields(b.Row), nil
	}
	wanted, err := c.wanted(b)
	if err != nil {
		return Value{}, err
	}
	list := cqltype.AppendCount(nil, 0)
	var last []byte
	count, newest := uint32(0), int64(0)
	cells := b.Row.cells(c.column)
	for i := range cells {
		cell := &cells[i]
		if cell.Kind == row.CollectionDeletion || !cell.IsLive(b.Row.Now) || !wanted(cell.Path) {
			continue
		}
		if count == 0 || cell.Timestamp > newest {
			newest = cell.Timestamp
		}
		count++
		last = c.of(cell, b.Row.Now)
		list = cqltype.AppendElement(list, last)
	}
	switch {
	case count == 0:
		return Value{}, nil
	case c.function == ast.MaxWritetime:
		return Value{Bytes: binary.BigEndian.AppendUint64(nil, uint64(newest))}, nil
	case c.field >= 0 || c.part != nil && !c.part.slice:
		return Value{Bytes: last}, nil
	}
	binary.BigEndian.PutUint32(list, count)
	return Value{Bytes: list}, nil
}

// single returns what is known of a column with one cell.
func (c *cellTerm) single(b *Binding) (Value, error) {
	cell := b.Row.cell(c.column)
	if cell == nil {
		return Value{}, nil
	}
	if c.value != nil {
		if v, err := c.value.Eval(b); err != nil || v.Bytes == nil {
			return Value{}, err
		}
	}
	return Value{Bytes: c.of(cell, b.Row.Now)}, nil
}

// ofFields returns a list with an element for each field of a user type, null for those that are null.
func (c *cellTerm) ofFields(r *Row) Value {
	n, any := len(c.column.Type.Fields()), false
	list := cqltype.AppendCount(nil, n)
	cells := r.cells(c.column)
	for field := range n {
		var known []byte
		for i := range cells {
			if cells[i].IsLive(r.Now) && bytes.Equal(cells[i].Path, fieldPath(field)) {
				known, any = c.of(&cells[i], r.Now), true
			}
		}
		list = cqltype.AppendElement(list, known)
	}
	if !any {
		return Value{}
	}
	return Value{Bytes: list}
}

// wanted returns what says whether a cell with a path is meant.
func (c *cellTerm) wanted(b *Binding) (func(path []byte) bool, error) {
	if c.field >= 0 {
		return func(path []byte) bool { return bytes.Equal(path, fieldPath(c.field)) }, nil
	}
	if c.part == nil {
		return func([]byte) bool { return true }, nil
	}
	from, err := c.part.bound(c.part.from, b)
	if err != nil {
		return nil, err
	}
	to := from
	if c.part.slice {
		if to, err = c.part.bound(c.part.to, b); err != nil {
			return nil, err
		}
	}
	var low, high []byte
	if from != nil {
		low = ElementPath(nil, c.column.Type, from)
	}
	if to != nil {
		high = ElementPath(nil, c.column.Type, to)
	}
	return func(path []byte) bool {
		return (low == nil || bytes.Compare(path, low) >= 0) && (high == nil || bytes.Compare(path, high) <= 0)
	}, nil
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
