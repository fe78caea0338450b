package cqltype

import (
	"encoding/binary"
	"math"
)

// MaxKeyLength is the greatest length in bytes of a serialized partition key.
const MaxKeyLength = math.MaxUint16

// AppendPartitionKey appends the serialized partition key made of these column values, the bytes that the partitioner
// hashes: of one column its value, of several for each its length in two bytes, the value and a zero byte. It returns
// a ValueError when the key is longer than MaxKeyLength or the value of a single column is empty.
func AppendPartitionKey(dst []byte, values ...[]byte) ([]byte, error) {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if len(values) > 1 && size <= MaxKeyLength {
		size += 3 * len(values)
	}
	switch {
	case size > MaxKeyLength:
		return dst, invalid("Key length of %d is longer than maximum of %d", size, MaxKeyLength)
	case size == 0:
		return dst, invalid("Key may not be empty")
	case len(values) == 1:
		return append(dst, values[0]...), nil
	}
	for _, v := range values {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(v)))
		dst = append(dst, v...)
		dst = append(dst, 0)
	}
	return dst, nil
}

// SplitPartitionKey undoes AppendPartitionKey for a key of that many columns: it appends the values, which are
// parts of key, to dst. It returns a KeyError for keys of another form.
func SplitPartitionKey(dst [][]byte, key []byte, columns int) ([][]byte, error) {
	if columns == 1 {
		return append(dst, key), nil
	}
	for range columns {
		if len(key) < 2 {
			return dst, errKeyTruncated
		}
		n := int(binary.BigEndian.Uint16(key))
		if key = key[2:]; len(key) <= n {
			return dst, errKeyTruncated
		}
		if key[n] != 0 {
			return dst, errKeyMarker
		}
		dst = append(dst, key[:n:n])
		key = key[n+1:]
	}
	if len(key) > 0 {
		return dst, errKeyTooWide
	}
	return dst, nil
}
