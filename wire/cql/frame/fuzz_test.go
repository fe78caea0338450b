package frame

import (
	"bytes"
	"reflect"
	"runtime/metrics"
	"testing"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// allocated returns how many bytes the process has allocated so far, to within a few memory spans.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// bounded fails if f allocates more than factor bytes for each of n bytes of input. The slack covers what the meter and
// the fuzzer add.
func bounded(t *testing.T, n, factor int, f func()) {
	t.Helper()
	before := allocated()
	f()
	if got := allocated() - before; got > uint64(n*factor)+1<<20 {
		t.Errorf("%d bytes of input made it allocate %d", n, got)
	}
}

// fuzzMessage feeds bodies to Decode: it must not panic, it must not allocate more than the body warrants, and what it
// takes must survive being encoded and decoded again. The bodies of Cassandra's frames are where it begins.
func fuzzMessage(f *testing.F, factor int, fresh func() Message) {
	opcode := fresh().Opcode()
	for _, g := range goldens(f) {
		frame := read(f, g.frame)
		if frame.Opcode != opcode {
			continue
		}
		var p Prologue
		body, err := p.Decode(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, byte(g.version))
	}
	f.Fuzz(func(t *testing.T, body []byte, version byte) {
		v := V3 + Version(version)%3
		first := fresh()
		var err error
		bounded(t, len(body), factor, func() { err = first.Decode(body, v) })
		if err != nil {
			if _, ok := err.(*ProtocolError); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		again, err := first.Encode(nil, v)
		if err != nil {
			t.Fatalf("%+v was decoded and cannot be encoded: %v", first, err)
		}
		if er, ok := first.(*Error); ok {
			first = er.In(v) // what Encode makes of errors that came with a newer version
		}
		second := fresh()
		if err := second.Decode(again, v); err != nil {
			t.Fatalf("%+v was encoded as %x, which cannot be decoded: %v", first, again, err)
		}
		if !reflect.DeepEqual(tidy(first), tidy(second)) {
			t.Fatalf("%+v became %+v", first, second)
		}
		if err := first.Decode(again, v); err != nil || !reflect.DeepEqual(tidy(first), tidy(second)) {
			t.Fatalf("decoded over itself: %+v, %v, want %+v", first, err, second)
		}
	})
}

func FuzzStartup(f *testing.F)      { fuzzMessage(f, 64, func() Message { return new(Startup) }) }
func FuzzSupported(f *testing.F)    { fuzzMessage(f, 64, func() Message { return new(Supported) }) }
func FuzzAuthenticate(f *testing.F) { fuzzMessage(f, 16, func() Message { return new(Authenticate) }) }
func FuzzAuthResponse(f *testing.F) { fuzzMessage(f, 16, func() Message { return new(AuthResponse) }) }
func FuzzRegister(f *testing.F)     { fuzzMessage(f, 16, func() Message { return new(Register) }) }
func FuzzEvent(f *testing.F)        { fuzzMessage(f, 16, func() Message { return new(Event) }) }
func FuzzQuery(f *testing.F)        { fuzzMessage(f, 16, func() Message { return new(Query) }) }
func FuzzPrepare(f *testing.F)      { fuzzMessage(f, 16, func() Message { return new(Prepare) }) }
func FuzzExecute(f *testing.F)      { fuzzMessage(f, 16, func() Message { return new(Execute) }) }
func FuzzBatch(f *testing.F)        { fuzzMessage(f, 64, func() Message { return new(Batch) }) }
func FuzzError(f *testing.F)        { fuzzMessage(f, 16, func() Message { return new(Error) }) }
func FuzzSetKeyspace(f *testing.F)  { fuzzMessage(f, 16, func() Message { return new(SetKeyspace) }) }
func FuzzSchemaChange(f *testing.F) { fuzzMessage(f, 16, func() Message { return new(SchemaChange) }) }
func FuzzRows(f *testing.F)         { fuzzMessage(f, typeFactor, func() Message { return new(Rows) }) }
func FuzzPrepared(f *testing.F)     { fuzzMessage(f, typeFactor, func() Message { return new(Prepared) }) }

// typeFactor is generous, for types know the names of what they are made of: one that nests deep has its innermost name as
// often as it nests. See maxTypeMemory.
const typeFactor = 500

// FuzzPrologue does to prologues what fuzzMessage does to messages.
func FuzzPrologue(f *testing.F) {
	for _, g := range goldens(f) {
		frame := read(f, g.frame)
		f.Add(frame.Body, byte(frame.Flags), byte(frame.Version), frame.Response)
	}
	f.Fuzz(func(t *testing.T, body []byte, flags, version byte, response bool) {
		h := Header{Version: V3 + Version(version)%3, Flags: Flags(flags), Response: response, Opcode: OpPrepare}
		var first, second Prologue
		var rest []byte
		var err error
		bounded(t, len(body), 64, func() { rest, err = first.Decode(Frame{Header: h, Body: body}) })
		if err != nil {
			return
		}
		h.Flags = first.flags(h.Version, response)
		again, err := first.append(nil, h)
		if err != nil {
			t.Fatal(err)
		}
		left, err := second.Decode(Frame{Header: h, Body: append(again, rest...)})
		if err != nil || !bytes.Equal(left, rest) || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v became %+v, %v", first, second, err)
		}
	})
}

func FuzzOption(f *testing.F) {
	for _, line := range lines(f, "types.txt") {
		part := bytes.Split([]byte(line), []byte("|"))
		f.Add(unhex(f, string(part[2])), part[1][0]-'0')
	}
	f.Fuzz(func(t *testing.T, b []byte, version byte) {
		v := V3 + Version(version)%3
		d := decoder{message: "test", body: b}
		var typ *cqltype.Type
		bounded(t, len(b), typeFactor, func() { typ = d.option(v, 0) })
		if d.err != nil {
			return
		}
		e := newEncoder("test", nil)
		e.option(typ, v)
		again, err := e.result()
		if err != nil {
			t.Skip() // a class longer than the protocol allows
		}
		if second, err := decodeOption(again, v); err != nil || !second.Equal(onWire(typ)) {
			t.Fatalf("%s became %s, %v", typ, second, err)
		}
	})
}

func FuzzClassName(f *testing.F) {
	for _, line := range lines(f, "types.txt") {
		part := bytes.Split([]byte(line), []byte("|"))
		f.Add(string(part[3]))
	}
	f.Fuzz(func(t *testing.T, name string) {
		var typ *cqltype.Type
		var err error
		bounded(t, len(name), typeFactor, func() { typ, err = ParseClassName(name) })
		if err != nil {
			return
		}
		class := string(AppendClassName(nil, typ))
		if again, err := ParseClassName(class); err != nil || again.String() != typ.String() {
			t.Fatalf("%q is %s, in Cassandra %s, which is %s, %v", name, typ, class, again, err)
		}
	})
}

// FuzzReader feeds garbage to a Reader in two ways of cutting it into pieces, which must not make a difference.
func FuzzReader(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.frame, byte(g.version), byte(0), uint16(7), g.frame[0]&directionBit != 0)
		var w Writer
		w.Negotiate(V5, LZ4)
		w.AddFrame(g.frame)
		f.Add(bytes.Clone(w.Bytes()), byte(5), byte(LZ4), uint16(3), g.frame[0]&directionBit != 0)
		w = Writer{}
		w.Negotiate(V5, NoCompression)
		w.AddFrame(g.frame)
		f.Add(bytes.Clone(w.Bytes()), byte(5), byte(NoCompression), uint16(3), g.frame[0]&directionBit != 0)
	}
	f.Add(segmentLine(f, "lz4 part hello*40"), byte(5), byte(LZ4), uint16(9), false)
	f.Add(segmentLine(f, "plain part hello*40"), byte(5), byte(NoCompression), uint16(9), false)
	f.Fuzz(func(t *testing.T, b []byte, version, compression byte, piece uint16, responses bool) {
		const limit = 1 << 16
		run := func(piece int) (frames []Frame, errs []string) {
			r := NewServerReader(limit)
			if responses {
				r = NewClientReader(limit)
			}
			if version%4 != 3 {
				r.Negotiate(V3+Version(version)%4, Compression(compression%3))
				r.segmented = r.version >= V5
			}
			for rest := b; len(rest) > 0; {
				n := min(piece, len(rest))
				r.Feed(rest[:n])
				rest = rest[n:]
				for {
					f, err := r.Next()
					if err == ErrIncomplete {
						break
					}
					if _, ok := err.(*FrameError); err != nil && !ok {
						return frames, append(errs, err.Error())
					}
					if err != nil {
						errs = append(errs, err.Error())
						continue
					}
					if len(f.Body) > limit || !f.Opcode.Known() || f.Response != responses {
						t.Fatalf("%+v with %d bytes", f.Header, len(f.Body))
					}
					f.Body = bytes.Clone(f.Body)
					frames = append(frames, f)
				}
				if r.Buffered() > len(b) {
					t.Fatalf("%d bytes buffered of %d", r.Buffered(), len(b))
				}
			}
			return frames, errs
		}
		whole, errs := run(len(b))
		parts, partErrs := run(1 + int(piece))
		if !reflect.DeepEqual(whole, parts) || !reflect.DeepEqual(errs, partErrs) {
			t.Fatalf("as a whole %+v %q, in pieces %+v %q", whole, errs, parts, partErrs)
		}
	})
}

// FuzzDecompress feeds garbage to the decompression of bodies.
func FuzzDecompress(f *testing.F) {
	f.Add(segmentLine(f, "body lz4 QUERY")[HeaderSize:], true)
	f.Add(segmentLine(f, "body snappy QUERY")[HeaderSize:], false)
	f.Fuzz(func(t *testing.T, b []byte, isLZ4 bool) {
		c := Snappy
		if isLZ4 {
			c = LZ4
		}
		const limit = 1 << 20
		var plain []byte
		var err error
		bounded(t, len(b), 2*lz4Ratio, func() { plain, err = decompressBody(nil, b, c, limit) })
		if err != nil {
			return
		}
		again, err := decompressBody(nil, appendCompressedBody(nil, plain, c), c, limit)
		if err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("%d bytes became %d, %v", len(plain), len(again), err)
		}
	})
}
