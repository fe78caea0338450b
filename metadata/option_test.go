package metadata

import (
	"math"
	"testing"
)

func TestParseDouble(t *testing.T) {
	check := func(text string, want float64) {
		t.Helper()
		got, ok := parseDouble(text)
		if !ok || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q: got %v %t, want %v", text, got, ok, want)
		}
	}
	bad := func(text string) {
		t.Helper()
		if got, ok := parseDouble(text); ok {
			t.Errorf("%q: got %v", text, got)
		}
	}
	check("0.5", 0.5)
	check(" \t.5\n", 0.5)
	check("5.", 5)
	check("+1e3", 1000)
	check("1D", 1)
	check("2.5f", 2.5)
	check("0x1p-1", 0.5)
	check("0x1.fp0", 1.9375)
	check("1e999", math.Inf(1))
	check("-1e999", math.Inf(-1))
	check("1e-999", 0)
	check("Infinity", math.Inf(1))
	check("-Infinity", math.Inf(-1))
	check("NaN", math.NaN())
	for _, text := range []string{"", " ", "x", "f", "1_0", "inf", "nan", "infinity", "+-1", "1ff", "0x1f", "--1", "1e", ".", "Infinityf"} {
		bad(text)
	}
}

func TestFormatDouble(t *testing.T) {
	check := func(x float64, want string) {
		t.Helper()
		if got := formatDouble(x); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(0, "0.0")
	check(1, "1.0")
	check(-0.5, "-0.5")
	check(0.001, "0.001")
	check(0.0001, "1.0E-4")
	check(6.71e-5, "6.71E-5")
	check(9999999, "9999999.0")
	check(1e7, "1.0E7")
	check(1.25e21, "1.25E21")
	check(math.Inf(1), "Infinity")
	check(math.Inf(-1), "-Infinity")
	check(math.NaN(), "NaN")
}

func TestParseSize(t *testing.T) {
	check := func(text string, want float64) {
		t.Helper()
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%q: got %v %v, want %v", text, got, err, want)
		}
	}
	bad := func(text, want string) {
		t.Helper()
		if got, err := parseSize(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v %v, want %s", text, got, err, want)
		}
	}
	check("0B", 0)
	check("20KB", 20_000)
	check("20 KiB", 20<<10)
	check("1.5GiB", 1.5*(1<<30))
	check("1e9B", 1e9)
	check("-5MiB", -5<<20)
	check("3EiB", 3<<60)
	bad("1", "1 does not end in unit B")
	bad("1KiBx", "1KiBx does not end in unit B")
	bad("B", "B is not a number with a unit")
	bad("1XiB", "1XiB is not a number with a unit")
	bad("8EiB", "8EiB is out of range")
	bad("1e400B", "1e400B is out of range")
}

func TestFormatSize(t *testing.T) {
	check := func(bytes float64, want string) {
		t.Helper()
		if got := formatSize(bytes); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(0, "0.000B")
	check(1023, "1023.000B")
	check(1<<20, "1.000MiB")
	check(-1.5*(1<<30), "-1.500GiB")
	check(1<<62, "4.000EiB")
}
