package storage

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/storage/row"
)

// Nodes send each other a Read as
//
//	flags u8 | incarnation | now, zig-zag | limit: rows, bytes | partition | number of slices | slices
//
// and a Scan as
//
//	flags u8 | incarnation | now, zig-zag | limit: rows, bytes | start, end
//
// Numbers are varints. A string of bytes follows its length; where it may be nil, its length plus one.
const (
	flagReverse = 1 << iota
	flagPoint
	flagStaticOnly
)

// AppendRead appends the wire form of a Read and its Limit.
func AppendRead(dst []byte, r *Read, l Limit) []byte {
	flags := byte(0)
	if r.Reverse {
		flags |= flagReverse
	}
	if r.Point {
		flags |= flagPoint
	}
	dst = appendRequest(dst, flags, r.StaticOnly, r.Incarnation, r.Now, l)
	dst = codec.AppendBytes(dst, r.Partition)
	dst = binary.AppendUvarint(dst, uint64(len(r.Slices)))
	for _, s := range r.Slices {
		dst = appendBound(codec.AppendBytes(dst, s.Start), s.End)
	}
	return dst
}

// AppendScan appends the wire form of a Scan and its Limit.
func AppendScan(dst []byte, s *Scan, l Limit) []byte {
	dst = appendRequest(dst, 0, s.StaticOnly, s.Incarnation, s.Now, l)
	return appendBound(appendBound(dst, s.Start), s.End)
}

func appendRequest(dst []byte, flags byte, staticOnly bool, incarnation uint32, now int64, l Limit) []byte {
	if staticOnly {
		flags |= flagStaticOnly
	}
	dst = binary.AppendUvarint(append(dst, flags), uint64(incarnation))
	dst = binary.AppendVarint(dst, now)
	return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(l.Rows)), uint64(l.Bytes))
}

func appendBound(dst, bound []byte) []byte {
	if bound == nil {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(bound))+1), bound...)
}

// DecodeRead takes what AppendRead made from the front of b, and checks it: any bytes are safe. The Read shares b's memory.
func DecodeRead(b []byte) (r *Read, l Limit, rest []byte, err error) {
	d := requestDecoder{*codec.NewReader(b)}
	r = &Read{}
	flags := d.begin(flagReverse|flagPoint|flagStaticOnly, &r.Incarnation, &r.Now, &l)
	r.Reverse, r.Point, r.StaticOnly = flags&flagReverse != 0, flags&flagPoint != 0, flags&flagStaticOnly != 0
	r.Partition = d.key()
	if !d.Failed() && !isPartition(r.Partition) {
		return nil, l, nil, &RequestError{"the partition key is malformed"}
	}
	n := d.Count(2)
	if r.Point && n != 1 {
		return nil, l, nil, &RequestError{"it reads one row and has not one slice"}
	}
	for ; n > 0 && !d.Failed(); n-- {
		s := Slice{Start: d.key(), End: d.bound()}
		if s.End != nil && bytes.Compare(s.Start, s.End) >= 0 {
			return nil, l, nil, &RequestError{"a slice ends before it starts"}
		}
		if k := len(r.Slices); k > 0 && (r.Slices[k-1].End == nil || bytes.Compare(r.Slices[k-1].End, s.Start) > 0) {
			return nil, l, nil, &RequestError{"its slices overlap"}
		}
		r.Slices = append(r.Slices, s)
	}
	if d.Failed() {
		return nil, l, nil, &RequestError{"it ends early, or a number is too large"}
	}
	return r, l, d.Rest(), nil
}

// isPartition reports whether b is what row.AppendPartition makes.
func isPartition(b []byte) bool {
	end, err := row.PartitionEnd(append(b[:len(b):len(b)], byte(row.KindHeader)))
	return err == nil && end == len(b)
}

// DecodeScan takes what AppendScan made from the front of b, and checks it: any bytes are safe. The Scan shares b's memory.
func DecodeScan(b []byte) (s *Scan, l Limit, rest []byte, err error) {
	d := requestDecoder{*codec.NewReader(b)}
	s = &Scan{}
	s.StaticOnly = d.begin(flagStaticOnly, &s.Incarnation, &s.Now, &l) != 0
	s.Start, s.End = d.bound(), d.bound()
	if d.Failed() {
		return nil, l, nil, &RequestError{"it ends early, or a number is too large"}
	}
	if s.End != nil && bytes.Compare(s.Start, s.End) > 0 {
		return nil, l, nil, &RequestError{"it ends before it starts"}
	}
	return s, l, d.Rest(), nil
}

// A requestDecoder is a reader of what is in requests.
type requestDecoder struct{ codec.Reader }

// begin takes what Reads and Scans have in common, and returns the flags, of which only the known ones may be set.
func (d *requestDecoder) begin(known byte, incarnation *uint32, now *int64, l *Limit) (flags byte) {
	if flags = d.Byte(); flags&^known != 0 {
		d.Fail()
	}
	*incarnation, *now = uint32(d.number(math.MaxUint32)), d.Varint()
	l.Rows, l.Bytes = int(d.number(math.MaxInt32)), int(d.number(math.MaxInt32))
	return flags
}

func (d *requestDecoder) number(most uint64) uint64 {
	n := d.Uvarint()
	if n > most {
		d.Fail()
		return 0
	}
	return n
}

func (d *requestDecoder) key() []byte { return d.Take(int(d.number(maxKey))) }

func (d *requestDecoder) bound() []byte {
	n := d.number(maxKey)
	if n == 0 {
		return nil
	}
	return d.Take(int(n - 1))
}

// A RequestError reports bytes that are no request.
type RequestError struct {
	What string
}

func (e *RequestError) Error() string { return "malformed request: " + e.What }
