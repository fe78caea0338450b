package frame

// Query is QUERY: run a statement.
type Query struct {
	Text string
	Parameters
}

// Opcode returns OpQuery.
func (*Query) Opcode() Opcode { return OpQuery }

// Decode implements Message. The text is the only thing it allocates for, apart from names and a keyspace.
func (q *Query) Decode(body []byte, v Version) error {
	d := decoder{message: "QUERY", body: body}
	q.Text = d.longString("query")
	q.Parameters.decode(&d, v)
	return d.result()
}

// Encode implements Message.
func (q *Query) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("QUERY", dst)
	e.longString("query", q.Text)
	q.Parameters.encode(&e, v)
	return e.result()
}

// Prepare is PREPARE: make a statement ready to be run by EXECUTE.
type Prepare struct {
	Text     string
	Keyspace string // of tables without one, instead of the connection's; version 5 only
}

const prepareKeyspace = 0x01 // the flag of section 4.1.5

// Opcode returns OpPrepare.
func (*Prepare) Opcode() Opcode { return OpPrepare }

// Decode implements Message.
func (p *Prepare) Decode(body []byte, v Version) error {
	d := decoder{message: "PREPARE", body: body}
	p.Text, p.Keyspace = d.longString("query"), ""
	if v >= V5 && d.int("flags")&prepareKeyspace != 0 {
		p.Keyspace = d.string("keyspace")
	}
	return d.result()
}

// Encode implements Message.
func (p *Prepare) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("PREPARE", dst)
	e.longString("query", p.Text)
	switch {
	case p.Keyspace != "":
		e.needs(v, V5, "keyspace")
		e.int(prepareKeyspace)
		e.string("keyspace", p.Keyspace)
	case v >= V5:
		e.int(0)
	}
	return e.result()
}

// Execute is EXECUTE: run a prepared statement.
type Execute struct {
	ID []byte // as the Prepared result had it

	// ResultMetadataID tells, in version 5, which columns the client expects: the id that came with them. If it is not
	// the current one, the rows come with new metadata and Metadata.NewID.
	ResultMetadataID []byte

	Parameters
}

// Opcode returns OpExecute.
func (*Execute) Opcode() Opcode { return OpExecute }

// Decode implements Message. It allocates nothing in the usual case: values without names, no keyspace.
func (x *Execute) Decode(body []byte, v Version) error {
	d := decoder{message: "EXECUTE", body: body}
	x.ID, x.ResultMetadataID = d.shortBytes("statement id"), nil
	if v >= V5 {
		x.ResultMetadataID = d.shortBytes("result metadata id")
	}
	x.Parameters.decode(&d, v)
	return d.result()
}

// Encode implements Message. Versions before 5 have no place for ResultMetadataID, so it is left out there.
func (x *Execute) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("EXECUTE", dst)
	e.shortBytes("statement id", x.ID)
	if v >= V5 {
		e.shortBytes("result metadata id", x.ResultMetadataID)
	}
	x.Parameters.encode(&e, v)
	return e.result()
}
