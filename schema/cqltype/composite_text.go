package cqltype

// appendText writes [a, b] for lists and vectors, {a, b} for sets, {k: v} for maps, (a, b) for tuples and
// {field: value} for UDTs. Fields that a tuple or UDT value lacks are null.
func (c compositeCodec) appendText(dst, v []byte, s style) []byte {
	inner := s
	inner.nested = true
	open, end := c.brackets()
	dst = append(dst, open)
	e := c.t.Elements(v)
	for e.Next() {
		dst = c.appendSeparator(dst, e.Index(), s)
		dst = e.Type().appendStyled(dst, e.Value(), inner)
	}
	if c.optional() {
		for i := e.Index() + 1; i < len(c.t.elems); i++ {
			dst = c.appendSeparator(dst, i, s)
			dst = append(dst, "null"...)
		}
	}
	return append(dst, end)
}

func (c compositeCodec) brackets() (open, end byte) {
	switch c.t.kind {
	case KindList, KindVector:
		return '[', ']'
	case KindTuple:
		return '(', ')'
	}
	return '{', '}'
}

// appendSeparator appends what stands in front of the element at that index.
func (c compositeCodec) appendSeparator(dst []byte, index int, s style) []byte {
	switch {
	case c.t.kind == KindMap && index&1 == 1:
		return append(dst, ": "...)
	case index > 0:
		dst = append(dst, ", "...)
	}
	if c.t.udt == nil {
		return dst
	}
	name := c.t.udt.fields[index].Name
	if s.literal {
		name = QuoteName(name)
	}
	return append(append(dst, name...), ": "...)
}
