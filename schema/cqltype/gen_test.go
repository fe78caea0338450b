package cqltype

import (
	"encoding/binary"
	"math/big"

	"pgregory.net/rapid"
)

// nativeKinds lists every native kind.
func nativeKinds() []Kind {
	var kinds []Kind
	for k := KindASCII; k.IsNative(); k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// must returns t and panics on err: for types that tests know to be valid.
func must(t *Type, err error) *Type {
	if err != nil {
		panic(err)
	}
	return t
}

// drawType draws a frozen type without counters, nested up to the given depth.
func drawType(t *rapid.T, depth int) *Type {
	if depth == 0 || rapid.Bool().Draw(t, "native") {
		for {
			if k := rapid.SampledFrom(nativeKinds()).Draw(t, "kind"); k != KindCounter {
				return Native(k)
			}
		}
	}
	elem := func() *Type { return drawType(t, depth-1) }
	ordered := func() *Type {
		if e := elem(); e.kind != KindDuration {
			return e
		}
		return TypeInt
	}
	switch rapid.SampledFrom([]Kind{KindList, KindSet, KindMap, KindTuple, KindUDT, KindVector}).Draw(t, "composite") {
	case KindList:
		return must(ListOf(elem())).Frozen()
	case KindSet:
		return must(SetOf(ordered())).Frozen()
	case KindMap:
		return must(MapOf(ordered(), elem())).Frozen()
	case KindTuple:
		return must(TupleOf(elem(), elem(), elem()))
	case KindUDT:
		return must(UDT("ks", "My Type", []Field{{"a", elem()}, {"B c", elem()}})).Frozen()
	}
	return must(VectorOf(elem(), rapid.IntRange(1, 3).Draw(t, "dimension")))
}

// drawValue draws a valid value of typ that is not null, empty ones included, often one of a few that lie close together.
func drawValue(t *rapid.T, typ *Type) []byte {
	if !typ.ordinaryEmpty() && typ.AllowsEmpty() && rapid.IntRange(0, 9).Draw(t, "empty") == 0 {
		return []byte{}
	}
	switch typ.kind {
	case KindASCII:
		return drawBytes(t, []byte("\x00\x01ab'\\\x7f"))
	case KindText:
		return []byte(rapid.StringOfN(rapid.SampledFrom([]rune("\x00\x01ab'\\\u00e9\u20ac\n")), 0, 6, -1).Draw(t, "text"))
	case KindBlob:
		return drawBytes(t, []byte{0, 1, 2, 0x7f, 0x80, 0xfe, 0xff})
	case KindBoolean:
		return []byte{rapid.SampledFrom([]byte{0, 1, 2, 0xff}).Draw(t, "boolean")}
	case KindTinyint, KindSmallint, KindInt, KindBigint, KindCounter, KindTimestamp:
		size := map[Kind]int{KindTinyint: 1, KindSmallint: 2, KindInt: 4}[typ.kind]
		if size == 0 {
			size = 8
		}
		return appendInt(nil, size, drawInt64(t))
	case KindDate:
		return appendInt(nil, 4, drawInt64(t))
	case KindTime:
		return appendInt(nil, 8, rapid.Int64Range(0, nanosPerDay-1).Draw(t, "nanos"))
	case KindFloat:
		return appendInt(nil, 4, int64(drawFloatBits(t)>>32))
	case KindDouble:
		return appendInt(nil, 8, int64(drawFloatBits(t)))
	case KindVarint:
		return drawVarint(t)
	case KindDecimal:
		return append(appendInt(nil, 4, int64(drawScale(t))), drawVarint(t)...)
	case KindInet:
		return drawBytesN(t, rapid.SampledFrom([]int{4, 16}).Draw(t, "size"))
	case KindUUID, KindTimeUUID:
		u := drawBytesN(t, 16)
		u[6] = u[6]&15 | rapid.SampledFrom([]byte{0, 1, 1, 4, 7, 15}).Draw(t, "version")<<4
		if typ.kind == KindTimeUUID {
			u[6] = u[6]&15 | 0x10
		}
		return u
	case KindDuration:
		return appendDuration(nil, drawDuration(t))
	}
	return drawComposite(t, typ)
}

func drawComposite(t *rapid.T, typ *Type) []byte {
	n := typ.dimension
	switch typ.kind {
	case KindTuple, KindUDT:
		n = rapid.IntRange(0, len(typ.elems)).Draw(t, "fields")
	case KindList, KindSet, KindMap:
		n = typ.perEntry() * rapid.IntRange(0, 3).Draw(t, "entries")
	}
	var elems [][]byte
	for i := range n {
		var elem []byte
		if (typ.kind != KindTuple && typ.kind != KindUDT) || rapid.IntRange(0, 3).Draw(t, "null") > 0 {
			elem = drawValue(t, typ.elementType(i))
			for size, fixed := typ.elementType(i).FixedSize(); typ.kind == KindVector && fixed && len(elem) != size; {
				elem = drawValue(t, typ.elementType(i)) // no empty elements there
			}
		}
		elems = append(elems, elem)
	}
	if typ.kind == KindTuple || typ.kind == KindUDT {
		var v []byte
		for _, e := range elems {
			v = AppendElement(v, e) // Build would fill up missing fields
		}
		return append([]byte{}, v...)
	}
	v, err := typ.Build(elems)
	if err != nil {
		t.Fatalf("Build(%s): %v", typ, err)
	}
	return v
}

func drawBytes(t *rapid.T, alphabet []byte) []byte {
	return append([]byte{}, rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 6).Draw(t, "bytes")...)
}

