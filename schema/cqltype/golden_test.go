package cqltype

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"
)

// addrType is the UDT that the recorded files use.
func addrType(keyspace, name string) (*Type, bool) {
	if keyspace != "" || name != "addr" {
		return nil, false
	}
	return must(UDT("ks", "addr", []Field{{"street", TypeText}, {"no", TypeInt}})), true
}

// readRecorded calls check for every line of a file in testdata with its type and its other columns.
func readRecorded(t *testing.T, file string, check func(t *testing.T, typ *Type, columns []string)) {
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		typ, err := Parse(columns[0], addrType)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, i+1, err)
		}
		check(t, typ, columns[1:])
		if t.Failed() {
			t.Fatalf("%s:%d: %s", file, i+1, line)
		}
	}
}

// unhex returns the bytes of 0x...; they are never nil.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	digits, ok := strings.CutPrefix(s, "0x")
	v, err := hex.DecodeString(digits)
	if err != nil || !ok {
		t.Fatalf("%q is not hexadecimal", s)
	}
	return append([]byte{}, v...)
}

// splitLiteral tells what the lexer would say of a scalar literal.
func splitLiteral(typ *Type, s string) (LiteralKind, string) {
	switch {
	case strings.HasPrefix(s, "'"):
		return LiteralString, strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	case strings.HasPrefix(s, "$$"):
		return LiteralString, s[2 : len(s)-2]
	case strings.HasPrefix(strings.ToLower(s), "0x"):
		return LiteralHex, s
	case typ.kind == KindUUID || typ.kind == KindTimeUUID:
		return LiteralUUID, s
	case typ.kind == KindDuration:
		return LiteralDuration, s
	case typ.kind == KindBoolean:
		return LiteralBoolean, s
	case isInteger(s):
		return LiteralInteger, s
	}
	return LiteralFloat, s
}

func TestRecordedValues(t *testing.T) {
	readRecorded(t, "golden.txt", func(t *testing.T, typ *Type, columns []string) {
		literal := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(columns[0])
		want := unhex(t, columns[1])
		if err := typ.Validate(want); err != nil {
			t.Error(err)
		}
		if got := text(typ, want); got != columns[2] {
			t.Errorf("AppendText = %s", got)
		}
		if typ.Kind().IsNative() {
			kind, content := splitLiteral(typ, literal)
			if got, err := typ.FromLiteral(kind, content); err != nil || !bytes.Equal(got, want) {
				t.Errorf("FromLiteral(%s, %s) = %x, %v", kind, content, got, err)
			}
		}
		x, err := typ.GoValue(want)
		if err != nil || reflect.TypeOf(x) != typ.GoType() {
			t.Errorf("GoValue = %T %v, %v, want a %s", x, x, err, typ.GoType())
		}
		if got, err := typ.Encode(x); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Encode(%v) = %x, %v", x, got, err)
		}
	})
}

func TestRecordedOrder(t *testing.T) {
	var last *Type
	var previous []byte
	readRecorded(t, "order.txt", func(t *testing.T, typ *Type, columns []string) {
		v := unhex(t, columns[0])
		if typ.Equal(last) {
			if typ.Compare(previous, v) != -1 || typ.Compare(v, previous) != 1 {
				t.Errorf("Compare(%x, %x) = %d and %d", previous, v, typ.Compare(previous, v), typ.Compare(v, previous))
			}
			for _, desc := range []bool{false, true} {
				order := bytes.Compare(typ.AppendKey(nil, previous, desc), typ.AppendKey(nil, v, desc))
				if (order < 0) == desc || order == 0 {
					t.Errorf("keys of %x and %x compare as %d, desc=%v", previous, v, order, desc)
				}
			}
		}
		last, previous = typ, v
	})
}

func TestRecordedLiterals(t *testing.T) {
	kinds := map[string]LiteralKind{}
	for k := LiteralString; k <= LiteralDuration; k++ {
		kinds[k.String()] = k
	}
	readRecorded(t, "literals.txt", func(t *testing.T, typ *Type, columns []string) {
		v, err := typ.FromLiteral(kinds[columns[0]], columns[1])
		got := "0x" + hex.EncodeToString(v)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != columns[2] {
			t.Errorf("got %s", got)
		}
	})
}
