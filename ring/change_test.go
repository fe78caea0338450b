package ring

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Node 4 replaces node 2, which is dead: at its tokens and its address.
func TestReplacement(t *testing.T) {
	at := netip.MustParseAddrPort("10.0.0.2:7000")
	now := topology(t,
		Endpoint{ID: host(1), Tokens: []Token{10, 40}},
		Endpoint{ID: host(2), Tokens: []Token{20, 50}, Address: at},
		Endpoint{ID: host(3), Tokens: []Token{30, 60}},
	)
	during, err := now.With(Endpoint{ID: host(4), Tokens: []Token{20, 50}, Address: at, State: Joining, Replaces: host(2)})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlacement(during, Simple(2), host(1))
	check := func(token Token, replicas, pending string) {
		t.Helper()
		if got := numbers(p.Replicas(token)); got != replicas {
			t.Errorf("replicas of %d: %s, want %s", token, got, replicas)
		}
		if got := numbers(p.Pending(nil, token)); got != pending {
			t.Errorf("pending of %d: %q, want %q", token, got, pending)
		}
	}
	check(5, "1 2", "4")
	check(15, "2 3", "4")
	check(25, "3 1", "")
	check(65, "1 2", "4")

	after, err := during.Complete(host(4))
	if err != nil {
		t.Fatal(err)
	}
	joined := after.Endpoint(host(4))
	if after.Endpoint(host(2)) != nil || len(after.Endpoints()) != 3 || joined.State != Normal || joined.isReplacement() || during.Endpoint(host(2)) == nil {
		t.Errorf("after the replacement there are %s", numbers(after.Endpoints()))
	}
	p = NewPlacement(after, Simple(2), host(1))
	check(15, "4 3", "")
	if again, err := New(*joined, *after.Endpoint(host(1)), *after.Endpoint(host(3))); err != nil || !reflect.DeepEqual(again, after) {
		t.Errorf("made anew it is another topology, %v", err)
	}

	// The dead node is taken out by somebody else: the joiner goes on for itself.
	alone := during.Without(host(2))
	if e := alone.Endpoint(host(4)); e.isReplacement() || e.State != Joining || during.Endpoint(host(4)).Replaces != host(2) {
		t.Errorf("without the dead node: %+v", e)
	}
}

func TestReplacementRefused(t *testing.T) {
	now := topology(t, Endpoint{ID: host(1), Tokens: []Token{1}}, Endpoint{ID: host(2), Tokens: []Token{2}},
		Endpoint{ID: host(3), Tokens: []Token{3}, State: Joining, Replaces: host(1)})
	check := func(want string, e Endpoint) {
		t.Helper()
		if _, err := now.With(e); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	const node, other = "node 00000000-0000-0000-0000-000000000004", "node 00000000-0000-0000-0000-00000000000"
	check(node+" is NORMAL, and cannot replace another one", Endpoint{ID: host(4), Replaces: host(2)})
	check(node+" replaces "+other+"9, which is not in the ring", Endpoint{ID: host(4), State: Joining, Replaces: host(9)})
	check(node+" replaces "+other+"3, which has not joined itself", Endpoint{ID: host(4), State: Joining, Replaces: host(3)})
	check(node+" replaces "+other+"4, which has not joined itself", Endpoint{ID: host(4), State: Joining, Replaces: host(4)})
	check("nodes 00000000-0000-0000-0000-000000000003 and 00000000-0000-0000-0000-000000000004 both claim the place of "+other+"1",
		Endpoint{ID: host(4), State: Joining, Replaces: host(1)})
	check("nodes 00000000-0000-0000-0000-000000000001 and 00000000-0000-0000-0000-000000000004 both claim token 1",
		Endpoint{ID: host(4), State: Joining, Replaces: host(2), Tokens: []Token{1}}) // not that one's token

	for _, id := range []HostID{host(1), host(9)} {
		_, err := now.Complete(id)
		var refused *ChangeError
		if !errors.As(err, &refused) || refused.ID != id {
			t.Errorf("completing node %s: %v", id, err)
		}
	}
}

// Completing all that join, and taking out all that leave, is what Settled foretells.
func TestCompleteAgainstSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := anyTopology(t)
		settled := now.Settled()
		for _, e := range now.Endpoints() {
			switch e.State {
			case Joining:
				var err error
				if now, err = now.Complete(e.ID); err != nil {
					t.Fatal(err)
				}
			case Leaving:
				now = now.Without(e.ID)
			}
		}
		// One that left before the other one replaced it is gone either way.
		same := func(a, b *Endpoint) bool { return reflect.DeepEqual(a, b) }
		if !slices.EqualFunc(now.Endpoints(), settled.Endpoints(), same) || !slices.Equal(now.Ranges(), settled.Ranges()) {
			t.Fatalf("completed %s, settled %s", numbers(now.Endpoints()), numbers(settled.Endpoints()))
		}
	})
}
