package snitch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/ring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nodes makes endpoints 1, 2, ... of places like "dc1/r1".
func nodes(places string) []*ring.Endpoint {
	var out []*ring.Endpoint
	for i, place := range strings.Fields(places) {
		datacenter, rack, _ := strings.Cut(place, "/")
		out = append(out, &ring.Endpoint{ID: ring.HostID{15: byte(i + 1)}, Datacenter: datacenter, Rack: rack})
	}
	return out
}

func numbers(list []*ring.Endpoint) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprint(e.ID[15]))
	}
	return strings.Join(out, " ")
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestSort(t *testing.T) {
	const places = "dc2/r1 dc1/r2 dc1/r2 dc1/r1 dc1/r1"
	for _, test := range []struct {
		name, latencies, want string // of nodes 1 to 5, in microseconds, of which 4 sorts; 0: unknown
		threshold             float64
	}{
		{"nothing is known", "0 0 0 0 0", "4 5 2 3 1", 0},
		{"all are as fast", "10 10 10 10 10", "4 5 2 3 1", 0},
		{"placed as well", "10 12 10 10 10", "4 5 3 2 1", 0},
		{"twice as slow is not clearly slower", "10 20 20 20 20", "4 5 2 3 1", 0},
		{"clearly slower", "10 20 20 21 20", "5 2 3 1 4", 0},
		{"one of them is", "10 20 20 20 21", "4 2 3 1 5", 0},
		{"all are slow", "1000 1000 2000 2000 2000", "4 5 2 3 1", 0},
		{"the unknown pulls nothing down", "0 10 10 10 10", "4 5 2 3 1", 0},
		{"the unknown first, of those placed as well", "10 10 0 10 10", "4 5 3 2 1", 0},
		{"a threshold", "100 100 100 111 105", "5 2 3 1 4", 0.1},
		{"no threshold", "11 12 10 14 13", "3 1 2 5 4", -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := NewLatencies(Options{BadnessThreshold: test.threshold})
			defer l.Close()
			list := nodes(places)
			for i, word := range strings.Fields(test.latencies) {
				var micros int
				if _, err := fmt.Sscan(word, &micros); err != nil {
					t.Fatal(err)
				}
				if micros > 0 {
					l.Record(list[i].ID, time.Duration(micros)*time.Microsecond)
				}
			}
			pass(100 * time.Millisecond)
			self := list[3]
			for range 4 { // others may be tried
				l.Sort(slices.Clone(list), self)
			}
			l.Sort(list, self)
			if got := numbers(list); got != test.want {
				t.Errorf("%s: got %s, want %s", test.name, got, test.want)
			}
		})
	}
}

func TestSortWithoutSelf(t *testing.T) {
	l := NewLatencies(Options{})
	defer l.Close()
	list := nodes(strings.Repeat("dc1/r1 ", 20)) // more than there is room for
	l.Sort(list, nil)
	if got := numbers(list); !strings.HasPrefix(got, "1 2 3 4 ") {
		t.Errorf("got %s", got)
	}
	l.Sort(nil, nil)
}

func TestAverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLatencies(Options{})
		defer l.Close()
		id := ring.HostID{1}
		near := func(want time.Duration) {
			t.Helper()
			if got := l.Latency(id); got < want*9/10 || got > want*11/10 {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		near(0)
		l.Record(id, 10*time.Millisecond)
		l.Record(id, 20*time.Millisecond)
		pass(100 * time.Millisecond)
		near(15 * time.Millisecond)
		for range 300 {
			l.Record(id, time.Hour) // counts as a minute
			pass(100 * time.Millisecond)
		}
		near(time.Minute)
		for range 100 { // two times what is averaged
			l.Record(id, 0)
			pass(100 * time.Millisecond)
		}
		near(8 * time.Second)
		l.Forget(id)
		near(0)
	})
}

