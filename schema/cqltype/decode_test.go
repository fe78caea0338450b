package cqltype

import (
	"errors"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// decodesTo checks what the value that in encodes to is decoded as, into a variable that holds something else.
func decodesTo(t *testing.T, typ *Type, in, dirty, want any) {
	t.Helper()
	v, err := typ.Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	p := reflect.New(reflect.TypeOf(dirty))
	p.Elem().Set(reflect.ValueOf(dirty))
	if err := typ.Decode(v, p.Interface()); err != nil {
		t.Errorf("Decode(%s %v, %T): %v", typ, in, dirty, err)
	}
	if got := p.Elem().Interface(); !reflect.DeepEqual(got, want) {
		t.Errorf("Decode(%s %v) = %#v, want %#v", typ, in, got, want)
	}
}

func TestDecodeNumbers(t *testing.T) {
	check := func(typ *Type, in, dirty, want any) { t.Helper(); decodesTo(t, typ, in, dirty, want) }
	for _, typ := range []*Type{TypeTinyint, TypeSmallint, TypeInt, TypeBigint, TypeCounter, TypeVarint} {
		check(typ, 7, 1, 7)
		check(typ, -7, int8(1), int8(-7))
		check(typ, -7, int16(1), int16(-7))
		check(typ, -7, int32(1), int32(-7))
		check(typ, -7, int64(1), int64(-7))
		check(typ, 7, uint(1), uint(7))
		check(typ, 7, uint8(1), uint8(7))
		check(typ, 7, uint16(1), uint16(7))
		check(typ, 7, uint32(1), uint32(7))
		check(typ, 7, uint64(1), uint64(7))
		check(typ, 7, namedInt(1), namedInt(7))
		check(typ, -7, *big.NewInt(1), *big.NewInt(-7))
		check(typ, -7, big.NewInt(1), big.NewInt(-7))
		check(typ, nil, 1, 0)
		check(typ, nil, ptr(1), (*int)(nil))
		check(typ, 7, ptr(1), ptr(7))
	}
	check(TypeBigint, int64(5e9), time.Duration(1), 5*time.Second)
	check(TypeVarint, "-12345678901234567890", "x", "-12345678901234567890")
	check(TypeVarint, "18446744073709551615", uint64(1), uint64(18446744073709551615))
	check(TypeDecimal, "1.50", "x", "1.50")
	check(TypeDecimal, "1.50", Decimal{}, Decimal{big.NewInt(150), 2})
	check(TypeFloat, 1.5, float32(1), float32(1.5))
	check(TypeFloat, 1.5, float64(1), 1.5)
	check(TypeDouble, 1.5, float64(1), 1.5)
	check(TypeDouble, 1.5, namedFloat(1), namedFloat(1.5))
	check(TypeBoolean, true, false, true)
	check(TypeBoolean, nil, namedBool(true), namedBool(false))
}

func TestDecodeOthers(t *testing.T) {
	check := func(typ *Type, in, dirty, want any) { t.Helper(); decodesTo(t, typ, in, dirty, want) }
	check(TypeText, "a", "x", "a")
	check(TypeText, "", "x", "")
	check(TypeText, "", ptr("x"), ptr(""))
	check(TypeText, "a", namedString("x"), namedString("a"))
	check(TypeText, "a", []byte("x"), []byte("a"))
	check(TypeText, nil, []byte("x"), []byte(nil))
	check(TypeBlob, []byte{}, []byte("x"), []byte{})
	check(TypeBlob, []byte("a"), namedBytes("x"), namedBytes("a"))
	check(TypeBlob, []byte("a"), "x", "a")
	check(TypeDate, "2011-02-03", Date(1), Date(15008))
	check(TypeDate, "2011-02-03", "x", "2011-02-03")
	check(TypeDate, "2011-02-03", time.Now(), time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC))
	check(TypeTime, "00:00:01", time.Hour, time.Second)
	check(TypeTime, "00:00:01", int64(1), int64(time.Second))
	check(TypeTime, "00:00:01", "x", "00:00:01.000000000")
	check(TypeTimestamp, int64(1500), time.Now(), time.UnixMilli(1500).UTC())
	check(TypeTimestamp, int64(1500), int64(1), int64(1500))
	check(TypeTimestamp, int64(1500), "x", "1970-01-01T00:00:01.500Z")
	check(TypeTimestamp, nil, time.Now(), time.Time{})
	check(TypeDuration, "1y2d", Duration{}, Duration{Months: 12, Days: 2})
	check(TypeDuration, "1y2d", "x", "1y2d")
	check(TypeInet, "1.2.3.4", netip.Addr{}, netip.MustParseAddr("1.2.3.4"))
	check(TypeInet, "::1", net.IP{1}, net.ParseIP("::1"))
	check(TypeInet, "::1", "x", "::1")
	const u = "c9072950-2f4a-11e0-b1d2-0123456789ab"
	parsed, _ := ParseUUID(u)
	for _, typ := range []*Type{TypeUUID, TypeTimeUUID} {
		check(typ, u, UUID{}, parsed)
		check(typ, u, [16]byte{}, [16]byte(parsed))
		check(typ, u, namedUUID{}, namedUUID(parsed))
		check(typ, u, "x", u)
		check(typ, u, []byte("x"), parsed[:])
	}
	check(TypeInt, 300, celsius(1), celsius(27))
}

