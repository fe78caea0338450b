package frame

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestChecksums(t *testing.T) {
	if got := crc24([]byte{1, 2, 3}); got != 0xe91acc { // Cassandra's Crc.crc24(0x030201, 3)
		t.Errorf("CRC24 is %#x", got)
	}
	if got := crc24([]byte{1, 2, 3, 4, 5}); got != 0x319669 {
		t.Errorf("CRC24 is %#x", got)
	}
	if got := crc32.ChecksumIEEE([]byte{0xfa, 0x2d, 0x55, 0xca}); got != crc32Initial {
		t.Errorf("CRC32 begins with %#x", got)
	}
	if got := payloadCRC([]byte("hello")); got != 0xb60e8074 {
		t.Errorf("CRC32 is %#x", got)
	}
	slow := func(b []byte) uint32 { // as the specification describes it
		crc := uint32(0x875060)
		for _, c := range b {
			crc ^= uint32(c) << 16
			for range 8 {
				if crc <<= 1; crc&0x1000000 != 0 {
					crc ^= 0x1974f0b
				}
			}
		}
		return crc
	}
	rapid.Check(t, func(t *rapid.T) {
		if b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"); crc24(b) != slow(b) {
			t.Fatalf("CRC24 of %x is %#x", b, crc24(b))
		}
	})
}

// segmentLine is a line of testdata/segments.txt.
func segmentLine(tb testing.TB, prefix string) []byte {
	tb.Helper()
	for _, line := range lines(tb, "segments.txt") {
		if rest, ok := strings.CutPrefix(line, prefix+" "); ok {
			return unhex(tb, rest)
		}
	}
	tb.Fatalf("no line %q", prefix)
	return nil
}

// TestSegmentsOfCassandra takes Cassandra's segments apart and puts those that have one form together again.
func TestSegmentsOfCassandra(t *testing.T) {
	hello, many := "hello", strings.Repeat("hello", 40)
	check := func(line string, c Compression, selfContained bool, want string) {
		t.Helper()
		b := segmentLine(t, line)
		h, payload, size, err := parseSegment(b, c)
		if err != nil || size != len(b) || h.selfContained != selfContained {
			t.Fatalf("%s: %+v, %d of %d bytes, %v", line, h, size, len(b), err)
		}
		plain, err := decompressPayload(nil, payload, h)
		if err != nil || string(plain) != want {
			t.Errorf("%s: %q, %v", line, plain, err)
		}
		w := Writer{compression: c, segmented: true}
		w.startSegment()
		w.out = append(w.out, want...)
		w.close(selfContained)
		if h.plain == 0 && !bytes.Equal(w.out, b) {
			t.Errorf("%s:\n  is %x\nwant %x", line, w.out, b)
		}
		h, payload, size, err = parseSegment(w.out, c)
		if plain, _ = decompressPayload(nil, payload, h); err != nil || string(plain) != want || size != len(w.out) {
			t.Errorf("%s: written and read again: %q, %v", line, plain, err)
		}
	}
	check("plain self-contained hello", NoCompression, true, hello)
	check("plain part hello*40", NoCompression, false, many)
	check("lz4 self-contained hello", LZ4, true, hello)
	check("lz4 part hello*40", LZ4, false, many)
}

// TestBodiesOfCassandra decompresses a frame of version 4.
func TestBodiesOfCassandra(t *testing.T) {
	for _, c := range []Compression{LZ4, Snappy} {
		r := NewServerReader(DefaultMaxLength)
		r.Negotiate(V4, c)
		b := segmentLine(t, "body "+c.String()+" QUERY")
		b[1] = byte(FlagCompressed) // Cassandra sets it elsewhere
		r.Feed(b)
		f, err := r.Next()
		var q Query
		if err == nil {
			err = q.Decode(f.Body, f.Version)
		}
		if err != nil || q.Text != "SELECT "+strings.Repeat("a", 200) || f.Flags != 0 {
			t.Errorf("%s: %+v, %v", c, q, err)
		}
	}
}

