package cqltype

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// parseTimestamp reads what Cassandra 5.0 takes for a timestamp and returns milliseconds since 1970:
//
//	now, in any case of letters
//	1296705900000
//	2011-02-03              years beyond 9999 need a plus sign
//	2011-2-3 4:5[:6[.789]]  or with T between date and time, and up to nine fractional digits
//
// The last two may be followed by Z, +hh, +hhmm or +hh:mm, after a space also by +hh:mm:ss, UTC+hh:mm, GMT+hh:mm,
// an abbreviation such as PST or an identifier such as Europe/Paris; without one they are in UTC. As in Cassandra a
// day beyond the end of its month means the last one, and 24:00 means midnight at the end of the day.
func parseTimestamp(text string) (int64, error) {
	if len(text) == 3 && strings.EqualFold(text, "now") {
		return time.Now().UnixMilli(), nil
	}
	if isInteger(text) {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, invalid("Unable to make long (for date) from: '%s'", text)
		}
		return ms, nil
	}
	local, zone, ok := parseDateTime(text)
	if !ok {
		local, zone, ok = parseBareDate(text)
	}
	if ok {
		local, ok = local.in(zone)
	}
	const limit = math.MaxInt64 / 1000
	if !ok || local.sec > limit || local.sec < -limit || local.sec == limit && local.nanos/1e6 > math.MaxInt64%1000 {
		return 0, invalid("Unable to parse a date/time from '%s'", text)
	}
	return local.sec*1000 + local.nanos/1e6, nil
}

// localTime is a date and time of day without a zone: seconds since 1970 as if in UTC, and nanoseconds.
type localTime struct{ sec, nanos int64 }

// parseBareDate reads a date and returns it with the text of the zone behind it.
func parseBareDate(text string) (t localTime, zone string, ok bool) {
	n := strings.IndexByte(text[min(1, len(text)):], '-') + 1 // behind the year, whose sign may be a minus
	n += len("-02-03")
	if n > len(text) {
		return t, "", false
	}
	y, m, d, ok := splitDate(text[:n])
	if !ok {
		return t, "", false
	}
	return localTime{sec: civilSeconds(y, m, d)}, text[n:], true
}

// maxParsedYear is a little more than the last year that milliseconds in 64 bits reach.
const maxParsedYear = 300_000_000

// civilSeconds returns the seconds from 1970 to the start of a day, which is moved to the end of the month if
// it lies behind it.
func civilSeconds(y, m, d int) int64 {
	return time.Date(y, time.Month(m), min(d, daysIn(y, m)), 0, 0, 0, 0, time.UTC).Unix()
}

// parseDateTime reads a date and a time of day and returns them with the text of the zone behind them.
func parseDateTime(text string) (t localTime, zone string, ok bool) {
	s := scanner{rest: text, ok: true}
	year := s.number(1, maxParsedYear)
	s.literal('-')
	month := s.number(1, 12)
	s.literal('-')
	day := s.number(1, 31)
	if !s.skip('T') {
		s.literal(' ')
	}
	hour := s.number(0, 24)
	s.literal(':')
	minute := s.number(0, 59)
	second := 0
	if s.skip(':') {
		second = s.number(0, 59)
		if s.skip('.') {
			t.nanos = s.fraction()
		}
	}
	if !s.ok || hour == 24 && (minute != 0 || second != 0 || t.nanos != 0) {
		return t, "", false
	}
	t.sec = civilSeconds(year, month, day) + int64(hour*3600+minute*60+second)
	return t, s.rest, true
}

// scanner takes a text apart from the front. After a mismatch ok is false and the rest does not matter.
type scanner struct {
	rest string
	ok   bool
}

func (s *scanner) skip(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) literal(c byte) { s.ok = s.skip(c) && s.ok }

func (s *scanner) digits(most int) string {
	n := 0
	for n < len(s.rest) && n < most && s.rest[n] >= '0' && s.rest[n] <= '9' {
		n++
	}
	digits := s.rest[:n]
	s.rest = s.rest[n:]
	return digits
}

func (s *scanner) number(low, high int) int {
	n, err := strconv.Atoi(s.digits(19))
	s.ok = s.ok && err == nil && n >= low && n <= high
	return n
}

func (s *scanner) fraction() int64 {
	return parseFraction(s.digits(9)) // none is fine
}

// in returns the instant at which t shows on clocks in the zone that the text names.
func (t localTime) in(zone string) (localTime, bool) {
	if zone == "" || zone == "Z" || zone == " Z" {
		return t, true
	}
	if named, ok := strings.CutPrefix(zone, " "); ok {
		return t.inNamed(named)
	}
	if len(zone) > len("+hh:mm") {
		return t, false
	}
	offset, ok := parseOffset(zone)
	return localTime{t.sec - offset, t.nanos}, ok
}

// inNamed does it for the zones that stand behind a space.
func (t localTime) inNamed(zone string) (localTime, bool) {
	offset, ok := parseOffset(zone)
	for _, prefix := range [...]string{"UTC", "GMT", "UT"} {
		if ok {
			break
		}
		if rest, found := strings.CutPrefix(zone, prefix); found && strings.Contains(rest, ":") {
			offset, ok = parseOffset(rest)
		}
	}
	if ok {
		return localTime{t.sec - offset, t.nanos}, true
	}
	location, ok := findZone(zone)
	if !ok {
		return t, false
	}
	// Clocks show some times twice and some never. The first of two is meant; one that is skipped is read with the
	// offset from before the jump.
	before, after := offsetAt(location, t.sec-secondsPerDay), offsetAt(location, t.sec+secondsPerDay)
	if offsetAt(location, t.sec-before) != before && offsetAt(location, t.sec-after) == after {
		before = after
	}
	return localTime{t.sec - before, t.nanos}, true
}

func offsetAt(location *time.Location, sec int64) int64 {
	_, offset := time.Unix(sec, 0).In(location).Zone()
	return int64(offset)
}

// parseOffset reads +hh, +hhmm, +hh:mm or +hh:mm:ss, at most 18 hours either way, and returns seconds.
func parseOffset(text string) (seconds int64, ok bool) {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	s := scanner{rest: text[1:], ok: true}
	pair := func(high int) int64 {
		digits := s.digits(2)
		n, _ := strconv.Atoi(digits)
		s.ok = s.ok && len(digits) == 2 && n <= high
		return int64(n)
	}
	seconds = 3600 * pair(18)
	if colon := s.skip(':'); colon || s.rest != "" {
		seconds += 60 * pair(59)
		if colon && s.skip(':') {
			seconds += pair(59)
		}
	}
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, s.ok && s.rest == "" && seconds <= 18*3600 && seconds >= -18*3600
}
