package row

import (
	"bytes"
	"slices"
	"sort"
)

// NormalizeRanges returns the same deletions as disjoint ranges in ascending order, each with
// the strongest deletion that covers it; neighbors with equal deletions are joined, and what
// the deletion of the whole partition covers is dropped. ranges is not changed.
func NormalizeRanges(ranges []RangeTombstone, partition Deletion) []RangeTombstone {
	todo := make([]RangeTombstone, 0, len(ranges))
	for _, r := range ranges {
		if r.Deletion.Supersedes(partition) && (r.End == nil || bytes.Compare(r.Start, r.End) < 0) {
			todo = append(todo, r)
		}
	}
	slices.SortStableFunc(todo, func(a, b RangeTombstone) int { return bytes.Compare(a.Start, b.Start) })
	var out []RangeTombstone
	var open rangeHeap // ranges that cover the sweep line
	var at []byte      // the sweep line
	for len(todo) > 0 || len(open) > 0 {
		if len(open) == 0 {
			at = todo[0].Start
		}
		for len(todo) > 0 && bytes.Compare(todo[0].Start, at) <= 0 {
			open.push(todo[0])
			todo = todo[1:]
		}
		strongest := open[0]
		end := strongest.End
		if len(todo) > 0 && beforeEnd(todo[0].Start, end) {
			end = todo[0].Start
		}
		out = appendRange(out, RangeTombstone{Start: at, End: end, Deletion: strongest.Deletion})
		if end == nil {
			return out
		}
		at = end
		for len(open) > 0 && open[0].End != nil && bytes.Compare(open[0].End, at) <= 0 {
			open.pop()
		}
	}
	return out
}

// appendRange adds r to disjoint ranges that all end at or before its start.
func appendRange(ranges []RangeTombstone, r RangeTombstone) []RangeTombstone {
	if n := len(ranges); n > 0 {
		last := &ranges[n-1]
		if last.Deletion == r.Deletion && bytes.Equal(last.End, r.Start) {
			last.End = r.End
			return ranges
		}
	}
	return append(ranges, r)
}

func beforeEnd(key, end []byte) bool {
	return end == nil || bytes.Compare(key, end) < 0
}

// Covering returns the deletion that covers a clustering key, or Live. ranges must be normalized.
func Covering(ranges []RangeTombstone, clustering []byte) Deletion {
	i := sort.Search(len(ranges), func(i int) bool { return bytes.Compare(ranges[i].Start, clustering) > 0 })
	if i > 0 && beforeEnd(clustering, ranges[i-1].End) {
		return ranges[i-1].Deletion
	}
	return Live
}

// rangeHeap keeps the strongest deletion on top.
type rangeHeap []RangeTombstone

func (h *rangeHeap) push(r RangeTombstone) {
	s := append(*h, r)
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].Deletion.Supersedes(s[parent].Deletion) {
			break
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
	*h = s
}

func (h *rangeHeap) pop() {
	s := *h
	n := len(s) - 1
	s[0] = s[n]
	s = s[:n]
	for i := 0; ; {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && s[child+1].Deletion.Supersedes(s[child].Deletion) {
			child++
		}
		if !s[child].Deletion.Supersedes(s[i].Deletion) {
			break
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
	*h = s
}
