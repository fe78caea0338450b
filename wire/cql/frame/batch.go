package frame

import (
	"fmt"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// A BatchType says what holds a batch together.
type BatchType uint8

// The types of batches.
const (
	BatchLogged   BatchType = 0 // all of it will happen, in the end
	BatchUnlogged BatchType = 1 // statements that merely travel together
	BatchCounter  BatchType = 2 // counters only
)

// String returns the type as CQL spells it.
func (t BatchType) String() string {
	switch t {
	case BatchLogged:
		return "LOGGED"
	case BatchUnlogged:
		return "UNLOGGED"
	case BatchCounter:
		return "COUNTER"
	default:
		return fmt.Sprintf("UNKNOWN(%d)", uint8(t))
	}
}

// Batch is BATCH: run statements together. The protocol's names for values do not work in batches, so there are none.
type Batch struct {
	Type        BatchType
	Statements  []BatchStatement
	Consistency consistency.Level
	Settings

	values []Value // memory of those of all statements
}

// BatchStatement is one statement of a batch: a prepared one if ID is not nil, otherwise Text.
type BatchStatement struct {
	ID     []byte
	Text   string
	Values []Value
}

// Kinds of statements in a batch (section 4.1.7).
const (
	batchText     = 0
	batchPrepared = 1
)

// Opcode returns OpBatch.
func (*Batch) Opcode() Opcode { return OpBatch }

// Decode implements Message. It allocates only for texts and a keyspace.
func (b *Batch) Decode(body []byte, v Version) error {
	d := decoder{message: "BATCH", body: body}
	b.Type = BatchType(d.byte("type"))
	if b.Type > BatchCounter {
		d.fail("type", 1, "Invalid batch type %d", b.Type)
	}
	const leastStatement = 5 // kind, empty id, no values
	b.Statements = reuse(b.Statements, d.count("statements", leastStatement))
	b.values = reuse(b.values, len(b.values))[:0]
	for i := range b.Statements {
		b.decodeStatement(&d, &b.Statements[i], v)
		if d.err != nil {
			break
		}
	}
	b.Consistency = d.level("consistency")
	flags := d.parameterFlags(v)
	if flags&(parameterValues|parameterPageSize|parameterPagingState) != 0 {
		d.fail("flags", 0, "%#x has no meaning in a batch", flags)
	}
	b.Settings.decode(&d, flags)
	return d.result()
}

func (b *Batch) decodeStatement(d *decoder, s *BatchStatement, v Version) {
	switch kind := d.byte("kind of a statement"); kind {
	case batchText:
		s.Text = d.longString("query")
	case batchPrepared:
		s.ID = d.shortBytes("statement id")
	default:
		d.fail("kind of a statement", 1, "Invalid query kind in BATCH messages. Must be 0 or 1 but got %d", kind)
	}
	first := len(b.values)
	for range d.count("values", 4) {
		b.values = append(b.values, d.value("value", v))
	}
	s.Values = b.values[first:len(b.values):len(b.values)]
}

// Encode implements Message.
func (b *Batch) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("BATCH", dst)
	e.byte(byte(b.Type))
	e.short("statements", len(b.Statements))
	for i := range b.Statements {
		s := &b.Statements[i]
		if s.ID != nil {
			e.byte(batchPrepared)
			e.shortBytes("statement id", s.ID)
		} else {
			e.byte(batchText)
			e.longString("query", s.Text)
		}
		e.short("values", len(s.Values))
		for _, value := range s.Values {
			e.value("value", value, v)
		}
	}
	e.short("consistency", int(b.Consistency))
	e.parameterFlags(b.Settings.flags(), v)
	b.Settings.encode(&e, v)
	return e.result()
}