// TestTry has a node that knows only itself.
func TestTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLatencies(Options{RetryInterval: 10 * time.Second})
		defer l.Close()
		list := nodes("dc1/r1 dc1/r1 dc1/r2 dc2/r1")
		firsts := func(n int) string {
			var out []*ring.Endpoint
			for range n {
				sorted := slices.Clone(list)
				l.Sort(sorted, list[0])
				out = append(out, sorted[0])
			}
			return numbers(out)
		}
		expect := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		expect(firsts(4), "1 1 1 1")
		l.Record(list[0].ID, time.Millisecond)
		pass(time.Second)
		expect(firsts(4), "2 3 1 1")
		l.Record(list[1].ID, time.Millisecond)
		pass(9 * time.Second)
		l.Record(list[0].ID, time.Millisecond)
		pass(time.Second)
		expect(firsts(4), "3 1 1 1")
		pass(time.Second)
		expect(firsts(4), "2 1 1 1")
	})
}

// TestRetry has a slow node that gets better, and one that does not.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLatencies(Options{})
		defer l.Close()
		list := nodes("dc1/r1 dc1/r1 dc1/r1")
		slow := 100 * time.Millisecond
		asked := map[string]int{}
		ask := func(d time.Duration) {
			for ; d > 0; d -= 20 * time.Millisecond {
				replicas := slices.Clone(list)
				l.Sort(replicas, list[0])
				asked[numbers(replicas[:1])]++
				took := time.Millisecond
				if replicas[0] == list[0] {
					took = slow
				}
				l.Record(replicas[0].ID, took)
				pass(20 * time.Millisecond)
			}
		}
		ask(10 * time.Minute)
		if n := asked["1"]; n < 10 || n > 20 {
			t.Errorf("the slow node was asked %d times", n)
		}
		slow = time.Millisecond
		ask(time.Minute)
		clear(asked)
		ask(time.Minute)
		if asked["1"] < 2990 { // of 3000, of which some try the others
			t.Errorf("the node that is fast again was asked %d times", asked["1"])
		}
	})
}

// TestSortIsAPermutation also checks what the first place promises.
func TestSortIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLatencies(Options{UpdateInterval: time.Hour})
		defer l.Close()
		place := rapid.SampledFrom([]string{"dc1/r1", "dc1/r2", "dc2/r1"})
		list := nodes(strings.Join(rapid.SliceOfN(place, 1, 20).Draw(t, "places"), " "))
		for _, e := range list {
			if micros := rapid.IntRange(0, 50).Draw(t, "latency"); micros > 0 {
				l.Record(e.ID, time.Duration(micros)*time.Microsecond)
			}
		}
		l.update()
		sorted, self := slices.Clone(list), list[0]
		for range list { // some may be tried
			l.Sort(slices.Clone(list), self)
		}
		l.Sort(sorted, self)
		seen := map[*ring.Endpoint]bool{}
		for i, e := range sorted {
			seen[e] = true
			for _, other := range sorted[i:] {
				a, b := l.average(e.ID), l.average(other.ID)
				if b > 0 && a > 2*b {
					t.Fatalf("%v is in front of %v", a, b)
				}
				if distance(other, self) < distance(e, self) && !slices.ContainsFunc(sorted[i:], func(x *ring.Endpoint) bool {
					c := l.average(x.ID)
					return c > 0 && b > 2*c
				}) {
					t.Fatalf("a node that is placed better was passed over without need")
				}
			}
		}
		if len(seen) != len(list) {
			t.Fatalf("%d of %d", len(seen), len(list))
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	l := NewLatencies(Options{})
	defer l.Close()
	list := nodes(strings.Repeat("dc1/r1 ", 20))
	for _, e := range list {
		l.Record(e.ID, time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Record(list[7].ID, time.Millisecond)
	}
}

func BenchmarkSort(b *testing.B) {
	l := NewLatencies(Options{})
	defer l.Close()
	list := nodes("dc1/r1 dc1/r2 dc1/r3")
	for _, e := range list {
		l.Record(e.ID, time.Millisecond)
	}
	self := list[0]
	b.ReportAllocs()
	for b.Loop() {
		l.Sort(list, self)
	}
}
