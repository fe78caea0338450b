package plan

import (
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// setValue sets or deletes a column that has one cell.
type setValue struct {
	column *schema.Column
	value  Term
}

func (o *setValue) target() *schema.Column { return o.column }
func (o *setValue) String() string         { return "set " + o.column.Name + " = " + o.value.String() }

func (o *setValue) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	v, err := o.value.Eval(b)
	if err != nil || v.Unset {
		return err
	}
	f.Cells = append(f.Cells, w.cell(o.column, nil, v.Bytes))
	return nil
}

// setCells replaces a collection or user type that is stored cell by cell.
type setCells struct {
	column *schema.Column
	value  Term
}

func (o *setCells) target() *schema.Column { return o.column }
func (o *setCells) String() string         { return "replace " + o.column.Name + " by " + o.value.String() }

func (o *setCells) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	v, err := o.value.Eval(b)
	if err != nil || v.Unset {
		return err
	}
	// A microsecond earlier, so that the new elements survive it.
	f.Cells = append(f.Cells, w.collectionDeletion(o.column, w.timestamp-1))
	return w.addElements(o.column, v.Bytes, f, false)
}

// addCells adds elements to a collection.
type addCells struct {
	column  *schema.Column
	value   Term
	prepend bool
}

func (o *addCells) target() *schema.Column { return o.column }

func (o *addCells) String() string {
	if o.prepend {
		return "prepend " + o.value.String() + " to " + o.column.Name
	}
	return "add " + o.value.String() + " to " + o.column.Name
}

func (o *addCells) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	v, err := o.value.Eval(b)
	if err != nil || v.Unset {
		return err
	}
	return w.addElements(o.column, v.Bytes, f, o.prepend)
}

// discardKeys removes elements of a set, or keys of a map.
type discardKeys struct {
	column *schema.Column
	value  Term // a set
}

func (o *discardKeys) target() *schema.Column { return o.column }
func (o *discardKeys) String() string         { return "remove " + o.value.String() + " from " + o.column.Name }

func (o *discardKeys) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	v, err := o.value.Eval(b)
	if err != nil || v.Unset || v.Bytes == nil {
		return err
	}
	keys := o.column.Type.KeyType()
	if keys == nil {
		keys = o.column.Type.ElementType()
	}
	set, err := cqltype.SetOf(keys.Frozen())
	if err != nil {
		return err
	}
	elements := set.Elements(v.Bytes)
	for elements.Next() {
		f.Cells = append(f.Cells, w.tombstone(o.column, ElementPath(nil, o.column.Type, elements.Value())))
	}
	return elements.Err()
}

// discardValues removes all elements of a list that equal one of some values.
type discardValues struct {
	column *schema.Column
	value  Term // a list
}

func (o *discardValues) target() *schema.Column { return o.column }
func (o *discardValues) String() string {
	return "read " + o.column.Name + ", remove the values " + o.value.String()
}

func (o *discardValues) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	v, err := o.value.Eval(b)
	if err != nil || v.Unset || v.Bytes == nil {
		return err
	}
	stored, err := w.storedList(o.column)
	if err != nil {
		return err
	}
	for _, cell := range stored {
		elements := o.column.Type.Elements(v.Bytes)
		for elements.Next() {
			if o.column.Type.ElementType().Compare(elements.Value(), cell.Value) == 0 {
				f.Cells = append(f.Cells, w.tombstone(o.column, cell.Path))
				break
			}
		}
	}
	return nil
}

// setElement sets one element of a map or list, or deletes one of any collection if value is nil.
type setElement struct {
	column *schema.Column
	key    Term
	value  Term
}

func (o *setElement) target() *schema.Column { return o.column }

func (o *setElement) String() string {
	at := o.column.Name + "[" + o.key.String() + "]"
	before := ""
	if o.column.Type.Kind() == cqltype.KindList {
		before = "read " + o.column.Name + ", "
	}
	if o.value == nil {
		return before + "delete " + at
	}
	return before + "set " + at + " = " + o.value.String()
}

func (o *setElement) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	key, err := o.key.Eval(b)
	if err != nil {
		return err
	}
	var value Value
	if o.value != nil {
		if value, err = o.value.Eval(b); err != nil || value.Unset {
			return err
		}
	}
	if key.Unset && o.value == nil && o.column.Type.Kind() != cqltype.KindMap {
		return nil
	}
	if err := o.checkKey(key); err != nil {
		return err
	}
	kind := o.column.Type.Kind()
	path := []byte(nil)
	if kind == cqltype.KindList {
		if path, err = w.listPath(o.column, int(signed(key.Bytes)), o.value == nil); err != nil || path == nil {
			return err
		}
	} else {
		path = ElementPath(nil, o.column.Type, key.Bytes)
	}
	f.Cells = append(f.Cells, w.cell(o.column, path, value.Bytes))
	return nil
}

// checkKey refuses a key that is missing.
func (o *setElement) checkKey(key Value) error {
	kind := o.column.Type.Kind()
	if key.Bytes != nil && (kind != cqltype.KindList || len(key.Bytes) == 4) {
		return nil
	}
	switch {
	case kind == cqltype.KindList && key.Unset:
		return schema.Invalid("Invalid unset value for list index")
	case kind == cqltype.KindList:
		return schema.Invalid("Invalid null value for list index")
	case kind == cqltype.KindSet:
		return schema.Invalid("Invalid null set element")
	case key.Unset:
		return schema.Invalid("Invalid unset map key")
	default:
		return schema.Invalid("Invalid null map key")
	}
}

