package frame

import "encoding/binary"

// Lengths of [bytes] and [value] that mean something else.
const (
	lengthNull  = -1
	lengthUnset = -2
)

// A Value is what a client binds to a marker. The zero Value is null.
type Value struct {
	Bytes []byte // serialized; nil is null, zero bytes that are not nil are an empty value
	Unset bool   // the marker is left alone: no change to what is stored (version 4 and newer)
}

// AppendValue appends one value of a row as the protocol's [bytes]: its length and itself; nil is null. It must not be
// longer than MaxLength.
func AppendValue(dst, value []byte) []byte {
	if value == nil {
		return append(dst, 0xff, 0xff, 0xff, 0xff)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}
