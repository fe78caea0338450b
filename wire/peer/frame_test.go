package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"
)

const testLimit = 1 << 20

// encode returns a frame as it is sent.
func encode(h header, payload []byte, compress bool) []byte {
	var c chunks
	p := c.pack(payload, compress, true)
	p.seal(&h)
	h.put(p.own.b)
	return p.own.b
}

// reseal puts the right checksum behind a header that was changed.
func reseal(frame []byte) []byte {
	binary.LittleEndian.PutUint32(frame[24:], checksum(frame[:24]))
	return frame
}

func newInput(r io.Reader) *input {
	return &input{r: r, limit: testLimit, heard: func(bool) {}}
}

// decodeAll returns the payloads of frames.
func decodeAll(r io.Reader) (payloads [][]byte, headers []header, err error) {
	in := newInput(r)
	for {
		h, payload, err := in.next()
		if err == nil {
			payload, err = in.decode(&h, payload)
		}
		if err == io.EOF {
			return payloads, headers, nil
		}
		if err != nil {
			return payloads, headers, err
		}
		payloads, headers = append(payloads, bytes.Clone(payload)), append(headers, h)
	}
}

func TestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want [][]byte
		var headers []header
		for range rapid.IntRange(0, 20).Draw(t, "frames") {
			payload := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "payload"), rapid.SampledFrom([]int{0, 1, 10, 1000}).Draw(t, "times"))
			h := header{
				kind: kind(rapid.IntRange(1, 5).Draw(t, "kind")), verb: Verb(rapid.Byte().Draw(t, "verb")), code: rapid.Uint16().Draw(t, "code"),
				id: rapid.Uint64().Draw(t, "id"), remaining: rapid.Uint32().Draw(t, "remaining"),
			}
			stream = append(stream, encode(h, payload, rapid.Bool().Draw(t, "compress"))...)
			want, headers = append(want, payload), append(headers, h)
		}
		var r io.Reader = bytes.NewReader(stream)
		if rapid.Bool().Draw(t, "halves") {
			r = iotest.HalfReader(r)
		}
		got, gotHeaders, err := decodeAll(r)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d frames, %v, want %d", len(got), err, len(want))
		}
		for i := range got {
			h := gotHeaders[i]
			h.length, h.compressed, h.checksum = 0, false, 0
			if !bytes.Equal(got[i], want[i]) || h != headers[i] {
				t.Fatalf("frame %d: %d bytes, %+v, want %d, %+v", i, len(got[i]), h, len(want[i]), headers[i])
			}
		}
	})
}

func TestBrokenFrames(t *testing.T) {
	h := header{kind: kindRequest, verb: VerbRead, id: 7}
	good := func() []byte { return encode(h, []byte("payload"), false) }
	squeezed := func() []byte { return encode(h, make([]byte, 5000), true) }
	huge := s2.Encode(nil, make([]byte, testLimit+1))
	tests := map[string]struct {
		frame []byte
		want  string
	}{
		"header":         {func() []byte { b := good(); b[8]++; return b }(), "checksum of the header"},
		"payload":        {func() []byte { b := good(); b[headerSize]++; return b }(), "checksum of the payload"},
		"kind 0":         {func() []byte { b := good(); b[4] = 0; return reseal(b) }(), "unknown kind 0"},
		"kind 6":         {func() []byte { b := good(); b[4] = 6; return reseal(b) }(), "unknown kind 6"},
		"too long":       {func() []byte { b := good(); b[3] = 0xff; return reseal(b) }(), "at most 1048576"},
		"not compressed": {func() []byte { b := good(); b[4] |= compressedFlag; return reseal(b) }(), "compressed payload"},
		"inflates": {func() []byte {
			b := encode(h, huge, false)
			b[4] |= compressedFlag
			return reseal(b)
		}(), "compressed payload"},
		"half a header": {good()[:10], "unexpected EOF"},
		"half a frame":  {good()[:headerSize+3], "unexpected EOF"},
		"cut":           {squeezed()[:headerSize+2], "unexpected EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := decodeAll(bytes.NewReader(append(good(), test.frame...)))
			if len(got) != 1 || string(got[0]) != "payload" {
				t.Errorf("the frame before: %q", got)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// TestAnnounced checks that a length alone costs nothing.
func TestAnnounced(t *testing.T) {
	in := newInput(bytes.NewReader(nil))
	in.limit = math.MaxInt
	b := make([]byte, headerSize)
	(&header{kind: kindRequest, length: math.MaxUint32}).put(b)
	in.r = io.MultiReader(bytes.NewReader(b), bytes.NewReader(make([]byte, 100_000)))
	if _, _, err := in.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if n := len(in.buffer); n > 4*100_000 {
		t.Errorf("%d bytes for 100,000", n)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encode(header{kind: kindRequest, verb: VerbRead, id: 1, remaining: 10}, []byte("body"), false))
	f.Add(append(encode(header{kind: kindPing}, nil, false), encode(header{kind: kindAnswer, id: 1}, make([]byte, 2000), true)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for at := 0; at+headerSize <= len(b); { // random bytes do not find a checksum
			reseal(b[at:])
			n := int64(binary.LittleEndian.Uint32(b[at:])) + headerSize
			if n > int64(len(b)-at) {
				break
			}
			binary.LittleEndian.PutUint32(b[at+20:], checksum(b[at+headerSize:at+int(n)]))
			reseal(b[at:])
			at += int(n)
		}
		whole, _, err := decodeAll(bytes.NewReader(b))
		halves, _, err2 := decodeAll(iotest.OneByteReader(bytes.NewReader(b)))
		if (err == nil) != (err2 == nil) || len(whole) != len(halves) {
			t.Fatalf("%d frames, %v, but %d, %v in pieces", len(whole), err, len(halves), err2)
		}
		for _, payload := range whole {
			if len(payload) > testLimit {
				t.Fatalf("%d bytes", len(payload))
			}
		}
	})
}
