package ring

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRange(t *testing.T) {
	check := func(r Range, token Token, want bool) {
		t.Helper()
		if got := r.Contains(token); got != want {
			t.Errorf("%s contains %d: %t", r, token, got)
		}
		inside := 0
		for _, part := range r.Unwrap() {
			if part.Contains(token) {
				inside++
			}
		}
		if (inside == 1) != want || inside > 1 {
			t.Errorf("%s unwrapped contains %d %d times", r, token, inside)
		}
	}
	check(Range{1, 5}, 1, false)
	check(Range{1, 5}, 2, true)
	check(Range{1, 5}, 5, true)
	check(Range{1, 5}, 6, false)
	check(Range{5, 1}, 5, false)
	check(Range{5, 1}, 6, true)
	check(Range{5, 1}, MaxToken, true)
	check(Range{5, 1}, MinToken+1, true)
	check(Range{5, 1}, 1, true)
	check(Range{5, 1}, 2, false)
	check(Range{5, 5}, 5, true)
	check(Range{5, 5}, 6, true)
	check(Range{5, MinToken}, MaxToken, true)
	check(Range{5, MinToken}, 5, false)
	check(Range{MinToken, 5}, MinToken+1, true)
	check(Range{MinToken, MinToken}, 0, true)
}

func TestFraction(t *testing.T) {
	check := func(r Range, want float64) {
		t.Helper()
		if got := r.Fraction(); got != want {
			t.Errorf("%s is %v of the ring, want %v", r, got, want)
		}
	}
	check(Range{0, 1 << 62}, 0.25)
	check(Range{MinToken, 0}, 0.5)
	check(Range{0, MinToken}, 0.5)
	check(Range{1 << 62, -1 << 62}, 0.5)
	check(Range{7, 7}, 1)
}

