package cqltype

import (
	"encoding/binary"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"time"
)

// GoValue returns value in the Go form that is natural for t, which Decode also stores in variables of type any. It
// is nil for null and for zero bytes of a type whose values have a size. Bytes that do not pass Validate give a ValueError.
func (t *Type) GoValue(value []byte) (any, error) {
	if err := t.Validate(value); err != nil {
		return nil, err
	}
	if value == nil || len(value) == 0 && !t.ordinaryEmpty() {
		return nil, nil
	}
	return t.codec.goValue(value)
}

// nativeGoTypes is indexed by Kind.
var nativeGoTypes = [...]reflect.Type{
	KindASCII: reflect.TypeFor[string](), KindBigint: reflect.TypeFor[int64](), KindBlob: reflect.TypeFor[[]byte](),
	KindBoolean: reflect.TypeFor[bool](), KindCounter: reflect.TypeFor[int64](), KindDate: reflect.TypeFor[Date](),
	KindDecimal: reflect.TypeFor[Decimal](), KindDouble: reflect.TypeFor[float64](),
	KindDuration: reflect.TypeFor[Duration](), KindFloat: reflect.TypeFor[float32](),
	KindInet: reflect.TypeFor[netip.Addr](), KindInt: reflect.TypeFor[int32](), KindSmallint: reflect.TypeFor[int16](),
	KindText: reflect.TypeFor[string](), KindTime: reflect.TypeFor[time.Duration](),
	KindTimestamp: reflect.TypeFor[time.Time](), KindTimeUUID: reflect.TypeFor[UUID](),
	KindTinyint: reflect.TypeFor[int8](), KindUUID: reflect.TypeFor[UUID](), KindVarint: reflect.TypeFor[*big.Int](),
}

// GoType returns the type of the values that GoValue returns for t: string for text, []int32 for list<int>,
// map[string]time.Time for map<text, timestamp>, []any for tuples, map[string]any for UDTs. Maps whose keys Go
// cannot use as such are []Entry.
func (t *Type) GoType() reflect.Type {
	switch t.kind {
	case KindList, KindSet, KindVector:
		return reflect.SliceOf(t.elems[0].GoType())
	case KindTuple:
		return reflect.TypeFor[[]any]()
	case KindUDT:
		return reflect.TypeFor[map[string]any]()
	case KindMap:
		key := t.elems[0]
		if k := key.GoType(); key.kind.IsNative() && k.Comparable() && key.kind != KindVarint && key.kind != KindDecimal {
			return reflect.MapOf(k, t.elems[1].GoType())
		}
		return reflect.TypeFor[[]Entry]()
	}
	return nativeGoTypes[t.kind]
}

func (c compositeCodec) goValue(v []byte) (any, error) {
	x := reflect.New(c.t.GoType()).Elem()
	_, err := c.t.decodeElements(v, x)
	return x.Interface(), err
}

// encode knows the vectors of floats that machine learning brings, as they are long.
func (c compositeCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	floats, ok := v.([]float32)
	if !ok || floats == nil || !c.isFloatVector() {
		return dst, false, nil
	}
	if len(floats) != c.t.dimension {
		return dst, true, c.t.checkElements(make([][]byte, len(floats)))
	}
	dst = slices.Grow(dst, c.t.size)
	for _, f := range floats {
		dst = appendInt(dst, 4, int64(math.Float32bits(f)))
	}
	return dst, true, nil
}

func (c compositeCodec) decode(v []byte, dest any) (ok bool, err error) {
	floats, ok := dest.(*[]float32)
	if !ok || !c.isFloatVector() || len(v) != c.t.size {
		return false, nil
	}
	*floats = make([]float32, c.t.dimension)
	for i := range *floats {
		(*floats)[i] = math.Float32frombits(binary.BigEndian.Uint32(v[4*i:]))
	}
	return true, nil
}

func (c compositeCodec) isFloatVector() bool {
	return c.t.kind == KindVector && c.t.elems[0].kind == KindFloat
}
