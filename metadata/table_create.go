package metadata

import (
	"errors"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func createTable(s *schema.Schema, c *Change, st *ast.CreateTable) (*schema.Schema, *Event, error) {
	name := st.Table.Name.Text
	if err := checkDuplicates(st); err != nil {
		return nil, nil, err
	}
	if _, err := c.keyspaceOf(st.Table); err != nil {
		return nil, nil, err
	}
	if len(st.PrimaryKeys) == 0 {
		return nil, nil, schema.Invalid("No PRIMARY KEY specifed for table '%s' (exactly one required)", name)
	}
	keyspace, err := c.target(st.Table, "CREATE", "")
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(st.Columns, func(d ast.ColumnDefinition) bool { return d.Mask != nil }) {
		return nil, nil, errMasked()
	}
	if st.Options.CompactStorage {
		return nil, nil, unsupported("Tables without CQL metadata", "COMPACT STORAGE")
	}
	options, err := newOptions(st.Options.Properties)
	if err != nil {
		return nil, nil, err
	}
	k := s.Keyspace(keyspace)
	if k == nil {
		return nil, nil, noKeyspace(keyspace)
	}
	if k.Table(name) != nil {
		if st.IfNotExists {
			return s, nil, nil
		}
		return nil, nil, &schema.AlreadyExistsError{Keyspace: keyspace, Table: name}
	}
	if err := checkOptions(st.Options.Properties, options); err != nil {
		return nil, nil, err
	}
	t := &schema.Table{Keyspace: keyspace, Name: name, Options: options, NextColumn: 1}
	if err := defineColumns(k, t, st); err != nil {
		return nil, nil, err
	}
	if t.ID, err = tableID(s, c, st.Options.Properties); err != nil {
		return nil, nil, err
	}
	if err := checkTableName(keyspace, name); err != nil {
		return nil, nil, err
	}
	if t.IsCounter() {
		return nil, nil, errCounters()
	}
	if s, t.Incarnation, err = takeIncarnation(s); err != nil {
		return nil, nil, err
	}
	return s.With(k.WithTable(t.Seal())), &Event{Created, Table, keyspace, name}, nil
}

// checkDuplicates makes the checks that Cassandra makes while it parses, before any other.
func checkDuplicates(st *ast.CreateTable) error {
	name := st.Table.Name.Text
	seen := map[string]bool{}
	for _, column := range st.Columns {
		if seen[column.Name.Text] {
			return schema.Invalid("Duplicate column '%s' declaration for table '%s'", column.Name.Text, name)
		}
		seen[column.Name.Text] = true
	}
	if len(st.PrimaryKeys) > 1 {
		return schema.Invalid("Multiple PRIMARY KEY specified for table '%s' (exactly one required)", name)
	}
	clear(seen)
	for _, order := range st.Options.ClusteringOrder {
		if seen[order.Column.Text] {
			return schema.Invalid("Duplicate column '%s' in CLUSTERING ORDER BY clause for table '%s'", order.Column.Text, name)
		}
		seen[order.Column.Text] = true
	}
	return nil
}

// defineColumns adds the columns of the statement to t.
func defineColumns(k *schema.Keyspace, t *schema.Table, st *ast.CreateTable) error {
	columns := map[string]*schema.Column{}
	for _, d := range st.Columns {
		typ, err := ResolveType(k, d.Type)
		if err != nil {
			return err
		}
		columns[d.Name.Text] = &schema.Column{Name: d.Name.Text, Type: typ, Kind: kindOf(d.Static)}
	}
	for _, d := range st.Columns {
		if err := columns[d.Name.Text].Type.CheckColumn(); err != nil {
			return schema.Invalid("%s", err)
		}
	}
	key := st.PrimaryKeys[0]
	if err := checkPrimaryKey(t.Name, columns, slices.Concat(key.Partition, key.Clustering)); err != nil {
		return err
	}
	descending, err := clusteringOrder(key.Clustering, st.Options.ClusteringOrder)
	if err != nil {
		return err
	}
	// The columns outside of the key come first: they are what rows are made of, and cells of
	// columns with small ids take less space.
	for _, d := range st.Columns {
		if column := columns[d.Name.Text]; !contains(key.Partition, column.Name) && !contains(key.Clustering, column.Name) {
			addColumn(t, *column)
		}
	}
	for i, name := range key.Partition {
		t.Partition = append(t.Partition, keyColumn(t, columns[name.Text], schema.PartitionKey, i, false))
	}
	for i, name := range key.Clustering {
		t.Clustering = append(t.Clustering, keyColumn(t, columns[name.Text], schema.Clustering, i, descending[name.Text]))
	}
	if len(t.Clustering) == 0 && len(t.Static) > 0 {
		return errStatic()
	}
	return checkCounters(t)
}

func keyColumn(t *schema.Table, column *schema.Column, kind schema.ColumnKind, position int, descending bool) *schema.Column {
	column.ID, column.Kind, column.Position, column.Descending = t.NextColumn, kind, position, descending
	t.NextColumn++
	return column
}

func checkPrimaryKey(table string, columns map[string]*schema.Column, key []ast.Name) error {
	for i, name := range key {
		column := columns[name.Text]
		if column == nil {
			return schema.Invalid("Unknown column '%s' referenced in PRIMARY KEY for table '%s'", name.Text, table)
		}
		if contains(key[:i], name.Text) {
			return schema.Invalid("Duplicate column '%s' in PRIMARY KEY clause for table '%s'", name.Text, table)
		}
		if err := column.Type.CheckPrimaryKey(name.Text); err != nil {
			return schema.Invalid("%s", err)
		}
		if column.Kind == schema.Static {
			return schema.Invalid("Static column '%s' cannot be part of the PRIMARY KEY", name.Text)
		}
	}
	return nil
}

// clusteringOrder returns which columns are in descending order. What is ordered must be a prefix of
// the clustering columns.
func clusteringOrder(clustering []ast.Name, orders []ast.ColumnOrder) (map[string]bool, error) {
	descending := map[string]bool{}
	var others []string
	for _, order := range orders {
		descending[order.Column.Text] = order.Descending
		if !contains(clustering, order.Column.Text) {
			others = append(others, order.Column.Text)
		}
	}
	if len(others) > 0 {
		return nil, schema.Invalid("Only clustering key columns can be defined in CLUSTERING ORDER directive: [%s] are not clustering columns",
			strings.Join(others, ", "))
	}
	for i, order := range orders {
		want := clustering[i].Text
		if order.Column.Text == want {
			continue
		}
		if _, later := descending[want]; later {
			return nil, schema.Invalid("The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns (%s must appear before %s)",
				want, order.Column.Text)
		}
		return nil, schema.Invalid("Missing CLUSTERING ORDER for column %s", want)
	}
	return descending, nil
}

func errStatic() error {
	return schema.Invalid("Static columns are only useful (and thus allowed) if the table has at least one clustering column")
}

// checkCounters makes sure that a table with counters has nothing else.
func checkCounters(t *schema.Table) error {
	if !t.IsCounter() {
		return nil
	}
	for _, column := range slices.Concat(t.Static, t.Regular) {
		if column.Type.Kind() != cqltype.KindCounter {
			return schema.Invalid("Cannot mix counter and non counter columns in the same table")
		}
	}
	if t.Options.DefaultTimeToLive > 0 {
		return schema.Invalid("Cannot set default_time_to_live on a table with counters")
	}
	return nil
}

// tableID returns the id of a new table: the one after WITH, or else that of the change.
func tableID(s *schema.Schema, c *Change, properties []ast.Property) (cqltype.UUID, error) {
	id, given, err := givenID(properties)
	switch {
	case err != nil:
		return id, err
	case !given && c.TableID == cqltype.UUID{}:
		return id, errors.New("the change gives no id for the new table")
	case !given:
		id = c.TableID
	}
	for k := range s.Keyspaces() {
		for t := range k.Tables() {
			if t.ID == id {
				return id, schema.Misconfigured("Table id %s belongs to table %s already", id, t)
			}
		}
	}
	return id, nil
}

// givenID returns the value of the property id, if there is one.
func givenID(properties []ast.Property) (id cqltype.UUID, given bool, err error) {
	value := find(properties, idProperty)
	if value == nil {
		return id, false, nil
	}
	text, err := textOf(idProperty, value)
	if err != nil {
		return id, true, err
	}
	if id, err = cqltype.ParseUUID(text); err != nil {
		return id, true, schema.Misconfigured("Invalid table id")
	}
	return id, true, nil
}
