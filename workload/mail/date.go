package mail

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads the dates found in mail: RFC 5322 with its obsolete forms, asctime, ISO 8601, and the
// usual breakage (full names, two- and three-digit years, dots in the time, no zone, AM and PM). Words that
// belong to no date make it fail, and so does a date that does not exist. net/mail knows fewer forms, and takes
// the offset of a named zone from the machine. The result is UTC in whole seconds.
func parseDate(text string) (time.Time, bool) {
	p := dateParser{day: -1, year: -1}
	for token := range strings.FieldsFuncSeq(withoutComments(text), isDateSeparator) {
		if !p.token(token) {
			return time.Time{}, false
		}
	}
	return p.result()
}

func isDateSeparator(r rune) bool { return r <= ' ' || r == ',' }

// withoutComments drops comments such as the "(CET)" behind a numeric zone.
func withoutComments(text string) string {
	before, after, found := strings.Cut(text, "(")
	if !found {
		return text
	}
	if end := strings.LastIndexByte(after, ')'); end >= 0 {
		return before + " " + after[end+1:]
	}
	return before
}

// dateParser collects the parts of a date in any order.
type dateParser struct {
	year, day            int // -1 until known
	month                time.Month
	hour, minute, second int
	clock                bool // the time of day is known
	afternoon, morning   bool // PM, AM
	zone                 bool // the offset is known
	offset               time.Duration
}

// token takes one word of a date and reports whether it can belong to one.
func (p *dateParser) token(token string) bool {
	token = strings.TrimSuffix(token, ".")
	mark := strings.IndexAny(token, ":-/")
	switch {
	case token == "":
		return false
	case isDigits(token):
		return p.number(token)
	case token[0] == '+' || token[0] == '-':
		return p.numericZone(token)
	case isDigit(token[0]) && mark > 0 && token[mark] == ':':
		return p.timeOfDay(token)
	case isDigit(token[0]) && mark > 0:
		return p.dashed(token)
	case strings.Count(token, ".") == 2 && isDigits(strings.ReplaceAll(token, ".", "")):
		return p.timeOfDay(strings.ReplaceAll(token, ".", ":"))
	default:
		return p.word(token)
	}
}

// number takes a day or a year.
func (p *dateParser) number(digits string) bool {
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil || len(digits) > 5:
		return false
	case p.day < 0 && len(digits) <= 2:
		p.day = n
	case p.year < 0 && len(digits) >= 2:
		p.year = fullYear(n, len(digits))
	default:
		return false
	}
	return true
}

// fullYear completes a year by RFC 5322 section 4.3; five digits come from programs that put "19"
// before 100 and more.
func fullYear(n, digits int) int {
	switch {
	case digits == 2 && n < 50:
		return n + 2000
	case digits <= 3:
		return n + 1900
	case digits == 5:
		return n - 19000 + 1900
	}
	return n
}

// timeOfDay takes "15:04", "15:04:05", "15:04:05.123", with "Z", an offset or AM or PM attached.
func (p *dateParser) timeOfDay(token string) bool {
	end := 0
	for end < len(token) && (isDigit(token[end]) || token[end] == ':' || token[end] == '.') {
		end++
	}
	token, rest := token[:end], token[end:]
	token, _, _ = strings.Cut(token, ".") // fractions of a second do not matter
	pieces := strings.Split(token, ":")
	if p.clock || len(pieces) < 2 || len(pieces) > 3 {
		return false
	}
	into := []*int{&p.hour, &p.minute, &p.second}
	for i, piece := range pieces {
		n, err := strconv.Atoi(piece)
		if err != nil || len(piece) > 2 {
			return false
		}
		*into[i] = n
	}
	p.clock = true
	return rest == "" || p.token(rest)
}

// dashed takes "2006-01-02", "2006/01/02", "2-Jan-2006" and "2006-01-02T15:04:05". Dates in digits with
// the year last are refused: day and month cannot be told apart.
func (p *dateParser) dashed(token string) bool {
	date, clock, both := strings.Cut(token, "T")
	if !both || !isDigits(clock[:min(1, len(clock))]) {
		date, clock = token, ""
	}
	pieces := strings.FieldsFunc(date, func(r rune) bool { return r == '-' || r == '/' })
	if len(pieces) != 3 {
		return false
	}
	if isDigits(pieces[1]) {
		if len(pieces[0]) != 4 || len(pieces[1]) > 2 || len(pieces[2]) > 2 || p.month != 0 || p.day >= 0 {
			return false
		}
		month, err := strconv.Atoi(pieces[1])
		if err != nil {
			return false
		}
		p.month = time.Month(month)
		pieces = []string{pieces[2], pieces[0]}
	}
	for _, piece := range pieces {
		if !isDigits(piece) && !isLetter(piece[0]) || !p.token(piece) {
			return false
		}
	}
	return clock == "" || p.timeOfDay(clock)
}

