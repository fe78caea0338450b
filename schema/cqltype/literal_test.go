package cqltype

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAccepts(t *testing.T) {
	check := func(typ *Type, want ...LiteralKind) {
		t.Helper()
		for k := LiteralString; k <= LiteralDuration; k++ {
			accepted := false
			for _, w := range want {
				accepted = accepted || k == w
			}
			if got := typ.Accepts(k); got != accepted {
				t.Errorf("%s.Accepts(%s) = %v", typ, k, got)
			}
			if _, err := typ.FromLiteral(k, "?"); !accepted && (err == nil || !strings.HasPrefix(err.Error(), "Invalid "+k.String()+" constant (?)")) {
				t.Errorf("%s.FromLiteral(%s): %v", typ, k, err)
			}
		}
	}
	check(TypeASCII, LiteralString)
	check(TypeText, LiteralString)
	check(TypeInet, LiteralString)
	check(TypeBlob, LiteralHex)
	check(TypeBoolean, LiteralBoolean)
	check(TypeTinyint, LiteralInteger, LiteralHex)
	for _, typ := range []*Type{TypeSmallint, TypeInt, TypeBigint, TypeCounter, TypeVarint} {
		check(typ, LiteralInteger)
	}
	for _, typ := range []*Type{TypeDecimal, TypeDouble, TypeFloat} {
		check(typ, LiteralInteger, LiteralFloat)
	}
	for _, typ := range []*Type{TypeDate, TypeTime, TypeTimestamp} {
		check(typ, LiteralString, LiteralInteger)
	}
	check(TypeDuration, LiteralDuration, LiteralInteger)
	check(TypeUUID, LiteralUUID)
	check(TypeTimeUUID, LiteralUUID)
	check(must(ListOf(TypeInt)))
}

// TestLiteralsBeyondCassandra pins what differs from Cassandra 5.0 on purpose; the rest is in testdata/literals.txt.
func TestLiteralsBeyondCassandra(t *testing.T) {
	refuse := func(typ *Type, k LiteralKind, in, want string) {
		t.Helper()
		v, err := typ.FromLiteral(k, in)
		if target := (*ValueError)(nil); !errors.As(err, &target) || err.Error() != want {
			t.Errorf("%s %s %s = %x, %v, want %s", typ, k, in, v, err, want)
		}
	}
	refuse(TypeTinyint, LiteralHex, "0x01ff", "Expected 1 byte for a tinyint (2)")
	refuse(TypeASCII, LiteralString, "\u00e9", "Invalid ASCII character in string literal: '\u00e9'")
	refuse(TypeText, LiteralString, "\xff", "String didn't validate.")
	refuse(TypeTimestamp, LiteralString, "2011-02-03 04:05 IST", "Unable to parse a date/time from '2011-02-03 04:05 IST'")
	refuse(TypeTimestamp, LiteralString, "2011-02-03 04:05 Local", "Unable to parse a date/time from '2011-02-03 04:05 Local'")
	refuse(TypeTimestamp, LiteralString, "2011-02-03 04:05 ../UTC", "Unable to parse a date/time from '2011-02-03 04:05 ../UTC'")
	refuse(TypeDuration, LiteralDuration, "", "Unable to convert '' to a duration")
	refuse(TypeDuration, LiteralDuration, "9223372036854775808ns",
		"Invalid duration. The total number of nanoseconds must be less or equal to 9223372036854775807")
	refuse(TypeDuration, LiteralDuration, "99999999999999999999y",
		"Invalid duration. The total number of months must be less or equal to 2147483647")
	refuse(TypeDouble, LiteralFloat, "1e400", "Unable to make double from '1e400'")
	refuse(TypeFloat, LiteralFloat, "0x1p3", "Unable to make float from '0x1p3'")
	refuse(TypeDouble, LiteralFloat, "inf", "Unable to make double from 'inf'")
	refuse(TypeDecimal, LiteralFloat, "1e+-5", "unable to make BigDecimal from '1e+-5'")
	refuse(TypeDecimal, LiteralFloat, ".", "unable to make BigDecimal from '.'")
	refuse(TypeDecimal, LiteralFloat, "1e-2147483648", "unable to make BigDecimal from '1e-2147483648'")
	refuse(TypeVarint, LiteralInteger, "1_000_000_000_000_000_000_000", "unable to make int from '1_000_000_000_000_000_000_000'")
	refuse(TypeBlob, LiteralHex, "AB", "String representation of blob is missing 0x prefix: AB")
	refuse(TypeInet, LiteralString, "localhost", "Unable to make inet address from 'localhost'")
	refuse(TypeInet, LiteralString, "fe80::1%eth0", "Unable to make inet address from 'fe80::1%eth0'")
	for _, typ := range []*Type{TypeVarint, TypeDecimal} {
		if _, err := typ.FromLiteral(LiteralInteger, strings.Repeat("1", maxDigits+1)); err == nil {
			t.Errorf("%s takes any number of digits", typ)
		}
	}
	if v, err := TypeDecimal.FromLiteral(LiteralFloat, "1e400"); err != nil || text(TypeDecimal, v) != "1E+400" {
		t.Errorf("decimal 1e400 = %x, %v", v, err)
	}
}

