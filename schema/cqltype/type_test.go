package cqltype

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// parseTest parses a type with two known UDTs.
func parseTest(text string) (*Type, error) {
	addr := must(UDT("ks", "addr", []Field{{"street", TypeText}, {"no", TypeInt}}))
	my := must(UDT("ks", "My Type", []Field{{"a", TypeInt}, {"B c", must(ListOf(addr.Frozen()))}}))
	return Parse(text, func(keyspace, name string) (*Type, bool) {
		for _, t := range []*Type{addr, my} {
			if t.udt.name == name && (keyspace == "" || keyspace == "ks") {
				return t, true
			}
		}
		return nil, false
	})
}

// TestParseAndString compares with what Cassandra 5.0.6 shows in system_schema.columns for a column declared so.
func TestParseAndString(t *testing.T) {
	check := func(in, want string, multiCell bool) {
		t.Helper()
		typ, err := parseTest(in)
		if err != nil || typ.String() != want || typ.IsMultiCell() != multiCell {
			t.Fatalf("Parse(%s) = %v, %v, multi-cell %v, want %s", in, typ, err, typ.IsMultiCell(), want)
		}
		if again, err := parseTest(want); err != nil || !again.Equal(typ) {
			t.Errorf("Parse(%s) = %v, %v", want, again, err)
		}
	}
	check("varchar", "text", false)
	check(" VarChar ", "text", false)
	check("LIST <Int>", "list<int>", true)
	check("list<frozen<list<int>>>", "list<frozen<list<int>>>", true)
	check("frozen<map<text,int>>", "frozen<map<text, int>>", false)
	check("frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>", false)
	check("frozen<frozen<list<int>>>", "frozen<list<int>>", false)
	check("frozen<map<text, map<text, addr>>>", "frozen<map<text, frozen<map<text, frozen<addr>>>>>", false)
	check("tuple<int,text>", "frozen<tuple<int, text>>", false)
	check("tuple<list<int>, addr>", "frozen<tuple<frozen<list<int>>, frozen<addr>>>", false)
	check("tuple<int,tuple<int,text>>", "frozen<tuple<int, frozen<tuple<int, text>>>>", false)
	check("list<tuple<int,text>>", "list<frozen<tuple<int, text>>>", true)
	check("vector<float,3>", "vector<float, 3>", false)
	check("frozen<vector<int, 2>>", "vector<int, 2>", false)
	check("vector<list<int>, 2>", "vector<list<int>, 2>", false)
	check("vector<frozen<list<int>>, 2>", "vector<frozen<list<int>>, 2>", false)
	check("vector<addr, 2>", "vector<addr, 2>", false)
	check("frozen<set<vector<list<int>,2>>>", "frozen<set<vector<list<int>, 2>>>", false)
	check("list<vector<int,2>>", "list<vector<int, 2>>", true)
	check("addr", "addr", true)
	check(`"addr"`, "addr", true)
	check("ks . addr", "addr", true)
	check("frozen<addr>", "frozen<addr>", false)
	check(`"My Type"`, `"My Type"`, true)
	check(`map<text,frozen<set<"My Type">>>`, `map<text, frozen<set<frozen<"My Type">>>>`, true)
	check("set<frozen<list<duration>>>", "set<frozen<list<duration>>>", true)
	for _, k := range nativeKinds() {
		check(strings.ToUpper(k.String()), k.String(), false)
	}
}

