package frame

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// all returns the frames that r finds now, copied, and the error that ends them.
func all(r *Reader) ([]Frame, error) {
	var frames []Frame
	for {
		f, err := r.Next()
		if err != nil {
			return frames, err
		}
		f.Body = bytes.Clone(f.Body)
		frames = append(frames, f)
	}
}

// TestFramesArrive sends frames of all sizes, with every version and compression, in pieces of all sizes.
func TestFramesArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := Version(rapid.IntRange(3, 5).Draw(t, "version"))
		c := rapid.SampledFrom([]Compression{NoCompression, LZ4, Snappy}).Draw(t, "compression")
		if v == V5 && c == Snappy {
			c = NoCompression
		}
		size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(maxPayload-40, maxPayload+40), rapid.IntRange(0, 500_000))
		sizes := rapid.SliceOfN(size, 1, 8).Draw(t, "sizes")
		random := rand.New(rand.NewPCG(1, uint64(len(sizes))))

		var w Writer
		var sent []byte
		tokens := make([][]byte, len(sizes))
		if err := w.Add(v, 0, nil, &Startup{}); err != nil {
			t.Fatal(err)
		}
		w.Negotiate(v, c)
		for i, n := range sizes {
			tokens[i] = make([]byte, n)
			for j := range tokens[i] {
				tokens[i][j] = byte(random.IntN(1 + 255*(i%2))) // one with zeros, one that does not compress
			}
			if rapid.Bool().Draw(t, "elsewhere") {
				f, err := AppendFrame(nil, v, int16(i), nil, &AuthResponse{Token: tokens[i]})
				if err != nil {
					t.Fatal(err)
				}
				w.AddFrame(f)
			} else if err := w.Add(v, int16(i), nil, &AuthResponse{Token: tokens[i]}); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "flush") {
				sent = append(sent, w.Bytes()...)
				w.Reset()
			}
		}
		sent = append(sent, w.Bytes()...)

		r := NewServerReader(DefaultMaxLength)
		got := arrive(t, r, sent, v, c)
		if len(got) != len(sizes)+1 || r.Buffered() != 0 {
			t.Fatalf("%d frames of %d arrived, %d bytes are left", len(got)-1, len(sizes), r.Buffered())
		}
		for i, f := range got[1:] {
			var a AuthResponse
			if err := a.Decode(f.Body, v); err != nil || f.Stream != int16(i) || !bytes.Equal(a.Token, tokens[i]) {
				t.Fatalf("frame %d of %d bytes arrived on stream %d with %d bytes: %v", i, sizes[i], f.Stream, len(a.Token), err)
			}
		}
	})
}

// arrive feeds what was sent in pieces and returns the frames. The first is a STARTUP.
func arrive(t *rapid.T, r *Reader, sent []byte, v Version, c Compression) []Frame {
	piece := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(1, 200_000))
	if len(sent) > 10_000 {
		piece = rapid.IntRange(500, 200_000)
	}
	var got []Frame
	for len(sent) > 0 {
		part := bytes.Clone(sent[:min(len(sent), piece.Draw(t, "piece"))])
		sent = sent[len(part):]
		r.Feed(part)
		for {
			f, err := r.Next()
			if err == ErrIncomplete {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Body = bytes.Clone(f.Body)
			got = append(got, f)
			if f.Opcode == OpStartup {
				r.Negotiate(v, c)
			}
		}
		clear(part) // the Reader must not need it any longer
	}
	return got
}

// TestSegmentsAreShared checks how frames are laid out in segments.
func TestSegmentsAreShared(t *testing.T) {
	check := func(want string, sizes ...int) {
		t.Helper()
		var w Writer
		w.Negotiate(V5, NoCompression)
		for _, n := range sizes {
			f := AppendHeader(nil, Header{Version: V5, Opcode: OpOptions, Length: uint32(n - HeaderSize)})
			w.AddFrame(append(f, make([]byte, n-HeaderSize)...))
		}
		var got []string
		for rest := w.Bytes(); len(rest) > 0; {
			h, _, size, err := parseSegment(rest, NoCompression)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d/%v", h.length, h.selfContained))
			rest = rest[size:]
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%d became %s, want %s", sizes, s, want)
		}
	}
	const m = maxPayload
	check("9/true", 9)
	check("30/true", 9, 10, 11)
	check("131071/true", m)
	check("131071/true 9/true", m, 9)
	check("9/true 131071/true", 9, m)
	check("131071/true", m-9, 9)
	check("131062/true 10/true", m-9, 10)
	check("131071/false 1/false", m+1)
	check("9/true 131071/false 1/false 20/true", 9, m+1, 10, 10)
	check("131071/false 131071/false", 2*m)
}

