package ast

// Property is name = value after WITH. The meaning of names and values is up to the planner.
type Property struct {
	Name  Name
	Value Term // *Literal (no null), or *Map of literals without duplicate keys
}

// CreateKeyspace is CREATE KEYSPACE.
type CreateKeyspace struct {
	Pos
	IfNotExists bool
	Keyspace    Name
	Properties  []Property
}

// AlterKeyspace is ALTER KEYSPACE.
type AlterKeyspace struct {
	Pos
	IfExists   bool
	Keyspace   Name
	Properties []Property
}

// DropKeyspace is DROP KEYSPACE.
type DropKeyspace struct {
	Pos
	IfExists bool
	Keyspace Name
}

// CreateTable is CREATE TABLE with a list of columns.
type CreateTable struct {
	Pos
	IfNotExists bool
	Table       Qualified
	Columns     []ColumnDefinition
	// PrimaryKeys has exactly one element in a valid statement. A column that is marked PRIMARY KEY
	// is an element of its own.
	PrimaryKeys []PrimaryKey
	Options     TableOptions
}

// ColumnDefinition is a column in CREATE TABLE and ALTER TABLE ADD.
type ColumnDefinition struct {
	Name   Name
	Type   *Type
	Static bool
	Mask   *Call // without the column itself, or nil; MASKED WITH DEFAULT calls system.mask_default
}

// PrimaryKey is PRIMARY KEY ((partition), clustering).
type PrimaryKey struct {
	Pos
	Partition  []Name // at least one
	Clustering []Name
}

// TableOptions is what follows WITH when a table or a materialized view is created.
type TableOptions struct {
	ClusteringOrder []ColumnOrder
	CompactStorage  bool
	Properties      []Property
}

// ColumnOrder is one column of CLUSTERING ORDER BY.
type ColumnOrder struct {
	Column     Name
	Descending bool
}

// CreateTableLike is CREATE TABLE ... LIKE.
type CreateTableLike struct {
	Pos
	IfNotExists bool
	Table       Qualified
	Source      Qualified
	Indexes     bool // WITH INDEXES: copy them too
	Properties  []Property
}

// AlterTable is ALTER TABLE.
type AlterTable struct {
	Pos
	IfExists bool
	Table    Qualified
	Change   TableChange
}

// TableChange is what an ALTER TABLE does: *AddColumns, *DropColumns, *Rename, *AlterColumnType,
// *MaskColumn, *DropCompactStorage or *SetProperties.
type TableChange interface {
	node
	tableChange()
}

// AddColumns is ADD.
type AddColumns struct {
	IfNotExists bool
	Columns     []ColumnDefinition
}

// DropColumns is DROP.
type DropColumns struct {
	IfExists  bool
	Columns   []Name
	Timestamp *Literal // after USING TIMESTAMP, of kind integer, or nil
}

// Rename is RENAME, of columns of a table or fields of a type.
type Rename struct {
	IfExists bool
	Renames  []NewName
}

// NewName is from TO to.
type NewName struct {
	From, To Name
}

// AlterColumnType is ALTER column TYPE. Cassandra refuses it whatever the type.
type AlterColumnType struct {
	Column Name
	Type   *Type
}

// MaskColumn is ALTER column MASKED WITH, or with a nil Mask, ALTER column DROP MASKED.
type MaskColumn struct {
	IfExists bool
	Column   Name
	Mask     *Call
}

// DropCompactStorage is DROP COMPACT STORAGE.
type DropCompactStorage struct{}

// SetProperties is WITH.
type SetProperties struct {
	Properties []Property
}

// DropTable is DROP TABLE.
type DropTable struct {
	Pos
	IfExists bool
	Table    Qualified
}

// CreateType is CREATE TYPE.
type CreateType struct {
	Pos
	IfNotExists bool
	Type        Qualified
	Fields      []FieldDefinition
}

// FieldDefinition is a field of a user type or a parameter of a function.
type FieldDefinition struct {
	Name Name
	Type *Type
}

// AlterType is ALTER TYPE.
type AlterType struct {
	Pos
	IfExists bool
	Type     Qualified
	Change   TypeChange
}

// TypeChange is what an ALTER TYPE does: *AddField, *AlterFieldType or *Rename.
type TypeChange interface {
	node
	typeChange()
}

// AddField is ADD.
type AddField struct {
	IfNotExists bool
	Field       FieldDefinition
}

// AlterFieldType is ALTER field TYPE. Cassandra refuses it whatever the type.
type AlterFieldType struct {
	Field Name
	Type  *Type
}

// DropType is DROP TYPE.
type DropType struct {
	Pos
	IfExists bool
	Type     Qualified
}

func (*AddColumns) tableChange()         {}
func (*DropColumns) tableChange()        {}
func (*Rename) tableChange()             {}
func (*AlterColumnType) tableChange()    {}
func (*MaskColumn) tableChange()         {}
func (*DropCompactStorage) tableChange() {}
func (*SetProperties) tableChange()      {}

func (*AddField) typeChange()       {}
func (*AlterFieldType) typeChange() {}
func (*Rename) typeChange()         {}

func (*CreateKeyspace) statement()  {}
func (*AlterKeyspace) statement()   {}
func (*DropKeyspace) statement()    {}
func (*CreateTable) statement()     {}
func (*CreateTableLike) statement() {}
func (*AlterTable) statement()      {}
func (*DropTable) statement()       {}
func (*CreateType) statement()      {}
func (*AlterType) statement()       {}
func (*DropType) statement()        {}
