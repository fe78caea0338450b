// Package codec has what encodings are made of, those of the metadata log and of requests between nodes: numbers as in
// encoding/binary's varints, and strings of bytes with their lengths in front. A Reader is safe for any bytes.
package codec

import (
	"encoding/binary"
	"errors"
)

// errMalformed says that bytes are not what a Reader was asked for.
var errMalformed = errors.New("malformed encoding")

// AppendBytes appends b with its length.
func AppendBytes[B ~[]byte | ~string](dst []byte, b B) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// A Reader takes apart what was appended. After the first mistake it returns zeros only.
type Reader struct {
	rest   []byte
	failed bool
}

// NewReader returns a reader of b. The bytes that it returns are parts of b.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Uvarint returns a number written by binary.AppendUvarint.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Varint returns a number written by binary.AppendVarint.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Byte returns one byte.
func (r *Reader) Byte() byte {
	b := r.Take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// Bool returns a byte that is 0 or 1.
func (r *Reader) Bool() bool {
	b := r.Byte()
	if b > 1 {
		r.Fail()
	}
	return b == 1
}

// Take returns so many bytes, or nil.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Bytes returns what AppendBytes wrote.
func (r *Reader) Bytes() []byte {
	n := r.Uvarint()
	if n > uint64(len(r.rest)) {
		r.Fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// String returns what AppendBytes wrote.
func (r *Reader) String() string { return string(r.Bytes()) }

// Count returns the number of elements that follow, of which each takes at least size bytes: more than
// can follow is a mistake.
func (r *Reader) Count(size int) int {
	n := r.Uvarint()
	if n > uint64(len(r.rest)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.rest) }

// Rest returns all that is left.
func (r *Reader) Rest() []byte { return r.Take(len(r.rest)) }

// Fail makes the reader fail.
func (r *Reader) Fail() { r.failed, r.rest = true, nil }

// Failed reports whether something was not as expected so far.
func (r *Reader) Failed() bool { return r.failed }

// End returns an error if something was not as expected, or something is left.
func (r *Reader) End() error {
	if r.failed || len(r.rest) > 0 {
		return errMalformed
	}
	return nil
}
