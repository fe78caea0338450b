package cqltype

import (
	"encoding/binary"
	"math"
	"time"
)

// gregorianOffset is the number of 100 ns ticks from 1582-10-15, where the time in version 1 UUIDs starts, to 1970.
const gregorianOffset = 0x01B21DD213814000

const (
	ticksPerSecond = 10_000_000
	ticksPerMilli  = 10_000
)

// TimeUUID returns the version 1 UUID with that time, in steps of 100 ns, the lower 14 bits of clockSequence
// and node. A generator must not pass the same three twice. Times that 60 bits do not reach, before 1582-10-15 or
// after 5236, wrap around. See RFC 9562 section 5.1.
func TimeUUID(t time.Time, clockSequence uint16, node [6]byte) UUID {
	low := uint64(clockSequence&0x3FFF|0x8000) << 48
	for i, b := range node {
		low |= uint64(b) << (40 - 8*i)
	}
	return timeUUID(t.Unix()*ticksPerSecond+int64(t.Nanosecond()/100), low)
}

// MinTimeUUID returns the smallest timeuuid of the millisecond of t, like CQL's min_timeuuid. It is meant for
// comparisons: it is not unique and its last half follows no standard.
func MinTimeUUID(t time.Time) UUID {
	return timeUUID(t.UnixMilli()*ticksPerMilli, signBits)
}

// MaxTimeUUID returns the greatest timeuuid of the millisecond of t, like CQL's max_timeuuid. It is meant for
// comparisons: it is not unique and its last half follows no standard.
func MaxTimeUUID(t time.Time) UUID {
	return timeUUID(t.UnixMilli()*ticksPerMilli+ticksPerMilli-1, math.MaxUint64^signBits)
}

// timeUUID returns the version 1 UUID with that many ticks since 1970 and that last half.
func timeUUID(ticks int64, low uint64) UUID {
	const versionOne = 1 << 60
	stamp := uint64(ticks+gregorianOffset)&(versionOne-1) | versionOne
	var u UUID
	binary.BigEndian.PutUint64(u[:], timeLast(stamp))
	binary.BigEndian.PutUint64(u[8:], low)
	return u
}

// Time returns the time in a version 1 UUID, in UTC and in steps of 100 ns. For other versions it means nothing.
func (u UUID) Time() time.Time {
	stamp := timeFirst(binary.BigEndian.Uint64(u[:])) & (1<<60 - 1)
	ticks := int64(stamp) - gregorianOffset
	return time.Unix(ticks/ticksPerSecond, ticks%ticksPerSecond*100).UTC()
}