// TestRefusedFrames checks that one bad frame does not stop those behind it.
func TestRefusedFrames(t *testing.T) {
	good, err := AppendFrame(nil, V4, 7, nil, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(b, want string) {
		t.Helper()
		for _, piece := range []int{1, 1 << 20} {
			r := NewServerReader(100)
			r.Negotiate(V4, LZ4)
			var got []string
			for rest := append([]byte(b), good...); len(rest) > 0; {
				n := min(piece, len(rest))
				r.Feed(rest[:n])
				rest = rest[n:]
				for {
					f, err := r.Next()
					if err == ErrIncomplete {
						break
					}
					if refused, ok := errors.AsType[*FrameError](err); ok {
						got = append(got, fmt.Sprint(refused.Header.Stream, " ", refused))
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprint(f.Stream, " ", f.Opcode))
				}
			}
			if s := strings.Join(got, "; "); s != want+"; 7 OPTIONS" {
				t.Errorf("%q: %s", b, s)
			}
		}
	}
	body := strings.Repeat("x", 101)
	check("\x04\x00\x00\x02\x07\x00\x00\x00\x65"+body, "2 Request is too big: length 101 exceeds maximum allowed length 100.")
	check("\x04\x00\x00\x02\x04\x00\x00\x00\x01x", "2 Unknown opcode 4")
	check("\x04\x00\x00\x02\x63\x00\x00\x00\x00", "2 Unknown opcode 99")
	check("\x84\x00\x00\x02\x02\x00\x00\x00\x00", "2 Wrong protocol direction (expected RESPONSE, got RESPONSE) for opcode 2 (READY)")
	check("\x04\x00\x00\x02\x08\x00\x00\x00\x00", "2 Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 8 (RESULT)")
	check("\x05\x00\x00\x02\x05\x00\x00\x00\x00", "2 Invalid message version. Got 5/v5 but previous messages on this connection had version 4/v4")
	check("\x04\x01\x00\x02\x07\x00\x00\x00\x04\x00\x00\x00\x65", "2 Request is too big: length 101 exceeds maximum allowed length 100.")
	check("\x04\x01\x00\x02\x07\x00\x00\x00\x01x", "2 LZ4 body without a length")
}

// TestRefusedInSegments is TestRefusedFrames for frames that share segments and frames that span them.
func TestRefusedInSegments(t *testing.T) {
	for _, c := range []Compression{NoCompression, LZ4} {
		var w Writer
		w.Negotiate(V5, c)
		for i, n := range []int{10, 2000, 20, 300_000, 500_000, 30} {
			if err := w.Add(V5, int16(i), nil, &AuthResponse{Token: make([]byte, n)}); err != nil {
				t.Fatal(err)
			}
		}
		r := NewServerReader(1000)
		r.Negotiate(V5, c)
		var got []string
		for rest := w.Bytes(); len(rest) > 0; {
			n := min(50_000, len(rest))
			r.Feed(rest[:n])
			rest = rest[n:]
			for {
				f, err := r.Next()
				if err == ErrIncomplete {
					break
				}
				if refused, ok := errors.AsType[*FrameError](err); ok {
					f.Stream = -refused.Header.Stream
				} else if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprint(f.Stream))
			}
		}
		if s := strings.Join(got, " "); s != "0 -1 2 -3 -4 5" || r.Buffered() != 0 {
			t.Errorf("%s: %s, %d bytes left", c, s, r.Buffered())
		}
	}
}

