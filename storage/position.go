package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/storage/row"
)

// After moves r behind an entry in reading order, and reports whether anything may be left to read. rowKey is that of
// a row or header in r's partition, or the partition's prefix and 0xFF, which is behind all of it. The slices that
// r had are not changed: r gets others. What is read of a moved Read is the header, again, and the rows behind.
func (r *Read) After(rowKey []byte) bool {
	n := len(r.Partition)
	if len(rowKey) <= n || !bytes.HasPrefix(rowKey, r.Partition) {
		return bytes.Compare(rowKey, r.Partition) <= 0
	}
	if kind := row.Kind(rowKey[n]); kind != row.KindRow {
		return kind < row.KindRow
	}
	clustering := rowKey[n+1:]
	if r.Point {
		order := bytes.Compare(clustering, r.Slices[0].Start)
		return order != 0 && (order > 0) == r.Reverse
	}
	left := r.Slices
	if len(left) == 0 {
		left = []Slice{{Start: []byte{}}}
	}
	behind := after(clustering)
	out := make([]Slice, 0, len(left))
	for _, s := range left {
		switch {
		case r.Reverse && (s.End == nil || bytes.Compare(s.End, clustering) > 0):
			s.End = behind[:len(clustering):len(clustering)]
		case !r.Reverse && bytes.Compare(s.Start, behind) < 0:
			s.Start = behind
		}
		if s.End == nil || bytes.Compare(s.Start, s.End) < 0 {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		r.Slices = out
	}
	return len(out) > 0
}

// After moves s behind an entry, and reports whether anything may be left to read. rowKey is that of a row or
// header, or a partition's prefix and 0xFF, which is behind all of the partition.
func (s *Scan) After(rowKey []byte) bool {
	var start []byte
	switch end, err := row.PartitionEnd(rowKey); {
	case err == nil && row.Kind(rowKey[end]) == row.KindHeader: // its rows are next, with the header
		start = append(bytes.Clone(rowKey[:end]), byte(row.KindRow))
	case err != nil || row.Kind(rowKey[end]) == row.KindRow:
		start = after(rowKey)
	default:
		start = bytes.Clone(rowKey)
	}
	if bytes.Compare(start, s.Start) > 0 {
		s.Start = start
	}
	return s.End == nil || bytes.Compare(s.Start, s.End) < 0
}
