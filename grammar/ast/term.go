package ast

// Term is an expression: a value to write or compare with, or something to select. Columns and what
// is made of them (Column, Field, Element, Slice, CountRows, WritetimeOrTTL, Star) occur in the
// selectors and the GROUP BY of a SELECT only; all other terms occur in both places.
type Term interface {
	Position() Pos
	String() string
	node
	term()
}

// LiteralKind is the kind of token a literal was written with. It limits the types that the literal
// can have, and does not determine one.
type LiteralKind uint8

// The kinds of literals, and what Literal.Text holds for each.
const (
	StringLiteral   LiteralKind = iota + 1 // the characters, without quotes and escapes
	IntegerLiteral                         // decimal digits, after a "-" if negative
	FloatLiteral                           // digits with a "." or an exponent, or NaN, Infinity, -Infinity
	BooleanLiteral                         // true or false
	UUIDLiteral                            // 36 characters in the letter case of the text
	BlobLiteral                            // 0x and any number of hexadecimal digits, even or odd
	DurationLiteral                        // as written: 1y2mo, P1Y2M, P3W or P0001-02-03T04:05:06, or with "-"
	NullLiteral                            // null
	KeywordLiteral                         // an unreserved keyword as the value of a property, in lower case
)

// String returns the name of the kind as Cassandra's messages spell it.
func (k LiteralKind) String() string {
	switch k {
	case StringLiteral:
		return "STRING"
	case IntegerLiteral:
		return "INTEGER"
	case FloatLiteral:
		return "FLOAT"
	case BooleanLiteral:
		return "BOOLEAN"
	case UUIDLiteral:
		return "UUID"
	case BlobLiteral:
		return "HEX"
	case DurationLiteral:
		return "DURATION"
	case NullLiteral:
		return "NULL"
	case KeywordLiteral:
		return "KEYWORD"
	}
	return "UNKNOWN"
}

// Literal is a constant. Null is one too.
type Literal struct {
	Pos
	Kind LiteralKind
	Text string
}

// Marker is a bind marker. Name is empty for "?". Index counts all markers of the text from 0,
// through every statement of a batch.
type Marker struct {
	Pos
	Name  string
	Index int
}

// List is [a, b, ...]. It writes a list or a vector.
type List struct {
	Pos
	Elements []Term
}

// Set is {a, b, ...}. Without elements it is a set or a map: the text does not say.
type Set struct {
	Pos
	Elements []Term
}

// Map is {k: v, ...}. In a selector, where names are columns, a literal of a user type is a Map too,
// whose keys are all of type *Column: only the type that is asked for tells them apart.
type Map struct {
	Pos
	Entries []MapEntry
}

// MapEntry is one entry of a Map.
type MapEntry struct {
	Key, Value Term
}

// UserType is {field: value, ...}, a literal of a user-defined type.
type UserType struct {
	Pos
	Fields []FieldValue
}

// FieldValue is one field of a UserType literal.
type FieldValue struct {
	Name  Name
	Value Term
}

// Tuple is (a, b, ...), with at least one element. With exactly one it is a tuple or a parenthesized
// expression: the text does not say.
type Tuple struct {
	Pos
	Elements []Term
}

// Call is a function call. token(...) and count(x) are calls; COUNT(*) is CountRows.
type Call struct {
	Function  Qualified
	Arguments []Term
}

// Position returns where the name of the function begins.
func (c *Call) Position() Pos { return c.Function.Position() }

// Cast is CAST(operand AS type). Its type is native.
type Cast struct {
	Pos
	Operand Term
	Type    *Type
}

// TypeHint is (type) operand: it states the type of the operand and converts nothing.
type TypeHint struct {
	Pos
	Type    *Type
	Operand Term
}

// Operator is an arithmetic operator: '+', '-', '*', '/' or '%'.
type Operator byte

// Binary is left operator right. Pos is that of the left operand.
type Binary struct {
	Pos
	Operator    Operator
	Left, Right Term
}

// Negate is -operand. A sign just before a number, NaN or Infinity belongs to a Literal instead.
type Negate struct {
	Pos
	Operand Term
}

func (*Literal) term()  {}
func (*Marker) term()   {}
func (*List) term()     {}
func (*Set) term()      {}
func (*Map) term()      {}
func (*UserType) term() {}
func (*Tuple) term()    {}
func (*Call) term()     {}
func (*Cast) term()     {}
func (*TypeHint) term() {}
func (*Binary) term()   {}
func (*Negate) term()   {}