func TestParseErrors(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		typ, err := parseTest(in)
		if target := (*TypeError)(nil); !errors.As(err, &target) || err.Error() != want {
			t.Errorf("Parse(%s) = %v, %v, want %s", in, typ, err, want)
		}
	}
	check("list<counter>", "Counters are not allowed inside collections: list<counter>")
	check("tuple<counter>", "Counters are not allowed inside tuples")
	check("vector<counter, 2>", "Counters are not allowed inside vectors")
	check("set<duration>", "Durations are not allowed inside sets: set<duration>")
	check("map<duration, int>", "Durations are not allowed as map keys: map<duration, int>")
	check("list<list<int>>", "Non-frozen collections are not allowed inside collections: list<list<int>>")
	check("map<list<int>, int>", "Non-frozen collections are not allowed inside collections: map<list<int>, int>")
	check("map<int,addr>", "Non-frozen UDTs are not allowed inside collections: map<int, addr>")
	check("vector<list<addr>, 2>", "Non-frozen UDTs are not allowed inside collections: list<addr>")
	check("vector<int, 0>", "vectors may only have positive dimensions; given 0")
	check("vector<int, -1>", "vectors may only have positive dimensions; given -1")
	check("vector<int, 8193>", "vectors may have at most 8192 dimensions; given 8193")
	check("vector<vector<vector<int, 8192>, 8192>, 8192>",
		"values of vector<vector<vector<int, 8192>, 8192>, 8192> exceed the maximum of 2147483647 bytes")
	check("frozen<int>", "frozen<> is only allowed on collections, tuples, and user-defined types (got int)")
	check("nosuch", "Unknown type nosuch")
	check("other.addr", "Unknown type other.addr")
	check(`"int"`, "Unknown type int")
	check("", "Failed parsing CQL type: [] reason: it ends too early")
	check("list<int", "Failed parsing CQL type: [list<int] reason: it ends too early")
	check("list<int>>", "Failed parsing CQL type: [list<int>>] reason: unexpected '>' at position 9")
	check("list<int, int>", "Failed parsing CQL type: [list<int, int>] reason: 'list' with 2 parameters is no type")
	check("vector<int>", "Failed parsing CQL type: [vector<int>] reason: 'vector' with 1 parameters is no type")
	check("vector<int, x>", "Failed parsing CQL type: [vector<int, x>] reason: unexpected 'x>' at position 12")
	check(`"unclosed`, `Failed parsing CQL type: ["unclosed] reason: it ends too early`)
	deep := strings.Repeat("frozen<list<", 40) + "int" + strings.Repeat(">>", 40)
	check(deep, "Failed parsing CQL type: ["+deep+"] reason: it nests more than 64 types")
	if _, err := Parse("addr", nil); err == nil {
		t.Error("Parse without resolve found a UDT")
	}
}

func TestConstructors(t *testing.T) {
	check := func(typ *Type, err error, want string) {
		t.Helper()
		if target := (*TypeError)(nil); !errors.As(err, &target) || err.Error() != want {
			t.Errorf("got %v, %v, want %s", typ, err, want)
		}
	}
	addr := must(UDT("ks", "addr", []Field{{"a", TypeInt}}))
	typ, err := TupleOf()
	check(typ, err, "A tuple needs at least one element")
	typ, err = UDT("ks", "t", nil)
	check(typ, err, "A user type needs at least one field")
	typ, err = UDT("ks", "t", []Field{{"a", TypeInt}, {"a", TypeText}})
	check(typ, err, "Duplicate field name 'a' in type 't'")
	typ, err = UDT("ks", "t", []Field{{"a", TypeCounter}})
	check(typ, err, "A user type cannot contain counters")
	typ, err = UDT("ks", "t", []Field{{"a", addr}})
	check(typ, err, "A user type cannot contain non-frozen UDTs")
}

func TestColumnRules(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		typ, err := parseTest(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := typ.CheckPrimaryKey("c"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckPrimaryKey(%s): %s, want %s", in, got, want)
		}
	}
	check("int", "")
	check("frozen<list<int>>", "")
	check("frozen<addr>", "")
	check("duration", "duration type is not supported for PRIMARY KEY column 'c'")
	check("frozen<list<duration>>", "duration type is not supported for PRIMARY KEY column 'c'")
	check("counter", "counter type is not supported for PRIMARY KEY column 'c'")
	check("list<int>", "Invalid non-frozen collection type list<int> for PRIMARY KEY column 'c'")
	check("addr", `Invalid non-frozen user-defined type "ks.addr" for PRIMARY KEY column 'c'`)

	nested := must(UDT("ks", "nf", []Field{{"a", must(ListOf(TypeInt))}}))
	if err := nested.CheckColumn(); err == nil || err.Error() != "Non-frozen UDTs with nested non-frozen collections are not supported" {
		t.Errorf("CheckColumn of a non-frozen UDT with a list: %v", err)
	}
	for _, typ := range []*Type{nested.Frozen(), TypeInt, must(ListOf(TypeInt)), must(UDT("ks", "t", []Field{{"a", TypeInt}}))} {
		if err := typ.CheckColumn(); err != nil {
			t.Errorf("CheckColumn(%s): %v", typ, err)
		}
	}
}

