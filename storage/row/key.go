package row

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A storage key is laid out as
//
//	incarnation u32 | area u8 | token u64, sign flipped | partition key | kind u8 | clustering key
//
// all big-endian. An incarnation is one life of a table, from CREATE or TRUNCATE to DROP or the
// next TRUNCATE. What follows the area is called the row key here: it identifies a row inside its
// table, and sorts by token, partition key and clustering order. The partition key is escaped and
// terminated (every 0x00 becomes 0x00 0xFF, the end is 0x00 0x01), so that no row key is a prefix
// of another and byte order is Cassandra's order.
const (
	TablePrefixSize = 5 // incarnation and area
	TokenSize       = 8
)

// An Area separates what a table stores in different forms.
type Area byte

// The areas of a table.
const (
	Fragments Area = 1 // changes as they were written, one entry per row and write
	Pages     Area = 2 // runs of merged rows
)

// A Kind says what a row key identifies inside its partition.
type Kind byte

// The kinds of row key. The header sorts before the rows.
const (
	KindHeader Kind = 0
	KindRow    Kind = 1
)

// AppendTable appends the part of a storage key that all rows of an area share.
func AppendTable(dst []byte, incarnation uint32, area Area) []byte {
	return append(binary.BigEndian.AppendUint32(dst, incarnation), byte(area))
}

// AppendToken appends a token so that byte order is the tokens' order.
func AppendToken(dst []byte, token int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(token)^1<<63)
}

// AppendPartition appends the part of a row key that all rows of one partition share.
// key is the serialized partition key.
func AppendPartition(dst []byte, token int64, key []byte) []byte {
	dst = AppendToken(dst, token)
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 {
			return append(append(dst, key...), 0, 1)
		}
		dst = append(append(dst, key[:i+1]...), 0xFF)
		key = key[i+1:]
	}
}

// PartitionEnd returns the length of the partition's part of a row key, or an error if rowKey
// is not one.
func PartitionEnd(rowKey []byte) (int, error) {
	for i := TokenSize; i < len(rowKey); {
		j := bytes.IndexByte(rowKey[i:], 0)
		if j < 0 || i+j+1 >= len(rowKey) {
			break
		}
		switch i += j + 2; rowKey[i-1] {
		case 0xFF:
		case 1:
			if i >= len(rowKey) {
				return 0, &ErrFormat{"a key without a kind"}
			}
			return i, nil
		default:
			return 0, &ErrFormat{fmt.Sprintf("bad escape in a key at byte %d", i-1)}
		}
	}
	return 0, &ErrFormat{"an unterminated partition key"}
}

// PartitionToken returns the token that a row key or the partition's part of it begins with.
func PartitionToken(partition []byte) (int64, error) {
	if len(partition) < TokenSize+2 {
		return 0, &ErrFormat{"a key shorter than a token"}
	}
	return int64(binary.BigEndian.Uint64(partition) ^ 1<<63), nil
}

// SplitPartition takes apart what AppendPartition made, appending the partition key to dst.
func SplitPartition(partition, dst []byte) (token int64, key []byte, err error) {
	if token, err = PartitionToken(partition); err != nil {
		return 0, dst, err
	}
	rest := partition[TokenSize : len(partition)-2]
	for {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return token, append(dst, rest...), nil
		}
		if i+1 >= len(rest) {
			return 0, dst, &ErrFormat{"bad escape at the end of a partition key"}
		}
		dst = append(dst, rest[:i+1]...)
		rest = rest[i+2:]
	}
}
