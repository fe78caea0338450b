package storage

import (
	"bytes"
	"sort"

	"github.com/iliumdb/ilium/storage/row"
)

// A partition is the one that a walk in key order stands in, with its header.
type partition struct {
	prefix []byte       // of its row keys
	header row.Fragment // the ranges are normalized; the memory is the partition's own
	memory []byte
}

// holds reports whether a row key, or a bound of row keys, lies in the partition.
func (p *partition) holds(rowKey []byte) bool {
	return len(p.prefix) > 0 && len(rowKey) > len(p.prefix) && bytes.HasPrefix(rowKey, p.prefix)
}

// enter moves to the partition of a row key. Its header is empty until keep.
func (p *partition) enter(rowKey []byte) error {
	end, err := row.PartitionEnd(rowKey)
	if err != nil {
		return err
	}
	p.prefix = append(p.prefix[:0], rowKey[:end]...)
	p.header.Reset()
	return nil
}

// isHeader reports whether a row key in the partition is that of its header.
func (p *partition) isHeader(rowKey []byte) bool {
	return row.Kind(rowKey[len(p.prefix)]) == row.KindHeader
}

// clustering returns the clustering key in a row key of the partition.
func (p *partition) clustering(rowKey []byte) []byte { return rowKey[len(p.prefix)+1:] }

// keep copies h as the partition's header, and of its deleted ranges what lies among the clustering
// keys in [low, high); a nil high is behind all.
func (p *partition) keep(h *row.Fragment, low, high []byte) {
	size := 0
	for i := range h.Cells {
		size += len(h.Cells[i].Path) + len(h.Cells[i].Value)
	}
	ranges := h.Ranges
	if len(low) > 0 || high != nil { // it is cheaper to look at all than to sort them
		ranges = nil
		for _, r := range h.Ranges {
			if bytes.Compare(r.Start, low) < 0 {
				r.Start = low
			}
			if high != nil && (r.End == nil || bytes.Compare(r.End, high) > 0) {
				r.End = high
			}
			if r.End == nil || bytes.Compare(r.Start, r.End) < 0 {
				ranges = append(ranges, r)
			}
		}
	}
	ranges = row.NormalizeRanges(ranges, h.Deletion)
	for i := range ranges {
		size += len(ranges[i].Start) + len(ranges[i].End)
	}
	if cap(p.memory) < size {
		p.memory = make([]byte, 0, size)
	}
	m := p.memory[:0]
	own := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		start := len(m)
		m = append(m, b...)
		return m[start:len(m):len(m)]
	}
	p.header.Reset()
	p.header.Deletion = h.Deletion
	for _, cell := range h.Cells {
		cell.Path, cell.Value = own(cell.Path), own(cell.Value)
		p.header.Cells = append(p.header.Cells, cell)
	}
	for _, r := range ranges {
		r.Start, r.End = own(r.Start), own(r.End)
		p.header.Ranges = append(p.header.Ranges, r)
	}
}

// shadow removes from a row of the partition what the header deletes.
func (p *partition) shadow(f *row.Fragment, clustering []byte) {
	if p.header.Deletion.Exists() {
		f.Shadow(p.header.Deletion)
	}
	if len(p.header.Ranges) > 0 {
		f.Shadow(row.Covering(p.header.Ranges, clustering))
	}
}

// behindRows reports whether a row key with the partition's prefix is behind all of its rows.
func (p *partition) behindRows(rowKey []byte) bool {
	return row.Kind(rowKey[len(p.prefix)]) > row.KindRow
}

// rangesIn returns how many deleted ranges overlap a slice of the partition's row keys.
func (p *partition) rangesIn(s Slice) int {
	ranges := p.header.Ranges
	start := p.clustering(s.Start)
	first := sort.Search(len(ranges), func(i int) bool { return ranges[i].End == nil || bytes.Compare(ranges[i].End, start) > 0 })
	if p.behindRows(s.End) {
		return len(ranges) - first
	}
	end := p.clustering(s.End)
	behind := sort.Search(len(ranges), func(i int) bool { return bytes.Compare(ranges[i].Start, end) >= 0 })
	return max(behind-first, 0)
}

// findHeader looks up the header of the partition with c, which may read in either direction, and reports
// whether c stands on it.
func (p *partition) findHeader(c *entries) (bool, error) {
	header := append(bytes.Clone(p.prefix), byte(row.KindHeader))
	from := header
	if c.frags.reverse {
		from = append(bytes.Clone(p.prefix), byte(row.KindRow)) // a reversed seek goes before its key
	}
	if err := c.seek(from); err != nil {
		return false, err
	}
	found, err := c.next(header)
	return err == nil && found && bytes.Equal(c.key, header), err
}