func TestAccessors(t *testing.T) {
	addr := must(UDT("ks", "Addr", []Field{{"a", TypeInt}, {"b", must(ListOf(TypeText)).Frozen()}}))
	m := must(MapOf(TypeText, addr.Frozen()))
	if m.KeyType() != TypeText || m.ValueType().String() != `frozen<"Addr">` || m.ElementType() != nil {
		t.Errorf("map has key %v, value %v, element %v", m.KeyType(), m.ValueType(), m.ElementType())
	}
	if ks, name := addr.UDTName(); ks != "ks" || name != "Addr" || len(addr.Fields()) != 2 || addr.Fields()[1].Name != "b" {
		t.Errorf("UDT %s.%s with %v", ks, name, addr.Fields())
	}
	if ks, name := m.UDTName(); ks+name != "" || m.Fields() != nil || m.FieldTypes() != nil || m.Dimension() != 0 {
		t.Error("a map has properties of a UDT")
	}
	if !m.References("ks", "Addr") || m.References("ks", "addr") || m.References("other", "Addr") {
		t.Error("References")
	}
	if !m.Contains(KindInt) || m.Contains(KindBlob) {
		t.Error("Contains")
	}
	var kinds []Kind
	for u := range m.Walk() {
		kinds = append(kinds, u.Kind())
	}
	if want := []Kind{KindMap, KindText, KindUDT, KindInt, KindList, KindText}; !slices.Equal(kinds, want) {
		t.Errorf("Walk yields %v, want %v", kinds, want)
	}
	v := must(VectorOf(TypeFloat, 3))
	if size, ok := v.FixedSize(); size != 12 || !ok || v.ElementType() != TypeFloat || v.Dimension() != 3 {
		t.Errorf("vector<float, 3> has size %d, %v", size, ok)
	}
	if _, ok := TypeSmallint.FixedSize(); ok { // as in Cassandra, which then writes sizes into vectors
		t.Error("smallint has a fixed size")
	}
	if Native(KindInt) != TypeInt || Native(KindList) != nil || Native(0) != nil || Kind(99).String() != "unknown" {
		t.Error("Native")
	}
	if typ, ok := Lookup("TimeUUID"); !ok || typ != TypeTimeUUID {
		t.Errorf("Lookup(TimeUUID) = %v", typ)
	}
	if typ, ok := Lookup("list"); ok {
		t.Errorf("Lookup(list) = %v", typ)
	}
}

func TestEqual(t *testing.T) {
	udt := func(keyspace, field string, typ *Type) *Type {
		return must(UDT(keyspace, "t", []Field{{field, typ}}))
	}
	different := []*Type{
		TypeInt, TypeText, must(ListOf(TypeInt)), must(ListOf(TypeInt)).Frozen(), must(SetOf(TypeInt)),
		must(TupleOf(TypeInt)), must(VectorOf(TypeInt, 1)), must(VectorOf(TypeInt, 2)),
		udt("ks", "a", TypeInt), udt("ks", "a", TypeInt).Frozen(), udt("ks", "b", TypeInt), udt("ks", "a", TypeText), udt("k2", "a", TypeInt),
		must(ListOf(udt("k2", "a", TypeInt).Frozen())), must(ListOf(udt("ks", "a", TypeInt).Frozen())), nil,
	}
	for i, a := range different {
		for j, b := range different {
			if a != nil && a.Equal(b) != (i == j) {
				t.Errorf("%s.Equal(%s) = %v", a, b, a.Equal(b))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		again, err := Parse(typ.String(), func(_, name string) (*Type, bool) {
			for u := range typ.Walk() {
				if u.udt != nil && u.udt.name == name {
					return must(UDT(u.udt.keyspace, name, u.udt.fields)), true
				}
			}
			return nil, false
		})
		if err != nil || again.String() != typ.String() {
			t.Fatalf("%s was parsed as %v, %v", typ, again, err)
		}
	})
}

func TestQuoteName(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := QuoteName(in); got != want {
			t.Errorf("QuoteName(%s) = %s, want %s", in, got, want)
		}
	}
	check("abc_1", "abc_1")
	check("Abc", `"Abc"`)
	check("1a", `"1a"`)
	check("_a", `"_a"`)
	check("a b", `"a b"`)
	check(`a"b`, `"a""b"`)
	check("", `""`)
	check("select", `"select"`)
	check("add", `"add"`)
	check("with", `"with"`)
	check("key", "key")
	check("text", "text")
}

