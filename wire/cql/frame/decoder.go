package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// decoder reads the notations of the protocol (section 3 of its specification) from the body of a message. After an
// error all its methods return zero values, so that callers check once, at the end or before a loop. What it returns as
// []byte are parts of the body, cut so that appending to them copies.
type decoder struct {
	message string // for errors
	body    []byte
	at      int
	types   int // memory that types take, about
	err     *ProtocolError
}

// fail records the first error. The field begins size bytes in front of what was read last.
func (d *decoder) fail(field string, size int, format string, args ...any) {
	if d.err == nil {
		d.err = &ProtocolError{Message: d.message, Field: field, Offset: d.at - size, Reason: fmt.Sprintf(format, args...)}
	}
}

// result returns the error as such.
func (d *decoder) result() error {
	if d.err != nil {
		return d.err
	}
	return nil
}

func (d *decoder) left() int { return len(d.body) - d.at }

// has reports whether n bytes can be read.
func (d *decoder) has(field string, n int) bool {
	if d.err != nil {
		return false
	}
	if n > len(d.body)-d.at {
		d.fail(field, 0, "%d bytes announced, %d left", n, d.left())
		return false
	}
	return true
}

func (d *decoder) take(field string, n int) []byte {
	if !d.has(field, n) {
		return nil
	}
	b := d.body[d.at : d.at+n : d.at+n]
	d.at += n
	return b
}

func (d *decoder) byte(field string) byte {
	if !d.has(field, 1) {
		return 0
	}
	b := d.body[d.at]
	d.at++
	return b
}

func (d *decoder) short(field string) int {
	if !d.has(field, 2) {
		return 0
	}
	n := binary.BigEndian.Uint16(d.body[d.at:])
	d.at += 2
	return int(n)
}

func (d *decoder) int(field string) int32 {
	if !d.has(field, 4) {
		return 0
	}
	n := binary.BigEndian.Uint32(d.body[d.at:])
	d.at += 4
	return int32(n)
}

func (d *decoder) long(field string) int64 {
	if !d.has(field, 8) {
		return 0
	}
	n := binary.BigEndian.Uint64(d.body[d.at:])
	d.at += 8
	return int64(n)
}

// count reads a [short] number of things that take at least size bytes each, and checks that so many may come.
func (d *decoder) count(field string, size int) int {
	n := d.short(field)
	return d.checkCount(field, n, 2, size)
}

// longCount is count for an [int].
func (d *decoder) longCount(field string, size int) int {
	n := d.int(field)
	if n < 0 {
		d.fail(field, 4, "%d is negative", n)
		return 0
	}
	return d.checkCount(field, int(n), 4, size)
}

func (d *decoder) checkCount(field string, n, width, size int) int {
	if d.err == nil && int64(n)*int64(size) > int64(d.left()) {
		d.fail(field, width, "%d announced, but only %d bytes left", n, d.left())
	}
	if d.err != nil {
		return 0
	}
	return n
}

// string reads a [string].
func (d *decoder) string(field string) string { return string(d.shortBytes(field)) }

// shortBytes reads [short bytes], or a [string] without copying it.
func (d *decoder) shortBytes(field string) []byte { return d.take(field, d.short(field)) }

// longString reads a [long string].
func (d *decoder) longString(field string) string {
	n := d.int(field)
	if n < 0 {
		d.fail(field, 4, "negative length %d", n)
		return ""
	}
	return string(d.take(field, int(n)))
}

// bytes reads [bytes]: nil is null.
func (d *decoder) bytes(field string) []byte {
	n := d.int(field)
	if n < 0 {
		return nil
	}
	return d.take(field, int(n))
}

// value reads a [value]. Version 3 does not know unset values and takes every negative length for null.
func (d *decoder) value(field string, v Version) Value {
	n := d.int(field)
	switch {
	case n >= 0:
		return Value{Bytes: d.take(field, int(n))}
	case n == lengthNull || v < V4:
		return Value{}
	case n == lengthUnset:
		return Value{Unset: true}
	default:
		d.fail(field, 4, "invalid length %d", n)
		return Value{}
	}
}

// stringList reads a [string list] into the memory of into.
func (d *decoder) stringList(field string, into []string) []string {
	list := reuse(into, d.count(field, 2))
	for i := range list {
		list[i] = d.string(field)
	}
	return list
}

// level reads a [consistency].
func (d *decoder) level(field string) consistency.Level {
	n := d.short(field)
	if n > int(consistency.NodeLocal) {
		d.fail(field, 2, "Unknown code %d for a consistency level", n)
		return 0
	}
	return consistency.Level(n)
}

// addr reads an [inetaddr].
func (d *decoder) addr(field string) netip.Addr {
	n := d.byte(field)
	if d.err == nil && n != 4 && n != 16 {
		d.fail(field, 1, "an address of %d bytes", n)
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(d.take(field, int(n)))
	return a
}

// addrPort reads an [inet].
func (d *decoder) addrPort(field string) netip.AddrPort {
	a := d.addr(field)
	port := d.int(field)
	if port < 0 || port > 0xffff {
		d.fail(field, 4, "port %d", port)
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, uint16(port))
}

// keep is how many elements a slice keeps room for whatever the next message needs.
const keep = 1024

// reuse returns a slice of n zero elements, in the memory of s unless that is too small or much too big. What s held
// is forgotten, so that it does not keep the bodies of earlier frames alive.
func reuse[T any](s []T, n int) []T {
	if cap(s) < n || cap(s) > keep && cap(s)/4 > n {
		if n == 0 {
			return nil
		}
		return make([]T, n)
	}
	clear(s)
	s = s[:n]
	clear(s)
	return s
}
