package ring

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// host returns the id of node n.
func host(n int) HostID { return HostID{14: byte(n >> 8), 15: byte(n)} }

// numbers returns which nodes the endpoints are, as "1 2 3".
func numbers(endpoints []*Endpoint) string {
	var out []string
	for _, e := range endpoints {
		out = append(out, fmt.Sprint(int(e.ID[14])<<8|int(e.ID[15])))
	}
	return strings.Join(out, " ")
}

func sortedNumbers(list string) string {
	words := strings.Fields(list)
	slices.Sort(words)
	return strings.Join(words, " ")
}

func topology(t testing.TB, endpoints ...Endpoint) *Topology {
	t.Helper()
	made, err := New(endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// published makes a topology as the tests of the Java driver do: places are "DC1/RACK11" of nodes 1,
// 2, ...; owners are the nodes of the tokens 1 to 19, which are 10^18 apart; 0 means there is none.
func published(t *testing.T, places string, owners ...int) *Topology {
	t.Helper()
	var endpoints []Endpoint
	for i, place := range strings.Fields(places) {
		datacenter, rack, _ := strings.Cut(place, "/")
		e := Endpoint{ID: host(i + 1), Datacenter: datacenter, Rack: rack}
		for number, owner := range owners {
			if owner == i+1 {
				e.Tokens = append(e.Tokens, publishedToken(number+1))
			}
		}
		endpoints = append(endpoints, e)
	}
	return topology(t, endpoints...)
}

func publishedToken(number int) Token { return Token(number-10) * 1e18 }

// The layouts and replicas are those of NetworkTopologyReplicationStrategyTest of the Apache Java
// driver, which computes replicas as Cassandra did before 3.0. Since then a datacenter with fewer
// racks than replicas has the same replicas in another order, so order is only compared where there
// are racks enough.
func TestPublishedNetworkTopology(t *testing.T) {
	check := func(topology *Topology, factor int, ordered bool, number int, want string) {
		t.Helper()
		factors := map[string]int{}
		for datacenter := range topology.Datacenters() {
			factors[datacenter] = factor
		}
		got := numbers(NewPlacement(topology, NetworkTopology(factors), HostID{}).Replicas(publishedToken(number)))
		if !ordered && strings.Fields(got)[0] == strings.Fields(want)[0] { // the first one is always the same
			got, want = sortedNumbers(got), sortedNumbers(want)
		}
		if got != want {
			t.Errorf("token %d: %s, want %s", number, got, want)
		}
	}
	two := published(t, "DC1/R1 DC2/R2", 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2)
	check(two, 1, true, 1, "1 2")
	check(two, 1, true, 4, "2 1")
	check(two, 1, true, 14, "1 2")
	check(two, 1, true, 19, "2 1")
	check(two, 1, true, 15, "2 1") // behind 14, so it belongs to 19

	three := published(t, "DC1/R1 DC2/R2 DC3/R3", 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3)
	check(three, 1, true, 1, "1 2 3")
	check(three, 1, true, 5, "2 3 1")
	check(three, 1, true, 9, "3 1 2")

	unbalanced := published(t, "DC1/R1 DC2/R2 DC1/R1 DC2/R2", 1, 0, 1, 0, 2, 0, 3, 0, 4, 0, 1, 0, 1, 0, 2, 0, 3, 0, 4)
	check(unbalanced, 2, true, 1, "1 2 3 4")
	check(unbalanced, 2, true, 3, "1 2 3 4")
	check(unbalanced, 2, true, 5, "2 3 4 1")
	check(unbalanced, 2, true, 9, "4 1 2 3")

	racks := published(t, "DC1/R11 DC2/R21 DC1/R12 DC2/R22 DC1/R11 DC2/R21 DC1/R12 DC2/R22",
		1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
	check(racks, 2, true, 1, "1 2 3 4")
	check(racks, 2, true, 4, "4 5 6 7")
	check(racks, 2, true, 8, "8 1 2 3")
	check(racks, 2, true, 16, "5 6 7 8")

	// Nodes of one rack stand together: the second replica must be looked for behind them.
	together := "DC1/R11 DC2/R21 DC1/R11 DC2/R21 DC1/R12 DC2/R22 DC1/R12 DC2/R22"
	mixed := published(t, together, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
	check(mixed, 3, false, 1, "1 2 5 3 6 4")
	check(mixed, 3, false, 2, "2 3 5 6 4 7")
	check(mixed, 3, false, 3, "3 4 5 6 7 8")
	check(mixed, 3, false, 4, "4 5 6 8 1 7")
	check(mixed, 3, false, 8, "8 1 2 4 5 3")
	blocks := published(t, together, 1, 1, 3, 3, 5, 5, 7, 7, 0, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8)
	check(blocks, 3, false, 2, "1 5 3 2 6 4")
	check(blocks, 3, false, 3, "3 5 7 2 6 4")
	check(blocks, 3, false, 14, "4 6 8 1 5 3")
	check(blocks, 3, false, 18, "8 1 5 3 2 4")
	check(blocks, 4, false, 7, "7 2 6 4 8 1 3 5")

	// From a cluster that somebody had.
	real := published(t, "DC1/R11 DC2/R21 DC1/R11 DC2/R21 DC1/R12 DC2/R22",
		1, 1, 5, 3, 1, 5, 2, 6, 3, 4, 5, 4, 4, 2, 6, 3, 2, 6)
	check(real, 2, true, 1, "1 5 2 6")
	check(real, 2, true, 3, "5 3 2 6")
	check(real, 2, true, 4, "3 5 2 6")
	check(real, 2, true, 8, "6 3 4 5")
	check(real, 2, true, 10, "4 5 6 3")
	check(real, 2, true, 15, "6 3 2 5")
	check(real, 2, true, 17, "2 6 1 5")
	check(real, 2, true, 18, "6 1 5 2")
	check(real, 4, false, 8, "6 3 4 5 2 1") // more than there are nodes
	check(real, 4, false, 17, "2 6 1 5 3 4")
}

// Cassandra's NetworkTopologyStrategyTest.testProperties: replicas 3, 2 and 1 of 4, 3 and 3 nodes.
func TestPublishedCounts(t *testing.T) {
	places := "DC1/0 DC1/0 DC1/0 DC2/114 DC2/114 DC3/119 DC3/119 DC1/0 DC3/119 DC2/114"
	full := published(t, places, 1, 2, 3, 6, 7, 4, 5, 8, 9, 10)
	check := func(factors map[string]int, want int) {
		t.Helper()
		got := NewPlacement(full, NetworkTopology(factors), HostID{}).Replicas(publishedToken(1))
		if distinct := slices.Compact(slices.Sorted(slices.Values(strings.Fields(numbers(got))))); len(got) != want || len(distinct) != want {
			t.Errorf("%v: replicas %s, want %d", factors, numbers(got), want)
		}
	}
	check(map[string]int{"DC1": 3, "DC2": 2, "DC3": 1}, 6)
	check(map[string]int{"DC1": 3, "DC2": 3, "DC3": 0}, 6)
	check(map[string]int{"DC1": 9, "unknown": 3}, 4)
	check(nil, 0)
}

// The topology is that of Cassandra's SimpleStrategyTest.testMultiDCSimpleStrategyEndpoints: each of
// the three nodes is the first replica of two ranges and a replica of all six.
func TestPublishedSimple(t *testing.T) {
	p := NewPlacement(topology(t,
		Endpoint{ID: host(1), Datacenter: "dc1", Tokens: []Token{-6639341390736545756, -2688160409776496397}},
		Endpoint{ID: host(2), Datacenter: "dc1", Tokens: []Token{-2506475074448728501, 8473270337963525440}},
		Endpoint{ID: host(4), Datacenter: "dc2", Tokens: []Token{-3736333188524231709, 8673615181726552074}},
	), Simple(3), HostID{})
	first := map[HostID]int{}
	for _, replicas := range p.All {
		first[replicas[0].ID]++
	}
	for _, n := range []int{1, 2, 4} {
		if got := len(p.RangesOf(host(n))); first[host(n)] != 2 || got != 6 {
			t.Errorf("node %d: first of %d ranges and replica of %d, want 2 and 6", n, first[host(n)], got)
		}
	}
	// The example of the documentation of SimpleStrategy and of its test: five nodes in a circle.
	circle := published(t, "d/r d/r d/r d/r d/r", 1, 2, 3, 4, 5)
	check := func(token Token, want string) {
		t.Helper()
		if got := numbers(NewPlacement(circle, Simple(3), HostID{}).Replicas(token)); got != want {
			t.Errorf("token %d: %s, want %s", token, got, want)
		}
	}
	check(publishedToken(1), "1 2 3")
	check(publishedToken(1)+1, "2 3 4")
	check(publishedToken(4)-1, "4 5 1")
	check(publishedToken(5)+1, "1 2 3")
	check(MaxToken, "1 2 3")
	check(MinToken, "1 2 3")
}

func TestLocal(t *testing.T) {
	both := topology(t, Endpoint{ID: host(1), Tokens: []Token{1}}, Endpoint{ID: host(2), Tokens: []Token{2}})
	check := func(self int, want string) {
		t.Helper()
		if got := numbers(NewPlacement(both, Local(), host(self)).Replicas(5)); got != want {
			t.Errorf("node %d: %q, want %q", self, got, want)
		}
	}
	check(1, "1")
	check(2, "2")
	check(3, "")
	if got := NewPlacement(&Topology{}, Simple(3), host(1)).Replicas(0); got != nil {
		t.Errorf("an empty ring has replicas %s", numbers(got))
	}
}

// anyTopology draws up to twelve nodes in up to three datacenters with up to four racks.
func anyTopology(t *rapid.T) *Topology {
	nodes := rapid.IntRange(1, 12).Draw(t, "nodes")
	tokens := rapid.SliceOfNDistinct(rapid.Int64Min(math.MinInt64+1), nodes, nodes*4, rapid.ID).Draw(t, "tokens")
	endpoints := make([]Endpoint, nodes)
	for i := range endpoints {
		endpoints[i] = Endpoint{ID: host(i + 1),
			Datacenter: fmt.Sprint("dc", rapid.IntRange(1, 3).Draw(t, "dc")),
			Rack:       fmt.Sprint("r", rapid.IntRange(1, 4).Draw(t, "rack")),
			State:      rapid.SampledFrom([]State{Normal, Normal, Normal, Joining, Leaving}).Draw(t, "state")}
	}
	for i, token := range tokens {
		e := &endpoints[i%nodes]
		e.Tokens = append(e.Tokens, Token(token))
	}
	if rapid.Bool().Draw(t, "replacement") {
		replace(t, endpoints)
	}
	made, err := New(endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// replace lets a joining endpoint replace another one, as far as there are any: at its tokens or at others, in
// its place or elsewhere.
func replace(t *rapid.T, endpoints []Endpoint) {
	joiner := slices.IndexFunc(endpoints, func(e Endpoint) bool { return e.State == Joining })
	dead := slices.IndexFunc(endpoints, func(e Endpoint) bool { return e.State != Joining })
	if joiner < 0 || dead < 0 {
		return
	}
	e := &endpoints[joiner]
	e.Replaces = endpoints[dead].ID
	if rapid.Bool().Draw(t, "same tokens") {
		e.Tokens = endpoints[dead].Tokens
	}
	if rapid.Bool().Draw(t, "same rack") {
		e.Datacenter, e.Rack = endpoints[dead].Datacenter, endpoints[dead].Rack
	}
}

// modelSettled is what Settled should be.
func modelSettled(t *rapid.T, now *Topology) *Topology {
	var endpoints []Endpoint
	for _, e := range now.Endpoints() {
		replaced := slices.ContainsFunc(now.Endpoints(), func(o *Endpoint) bool { return o.Replaces == e.ID })
		if e.State != Leaving && !replaced {
			endpoints = append(endpoints, Endpoint{ID: e.ID, Datacenter: e.Datacenter, Rack: e.Rack, Tokens: e.Tokens})
		}
	}
	settled, err := New(endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return settled
}

// byDistance returns those who own something, the nearest behind token first, by looking at all of
// their tokens.
func byDistance(t *Topology, token Token) []*Endpoint {
	distance := map[*Endpoint]uint64{}
	for _, e := range t.Endpoints() {
		for _, own := range e.Tokens {
			d := uint64(own) - uint64(token)
			if known, ok := distance[e]; e.State != Joining && (!ok || d < known) {
				distance[e] = d
			}
		}
	}
	return slices.SortedFunc(maps.Keys(distance), func(a, b *Endpoint) int {
		if distance[a] < distance[b] {
			return -1
		}
		return 1
	})
}

// modelDatacenter chooses the replicas in one datacenter as the documentation of Cassandra puts it: the
// next node in a rack that has none yet, until all racks have one; then the nodes that were skipped.
func modelDatacenter(nodes []*Endpoint, factor int) map[*Endpoint]bool {
	racks, chosen := map[string]bool{}, map[*Endpoint]bool{}
	for _, e := range nodes {
		if len(chosen) < factor && !racks[e.Rack] {
			racks[e.Rack], chosen[e] = true, true
		}
	}
	for _, e := range nodes {
		if len(chosen) < factor {
			chosen[e] = true
		}
	}
	return chosen
}

func model(t *Topology, r Replication, token Token) string {
	nodes := byDistance(t, token)
	if r.strategy == simple {
		return numbers(nodes[:min(r.factor, len(nodes))])
	}
	chosen := map[*Endpoint]bool{}
	for datacenter, factor := range r.datacenters {
		here := slices.DeleteFunc(slices.Clone(nodes), func(e *Endpoint) bool { return e.Datacenter != datacenter })
		maps.Copy(chosen, modelDatacenter(here, factor))
	}
	// Replicas come in the order of the ring.
	return numbers(slices.DeleteFunc(nodes, func(e *Endpoint) bool { return !chosen[e] }))
}

func anyReplication(t *rapid.T) Replication {
	if rapid.Bool().Draw(t, "simple") {
		return Simple(rapid.IntRange(0, 6).Draw(t, "factor"))
	}
	factors := map[string]int{}
	for _, datacenter := range []string{"dc1", "dc2", "dc3", "dc4"} {
		factors[datacenter] = rapid.IntRange(0, 5).Draw(t, datacenter)
	}
	return NetworkTopology(factors)
}

func TestPlacementAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := anyTopology(t)
		replication := anyReplication(t)
		p := NewPlacement(now, replication, host(1))
		settled := modelSettled(t, now)
		for range 20 {
			token := Token(rapid.Int64().Draw(t, "token"))
			if rapid.Bool().Draw(t, "edge") {
				e := rapid.SampledFrom(now.Endpoints()).Draw(t, "endpoint")
				token = rapid.SampledFrom(e.Tokens).Draw(t, "own") + Token(rapid.Int64Range(-1, 1).Draw(t, "beside"))
			}
			want := model(now, replication, token)
			if got := numbers(p.Replicas(token)); got != want {
				t.Fatalf("token %d: replicas %s, want %s", token, got, want)
			}
			after := strings.Fields(model(settled, replication, token))
			wantPending := slices.DeleteFunc(after, func(n string) bool { return slices.Contains(strings.Fields(want), n) })
			if got := numbers(p.Pending(nil, token)); got != strings.Join(wantPending, " ") {
				t.Fatalf("token %d: pending %s, want %s", token, got, wantPending)
			}
			if owner := now.Owner(token); owner != nil && owner != byDistance(now, token)[0] {
				t.Fatalf("token %d: owner %s", token, owner.ID)
			}
		}
	})
}

// What Ranges, RangesOf and Ownership say follows from Replicas.
func TestRangesAndOwnership(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := anyTopology(t)
		p := NewPlacement(now, anyReplication(t), HostID{})
		ranges := now.Ranges()
		whole, effective := 0.0, 0.0
		for _, r := range ranges {
			whole += r.Fraction()
			effective += r.Fraction() * float64(len(p.Replicas(r.End)))
		}
		if len(ranges) > 0 && math.Abs(whole-1) > 1e-9 {
			t.Fatalf("the ranges add up to %v", whole)
		}
		token := Token(rapid.Int64().Draw(t, "token"))
		sum := 0.0
		for _, share := range p.Ownership() {
			sum += share
		}
		if math.Abs(sum-effective) > 1e-9 {
			t.Fatalf("the effective ownership adds up to %v, want %v", sum, effective)
		}
		primary := 0.0
		for _, share := range now.Ownership() {
			primary += share
		}
		if math.Abs(primary-whole) > 1e-9 {
			t.Fatalf("the ownership adds up to %v", primary)
		}
		for _, e := range now.Endpoints() {
			holds := slices.Contains(p.Replicas(token), e)
			in := slices.ContainsFunc(p.RangesOf(e.ID), func(r Range) bool { return r.Contains(token) })
			if holds != in {
				t.Fatalf("node %s: replica of %d: %t; in one of its ranges: %t", e.ID, token, holds, in)
			}
		}
	})
}

func FuzzReplicas(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, int64(7), uint8(3))
	f.Add([]byte{}, int64(math.MinInt64), uint8(0))
	f.Fuzz(func(t *testing.T, layout []byte, token int64, factor uint8) {
		endpoints := map[int]*Endpoint{}
		for i, b := range layout {
			n := int(b) % 20
			if endpoints[n] == nil {
				endpoints[n] = &Endpoint{ID: host(n + 1), Datacenter: fmt.Sprint("dc", n%2+1), Rack: fmt.Sprint("r", b%3), State: State(n % 5 % 3)}
			}
			endpoints[n].Tokens = append(endpoints[n].Tokens, Token(int64(b)<<56|int64(i)))
		}
		var list []Endpoint
		for _, e := range endpoints {
			list = append(list, *e)
		}
		now, err := New(list...)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []Replication{Simple(int(factor)), NetworkTopology(map[string]int{"dc1": int(factor % 8), "dc2": int(factor / 8)})} {
			p := NewPlacement(now, r, HostID{})
			if got, want := numbers(p.Replicas(Token(token))), model(now, r, Token(token)); got != want {
				t.Fatalf("replicas %s, want %s", got, want)
			}
		}
	})
}

// cluster returns nodes in three racks of each datacenter, with 16 tokens each.
func cluster(t testing.TB, nodes int, datacenters ...string) *Topology {
	var endpoints []Endpoint
	for i := range nodes {
		e := Endpoint{ID: host(i + 1), Datacenter: datacenters[i%len(datacenters)], Rack: fmt.Sprint("r", i/len(datacenters)%3)}
		for j := range 16 {
			e.Tokens = append(e.Tokens, TokenOf([]byte(fmt.Sprint(i, "/", j))))
		}
		endpoints = append(endpoints, e)
	}
	return topology(t, endpoints...)
}

func BenchmarkReplicas(b *testing.B) {
	p := NewPlacement(cluster(b, 100, "dc1", "dc2"), NetworkTopology(map[string]int{"dc1": 3, "dc2": 3}), host(1))
	b.ReportAllocs()
	token := Token(0)
	for b.Loop() {
		token += 0x1234567890abcdef
		if len(p.Replicas(token)) != 6 {
			b.Fatal("not six replicas")
		}
	}
}

func BenchmarkNewPlacement(b *testing.B) {
	now := cluster(b, 1000, "dc1", "dc2")
	b.ReportAllocs()
	for b.Loop() {
		NewPlacement(now, NetworkTopology(map[string]int{"dc1": 3, "dc2": 3}), host(1))
	}
}
