package cqltype

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// forEachType runs a property for every native type, and for composite types that are drawn.
func forEachType(t *testing.T, property func(t *rapid.T, typ *Type)) {
	for _, k := range nativeKinds() {
		t.Run(k.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { property(t, Native(k)) })
		})
	}
	t.Run("composite", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { property(t, drawType(t, 2)) })
	})
}

func TestKeyOrder(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		a, b := drawValue(t, typ), drawValue(t, typ)
		want := typ.Compare(a, b)
		if back := typ.Compare(b, a); back != -want {
			t.Fatalf("%s: Compare(%x, %x) = %d but %d the other way round", typ, a, b, want, back)
		}
		if got := bytes.Compare(typ.AppendKey(nil, a, false), typ.AppendKey(nil, b, false)); got != want {
			t.Fatalf("%s: Compare(%x, %x) = %d, their keys compare as %d", typ, a, b, want, got)
		}
		if got := bytes.Compare(typ.AppendKey(nil, a, true), typ.AppendKey(nil, b, true)); got != -want {
			t.Fatalf("%s: Compare(%x, %x) = %d, their descending keys compare as %d", typ, a, b, want, got)
		}
	})
}

func TestKeyRoundTrip(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		v := drawValue(t, typ)
		desc := rapid.Bool().Draw(t, "desc")
		tail := drawBytes(t, []byte{0, 1, 2, 0xfe, 0xff})
		key := typ.AppendKey([]byte("head"), v, desc)
		if !bytes.HasPrefix(key, []byte("head")) {
			t.Fatalf("AppendKey changed what was there: %x", key)
		}
		key = append(key[len("head"):], tail...)
		got, rest, err := typ.ReadKey(key, desc, []byte("head"))
		if err != nil || !bytes.Equal(rest, tail) || !bytes.HasPrefix(got, []byte("head")) {
			t.Fatalf("%s: ReadKey(%x) = %x, %x, %v", typ, key, got, rest, err)
		}
		got = got[len("head"):]
		if err := typ.Validate(got); err != nil || got == nil {
			t.Fatalf("%s: %x came back as %x: %v", typ, v, got, err)
		}
		if typ.Compare(got, v) != 0 {
			t.Fatalf("%s: %x came back as %x, which is not equal", typ, v, got)
		}
		if again := typ.AppendKey(nil, got, desc); !bytes.Equal(again, key[:len(key)-len(tail)]) {
			t.Fatalf("%s: %x and its canonical form %x have keys %x and %x", typ, v, got, key, again)
		}
		if isCanonicalType(typ) && !bytes.Equal(got, v) {
			t.Fatalf("%s: %x came back as %x", typ, v, got)
		}
		if skipped, err := typ.SkipKey(key, desc); err != nil || !bytes.Equal(skipped, tail) {
			t.Fatalf("%s: SkipKey(%x) = %x, %v", typ, key, skipped, err)
		}
	})
}

// isCanonicalType reports whether only identical values of t compare equal.
func isCanonicalType(t *Type) bool {
	for u := range t.Walk() {
		switch u.kind {
		case KindBoolean, KindDecimal, KindDouble, KindFloat, KindVarint, KindTuple, KindUDT:
			return false
		}
	}
	return true
}

func TestKeyIsPrefixFree(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		a, b := drawValue(t, typ), drawValue(t, typ)
		desc := rapid.Bool().Draw(t, "desc")
		ka, kb := typ.AppendKey(nil, a, desc), typ.AppendKey(nil, b, desc)
		if bytes.HasPrefix(kb, ka) != bytes.Equal(ka, kb) {
			t.Fatalf("%s: the key %x of %x is a prefix of the key %x of %x", typ, ka, a, kb, b)
		}
	})
}

// TestTruncatedKeys: no key can be read once its end is missing.
func TestTruncatedKeys(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		desc := rapid.Bool().Draw(t, "desc")
		key := typ.AppendKey(nil, drawValue(t, typ), desc)
		key = key[:rapid.IntRange(0, len(key)-1).Draw(t, "length")]
		var target *KeyError
		if value, _, err := typ.ReadKey(key, desc, nil); !errors.As(err, &target) {
			t.Fatalf("%s: ReadKey(%x) = %x, %v", typ, key, value, err)
		}
		if rest, err := typ.SkipKey(key, desc); !errors.As(err, &target) {
			t.Fatalf("%s: SkipKey(%x) = %x, %v", typ, key, rest, err)
		}
	})
}