func TestDecodeComposites(t *testing.T) {
	check := func(typ *Type, in, dirty, want any) { t.Helper(); decodesTo(t, typ, in, dirty, want) }
	addr, _ := addrType("", "addr")
	list, set, m := must(ListOf(TypeInt)), must(SetOf(TypeText)), must(MapOf(TypeText, TypeInt))
	blobs, tuple, floats := must(MapOf(TypeBlob, TypeInt)), must(TupleOf(TypeInt, TypeText)), must(VectorOf(TypeFloat, 2))
	check(list, []int{1, 2}, []int64{9, 9, 9}, []int64{1, 2})
	check(list, []int{1, 2}, [2]int64{9, 9}, [2]int64{1, 2})
	check(list, []int{}, []int64{9}, []int64{})
	check(list, nil, []int64{9}, []int64(nil))
	check(list, []int{1}, []any{9}, []any{int32(1)})
	check(set, []string{"a"}, []string{"z"}, []string{"a"})
	check(set, []string{"a"}, map[string]struct{}{"z": {}}, map[string]struct{}{"a": {}})
	check(m, map[string]int{"a": 1}, map[string]int{"z": 9}, map[string]int{"a": 1})
	check(m, map[string]int{"a": 1}, map[namedString]*int16{}, map[namedString]*int16{"a": ptr(int16(1))})
	check(m, map[string]int{"a": 1}, []Entry{}, []Entry{{"a", int32(1)}})
	check(blobs, []Entry{{[]byte{1}, 1}}, map[string]int{}, map[string]int{"\x01": 1})
	check(tuple, []any{1, nil}, []any{9}, []any{int32(1), nil})
	check(tuple, []any{1, nil}, struct {
		A int
		B *string
	}{B: ptr("z")}, struct {
		A int
		B *string
	}{A: 1})
	check(addr, map[string]any{"no": 5}, address{Street: "z", Note: "kept"}, address{Number: ptr(5), Note: "kept"})
	check(addr, map[string]any{"no": 5}, map[string]any{"z": 9}, map[string]any{"street": nil, "no": int32(5)})
	check(floats, []float32{1, 2}, []float32{9}, []float32{1, 2})
	check(floats, []float32{1, 2}, []float64{9}, []float64{1, 2})
	check(floats, []float32{1, 2}, [2]float32{}, [2]float32{1, 2})

	var short address // a UDT value from before the field no was added
	if err := addr.Decode(AppendElement(nil, []byte("Main")), &short); err != nil || short.Street != "Main" || short.Number != nil {
		t.Errorf("got %+v, %v", short, err)
	}
	var x any
	if err := list.Decode(AppendElement(AppendCount(nil, 1), ints(5)[0]), &x); err != nil || !reflect.DeepEqual(x, []int32{5}) {
		t.Errorf("list<int> into any: %#v, %v", x, err)
	}
	if err := list.Decode(nil, &x); err != nil || x != nil {
		t.Errorf("null into any: %#v, %v", x, err)
	}
}

