package cqltype

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is the Go form of a CQL duration. Months and days have no fixed length, hence the three parts. Either none
// of them is negative or none is positive.
type Duration struct {
	Months, Days int32
	Nanoseconds  int64
}

// String returns d in CQL's standard form, such as "1y2mo3d4h5m6s7ms8us9ns", with a minus sign in front of a
// negative one. The zero Duration gives the empty string, as in cqlsh.
func (d Duration) String() string { return string(d.append(nil)) }

func (d Duration) append(dst []byte) []byte {
	if d.Months < 0 || d.Days < 0 || d.Nanoseconds < 0 {
		dst = append(dst, '-')
	}
	part := func(n uint64, unit string) {
		if n != 0 {
			dst = strconv.AppendUint(dst, n, 10)
			dst = append(dst, unit...)
		}
	}
	months, nanos := magnitude(int64(d.Months)), magnitude(d.Nanoseconds)
	part(months/12, "y")
	part(months%12, "mo")
	part(magnitude(int64(d.Days)), "d")
	part(nanos/uint64(time.Hour), "h")
	part(nanos/uint64(time.Minute)%60, "m")
	part(nanos/uint64(time.Second)%60, "s")
	part(nanos/uint64(time.Millisecond)%1000, "ms")
	part(nanos/uint64(time.Microsecond)%1000, "us")
	part(nanos%1000, "ns")
	return dst
}

// durationUnits holds the units of a duration literal in the order that it must keep. The size is in months, days or
// nanoseconds.
var durationUnits = [...]struct {
	symbol, name string
	size         int64
}{
	unitYears: {"y", "years", 12}, unitMonths: {"mo", "months", 1},
	unitWeeks: {"w", "weeks", 7}, unitDays: {"d", "days", 1},
	unitHours: {"h", "hours", int64(time.Hour)}, unitMinutes: {"m", "minutes", int64(time.Minute)},
	unitSeconds: {"s", "seconds", int64(time.Second)}, unitMillis: {"ms", "milliseconds", int64(time.Millisecond)},
	unitMicros: {"us", "microseconds", int64(time.Microsecond)}, unitNanos: {"ns", "nanoseconds", 1},
}

// Indexes into durationUnits.
const (
	unitYears = iota
	unitMonths
	unitWeeks
	unitDays
	unitHours
	unitMinutes
	unitSeconds
	unitMillis
	unitMicros
	unitNanos
)

// ParseDuration reads one of the three forms of CQL's duration literals: 1y2mo3w4d5h6m7s8ms9us10ns with the
// units in this order, ISO 8601's P1Y2M3DT4H5M6S or P3W, and ISO 8601's alternative P2011-02-03T04:05:06.
// Each may have a minus sign in front.
func ParseDuration(text string) (Duration, error) {
	source, negative := strings.CutPrefix(text, "-")
	b := durationBuilder{next: unitYears}
	var err error
	switch {
	case !strings.HasPrefix(source, "P"):
		err = b.parseStandard(source)
	case strings.HasSuffix(source, "W"):
		err = b.parseDesignators(source[1:], "W", []int{unitWeeks}, source)
	case strings.Contains(source, "-"):
		err = b.parseAlternative(source)
	default:
		date, clock, hasClock := strings.Cut(source[1:], "T")
		err = b.parseDesignators(date, "YMD", []int{unitYears, unitMonths, unitDays}, source)
		if err == nil && hasClock {
			err = b.parseDesignators(clock, "HMS", []int{unitHours, unitMinutes, unitSeconds}, source)
		}
	}
	if err != nil {
		return Duration{}, err
	}
	if negative {
		b.months, b.days, b.nanos = -b.months, -b.days, -b.nanos
	}
	return Duration{Months: int32(b.months), Days: int32(b.days), Nanoseconds: b.nanos}, nil
}

func noDuration(source string) error { return invalid("Unable to convert '%s' to a duration", source) }

// durationBuilder adds up the parts of a duration, keeping each total within its limit.
type durationBuilder struct {
	months, days, nanos int64
	next                int // the first unit that may still come
}

