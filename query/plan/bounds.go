package plan

import (
	"bytes"
	"slices"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// Partitions returns the serialized keys of the partitions that the clause names, without
// repetitions: those of = and IN combined, in the order of the values, and in the token range if the
// clause has one.
func (w *Where) Partitions(b *Binding) ([][]byte, error) {
	lists := make([][][]byte, len(w.partition))
	for i, c := range w.partition {
		values, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			lists[i] = append(lists[i], v[0].Bytes)
		}
		if c.op == opIn {
			typ := c.columns[0].Type
			slices.SortFunc(lists[i], typ.Compare)
			lists[i] = slices.CompactFunc(lists[i], bytes.Equal)
		}
	}
	low, high, any, err := w.tokenRange(b)
	if err != nil || !any {
		return nil, err
	}
	var keys [][]byte
	err = product(lists, func(values [][]byte) error {
		key, err := cqltype.AppendPartitionKey(nil, values...)
		if err != nil {
			return schema.Invalid("%s", err)
		}
		if token := ring.TokenOf(key); len(w.tokens) == 0 || low <= token && token <= high {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// product calls visit with every combination of one element of each list, the last list fastest.
func product(lists [][][]byte, visit func([][]byte) error) error {
	current := make([][]byte, len(lists))
	var step func(i int) error
	step = func(i int) error {
		if i == len(lists) {
			return visit(current)
		}
		for _, v := range lists[i] {
			current[i] = v
			if err := step(i + 1); err != nil {
				return err
			}
		}
		return nil
	}
	return step(0)
}

func checkNotNull(v Value, c *schema.Column) error {
	if v.Unset {
		return schema.Invalid("Invalid unset value for column %s", c.Name)
	}
	if v.Bytes == nil {
		return nullInCondition(c)
	}
	return nil
}

// Slices returns the parts of a partition that the clause selects, ascending and disjoint, as
// bounds on clustering keys in key encoding; nil means the whole partition.
func (w *Where) Slices(b *Binding) ([]storage.Slice, error) {
	if len(w.clustering) == 0 {
		return nil, nil
	}
	prefixes := []clusteringPrefix{{}}
	for i, c := range w.clustering {
		if c.op.isSlice() {
			return w.sliced(b, prefixes, w.clustering[i:])
		}
		choices, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		prefixes = extend(prefixes, c, choices)
	}
	out := make([]storage.Slice, 0, len(prefixes))
	for _, p := range prefixes {
		if p.size <= cqltype.MaxKeyLength { // no row has a longer key
			out = append(out, storage.Slice{Start: p.key, End: cqltype.PrefixSuccessor(nil, p.key)})
		}
	}
	return joinSlices(out), nil
}

// Rows returns the clustering keys, in key encoding, of the rows that a clause names which
// restricts every column of the primary key by = or IN.
func (w *Where) Rows(b *Binding) ([][]byte, error) {
	prefixes := []clusteringPrefix{{key: []byte{}}}
	for _, c := range w.clustering {
		choices, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		prefixes = extend(prefixes, c, choices)
	}
	rows := make([][]byte, 0, len(prefixes))
	for _, p := range prefixes {
		if p.size > cqltype.MaxKeyLength {
			return nil, clusteringTooLong(p.size)
		}
		rows = append(rows, p.key)
	}
	slices.SortFunc(rows, bytes.Compare)
	return slices.CompactFunc(rows, bytes.Equal), nil
}

// A clusteringPrefix is the key encoding of the first columns of a clustering key.
type clusteringPrefix struct {
	key  []byte
	size int // of their values, in bytes
}

// extend appends each choice of a condition to each prefix.
func extend(prefixes []clusteringPrefix, c *condition, choices [][]Value) []clusteringPrefix {
	out := make([]clusteringPrefix, 0, len(prefixes)*len(choices))
	for _, prefix := range prefixes {
		for _, values := range choices {
			p := clusteringPrefix{key: slices.Clone(prefix.key), size: prefix.size}
			for i, v := range values {
				p.key = c.columns[i].Type.AppendKey(p.key, v.Bytes, c.columns[i].Descending)
				p.size += len(v.Bytes)
			}
			out = append(out, p)
		}
	}
	return out
}

// sliced applies bounds on one more column, or on a tuple of columns, to each prefix.
func (w *Where) sliced(b *Binding, prefixes []clusteringPrefix, bounds []*condition) ([]storage.Slice, error) {
	var out []storage.Slice
	for _, prefix := range prefixes {
		parts := []storage.Slice{{Start: prefix.key, End: cqltype.PrefixSuccessor(nil, prefix.key)}}
		for _, c := range bounds {
			values, err := c.bound(w.kind, b)
			if err != nil {
				return nil, err
			}
			parts = intersect(parts, c.ranges(prefix.key, values))
		}
		out = append(out, parts...)
	}
	return joinSlices(out), nil
}

// ranges returns the keys that start with prefix and satisfy an inequality. For a tuple that is
// the union of: the first column beyond its value; the first equal and the second beyond; and so
// on; so columns of either direction can be mixed.
func (c *condition) ranges(prefix []byte, values []Value) []storage.Slice {
	var out []storage.Slice
	for i, col := range c.columns {
		if values[i].Bytes == nil { // before all keys with the prefix
			if c.op.isLower() != col.Descending {
				out = append(out, storage.Slice{Start: prefix, End: cqltype.PrefixSuccessor(nil, prefix)})
			}
			return joinSlices(out)
		}
		key := col.Type.AppendKey(bytes.Clone(prefix), values[i].Bytes, col.Descending)
		whole := storage.Slice{Start: prefix, End: cqltype.PrefixSuccessor(nil, prefix)}
		if c.op.isLower() != col.Descending {
			whole.Start = cqltype.PrefixSuccessor(nil, key) // keys after it
		} else {
			whole.End = key // keys before it
		}
		if whole.Start != nil || len(prefix) == 0 && whole.End != nil {
			out = append(out, whole)
		}
		prefix = key
	}
	if c.op.inclusive() {
		out = append(out, storage.Slice{Start: prefix, End: cqltype.PrefixSuccessor(nil, prefix)})
	}
	return joinSlices(out)
}

// joinSlices sorts slices and joins those that touch or overlap; empty ones are dropped.
func joinSlices(list []storage.Slice) []storage.Slice {
	slices.SortFunc(list, func(a, b storage.Slice) int { return bytes.Compare(a.Start, b.Start) })
	out := make([]storage.Slice, 0, len(list)) // not nil, which would mean the whole partition
	for _, s := range list {
		if s.End != nil && bytes.Compare(s.Start, s.End) >= 0 {
			continue
		}
		if n := len(out); n > 0 && (out[n-1].End == nil || bytes.Compare(out[n-1].End, s.Start) >= 0) {
			out[n-1].End = laterEnd(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

func laterEnd(a, b []byte) []byte {
	if a == nil || b == nil {
		return nil
	}
	if bytes.Compare(a, b) >= 0 {
		return a
	}
	return b
}

// intersect returns what two ascending, disjoint lists have in common.
func intersect(a, b []storage.Slice) []storage.Slice {
	var out []storage.Slice
	for _, x := range a {
		for _, y := range b {
			s := storage.Slice{Start: x.Start, End: x.End}
			if bytes.Compare(y.Start, s.Start) > 0 {
				s.Start = y.Start
			}
			if s.End == nil || y.End != nil && bytes.Compare(y.End, s.End) < 0 {
				s.End = y.End
			}
			if s.End == nil || bytes.Compare(s.Start, s.End) < 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// tokenRange returns the least and the greatest token that the clause allows; any is false if it
// allows none.
func (w *Where) tokenRange(b *Binding) (low, high ring.Token, any bool, err error) {
	low, high = ring.MinToken, ring.MaxToken
	for _, c := range w.tokens {
		v, err := c.value.terms[0].Eval(b)
		switch {
		case err != nil:
			return 0, 0, false, err
		case v.Unset:
			return 0, 0, false, schema.Invalid("Invalid unset token value")
		case len(v.Bytes) != 8:
			return 0, 0, false, schema.Invalid("Invalid null token value")
		}
		token := ring.Token(decodeBigint(v.Bytes))
		if c.op == opGreater {
			if token == ring.MaxToken {
				return 0, 0, false, nil
			}
			low = max(low, token+1)
		} else if c.op == opEqual || c.op == opGreaterOrEqual {
			low = max(low, token)
		}
		if c.op.isLower() || token == ring.MinToken { // as an upper bound the least token means the end of the ring
			continue
		}
		if c.op == opLess {
			token--
		}
		high = min(high, token)
	}
	return low, high, low <= high, nil
}

// Tokens returns the row key bounds [start, end) of the partitions to scan; ok is false if there
// can be none. nil means no bound.
func (w *Where) Tokens(b *Binding) (start, end []byte, ok bool, err error) {
	low, high, ok, err := w.tokenRange(b)
	if err != nil || !ok {
		return nil, nil, false, err
	}
	if low != ring.MinToken {
		start = row.AppendToken(nil, int64(low))
	}
	if high != ring.MaxToken {
		end = row.AppendToken(nil, int64(high)+1)
	}
	return start, end, true, nil
}

func decodeBigint(b []byte) int64 {
	n := int64(0)
	for _, x := range b {
		n = n<<8 | int64(x)
	}
	return n
}
