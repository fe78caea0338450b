package cqltype

import (
	"bytes"
	"errors"
	"testing"
)

// fuzzTypes are one type of every kind and some nested ones, for fuzz targets to choose from by number.
func fuzzTypes() []*Type {
	var types []*Type
	for _, k := range nativeKinds() {
		types = append(types, Native(k))
	}
	addr := must(UDT("ks", "addr", []Field{{"street", TypeText}, {"no", TypeInt}})).Frozen()
	return append(types,
		must(ListOf(TypeInt)), must(SetOf(TypeText)), must(MapOf(TypeDecimal, TypeVarint)),
		must(TupleOf(TypeBoolean, TypeInet, TypeFloat)), addr, must(VectorOf(TypeFloat, 2)), must(VectorOf(TypeText, 2)),
		must(ListOf(must(TupleOf(TypeUUID, must(VectorOf(TypeSmallint, 2)), addr)))),
		must(VectorOf(must(VectorOf(TypeDuration, 1)), 2)))
}

func pickType(n uint8) *Type {
	types := fuzzTypes()
	return types[int(n)%len(types)]
}

func FuzzValidate(f *testing.F) {
	for i := range fuzzTypes() {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte("sixteen or more bytes of text"))
		f.Add(uint8(i), []byte{0, 0, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4, 0x10, 0, 0, 0})
		f.Add(uint8(i), []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, n uint8, v []byte) {
		typ := pickType(n)
		if v == nil {
			v = []byte{}
		}
		typ.AppendText(nil, v)
		typ.AppendLiteral(nil, v)
		typ.Compare(v, v)
		err := typ.Validate(v)
		x, goErr := typ.GoValue(v)
		if target := (*ValueError)(nil); err != nil && !errors.As(err, &target) || (err == nil) != (goErr == nil) {
			t.Fatalf("%s: Validate(%x): %v, GoValue: %v, %v", typ, v, err, x, goErr)
		}
		key := typ.AppendKey(nil, v, false)
		if rest, skipErr := typ.SkipKey(key, false); skipErr != nil || len(rest) > 0 {
			t.Fatalf("%s: key %x of %x: %x, %v", typ, key, v, rest, skipErr)
		}
		if err != nil {
			return
		}
		got, _, err := typ.ReadKey(key, false, nil)
		if err != nil || typ.Validate(got) != nil || typ.Compare(got, v) != 0 {
			t.Fatalf("%s: %x has key %x and came back as %x, %v", typ, v, key, got, err)
		}
	})
}

func FuzzReadKey(f *testing.F) {
	for i, typ := range fuzzTypes() {
		f.Add(uint8(i), i%2 == 1, typ.AppendKey(nil, []byte{0, 0, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4}, i%2 == 1))
	}
	f.Fuzz(func(t *testing.T, n uint8, desc bool, key []byte) {
		typ := pickType(n)
		value, rest, err := typ.ReadKey(key, desc, nil)
		skipped, skipErr := typ.SkipKey(key, desc)
		if err != nil {
			if target := (*KeyError)(nil); !errors.As(err, &target) || len(err.Error()) == 0 {
				t.Fatalf("%s: ReadKey(%x): %T %v", typ, key, err, err)
			}
			return
		}
		if skipErr != nil || !bytes.Equal(rest, skipped) {
			t.Fatalf("%s: ReadKey(%x) leaves %x, SkipKey %x, %v", typ, key, rest, skipped, skipErr)
		}
		if again := typ.AppendKey(nil, value, desc); !bytes.Equal(again, key[:len(key)-len(rest)]) {
			t.Fatalf("%s: key %x is of %x, whose key is %x", typ, key, value, again)
		}
	})
}

func FuzzFromLiteral(f *testing.F) {
	for i, text := range []string{"2011-02-03 04:05:06.789+0100", "2011-02-03T04:05 Europe/Paris", "08:12:54.123456789", "-1.5e-10",
		"1y2mo3w4d5h6m7s8ms9us10ns", "P2011-02-03T04:05:06", "P1Y2M3DT4H5M6S", "::ffff:1.2.3.4", "1.2.3", "0xcafe",
		"550e8400-e29b-41d4-a716-446655440000", "-Infinity", "99999999999999999999", "TRUE"} {
		f.Add(uint8(i), uint8(LiteralString), text)
	}
	f.Fuzz(func(t *testing.T, n, k uint8, text string) {
		typ := pickType(n)
		kind := LiteralKind(k % 8)
		v, err := typ.FromLiteral(kind, text)
		if err != nil {
			if target := (*ValueError)(nil); !errors.As(err, &target) {
				t.Fatalf("%s: %T %v", typ, err, err)
			}
			return
		}
		if err := typ.Validate(v); err != nil || v == nil || !typ.Accepts(kind) {
			t.Fatalf("%s: %s %q became %x: %v", typ, kind, text, v, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`map<text, frozen<set<"My Type">>>`)
	f.Add("frozen<tuple<int, vector<float, 3>>>")
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := parseTest(text)
		if err != nil {
			if target := (*TypeError)(nil); !errors.As(err, &target) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if again, err := parseTest(typ.String()); err != nil || !again.Equal(typ) {
			t.Fatalf("%q is %s, which is %v, %v", text, typ, again, err)
		}
	})
}