// TestHandshake plays the beginning of a connection from the client's side, for each way in which a server may answer.
func TestHandshake(t *testing.T) {
	for _, v := range []Version{V3, V4, V5} {
		for _, c := range []Compression{NoCompression, LZ4} {
			var server Writer
			r := NewClientReader(1000)
			answer := func(m Message) Frame {
				t.Helper()
				if err := server.Add(v, 3, nil, m); err != nil {
					t.Fatal(err)
				}
				r.Feed(server.Bytes())
				f, err := r.Next()
				if err != nil || f.Opcode != m.Opcode() {
					t.Fatalf("%s %s: %+v, %v", v, c, f, err)
				}
				f.Body = bytes.Clone(f.Body)
				server.Reset()
				return f
			}
			answer(&Supported{})
			r.Negotiate(v, c)
			if v < V5 {
				server.Negotiate(v, c) // versions 3 and 4 may compress the answer to STARTUP
			}
			answer(&Supported{})
			f := answer(&Authenticate{Authenticator: PasswordAuthenticator + strings.Repeat("x", 200)})
			var a Authenticate
			if err := a.Decode(f.Body, v); err != nil || len(a.Authenticator) != len(PasswordAuthenticator)+200 {
				t.Errorf("%s %s: %+v, %v", v, c, a, err)
			}
			server.Negotiate(v, c)
			answer(&AuthSuccess{Token: make([]byte, 300)})
			answer(&Ready{}) // to a REGISTER
			answer(&Void{})
		}
	}
	// A server that knows no compression ignores the flag, and before STARTUP every version will do.
	r := NewServerReader(1000)
	r.Feed([]byte("\x04\x01\x00\x02\x05\x00\x00\x00\x01x\x05\x00\x00\x02\x05\x00\x00\x00\x00"))
	if frames, err := all(r); len(frames) != 2 || string(frames[0].Body) != "x" || frames[0].Flags != 0 || err != ErrIncomplete {
		t.Errorf("%+v, %v", frames, err)
	}
}

// TestBrokenSegments checks frames that do not fit their segments; nothing can be read behind them.
func TestBrokenSegments(t *testing.T) {
	segment := func(selfContained bool, payload string) string {
		w := Writer{segmented: true}
		w.startSegment()
		w.out = append(w.out, payload...)
		w.close(selfContained)
		return string(w.out)
	}
	check := func(b, want string) {
		t.Helper()
		r := NewServerReader(1000)
		r.Negotiate(V5, NoCompression)
		r.Feed([]byte(b))
		if _, err := all(r); err.Error() != want {
			t.Errorf("%q: %v", b, err)
		}
	}
	const head = "\x05\x00\x00\x02\x07\x00\x00\x00\x05"
	check(segment(true, head+"abcd"), "Self-contained segment ends inside of a frame: 13 bytes left")
	check(segment(true, head+"abcde\x05"), "Self-contained segment ends inside of a frame: 1 bytes left")
	check(segment(false, head+"abcdef"), "Segment has bytes behind the frame that spans it")
	check(segment(false, head)+segment(false, "abcdef"), "Segment has bytes behind the frame that spans it")
	check(segment(false, head)+segment(true, head+"abcde"), "Self-contained segment inside of a frame that spans segments")
	check(segment(false, head)+segment(false, "abc"), ErrIncomplete.Error())
	const long = "\x05\x00\x00\x02\x07\x00\x00\x04\x00"
	r := NewServerReader(1000)
	r.Negotiate(V5, NoCompression)
	r.Feed([]byte(segment(false, long) + segment(false, strings.Repeat("x", 1025))))
	if _, err := r.Next(); err.Error() != "Request is too big: length 1024 exceeds maximum allowed length 1000." {
		t.Error(err)
	}
	if _, err := r.Next(); err.Error() != "Segment has bytes behind the frame that spans it" {
		t.Error(err)
	}
	check(segment(true, "\x06\x00\x00\x02\x07\x00\x00\x00\x00"),
		"Invalid or unsupported protocol version (6); supported versions are (3/v3, 4/v4, 5/v5)")
}

// TestVersions checks how other versions are refused.
func TestVersions(t *testing.T) {
	check := func(b, reply string) {
		t.Helper()
		r := NewServerReader(1000)
		var err error
		for i := range len(b) {
			r.Feed([]byte{b[i]})
			if _, err = r.Next(); err != ErrIncomplete {
				break
			}
		}
		refused, ok := errors.AsType[*VersionError](err)
		if !ok {
			t.Fatalf("%q: %v", b, err)
		}
		text := fmt.Sprintf("Invalid or unsupported protocol version (%d); supported versions are (3/v3, 4/v4, 5/v5)", b[0]&0x7f)
		want := reply + string(rune(0)) + string(rune(4+2+len(text))) + "\x00\x00\x00\x0a\x00" + string(rune(len(text))) + text
		if got := string(refused.AppendReply([]byte("x"))); got != "x"+want {
			t.Errorf("%q:\n  is %q\nwant %q", b, got, "x"+want)
		}
	}
	check("\x06\x10\x01\x02\x05\x00\x00\x00\x00", "\x85\x00\x01\x02\x00\x00\x00")
	check("\x42\x00\x00\x00\x05\x00\x00\x00\x00", "\x85\x00\x00\x00\x00\x00\x00") // DSE
	check("\x01\x00\x05\x01\x00\x00\x00\x00", "\x81\x00\x05\x00\x00\x00")
	check("\x02\x00\xff\x01\x00\x00\x00\x00", "\x82\x00\xff\x00\x00\x00")
	check("GET / HTTP/1.1\r\n", "\x85\x00T \x00\x00\x00")

	if s := fmt.Sprint(SupportedVersions(), V4, Version(9).Supported(), V3.Supported()); s != "[3/v3 4/v4 5/v5] 4/v4 false true" {
		t.Error(s)
	}
}

