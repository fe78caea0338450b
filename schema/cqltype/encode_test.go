package cqltype

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestGoValueRoundTrip: the natural Go form of a value encodes to an equal value, for any type.
func TestGoValueRoundTrip(t *testing.T) {
	forEachType(t, func(t *rapid.T, typ *Type) {
		v := drawValue(t, typ)
		x, err := typ.GoValue(v)
		if err != nil {
			t.Fatalf("%s: GoValue(%x): %v", typ, v, err)
		}
		if x != nil && reflect.TypeOf(x) != typ.GoType() {
			t.Fatalf("%s: GoValue(%x) is a %T, GoType %s", typ, v, x, typ.GoType())
		}
		if holdsLossy(typ) || len(v) == 0 && len(typ.elems) > 0 {
			return
		}
		got, err := typ.Encode(x)
		if x == nil {
			if len(v) > 0 || got != nil {
				t.Fatalf("%s: %x became nil and then %x", typ, v, got)
			}
			return
		}
		if err != nil || typ.Validate(got) != nil || typ.Compare(got, v) != 0 {
			t.Fatalf("%s: %x became %v and then %x, %v", typ, v, x, got, err)
		}
		p := reflect.New(typ.GoType())
		if err := typ.Decode(v, p.Interface()); err != nil {
			t.Fatalf("%s: Decode(%x): %v", typ, v, err)
		}
		if got, err := typ.Encode(p.Interface()); err != nil || typ.Compare(got, v) != 0 {
			t.Fatalf("%s: %x was decoded as %v and became %x, %v", typ, v, p.Elem(), got, err)
		}
	})
}

// holdsLossy reports whether values of t have elements whose Go forms say less than they do: empty values become zero, nil
// or nulls, NaNs are never equal as map keys, and sets and maps are sorted when they are built.
func holdsLossy(t *Type) bool {
	for u := range t.Walk() {
		if u.kind == KindSet || u.kind == KindMap {
			return true
		}
		for _, e := range u.elems {
			if e.AllowsEmpty() && e.kind != KindText && e.kind != KindASCII && e.kind != KindBlob {
				return true
			}
		}
	}
	return false
}

type (
	namedString string
	namedInt    int16
	namedFloat  float64
	namedBool   bool
	namedBytes  []byte
	namedUUID   [16]byte
)

// celsius is an int that CQL sees in Kelvin.
type celsius int

func (c celsius) EncodeCQL(t *Type) ([]byte, error) { return t.Encode(int(c) + 273) }

func (c *celsius) DecodeCQL(t *Type, value []byte) error {
	var kelvin int
	err := t.Decode(value, &kelvin)
	*c = celsius(kelvin - 273)
	return err
}

// broken is an Encoder that does not keep to the type.
type broken struct{}

func (broken) EncodeCQL(*Type) ([]byte, error) { return []byte{1, 2, 3}, nil }

func ptr[T any](v T) *T { return &v }

// encodesTo checks Encode with the help of AppendLiteral, or its error, and does so once more behind a pointer.
func encodesTo(t *testing.T, typ *Type, v any, want string) {
	t.Helper()
	got, err := typ.Encode(v)
	s := string(typ.AppendLiteral(nil, got))
	if err != nil {
		s = "error: " + err.Error()
		if target := (*ValueError)(nil); !errors.As(err, &target) {
			t.Errorf("Encode(%s, %v): %T", typ, v, err)
		}
	}
	if s != want {
		t.Errorf("Encode(%s, %T %v) = %s, want %s", typ, v, v, s, want)
	}
	if v != nil && err == nil { // once more behind a pointer
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		if again, err := typ.Encode(p.Interface()); err != nil || !bytes.Equal(got, again) {
			t.Errorf("Encode(%s, *%T) = %x, %v, want %x", typ, v, again, err, got)
		}
	}
}

