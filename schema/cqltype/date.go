package cqltype

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// Date is the Go form of a CQL date: days since 1970-01-01, which is day 0.
type Date int32

// DateOf returns the calendar date of t in t's location. It wraps around beyond the years that a date reaches,
// -5877641 to 5881580.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDate reads a date as CQL's string literals spell it: yyyy-mm-dd, with a sign in front of years outside
// 0 to 9999. It returns a ValueError for anything else and for dates that do not exist.
func ParseDate(text string) (Date, error) {
	y, m, d, ok := splitDate(text)
	if !ok || d > daysIn(y, m) {
		return 0, invalid("Unable to coerce '%s' to a formatted date (long)", text)
	}
	switch days := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay; {
	case days < math.MinInt32:
		return 0, invalid("Input date %s is less than min supported date -5877641-06-23T00:00Z", text)
	case days > math.MaxInt32:
		return 0, invalid("Input date %s is greater than max supported date +5881580-07-11T00:00Z", text)
	default:
		return Date(days), nil
	}
}

// Time returns midnight UTC of d.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String returns d as yyyy-mm-dd, with a sign in front of years outside 0 to 9999.
func (d Date) String() string { return string(d.append(nil)) }

func (d Date) append(dst []byte) []byte {
	y, m, day := d.Time().Date()
	switch {
	case y < 0:
		dst = append(dst, '-')
		y = -y
	case y > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, int64(y), 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, int64(m), 2)
	dst = append(dst, '-')
	return appendPadded(dst, int64(day), 2)
}

// readable reports whether d lies in the years that Python's dates, and so cqlsh, can show.
func (d Date) readable() bool {
	const first, last = -719162, 2932896 // 0001-01-01 and 9999-12-31
	return d >= first && d <= last
}

const secondsPerDay = 24 * 60 * 60

// appendPadded appends n, which is not negative, with zeros in front to fill width.
func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], n, 10)
	for range width - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// splitDate reads [+-]yyyy-mm-dd with at least four digits in the year, a sign when there are more, and a
// plausible month and day of the month.
func splitDate(text string) (y, m, d int, ok bool) {
	n := len(text)
	if n < len("2006-01-02") || text[n-3] != '-' || text[n-6] != '-' {
		return 0, 0, 0, false
	}
	year := text[:n-6]
	signed := year[0] == '-' || year[0] == '+'
	digits := year
	if signed {
		digits = year[1:]
	}
	if !isDigits(digits) || !isDigits(text[n-5:n-3]) || !isDigits(text[n-2:]) || len(digits) > 9 {
		return 0, 0, 0, false
	}
	if len(digits) < 4 || len(digits) > 4 && !signed || len(digits) == 4 && year[0] == '+' || year == "-0000" {
		return 0, 0, 0, false
	}
	y, _ = strconv.Atoi(year) // at most nine digits
	m, _ = strconv.Atoi(text[n-5 : n-3])
	d, _ = strconv.Atoi(text[n-2:])
	return y, m, d, m >= 1 && m <= 12 && d >= 1 && d <= 31
}

// daysIn returns the number of days of a month.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// dateCodec is date: days in 4 unsigned bytes, with 1970-01-01 in the middle at 2^31.
type dateCodec struct{ fixed }

const dateEpoch = 1 << 31

// readDate returns the date in v, 4 bytes.
func readDate(v []byte) Date { return Date(binary.BigEndian.Uint32(v) - dateEpoch) }

func appendDate(dst []byte, d Date) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(d)+dateEpoch)
}

func (dateCodec) validate(v []byte) error {
	if len(v) != 4 {
		return invalid("Expected 4 byte long for date (%d)", len(v))
	}
	return nil
}

func (dateCodec) accepts(k LiteralKind) bool { return k == LiteralString || k == LiteralInteger }

// fromLiteral takes a date or a number of days that counts from the first date there is, in both kinds of literal.
func (dateCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	if isInteger(text) {
		days, err := strconv.ParseInt(text, 10, 64)
		if err != nil || days < 0 || days > math.MaxUint32 {
			return nil, invalid("Unable to make unsigned int (for date) from: '%s'", text)
		}
		return binary.BigEndian.AppendUint32(nil, uint32(days)), nil
	}
	d, err := ParseDate(text)
	if err != nil {
		return nil, err
	}
	return appendDate(nil, d), nil
}

// appendText falls back on days since 1970 for people, as cqlsh does for dates that Python cannot show.
func (dateCodec) appendText(dst, v []byte, s style) []byte {
	switch d := readDate(v); {
	case s.literal:
		dst = append(dst, '\'')
		dst = d.append(dst)
		return append(dst, '\'')
	case d.readable():
		return d.append(dst)
	default:
		return strconv.AppendInt(dst, int64(d), 10)
	}
}

func (dateCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	switch v := v.(type) {
	case Date:
		return appendDate(dst, v), true, nil
	case time.Time:
		d := DateOf(v)
		if y := v.Year(); d.Time().Year() != y {
			return dst, true, invalid("year %d is out of the range of a date", y)
		}
		return appendDate(dst, d), true, nil
	case string:
		d, err := ParseDate(v)
		return appendDate(dst, d), true, err
	}
	return dst, false, nil
}

func (c dateCodec) decode(v []byte, dest any) (ok bool, err error) {
	if err := c.validate(v); err != nil {
		return true, err
	}
	switch d := dest.(type) {
	case *Date:
		*d = readDate(v)
	case *time.Time:
		*d = readDate(v).Time()
	case *string:
		*d = readDate(v).String()
	default:
		return false, nil
	}
	return true, nil
}

func (dateCodec) goValue(v []byte) (any, error) { return readDate(v), nil }
