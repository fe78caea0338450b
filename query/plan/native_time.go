package plan

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// timeFunctions returns the signatures of a function of points in time by its name, in either spelling.
func timeFunctions(name string) []*function {
	switch name {
	case "now", "current_timeuuid", "currenttimeuuid":
		return clockFunction(name, cqltype.TypeTimeUUID)
	case "current_timestamp", "currenttimestamp":
		return clockFunction(name, cqltype.TypeTimestamp)
	case "current_date", "currentdate":
		return clockFunction(name, cqltype.TypeDate)
	case "current_time", "currenttime":
		return clockFunction(name, cqltype.TypeTime)
	case "min_timeuuid", "mintimeuuid", "max_timeuuid", "maxtimeuuid":
		return []*function{boundOfMillisecond(name)}
	case "to_date", "todate":
		return []*function{convertTime(name, cqltype.TypeTimeUUID, cqltype.TypeDate), convertTime(name, cqltype.TypeTimestamp, cqltype.TypeDate)}
	case "to_timestamp", "totimestamp":
		return []*function{convertTime(name, cqltype.TypeTimeUUID, cqltype.TypeTimestamp), convertTime(name, cqltype.TypeDate, cqltype.TypeTimestamp)}
	case "to_unix_timestamp", "tounixtimestamp":
		return []*function{convertTime(name, cqltype.TypeTimeUUID, cqltype.TypeBigint), convertTime(name, cqltype.TypeTimestamp, cqltype.TypeBigint),
			convertTime(name, cqltype.TypeDate, cqltype.TypeBigint)}
	}
	return nil
}

// clockFunction is a function that tells the time, as a type.
func clockFunction(name string, t *cqltype.Type) []*function {
	return []*function{{name: name, result: t, impure: true, eval: func(b *Binding, _ [][]byte) ([]byte, error) {
		now := timeOf(b.Source.Ticks(1))
		switch t.Kind() {
		case cqltype.KindTimeUUID:
			u := cqltype.TimeUUID(now, b.Source.ClockSequence, b.Source.Node)
			return u[:], nil
		case cqltype.KindTime:
			now = now.UTC()
			midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
			return binary.BigEndian.AppendUint64(nil, uint64(now.Sub(midnight).Truncate(time.Millisecond))), nil
		default:
			return ofMillis(t, now.UnixMilli()), nil
		}
	}}}
}

// boundOfMillisecond is the least or the greatest timeuuid of a millisecond.
func boundOfMillisecond(name string) *function {
	bound := cqltype.MaxTimeUUID
	if strings.HasPrefix(name, "min") {
		bound = cqltype.MinTimeUUID
	}
	return &function{name: name, arguments: []*cqltype.Type{cqltype.TypeTimestamp}, result: cqltype.TypeTimeUUID,
		eval: func(_ *Binding, arguments [][]byte) ([]byte, error) {
			if len(arguments[0]) != 8 {
				return nil, nil
			}
			u := bound(time.UnixMilli(signed(arguments[0])))
			return u[:], nil
		}}
}

func convertTime(name string, from, to *cqltype.Type) *function {
	return &function{name: name, arguments: []*cqltype.Type{from}, result: to, eval: func(_ *Binding, arguments [][]byte) ([]byte, error) {
		if len(arguments[0]) == 0 {
			return nil, nil
		}
		return ofMillis(to, millisOf(from, arguments[0])), nil
	}}
}

const millisPerDay = 24 * 60 * 60 * 1000

// dateZero is how dates encode 1970-01-01.
const dateZero = 1 << 31

// millisOf returns the milliseconds since 1970 of a timeuuid, timestamp or date.
func millisOf(t *cqltype.Type, v []byte) int64 {
	switch t.Kind() {
	case cqltype.KindTimeUUID:
		return cqltype.UUID(v).Time().UnixMilli()
	case cqltype.KindDate:
		return (int64(binary.BigEndian.Uint32(v)) - dateZero) * millisPerDay
	default:
		return signed(v)
	}
}

// ofMillis encodes a time as a date, a timestamp or a bigint.
func ofMillis(t *cqltype.Type, millis int64) []byte {
	if t.Kind() == cqltype.KindDate {
		days := millis / millisPerDay
		if millis%millisPerDay < 0 {
			days--
		}
		return binary.BigEndian.AppendUint32(nil, uint32(days+dateZero))
	}
	return binary.BigEndian.AppendUint64(nil, uint64(millis))
}

// addDuration adds a duration to a timestamp or date, or takes it away if sign is -1.
func addDuration(t *cqltype.Type, v, duration []byte, sign int64) ([]byte, error) {
	var d cqltype.Duration
	if err := cqltype.TypeDuration.Decode(duration, &d); err != nil {
		return nil, err
	}
	if t.Kind() == cqltype.KindDate && d.Nanoseconds%(24*int64(time.Hour)) != 0 {
		return nil, schema.Invalid("The duration must have a day precision. Was: %s", d)
	}
	at := time.UnixMilli(millisOf(t, v)).UTC()
	months := int(sign * int64(d.Months))
	moved := time.Date(at.Year(), at.Month()+time.Month(months), 1, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
	last := moved.AddDate(0, 1, -1).Day() // a month may be too short for the day
	moved = moved.AddDate(0, 0, min(at.Day(), last)-1+int(sign*int64(d.Days)))
	return ofMillis(t, moved.UnixMilli()+sign*(d.Nanoseconds/int64(time.Millisecond))), nil
}
