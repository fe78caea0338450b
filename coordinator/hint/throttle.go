package hint

import "time"

// A throttle bounds a rate. It lets a little through at once, so that small hints need no timer each.
type throttle struct {
	rate float64   // bytes in a second, or 0 for no bound
	next time.Time // when what was taken so far is paid for
}

const burst = 20 * time.Millisecond

// take takes so many bytes and returns how long to wait before they are sent.
func (t *throttle) take(now time.Time, bytes int) time.Duration {
	if t.rate <= 0 {
		return 0
	}
	if t.next.Before(now) {
		t.next = now
	}
	wait := t.next.Sub(now)
	t.next = t.next.Add(time.Duration(float64(bytes) / t.rate * float64(time.Second)))
	if wait < burst {
		return 0
	}
	return wait
}
