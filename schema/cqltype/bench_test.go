package cqltype

import (
	"testing"
	"time"
)

// benchValues returns two values of a type that differ late.
func benchValues(b *testing.B, typ *Type, k LiteralKind, first, second string) (x, y []byte) {
	x, err1 := typ.FromLiteral(k, first)
	y, err2 := typ.FromLiteral(k, second)
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return x, y
}

// forBenchTypes runs a benchmark for the types of the hot paths.
func forBenchTypes(b *testing.B, run func(b *testing.B, typ *Type, x, y []byte)) {
	for _, c := range []struct {
		typ           *Type
		literal       LiteralKind
		first, second string
	}{
		{TypeInt, LiteralInteger, "123456", "123457"},
		{TypeText, LiteralString, "enron.announcements", "enron.announcement5"},
		{TypeTimestamp, LiteralInteger, "1296705900000", "1296705900001"},
		{TypeTimeUUID, LiteralUUID, "c9072950-2f4a-11e0-b1d2-0123456789ab", "c9072950-2f4a-11e0-b1d2-0123456789ac"},
		{TypeUUID, LiteralUUID, "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440001"},
		{TypeDecimal, LiteralFloat, "12345.67", "12345.678"},
		{TypeVarint, LiteralInteger, "12345678901234567890", "12345678901234567891"},
	} {
		x, y := benchValues(b, c.typ, c.literal, c.first, c.second)
		b.Run(c.typ.String(), func(b *testing.B) {
			b.ReportAllocs()
			run(b, c.typ, x, y)
		})
	}
	x, y := benchValues(b, TypeDecimal, LiteralFloat, "12345678901234567890123456789.1", "12345678901234567890123456789.12")
	b.Run("decimal/large", func(b *testing.B) {
		b.ReportAllocs()
		run(b, TypeDecimal, x, y)
	})
	tuple := must(TupleOf(TypeInt, TypeText))
	x, y = AppendElement(AppendElement(nil, ints(1)[0]), []byte("abc")), AppendElement(AppendElement(nil, ints(1)[0]), []byte("abd"))
	b.Run("tuple", func(b *testing.B) {
		b.ReportAllocs()
		run(b, tuple, x, y)
	})
}

func BenchmarkCompare(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, y []byte) {
		for b.Loop() {
			if typ.Compare(x, y) == 0 {
				b.Fatal("equal")
			}
		}
	})
}

func BenchmarkAppendKey(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, _ []byte) {
		dst := make([]byte, 0, 256)
		for b.Loop() {
			dst = typ.AppendKey(dst[:0], x, true)
		}
	})
}

func BenchmarkReadKey(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, _ []byte) {
		key := typ.AppendKey(nil, x, true)
		dst := make([]byte, 0, 256)
		for b.Loop() {
			if _, _, err := typ.ReadKey(key, true, dst[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSkipKey(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, _ []byte) {
		key := typ.AppendKey(nil, x, false)
		for b.Loop() {
			if _, err := typ.SkipKey(key, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, _ []byte) {
		for b.Loop() {
			if err := typ.Validate(x); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendText(b *testing.B) {
	forBenchTypes(b, func(b *testing.B, typ *Type, x, _ []byte) {
		dst := make([]byte, 0, 256)
		for b.Loop() {
			dst = typ.AppendText(dst[:0], x)
		}
	})
}

// benchGoValues pairs types with Go values that take the fast path.
func benchGoValues() map[*Type]any {
	u, _ := ParseUUID("c9072950-2f4a-11e0-b1d2-0123456789ab")
	d, _ := ParseDecimal("12345.67")
	return map[*Type]any{
		TypeInt: 123456, TypeBigint: int64(123456), TypeText: "enron.announcements", TypeBlob: []byte("abcdef"),
		TypeTimestamp: time.UnixMilli(1296705900000), TypeTimeUUID: u, TypeDecimal: d,
		must(VectorOf(TypeFloat, 128)): make([]float32, 128),
	}
}

func BenchmarkAppendEncode(b *testing.B) {
	for typ, v := range benchGoValues() {
		b.Run(typ.String(), func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 1024)
			for b.Loop() {
				var err error
				if dst, _, err = typ.AppendEncode(dst[:0], v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for typ, v := range benchGoValues() {
		b.Run(typ.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := typ.Encode(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	run := func(name string, typ *Type, v any, dest any) {
		value, err := typ.Encode(v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := typ.Decode(value, dest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("int", TypeInt, 123456, new(int))
	run("bigint", TypeBigint, 123456, new(int64))
	run("text", TypeText, "enron.announcements", new(string))
	run("blob", TypeBlob, "enron.announcements", new([]byte))
	run("timestamp", TypeTimestamp, int64(1296705900000), new(time.Time))
	run("uuid", TypeUUID, "550e8400-e29b-41d4-a716-446655440000", new(UUID))
	run("decimal", TypeDecimal, "12345.67", new(Decimal))
	run("vector", must(VectorOf(TypeFloat, 128)), make([]float32, 128), new([]float32))
	run("list", must(ListOf(TypeText)), []string{"a", "b", "c"}, new([]string))
}
