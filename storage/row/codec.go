package row

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A body is laid out as
//
//	flags u8, base timestamp (zig-zag varint, relative to a reference that the caller knows)
//	[ttl uvarint, expiry uvarint]                      if the liveness expires
//	[timestamp varint relative to base, local time]    the deletion
//	[count uvarint, ranges]                            range tombstones, headers only
//	cells up to the end
//
// and a cell as
//
//	head u8: kind (2 bits), column step (2 bits), has timestamp, has path, shares expiry
//	[column uvarint] [timestamp varint relative to base] [ttl uvarint] [local time uvarint]
//	[path length uvarint, path] [value length uvarint, value]
//
// The base timestamp is that of the liveness, or else of the first thing present, so that a
// row written by one statement holds its timestamp once.
const (
	flagLiveness = 1 << iota
	flagExpires
	flagDeletion
	flagRanges
	flagCells
	flagUnknown // not used in this format

	formatShift = 6
	format      = 1
)

const (
	cellKindMask  = 0x03
	columnStep    = 2 // shift: 0 same column as before, 1 the next one, 2 explicit
	stepExplicit  = 2
	cellTimestamp = 1 << 4
	cellPath      = 1 << 5
	cellSameTime  = 1 << 6 // TTL and local time are those of the cell before
	cellReserved  = 1 << 7
)

// An ErrFormat says that bytes are not what this version of the package writes.
type ErrFormat struct {
	What string
}

func (e *ErrFormat) Error() string { return "malformed row: " + e.What }

var errShort = errors.New("malformed row: it ends early")

// AppendBody appends the encoding of a normalized fragment to dst. reference is the timestamp
// that the base timestamp is stored relative to: 0 for a body that stands alone.
func AppendBody(dst []byte, f *Fragment, reference int64) []byte {
	flags := byte(format << formatShift)
	base := f.BaseTimestamp()
	if f.Liveness.Exists() {
		flags |= flagLiveness
		if f.Liveness.TTL > 0 {
			flags |= flagExpires
		}
	}
	if f.Deletion.Exists() {
		flags |= flagDeletion
	}
	if len(f.Ranges) > 0 {
		flags |= flagRanges
	}
	if len(f.Cells) > 0 {
		flags |= flagCells
	}
	dst = append(dst, flags)
	dst = binary.AppendVarint(dst, base-reference)
	if flags&flagExpires != 0 {
		dst = binary.AppendUvarint(dst, uint64(f.Liveness.TTL))
		dst = binary.AppendUvarint(dst, uint64(f.Liveness.Expiry))
	}
	if flags&flagDeletion != 0 {
		dst = appendDeletion(dst, f.Deletion, base)
	}
	if flags&flagRanges != 0 {
		dst = appendRanges(dst, f.Ranges, base)
	}
	return appendCells(dst, f, base)
}

// BaseTimestamp returns the timestamp that the encodings of f's other timestamps are relative to:
// its liveness's, or else that of the first thing in it; 0 if there is nothing.
func (f *Fragment) BaseTimestamp() int64 {
	switch {
	case f.Liveness.Exists():
		return f.Liveness.Timestamp
	case len(f.Cells) > 0:
		return f.Cells[0].Timestamp
	case f.Deletion.Exists():
		return f.Deletion.Timestamp
	case len(f.Ranges) > 0:
		return f.Ranges[0].Deletion.Timestamp
	default:
		return 0
	}
}

func appendDeletion(dst []byte, d Deletion, base int64) []byte {
	dst = binary.AppendVarint(dst, d.Timestamp-base)
	return binary.AppendUvarint(dst, uint64(d.LocalTime))
}

func appendRanges(dst []byte, ranges []RangeTombstone, base int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ranges)))
	for i := range ranges {
		r := &ranges[i]
		dst = appendBytes(dst, r.Start)
		if r.End == nil {
			dst = append(dst, 0)
		} else {
			dst = binary.AppendUvarint(dst, uint64(len(r.End))+1)
			dst = append(dst, r.End...)
		}
		dst = appendDeletion(dst, r.Deletion, base)
	}
	return dst
}

