package metadata

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/iliumdb/ilium/ring"
)

// TestTopologyChanges applies changes one after the other; a change that is refused changes nothing.
func TestTopologyChanges(t *testing.T) {
	topology, err := ring.New(testEndpoint(1, 5))
	if err != nil {
		t.Fatal(err)
	}
	id := func(i byte) ring.HostID { return testEndpoint(i).ID }
	join := func(i, replaces byte, tokens int) Join {
		j := Join{Endpoint: testEndpoint(i, 99), Tokens: tokens}
		if replaces > 0 {
			j.Replaces = id(replaces)
		}
		return j
	}
	at := func(i byte) netip.AddrPort { return testEndpoint(i).Address }
	describe := func(topology *ring.Topology) (text string) {
		for _, e := range topology.Endpoints() {
			text += fmt.Sprintf("%d:%s/%d ", e.ID[0], e.State, len(e.Tokens))
		}
		return text
	}
	check := func(c TopologyChange, want string, is func(error) bool) {
		t.Helper()
		next, err := c.change(topology)
		if is != nil {
			if err == nil || !is(err) {
				t.Errorf("%T: got %v", c, err)
			}
			return
		}
		if err != nil {
			t.Errorf("%T: %v", c, err)
			return
		}
		if got := describe(next); got != want+" " {
			t.Errorf("%T: got %s, want %s", c, got, want)
		}
		topology = next
	}
	busy := func(i byte, state ring.State) func(error) bool {
		return func(err error) bool {
			var e *ChangeInProgressError
			return errors.As(err, &e) && e.ID == id(i) && e.State == state
		}
	}
	unknown := func(err error) bool { var e *UnknownNodeError; return errors.As(err, &e) }
	impossible := func(err error) bool { var e *ring.ChangeError; return errors.As(err, &e) }
	conflict := func(err error) bool { var e *ring.ConflictError; return errors.As(err, &e) }

	check(Leave{id(1)}, "", impossible) // the last one
	check(Left{id(1)}, "", impossible)
	check(join(2, 0, 0), "", impossible)
	check(join(2, 0, maxTokens+1), "", impossible)
	check(join(2, 7, 1), "", unknown)
	check(Join{Endpoint: ring.Endpoint{ID: id(2), Address: at(1)}, Tokens: 1}, "", conflict)
	check(join(2, 0, 4), "1:NORMAL/1 2:JOINING/4", nil)
	check(join(2, 0, 8), "1:NORMAL/1 2:JOINING/4", nil) // again
	check(join(3, 0, 4), "", busy(2, ring.Joining))
	check(Leave{id(1)}, "", busy(2, ring.Joining))
	check(Leave{id(2)}, "", busy(2, ring.Joining))
	check(Left{id(1)}, "", busy(2, ring.Joining))
	check(Left{id(2)}, "", busy(2, ring.Joining))
	check(Joined{id(3)}, "", unknown)
	check(Leave{id(3)}, "", unknown)
	check(Left{id(3)}, "", unknown)
	check(Abort{id(3)}, "", unknown)
	check(Update{id(3), at(3)}, "", unknown)
	check(Abort{id(1)}, "1:NORMAL/1 2:JOINING/4", nil) // nothing to take back
	check(Abort{id(2)}, "1:NORMAL/1", nil)
	check(join(2, 0, 4), "1:NORMAL/1 2:JOINING/4", nil)
	check(Joined{id(2)}, "1:NORMAL/1 2:NORMAL/4", nil)
	check(Joined{id(2)}, "1:NORMAL/1 2:NORMAL/4", nil)
	check(Update{id(2), at(1)}, "", conflict)
	check(Update{id(2), at(9)}, "1:NORMAL/1 2:NORMAL/4", nil)
	if got := topology.Endpoint(id(2)).Address; got != at(9) {
		t.Errorf("its address is %s", got)
	}
	check(Leave{id(2)}, "1:NORMAL/1 2:LEAVING/4", nil)
	check(Leave{id(2)}, "1:NORMAL/1 2:LEAVING/4", nil)
	check(Leave{id(1)}, "", busy(2, ring.Leaving))
	check(join(3, 0, 4), "", busy(2, ring.Leaving))
	check(Joined{id(2)}, "", impossible)
	check(Abort{id(2)}, "1:NORMAL/1 2:NORMAL/4", nil)
	check(Leave{id(2)}, "1:NORMAL/1 2:LEAVING/4", nil)
	check(Left{id(2)}, "1:NORMAL/1", nil)
	check(join(2, 0, 4), "1:NORMAL/1 2:JOINING/4", nil)
	check(Joined{id(2)}, "1:NORMAL/1 2:NORMAL/4", nil)
	check(join(3, 1, 16), "1:NORMAL/1 2:NORMAL/4 3:JOINING/1", nil)
	check(Left{id(1)}, "", busy(3, ring.Joining))
	check(Abort{id(3)}, "1:NORMAL/1 2:NORMAL/4", nil)
	check(join(3, 1, 16), "1:NORMAL/1 2:NORMAL/4 3:JOINING/1", nil)
	check(Joined{id(3)}, "2:NORMAL/4 3:NORMAL/1", nil)
	check(Left{id(2)}, "3:NORMAL/1", nil) // dead
}