func TestConflicts(t *testing.T) {
	at := func(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
	check := func(want string, endpoints ...Endpoint) {
		t.Helper()
		_, err := New(endpoints...)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || conflict.What != want {
			t.Errorf("error %v, want a conflict about %s", err, want)
		}
	}
	check("one host id", Endpoint{ID: host(1)}, Endpoint{ID: host(1)})
	check("token 7", Endpoint{ID: host(1), Tokens: []Token{1, 7}}, Endpoint{ID: host(2), Tokens: []Token{7}, State: Joining})
	check("token 7", Endpoint{ID: host(1), Tokens: []Token{7, 7}})
	check("address 10.0.0.1:7000", Endpoint{ID: host(1), Address: at("10.0.0.1:7000")}, Endpoint{ID: host(2), Address: at("10.0.0.1:7000")})

	one := topology(t, Endpoint{ID: host(1), Tokens: []Token{1}})
	if _, err := one.With(Endpoint{ID: host(2), Tokens: []Token{1}}); err == nil {
		t.Error("two nodes have one token")
	}
	const want = "nodes 00000000-0000-0000-0000-000000000001 and 00000000-0000-0000-0000-000000000002 both claim token 1"
	if _, err := one.With(Endpoint{ID: host(2), Tokens: []Token{1}}); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// A node joins, and another leaves. Nothing of that changes the topologies from before.
func TestChanges(t *testing.T) {
	check := func(topology *Topology, token Token, owner int, size int) {
		t.Helper()
		if got := topology.Owner(token); got == nil || got.ID != host(owner) {
			t.Errorf("the owner of %d is %v, want node %d", token, got, owner)
		}
		if got := len(topology.Endpoints()); got != size {
			t.Errorf("%d endpoints, want %d", got, size)
		}
	}
	with := func(topology *Topology, e Endpoint) *Topology {
		t.Helper()
		next, err := topology.With(e)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	tokens := []Token{20, 10}
	one := topology(t, Endpoint{ID: host(1), Tokens: tokens})
	if tokens[0] = 15; !slices.Equal(one.Endpoint(host(1)).Tokens, []Token{10, 20}) {
		t.Error("the topology shares the tokens of its maker, or has not sorted them")
	}
	joining := with(one, Endpoint{ID: host(2), Tokens: []Token{15}, State: Joining})
	joined := with(joining, Endpoint{ID: host(2), Tokens: []Token{15}})
	leaving := with(joined, Endpoint{ID: host(1), Tokens: []Token{10, 20}, State: Leaving})
	left := leaving.Without(host(1))
	check(one, 12, 1, 1)
	check(joining, 12, 1, 2)
	check(joining.Settled(), 12, 2, 2)
	check(joined, 12, 2, 2)
	check(joined, 16, 1, 2)
	check(leaving, 16, 1, 2)
	check(leaving.Settled(), 16, 2, 1)
	check(left, 16, 2, 1)
	if left.Endpoint(host(1)) != nil || one.Endpoint(host(2)) != nil || joining.Endpoint(host(2)).State.String() != "JOINING" {
		t.Error("endpoints are not those of their topology")
	}
	if (&Topology{}).Owner(1) != nil || len((&Topology{}).Ranges()) != 0 {
		t.Error("an empty ring has owners")
	}
}

func TestParseReplication(t *testing.T) {
	check := func(class string, options map[string]string, local, all int) {
		t.Helper()
		r, err := ParseReplication(class, options)
		if err != nil {
			t.Fatal(err)
		}
		if r.FactorIn("dc1") != local || r.Factor() != all {
			t.Errorf("%s %v: %d in dc1 and %d in all, want %d and %d", class, options, r.FactorIn("dc1"), r.Factor(), local, all)
		}
	}
	check("LocalStrategy", nil, 1, 1)
	check("SimpleStrategy", map[string]string{"replication_factor": "3"}, 3, 3)
	check("NetworkTopologyStrategy", map[string]string{"dc1": "3", "dc2": "2"}, 3, 5)
	check("NetworkTopologyStrategy", map[string]string{"dc1": "0", "dc2": "2"}, 0, 2)
	for _, bad := range []string{"", "x", "-1"} {
		if _, err := ParseReplication("SimpleStrategy", map[string]string{"replication_factor": bad}); err == nil {
			t.Errorf("%q is a number of replicas", bad)
		}
	}
	if _, err := ParseReplication("EverywhereStrategy", nil); err == nil {
		t.Error("EverywhereStrategy is known")
	}
}

// grow adds nodes one after the other, with tokens from allocate, and calls check after each.
func grow(t testing.TB, nodes, racks int, allocate func(*Topology, Endpoint) []Token, check func(*Topology)) {
	now := &Topology{}
	for i := range nodes {
		e := Endpoint{ID: host(i + 1), Datacenter: "dc1", Rack: fmt.Sprint("r", i%racks)}
		e.Tokens = allocate(now, e)
		next, err := now.With(e)
		if err != nil {
			t.Fatal(err)
		}
		now = next
		check(now)
	}
}

func allocate(t *Topology, e Endpoint) []Token {
	return AllocateTokens(t, e.Datacenter, e.Rack, 16, 3, uint64(e.ID[15]))
}

// spread returns by how much the largest share of a node is above the average.
func spread(now *Topology) float64 {
	shares := NewPlacement(now, NetworkTopology(map[string]int{"dc1": 3}), HostID{}).Ownership()
	largest, sum := 0.0, 0.0
	for _, share := range shares {
		largest = max(largest, share)
		sum += share
	}
	return largest/(sum/float64(len(shares))) - 1
}

func TestAllocationSpread(t *testing.T) {
	check := func(racks int, from int, allocate func(*Topology, Endpoint) []Token) (worst float64) {
		grow(t, 30, racks, allocate, func(now *Topology) {
			if n := len(now.Endpoints()); n >= from && n%racks == 0 {
				worst = max(worst, spread(now))
			}
		})
		return worst
	}
	hashed := func(_ *Topology, e Endpoint) (out []Token) {
		for i := range 16 {
			out = append(out, TokenOf([]byte{e.ID[15], byte(i)}))
		}
		return out
	}
	random := check(1, 4, hashed)
	for _, racks := range []int{1, 3, 5} {
		worst := check(racks, 4, allocate)
		t.Logf("%d racks: the largest share is up to %.1f %% above the average; with random tokens in one rack %.1f %%", racks, 100*worst, 100*random)
		if worst > 0.12 {
			t.Errorf("%d racks: a node has %.1f %% more than the average", racks, 100*worst)
		}
	}
	if random < 0.4 {
		t.Errorf("random tokens spread as well as %.2f: then there is no need to allocate", random)
	}
}

func TestAllocationRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := anyTopology(t)
		seed, count, replicas := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 20).Draw(t, "count"), rapid.IntRange(1, 10).Draw(t, "replicas")
		made := AllocateTokens(now, "dc1", "r1", count, replicas, seed)
		if len(made) != count || !slices.IsSorted(made) {
			t.Fatalf("tokens %v, want %d in order", made, count)
		}
		if _, err := now.With(Endpoint{ID: host(99), Datacenter: "dc1", Tokens: made}); err != nil || made[0] == MinToken {
			t.Fatalf("tokens %v: %v", made, err)
		}
		if again := AllocateTokens(now, "dc1", "r1", count, replicas, seed); !slices.Equal(made, again) {
			t.Fatalf("tokens %v, then %v", made, again)
		}
	})
}

// A share that the allocation works with is the one that the placement has.
func TestAllocationMeasure(t *testing.T) {
	grow(t, 8, 4, allocate, func(now *Topology) {
		a := newAllocation(now, "dc1", "r0", 3)
		shares := NewPlacement(now, NetworkTopology(map[string]int{"dc1": 3}), HostID{}).Ownership()
		if len(now.Endpoints()) < 4 {
			return // fewer racks than replicas
		}
		for i, e := range now.Endpoints() {
			if math.Abs(a.shares[i]-shares[e.ID]) > 1e-9 {
				t.Errorf("%d nodes: share of node %d is %v, want %v", len(now.Endpoints()), i, a.shares[i], shares[e.ID])
			}
		}
	})
}

func BenchmarkAllocateTokens(b *testing.B) {
	now := cluster(b, 100, "dc1")
	b.ReportAllocs()
	for b.Loop() {
		AllocateTokens(now, "dc1", "r1", 16, 3, 1)
	}
}

func BenchmarkOwnership(b *testing.B) {
	p := NewPlacement(cluster(b, 100, "dc1"), Simple(3), HostID{})
	b.ReportAllocs()
	for b.Loop() {
		p.Ownership()
	}
}
