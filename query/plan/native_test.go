package plan

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func decimal(t *testing.T, text string) cqltype.Decimal {
	t.Helper()
	d, err := cqltype.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecimals(t *testing.T) {
	for _, test := range []struct {
		left     string
		operator ast.Operator
		right    string
		want     string // or the error
	}{
		{"1.10", '+', "2", "3.10"},
		{"1", '-', "2.50", "-1.50"},
		{"1.5", '*', "-2.50", "-3.750"},
		{"1", '/', "3", "0.33333333333333333333333333333333"},
		{"2", '/', "3", "0.66666666666666666666666666666667"},
		{"-2", '/', "3", "-0.66666666666666666666666666666667"},
		{"10", '/', "0.5", "2E+1"},
		{"0", '/', "7.5", "0"},
		{"7", '%', "2.5", "2.0"},
		{"-7", '%', "2.5", "-2.0"},
		{"1", '/', "0", "BigInteger divide by zero"},
		{"1", '%', "0", "Division by zero"},
		{"0", '%', "0", "Division undefined"},
		{"1e2147483647", '+', "1", "the scales differ too much"},
		{"1e2147483647", '*', "1e2147483647", "Overflow"},
	} {
		got, err := computeDecimal(test.operator, decimal(t, test.left), decimal(t, test.right))
		shown := got.String()
		if err != nil {
			shown = err.Error()
		}
		if shown != test.want {
			t.Errorf("%s %c %s is %s, want %s", test.left, test.operator, test.right, shown, test.want)
		}
	}
}

func TestRoundScale(t *testing.T) {
	for text, want := range map[string]string{"2.5": "3", "-2.5": "-3", "2.49": "2", "1e3": "1000", "0.0001": "0", "1e2147483647": "1E+2147483647"} {
		if got := roundScale(decimal(t, text), 0).String(); got != want {
			t.Errorf("%s is rounded to %s, want %s", text, got, want)
		}
	}
}

func TestDecimalsStayBounded(t *testing.T) {
	d := decimal(t, "1e6000")
	d.Unscaled, d.Scale = rescale(d, 1), 1
	d.Unscaled.Add(d.Unscaled, big.NewInt(1))
	for range 4 {
		var err error
		if d, err = computeDecimal('*', d, d); err != nil {
			t.Fatal(err)
		}
		if n := digits(d.Unscaled); n > maxDigits {
			t.Fatalf("%d digits", n)
		}
	}
	if exponent := digits(d.Unscaled) - int(d.Scale) - 1; exponent != 16*6000 {
		t.Errorf("the power is about 1E%d", exponent)
	}
}

func TestJavaFloats(t *testing.T) {
	for _, test := range []struct {
		f             float64
		size          int
		text, decimal string
	}{
		{1, 64, "1.0", "1.0"},
		{-1.5, 64, "-1.5", "-1.5"},
		{100, 64, "100.0", "100.0"},
		{0.05, 64, "0.05", "0.05"},
		{1e7, 64, "1.0E7", "1.0E+7"},
		{1.25e-5, 64, "1.25E-5", "0.0000125"},
		{123456789.125, 64, "1.23456789125E8", "123456789.125"},
		{float64(float32(0.1)), 32, "0.1", "0.1"},
		{0, 64, "0.0", "0.0"},
	} {
		if got := javaFloat(test.f, test.size); got != test.text {
			t.Errorf("%v is written %s, want %s", test.f, got, test.text)
		}
		if got := decimalOfFloat(test.f, test.size).String(); got != test.decimal {
			t.Errorf("%v becomes the decimal %s, want %s", test.f, got, test.decimal)
		}
	}
	for f, want := range map[float64]string{math.Inf(1): "Infinity", math.Inf(-1): "-Infinity"} {
		if got := javaFloat(f, 64); got != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
	if got := javaFloat(math.NaN(), 64); got != "NaN" {
		t.Errorf("NaN is written %s", got)
	}
}

func TestFloatsAreCutAsJavaDoes(t *testing.T) {
	for _, test := range []struct {
		f    float64
		size int
		want int64
	}{
		{-1.9, 4, -1}, {1e10, 4, math.MaxInt32}, {-1e10, 2, math.MinInt32}, {1e30, 8, math.MaxInt64}, {-1e30, 8, math.MinInt64},
		{math.NaN(), 8, 0}, {1e10, 8, 10_000_000_000},
	} {
		if got := wholeOfFloat(test.f, test.size); got != test.want {
			t.Errorf("%v as %d bytes is %d, want %d", test.f, test.size, got, test.want)
		}
	}
}

func TestDoublesAreRoundedHalfUp(t *testing.T) {
	for f, want := range map[float64]float64{2.5: 3, -2.5: -2, -2.6: -3, 0.49999999999999994: 0, 4503599627370497: 4503599627370497} {
		if got := roundNumber(number{kind: cqltype.KindDouble, float: f}).float; got != want {
			t.Errorf("%v is rounded to %v, want %v", f, got, want)
		}
	}
}

func TestDecimalsBecomeFloats(t *testing.T) {
	for text, want := range map[string]float64{"0.1": 0.1, "-1e400": math.Inf(-1), "1e2147483647": math.Inf(1), "0e2147483647": 0, "1e-2147483647": 0,
		"9007199254740993.00000000001": 9007199254740994} {
		if got := (number{kind: cqltype.KindDecimal, decimal: decimal(t, text)}).toFloat(); got != want {
			t.Errorf("%s as a double is %v, want %v", text, got, want)
		}
	}
}

// TestSumOfDistantDecimals: scales whose distance has more than 32 bits are not taken for near ones.
func TestSumOfDistantDecimals(t *testing.T) {
	a := &decimalSum{value: decimal(t, "1e-2147483647")}
	v, err := cqltype.TypeDecimal.Encode(decimal(t, "1e2147483647"))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.add(v); err == nil {
		t.Errorf("the sum is %s", a.value)
	}
}

func TestVarintsDecode(t *testing.T) {
	for _, text := range []string{"0", "-1", "127", "128", "-128", "-129", "123456789012345678901234567890", "-123456789012345678901234567890"} {
		want, _ := new(big.Int).SetString(text, 10)
		encoded := number{big: want}.encode(cqltype.TypeVarint)
		if got := bigOf(encoded); got.Cmp(want) != 0 {
			t.Errorf("%s comes back as %s", want, got)
		}
	}
}

func TestDurationsAreAdded(t *testing.T) {
	for _, test := range []struct {
		typ            *cqltype.Type
		from, duration string
		sign           int64
		want           string
	}{
		{cqltype.TypeDate, "2024-01-31", "1mo", 1, "2024-02-29"},
		{cqltype.TypeDate, "2024-02-29", "1y", 1, "2025-02-28"},
		{cqltype.TypeDate, "2024-03-31", "1mo", -1, "2024-02-29"},
		{cqltype.TypeDate, "2024-01-01", "1d", -1, "2023-12-31"},
		{cqltype.TypeDate, "1969-12-31", "24h", 1, "1970-01-01"},
		{cqltype.TypeTimestamp, "2024-01-31 10:00:00+0000", "13mo2h", 1, "2025-02-28T12:00:00.000Z"},
		{cqltype.TypeTimestamp, "1969-12-31 23:59:59+0000", "1s1ms", 1, "1970-01-01T00:00:00.001Z"},
	} {
		from, err := test.typ.FromLiteral(cqltype.LiteralString, test.from)
		if err != nil {
			t.Fatal(err)
		}
		duration, err := cqltype.TypeDuration.FromLiteral(cqltype.LiteralDuration, test.duration)
		if err != nil {
			t.Fatal(err)
		}
		got, err := addDuration(test.typ, from, duration, test.sign)
		if err != nil {
			t.Fatal(err)
		}
		if shown := strings.Trim(string(test.typ.AppendLiteral(nil, got)), "'"); shown != test.want {
			t.Errorf("%s and %s is %s, want %s", test.from, test.duration, shown, test.want)
		}
	}
}

func TestPreferredTypes(t *testing.T) {
	for _, test := range []struct {
		kind ast.LiteralKind
		text string
		want *cqltype.Type
	}{
		{ast.IntegerLiteral, "1", cqltype.TypeInt},
		{ast.IntegerLiteral, "2147483648", cqltype.TypeBigint},
		{ast.IntegerLiteral, "9223372036854775808", cqltype.TypeVarint},
		{ast.FloatLiteral, "1.5", cqltype.TypeDouble},
		{ast.FloatLiteral, "NaN", cqltype.TypeDouble},
		{ast.FloatLiteral, "1.123456789012345678901234567890", cqltype.TypeDecimal},
		{ast.FloatLiteral, "1e-2147483647", cqltype.TypeDecimal},
		{ast.StringLiteral, "a", cqltype.TypeASCII},
		{ast.StringLiteral, "ä", cqltype.TypeText},
		{ast.NullLiteral, "", nil},
	} {
		if got := preferredType(&ast.Literal{Kind: test.kind, Text: test.text}); got != test.want {
			t.Errorf("%s is of type %v, want %v", test.text, got, test.want)
		}
	}
}

// TestJSONComesBack reads what is written.
func TestJSONComesBack(t *testing.T) {
	list, err := cqltype.ListOf(cqltype.TypeText)
	if err != nil {
		t.Fatal(err)
	}
	byInt, err := cqltype.MapOf(cqltype.TypeInt, list.Frozen())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		typ  *cqltype.Type
		json string
	}{
		{cqltype.TypeInt, "-5"}, {cqltype.TypeBigint, "9223372036854775807"}, {cqltype.TypeTinyint, "-128"},
		{cqltype.TypeDouble, "1.0E10"}, {cqltype.TypeFloat, "0.1"}, {cqltype.TypeDecimal, "1.50"}, {cqltype.TypeVarint, "-123456789012345678901"},
		{cqltype.TypeText, `"a\"<b>\nä"`}, {cqltype.TypeText, "\"\\u001F\\b\\\\\u2028\""}, {cqltype.TypeBoolean, "true"}, {cqltype.TypeBlob, `"0xff00"`},
		{cqltype.TypeTimestamp, `"2020-01-01 00:00:00.001Z"`}, {cqltype.TypeDate, `"2020-01-01"`}, {cqltype.TypeTime, `"10:11:12.000000001"`},
		{cqltype.TypeInet, `"1.2.3.4"`}, {cqltype.TypeUUID, `"8e14e760-7fa8-11eb-bc66-000000000001"`}, {cqltype.TypeDuration, `"1mo2d"`},
		{list, `["a", "b"]`}, {byInt, `{"-1": ["x"], "2": []}`},
	} {
		decoded, err := decodeJSON(test.json)
		if err != nil {
			t.Fatal(err)
		}
		v, err := fromJSON(test.typ, decoded)
		if err != nil {
			t.Errorf("%s as %s: %v", test.json, test.typ, err)
			continue
		}
		if got := string(appendJSON(nil, test.typ, v)); got != test.json {
			t.Errorf("%s as %s comes back as %s", test.json, test.typ, got)
		}
	}
}

func TestJSONIsRefused(t *testing.T) {
	for _, test := range []struct {
		typ        *cqltype.Type
		json, want string
	}{
		{cqltype.TypeTinyint, "128", "Expected a byte value, but got a Integer: 128"},
		{cqltype.TypeInt, "true", "Expected an int value, but got a Boolean: true"},
		{cqltype.TypeBigint, `"x"`, "Unable to make long from 'x'"},
		{cqltype.TypeText, "1.5", "Expected a UTF-8 string, but got a Double: 1.5"},
		{cqltype.TypeVarint, "1.5", "Value '1.5' is not a valid representation of a varint value"},
		{cqltype.TypeDate, "[1]", "Expected a string representation of a date value, but got a ArrayList: [1]"},
	} {
		decoded, err := decodeJSON(test.json)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fromJSON(test.typ, decoded); err == nil || err.Error() != test.want {
			t.Errorf("%s as %s: %v, want %s", test.json, test.typ, err, test.want)
		}
	}
}
