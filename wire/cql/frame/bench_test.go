package frame

import (
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// sampleExecute is an EXECUTE as the kv workload sends it: a bigint and three times 100 bytes.
func sampleExecute() *Execute {
	x := &Execute{ID: make([]byte, 16), ResultMetadataID: make([]byte, 16)}
	x.Consistency, x.PageSize, x.SkipMetadata = consistency.LocalQuorum, 5000, true
	x.HasTimestamp, x.Timestamp = true, 1
	x.Values = []Value{{Bytes: make([]byte, 8)}, {Bytes: make([]byte, 100)}, {Bytes: make([]byte, 100)}, {Bytes: make([]byte, 100)}}
	return x
}

// sampleRows is a slice of the kv workload: 100 rows of a timestamp and 100 bytes.
func sampleRows(noMetadata bool) *Rows {
	columns := []Column{{"ks", "slices", "at", cqltype.TypeTimestamp}, {"ks", "slices", "v", cqltype.TypeBlob}}
	r := &Rows{Metadata: Metadata{Columns: columns, NoMetadata: noMetadata}}
	for range 100 {
		r.AppendRow(make([]byte, 8), make([]byte, 100))
	}
	return r
}

func encoded(tb testing.TB, m Message, v Version) []byte {
	tb.Helper()
	b, err := m.Encode(nil, v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestAllocations checks the paths that every request takes.
func TestAllocations(t *testing.T) {
	check := func(name string, want float64, f func() error) {
		t.Helper()
		if got := testing.AllocsPerRun(200, func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}); got > want {
			t.Errorf("%s: %v allocations, at most %v", name, got, want)
		}
	}
	execute, rows := sampleExecute(), sampleRows(false)
	body, dst := encoded(t, execute, V5), make([]byte, 0, 1<<16)
	check("decode EXECUTE", 0, func() error { return execute.Decode(body, V5) })
	check("encode EXECUTE", 0, func() (err error) { _, err = execute.Encode(dst, V5); return })
	check("encode ROWS", 0, func() (err error) { _, err = rows.Encode(dst, V5); return })
	batch := &Batch{Statements: []BatchStatement{{ID: make([]byte, 16), Values: execute.Values}, {ID: make([]byte, 16), Values: execute.Values}}}
	batchBody := encoded(t, batch, V4)
	check("decode BATCH", 0, func() error { return batch.Decode(batchBody, V4) })
	query := new(Query)
	queryBody := encoded(t, &Query{Text: "SELECT v FROM t WHERE k = ?", Parameters: execute.Parameters}, V5)
	check("decode QUERY", 1, func() error { return query.Decode(queryBody, V5) }) // the text
	var result Rows
	rowsBody := encoded(t, sampleRows(true), V5)
	check("decode ROWS", 0, func() error { return result.Decode(rowsBody, V5) })

	for _, v := range []Version{V4, V5} {
		for _, c := range []Compression{NoCompression, LZ4, Snappy} {
			if v == V5 && c == Snappy {
				continue
			}
			f := newPipe(v, c)
			check("a frame of "+v.String()+" "+c.String(), 0, func() error { return f.send(execute) })
		}
	}
}

// pipe is a Writer and a Reader that take frames from one to the other.
type pipe struct {
	version Version
	w       Writer
	r       *Reader
}

func newPipe(v Version, c Compression) *pipe {
	p := &pipe{version: v, r: NewServerReader(DefaultMaxLength)}
	p.w.Negotiate(v, c)
	p.r.Negotiate(v, c)
	return p
}

func (p *pipe) send(m Message) error {
	p.w.Reset()
	for stream := range int16(3) {
		if err := p.w.Add(p.version, stream, nil, m); err != nil {
			return err
		}
	}
	p.r.Feed(p.w.Bytes())
	for {
		if _, err := p.r.Next(); err == ErrIncomplete {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func BenchmarkDecodeExecute(b *testing.B) {
	body := encoded(b, sampleExecute(), V5)
	var x Execute
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := x.Decode(body, V5); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeExecute(b *testing.B) {
	x, dst := sampleExecute(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = x.Encode(dst[:0], V5); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodeRows appends 100 rows value by value and encodes them as a frame.
func BenchmarkEncodeRows(b *testing.B) {
	for name, noMetadata := range map[string]bool{"metadata": false, "no metadata": true} {
		b.Run(name, func(b *testing.B) {
			rows, at, v := sampleRows(noMetadata), make([]byte, 8), make([]byte, 100)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				rows.Content, rows.Count = rows.Content[:0], 0
				for range 100 {
					rows.Content = AppendValue(AppendValue(rows.Content, at), v)
					rows.Count++
				}
				var err error
				if dst, err = AppendFrame(dst[:0], V5, 1, nil, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkDecodeRows(b *testing.B) {
	body := encoded(b, sampleRows(true), V5)
	var rows Rows
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := rows.Decode(body, V5); err != nil {
			b.Fatal(err)
		}
		for row := range rows.Each() {
			_ = row
		}
	}
}

// BenchmarkWriter writes segments, or frames of version 4: of three small requests, and of one result of 11 kB.
func BenchmarkWriter(b *testing.B) { benchmarkPipe(b, true) }

// BenchmarkReader reads what BenchmarkWriter writes.
func BenchmarkReader(b *testing.B) { benchmarkPipe(b, false) }

func benchmarkPipe(b *testing.B, write bool) {
	add := map[string]func(*Writer, Version) error{
		"3 EXECUTE": func(w *Writer, v Version) (err error) {
			x := sampleExecute()
			for stream := range int16(3) {
				if err == nil {
					err = w.Add(v, stream, nil, x)
				}
			}
			return err
		},
		"100 rows": func(w *Writer, v Version) error { return w.Add(v, 1, nil, sampleRows(true)) },
	}
	for _, layer := range []struct {
		name string
		v    Version
		c    Compression
	}{{"v4", V4, NoCompression}, {"v4 lz4", V4, LZ4}, {"v4 snappy", V4, Snappy}, {"v5", V5, NoCompression}, {"v5 lz4", V5, LZ4}} {
		for _, content := range []string{"3 EXECUTE", "100 rows"} {
			b.Run(layer.name+"/"+content, func(b *testing.B) {
				var plain, w Writer
				if err := add[content](&plain, layer.v); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.SetBytes(int64(len(plain.Bytes())))
				var frames [][]byte
				for rest := plain.Bytes(); len(rest) > 0; {
					var h Header
					if err := h.parse(rest); err != nil {
						b.Fatal(err)
					}
					end := HeaderSize + h.Length
					frames, rest = append(frames, rest[:end]), rest[end:]
				}
				w.Negotiate(layer.v, layer.c)
				for _, f := range frames {
					w.AddFrame(f)
				}
				sent := w.Bytes()
				if write {
					benchmarkWriter(b, &w, frames)
				} else {
					benchmarkReader(b, layer.v, layer.c, content != "3 EXECUTE", sent)
				}
			})
		}
	}
}

func benchmarkWriter(b *testing.B, w *Writer, frames [][]byte) {
	for b.Loop() {
		w.Reset()
		for _, f := range frames {
			w.AddFrame(f)
		}
		w.Bytes()
	}
}

func benchmarkReader(b *testing.B, v Version, c Compression, responses bool, sent []byte) {
	r := NewServerReader(DefaultMaxLength)
	r.Negotiate(v, c)
	r.responses = responses
	for b.Loop() {
		r.Feed(sent)
		for {
			if _, err := r.Next(); err == ErrIncomplete {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
