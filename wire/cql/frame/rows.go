package frame

import (
	"encoding/binary"
	"iter"
)

// Rows is the RESULT of a statement that returns rows.
type Rows struct {
	Metadata Metadata
	Count    int // rows

	// Content is the values of all rows one after another, each as AppendValue writes it. A server appends them as it
	// reads them, long before it knows whether there will be another page; a client reads them with Each.
	Content []byte
}

// Opcode returns OpResult.
func (*Rows) Opcode() Opcode { return OpResult }

// AppendRow appends a row. There must be a value for each column; nil is null.
func (r *Rows) AppendRow(values ...[]byte) {
	for _, v := range values {
		r.Content = AppendValue(r.Content, v)
	}
	r.Count++
}

// Decode implements Message. It checks that Content holds all the values that it should.
func (r *Rows) Decode(body []byte, v Version) error {
	d := decoder{message: "RESULT", body: body}
	d.kind(KindRows)
	r.Metadata.decode(&d, v)
	r.Count = int(d.int("number of rows"))
	switch {
	case r.Count < 0:
		d.fail("number of rows", 4, "%d is negative", r.Count)
	case r.Count > 0 && r.Metadata.ColumnCount == 0:
		d.fail("number of rows", 4, "%d rows without columns", r.Count)
	}
	content := d.at
	if d.err == nil {
		d.skipValues(r.Count, r.Metadata.ColumnCount)
	}
	if d.err != nil {
		return d.err
	}
	r.Content = body[content:d.at:d.at]
	return nil
}

// skipValues walks over rows. Their numbers are not trusted: every value takes four bytes, so it ends with the body.
func (d *decoder) skipValues(rows, columns int) {
	for range rows {
		for range columns {
			if len(d.body)-d.at < 4 {
				d.fail("value", 0, "%d rows of %d columns announced, %d bytes left", rows, columns, d.left())
				return
			}
			n := int32(binary.BigEndian.Uint32(d.body[d.at:]))
			d.at += 4
			if n < 0 {
				continue
			}
			if int(n) > len(d.body)-d.at {
				d.fail("value", 4, "%d bytes announced, %d left", n, d.left())
				return
			}
			d.at += int(n)
		}
	}
}

// Each yields the rows in order: the values of the columns, nil for null. The slice is overwritten by the next row; the
// values are parts of Content. It must hold what it should, as after Decode: it ends early if not.
func (r *Rows) Each() iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		columns := len(r.Metadata.Columns)
		if columns == 0 {
			columns = r.Metadata.ColumnCount
		}
		if columns > len(r.Content)/4 {
			return
		}
		row, rest := make([][]byte, columns), r.Content
		for range r.Count {
			for i := range row {
				if len(rest) < 4 {
					return
				}
				n := int(int32(binary.BigEndian.Uint32(rest)))
				rest = rest[4:]
				switch {
				case n < 0:
					row[i] = nil
				case n > len(rest):
					return
				default:
					row[i], rest = rest[:n:n], rest[n:]
				}
			}
			if !yield(row) {
				return
			}
		}
	}
}

// Encode implements Message.
func (r *Rows) Encode(dst []byte, v Version) ([]byte, error) {
	e := newEncoder("RESULT", dst)
	e.int(int32(KindRows))
	r.Metadata.encode(&e, v)
	e.size("number of rows", r.Count)
	e.b = append(e.b, r.Content...)
	return e.result()
}
