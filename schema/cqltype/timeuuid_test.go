package cqltype

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTimeUUIDBounds compares with min_timeuuid and max_timeuuid of Cassandra 5.0.6.
func TestTimeUUIDBounds(t *testing.T) {
	check := func(got UUID, want string) {
		t.Helper()
		if got.String() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	at := time.Date(2011, 2, 3, 4, 5, 6, 789_654_321, time.UTC)
	check(MinTimeUUID(at), "c9072950-2f4a-11e0-8080-808080808080")
	check(MaxTimeUUID(at), "c907505f-2f4a-11e0-7f7f-7f7f7f7f7f7f")
	check(MinTimeUUID(time.UnixMilli(-1)), "138118f0-1dd2-11b2-8080-808080808080")
	check(TimeUUID(time.Unix(0, 0), 0xffff, [6]byte{1, 2, 3, 4, 5, 6}), "13814000-1dd2-11b2-bfff-010203040506")
}

func TestTimeUUID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() (time.Time, UUID) {
			at := time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "seconds"), rapid.Int64Range(0, 9_999_999).Draw(t, "ticks")*100).UTC()
			return at, TimeUUID(at, rapid.Uint16().Draw(t, "clock"), [6]byte(drawBytesN(t, 6)))
		}
		a, ua := draw()
		b, ub := draw()
		if ua.Version() != 1 || ua[8]>>6 != 2 || !ua.Time().Equal(a) || TypeTimeUUID.Validate(ua[:]) != nil {
			t.Fatalf("%s of %s has time %s", ua, a, ua.Time())
		}
		if c := a.Compare(b); c != 0 && (TypeTimeUUID.Compare(ua[:], ub[:]) != c || TypeUUID.Compare(ua[:], ub[:]) != c) {
			t.Fatalf("%s and %s do not sort by time", ua, ub)
		}
		low, high := MinTimeUUID(a), MaxTimeUUID(a)
		if TypeTimeUUID.Compare(low[:], ua[:]) > 0 || TypeTimeUUID.Compare(high[:], ua[:]) < 0 {
			t.Fatalf("%s is not between %s and %s", ua, low, high)
		}
		if parsed, err := ParseUUID(ua.String()); err != nil || parsed != ua {
			t.Fatalf("%s was parsed as %s, %v", ua, parsed, err)
		}
	})
}