// add adds as many of a unit as digits say.
func (b *durationBuilder) add(digits string, unit int) error {
	u := durationUnits[unit]
	switch {
	case unit == b.next-1:
		return invalid("Invalid duration. The %s are specified multiple times", u.name)
	case unit < b.next:
		return invalid("Invalid duration. The %s should be after %s", durationUnits[b.next-1].name, u.name)
	}
	b.next = unit + 1
	total, limit, name := &b.nanos, int64(math.MaxInt64), "nanoseconds"
	switch {
	case unit <= unitMonths:
		total, limit, name = &b.months, math.MaxInt32, "months"
	case unit <= unitDays:
		total, limit, name = &b.days, math.MaxInt32, "days"
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > (limit-*total)/u.size {
		return invalid("Invalid duration. The total number of %s must be less or equal to %d", name, limit)
	}
	*total += n * u.size
	return nil
}

// splitDigits cuts the digits off the front of s.
func splitDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

func (b *durationBuilder) parseStandard(source string) error {
	for rest := source; ; {
		var digits string
		digits, rest = splitDigits(rest)
		unit, size := findUnit(rest)
		if digits == "" || size == 0 {
			return noDuration(source)
		}
		if err := b.add(digits, unit); err != nil {
			return err
		}
		if rest = rest[size:]; rest == "" {
			return nil
		}
	}
}

// findUnit returns the unit whose symbol s starts with, the longest one if there are several, and the size of the
// symbol, 0 when there is none.
func findUnit(s string) (unit, size int) {
	const micro = "\u00b5s"
	if len(s) >= len(micro) && s[:len(micro)-1] == micro[:len(micro)-1] && s[len(micro)-1]|0x20 == 's' {
		return unitMicros, len(micro)
	}
	for i, u := range durationUnits {
		if n := len(u.symbol); n > size && len(s) >= n && strings.EqualFold(s[:n], u.symbol) {
			unit, size = i, n
		}
	}
	return unit, size
}

// parseDesignators reads numbers that are each followed by one of the letters, which come in order and mean units.
func (b *durationBuilder) parseDesignators(part, letters string, units []int, source string) error {
	for part != "" {
		digits, rest := splitDigits(part)
		if digits == "" || rest == "" {
			return noDuration(source)
		}
		i := strings.IndexByte(letters, rest[0])
		if i < 0 {
			return noDuration(source)
		}
		if err := b.add(digits, units[i]); err != nil {
			return err
		}
		letters, units, part = letters[i+1:], units[i+1:], rest[1:]
	}
	return nil
}

// parseAlternative reads P2011-02-03T04:05:06. As in Cassandra the parts may exceed what a calendar allows.
func (b *durationBuilder) parseAlternative(source string) error {
	const pattern = "P0000-00-00T00:00:00"
	if len(source) != len(pattern) {
		return noDuration(source)
	}
	units := [...]int{unitYears, unitMonths, unitDays, unitHours, unitMinutes, unitSeconds}
	part, start := 0, 1
	for i := 1; i <= len(source); i++ {
		switch {
		case i == len(source) || pattern[i] != '0':
			if i < len(source) && source[i] != pattern[i] {
				return noDuration(source)
			}
			if err := b.add(source[start:i], units[part]); err != nil {
				return err
			}
			part, start = part+1, i+1
		case source[i] < '0' || source[i] > '9':
			return noDuration(source)
		}
	}
	return nil
}

// durationCodec is duration: months, days and nanoseconds as three vints. Durations have no order that CQL
// shows; like Cassandra's, these compare as bytes.
type durationCodec struct{ byteOrder }

func appendDuration(dst []byte, d Duration) []byte {
	dst = appendVint(dst, int64(d.Months))
	dst = appendVint(dst, int64(d.Days))
	return appendVint(dst, d.Nanoseconds)
}

func readDuration(v []byte) (Duration, error) {
	if len(v) < 3 {
		return Duration{}, invalid("Expected at least 3 bytes for a duration (%d)", len(v))
	}
	months, rest, ok1 := readVint(v)
	days, rest, ok2 := readVint(rest)
	nanos, rest, ok3 := readVint(rest)
	switch {
	case !ok1 || !ok2 || !ok3:
		return Duration{}, invalid("Not enough bytes to read a duration")
	case len(rest) > 0:
		return Duration{}, invalid("Unexpected %d extraneous bytes after duration value", len(rest))
	case months != int64(int32(months)):
		return Duration{}, invalid("The duration months must be a 32 bits integer but was: %d", months)
	case days != int64(int32(days)):
		return Duration{}, invalid("The duration days must be a 32 bits integer but was: %d", days)
	}
	d := Duration{Months: int32(months), Days: int32(days), Nanoseconds: nanos}
	return d, d.check()
}

// check reports parts of different signs.
func (d Duration) check() error {
	if (d.Months < 0 || d.Days < 0 || d.Nanoseconds < 0) && (d.Months > 0 || d.Days > 0 || d.Nanoseconds > 0) {
		return invalid("The duration months, days and nanoseconds must be all of the same sign (%d, %d, %d)",
			d.Months, d.Days, d.Nanoseconds)
	}
	return nil
}

func (durationCodec) validate(v []byte) error {
	_, err := readDuration(v)
	return err
}

// accepts takes integers since Cassandra does; none of them is a duration, which fromLiteral then says.
func (durationCodec) accepts(k LiteralKind) bool { return k == LiteralDuration || k == LiteralInteger }

func (durationCodec) fromLiteral(_ LiteralKind, text string) ([]byte, error) {
	d, err := ParseDuration(text)
	if err != nil {
		return nil, err
	}
	return appendDuration(nil, d), nil
}

func (durationCodec) appendText(dst, v []byte, s style) []byte {
	d, _ := readDuration(v) // v has passed validate
	switch {
	case !s.literal:
		return d.append(dst)
	case d == Duration{}:
		return append(dst, "0s"...)
	case d.Months == math.MinInt32 || d.Days == math.MinInt32 || d.Nanoseconds == math.MinInt64:
		return appendBlobCall(dst, KindDuration, v) // no literal is that long
	}
	return d.append(dst)
}

func (durationCodec) encode(dst []byte, v any) (out []byte, ok bool, err error) {
	var d Duration
	switch v := v.(type) {
	case Duration:
		d = v
	case time.Duration:
		d.Nanoseconds = int64(v)
	case string:
		if d, err = ParseDuration(v); err != nil {
			return dst, true, err
		}
	default:
		return dst, false, nil
	}
	return appendDuration(dst, d), true, d.check()
}

func (durationCodec) decode(v []byte, dest any) (ok bool, err error) {
	d, err := readDuration(v)
	if err != nil {
		return true, err
	}
	switch p := dest.(type) {
	case *Duration:
		*p = d
	case *string:
		*p = d.String()
	default:
		return false, nil
	}
	return true, nil
}

func (durationCodec) goValue(v []byte) (any, error) { return readDuration(v) }
