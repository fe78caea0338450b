package frame

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
)

// encoder appends the notations of the protocol to b. After an error it goes on, and result forgets what it wrote.
type encoder struct {
	message string // for errors
	b       []byte
	start   int
	err     *EncodeError
}

func newEncoder(message string, dst []byte) encoder {
	return encoder{message: message, b: dst, start: len(dst)}
}

func (e *encoder) fail(field, format string, args ...any) {
	if e.err == nil {
		e.err = &EncodeError{Message: e.message, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
}

// result returns what was appended, or nothing of it after an error.
func (e *encoder) result() ([]byte, error) {
	if e.err != nil {
		return e.b[:e.start], e.err
	}
	return e.b, nil
}

func (e *encoder) byte(n byte)  { e.b = append(e.b, n) }
func (e *encoder) int(n int32)  { e.b = binary.BigEndian.AppendUint32(e.b, uint32(n)) }
func (e *encoder) long(n int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(n)) }

func (e *encoder) short(field string, n int) {
	if n < 0 || n > math.MaxUint16 {
		e.fail(field, "%d does not fit into 16 bits", n)
	}
	e.b = binary.BigEndian.AppendUint16(e.b, uint16(n))
}

// size appends a length or a number as an [int].
func (e *encoder) size(field string, n int) {
	if n < 0 || n > math.MaxInt32 {
		e.fail(field, "%d does not fit into 31 bits", n)
	}
	e.int(int32(n))
}

func (e *encoder) string(field, s string) {
	e.short(field, len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) longString(field, s string) {
	e.size(field, len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) shortBytes(field string, b []byte) {
	e.short(field, len(b))
	e.b = append(e.b, b...)
}

// bytes appends [bytes]: nil is null.
func (e *encoder) bytes(field string, b []byte) {
	if len(b) > math.MaxInt32 {
		e.fail(field, "%d bytes", len(b))
		return
	}
	e.b = AppendValue(e.b, b)
}

func (e *encoder) value(field string, value Value, v Version) {
	switch {
	case !value.Unset:
		e.bytes(field, value.Bytes)
	case v < V4:
		e.fail(field, "version %s does not know unset values", v)
	default:
		e.int(lengthUnset)
	}
}

func (e *encoder) stringList(field string, list []string) {
	e.short(field, len(list))
	for _, s := range list {
		e.string(field, s)
	}
}

func (e *encoder) addr(field string, a netip.Addr) {
	if !a.IsValid() {
		e.fail(field, "no address")
	}
	e.byte(byte(a.BitLen() / 8))
	if a.Is4() {
		ip := a.As4()
		e.b = append(e.b, ip[:]...)
	} else if a.Is6() {
		ip := a.As16()
		e.b = append(e.b, ip[:]...)
	}
}

func (e *encoder) addrPort(field string, a netip.AddrPort) {
	e.addr(field, a.Addr())
	e.int(int32(a.Port()))
}
