package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
)

// An Iter walks over the rows of a query. It is not safe for concurrent use. Close it when done.
type Iter struct {
	ctx      context.Context
	query    *Query
	rows     *query.Rows // the page at hand; nil after an error and after Close
	nextPage []byte      // state of the page behind it
	warnings []string
	err      error

	left   int    // rows of the page that are still to come, without the one at hand
	rest   []byte // their values
	values [][]byte
	onRow  bool // whether values are a row
}

// errNoRow is what looking at a row gives when there is none.
var errNoRow = errors.New("there is no row to look at: Next was not called or has returned false")

// fetch gets the next page.
func (r *Iter) fetch() {
	result, err := r.query.run(r.ctx, r.nextPage)
	if err != nil {
		r.err, r.rows = err, nil
		return
	}
	r.take(result)
}

// take makes a page the one at hand.
func (r *Iter) take(result *query.Result) {
	r.warnings = append(r.warnings, result.Warnings...)
	if r.rows = result.Rows; r.rows == nil {
		r.rows = &query.Rows{}
	}
	r.left, r.rest, r.nextPage = r.rows.Count, r.rows.Data, r.rows.PagingState
}

// Next moves to the next row and reports whether there is one; if not, see Err.
func (r *Iter) Next() bool {
	r.onRow = false
	for r.err == nil && r.left == 0 {
		if r.nextPage == nil {
			return false
		}
		r.fetch()
	}
	if r.err != nil {
		return false
	}
	r.onRow = true
	r.left--
	r.values = r.values[:0]
	for range r.rows.Columns {
		n := int32(binary.BigEndian.Uint32(r.rest))
		r.rest = r.rest[4:]
		if n < 0 {
			r.values = append(r.values, nil)
			continue
		}
		r.values = append(r.values, r.rest[:n:n])
		r.rest = r.rest[n:]
	}
	return true
}

// Scan stores the values of the row in dest, one for each column; nil skips a column.
func (r *Iter) Scan(dest ...any) error {
	if !r.onRow {
		return errNoRow
	}
	if len(dest) != len(r.values) {
		return fmt.Errorf("the row has %d columns, and %d destinations were given", len(r.values), len(dest))
	}
	for i, d := range dest {
		if d == nil {
			continue
		}
		if err := r.decode(i, d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Iter) decode(i int, dest any) error {
	c := &r.rows.Columns[i]
	if err := c.Type.Decode(r.values[i], dest); err != nil {
		return fmt.Errorf("column %s: %w", c.Name, err)
	}
	return nil
}

// ScanStruct stores the values of the row in the struct that dest points to. A column goes to the
// field with the tag `cql:"name"`, or else to the one whose name is the column's, letter case and
// underscores aside; a column without such a field is an error.
func (r *Iter) ScanStruct(dest any) error {
	if !r.onRow {
		return errNoRow
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("ScanStruct takes a pointer to a struct, not %T", dest)
	}
	for i := range r.rows.Columns {
		field, ok := fieldOf(v.Elem(), r.rows.Columns[i].Name)
		if !ok {
			return fmt.Errorf("%T has no field for column %s", dest, r.rows.Columns[i].Name)
		}
		if err := r.decode(i, field.Addr().Interface()); err != nil {
			return err
		}
	}
	return nil
}

func fieldOf(v reflect.Value, column string) (reflect.Value, bool) {
	t := v.Type()
	plain := strings.ReplaceAll(column, "_", "")
	found := reflect.Value{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		tag, tagged := f.Tag.Lookup("cql")
		if tagged && tag == column {
			return v.Field(i), true
		}
		if !tagged && strings.EqualFold(f.Name, plain) {
			found = v.Field(i)
		}
	}
	return found, found.IsValid()
}

// ScanMap returns the row as a map from column names to values of their natural Go types.
func (r *Iter) ScanMap() (map[string]any, error) {
	if !r.onRow {
		return nil, errNoRow
	}
	out := make(map[string]any, len(r.values))
	for i := range r.rows.Columns {
		c := &r.rows.Columns[i]
		v, err := c.Type.GoValue(r.values[i])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		out[c.Name] = v
	}
	return out, nil
}

// Columns describes the columns of the rows.
func (r *Iter) Columns() []plan.Spec {
	if r.rows == nil {
		return nil
	}
	return r.rows.Columns
}

// Raw returns the serialized values of the row, nil for null, valid until Next. It is nil itself if
// there is no row.
func (r *Iter) Raw() [][]byte {
	if !r.onRow {
		return nil
	}
	return r.values
}

// PageState returns what Query.PageState takes to go on behind the present page, or nil if that
// is the last one. Rows of the page that were not looked at are then skipped.
func (r *Iter) PageState() []byte { return r.nextPage }

// PageLeft returns how many rows of the present page Next has not reached yet.
func (r *Iter) PageLeft() int { return r.left }

// Warnings returns the warnings that came with the pages fetched so far.
func (r *Iter) Warnings() []string { return r.warnings }

// Err returns the error that ended the rows, or nil.
func (r *Iter) Err() error { return r.err }

// Close ends the iteration and returns the error that ended it early, or nil.
func (r *Iter) Close() error {
	r.left, r.rows, r.nextPage, r.onRow = 0, nil, nil, false
	return r.err
}