// validates checks the error of Validate, none if want is empty.
func validates(t *testing.T, typ *Type, v, want string) {
	t.Helper()
	got := ""
	if err := typ.Validate([]byte(v)); err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s.Validate(%x): %s, want %s", typ, v, got, want)
	}
}

func TestValidateScalars(t *testing.T) {
	check := func(typ *Type, v, want string) { t.Helper(); validates(t, typ, v, want) }
	for _, typ := range []*Type{TypeASCII, TypeBigint, TypeBlob, TypeBoolean, TypeCounter, TypeDecimal, TypeDouble, TypeFloat,
		TypeInet, TypeInt, TypeText, TypeTimestamp, TypeTimeUUID, TypeUUID, TypeVarint, must(TupleOf(TypeInt))} {
		check(typ, "", "")
		if !typ.AllowsEmpty() {
			t.Errorf("%s does not allow empty values", typ)
		}
	}
	check(TypeASCII, "a\x80", "Invalid byte for ascii: -128")
	check(TypeBigint, "1", "Expected 8 or 0 byte long (1)")
	check(TypeCounter, "1", "Expected 8 or 0 byte long (1)")
	check(TypeBoolean, "12", "Expected 1 or 0 byte value (2)")
	check(TypeDate, "", "Expected 4 byte long for date (0)")
	check(TypeDecimal, "123", "Expected 0 or at least 4 bytes (3)")
	check(TypeDecimal, "1234", "Expected an unscaled value after the 4 bytes of the scale")
	check(TypeDouble, "1234", "Expected 8 or 0 byte value for a double (4)")
	check(TypeFloat, "12345678", "Expected 4 or 0 byte value for a float (8)")
	check(TypeDuration, "", "Expected at least 3 bytes for a duration (0)")
	check(TypeDuration, "\xff\xff\xff", "Not enough bytes to read a duration")
	check(TypeDuration, "\x00\x00\x00\x00", "Unexpected 1 extraneous bytes after duration value")
	check(TypeDuration, "\x01\x02\x00", "The duration months, days and nanoseconds must be all of the same sign (-1, 1, 0)")
	check(TypeDuration, string(appendVint(nil, 1<<31))+"\x00\x00", "The duration months must be a 32 bits integer but was: 2147483648")
	check(TypeDuration, "\x00"+string(appendVint(nil, 1<<31))+"\x00", "The duration days must be a 32 bits integer but was: 2147483648")
	check(TypeInet, "12345", "Expected 4 or 16 byte inetaddress; got 3132333435")
	check(TypeInt, "12345", "Expected 4 or 0 byte int (5)")
	check(TypeSmallint, "", "Expected 2 bytes for a smallint (0)")
	check(TypeText, "\xff", "String didn't validate.")
	check(TypeText, "\xed\xa0\x80", "String didn't validate.") // a surrogate
	check(TypeTime, "", "Expected 8 byte long for time (0)")
	check(TypeTime, string(appendInt(nil, 8, nanosPerDay)), "Input long out of bounds: 86400000000000")
	check(TypeTimestamp, "1", "Expected 8 or 0 byte long for date (1)")
	check(TypeTimeUUID, strings.Repeat("@", 16), "Invalid version for TimeUUID type: 0x4")
	check(TypeTimeUUID, "1", "UUID should be 16 or 0 bytes (1)")
	check(TypeTinyint, "", "Expected 1 byte for a tinyint (0)")
	check(TypeUUID, "1", "UUID should be 16 or 0 bytes (1)")
	if checkSize(math.MaxInt32) != nil || checkSize(math.MaxInt32+1) == nil {
		t.Error("values of more than 2 GiB are accepted")
	}
}

