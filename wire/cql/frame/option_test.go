package frame

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/schema/cqltype"
	"pgregory.net/rapid"
)

// must returns a type that exists.
func must(t *cqltype.Type, err error) *cqltype.Type {
	if err != nil {
		panic(err)
	}
	return t
}

// myType is the user-defined type of Golden.java.
func myType() *cqltype.Type {
	return must(cqltype.UDT("ks", "my Type", []cqltype.Field{
		{Name: "a", Type: cqltype.TypeInt},
		{Name: "B c", Type: must(cqltype.ListOf(cqltype.TypeSmallint)).Frozen()},
	}))
}

// onWire returns t as it comes out of an option: what is frozen at the top is not told, parts are frozen.
func onWire(t *cqltype.Type) *cqltype.Type {
	switch t.Kind() {
	case cqltype.KindList:
		return must(cqltype.ListOf(t.ElementType().Frozen()))
	case cqltype.KindSet:
		return must(cqltype.SetOf(t.ElementType().Frozen()))
	case cqltype.KindMap:
		return must(cqltype.MapOf(t.KeyType().Frozen(), t.ValueType().Frozen()))
	case cqltype.KindUDT:
		keyspace, name := t.UDTName()
		return must(cqltype.UDT(keyspace, name, t.Fields()))
	default:
		return t
	}
}

func decodeOption(b []byte, v Version) (*cqltype.Type, error) {
	d := decoder{message: "test", body: b}
	t := d.option(v, 0)
	if d.err == nil && d.left() != 0 {
		d.fail("type", 0, "%d bytes left", d.left())
	}
	return t, d.result()
}

// TestTypesOfCassandra compares types with what Cassandra makes of them, in all versions.
func TestTypesOfCassandra(t *testing.T) {
	resolve := func(_, name string) (*cqltype.Type, bool) { return myType(), name == "u" }
	for _, line := range lines(t, "types.txt") {
		part := strings.Split(line, "|")
		typ, err := cqltype.Parse(part[0], resolve)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(part[1])
		e := newEncoder("test", nil)
		e.option(typ, Version(n))
		b, err := e.result()
		if want := unhex(t, part[2]); err != nil || string(b) != string(want) {
			t.Errorf("%s in version %d:\n  is %x\nwant %x", typ, n, b, want)
		}
		if again, err := decodeOption(b, Version(n)); err != nil || !again.Equal(onWire(typ)) {
			t.Errorf("%s in version %d came out as %s, %v", typ, n, again, err)
		}
		if got := string(AppendClassName(nil, typ)); got != part[3] {
			t.Errorf("%s:\n  is %s\nwant %s", typ, got, part[3])
		}
		if again, err := ParseClassName(part[3]); err != nil || !again.Equal(typ) {
			t.Errorf("%s is %s, %v", part[3], again, err)
		}
	}
}

// TestNativeTables checks that the two tables of native types are each other's reverse.
func TestNativeTables(t *testing.T) {
	for kind := cqltype.KindASCII; kind.IsNative(); kind++ {
		if o := nativeOptions[kind]; nativeKinds[o.id] != kind || o.class == "" || !o.since.Supported() {
			t.Errorf("%s has the option %+v", kind, o)
		}
	}
	for id, kind := range nativeKinds {
		if kind != 0 && int(nativeOptions[kind].id) != id {
			t.Errorf("id %#x is %s", id, kind)
		}
	}
}

func TestClassNames(t *testing.T) {
	check := func(class, want string) {
		t.Helper()
		typ, err := ParseClassName(class)
		got := fmt.Sprint(typ)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s is %s, want %s", class, got, want)
		}
	}
	const p = classPackage
	check(p+"Int32Type", "int")
	check("Int32Type", "int")
	check(p+"VectorType("+p+"FloatType, 3)", "vector<float, 3>")
	check(p+"VectorType("+p+"FloatType , 3)", "vector<float, 3>")
	check(p+"VectorType("+p+"VectorType("+p+"FloatType , 3) , 2)", "vector<vector<float, 3>, 2>")
	check(p+"ReversedType("+p+"Int32Type)", "int")
	check(p+"DateType", "timestamp")
	check(p+"LegacyTimeUUIDType", "timeuuid")
	check(p+"EmptyType", "blob")
	check("com.example.Mine(a=>x(y),z)", "blob")
	check(p+"ListType(com.example.Mine(a=>x(y),z))", "list<blob>")
	check(p+"FrozenType("+p+"MapType("+p+"UTF8Type,"+p+"Int32Type))", "frozen<map<text, int>>")
	check("", "blob")
	check(p+"VectorType", "Invalid class of a type: a vector without parameters")
	check(p+"VectorType("+p+"FloatType)", "Invalid class of a type: a vector without a dimension")
	check(p+"VectorType("+p+"FloatType,x)", "Invalid class of a type: a vector without a dimension")
	check(p+"VectorType("+p+"FloatType,99999)", "vectors may have at most 8192 dimensions; given 99999")
	check(p+"ListType", "Invalid class of a type: wrong parameters")
	check(p+"ListType()", "list<blob>")
	check(p+"MapType("+p+"UTF8Type)", "Invalid class of a type: wrong parameters")
	check(p+"TupleType(", "Invalid class of a type: wrong parameters")
	check(p+"Int32Type)", "Invalid class of a type: unexpected ')'")
	check(p+"UserType(ks,zz,61:"+p+"Int32Type)", "Invalid class of a type: a name that is not hexadecimal")
	check(p+"UserType(ks,61)", "A user type needs at least one field")
	check(p+"UserType(ks", "Invalid class of a type: a user-defined type without a name")
	check(p+"UserType(ks,61,61", "Invalid class of a type: a field without a type")
	check("Mine(", "Invalid class of a type: a parenthesis without its end")
	check(strings.Repeat("ListType(", 40)+"Int32Type"+strings.Repeat(")", 40), "Invalid class of a type: it nests too deep")
}

