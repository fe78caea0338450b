package peer

import (
	"math"
	"time"
)

// forever is the deadline of a call without one.
const forever = time.Duration(math.MaxInt64)

// keptCalls is how many entries an empty table keeps.
const keptCalls = 4096

// A call waits for its answer.
type call struct {
	deadline time.Duration // since the start of the hub
	done     func([]byte, error)
	waiter   *waiter // or this
}

func (c *call) complete(answer []byte, err error) {
	if c.waiter != nil {
		c.waiter.complete(answer, err)
		return
	}
	c.done(answer, err)
}

// A table finds calls by their id, which is an index into it and, above that, a number that tells the calls apart that have
// had the same index.
type table struct {
	slots  []slot
	free   []uint32
	used   int
	serial uint32
}

type slot struct {
	id   uint64 // 0: free
	call call
}

func (t *table) len() int { return t.used }

func (t *table) add(c call) uint64 {
	var i uint32
	if n := len(t.free); n > 0 {
		i = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		i = uint32(len(t.slots))
		t.slots = append(t.slots, slot{})
	}
	if t.serial++; t.serial == 0 { // no id is 0
		t.serial = 1
	}
	id := uint64(t.serial)<<32 | uint64(i)
	t.slots[i] = slot{id: id, call: c}
	t.used++
	return id
}

func (t *table) has(id uint64) bool {
	i := uint32(id)
	return id != 0 && int64(i) < int64(len(t.slots)) && t.slots[i].id == id
}

// take removes a call.
func (t *table) take(id uint64) (call, bool) {
	if !t.has(id) {
		return call{}, false
	}
	i := uint32(id)
	c := t.slots[i].call
	t.slots[i] = slot{}
	t.used--
	if t.used == 0 && len(t.slots) > keptCalls {
		t.slots, t.free = nil, nil
	} else {
		t.free = append(t.free, i)
	}
	return c, true
}

// expire removes the calls whose time has come, and returns when the next one's does.
func (t *table) expire(now time.Duration) (expired []call, next time.Duration) {
	next = forever
	for i := range t.slots {
		switch s := &t.slots[i]; {
		case s.id == 0:
		case s.call.deadline <= now:
			expired = append(expired, s.call)
			*s = slot{}
			t.free = append(t.free, uint32(i))
			t.used--
		default:
			next = min(next, s.call.deadline)
		}
	}
	return expired, next
}

// drain removes all calls.
func (t *table) drain() []call {
	calls, _ := t.expire(forever)
	t.slots, t.free = nil, nil
	return calls
}