// TestKeyTuples joins the keys of several components with directions of their own.
func TestKeyTuples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "columns")
		types, desc := make([]*Type, n), make([]bool, n)
		for i := range n {
			types[i], desc[i] = drawType(t, 1), rapid.Bool().Draw(t, "desc")
		}
		row := func() (values [][]byte, ends []int, key []byte) {
			for i, typ := range types {
				values = append(values, drawValue(t, typ))
				key = typ.AppendKey(key, values[i], desc[i])
				ends = append(ends, len(key))
			}
			return values, ends, key
		}
		a, endsA, ka := row()
		b, _, kb := row()
		if rapid.Bool().Draw(t, "common prefix") {
			k := rapid.IntRange(1, n).Draw(t, "length")
			copy(b, a[:k])
			kb = kb[:0]
			for i, typ := range types {
				kb = typ.AppendKey(kb, b[i], desc[i])
			}
		}
		want, common := 0, 0
		for ; common < n && want == 0; common++ {
			if want = types[common].Compare(a[common], b[common]); desc[common] {
				want = -want
			}
		}
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("rows %x and %x compare as %d, their keys as %d", a, b, want, got)
		}
		if want != 0 {
			common--
		}
		for i, end := range endsA {
			prefix := ka[:end]
			successor := PrefixSuccessor(nil, prefix)
			inside := bytes.Compare(kb, prefix) >= 0 && (successor == nil || bytes.Compare(kb, successor) < 0)
			if inside != (i < common) {
				t.Fatalf("row %x in the range of the first %d columns of %x: %v", b, i+1, a, inside)
			}
		}
	})
}

// TestKeyOfMalformedValues: bytes that are no value must not damage the components beside them.
func TestKeyOfMalformedValues(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		v := append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")...)
		desc := rapid.Bool().Draw(t, "desc")
		key := append(typ.AppendKey(nil, v, desc), "tail"...)
		if rest, err := typ.SkipKey(key, desc); err != nil || string(rest) != "tail" {
			t.Fatalf("%s: SkipKey of the key %x of %x = %q, %v", typ, key, v, rest, err)
		}
		typ.Compare(v, drawValue(t, typ)) // must not panic
		typ.Compare(drawValue(t, typ), v)
		got, rest, err := typ.ReadKey(key, desc, nil)
		if err != nil || string(rest) != "tail" {
			t.Fatalf("%s: ReadKey of the key %x of %x = %q, %v", typ, key, v, rest, err)
		}
		if isCanonicalType(typ) && !bytes.Equal(got, v) {
			t.Fatalf("%s: %x came back as %x", typ, v, got)
		}
	})
}

func TestDecimalOrderIsNumeric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() []byte {
			return append(appendInt(nil, 4, int64(rapid.Int32Range(-60, 60).Draw(t, "scale"))), drawVarint(t)...)
		}
		a, b := draw(), draw()
		if got, want := TypeDecimal.Compare(a, b), ratOf(a).Cmp(ratOf(b)); got != want {
			t.Fatalf("Compare(%s, %s) = %d, want %d", text(TypeDecimal, a), text(TypeDecimal, b), got, want)
		}
	})
}

func TestKeySizes(t *testing.T) {
	check := func(typ *Type, literal LiteralKind, text string, want int) {
		t.Helper()
		v, err := typ.FromLiteral(literal, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(typ.AppendKey(nil, v, false)); got != want {
			t.Errorf("key of %s %s has %d bytes, want %d", typ, text, got, want)
		}
	}
	check(TypeInt, LiteralInteger, "7", 5)
	check(TypeTimestamp, LiteralInteger, "7", 9)
	check(TypeText, LiteralString, "word", 6)
	check(TypeUUID, LiteralUUID, "550e8400-e29b-41d4-a716-446655440000", 17)
	check(TypeBoolean, LiteralBoolean, "true", 1)
	check(TypeInet, LiteralString, "127.0.0.1", 6)
	check(TypeVarint, LiteralInteger, "7", 2)
	check(TypeDecimal, LiteralFloat, "12.50", 6) // sign, exponent in two, 12, 50, end
}

func TestCanonicalDecimals(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		v, err := TypeDecimal.FromLiteral(LiteralFloat, in)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := TypeDecimal.ReadKey(TypeDecimal.AppendKey(nil, v, false), false, nil)
		if err != nil || text(TypeDecimal, got) != want {
			t.Errorf("%s came back as %s, %v, want %s", in, text(TypeDecimal, got), err, want)
		}
	}
	check("1.00", "1")
	check("-1.50", "-1.5")
	check("100", "100")
	check("1E+2", "100")
	check("0.000", "0")
	check("0E+5", "0")
	check("1E+39", "1"+string(bytes.Repeat([]byte("0"), 39)))
	check("1E+40", "1E+40")
	check("10E+2147483648", "1.0E+2147483649") // the scale must fit 32 bits
	check("12345678901234567890123456789", "12345678901234567890123456789")
}

