package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseSize(t *testing.T) {
	check := func(text string, want Size, canonical string) {
		t.Helper()
		got, err := ParseSize(text)
		if err != nil || got != want || got.String() != canonical {
			t.Errorf("ParseSize(%q) = %d (%s), %v; want %d (%s)", text, got, got, err, want, canonical)
		}
	}
	check("0", 0, "0B")
	check("0GiB", 0, "0B")
	check("100B", 100, "100B")
	check("064KiB", 64*KiB, "64KiB")
	check("1024KiB", MiB, "1MiB")
	check("1GiB", GiB, "1GiB")
	check("1536MiB", 1536*MiB, "1536MiB")
	check("9223372036854775807B", math.MaxInt64, "9223372036854775807B")

	refuse := func(text, want string) {
		t.Helper()
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSize(%q) = %d, %v; want an error with %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "-1B", "+1B", "1kib", "1KB", "1 KiB", "1TiB", " 1B", "1B ", "1.0B", "١B"} {
		refuse(text, "is not a size: write a whole number")
	}
	refuse("16", "has no unit")
	refuse("9223372036854775808B", "too large")
	refuse("8589934592GiB", "too large")
	refuse("18014398509481984KiB", "too large") // 2^64 bytes: wraps to 0
}

func TestParseRate(t *testing.T) {
	check := func(text string, want Rate, canonical string) {
		t.Helper()
		got, err := ParseRate(text)
		if err != nil || got != want || got.String() != canonical {
			t.Errorf("ParseRate(%q) = %d (%s), %v; want %d (%s)", text, got, got, err, want, canonical)
		}
	}
	check("0", 0, "0B/s")
	check("64MiB/s", Rate(64*MiB), "64MiB/s")
	check("2048MiB/s", Rate(2*GiB), "2048MiB/s")
	for _, text := range []string{"64", "64MiB", "1GiB/s", "/s"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("ParseRate(%q) = %d without error", text, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	check := func(text string, want time.Duration, canonical string) {
		t.Helper()
		got, err := parseDuration(text)
		if err != nil || got != want || formatDuration(got) != canonical {
			t.Errorf("parseDuration(%q) = %s, %v; want %s (%s)", text, got, err, want, canonical)
		}
	}
	check("0ms", 0, "0s")
	check("1ns", 1, "1ns")
	check("5us", 5*time.Microsecond, "5us")
	check("200ms", 200*time.Millisecond, "200ms")
	check("10000ms", 10*time.Second, "10s")
	check("90s", 90*time.Second, "90s")
	check("60m", time.Hour, "1h")
	check("48h", 48*time.Hour, "2d")
	for _, text := range []string{"", "0", "10", "s", "1m30s", "1.5s", "-1s", "1S", "1 s", "1w", "1µs", "106752d"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q) = %s without error", text, got)
		}
	}
}

func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Min(0).Draw(t, "n") &^ (1<<rapid.IntRange(0, 40).Draw(t, "zeros") - 1)
		if got, err := ParseSize(Size(n).String()); err != nil || got != Size(n) {
			t.Fatalf("size %d: %d, %v", n, got, err)
		}
		if got, err := ParseRate(Rate(n).String()); err != nil || got != Rate(n) {
			t.Fatalf("rate %d: %d, %v", n, got, err)
		}
		if got, err := parseDuration(formatDuration(time.Duration(n))); err != nil || got != time.Duration(n) {
			t.Fatalf("duration %d: %d, %v", n, got, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"0", "16MiB", "18446744073709551616GiB", "-1B", "1kB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ParseSize(size.String()); size < 0 || err != nil || again != size {
			t.Fatalf("%q gives %d, which gives %d, %v", text, size, again, err)
		}
	})
}

func TestEditDistance(t *testing.T) {
	check := func(a, b string, want int) {
		t.Helper()
		if got := editDistance(a, b); got != want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := editDistance(b, a); got != want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", b, a, got, want)
		}
	}
	check("", "", 0)
	check("", "rack", 4)
	check("rack", "rack", 0)
	check("rak", "rack", 1)
	check("memroy", "memory", 2)
	check("kitten", "sitting", 3)
}