func TestCompressionNames(t *testing.T) {
	check := func(name string, v Version, want Compression, fault string) {
		t.Helper()
		got, err := ParseCompression(name, v)
		if err != nil && err.Error() != fault || err == nil && (fault != "" || got != want) {
			t.Errorf("%q in %s is %v, %v", name, v, got, err)
		}
	}
	check("", V3, NoCompression, "")
	check("lz4", V5, LZ4, "")
	check("LZ4", V4, LZ4, "")
	check("snappy", V4, Snappy, "")
	check("snappy", V5, 0, "Snappy compression is not supported in protocol V5")
	check("zstd", V4, 0, "Unknown compression algorithm: zstd")
	for c := range Snappy + 1 {
		check(c.String(), V4, c, "")
	}
}

// TestDecompressionBounds checks that a length that compressed bytes announce is not believed.
func TestDecompressionBounds(t *testing.T) {
	check := func(c Compression, body, fault string) {
		t.Helper()
		b, err := decompressBody(nil, []byte(body), c, 1<<20)
		if err == nil || err.Error() != fault {
			t.Errorf("%s %q is %q, %v", c, body, b, err)
		}
	}
	check(LZ4, "\x00\x00", "LZ4 body without a length")
	check(LZ4, "\xff\xff\xff\xff", "Request is too big: length 4294967295 exceeds maximum allowed length 1048576.")
	check(LZ4, "\x00\x0f\x00\x00", "0 compressed bytes cannot stand for 983040")
	check(LZ4, "\x00\x00\x00\x05\x10a", "LZ4 block is damaged: 5 bytes announced, it has 1")
	check(Snappy, "", "Provided frame does not appear to be Snappy compressed")
	check(Snappy, "\x80\x80\x80\x01", "Request is too big: length 2097152 exceeds maximum allowed length 1048576.")
	check(Snappy, "\x80\x80\x20", "3 compressed bytes cannot stand for 524288")
	check(Snappy, "\x05\x00a", "Snappy body is damaged: s2: corrupt input")
	if b, err := decompressBody(nil, make([]byte, 4), LZ4, 0); err != nil || len(b) != 0 {
		t.Errorf("nothing is %q, %v", b, err)
	}
	h := segmentHeader{length: 3, plain: maxPayload}
	if _, err := decompressPayload(nil, []byte("abc"), h); err == nil {
		t.Error("three bytes stood for a full segment")
	}
	// The most that the formats can do must pass.
	for _, c := range []Compression{LZ4, Snappy} {
		body := appendCompressedBody(nil, make([]byte, 1<<20), c)
		if b, err := decompressBody(nil, body, c, 1<<20); err != nil || len(b) != 1<<20 {
			t.Errorf("a megabyte of zeros as %d bytes of %s: %v", len(body), c, err)
		}
	}
}

// TestDamagedSegments turns every bit of two segments: the frames must come out unchanged or not at all.
func TestDamagedSegments(t *testing.T) {
	for _, c := range []Compression{NoCompression, LZ4} {
		var w Writer
		w.Negotiate(V5, c)
		text := strings.Repeat("SELECT v FROM t ", 20)
		for stream := range int16(2) {
			if err := w.Add(V5, stream, nil, &Query{Text: text}); err != nil {
				t.Fatal(err)
			}
			w.Bytes()
		}
		sent := bytes.Clone(w.Bytes())
		for bit := range len(sent) * 8 {
			b := bytes.Clone(sent)
			b[bit/8] ^= 1 << (bit % 8)
			r := NewServerReader(DefaultMaxLength)
			r.Negotiate(V5, c)
			r.Feed(b)
			for stream := int16(0); ; stream++ {
				f, err := r.Next()
				if err == nil {
					var q Query
					if err := q.Decode(f.Body, V5); err != nil || f.Stream != stream || q.Text != text {
						t.Fatalf("%s, bit %d: another frame: %+v, %v", c, bit, q, err)
					}
					continue
				}
				_, damaged := errors.AsType[*ChecksumError](err)
				if !damaged || stream == 2 {
					t.Fatalf("%s, bit %d: %v after %d frames", c, bit, err, stream)
				}
				if _, again := r.Next(); again != err {
					t.Fatalf("%s, bit %d: %v, then %v", c, bit, err, again)
				}
				break
			}
		}
	}
}
