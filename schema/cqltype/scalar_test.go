package cqltype

import (
	"math/big"
	"testing"
	"time"
)

func TestDecimalText(t *testing.T) {
	check := func(unscaled int64, scale int32, want string) {
		t.Helper()
		d := Decimal{big.NewInt(unscaled), scale}
		if got := d.String(); got != want {
			t.Errorf("%d, scale %d: %s, want %s", unscaled, scale, got, want)
		}
		back, err := ParseDecimal(want)
		if err != nil || back.Unscaled.Cmp(d.Unscaled) != 0 || back.Scale != scale {
			t.Errorf("ParseDecimal(%s) = %v, scale %d, %v", want, back.Unscaled, back.Scale, err)
		}
	}
	check(0, 0, "0")
	check(0, 2, "0.00")
	check(0, -3, "0E+3")
	check(0, 7, "0E-7")
	check(-150, 2, "-1.50")
	check(5, 6, "0.000005")
	check(5, 7, "5E-7")
	check(-123, 9, "-1.23E-7")
	check(123, -1, "1.23E+3")
	check(1, -1<<31, "1E+2147483648")
	check(1, 1<<31-1, "1E-2147483647")
	if got := (Decimal{Scale: 1}).String(); got != "0.0" {
		t.Errorf("Decimal without a number: %s", got)
	}
	for _, bad := range []string{"", "x", "1e", "1e5.0", "1.2.3", "--1", "1e99999999999", "NaN"} {
		if d, err := ParseDecimal(bad); err == nil {
			t.Errorf("ParseDecimal(%s) = %v", bad, d)
		}
	}
}

func TestParseDurationErrors(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if d, err := ParseDuration(in); err == nil || err.Error() != want {
			t.Errorf("ParseDuration(%s) = %v, %v, want %s", in, d, err, want)
		}
	}
	check("P1X", "Unable to convert 'P1X' to a duration")
	check("P1", "Unable to convert 'P1' to a duration")
	check("P1D1Y", "Unable to convert 'P1D1Y' to a duration")
	check("PT1H1H", "Unable to convert 'PT1H1H' to a duration")
	check("P1YT1HT1M", "Unable to convert 'P1YT1HT1M' to a duration")
	check("PW", "Unable to convert 'PW' to a duration")
	check("-P2011-02-03", "Unable to convert 'P2011-02-03' to a duration")
	check("P2011-02-03 04:05:06", "Unable to convert 'P2011-02-03 04:05:06' to a duration")
	check("P2011-02-0xT04:05:06", "Unable to convert 'P2011-02-0xT04:05:06' to a duration")
	check("1\u00b5", "Unable to convert '1\u00b5' to a duration")
	check("P400000000Y", "Invalid duration. The total number of months must be less or equal to 2147483647")
	check("P306783379W", "Invalid duration. The total number of days must be less or equal to 2147483647")
	if d := (Duration{}).String(); d != "" {
		t.Errorf("the zero duration is %q", d)
	}
	if d := (Duration{-1 << 31, -1 << 31, -1 << 63}).String(); d != "-178956970y8mo2147483648d2562047h47m16s854ms775us808ns" {
		t.Errorf("the longest negative duration is %q", d)
	}
}

func TestDate(t *testing.T) {
	check := func(d Date, want string) {
		t.Helper()
		if got := d.String(); got != want {
			t.Errorf("date %d = %s, want %s", int32(d), got, want)
		}
		if back, err := ParseDate(want); err != nil || back != d {
			t.Errorf("ParseDate(%s) = %d, %v", want, int32(back), err)
		}
		if DateOf(d.Time()) != d {
			t.Errorf("DateOf(%s) = %d", d.Time(), int32(DateOf(d.Time())))
		}
	}
	check(0, "1970-01-01")
	check(-1, "1969-12-31")
	check(-719162, "0001-01-01")
	check(-719163, "0000-12-31")
	check(-719529, "-0001-12-31")
	check(2932896, "9999-12-31")
	check(2932897, "+10000-01-01")
	check(-1<<31, "-5877641-06-23")
	check(1<<31-1, "+5881580-07-11")
	check(DateOf(time.Date(2011, 2, 3, 23, 0, 0, 0, time.FixedZone("", -5*3600))), "2011-02-03")
}

// TestClockChanges: times that clocks show twice or not at all, as Cassandra reads them.
func TestClockChanges(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		v, err := TypeTimestamp.FromLiteral(LiteralString, in)
		if got := text(TypeTimestamp, v); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", in, got, err, want)
		}
	}
	check("2011-03-13 01:59:59 America/New_York", "2011-03-13 06:59:59.000000+0000")
	check("2011-03-13 02:30:00 America/New_York", "2011-03-13 07:30:00.000000+0000")
	check("2011-03-13 03:00:00 America/New_York", "2011-03-13 07:00:00.000000+0000")
	check("2011-11-06 00:30:00 America/New_York", "2011-11-06 04:30:00.000000+0000")
	check("2011-11-06 01:30:00 America/New_York", "2011-11-06 05:30:00.000000+0000")
	check("2011-11-06 02:30:00 America/New_York", "2011-11-06 07:30:00.000000+0000")
	check("2011-07-03 04:05:06 EST", "2011-07-03 08:05:06.000000+0000")
	check("2011-02-03 24:00 GMT", "2011-02-04 00:00:00.000000+0000")
	check("2011-02-31", "2011-02-28 00:00:00.000000+0000")
}
