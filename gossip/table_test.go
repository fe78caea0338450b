package gossip

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// pull lets a learn from b what b has more of.
func pull(a, b *Table) []Change {
	digests := b.Digests(nil)
	changes := a.Observe(digests)
	return append(changes, a.Merge(b.Deltas(a.Wanted(digests)))...)
}

func TestExchange(t *testing.T) {
	a, b := NewTable(host(1), 100), NewTable(host(2), 200)
	b.Set(KeyRack, "r1")
	b.Set(KeyStatus, "NORMAL")
	check := func(changes []Change, want ...Change) {
		t.Helper()
		if !reflect.DeepEqual(changes, want) {
			t.Errorf("changes %+v, want %+v", changes, want)
		}
	}
	check(pull(a, b),
		Change{Host: host(2), Beat: true, Restarted: true},
		Change{Host: host(2), Keys: []Key{KeyStatus, KeyRack}})
	if rack, _ := a.Get(host(2), KeyRack); rack != "r1" || a.Heartbeat(host(2)) != (Heartbeat{200, 1}) {
		t.Errorf("rack %q, heartbeat %v", rack, a.Heartbeat(host(2)))
	}
	check(pull(a, b))
	b.Beat()
	check(pull(a, b), Change{Host: host(2), Beat: true})
	b.Set(KeyRack, "r1") // says the same
	check(pull(a, b))
	b.Set(KeyStatus, "SHUTDOWN")
	check(pull(a, b), Change{Host: host(2), Keys: []Key{KeyStatus}})

	restarted := NewTable(host(2), 201)
	restarted.Set(KeyRack, "r2")
	check(pull(a, restarted),
		Change{Host: host(2), Beat: true, Restarted: true},
		Change{Host: host(2), Keys: []Key{KeyRack}})
	if status, ok := a.Get(host(2), KeyStatus); ok {
		t.Errorf("status %q of the process before", status)
	}
	check(pull(a, b)) // the process before is heard again
	check(pull(b, restarted), Change{Host: host(2), Contested: true})

	mad := NewTable(host(2), 201+MaxGenerationLead+1)
	check(pull(a, mad))
	a.Forget(host(2))
	a.Forget(host(1))
	if _, ok := a.Get(host(2), KeyRack); ok || a.Heartbeat(host(1)) == (Heartbeat{}) || a.Heartbeat(host(2)) != (Heartbeat{}) {
		t.Error("Forget has not forgotten, or the node has forgotten itself")
	}
}

// A delta that begins behind what is known must not hide what lies in between.
func TestGap(t *testing.T) {
	a, b := NewTable(host(1), 1), NewTable(host(2), 1)
	b.Set(KeyRack, "r1")
	b.Set(KeyStatus, "NORMAL")
	late := b.Deltas([]Digest{{Host: host(2), Heartbeat: Heartbeat{1, 1}, Version: 1}})
	a.Merge(late)
	if _, ok := a.Get(host(2), KeyStatus); ok {
		t.Error("the delta is taken, and the rack will never come")
	}
	pull(a, b)
	if rack, _ := a.Get(host(2), KeyRack); rack != "r1" {
		t.Errorf("rack %q", rack)
	}
}

// content prints all that a table knows.
func content(t *Table) string {
	out := ""
	for _, d := range t.All() {
		out += fmt.Sprintln(d.Host, d.Heartbeat)
		for _, key := range slices.Sorted(maps.Keys(d.Values)) {
			out += fmt.Sprintln(" ", key, d.Values[key])
		}
	}
	return out
}

// Nodes say things, restart and exchange what they know, by messages that are lost, repeated, late and in any
// order. Once messages arrive again, all know the same, and know of each node what it says itself.
func TestConvergence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "nodes")
		tables := make([]*Table, n)
		generations := make([]uint32, n)
		for i := range tables {
			generations[i] = uint32(rapid.IntRange(1, 5).Draw(t, "generation"))
			tables[i] = NewTable(host(i), generations[i])
		}
		node := rapid.IntRange(0, n-1)
		var asks [][]Digest
		var answers [][]Delta
		t.Repeat(map[string]func(*rapid.T){
			"beat": func(t *rapid.T) { tables[node.Draw(t, "node")].Beat() },
			"set": func(t *rapid.T) {
				key := Key(rapid.IntRange(int(KeyStatus), int(KeyLoad)).Draw(t, "key"))
				tables[node.Draw(t, "node")].Set(key, rapid.StringN(0, 2, 2).Draw(t, "text"))
			},
			"restart": func(t *rapid.T) {
				i := node.Draw(t, "node")
				generations[i]++
				tables[i] = NewTable(host(i), generations[i])
			},
			"digest": func(t *rapid.T) { asks = append(asks, tables[node.Draw(t, "node")].Digests(nil)) },
			"answer": func(t *rapid.T) {
				if len(asks) > 0 {
					ask := rapid.SampledFrom(asks).Draw(t, "ask")
					answers = append(answers, tables[node.Draw(t, "node")].Deltas(ask))
				}
			},
			"merge": func(t *rapid.T) {
				if len(answers) > 0 {
					tables[node.Draw(t, "node")].Merge(rapid.SampledFrom(answers).Draw(t, "answer"))
				}
			},
			"pull": func(t *rapid.T) { pull(tables[node.Draw(t, "to")], tables[node.Draw(t, "from")]) },
		})
		for range n {
			for i := range tables {
				pull(tables[(i+1)%n], tables[i])
			}
		}
		for i, table := range tables {
			if got, want := content(table), content(tables[0]); got != want {
				t.Fatalf("node %d knows\n%snode 0 knows\n%s", i, got, want)
			}
			own := table.All()[i]
			for j, other := range tables {
				if got := other.All()[i]; !reflect.DeepEqual(got, own) {
					t.Fatalf("node %d knows %+v of node %d, which says %+v", j, got, i, own)
				}
			}
		}
	})
}

// Merging is commutative, associative and idempotent for whole states.
func TestMergeLaws(t *testing.T) {
	states := rapid.Custom(func(t *rapid.T) Delta {
		d := Delta{Host: host(1), Heartbeat: Heartbeat{uint32(rapid.IntRange(1, 2).Draw(t, "generation")), uint32(rapid.IntRange(1, 3).Draw(t, "beat"))}, Values: map[Key]Value{}}
		for key := KeyStatus; key <= KeyRack; key++ {
			// What a process says at a version is always the same.
			version := uint32(rapid.IntRange(1, 3).Draw(t, "version"))
			d.Values[key] = Value{version, fmt.Sprint(d.Heartbeat.Generation, key, version)}
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		deltas := rapid.SliceOfN(states, 1, 4).Draw(t, "states")
		forth, back := NewTable(host(0), 1), NewTable(host(0), 1)
		for i := range deltas {
			forth.Merge(deltas[i : i+1])
			back.Merge(deltas[len(deltas)-1-i : len(deltas)-i])
		}
		if content(forth) != content(back) {
			t.Fatalf("one way:\n%sthe other:\n%s", content(forth), content(back))
		}
		if changes := forth.Merge(deltas); changes != nil {
			t.Fatalf("again: %+v", changes)
		}
	})
}

func BenchmarkObserve1000Nodes(b *testing.B) {
	a, c := NewTable(host(0), 1), NewTable(host(1), 1)
	var digests []Digest
	for i := range 1000 {
		digests = append(digests, Digest{Host: host(i + 2), Heartbeat: Heartbeat{1, 1}})
	}
	a.Observe(digests)
	c.Observe(digests)
	b.ReportAllocs()
	for b.Loop() {
		a.Observe(digests[:65]) // one packet without news
	}
}