// word takes the name of a month, day or zone.
func (p *dateParser) word(token string) bool {
	name := strings.ToLower(token)
	for _, known := range []string{"am", "a.m"} {
		if name == known {
			p.morning = true
			return p.clock
		}
	}
	for _, known := range []string{"pm", "p.m"} {
		if name == known {
			p.afternoon = true
			return p.clock
		}
	}
	if len(name) >= 3 {
		for month := time.January; month <= time.December; month++ {
			if p.month == 0 && (strings.HasPrefix(strings.ToLower(month.String()), name) || name == "sept" && month == time.September) {
				p.month = month
				return true
			}
		}
		for day := time.Sunday; day <= time.Saturday; day++ {
			if strings.HasPrefix(strings.ToLower(day.String()), name) || name == "tues" || name == "thurs" {
				return true
			}
		}
	}
	return p.namedZone(token)
}

// namedZone takes the name of a zone, after the time of day. A name without known meaning counts as UTC, as
// RFC 5322 section 4.3 has it.
func (p *dateParser) namedZone(token string) bool {
	name := strings.ToUpper(token)
	for _, base := range []string{"GMT", "UTC"} {
		if offset, found := strings.CutPrefix(name, base); found && offset != "" && (offset[0] == '+' || offset[0] == '-') {
			return p.numericZone(offset)
		}
	}
	if !p.clock || len(token) > 5 || strings.IndexFunc(token, func(r rune) bool { return r < 'A' || r > 'Z' }) >= 0 {
		return false
	}
	if !p.zone {
		p.zone = true
		p.offset = zoneOffset(name)
	}
	return true
}

// zoneOffset returns the offset of the zones of RFC 5322 section 4.3 and of some that mail uses beside them.
func zoneOffset(name string) time.Duration {
	switch name {
	case "EDT":
		return -4 * time.Hour
	case "EST", "CDT":
		return -5 * time.Hour
	case "CST", "MDT":
		return -6 * time.Hour
	case "MST", "PDT":
		return -7 * time.Hour
	case "PST":
		return -8 * time.Hour
	case "CET", "MET", "MEZ", "BST":
		return time.Hour
	case "CEST", "MEST", "MESZ", "EET":
		return 2 * time.Hour
	case "EEST", "MSK":
		return 3 * time.Hour
	case "JST", "KST":
		return 9 * time.Hour
	case "AEST":
		return 10 * time.Hour
	}
	return 0
}

// numericZone takes "+0100", "+01:00" and "+1". An offset that no place has counts as UTC.
func (p *dateParser) numericZone(token string) bool {
	digits := strings.Replace(token[1:], ":", "", 1)
	if !isDigits(digits) || len(digits) > 5 {
		return false
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return false
	}
	if len(digits) <= 2 {
		n *= 100
	}
	offset := time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
	if offset > 15*time.Hour || n%100 > 59 {
		offset = 0
	}
	if token[0] == '-' {
		offset = -offset
	}
	if !p.zone || p.offset == 0 { // "GMT +0200" occurs
		p.offset = offset
	}
	p.zone = true
	return true
}

// result returns the date if it is complete and exists.
func (p *dateParser) result() (time.Time, bool) {
	switch {
	case p.afternoon && p.hour < 12:
		p.hour += 12
	case p.morning && p.hour == 12:
		p.hour = 0
	}
	if p.second == 60 {
		p.second = 59 // a leap second
	}
	if p.year < 1900 || p.year > 9999 || p.month < time.January || p.month > time.December ||
		p.hour > 23 || p.minute > 59 || p.second > 59 {
		return time.Time{}, false
	}
	local := time.Date(p.year, p.month, p.day, p.hour, p.minute, p.second, 0, time.UTC)
	if local.Day() != p.day {
		return time.Time{}, false
	}
	return local.Add(-p.offset), true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