func TestEncodeNumbers(t *testing.T) {
	check := func(typ *Type, v any, want string) { t.Helper(); encodesTo(t, typ, v, want) }
	check(TypeInt, nil, "null")
	check(TypeInt, (*int)(nil), "null")
	check(TypeBlob, []byte(nil), "null")
	check(TypeVarint, (*big.Int)(nil), "null")
	check(TypeInet, net.IP(nil), "null")
	for _, v := range []any{int(7), int8(7), int16(7), int32(7), int64(7), uint(7), uint8(7), uint16(7), uint32(7), uint64(7), namedInt(7), big.NewInt(7), ptr(ptr(7))} {
		for _, typ := range []*Type{TypeTinyint, TypeSmallint, TypeInt, TypeBigint, TypeCounter, TypeVarint} {
			check(typ, v, "7")
		}
	}
	check(TypeTinyint, 128, "error: 128 is out of the range of a 1-byte integer")
	check(TypeTinyint, -128, "-128")
	check(TypeTinyint, -129, "error: -129 is out of the range of a 1-byte integer")
	check(TypeInt, int64(math.MaxInt32)+1, "error: 2147483648 is out of the range of a 4-byte integer")
	check(TypeBigint, uint64(math.MaxUint64), "error: 18446744073709551615 is out of the range of a 8-byte integer")
	check(TypeBigint, new(big.Int).Lsh(big.NewInt(1), 63), "error: 9223372036854775808 is out of the range of a 8-byte integer")
	check(TypeVarint, uint64(math.MaxUint64), "18446744073709551615")
	check(TypeVarint, uint(math.MaxUint64), "18446744073709551615")
	check(TypeVarint, "-12345678901234567890", "-12345678901234567890")
	check(TypeVarint, "x", "error: unable to make int from 'x'")
	check(TypeDecimal, "1.50", "1.50")
	check(TypeDecimal, "x", "error: unable to make BigDecimal from 'x'")
	check(TypeDecimal, Decimal{big.NewInt(-150), 2}, "-1.50")
	check(TypeDecimal, Decimal{}, "0")
	check(TypeDecimal, 7, "7")
	check(TypeDecimal, big.NewInt(7), "7")
	check(TypeFloat, float32(1.5), "1.5")
	check(TypeFloat, 1.5, "1.5")
	check(TypeFloat, namedFloat(1.5), "1.5")
	check(TypeFloat, 1e300, "error: 1e+300 is out of the range of a float")
	check(TypeFloat, math.Inf(-1), "-Infinity")
	check(TypeDouble, 1.5, "1.5")
	check(TypeDouble, float32(1.5), "1.5")
	check(TypeDouble, 1, "error: cannot encode int as double")
}

func TestEncodeText(t *testing.T) {
	check := func(typ *Type, v any, want string) { t.Helper(); encodesTo(t, typ, v, want) }
	check(TypeBoolean, true, "true")
	check(TypeBoolean, namedBool(false), "false")
	check(TypeText, "a", "'a'")
	check(TypeText, "", "''")
	check(TypeText, namedString("a"), "'a'")
	check(TypeText, []byte("a"), "'a'")
	check(TypeText, namedBytes("a"), "'a'")
	check(TypeText, "\xff", "error: String didn't validate.")
	check(TypeText, 1, "error: cannot encode int as text")
	check(TypeASCII, "\u00e9", "error: Invalid byte for ascii: -61")
	check(TypeBlob, []byte{}, "0x")
	check(TypeBlob, []byte{1}, "0x01")
	check(TypeBlob, "a", "0x61")
}

