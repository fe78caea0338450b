package mail

import (
	"net/mail"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDate(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		got, ok := parseDate(in)
		if !ok || got != utc(t, want) {
			t.Errorf("parseDate(%q) = %v, %v, want %s", in, got, ok, want)
		}
	}
	const noon = "2019-03-05T12:00:00Z"
	check("Tue, 5 Mar 2019 12:00:00 +0000", noon)
	check("Tue, 5 Mar 2019 13:00:00 +0100 (CET)", noon)
	check("Tue, 5 Mar 2019 07:00:00 -0500 (EST (winter))", noon)
	check("5 Mar 2019 12:00 GMT", noon)
	check("Tue, 05 Mar 19 12:00:00 UT", noon)
	check("Tue, 5 Mar 119 12:00:00 Z", noon)
	check("Tue, 5 Mar 19119 12:00:00", noon)
	check("Tue,5 Mar 2019 07:00:00 EST", noon)
	check("Tue, 5 Mar 2019 08:00:00 EDT", noon)
	check("Tue, 5 Mar 2019 04:00:00 PST", noon)
	check("Tue, 5 Mar 2019 13:00:00 MET DST", noon)
	check("Tue, 5 Mar 2019 12:00:00 XYZ", noon)
	check("Tue, 5 Mar 2019 13:00:00 GMT+0100", noon)
	check("Tue, 5 Mar 2019 14:00:00 GMT +02:00", noon)
	check("Tue, 5 Mar 2019 13:00:00 +1", noon)
	check("Tue, 5 Mar 2019 12:00:00 +9900", noon)
	check("Tue, 5 Mar 2019 12.00.00 +0000", noon)
	check("Tuesday, 5. March 2019 12:00:00.123", "2019-03-05T12:00:00Z")
	check("Tues, 5 Sept 2019 12:00:00", "2019-09-05T12:00:00Z")
	check("Tue Mar  5 12:00:00 2019", noon)
	check("Tue Mar 05 12:00:00 +0000 2019", noon)
	check("Tue Mar  5 04:00:00 PST 2019", noon)
	check("Mar 5, 2019 12:00:00 PM", noon)
	check("Mar 5, 2019 12:00 am", "2019-03-05T00:00:00Z")
	check("5 Mar 2019 01:00:00PM +0100", noon)
	check("5-Mar-2019 12:00:00", noon)
	check("2019-03-05 12:00:00", noon)
	check("2019-03-05T13:00:00+01:00", noon)
	check("2019-03-05T12:00:00.5Z", noon)
	check("2019/03/05 12:00:00", noon)
	check("5 Mar 2019", "2019-03-05T00:00:00Z")
	check("31 Dec 1999 23:59:60 +0000", "1999-12-31T23:59:59Z")
	check("1 Jan 70 00:00:00", "1970-01-01T00:00:00Z")
	check("29 Feb 2020 00:00:00", "2020-02-29T00:00:00Z")
}

func TestParseDateRefuses(t *testing.T) {
	check := func(in string) {
		t.Helper()
		if got, ok := parseDate(in); ok {
			t.Errorf("parseDate(%q) = %v, want a refusal", in, got)
		}
	}
	check("")
	check("yesterday at 5")
	check("I saw on Tue, 5 Mar 2019 12:00:00")
	check("Tue, 5 Mar 2019 12:00:00 or so")
	check("29 Feb 2019 00:00:00")
	check("32 Mar 2019 00:00:00")
	check("0 Mar 2019 00:00:00")
	check("5 Mar 2019 24:00:00")
	check("5 Mar 2019 12:60:00")
	check("5 Mar 1066 12:00:00")
	check("05/03/2019 12:00:00") // May or March
	check("2019-13-05 12:00:00")
	check("5 Mar")
	check("Mar 2019")
	check("5 Mar 2019 12:00:00 13:00:00")
	check("5 Mar 2019 99999999999999999999")
	check("2019-03 12:00:00")
	check("1:2:3:4 5 Mar 2019")
}

// net/mail is the judge of dates that are well-formed.
func TestParseDateAgainstNetMail(t *testing.T) {
	layouts := []string{
		"Mon, _2 Jan 2006 15:04:05 -0700", "02 Jan 2006 15:04:05 -0700", "2 Jan 06 15:04 -0700",
		"Mon, 2 Jan 2006 15:04:05 -0700 (ABC)",
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "zone")*60)
		date := time.Unix(rapid.Int64Range(0, 2_400_000_000).Draw(t, "seconds"), 0).In(zone)
		text := date.Format(rapid.SampledFrom(layouts).Draw(t, "layout"))
		want, err := mail.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseDate(text); !ok || !got.Equal(want) && want.Year() >= 1970 && want.Year() < 2049 {
			t.Errorf("parseDate(%q) = %v, %v, want %v", text, got, ok, want)
		}
	})
}
