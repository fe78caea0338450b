package ast

// TypeKind is the kind of a Type.
type TypeKind uint8

// The kinds of types, and the fields of Type that each uses.
const (
	NativeType  TypeKind = iota + 1 // Native
	ListType                        // Parameters[0]
	SetType                         // Parameters[0]
	MapType                         // Parameters[0] is the type of keys, Parameters[1] of values
	TupleType                       // Parameters, at least one
	VectorType                      // Parameters[0], Dimension
	FrozenType                      // Parameters[0], which is neither native nor custom
	UserDefined                     // Name
	CustomType                      // Class
)

// Type is the type of a column, field, parameter or term, as written.
type Type struct {
	Pos
	Kind       TypeKind
	Native     string    // in lower case; "varchar" is not made "text"
	Name       Qualified // of a user-defined type
	Class      string    // of a custom type, without quotes
	Parameters []*Type
	Dimension  int // of a vector; a literal may be zero or negative, which no vector can have
}
