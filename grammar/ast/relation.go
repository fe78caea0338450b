package ast

// Relation is one of the conditions that AND joins, in WHERE and in IF.
type Relation interface {
	Position() Pos
	String() string
	node
	relation()
}

// Target is a column or a part of one, or several columns together: the left side of a relation,
// and what an assignment or a DELETE changes. It is one of
//
//   - *Column;
//   - *Element whose Operand is a *Column;
//   - *Field whose Operand is a *Column, in conditions after IF, assignments and DELETE;
//   - *ColumnTuple, in WHERE;
//   - *Token, in WHERE.
type Target interface {
	Position() Pos
	String() string
	node
	target()
}

// ColumnTuple is (a, b, ...) on the left side of a relation. It may have one column.
type ColumnTuple struct {
	Pos
	Columns []Name
}

// Token is TOKEN(a, b, ...) on the left side of a relation.
type Token struct {
	Pos
	Columns []Name
}

// Comparator is the operator of a Comparison.
type Comparator uint8

// The comparators.
const (
	Equal          Comparator = iota + 1 // =
	NotEqual                             // !=
	Less                                 // <
	LessOrEqual                          // <=
	Greater                              // >
	GreaterOrEqual                       // >=
	Like                                 // LIKE
)

// String returns the comparator as it is written.
func (c Comparator) String() string {
	switch c {
	case Equal:
		return "="
	case NotEqual:
		return "!="
	case Less:
		return "<"
	case LessOrEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterOrEqual:
		return ">="
	case Like:
		return "LIKE"
	}
	return "UNKNOWN"
}

// Comparison is target comparator value. If the target is a *ColumnTuple, the value is a *Tuple or a
// *Marker.
type Comparison struct {
	Target     Target
	Comparator Comparator
	Value      Term
}

// In is target [NOT] IN (values), or target [NOT] IN marker. If the target is a *ColumnTuple, every
// value is a *Tuple or a *Marker.
type In struct {
	Target Target
	Not    bool
	Values []Term  // may be empty
	Marker *Marker // stands for all values, or nil
}

// Between is target BETWEEN low AND high. Both bounds belong to it, in either order.
type Between struct {
	Target    Target
	Low, High Term
}

// Contains is column [NOT] CONTAINS [KEY] value.
type Contains struct {
	Column *Column
	Not    bool
	Key    bool
	Value  Term
}

// IsNotNull is column IS NOT NULL.
type IsNotNull struct {
	Column *Column
}

// Match is column : value, a match by the analyzer of an index.
type Match struct {
	Column *Column
	Value  Term
}

// IndexExpression is expr(index, value), understood by a custom index only.
type IndexExpression struct {
	Pos
	Index Name
	Value Term
}

// Position returns where the target begins.
func (r *Comparison) Position() Pos { return r.Target.Position() }

// Position returns where the target begins.
func (r *In) Position() Pos { return r.Target.Position() }

// Position returns where the target begins.
func (r *Between) Position() Pos { return r.Target.Position() }

// Position returns where the column begins.
func (r *Contains) Position() Pos { return r.Column.Position() }

// Position returns where the column begins.
func (r *IsNotNull) Position() Pos { return r.Column.Position() }

// Position returns where the column begins.
func (r *Match) Position() Pos { return r.Column.Position() }

func (*Column) target()      {}
func (*Element) target()     {}
func (*Field) target()       {}
func (*ColumnTuple) target() {}
func (*Token) target()       {}

func (*Comparison) relation()      {}
func (*In) relation()              {}
func (*Between) relation()         {}
func (*Contains) relation()        {}
func (*IsNotNull) relation()       {}
func (*Match) relation()           {}
func (*IndexExpression) relation() {}