func TestOptionErrors(t *testing.T) {
	check := func(b, want string) {
		t.Helper()
		if typ, err := decodeOption([]byte(b), V5); err == nil || err.Error() != "Invalid test message: "+want {
			t.Errorf("%q is %v, %v", b, typ, err)
		}
	}
	check("", "type at byte 0: 2 bytes announced, 0 left")
	check("\x00\x99", "type at byte 0: unknown id 0x0099")
	check("\x00\x20", "type at byte 2: 2 bytes announced, 0 left")
	check("\x00\x21\x00\x15\x00\x09", "type at byte 6: Durations are not allowed as map keys: map<duration, int>")
	check("\x00\x31\x00\x00", "type at byte 4: A tuple needs at least one element")
	check("\x00\x31\xff\xff\x00\x09", "elements of a type at byte 2: 65535 announced, but only 2 bytes left")
	check("\x00\x30\x00\x00\x00\x00\xff\xff", "fields of a type at byte 6: 65535 announced, but only 0 bytes left")
	check(strings.Repeat("\x00\x20", 40), "type at byte 66: it nests more than 32 types")
	check("\x00\x00\x00\x05Mine(", "type at byte 9: Invalid class of a type: a parenthesis without its end")
	if typ, err := decodeOption([]byte("\x00\x0a"), V3); typ != cqltype.TypeText || err != nil {
		t.Errorf("the old id of text is %s, %v", typ, err)
	}
	e := newEncoder("test", nil)
	e.option(nil, V5)
	if _, err := e.result(); err == nil {
		t.Error("no type was encoded")
	}
}

// TestTypeMemory checks that types which nest deep, and are many, are refused before they take much memory.
func TestTypeMemory(t *testing.T) {
	deep := strings.Repeat("\x00\x20", 30) + "\x00\x01"
	class := "\x00\x00" + string([]byte{30 * 10 >> 8, 30*10&0xff + 9}) + strings.Repeat("ListType(", 30) + "AsciiType" + strings.Repeat(")", 30)
	for _, element := range []string{deep, class} {
		body := "\x00\x31\x75\x30" + strings.Repeat(element, 30_000)
		before := allocated()
		_, err := decodeOption([]byte(body), V5)
		if err == nil || !strings.HasSuffix(err.Error(), "the types of the message take more than 16777216 bytes of memory") {
			t.Error(err)
		}
		if n := allocated() - before; n > 3*maxTypeMemory {
			t.Errorf("%d bytes were allocated", n)
		}
	}
}

// drawType draws a type that can be a part of others.
func drawType(t *rapid.T, depth int) *cqltype.Type {
	kinds := 7
	if depth == 0 {
		kinds = 1
	}
	part := func() *cqltype.Type { return drawType(t, depth-1).Frozen() }
	switch rapid.IntRange(0, kinds-1).Draw(t, "sort") {
	case 1:
		return must(cqltype.ListOf(part()))
	case 2:
		typ, err := cqltype.SetOf(part())
		if err != nil {
			return cqltype.TypeDuration
		}
		return typ
	case 3:
		typ, err := cqltype.MapOf(part(), part())
		if err != nil {
			return cqltype.TypeDuration
		}
		return typ
	case 4:
		return must(cqltype.TupleOf(part(), part()))
	case 5:
		return must(cqltype.VectorOf(part(), rapid.IntRange(1, 9).Draw(t, "dimension")))
	case 6:
		return must(cqltype.UDT("ks", rapid.StringN(1, 5, 5).Draw(t, "name"), []cqltype.Field{{Name: "é", Type: part()}, {Name: "", Type: part()}}))
	}
	kind := rapid.SampledFrom([]cqltype.Kind{cqltype.KindASCII, cqltype.KindBlob, cqltype.KindDate, cqltype.KindDuration,
		cqltype.KindInt, cqltype.KindText, cqltype.KindTinyint, cqltype.KindTimeUUID}).Draw(t, "kind")
	return cqltype.Native(kind)
}

func TestTypesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ, v := drawType(t, 3), Version(rapid.IntRange(3, 5).Draw(t, "version"))
		e := newEncoder("test", nil)
		e.option(typ, v)
		b, err := e.result()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeOption(b, v); err != nil || !again.Equal(onWire(typ)) {
			t.Fatalf("%s came out as %s, %v", typ, again, err)
		}
		class := string(AppendClassName(nil, typ))
		if again, err := ParseClassName(class); err != nil || !again.Equal(typ) {
			t.Fatalf("%s, in Cassandra %s, came out as %s, %v", typ, class, again, err)
		}
	})
}
