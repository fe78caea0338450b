package ast

// IndexTargetKind is the part of a column that an index covers.
type IndexTargetKind uint8

// The kinds of index targets.
const (
	SimpleTarget  IndexTargetKind = iota // column: the value, or the default part of a collection
	ValuesTarget                         // VALUES(column)
	KeysTarget                           // KEYS(column)
	EntriesTarget                        // ENTRIES(column)
	FullTarget                           // FULL(column): a frozen collection as a whole
)

// IndexTarget is one column in CREATE INDEX.
type IndexTarget struct {
	Kind   IndexTargetKind
	Column Name
}

// CreateIndex is CREATE [CUSTOM] INDEX.
type CreateIndex struct {
	Pos
	Custom      bool
	IfNotExists bool
	Index       Name // empty if the statement leaves the name to the server
	Table       Qualified
	Targets     []IndexTarget // may be empty
	Class       *Literal      // after USING, of kind string, or nil
	Properties  []Property
}

// DropIndex is DROP INDEX.
type DropIndex struct {
	Pos
	IfExists bool
	Index    Qualified
}

// CreateMaterializedView is CREATE MATERIALIZED VIEW.
type CreateMaterializedView struct {
	Pos
	IfNotExists bool
	View        Qualified
	Selectors   []Selector
	From        Qualified
	Where       []Relation
	PrimaryKey  PrimaryKey
	Options     TableOptions // never compact storage
}

// AlterMaterializedView is ALTER MATERIALIZED VIEW.
type AlterMaterializedView struct {
	Pos
	IfExists   bool
	View       Qualified
	Properties []Property
}

// DropMaterializedView is DROP MATERIALIZED VIEW.
type DropMaterializedView struct {
	Pos
	IfExists bool
	View     Qualified
}

// CreateFunction is CREATE FUNCTION.
type CreateFunction struct {
	Pos
	OrReplace         bool
	IfNotExists       bool
	Function          Qualified
	Parameters        []FieldDefinition
	CalledOnNullInput bool // else the function returns null if any argument is null
	Returns           *Type
	Language          Name // never quoted
	Body              string
}

// DropFunction is DROP FUNCTION.
type DropFunction struct {
	Pos
	IfExists bool
	Function Qualified
	// Parameters are the types in parentheses: nil without them, empty but not nil for "()".
	Parameters []*Type
}

// CreateAggregate is CREATE AGGREGATE. Its functions are in the keyspace of the aggregate.
type CreateAggregate struct {
	Pos
	OrReplace     bool
	IfNotExists   bool
	Aggregate     Qualified
	Parameters    []*Type
	StateFunction Name
	StateType     *Type
	FinalFunction Name // may be absent
	InitCondition Term // nil if absent
}

// DropAggregate is DROP AGGREGATE.
type DropAggregate struct {
	Pos
	IfExists  bool
	Aggregate Qualified
	// Parameters are the types in parentheses: nil without them, empty but not nil for "()".
	Parameters []*Type
}

// CreateTrigger is CREATE TRIGGER.
type CreateTrigger struct {
	Pos
	IfNotExists bool
	Trigger     Name
	Table       Qualified
	Class       string
}

// DropTrigger is DROP TRIGGER.
type DropTrigger struct {
	Pos
	IfExists bool
	Trigger  Name
	Table    Qualified
}

// DescribeKind is what a DESCRIBE describes.
type DescribeKind uint8

// The kinds of DESCRIBE.
const (
	DescribeAny              DescribeKind = iota // whatever has the name
	DescribeCluster                              // CLUSTER
	DescribeSchema                               // [FULL] SCHEMA
	DescribeKeyspaces                            // KEYSPACES
	DescribeKeyspace                             // [ONLY] KEYSPACE [name]
	DescribeTables                               // TABLES
	DescribeTable                                // TABLE name
	DescribeIndex                                // INDEX name
	DescribeMaterializedView                     // MATERIALIZED VIEW name
	DescribeTypes                                // TYPES
	DescribeType                                 // TYPE name
	DescribeFunctions                            // FUNCTIONS
	DescribeFunction                             // FUNCTION name
	DescribeAggregates                           // AGGREGATES
	DescribeAggregate                            // AGGREGATE name
)

// Describe is DESCRIBE or DESC.
type Describe struct {
	Pos
	Kind          DescribeKind
	Name          Qualified // of a keyspace: Name.Name, which may be absent
	Full          bool      // of a schema: system keyspaces too
	Only          bool      // of a keyspace: without what is in it
	WithInternals bool
}

func (*CreateIndex) statement()            {}
func (*DropIndex) statement()              {}
func (*CreateMaterializedView) statement() {}
func (*AlterMaterializedView) statement()  {}
func (*DropMaterializedView) statement()   {}
func (*CreateFunction) statement()         {}
func (*DropFunction) statement()           {}
func (*CreateAggregate) statement()        {}
func (*DropAggregate) statement()          {}
func (*CreateTrigger) statement()          {}
func (*DropTrigger) statement()            {}
func (*Describe) statement()               {}
