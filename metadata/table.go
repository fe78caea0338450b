package metadata

import (
	"fmt"
	"math"
	"slices"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

func dropTable(s *schema.Schema, c *Change, st *ast.DropTable) (*schema.Schema, *Event, error) {
	name := st.Table.Name.Text
	keyspace, err := c.target(st.Table, "DROP", name)
	if err != nil {
		return nil, nil, err
	}
	if s.Table(keyspace, name) == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, noTable(keyspace, name)
	}
	return s.With(s.Keyspace(keyspace).WithoutTable(name)), &Event{Dropped, Table, keyspace, name}, nil
}

func noTable(keyspace, name string) error {
	return schema.Invalid("Table '%s.%s' doesn't exist", keyspace, name)
}

// truncate gives the table another incarnation, under which there is no data.
func truncate(s *schema.Schema, c *Change, st *ast.Truncate) (*schema.Schema, *Event, error) {
	name := st.Table.Name.Text
	keyspace, err := c.keyspaceOf(st.Table)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case isVirtual(keyspace):
		return nil, nil, schema.Invalid("Truncation is not supported by table %s.%s", keyspace, name)
	case isLocal(keyspace) || isShared(keyspace):
		return nil, nil, schema.Unauthorized("Cannot MODIFY <table %s.%s>", keyspace, name)
	}
	k := s.Keyspace(keyspace)
	if k == nil {
		return nil, nil, schema.Invalid("keyspace %s does not exist", keyspace)
	}
	if k.Table(name) == nil {
		return nil, nil, schema.Invalid("table %s does not exist", name)
	}
	t := k.Table(name).Clone()
	if s, t.Incarnation, err = takeIncarnation(s); err != nil {
		return nil, nil, err
	}
	return s.With(k.WithTable(t.Seal())), nil, nil
}

// takeIncarnation refuses to begin again at 0: two tables would share their data.
func takeIncarnation(s *schema.Schema) (*schema.Schema, uint32, error) {
	if s.NextIncarnation == math.MaxUint32 {
		return nil, 0, fmt.Errorf("all %d table incarnations have been used", uint32(math.MaxUint32))
	}
	s, incarnation := s.TakeIncarnation()
	return s, incarnation, nil
}

// changeColumns returns t with columns that change has altered. change is given copies.
func changeColumns(t *schema.Table, change func(*schema.Column) error) (*schema.Table, error) {
	t = t.Clone()
	for _, list := range [][]*schema.Column{t.Partition, t.Clustering, t.Static, t.Regular} {
		for i := range list {
			column := *list[i]
			if err := change(&column); err != nil {
				return nil, err
			}
			list[i] = &column
		}
	}
	return t.Seal(), nil
}

// addColumn adds a new column that is not in the primary key to a table that is not shared yet.
func addColumn(t *schema.Table, column schema.Column) {
	column.ID = t.NextColumn
	t.NextColumn++
	if column.Kind == schema.Static {
		t.Static = append(t.Static, &column)
	} else {
		t.Regular = append(t.Regular, &column)
	}
}

// columnNamed returns the column of a table that is not sealed yet, or nil.
func columnNamed(t *schema.Table, name string) *schema.Column {
	for c := range t.Columns() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func kindOf(static bool) schema.ColumnKind {
	if static {
		return schema.Static
	}
	return schema.Regular
}

func contains(names []ast.Name, name string) bool {
	return slices.ContainsFunc(names, func(n ast.Name) bool { return n.Text == name })
}