func appendCells(dst []byte, f *Fragment, base int64) []byte {
	column := uint32(0)
	ttl, localTime := f.Liveness.TTL, f.Liveness.Expiry
	for i := range f.Cells {
		c := &f.Cells[i]
		head := byte(c.Kind)
		step := c.Column - column
		head |= byte(min(step, stepExplicit)) << columnStep
		if c.Timestamp != base {
			head |= cellTimestamp
		}
		if c.Path != nil {
			head |= cellPath
		}
		timed := c.Kind != LiveCell
		if timed && c.TTL == ttl && c.LocalTime == localTime {
			head |= cellSameTime
		}
		dst = append(dst, head)
		if step >= stepExplicit {
			dst = binary.AppendUvarint(dst, uint64(step))
		}
		if head&cellTimestamp != 0 {
			dst = binary.AppendVarint(dst, c.Timestamp-base)
		}
		if timed && head&cellSameTime == 0 {
			dst = binary.AppendUvarint(dst, uint64(c.TTL))
			dst = binary.AppendUvarint(dst, uint64(c.LocalTime))
			ttl, localTime = c.TTL, c.LocalTime
		}
		if c.Path != nil {
			dst = appendBytes(dst, c.Path)
		}
		if c.Kind <= ExpiringCell {
			dst = appendBytes(dst, c.Value)
		}
		column = c.Column
	}
	return dst
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

// DecodeBody overwrites f with the fragment that AppendBody encoded with the same reference.
// f shares body's memory. Any bytes are safe to decode; those that are no body give an error.
func DecodeBody(body []byte, reference int64, f *Fragment) error {
	f.Reset()
	d := decoder{rest: body}
	flags := d.byte()
	if d.err == nil && flags>>formatShift != format {
		return &ErrFormat{fmt.Sprintf("format version %d is not %d", flags>>formatShift, format)}
	}
	if flags&flagUnknown != 0 {
		return &ErrFormat{"it has a flag that this format does not know"}
	}
	base := reference + d.varint()
	if flags&flagLiveness != 0 {
		f.Liveness = Liveness{Timestamp: base}
		if flags&flagExpires != 0 {
			f.Liveness.TTL, f.Liveness.Expiry = int64(d.uvarint()), int64(d.uvarint())
			if f.Liveness.TTL <= 0 && d.err == nil {
				return &ErrFormat{"an expiry without a TTL"}
			}
		}
	} else if flags&flagExpires != 0 {
		return &ErrFormat{"an expiry without a liveness"}
	}
	if flags&flagDeletion != 0 {
		f.Deletion = d.deletion(base)
	}
	if flags&flagRanges != 0 {
		d.ranges(f, base)
	}
	if flags&flagCells != 0 {
		d.cells(f, base)
	}
	if d.err == nil && len(d.rest) > 0 {
		return &ErrFormat{fmt.Sprintf("%d bytes too many", len(d.rest))}
	}
	return d.err
}

// A decoder reads from rest until the first error, which it keeps.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail() {
	d.rest = nil
	if d.err == nil {
		d.err = errShort
	}
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) deletion(base int64) Deletion {
	return Deletion{Timestamp: base + d.varint(), LocalTime: int64(d.uvarint())}
}

func (d *decoder) ranges(f *Fragment, base int64) {
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		r := RangeTombstone{Start: d.bytes(d.uvarint())}
		if end := d.uvarint(); end > 0 {
			r.End = d.bytes(end - 1)
		}
		r.Deletion = d.deletion(base)
		f.Ranges = append(f.Ranges, r)
	}
}

func (d *decoder) cells(f *Fragment, base int64) {
	column := uint32(0)
	ttl, localTime := f.Liveness.TTL, f.Liveness.Expiry
	for len(d.rest) > 0 {
		head := d.byte()
		if head&cellReserved != 0 {
			d.err = &ErrFormat{"unknown cell flags"}
			return
		}
		step := uint64(head >> columnStep & 3)
		if step >= stepExplicit {
			step = d.uvarint()
		}
		column += uint32(step)
		c := Cell{Column: column, Kind: CellKind(head & cellKindMask), Timestamp: base}
		if head&cellTimestamp != 0 {
			c.Timestamp += d.varint()
		}
		if c.Kind != LiveCell {
			if head&cellSameTime == 0 {
				ttl, localTime = int64(d.uvarint()), int64(d.uvarint())
			}
			c.TTL, c.LocalTime = ttl, localTime
		}
		if head&cellPath != 0 {
			c.Path = d.bytes(d.uvarint())
		}
		if c.Kind <= ExpiringCell {
			c.Value = d.bytes(d.uvarint())
		}
		if d.err != nil {
			return
		}
		f.Cells = append(f.Cells, c)
	}
}
