package metadata

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func alterTable(s *schema.Schema, c *Change, st *ast.AlterTable) (*schema.Schema, *Event, error) {
	name := st.Table.Name.Text
	keyspace, err := c.target(st.Table, "ALTER", name)
	if err != nil {
		return nil, nil, err
	}
	if err := checkAlter(st.Change); err != nil {
		return nil, nil, err
	}
	old := s.Table(keyspace, name)
	if old == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, noTable(keyspace, name)
	}
	k, t := s.Keyspace(keyspace), old.Clone()
	switch change := st.Change.(type) {
	case *ast.AddColumns:
		err = addColumns(k, t, change)
	case *ast.DropColumns:
		err = dropColumns(k, t, change, c.Timestamp)
	case *ast.Rename:
		t, err = renameColumns(old, change)
	case *ast.SetProperties:
		t.Options, err = alteredOptions(old.Options, change.Properties)
	case *ast.MaskColumn:
		err = unsupported("Data masks", "DROP MASKED")
	case *ast.DropCompactStorage:
		err = schema.Invalid("Cannot DROP COMPACT STORAGE on table without COMPACT STORAGE")
	default:
		err = schema.Invalid("Altering column types is no longer supported")
	}
	if err != nil {
		return nil, nil, err
	}
	if t.Seal(); reflect.DeepEqual(t, old) {
		return s, nil, nil
	}
	return s.With(k.WithTable(t)), &Event{Updated, Table, keyspace, name}, nil
}

// checkAlter makes the checks that Cassandra makes before it looks for the table.
func checkAlter(change ast.TableChange) error {
	switch change := change.(type) {
	case *ast.AddColumns:
		if slices.ContainsFunc(change.Columns, func(d ast.ColumnDefinition) bool { return d.Mask != nil }) {
			return errMasked()
		}
	case *ast.MaskColumn:
		if change.Mask != nil {
			return errMasked()
		}
	case *ast.SetProperties:
		_, err := newOptions(change.Properties)
		return err
	}
	return nil
}

// addColumns adds columns to t, which is not shared yet.
func addColumns(k *schema.Keyspace, t *schema.Table, add *ast.AddColumns) error {
	for _, d := range add.Columns {
		name := d.Name.Text
		typ, err := ResolveType(k, d.Type)
		if err != nil {
			return err
		}
		switch {
		case columnNamed(t, name) != nil && add.IfNotExists:
			continue
		case columnNamed(t, name) != nil:
			return schema.Invalid("Column with name '%s' already exists", name)
		case d.Static && len(t.Clustering) == 0:
			return errStatic()
		}
		if err := typ.CheckColumn(); err != nil {
			return schema.Invalid("%s for column %s", err, name)
		}
		if err := checkDropped(t, name, typ, d.Static); err != nil {
			return err
		}
		if typ.Kind() == cqltype.KindCounter {
			return schema.Misconfigured(`%s: Cannot have a counter column ("%s") in a non counter table`, t, name)
		}
		addColumn(t, schema.Column{Name: name, Type: typ, Kind: kindOf(d.Static)})
	}
	return nil
}

// checkDropped makes sure that a column which was dropped is added again only with a type that could
// read the old data.
func checkDropped(t *schema.Table, name string, typ *cqltype.Type, static bool) error {
	i := slices.IndexFunc(t.Dropped, func(d schema.DroppedColumn) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	dropped := t.Dropped[i]
	old, err := cqltype.Parse(dropped.Type, nil)
	if err != nil || !readsAs(typ, old) {
		return schema.Invalid("Cannot re-add previously dropped column '%s' of type %s, incompatible with previous type %s",
			name, typ, dropped.Type)
	}
	if static != dropped.Static {
		return schema.Invalid("Cannot re-add previously dropped column '%s' of kind %s, incompatible with previous kind %s",
			name, strings.ToUpper(kindOf(static).String()), strings.ToUpper(kindOf(dropped.Static).String()))
	}
	return nil
}

// dropColumns removes columns from t, which is not shared yet. at is when, unless the statement says.
func dropColumns(k *schema.Keyspace, t *schema.Table, drop *ast.DropColumns, at int64) error {
	if drop.Timestamp != nil {
		n, err := strconv.ParseInt(drop.Timestamp.Text, 10, 64)
		if err != nil {
			return schema.Malformed("Timestamp %s is out of range", drop.Timestamp.Text)
		}
		at = n
	}
	for i, name := range drop.Columns {
		if contains(drop.Columns[:i], name.Text) {
			continue
		}
		column := columnNamed(t, name.Text)
		switch {
		case column == nil && drop.IfExists:
			continue
		case column == nil:
			return schema.Invalid("Column %s was not found in table '%s'", name.Text, t)
		case column.IsPrimaryKey():
			return schema.Invalid("Cannot drop PRIMARY KEY column %s", name.Text)
		case column.Type.Kind() == cqltype.KindUDT && column.Type.IsMultiCell():
			return schema.Invalid("Cannot drop non-frozen column %s of user type %s", name.Text, column.Type)
		}
		old, err := withoutUserTypes(k, column.Type)
		if err != nil {
			return schema.Invalid("Cannot drop column %s: %s", name.Text, err)
		}
		isColumn := func(c *schema.Column) bool { return c == column }
		t.Static, t.Regular = slices.DeleteFunc(t.Static, isColumn), slices.DeleteFunc(t.Regular, isColumn)
		t.Dropped = slices.DeleteFunc(t.Dropped, func(d schema.DroppedColumn) bool { return d.Name == name.Text })
		t.Dropped = append(t.Dropped, schema.DroppedColumn{Name: name.Text, Type: old.String(), Static: column.Kind == schema.Static, At: at})
	}
	return nil
}

// renameColumns returns t with other names for columns of its primary key.
func renameColumns(t *schema.Table, rename *ast.Rename) (*schema.Table, error) {
	names := map[string]string{} // a column that is named twice gets its last name
	for _, r := range rename.Renames {
		names[r.From.Text] = r.To.Text
	}
	taken := map[string]bool{}
	for _, r := range rename.Renames {
		from, to := r.From.Text, names[r.From.Text]
		column := t.Column(from)
		switch {
		case column == nil && rename.IfExists:
			continue
		case column == nil:
			return nil, schema.Invalid("Undefined column name %s in table %s", from, t)
		case !column.IsPrimaryKey():
			return nil, schema.Invalid("Cannot rename non PRIMARY KEY column %s", from)
		case r.To.Text != to:
			continue // a later one counts
		case t.Column(to) != nil || taken[to]:
			return nil, schema.Invalid("Cannot rename column %s to %s in table '%s'; another column with that name already exists", from, to, t)
		}
		taken[to] = true
	}
	return changeColumns(t, func(c *schema.Column) error {
		if to, ok := names[c.Name]; ok {
			c.Name = to
		}
		return nil
	})
}

// alteredOptions returns the options that WITH makes of those of a table.
func alteredOptions(old schema.Options, properties []ast.Property) (schema.Options, error) {
	options, err := setOptions(old, properties)
	if err != nil {
		return old, err
	}
	if err := checkOptions(properties, options); err != nil {
		return old, err
	}
	switch _, given, err := givenID(properties); {
	case err != nil:
		return old, err
	case given:
		return old, schema.Misconfigured("Cannot alter table id.")
	}
	return options, nil
}