func TestValidateComposites(t *testing.T) {
	check := func(typ *Type, v, want string) { t.Helper(); validates(t, typ, v, want) }
	list, set, m := must(ListOf(TypeInt)), must(SetOf(TypeText)), must(MapOf(TypeInt, TypeText))
	tuple := must(TupleOf(TypeInt, TypeText))
	addr, _ := addrType("", "addr")
	floats, texts := must(VectorOf(TypeFloat, 2)), must(VectorOf(TypeText, 2))
	check(list, "\x00\x00\x00", "Not enough bytes to read a list")
	check(list, "\x00\x00\x00\x01", "Not enough bytes to read a list")
	check(list, "\x7f\xff\xff\xff\x00\x00\x00\x00", "Not enough bytes to read a list")
	check(list, "\xff\xff\xff\xff", "The data cannot be deserialized as a list")
	check(list, "\x00\x00\x00\x01\x00\x00\x00\x05", "Not enough bytes to read a list")
	check(list, "\x00\x00\x00\x01\xff\xff\xff\xff", "Null value read when not allowed")
	check(list, "\x00\x00\x00\x00\x00", "Unexpected extraneous bytes after list value")
	check(list, "\x00\x00\x00\x01\x00\x00\x00\x01\x00", "Expected 4 or 0 byte int (1)")
	check(set, "\x00\x00\x00\x01\x00\x00\x00\x01\xff", "String didn't validate.")
	check(m, "\x00\x00\x00\x01\x00\x00\x00\x00", "Not enough bytes to read a map")
	check(tuple, "\x00", "Not enough bytes to read size of 0th component")
	check(tuple, "\x00\x00\x00\x01", "Not enough bytes to read 0th component")
	check(tuple, "\xff\xff\xff\xff\xff\xff\xff\xff\x00", "Invalid remaining data after end of tuple value")
	check(tuple, "\xff\xff\xff\xff", "")
	check(addr, "\x00\x00\x00\x00\x00", "Not enough bytes to read size of 1th field no")
	check(addr, "\x00\x00\x00\x09", "Not enough bytes to read 0th field street")
	check(addr, "\x00\x00\x00\x01\xff", "Failure validating the 0th field street; String didn't validate.")
	check(addr, "\xff\xff\xff\xff\xff\xff\xff\xff\x00", "Invalid remaining data after end of UDT value")
	check(floats, "", "Invalid empty vector value")
	check(floats, "1234", "Not enough bytes to read a vector<float, 2>")
	check(floats, "123456789", "Unexpected 1 extraneous bytes after vector<float, 2> value")
	check(texts, "\x01a\x02b", "Not enough bytes to read a vector<text, 2>")
	check(texts, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "Not enough bytes to read a vector<text, 2>")
	check(texts, "\x01a\x00", "")
	for _, typ := range []*Type{TypeInt, TypeTime, list, texts} {
		if err := typ.Validate(nil); err != nil {
			t.Errorf("%s.Validate(null): %v", typ, err)
		}
	}
}

func TestAppendText(t *testing.T) {
	check := func(typ *Type, v []byte, want string) {
		t.Helper()
		if got := text(typ, v); got != want {
			t.Errorf("AppendText(%s, %x) = %s, want %s", typ, v, got, want)
		}
	}
	check(TypeInt, nil, "null")
	check(TypeInt, []byte{}, "")
	check(TypeInt, []byte{1, 2}, "0x0102")
	check(TypeText, []byte("a'b\\\x00\u0085"), `a'b\\\x00\x85`)
	check(must(ListOf(TypeText)), AppendElement(AppendCount(nil, 1), []byte("a'b\r")), `['a''b\r']`)
	check(must(TupleOf(TypeText, TypeInt)), []byte{}, "(null, null)")
	check(must(SetOf(TypeInt)), AppendElement(AppendCount(nil, 1), []byte{}), "{}")
	double := appendInt(nil, 8, int64(math.Float64bits(math.Pi)))
	if got := string(TypeDouble.AppendTextWith(nil, double, TextOptions{DoublePrecision: 12})); got != "3.14159265359" {
		t.Errorf("pi with 12 digits = %s", got)
	}
	single := appendInt(nil, 4, int64(math.Float32bits(math.Pi)))
	if got := string(TypeFloat.AppendTextWith(nil, single, TextOptions{FloatPrecision: 3})); got != "3.142" {
		t.Errorf("pi with 3 digits = %s", got) // cqlsh counts them behind the point
	}
}