// TestReaderMemory checks that the Reader takes memory for what has come, not for what was announced.
func TestReaderMemory(t *testing.T) {
	r := NewServerReader(MaxLength)
	r.Feed([]byte("\x04\x00\x00\x02\x07\x0f\xff\xff\xff"))
	if _, err := r.Next(); err != ErrIncomplete || cap(r.own) > 64 {
		t.Errorf("a header takes %d bytes, %v", cap(r.own), err)
	}
	piece := make([]byte, 10_000)
	for fed := 9; fed < 5_000_000; fed += len(piece) {
		r.Feed(piece)
		if _, err := r.Next(); err != ErrIncomplete {
			t.Fatal(err)
		}
		if fed > 100_000 && cap(r.own) > 5*fed/2 {
			t.Fatalf("%d bytes take %d", fed, cap(r.own))
		}
	}

	// A refused body takes nothing, and what a long frame took is given back.
	r = NewServerReader(1 << 20)
	r.Feed([]byte("\x04\x00\x00\x02\x07\x7f\xff\xff\xff"))
	if _, err := r.Next(); err == ErrIncomplete {
		t.Fatal(err)
	}
	for range 100 {
		r.Feed(piece)
		if _, err := r.Next(); err != ErrIncomplete || cap(r.own) > 64 || r.Buffered() != 0 {
			t.Fatalf("refused bytes take %d, %v", cap(r.own), err)
		}
	}
	var w Writer
	w.Negotiate(V5, LZ4)
	for _, n := range []int{900_000, 100_000} {
		if err := w.Add(V5, 1, nil, &AuthResponse{Token: make([]byte, n)}); err != nil {
			t.Fatal(err)
		}
	}
	r = NewServerReader(1 << 20)
	r.Negotiate(V5, LZ4)
	sent := w.Bytes()
	r.Feed(sent[:len(sent)-1])
	if f, err := r.Next(); err != nil || len(f.Body) != 900_004 {
		t.Fatalf("%d bytes, %v", len(f.Body), err)
	}
	if _, err := r.Next(); err != ErrIncomplete {
		t.Fatal(err)
	}
	r.Feed(sent[len(sent)-1:])
	if frames, err := all(r); len(frames) != 1 || err != ErrIncomplete {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if n := cap(r.own) + cap(r.large) + cap(r.plain); n > 3*retained {
		t.Errorf("a silent connection takes %d bytes", n)
	}
	r.Trim()
	if n := cap(r.own) + cap(r.large) + cap(r.plain); n != 0 {
		t.Errorf("a trimmed connection takes %d bytes", n)
	}
	w.Reset()
	w.Trim()
	if cap(w.out)+cap(w.large) != 0 {
		t.Errorf("a trimmed Writer takes %d bytes", cap(w.out)+cap(w.large))
	}
}

// TestWriterForgets checks that a message that cannot be encoded leaves no trace.
func TestWriterForgets(t *testing.T) {
	for _, v := range []Version{V4, V5} {
		var w Writer
		w.Negotiate(v, NoCompression)
		bad := &SetKeyspace{Keyspace: strings.Repeat("x", 70_000)}
		if err := w.Add(v, 1, nil, bad); err == nil {
			t.Fatal("70,000 bytes fit into a string")
		}
		if b := w.Bytes(); len(b) != 0 {
			t.Errorf("%x", b)
		}
		if err := w.Add(v, 2, nil, &Options{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(v, 3, nil, bad); err == nil {
			t.Fatal("70,000 bytes fit into a string")
		}
		r := NewServerReader(1000)
		r.Negotiate(v, NoCompression)
		r.Feed(w.Bytes())
		if frames, err := all(r); err != ErrIncomplete || len(frames) != 1 || frames[0].Stream != 2 {
			t.Errorf("%+v, %v", frames, err)
		}
	}
}
