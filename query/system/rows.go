package system

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// An entry is one row, with its key as storage has it.
type entry struct {
	key       []byte // row key: partition, kind, clustering
	partition int    // length of the partition's part of the key
	fragment  *row.Fragment
}

// values are the values of a row by the names of their columns, in any form that cqltype takes. What is missing or nil
// is null.
type values map[string]any

// rows collects the rows of a table.
type rows struct {
	table *schema.Table
	list  []entry
	err   error // the first one
}

// add adds a row.
func (r *rows) add(v values) {
	if r.err != nil {
		return
	}
	e, err := r.entry(v)
	if err != nil {
		r.err = fmt.Errorf("making a row of %s: %w", r.table, err)
		return
	}
	r.list = append(r.list, e)
}

// sorted returns the rows in order of their keys. Of several rows with one key, the last that was added counts.
func (r *rows) sorted() ([]entry, error) {
	slices.SortStableFunc(r.list, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	out := r.list[:0]
	for i, e := range r.list {
		if i+1 < len(r.list) && bytes.Equal(e.key, r.list[i+1].key) {
			continue
		}
		out = append(out, e)
	}
	return out, r.err
}

func (r *rows) entry(v values) (entry, error) {
	e := entry{fragment: row.NewFragment()}
	e.fragment.Liveness.Timestamp = 0
	used := 0
	value := func(c *schema.Column) ([]byte, error) {
		given, ok := v[c.Name]
		if ok {
			used++
		}
		b, err := c.Type.Encode(clean(given))
		if err == nil && b == nil && c.IsPrimaryKey() {
			err = fmt.Errorf("no value")
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		return b, nil
	}
	var key [][]byte
	for _, c := range r.table.Partition {
		b, err := value(c)
		if err != nil {
			return e, err
		}
		key = append(key, b)
	}
	serialized, err := cqltype.AppendPartitionKey(nil, key...)
	if err != nil {
		return e, err
	}
	e.key = AppendPartition(nil, r.table, serialized)
	e.partition = len(e.key)
	e.key = append(e.key, byte(row.KindRow))
	for _, c := range r.table.Clustering {
		b, err := value(c)
		if err != nil {
			return e, err
		}
		e.key = c.Type.AppendKey(e.key, b, c.Descending)
	}
	for _, c := range r.table.Regular {
		b, err := value(c)
		if err != nil {
			return e, err
		}
		if b != nil {
			e.fragment.Cells = appendCells(e.fragment.Cells, c, b)
		}
	}
	if used != len(v) {
		return e, fmt.Errorf("%d of the values are of no column", len(v)-used)
	}
	slices.SortFunc(e.fragment.Cells, func(a, b row.Cell) int {
		if a.Column != b.Column {
			return int(a.Column) - int(b.Column)
		}
		return bytes.Compare(a.Path, b.Path)
	})
	return e, nil
}

// clean makes text valid that came from outside.
func clean(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case map[string]string:
		if v == nil {
			return nil
		}
		out := make(map[string]string, len(v))
		for key, value := range v {
			out[strings.ToValidUTF8(key, "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
		}
		return out
	}
	return v
}

// appendCells appends the cells of a column with a serialized value: one, or one for each element.
func appendCells(cells []row.Cell, c *schema.Column, value []byte) []row.Cell {
	if !c.Type.IsMultiCell() {
		return append(cells, row.Cell{Column: c.ID, Value: value})
	}
	elements := c.Type.Elements(value)
	for elements.Next() {
		cell := row.Cell{Column: c.ID, Path: plan.ElementPath(nil, c.Type, elements.Value())}
		if c.Type.Kind() == cqltype.KindMap {
			elements.Next()
			cell.Value = bytes.Clone(elements.Value())
		}
		cells = append(cells, cell)
	}
	return cells
}

// AppendPartition appends the partition's part of the row keys of a table of the system. key is the serialized
// partition key.
func AppendPartition(dst []byte, t *schema.Table, key []byte) []byte {
	token := ring.Token(0)
	if !t.Virtual {
		token = ring.TokenOf(key)
	}
	return row.AppendPartition(dst, int64(token), key)
}