func drawBytesN(t *rapid.T, n int) []byte {
	if rapid.Bool().Draw(t, "few") {
		return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xff}), n, n).Draw(t, "bytes")
	}
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")
}

func drawInt64(t *rapid.T) int64 {
	return rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64(), rapid.SampledFrom([]int64{-1 << 63, 1<<63 - 1, -1 << 31, 1 << 31})).
		Draw(t, "int")
}

func drawFloatBits(t *rapid.T) uint64 {
	return rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{
		0, 1 << 63, 1, 1<<63 | 1, 0x7ff0000000000000, 0xfff0000000000000, // zeros, subnormals, infinities of a double
		0x7ff8000000000000, 0xfff8000000000001, 0x7fffffffffffffff, // NaNs
		0x7f800000 << 32, 0xff800000 << 32, 0x7fc00000 << 32, 0xffc00001 << 32, // the same of a float
		0x3ff0000000000000, 0xbff0000000000000, 0x3f800000 << 32,
	})).Draw(t, "bits")
}

// drawVarint draws a number, sometimes large, sometimes with needless leading bytes.
func drawVarint(t *rapid.T) []byte {
	var v []byte
	switch rapid.IntRange(0, 3).Draw(t, "size") {
	case 0:
		v = appendVarint(nil, drawInt64(t))
	case 1:
		x := big.NewInt(rapid.Int64Range(-1000, 1000).Draw(t, "factor"))
		v = appendBigVarint(nil, x.Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(rapid.Int64Range(0, 400).Draw(t, "zeros")), nil)))
	default:
		v = rapid.SliceOfN(rapid.Byte(), 1, 24).Draw(t, "varint")
	}
	pad := byte(0)
	if v[0] >= 0x80 {
		pad = 0xff
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "padding") {
		v = append([]byte{pad}, v...)
	}
	return v
}

func drawScale(t *rapid.T) int32 {
	return rapid.OneOf(rapid.Int32Range(-3, 3), rapid.Int32Range(-400, 400), rapid.Int32(), rapid.SampledFrom([]int32{-1 << 31, 1<<31 - 1})).
		Draw(t, "scale")
}

func drawDuration(t *rapid.T) Duration {
	d := Duration{
		Months:      rapid.Int32Range(0, 1<<31-1).Draw(t, "months"),
		Days:        rapid.Int32Range(0, 1<<31-1).Draw(t, "days"),
		Nanoseconds: rapid.Int64Range(0, 1<<63-1).Draw(t, "nanoseconds"),
	}
	if rapid.Bool().Draw(t, "negative") {
		d = Duration{-d.Months, -d.Days, -d.Nanoseconds}
	}
	return d
}

// ratOf returns the number that a decimal with a scale of at most a few thousand stands for.
func ratOf(v []byte) *big.Rat {
	scale := int64(int32(binary.BigEndian.Uint32(v)))
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(scale, -scale)), nil)
	r := new(big.Rat).SetInt(setBig(new(big.Int), v[4:]))
	if scale > 0 {
		return r.Quo(r, new(big.Rat).SetInt(power))
	}
	return r.Mul(r, new(big.Rat).SetInt(power))
}