func TestGoTypes(t *testing.T) {
	check := func(in string, want any) {
		t.Helper()
		typ, err := parseTest(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := typ.GoType(); got != reflect.TypeOf(want) {
			t.Errorf("GoType(%s) = %s, want %T", in, got, want)
		}
	}
	check("map<text, timestamp>", map[string]time.Time{})
	check("map<uuid, frozen<list<int>>>", map[UUID][]int32{})
	check("map<blob, int>", []Entry{})
	check("map<decimal, int>", []Entry{})
	check("map<varint, int>", []Entry{})
	check("map<frozen<tuple<int>>, int>", []Entry{})
	check("set<inet>", []netip.Addr{})
	check("vector<double, 2>", []float64{})
	check("frozen<addr>", map[string]any{})
	check("tuple<int>", []any{})
}

func TestDecodeErrors(t *testing.T) {
	check := func(typ *Type, v string, dest any, want string) {
		t.Helper()
		err := typ.Decode([]byte(v), dest)
		if target := (*ValueError)(nil); !errors.As(err, &target) || err.Error() != want {
			t.Errorf("Decode(%s %x, %T): %v, want %s", typ, v, dest, err, want)
		}
	}
	list, tuple := must(ListOf(TypeInt)), must(TupleOf(TypeInt, TypeText))
	m := must(MapOf(TypeBlob, TypeInt))
	check(TypeInt, "\x00\x00\x01\x00", new(int8), "256 does not fit in *int8")
	check(TypeInt, "\xff\xff\xff\xff", new(uint64), "-1 does not fit in *uint64")
	check(TypeInt, "\x00\x01\x00\x00", new(namedInt), "65536 does not fit in *int16")
	check(TypeInt, "123", new(int), "Expected 4 or 0 byte int (3)")
	check(TypeInt, "1234", new(string), "cannot decode int into string")
	check(TypeInt, "1234", new(chan int), "cannot decode int into chan int")
	check(TypeInt, "1234", 5, "cannot decode int into int: it is not a pointer to a variable")
	check(TypeInt, "1234", nil, "cannot decode int into <nil>: it is not a pointer to a variable")
	check(TypeInt, "1234", (*chan int)(nil), "cannot decode int into *chan int: it is not a pointer to a variable")
	check(TypeDouble, "12345678", new(float32), "cannot decode double into float32")
	check(TypeVarint, "123456789", new(int64), "varint of 9 bytes does not fit in *int64")
	check(TypeVarint, "\xff", new(uint64), "-1 does not fit in *uint64")
	check(TypeUUID, "1234", new(UUID), "UUID should be 16 or 0 bytes (4)")
	check(TypeBoolean, "12", new(bool), "Expected 1 or 0 byte value (2)")
	check(TypeFloat, "12", new(float32), "Expected 4 or 0 byte value for a float (2)")
	check(TypeDouble, "12", new(float64), "Expected 8 or 0 byte value for a double (2)")
	check(TypeTimestamp, "12", new(time.Time), "Expected 8 or 0 byte long for date (2)")
	check(TypeDate, "12", new(Date), "Expected 4 byte long for date (2)")
	check(TypeTime, "12", new(time.Duration), "Expected 8 byte long for time (2)")
	check(TypeInet, "12", new(netip.Addr), "Expected 4 or 16 byte inetaddress; got 3132")
	check(TypeDecimal, "12", new(Decimal), "Expected 0 or at least 4 bytes (2)")
	check(TypeDuration, "12", new(Duration), "Expected at least 3 bytes for a duration (2)")
	check(list, "\x00\x00\x00\x02", new([]int), "Not enough bytes to read a list")
	check(list, "\x00\x00\x00\x00\x00", new([]int), "Unexpected extraneous bytes after list value")
	check(list, "\x00\x00\x00\x01\x00\x00\x00\x041234", new([2]int), "cannot decode 1 elements into [2]int")
	check(list, "\x00\x00\x00\x01\x00\x00\x00\x041234", new(map[string]int), "cannot decode list<int> into map[string]int")
	check(list, "\x00\x00\x00\x01\x00\x00\x00\x041234", new([]string), "cannot decode int into string")
	check(list, "12", new(any), "Not enough bytes to read a list")
	check(m, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", new(map[any]int), "cannot use a value of blob as a key of map[interface {}]int")
	check(tuple, "\xff\xff\xff\xff\xff\xff\xff\xff\x00", new([]any), "Invalid remaining data after end of tuple value")
	check(tuple, "\xff\xff\xff\xff", new(time.Time), "the fields of time.Time do not match those of frozen<tuple<int, text>>")
}

func TestDecodedValuesAreCopies(t *testing.T) {
	v := []byte("1234567890123456")
	var blob, textBytes, uuid []byte
	var ip net.IP
	for _, err := range []error{TypeBlob.Decode(v, &blob), TypeText.Decode(v, &textBytes), TypeUUID.Decode(v, &uuid), TypeInet.Decode(v, &ip)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	x, _ := TypeBlob.GoValue(v)
	clear(v)
	for _, got := range [][]byte{blob, textBytes, uuid, ip, x.([]byte)} {
		if string(got) != "1234567890123456" {
			t.Errorf("a decoded value changed to %x", got)
		}
	}
}