func TestEncodeOthers(t *testing.T) {
	check := func(typ *Type, v any, want string) { t.Helper(); encodesTo(t, typ, v, want) }
	check(TypeDate, time.Date(2011, 2, 3, 23, 59, 0, 0, time.FixedZone("", -3600)), "'2011-02-03'")
	check(TypeDate, "2011-02-03", "'2011-02-03'")
	check(TypeDate, Date(-1), "'1969-12-31'")
	check(TypeDate, time.Date(6000000, 1, 1, 0, 0, 0, 0, time.UTC), "error: year 6000000 is out of the range of a date")
	check(TypeTime, time.Hour, "'01:00:00.000000000'")
	check(TypeTime, int64(1), "'00:00:00.000000001'")
	check(TypeTime, "04:05:06", "'04:05:06.000000000'")
	check(TypeTime, 24*time.Hour, "error: Input long out of bounds: 86400000000000")
	check(TypeTimestamp, time.Date(2011, 2, 3, 4, 5, 6, 789e6, time.FixedZone("", 3600)), "'2011-02-03T03:05:06.789Z'")
	check(TypeTimestamp, int64(-1), "'1969-12-31T23:59:59.999Z'")
	check(TypeTimestamp, "2011-02-03", "'2011-02-03T00:00:00.000Z'")
	check(TypeTimestamp, time.Date(300000000, 1, 1, 0, 0, 0, 0, time.UTC), "error: year 300000000 is out of the range of a timestamp")
	check(TypeDuration, Duration{1, 2, 3}, "1mo2d3ns")
	check(TypeDuration, -time.Hour, "-1h")
	check(TypeDuration, "P1Y", "1y")
	check(TypeDuration, Duration{1, -2, 3}, "error: The duration months, days and nanoseconds must be all of the same sign (1, -2, 3)")
	check(TypeInet, netip.MustParseAddr("::1"), "'::1'")
	check(TypeInet, netip.Addr{}, "error: Unable to make inet address from the zero netip.Addr")
	check(TypeInet, net.IPv4(1, 2, 3, 4), "'1.2.3.4'")
	check(TypeInet, net.ParseIP("::1"), "'::1'")
	check(TypeInet, net.IP{1, 2}, "error: Unable to make inet address from a net.IP of 2 bytes")
	check(TypeInet, "1.2.3.4", "'1.2.3.4'")
	const u, tu = "550e8400-e29b-41d4-a716-446655440000", "c9072950-2f4a-11e0-b1d2-0123456789ab"
	parsed, _ := ParseUUID(u)
	check(TypeUUID, u, u)
	check(TypeUUID, parsed, u)
	check(TypeUUID, [16]byte(parsed), u)
	check(TypeUUID, namedUUID(parsed), u)
	check(TypeUUID, parsed[:], u)
	check(TypeUUID, parsed[:3], "error: UUID should be 16 or 0 bytes (3)")
	check(TypeTimeUUID, tu, tu)
	check(TypeTimeUUID, u, "error: TimeUUID supports only version 1 UUIDs")
	check(TypeTimeUUID, parsed, "error: Invalid version for TimeUUID type: 0x4")
	check(TypeInt, celsius(27), "300")
	check(TypeInt, broken{}, "error: Expected 4 or 0 byte int (3)")
	check(TypeInt, struct{}{}, "error: cannot encode struct {} as int")
	check(TypeInt, make(chan int), "error: cannot encode chan int as int")
}

type address struct {
	Street string
	Number *int   `cql:"no"`
	Note   string `cql:"-"`
	hidden string
}