func TestPrefixSuccessor(t *testing.T) {
	check := func(prefix, want []byte) {
		t.Helper()
		got := PrefixSuccessor([]byte("x"), prefix)
		if want != nil {
			want = append([]byte("x"), want...)
		}
		if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("PrefixSuccessor(%x) = %x, want %x", prefix, got, want)
		}
	}
	check([]byte{1}, []byte{2})
	check([]byte{1, 0xff}, []byte{2})
	check([]byte{1, 0xfe, 0xff, 0xff}, []byte{1, 0xff})
	check([]byte{0xff, 0xff}, nil)
	check(nil, nil)
	if in := []byte{1, 2}; PrefixSuccessor(nil, in) == nil || !bytes.Equal(in, []byte{1, 2}) {
		t.Errorf("PrefixSuccessor changed its argument to %x", in)
	}
}

func TestCorruptKeys(t *testing.T) {
	check := func(typ *Type, key ...byte) {
		t.Helper()
		for _, desc := range []bool{false, true} {
			in := slices.Clone(key)
			if desc {
				complement(in)
			}
			value, _, err := typ.ReadKey(in, desc, nil)
			if target := (*KeyError)(nil); !errors.As(err, &target) {
				t.Errorf("%s: ReadKey(%x) = %x, %v, want a KeyError", typ, in, value, err)
			}
			if rest, err := typ.SkipKey(in, desc); err == nil && len(rest) >= len(in) {
				t.Errorf("%s: SkipKey(%x) = %x", typ, in, rest)
			}
		}
	}
	list := must(ListOf(TypeInt)).Frozen()
	tuple := must(TupleOf(TypeInt, TypeText))
	check(TypeInt)
	check(TypeInt, 0x02, 1, 2, 3)
	check(TypeInt, 0x09)
	check(TypeInt, 0x03, 1, 2, 3, 4, 0, 1) // a regular value in the raw form
	check(TypeText, 'a')
	check(TypeText, 'a', 0)
	check(TypeText, 'a', 0, 7)
	check(TypeVarint, 0x81, 0xff)    // sign of marker and number differ
	check(TypeVarint, 0x82, 0, 1)    // a needless byte
	check(TypeVarint, 0xff, 0, 0, 0) // no length
	check(TypeVarint, 0xff, 1, 0, 0, 0, 1)
	check(TypeVarint, 0xff, 0, 0, 0, 1, 1) // long form of a short number
	check(TypeDecimal, 0x04, 0x81, 1)
	check(TypeDecimal, 0x04, 0x81, 1, 0)        // no digits
	check(TypeDecimal, 0x04, 0x81, 1, 5, 0)     // a zero in front
	check(TypeDecimal, 0x04, 0x81, 1, 11, 1, 0) // zeros at the end
	check(TypeDecimal, 0x04, 0x81, 1, 101, 0)   // no pair of digits
	check(TypeDecimal, 0x04, 0x88, 0x7f, 0, 0, 0, 0, 0, 0, 0, 11, 0)
	check(TypeFloat, 0x02, 0xff, 0xff, 0xff, 0xff) // not the canonical NaN
	check(TypeDouble, 0x02, 0, 0, 0, 0, 0, 0, 0, 0)
	check(TypeInet, 0x02, 1, 2, 3, 4)
	check(TypeInet, 0x02, 1, 2, 3, 4, 2, 5)
	check(TypeInet, 0x02, 1, 2, 3, 4, 9)
	check(TypeBoolean, 0x07)
	check(TypeBoolean, 0x04, 1, 0, 1) // a regular value in the raw form
	check(TypeDecimal, 0x07)
	check(TypeDecimal, 0x05, 0, 1)
	check(TypeVarint, 0x80)
	check(list, 0x07)
	check(list, 0x02, 0x02, 0x07)
	check(list, 0x03, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 1) // a well-formed value in the raw form
	check(tuple, 0x02, 0x07)
	check(tuple, 0x02, 0x02, 0x01, 0x02, 0x00, 0x01, 0x02, 0x00, 0x01, 0x00) // a third field
	check(must(VectorOf(TypeInt, 1)), 0x02, 0x07)
	check(list, 0x02, 0x02)
	check(list, 0x02, 0x01, 0x00)  // null in a list
	check(tuple, 0x02, 0x01, 0x00) // a trailing null
	check(tuple, 0x02, 0x01, 0x01, 0x02, 0x00)
	check(must(VectorOf(TypeInt, 1)), 0x02, 0x01) // an empty element in a vector of fixed size
}

// text returns AppendText as a string.
func text(typ *Type, v []byte) string { return string(typ.AppendText(nil, v)) }
