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
// repetitions: those of = and IN combined, in the order of the values.
func (w *Where) Partitions(b *Binding) ([][]byte, error) {
	lists := make([][][]byte, len(w.partition))
	for i, c := range w.partition {
		values, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if err := checkNotNull(v[0], c.columns[0]); err != nil {
				return nil, err
			}
			lists[i] = append(lists[i], v[0].Bytes)
		}
		if c.op == opIn {
			typ := c.columns[0].Type
			slices.SortFunc(lists[i], typ.Compare)
			lists[i] = slices.CompactFunc(lists[i], bytes.Equal)
		}
	}
	var keys [][]byte
	err := product(lists, func(values [][]byte) error {
		key, err := cqltype.AppendPartitionKey(nil, values...)
		if err != nil {
			return schema.Invalid("%s", err)
		}
		keys = append(keys, key)
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
		return schema.Invalid("Invalid null value in condition for column %s", c.Name)
	}
	return nil
}

// choices returns the values that an = or IN condition allows, each with one value per column.
func (c *condition) choices(b *Binding) ([][]Value, error) {
	if c.op != opIn {
		v, err := c.value.eval(b, nil)
		return [][]Value{v}, err
	}
	if c.marker == nil {
		var out [][]Value
		for i := range c.list {
			v, err := c.list[i].eval(b, nil)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	list, err := c.marker.Eval(b)
	if err != nil {
		return nil, err
	}
	if err := checkNotNull(list, c.columns[0]); err != nil {
		return nil, err
	}
	types := make([]*cqltype.Type, len(c.columns))
	for i, col := range c.columns {
		types[i] = col.Type
	}
	return unpackList(list.Bytes, types, c.tuple)
}

// unpackList takes a serialized list of values, or of tuples, apart.
func unpackList(list []byte, types []*cqltype.Type, tuples bool) ([][]Value, error) {
	if len(list) < 4 {
		return nil, schema.Invalid("Not enough bytes to read a list")
	}
	var out [][]Value
	for rest := list[4:]; len(rest) > 0; {
		element, next, err := cqltype.ReadElement(rest)
		if err != nil {
			return nil, schema.Invalid("%s", err)
		}
		rest = next
		if !tuples {
			out = append(out, []Value{{Bytes: element}})
			continue
		}
		values, err := splitTuple(Value{Bytes: element}, types, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return out, nil
}

// Slices returns the parts of a partition that the clause selects, ascending and disjoint, as
// bounds on clustering keys in key encoding; nil means the whole partition.
func (w *Where) Slices(b *Binding) ([]storage.Slice, error) {
	if len(w.clustering) == 0 {
		return nil, nil
	}
	prefixes := [][]byte{nil}
	for i, c := range w.clustering {
		if c.op.isSlice() {
			return w.sliced(b, prefixes, w.clustering[i:])
		}
		choices, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		if prefixes, err = extend(prefixes, c, choices); err != nil {
			return nil, err
		}
	}
	out := make([]storage.Slice, 0, len(prefixes))
	for _, p := range prefixes {
		out = append(out, storage.Slice{Start: p, End: cqltype.PrefixSuccessor(nil, p)})
	}
	return joinSlices(out), nil
}

// Rows returns the clustering keys, in key encoding, of the rows that a clause names which
// restricts every column of the primary key by = or IN.
func (w *Where) Rows(b *Binding) ([][]byte, error) {
	rows := [][]byte{{}}
	for _, c := range w.clustering {
		choices, err := c.choices(b)
		if err != nil {
			return nil, err
		}
		if rows, err = extend(rows, c, choices); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, bytes.Compare)
	return slices.CompactFunc(rows, bytes.Equal), nil
}

// extend appends each choice of a condition to each prefix.
func extend(prefixes [][]byte, c *condition, choices [][]Value) ([][]byte, error) {
	out := make([][]byte, 0, len(prefixes)*len(choices))
	for _, prefix := range prefixes {
		for _, values := range choices {
			key := bytes.Clone(prefix)
			for i, v := range values {
				if err := checkNotNull(v, c.columns[i]); err != nil {
					return nil, err
				}
				key = c.columns[i].Type.AppendKey(key, v.Bytes, c.columns[i].Descending)
			}
			if len(key) > cqltype.MaxKeyLength {
				return nil, schema.Invalid("Key length of %d is longer than maximum of %d", len(key), cqltype.MaxKeyLength)
			}
			out = append(out, key)
		}
	}
	return out, nil
}

// sliced applies bounds on one more column, or on a tuple of columns, to each prefix.
func (w *Where) sliced(b *Binding, prefixes [][]byte, bounds []*condition) ([]storage.Slice, error) {
	var out []storage.Slice
	for _, prefix := range prefixes {
		parts := []storage.Slice{{Start: prefix, End: cqltype.PrefixSuccessor(nil, prefix)}}
		for _, c := range bounds {
			values, err := c.value.eval(b, nil)
			if err != nil {
				return nil, err
			}
			for i, v := range values {
				if err := checkNotNull(v, c.columns[i]); err != nil {
					return nil, err
				}
			}
			parts = intersect(parts, c.ranges(prefix, values))
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
	out := list[:0]
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

// Tokens returns the row key bounds [start, end) of the partitions to scan; ok is false if there
// can be none. nil means no bound.
func (w *Where) Tokens(b *Binding) (start, end []byte, ok bool, err error) {
	low, high := ring.MinToken, ring.MaxToken
	for _, c := range w.tokens {
		v, err := c.value.terms[0].Eval(b)
		if err != nil {
			return nil, nil, false, err
		}
		if v.Bytes == nil || v.Unset || len(v.Bytes) != 8 {
			return nil, nil, false, schema.Invalid("Invalid null token value")
		}
		token := ring.Token(decodeBigint(v.Bytes))
		if c.op == opEqual || c.op.isLower() {
			from := token
			if c.op == opGreater {
				if token == ring.MaxToken {
					return nil, nil, false, nil
				}
				from++
			}
			low = max(low, from)
		}
		if c.op == opEqual || c.op == opLess || c.op == opLessOrEqual {
			if token == ring.MinToken && c.op != opEqual {
				continue // as an upper bound the least token means the end of the ring
			}
			to := token
			if c.op == opLess {
				to--
			}
			high = min(high, to)
		}
	}
	if low > high {
		return nil, nil, false, nil
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