func TestTimestampNow(t *testing.T) {
	before := time.Now().UnixMilli()
	v, err := TypeTimestamp.FromLiteral(LiteralString, "Now")
	if err != nil || readInt(v) < before || readInt(v) > time.Now().UnixMilli() {
		t.Errorf("now = %x, %v", v, err)
	}
}

// TestLiteralRoundTrip: what AppendLiteral writes, FromLiteral reads.
func TestLiteralRoundTrip(t *testing.T) {
	for _, k := range nativeKinds() {
		typ := Native(k)
		t.Run(k.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				v := drawValue(t, typ)
				literal := string(typ.AppendLiteral(nil, v))
				if call := "blob_as_" + k.String() + "("; strings.HasPrefix(literal, call) {
					blob, err := TypeBlob.FromLiteral(LiteralHex, strings.TrimSuffix(strings.TrimPrefix(literal, call), ")"))
					if err != nil || !bytes.Equal(blob, v) || len(v) > 0 && k != KindInet {
						t.Fatalf("%x became %s, which is %x, %v", v, literal, blob, err)
					}
					return
				}
				kind, content := splitLiteral(typ, literal)
				got, err := typ.FromLiteral(kind, content)
				if err != nil || typ.Compare(got, v) != 0 {
					t.Fatalf("%x became %s, which is %x, %v", v, literal, got, err)
				}
				if (isCanonicalType(typ) || k == KindDecimal && bytes.Equal(trimVarint(v[4:]), v[4:])) && !bytes.Equal(got, v) {
					t.Fatalf("%x became %s, which is %x", v, literal, got)
				}
			})
		})
	}
}

func TestAppendLiteral(t *testing.T) {
	check := func(typ *Type, v []byte, want string) {
		t.Helper()
		if got := string(typ.AppendLiteral([]byte("> "), v)); got != "> "+want {
			t.Errorf("AppendLiteral(%s, %x) = %s, want %s", typ, v, got, want)
		}
	}
	addr := must(UDT("ks", "addr", []Field{{"Street", TypeText}, {"no", TypeInt}})).Frozen()
	check(TypeInt, nil, "null")
	check(TypeInt, []byte{}, "blob_as_int(0x)")
	check(TypeInt, []byte{1}, "0x01")
	check(TypeInet, []byte{}, "''")
	check(TypeTimestamp, []byte{}, "''")
	check(TypeText, []byte{}, "''")
	check(TypeText, []byte(`it's\`), `'it''s\'`)
	check(TypeBoolean, []byte{7}, "true")
	check(TypeBoolean, []byte{0}, "false")
	check(TypeFloat, []byte{0x3f, 0x80, 0, 0}, "1.0")
	check(TypeDouble, []byte{0x43, 0xe0, 0, 0, 0, 0, 0, 0}, "9.223372036854776e+18")
	check(TypeDuration, []byte{0, 0, 0}, "0s")
	check(TypeDuration, appendDuration(nil, Duration{Nanoseconds: -1 << 63}), "blob_as_duration(0x0000ffffffffffffffffff)")
	check(TypeTimestamp, appendInt(nil, 8, -1), "'1969-12-31T23:59:59.999Z'")
	check(TypeTimestamp, appendInt(nil, 8, 1<<62), "4611686018427387904")
	check(addr, AppendElement(nil, []byte("Main")), `{"Street": 'Main', no: null}`)
	check(must(ListOf(addr)), []byte{0, 0, 0, 0}, "[]")
	check(must(MapOf(TypeText, TypeInt)), AppendElement(AppendElement(AppendCount(nil, 1), []byte("a")), []byte{}), "{'a': blob_as_int(0x)}")
	check(must(TupleOf(TypeInt, TypeText)), []byte{}, "(null, null)")
}