func TestEncodeComposites(t *testing.T) {
	check := func(typ *Type, v any, want string) {
		t.Helper()
		got, err := typ.Encode(v)
		s := string(typ.AppendLiteral(nil, got))
		if err != nil {
			s = "error: " + err.Error()
		} else if err := typ.Validate(got); err != nil {
			t.Errorf("Encode(%s, %v): %v", typ, v, err)
		}
		if s != want {
			t.Errorf("Encode(%s, %T %v) = %s, want %s", typ, v, v, s, want)
		}
	}
	addr, _ := addrType("", "addr")
	list, set, m := must(ListOf(TypeInt)), must(SetOf(TypeText)), must(MapOf(TypeText, TypeInt))
	blobs, tuple, floats := must(MapOf(TypeBlob, TypeInt)), must(TupleOf(TypeInt, TypeText)), must(VectorOf(TypeFloat, 2))
	check(list, []int{1, 2}, "[1, 2]")
	check(list, [2]int8{1, 2}, "[1, 2]")
	check(list, []any{1, "2"}, "error: cannot encode string as int")
	check(list, []*int{nil}, "error: null is not supported inside collections")
	check(list, []int{}, "[]")
	check(list, []int(nil), "null")
	check(list, 1, "error: cannot encode int as list<int>")
	check(set, []string{"b", "a", "b"}, "{'a', 'b'}")
	check(set, map[string]struct{}{"b": {}, "a": {}}, "{'a', 'b'}")
	check(set, map[string]bool{"b": true}, "error: cannot encode map[string]bool as set<text>")
	check(m, map[string]int{"b": 1, "a": 2}, "{'a': 2, 'b': 1}")
	check(m, map[string]int(nil), "null")
	check(m, []Entry{{"b", 1}, {"a", 2}, {"b", 3}}, "{'a': 2, 'b': 3}")
	check(m, []string{"a"}, "error: cannot encode []string as map<text, int>")
	check(blobs, []Entry{{[]byte{2}, 1}, {[]byte{1}, 2}}, "{0x01: 2, 0x02: 1}")
	check(blobs, []Entry{{nil, 1}}, "error: null is not supported inside collections")
	check(tuple, []any{1, nil}, "(1, null)")
	check(tuple, []any{1}, "(1, null)")
	check(tuple, []any{1, "a", 2}, "error: Expected 2 values for frozen<tuple<int, text>>, but got 3")
	check(tuple, struct {
		A int
		B string
	}{1, "b"}, "(1, 'b')")
	check(tuple, struct{ A, B, C int }{}, "error: the fields of struct { A int; B int; C int } do not match those of frozen<tuple<int, text>>")
	check(tuple, time.Time{}, "error: the fields of time.Time do not match those of frozen<tuple<int, text>>")
	check(addr, address{Street: "Main", Number: ptr(5), Note: "x", hidden: "y"}, "{street: 'Main', no: 5}")
	check(addr, &address{}, "{street: '', no: null}")
	check(addr, map[string]any{"no": 5}, "{street: null, no: 5}")
	check(addr, map[namedString]any{"no": 5}, "{street: null, no: 5}")
	check(addr, map[string]any{"nr": 5}, "error: Unknown field 'nr' in value of user defined type addr")
	check(addr, []any{"Main", 5}, "error: cannot encode []interface {} as addr")
	check(floats, []float32{1, 2}, "[1.0, 2.0]")
	check(floats, []float64{1, 2}, "[1.0, 2.0]")
	check(floats, []float32{1}, "error: Required 2 elements, but saw 1")
	check(floats, []float32(nil), "null")
	check(floats, [3]float32{}, "error: Required 2 elements, but saw 3")
	check(must(VectorOf(TypeText, 2)), []string{"a", ""}, "['a', '']")
	check(must(ListOf(must(ListOf(addr.Frozen())).Frozen())), [][]address{{{Street: "a"}}, {}}, "[[{street: 'a', no: null}], []]")
}

func TestAppendEncode(t *testing.T) {
	out, null, err := TypeInt.AppendEncode([]byte("x"), 1)
	if string(out) != "x\x00\x00\x00\x01" || null || err != nil {
		t.Errorf("AppendEncode(1) = %q, %v, %v", out, null, err)
	}
	out, null, err = TypeInt.AppendEncode([]byte("x"), nil)
	if string(out) != "x" || !null || err != nil {
		t.Errorf("AppendEncode(nil) = %q, %v, %v", out, null, err)
	}
	out, _, err = TypeText.AppendEncode([]byte("x"), "\xff")
	if string(out) != "x" || err == nil {
		t.Errorf("AppendEncode of invalid text = %q, %v", out, err)
	}
}