// setField sets one field of a user type, or deletes it if value is nil.
type setField struct {
	column *schema.Column
	index  int
	value  Term
}

func (o *setField) target() *schema.Column { return o.column }

func (o *setField) String() string {
	at := o.column.Name + "." + o.column.Type.Fields()[o.index].Name
	if o.value == nil {
		return "delete " + at
	}
	return "set " + at + " = " + o.value.String()
}

func (o *setField) apply(w *rowWriter, b *Binding, f *row.Fragment) error {
	var value Value
	if o.value != nil {
		var err error
		if value, err = o.value.Eval(b); err != nil || value.Unset {
			return err
		}
	}
	f.Cells = append(f.Cells, w.cell(o.column, fieldPath(o.index), value.Bytes))
	return nil
}

// deleteColumn deletes a column of any type.
type deleteColumn struct {
	column *schema.Column
}

func (o *deleteColumn) target() *schema.Column { return o.column }
func (o *deleteColumn) String() string         { return "delete " + o.column.Name }

func (o *deleteColumn) apply(w *rowWriter, _ *Binding, f *row.Fragment) error {
	if o.column.Type.IsMultiCell() {
		f.Cells = append(f.Cells, w.collectionDeletion(o.column, w.timestamp))
		return nil
	}
	f.Cells = append(f.Cells, w.tombstone(o.column, nil))
	return nil
}

// cell returns a cell with a value, or a tombstone for nil.
func (w *rowWriter) cell(c *schema.Column, path, value []byte) row.Cell {
	if value == nil {
		return w.tombstone(c, path)
	}
	cell := row.Cell{Column: c.ID, Path: path, Value: value, Timestamp: w.timestamp}
	if w.ttl > 0 {
		cell.Kind, cell.TTL, cell.LocalTime = row.ExpiringCell, w.ttl, w.now+w.ttl
	}
	return cell
}

func (w *rowWriter) tombstone(c *schema.Column, path []byte) row.Cell {
	return row.Cell{Column: c.ID, Kind: row.Tombstone, Path: path, Timestamp: w.timestamp, LocalTime: w.now}
}

func (w *rowWriter) collectionDeletion(c *schema.Column, timestamp int64) row.Cell {
	return row.Cell{Column: c.ID, Kind: row.CollectionDeletion, Timestamp: timestamp, LocalTime: w.now}
}

// addElements adds a cell for each element of a serialized collection, or field of a user type.
func (w *rowWriter) addElements(c *schema.Column, value []byte, f *row.Fragment, prepend bool) error {
	elements := c.Type.Elements(value)
	kind := c.Type.Kind()
	paths := w.paths(kind, elements.Len(), prepend)
	for elements.Next() {
		var path, v []byte
		switch kind {
		case cqltype.KindList:
			path, v = paths(), notNil(elements.Value())
		case cqltype.KindSet:
			path, v = ElementPath(nil, c.Type, elements.Value()), []byte{}
		case cqltype.KindMap:
			path = ElementPath(nil, c.Type, elements.Value())
			if !elements.Next() {
				return elements.Err()
			}
			v = notNil(elements.Value())
		default:
			path, v = fieldPath(elements.Index()), elements.Value()
		}
		if len(path) > cqltype.MaxKeyLength {
			return schema.Invalid("The sum of all clustering columns is too long (%d > %d)", len(path), cqltype.MaxKeyLength)
		}
		f.Cells = append(f.Cells, w.cell(c, path, v))
	}
	return elements.Err()
}

// paths returns a function that gives the positions of new list elements, in order. Positions are
// times: later ones come behind earlier ones. Those to be put in front count backwards from a
// reference time, so that the last to be prepended comes first.
func (w *rowWriter) paths(kind cqltype.Kind, n int, prepend bool) func() []byte {
	if kind != cqltype.KindList || n == 0 {
		return nil
	}
	tick := w.source.Ticks(n)
	if prepend {
		tick = 2*referenceTick - tick - int64(n) + 1
	}
	return func() []byte {
		id := cqltype.TimeUUID(timeOf(tick), w.source.ClockSequence, w.source.Node)
		tick++
		return cqltype.TypeTimeUUID.AppendKey(nil, id[:], false)
	}
}

// listPath returns the path of the element at an index. Deleting from a list that is null does
// nothing; path is nil then.
func (w *rowWriter) listPath(c *schema.Column, index int, deletion bool) ([]byte, error) {
	stored, err := w.storedList(c)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		if deletion {
			return nil, schema.Invalid("Attempted to delete an element from a list which is null")
		}
		return nil, schema.Invalid("Attempted to set an element on a list which is null")
	}
	if index < 0 || index >= len(stored) {
		return nil, schema.Invalid("List index %d out of bound, list has size %d", index, len(stored))
	}
	return stored[index].Path, nil
}

// storedList returns the live elements of a list as they are stored now.
func (w *rowWriter) storedList(c *schema.Column) ([]row.Cell, error) {
	f, err := w.writer.Stored(w.table, w.partitionKey, w.clustering, c.Kind == schema.Static)
	if err != nil || f == nil {
		return nil, err
	}
	var live []row.Cell
	for _, cell := range f.Column(c.ID) {
		if cell.Kind != row.CollectionDeletion && cell.IsLive(w.now) {
			live = append(live, cell)
		}
	}
	return live, nil
}
