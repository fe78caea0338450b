package frame

import "fmt"

// A ResultKind tells the types of RESULT apart.
type ResultKind int32

// The kinds of results, each with a type of its own.
const (
	KindVoid         ResultKind = 1 // Void
	KindRows         ResultKind = 2 // Rows
	KindSetKeyspace  ResultKind = 3 // SetKeyspace
	KindPrepared     ResultKind = 4 // Prepared
	KindSchemaChange ResultKind = 5 // SchemaChange
)

// String returns the kind's name in the specification.
func (k ResultKind) String() string {
	switch k {
	case KindVoid:
		return "Void"
	case KindRows:
		return "Rows"
	case KindSetKeyspace:
		return "Set_keyspace"
	case KindPrepared:
		return "Prepared"
	case KindSchemaChange:
		return "Schema_change"
	default:
		return fmt.Sprintf("UNKNOWN(%d)", int32(k))
	}
}

// KindOf returns the kind of the RESULT that body is.
func KindOf(body []byte) (ResultKind, error) {
	d := decoder{message: "RESULT", body: body}
	k := ResultKind(d.int("kind"))
	if k < KindVoid || k > KindSchemaChange {
		d.fail("kind", 4, "unknown kind %d", k)
	}
	return k, d.result()
}

// NewResult returns an empty message of that kind of RESULT, nil if there is none.
func NewResult(k ResultKind) Message {
	switch k {
	case KindVoid:
		return new(Void)
	case KindRows:
		return new(Rows)
	case KindSetKeyspace:
		return new(SetKeyspace)
	case KindPrepared:
		return new(Prepared)
	case KindSchemaChange:
		return new(SchemaChange)
	default:
		return nil
	}
}

// kind reads the kind of a result, which must be this one.
func (d *decoder) kind(want ResultKind) {
	if k := ResultKind(d.int("kind")); k != want {
		d.fail("kind", 4, "kind %s, not %s", k, want)
	}
}

// Void is the RESULT of statements that return nothing, such as INSERT.
type Void struct{}

// Opcode returns OpResult.
func (*Void) Opcode() Opcode { return OpResult }

// Decode implements Message.
func (*Void) Decode(body []byte, _ Version) error {
	d := decoder{message: "RESULT", body: body}
	d.kind(KindVoid)
	return d.result()
}

// Encode implements Message.
func (*Void) Encode(dst []byte, _ Version) ([]byte, error) {
	return append(dst, 0, 0, 0, byte(KindVoid)), nil
}

// SetKeyspace is the RESULT of USE.
type SetKeyspace struct {
	Keyspace string
}

// Opcode returns OpResult.
func (*SetKeyspace) Opcode() Opcode { return OpResult }

// Decode implements Message.
func (s *SetKeyspace) Decode(body []byte, _ Version) error {
	d := decoder{message: "RESULT", body: body}
	d.kind(KindSetKeyspace)
	s.Keyspace = d.string("keyspace")
	return d.result()
}

// Encode implements Message.
func (s *SetKeyspace) Encode(dst []byte, _ Version) ([]byte, error) {
	e := newEncoder("RESULT", dst)
	e.int(int32(KindSetKeyspace))
	e.string("keyspace", s.Keyspace)
	return e.result()
}
