package ast

// UsingKind is what an option after USING sets.
type UsingKind uint8

// The options of USING.
const (
	UsingTimestamp UsingKind = iota + 1 // microseconds since the epoch
	UsingTTL                            // seconds
)

// UsingOption is one option after USING.
type UsingOption struct {
	Pos
	Kind  UsingKind
	Value Term // *Literal of kind integer or *Marker
}

// Using lists the options after USING in the order of the text. An option may occur again; the last
// one counts.
type Using []UsingOption

// Timestamp returns the timestamp that counts, or nil.
func (u Using) Timestamp() Term { return u.last(UsingTimestamp) }

// TTL returns the time to live that counts, or nil.
func (u Using) TTL() Term { return u.last(UsingTTL) }

func (u Using) last(kind UsingKind) Term {
	for i := len(u) - 1; i >= 0; i-- {
		if u[i].Kind == kind {
			return u[i].Value
		}
	}
	return nil
}

// Insert is INSERT with VALUES. Nothing ensures that there are as many values as columns.
type Insert struct {
	Pos
	Table       Qualified
	Columns     []Name
	Values      []Term
	IfNotExists bool
	Using       Using
}

// InsertJSON is INSERT with JSON.
type InsertJSON struct {
	Pos
	Table        Qualified
	Value        Term // *Literal of kind string, or *Marker
	DefaultUnset bool // leave columns that are not in the document alone, instead of deleting them
	IfNotExists  bool
	Using        Using
}

// Update is UPDATE.
type Update struct {
	Pos
	Table       Qualified
	Using       Using
	Assignments []Assignment
	Where       []Relation
	IfExists    bool
	If          []Relation // *Comparison, *In or *Contains
}

// AssignmentKind is how an assignment changes its target.
type AssignmentKind uint8

// The kinds of assignments.
const (
	Assign   AssignmentKind = iota + 1 // c = v
	Add                                // c += v, c = c + v
	Subtract                           // c -= v, c = c - v
	Prepend                            // c = v + c
)

// Assignment is one change that an UPDATE makes. Only Assign has targets other than a *Column.
type Assignment struct {
	Target Target // *Column, *Element or *Field
	Kind   AssignmentKind
	Value  Term
}

// Delete is DELETE.
type Delete struct {
	Pos
	Targets  []Target // *Column, *Element or *Field; none for whole rows
	Table    Qualified
	Using    Using // no TTL
	Where    []Relation
	IfExists bool
	If       []Relation // *Comparison, *In or *Contains
}

// BatchKind is the kind of a batch.
type BatchKind uint8

// The kinds of batches.
const (
	LoggedBatch   BatchKind = iota + 1 // BEGIN BATCH
	UnloggedBatch                      // BEGIN UNLOGGED BATCH
	CounterBatch                       // BEGIN COUNTER BATCH
)

// Batch is BEGIN BATCH ... APPLY BATCH.
type Batch struct {
	Pos
	Kind       BatchKind
	Using      Using
	Statements []Statement // *Insert, *InsertJSON, *Update or *Delete
}

// Truncate is TRUNCATE.
type Truncate struct {
	Pos
	Table Qualified
}

// Use is USE.
type Use struct {
	Pos
	Keyspace Name
}

// Explain is EXPLAIN before any other statement: show the plan, and do nothing.
type Explain struct {
	Pos
	Statement Statement
}

func (*Insert) statement()     {}
func (*InsertJSON) statement() {}
func (*Update) statement()     {}
func (*Delete) statement()     {}
func (*Batch) statement()      {}
func (*Truncate) statement()   {}
func (*Use) statement()        {}
func (*Explain) statement()    {}
