package cqltype

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ints returns int values.
func ints(xs ...int32) [][]byte {
	var elems [][]byte
	for _, x := range xs {
		elems = append(elems, appendInt(nil, 4, int64(x)))
	}
	return elems
}

func TestBuild(t *testing.T) {
	check := func(typ *Type, elems [][]byte, want string) {
		t.Helper()
		v, err := typ.Build(elems)
		got := text(typ, v)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Build(%s) = %s, want %s", typ, got, want)
		}
		if err == nil && typ.Validate(v) != nil {
			t.Errorf("Build(%s): %v", typ, typ.Validate(v))
		}
	}
	list, set, m := must(ListOf(TypeInt)), must(SetOf(TypeInt)), must(MapOf(TypeInt, TypeInt))
	tuple, vector := must(TupleOf(TypeInt, TypeInt)), must(VectorOf(TypeInt, 2))
	texts := must(VectorOf(TypeText, 2))
	check(list, ints(3, 1, 3), "[3, 1, 3]")
	check(list, nil, "[]")
	check(set, ints(3, -1, 3, 2, -1), "{-1, 2, 3}")
	check(m, ints(3, 30, 1, 10, 3, 31, 2, 20), "{1: 10, 2: 20, 3: 31}")
	check(tuple, ints(1), "(1, null)")
	check(tuple, [][]byte{nil, ints(2)[0]}, "(null, 2)")
	check(vector, ints(1, 2), "[1, 2]")
	check(texts, [][]byte{{}, []byte(strings.Repeat("x", 200))}, "['', '"+strings.Repeat("x", 200)+"']")
	check(list, [][]byte{nil}, "null is not supported inside collections")
	check(m, ints(1), "map<int, int> has a key without a value")
	check(tuple, ints(1, 2, 3), "Expected 2 values for frozen<tuple<int, int>>, but got 3")
	check(vector, ints(1), "Required 2 elements, but saw 1")
	check(vector, [][]byte{ints(1)[0], nil}, "Element at index 1 is null (expected type int)")
	check(vector, [][]byte{ints(1)[0], {}}, "Element at index 1 is null (expected type int)")
	check(TypeInt, nil, "int has no elements")

	decimals, err := must(SetOf(TypeDecimal)).Build([][]byte{{0, 0, 0, 1, 10}, {0, 0, 0, 0, 1}})
	if got := text(must(SetOf(TypeDecimal)), decimals); err != nil || got != "{1.0}" {
		t.Errorf("of equal elements of a set the first stays: %s, %v", got, err)
	}
}

// TestElementsAreWhatWasBuilt takes values apart and puts them together again.
func TestElementsAreWhatWasBuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 2)
		if typ.kind.IsNative() {
			return
		}
		v := drawComposite(t, typ)
		e := typ.Elements(v)
		most := e.Len()
		var elems [][]byte
		for e.Next() {
			if e.Index() != len(elems) {
				t.Fatalf("element %d has index %d", len(elems), e.Index())
			}
			if err := e.Type().Validate(e.Value()); err != nil {
				t.Fatalf("%s: element %x: %v", typ, e.Value(), err)
			}
			elems = append(elems, e.Value())
		}
		if e.Err() != nil || len(elems) > most {
			t.Fatalf("%s: %x: %d elements, Len %d, %v", typ, v, len(elems), most, e.Err())
		}
		again, err := typ.Build(elems)
		if typ.kind == KindUDT { // a tuple stays as short as it was
			for range len(typ.elems) - len(elems) {
				v = AppendElement(v, nil)
			}
		}
		if err != nil || !bytes.Equal(again, v) {
			t.Fatalf("%s: %x became %x, %v", typ, v, again, err)
		}
	})
}

func TestElementsOfNothing(t *testing.T) {
	for _, typ := range []*Type{TypeInt, must(ListOf(TypeInt)), must(TupleOf(TypeInt)), must(VectorOf(TypeInt, 1))} {
		if e := typ.Elements(nil); e.Next() || e.Err() != nil {
			t.Errorf("null %s has elements, error %v", typ, e.Err())
		}
	}
}

func TestReadElement(t *testing.T) {
	b := AppendElement(AppendElement(AppendElement(nil, []byte("ab")), nil), []byte{})
	first, b, err1 := ReadElement(b)
	second, b, err2 := ReadElement(b)
	third, b, err3 := ReadElement(b)
	if string(first) != "ab" || second != nil || third == nil || len(third) != 0 || len(b) != 0 || err1 != nil || err2 != nil || err3 != nil {
		t.Errorf("read %q, %q, %q, rest %x, errors %v %v %v", first, second, third, b, err1, err2, err3)
	}
	if cap(first) != 2 {
		t.Error("appending to an element would overwrite the next one")
	}
	for _, short := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x01", "\x7f\xff\xff\xff1"} {
		if _, _, err := ReadElement([]byte(short)); err == nil {
			t.Errorf("ReadElement(%x) succeeded", short)
		}
	}
}

func TestVint(t *testing.T) {
	check := func(x uint64, want ...byte) {
		t.Helper()
		if got := appendUvint(nil, x); !bytes.Equal(got, want) {
			t.Errorf("appendUvint(%d) = %x, want %x", x, got, want)
		}
	}
	check(0, 0)
	check(127, 0x7f)
	check(128, 0x80, 0x80)
	check(16383, 0xbf, 0xff)
	check(16384, 0xc0, 0x40, 0x00)
	check(math.MaxUint64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	rapid.Check(t, func(t *rapid.T) {
		x := int64(rapid.Uint64().Draw(t, "x") >> rapid.IntRange(0, 63).Draw(t, "shift"))
		b := appendVint(nil, x)
		got, rest, ok := readVint(append(slices.Clone(b), 7))
		if !ok || got != x || len(rest) != 1 {
			t.Fatalf("%d came back as %d from %x", x, got, b)
		}
		if _, _, ok := readVint(b[:len(b)-1]); ok {
			t.Fatalf("%x without its last byte was read", b)
		}
	})
}

func TestPartitionKey(t *testing.T) {
	check := func(want string, values ...string) {
		t.Helper()
		var in [][]byte
		for _, v := range values {
			in = append(in, []byte(v))
		}
		got, err := AppendPartitionKey([]byte("> "), in...)
		if err != nil {
			if err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			return
		}
		if string(got) != "> "+want {
			t.Errorf("got %q, want %q", got, want)
		}
		back, err := SplitPartitionKey(nil, got[2:], len(values))
		if err != nil || !slices.EqualFunc(in, back, bytes.Equal) {
			t.Errorf("%q was split into %q, %v", got, back, err)
		}
	}
	check("abc", "abc")
	check("\x00\x01a\x00\x00\x02bc\x00", "a", "bc")
	check("\x00\x00\x00\x00\x00\x00", "", "")
	check("Key may not be empty", "")
	check("Key length of 65536 is longer than maximum of 65535", strings.Repeat("x", 65536))
	check("Key length of 65541 is longer than maximum of 65535", strings.Repeat("x", 65535), "")
	check(strings.Repeat("x", 65535), strings.Repeat("x", 65535))

	for _, corrupt := range []string{"", "\x00", "\x00\x01", "\x00\x01a", "\x00\x01a\x01", "\x00\x01a\x00\x00\x00\x00\x00"} {
		if got, err := SplitPartitionKey(nil, []byte(corrupt), 2); err == nil {
			t.Errorf("%q was split into %q", corrupt, got)
		}
	}
}
