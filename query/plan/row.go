package plan

import (
	"encoding/binary"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// A Row is what selectors and filters look at: one row of a table, with the key values taken
// apart. Whoever reads fills it; its slices are valid until the next row.
type Row struct {
	Now        int64         // seconds since the epoch: what expires is judged by it
	Token      int64         // of the partition
	Partition  [][]byte      // values of the partition key
	Clustering [][]byte      // values of the clustering key; nil for static columns alone
	Static     *row.Fragment // static cells
	Regular    *row.Fragment // the row's own cells; nil for static columns alone

	scratch []byte
}

// cells returns the cells of a static or regular column.
func (r *Row) cells(c *schema.Column) []row.Cell {
	switch {
	case c.Kind == schema.Static && r.Static != nil:
		return r.Static.Column(c.ID)
	case c.Kind == schema.Regular && r.Regular != nil:
		return r.Regular.Column(c.ID)
	default:
		return nil
	}
}

// cell returns the live cell of a column that has only one, or nil.
func (r *Row) cell(c *schema.Column) *row.Cell {
	cells := r.cells(c)
	if len(cells) == 0 || !cells[0].IsLive(r.Now) {
		return nil
	}
	return &cells[0]
}

// Append appends the value of a column to dst; ok is false for null.
func (r *Row) Append(dst []byte, c *schema.Column) (out []byte, ok bool) {
	switch c.Kind {
	case schema.PartitionKey:
		return append(dst, r.Partition[c.Position]...), true
	case schema.Clustering:
		if r.Clustering == nil {
			return dst, false
		}
		return append(dst, r.Clustering[c.Position]...), true
	}
	if c.Type.IsMultiCell() {
		return r.appendCells(dst, c)
	}
	cell := r.cell(c)
	if cell == nil {
		return dst, false
	}
	return append(dst, cell.Value...), true
}

// Value returns the value of a column, nil for null. It is valid until the next call.
func (r *Row) Value(c *schema.Column) []byte {
	switch {
	case c.Kind == schema.PartitionKey:
		return r.Partition[c.Position]
	case c.Kind == schema.Clustering:
		if r.Clustering == nil {
			return nil
		}
		return r.Clustering[c.Position]
	case !c.Type.IsMultiCell():
		if cell := r.cell(c); cell != nil {
			return notNil(cell.Value)
		}
		return nil
	}
	var ok bool
	if r.scratch, ok = r.appendCells(r.scratch[:0], c); !ok {
		return nil
	}
	return r.scratch
}

// notNil tells an empty value from null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// appendCells serializes a collection or user type that is stored cell by cell. One without
// live cells is null.
func (r *Row) appendCells(dst []byte, c *schema.Column) ([]byte, bool) {
	cells := r.cells(c)
	if c.Type.Kind() == cqltype.KindUDT {
		return r.appendFields(dst, c, cells)
	}
	at := len(dst)
	dst = cqltype.AppendCount(dst, 0)
	count := 0
	for i := range cells {
		cell := &cells[i]
		if cell.Kind == row.CollectionDeletion || !cell.IsLive(r.Now) {
			continue
		}
		count++
		switch c.Type.Kind() {
		case cqltype.KindList:
			dst = cqltype.AppendElement(dst, notNil(cell.Value))
		case cqltype.KindSet:
			dst = appendPath(dst, c.Type.ElementType(), cell.Path)
		default:
			dst = appendPath(dst, c.Type.KeyType(), cell.Path)
			dst = cqltype.AppendElement(dst, notNil(cell.Value))
		}
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(count))
	return dst, count > 0
}

// appendPath appends an element that is stored as the path of its cell.
func appendPath(dst []byte, t *cqltype.Type, path []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	out, _, err := t.ReadKey(path, false, dst)
	if err != nil {
		return cqltype.AppendElement(dst[:at], nil) // the checksum held, so this cannot be
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out
}

func (r *Row) appendFields(dst []byte, c *schema.Column, cells []row.Cell) ([]byte, bool) {
	fields := c.Type.Fields()
	live := false
	for i := range fields {
		var value []byte
		for j := range cells {
			cell := &cells[j]
			if len(cell.Path) == 2 && int(binary.BigEndian.Uint16(cell.Path)) == i && cell.IsLive(r.Now) {
				value, live = notNil(cell.Value), true
			}
		}
		dst = cqltype.AppendElement(dst, value)
	}
	return dst, live
}

// ElementPath appends the path under which an element of a collection column is stored: the key
// encoding of a set element, a map key or a list position, or the number of a field.
func ElementPath(dst []byte, t *cqltype.Type, element []byte) []byte {
	switch t.Kind() {
	case cqltype.KindSet:
		return t.ElementType().AppendKey(dst, element, false)
	case cqltype.KindMap:
		return t.KeyType().AppendKey(dst, element, false)
	case cqltype.KindList:
		return cqltype.TypeTimeUUID.AppendKey(dst, element, false)
	default:
		return append(dst, element...)
	}
}
