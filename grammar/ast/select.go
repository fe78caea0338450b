package ast

// Select is SELECT.
type Select struct {
	Pos
	JSON, Distinct    bool
	Selectors         []Selector // never empty
	From              Qualified
	Where             []Relation // joined by AND
	GroupBy           []Term
	OrderBy           []Ordering
	PerPartitionLimit Term // *Literal of kind integer, *Marker or nil
	Limit             Term // *Literal of kind integer, *Marker or nil
	AllowFiltering    bool
}

// Selector is one item of the list that a SELECT returns. For SELECT * the only one has a *Star.
type Selector struct {
	Expression Term
	Alias      Name
}

// Ordering is one item of ORDER BY: a column, or the nearest neighbors of a vector in it.
type Ordering struct {
	Column     Name
	ANN        Term // the vector after ANN OF, or nil
	Descending bool
}

// Star is the * of SELECT *.
type Star struct {
	Pos
}

// Column is a column of the table.
type Column struct {
	Name Name
}

// Position returns where the name of the column begins.
func (c *Column) Position() Pos { return c.Name.Pos }

// Field is operand.name, a field of a user type.
type Field struct {
	Operand Term
	Name    Name
}

// Position returns where the operand begins.
func (f *Field) Position() Pos { return f.Operand.Position() }

// Element is operand[key], an element of a collection.
type Element struct {
	Operand Term
	Key     Term
}

// Position returns where the operand begins.
func (e *Element) Position() Pos { return e.Operand.Position() }

// Slice is operand[from .. to], both ends included. An open end is nil; one of them is there.
type Slice struct {
	Operand  Term
	From, To Term
}

// Position returns where the operand begins.
func (s *Slice) Position() Pos { return s.Operand.Position() }

// CountRows is COUNT(*).
type CountRows struct {
	Pos
}

// CellFunction is what WritetimeOrTTL asks of a cell.
type CellFunction uint8

// The functions of WritetimeOrTTL.
const (
	Writetime    CellFunction = iota + 1 // WRITETIME: microseconds since the epoch
	MaxWritetime                         // MAXWRITETIME: the newest of several cells
	TTL                                  // TTL: seconds left
)

// String returns the name of the function in upper case.
func (f CellFunction) String() string {
	switch f {
	case Writetime:
		return "WRITETIME"
	case MaxWritetime:
		return "MAXWRITETIME"
	case TTL:
		return "TTL"
	}
	return "UNKNOWN"
}

// WritetimeOrTTL is WRITETIME(c), MAXWRITETIME(c) or TTL(c), where c is a *Column or a *Field,
// *Element or *Slice of one.
type WritetimeOrTTL struct {
	Pos
	Function CellFunction
	Operand  Term
}

func (*Star) term()           {}
func (*Column) term()         {}
func (*Field) term()          {}
func (*Element) term()        {}
func (*Slice) term()          {}
func (*CountRows) term()      {}
func (*WritetimeOrTTL) term() {}
func (*Select) statement()    {}
