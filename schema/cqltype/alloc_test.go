package cqltype

import (
	"testing"
	"time"
)

// TestHotPathsDoNotAllocate holds the promise of the comments: nothing but the result is allocated.
func TestHotPathsDoNotAllocate(t *testing.T) {
	check := func(name string, want float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(50, f); got > want {
			t.Errorf("%s allocates %v times, want %v", name, got, want)
		}
	}
	addr, _ := addrType("", "addr")
	tuple := must(TupleOf(TypeText, must(ListOf(TypeDecimal)), addr, must(VectorOf(TypeText, 1))))
	values := map[*Type][]byte{
		TypeText: []byte("word\x00"), TypeInt: {0, 0, 0, 1}, TypeTimestamp: appendInt(nil, 8, 1296705900123), TypeUUID: make([]byte, 16),
		TypeBoolean: {1}, TypeFloat: {0x3f, 0x80, 0, 0}, TypeInet: {1, 2, 3, 4}, TypeDecimal: {0, 0, 0, 2, 4, 210},
	}
	list, _ := must(ListOf(TypeDecimal)).Build([][]byte{{0, 0, 0, 2, 4, 210}, {0, 0, 0, 0, 1}})
	value, err := tuple.Build([][]byte{[]byte("a"), list, AppendElement(nil, []byte("Main")), []byte("\x03abc")})
	if err != nil || tuple.Validate(value) != nil {
		t.Fatal(err, tuple.Validate(value))
	}
	values[tuple] = value
	dst := make([]byte, 0, 512)
	for typ, v := range values {
		key := typ.AppendKey(nil, v, true)
		check("Compare "+typ.String(), 0, func() { typ.Compare(v, v) })
		check("Validate "+typ.String(), 0, func() { _ = typ.Validate(v) })
		check("AppendKey "+typ.String(), 0, func() { dst = typ.AppendKey(dst[:0], v, true) })
		check("ReadKey "+typ.String(), 0, func() { dst, _, _ = typ.ReadKey(key, true, dst[:0]) })
		check("SkipKey "+typ.String(), 0, func() { _, _ = typ.SkipKey(key, true) })
		check("AppendText "+typ.String(), 0, func() { dst = typ.AppendText(dst[:0], v) })
	}
	large := append([]byte{0, 0, 0, 1}, make([]byte, 128)...)
	large[4] = 0x7f
	check("AppendKey of 128 bytes of decimal", 0, func() { dst = TypeDecimal.AppendKey(dst[:0], large, false) })

	var (
		text    any = "word"
		integer any = 7
		at      any = time.UnixMilli(1296705900123)
		s       string
		n       int
		tm      time.Time
		u       UUID
	)
	check("AppendEncode text", 0, func() { dst, _, _ = TypeText.AppendEncode(dst[:0], text) })
	check("AppendEncode int", 0, func() { dst, _, _ = TypeInt.AppendEncode(dst[:0], integer) })
	check("AppendEncode timestamp", 0, func() { dst, _, _ = TypeTimestamp.AppendEncode(dst[:0], at) })
	check("Encode text", 1, func() { _, _ = TypeText.Encode(text) })
	check("Decode text", 1, func() { _ = TypeText.Decode(values[TypeText], &s) })
	check("Decode int", 0, func() { _ = TypeInt.Decode(values[TypeInt], &n) })
	check("Decode timestamp", 0, func() { _ = TypeTimestamp.Decode(values[TypeTimestamp], &tm) })
	check("Decode uuid", 0, func() { _ = TypeUUID.Decode(values[TypeUUID], &u) })
}
