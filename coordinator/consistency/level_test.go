package consistency

import "testing"

func TestBlockFor(t *testing.T) {
	check := func(level Level, replicas, want int) {
		t.Helper()
		if got := level.BlockFor(replicas); got != want {
			t.Errorf("%s.BlockFor(%d) = %d, want %d", level, replicas, got, want)
		}
	}
	check(Any, 3, 1)
	check(One, 3, 1)
	check(LocalOne, 3, 1)
	check(Two, 3, 2)
	check(Two, 1, 2) // cannot be met
	check(Three, 3, 3)
	check(Quorum, 1, 1)
	check(Quorum, 2, 2) // two replicas tolerate no failure
	check(Quorum, 3, 2)
	check(Quorum, 4, 3)
	check(LocalQuorum, 5, 3)
	check(EachQuorum, 3, 2)
	check(Serial, 3, 2)
	check(All, 4, 4)
}

func TestNames(t *testing.T) {
	check := func(level Level, want string) {
		t.Helper()
		if got := level.String(); got != want {
			t.Errorf("level %d is %q, want %q", uint16(level), got, want)
		}
	}
	check(Any, "ANY")
	check(LocalQuorum, "LOCAL_QUORUM")
	check(LocalSerial, "LOCAL_SERIAL")
	check(LocalOne, "LOCAL_ONE")
	check(99, "UNKNOWN(99)")
}
