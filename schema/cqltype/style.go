package cqltype

// TextOptions tunes AppendTextWith. Zero fields take cqlsh's defaults.
type TextOptions struct {
	FloatPrecision  int // significant digits of a float, default 5
	DoublePrecision int // significant digits of a double, default 5
}

// defaultPrecision is that of cqlsh 5.0 for both floats and doubles.
const defaultPrecision = 5

// style says how a codec writes a value.
type style struct {
	literal         bool // for CQL to read back, not for people
	nested          bool // inside a collection, tuple, UDT or vector
	floatPrecision  int
	doublePrecision int
}

// AppendText appends value as cqlsh shows it: 2011-02-03 04:05:00.000000+0000, 0xcafe, {'a': 1}, and null for nil.
// A malformed value is shown as a blob.
func (t *Type) AppendText(dst, value []byte) []byte {
	return t.AppendTextWith(dst, value, TextOptions{})
}

// AppendTextWith is AppendText with options.
func (t *Type) AppendTextWith(dst, value []byte, opts TextOptions) []byte {
	s := style{floatPrecision: opts.FloatPrecision, doublePrecision: opts.DoublePrecision}
	if s.floatPrecision <= 0 {
		s.floatPrecision = defaultPrecision
	}
	if s.doublePrecision <= 0 {
		s.doublePrecision = defaultPrecision
	}
	if t.Validate(value) != nil {
		return appendHex(dst, value)
	}
	return t.appendStyled(dst, value, s)
}

// AppendLiteral appends a CQL term that stands for value: a literal, null, or, for what no literal can express, such as
// an int of zero bytes, a call like blob_as_int(0x). Floats that are not a number lose their payload, and a
// tuple of zero bytes becomes one of nulls. A malformed value is written as a blob.
func (t *Type) AppendLiteral(dst, value []byte) []byte {
	if t.Validate(value) != nil {
		return appendHex(dst, value)
	}
	return t.appendStyled(dst, value, style{literal: true})
}

// appendStyled appends a valid value.
func (t *Type) appendStyled(dst, value []byte, s style) []byte {
	switch {
	case value == nil:
		return append(dst, "null"...)
	case len(value) > 0 || t.ordinaryEmpty():
		return t.codec.appendText(dst, value, s)
	case !s.literal:
		return dst
	case t.kind == KindInet || t.kind == KindTimestamp:
		return append(dst, "''"...)
	}
	return appendBlobCall(dst, t.kind, value)
}

// ordinaryEmpty reports whether the codec of t handles zero bytes like any other value. Where it does not,
// they are what Cassandra calls an empty value.
func (t *Type) ordinaryEmpty() bool {
	return t.kind == KindText || t.kind == KindASCII || t.kind == KindBlob || len(t.elems) > 0
}

// appendBlobCall appends a call of the CQL function that turns a blob into a value of kind k.
func appendBlobCall(dst []byte, k Kind, v []byte) []byte {
	dst = append(dst, "blob_as_"...)
	dst = append(dst, k.String()...)
	dst = append(dst, '(')
	dst = appendHex(dst, v)
	return append(dst, ')')
}
