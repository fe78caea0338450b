package query

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/iliumdb/ilium/schema"
)

// A position is where a page of rows ends. It is handed to the client as the paging state, and
// holds all that the next page needs, so that it outlives the server.
type position struct {
	partition     []byte // prefix of its row keys
	clustering    []byte // of the last row, in key encoding; nil if the whole partition was one row
	limitLeft     int    // as in reader
	partitionLeft int
}

// set notes the row that cursor stands on as the last one.
func (p *position) set(partition []byte, cursor cursor, whole bool) {
	p.partition = append(p.partition[:0], partition...)
	if cursor.Row() == nil || whole {
		p.clustering = nil
		return
	}
	if p.clustering == nil {
		p.clustering = []byte{}
	}
	p.clustering = append(p.clustering[:0], cursor.Clustering()...)
}

// after returns the row key from which a scan goes on.
func (p *position) after() []byte {
	key := append([]byte{}, p.partition...)
	if p.clustering == nil {
		return append(key, 0xFF) // behind all rows of the partition
	}
	return append(append(append(key, rowKind), p.clustering...), 0)
}

const (
	pagingFormat = 1
	rowKind      = 1 // see row.KindRow
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the paging state: format u8, partition, clustering, what is left of LIMIT and of
// PER PARTITION LIMIT, and a checksum.
func (p *position) encode() []byte {
	out := append([]byte{}, pagingFormat)
	out = append(binary.AppendUvarint(out, uint64(len(p.partition))), p.partition...)
	if p.clustering == nil {
		out = append(out, 0)
	} else {
		out = append(binary.AppendUvarint(out, uint64(len(p.clustering))+1), p.clustering...)
	}
	out = binary.AppendUvarint(out, uint64(p.limitLeft+1))
	out = binary.AppendUvarint(out, uint64(p.partitionLeft))
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

// decodePosition is the inverse of encode.
func decodePosition(state []byte) (*position, bool) {
	if len(state) < 5 || state[0] != pagingFormat {
		return nil, false
	}
	body, sum := state[:len(state)-4], binary.BigEndian.Uint32(state[len(state)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, false
	}
	rest := body[1:]
	number := func() (uint64, bool) {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > 1<<40 {
			return 0, false
		}
		rest = rest[k:]
		return n, true
	}
	p := &position{}
	n, ok := number()
	if !ok || n > uint64(len(rest)) {
		return nil, false
	}
	p.partition, rest = rest[:n], rest[n:]
	if n, ok = number(); !ok || n > uint64(len(rest))+1 {
		return nil, false
	}
	if n > 0 {
		p.clustering, rest = rest[:n-1:n-1], rest[n-1:]
		if p.clustering == nil {
			p.clustering = []byte{}
		}
	}
	limit, ok := number()
	if !ok {
		return nil, false
	}
	left, ok := number()
	p.limitLeft, p.partitionLeft = int(limit)-1, int(left)
	return p, ok && len(rest) == 0
}

// resume takes up the paging state, if there is one.
func (r *reader) resume() (*position, error) {
	if len(r.parameters.PagingState) == 0 || r.plan.Aggregate && r.plan.GroupBy == 0 {
		return nil, nil
	}
	p, ok := decodePosition(r.parameters.PagingState)
	if !ok {
		return nil, schema.Invalid("Invalid value for the paging state")
	}
	if r.limitLeft >= 0 {
		r.limitLeft = p.limitLeft
	}
	return p, nil
}
