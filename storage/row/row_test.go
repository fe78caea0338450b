package row

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var genFragment = rapid.Custom(func(t *rapid.T) *Fragment {
	f := NewFragment()
	ts := rapid.Int64Range(-4, 4)
	if rapid.Bool().Draw(t, "liveness") {
		f.Liveness = Liveness{Timestamp: ts.Draw(t, "ts")}
		if rapid.Bool().Draw(t, "expires") {
			f.Liveness.TTL = rapid.Int64Range(1, 3).Draw(t, "ttl")
			f.Liveness.Expiry = rapid.Int64Range(1, 20).Draw(t, "expiry")
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "deleted") == 0 {
		f.Deletion = genDeletion.Draw(t, "deletion")
	}
	for range rapid.IntRange(0, 2).Draw(t, "ranges") {
		r := RangeTombstone{Start: genKey.Draw(t, "start"), Deletion: genDeletion.Draw(t, "range")}
		if rapid.Bool().Draw(t, "bounded") {
			r.End = genKey.Draw(t, "end")
		}
		f.Ranges = append(f.Ranges, r)
	}
	for range rapid.IntRange(0, 5).Draw(t, "cells") {
		c := Cell{Column: rapid.SampledFrom([]uint32{0, 1, 2, 3, 300}).Draw(t, "column"), Timestamp: ts.Draw(t, "ts"),
			Kind: CellKind(rapid.IntRange(0, 3).Draw(t, "kind"))}
		if c.Kind != LiveCell {
			c.LocalTime = rapid.Int64Range(1, 9).Draw(t, "local")
		}
		if c.Kind == ExpiringCell {
			c.TTL = rapid.Int64Range(1, 9).Draw(t, "ttl")
		}
		if c.Kind != CollectionDeletion && c.Column == 2 {
			c.Path = genKey.Draw(t, "path")
		}
		if c.Kind <= ExpiringCell {
			c.Value = genKey.Draw(t, "value")
		}
		f.Cells = append(f.Cells, c)
	}
	f.Normalize()
	return f
})

var (
	genKey      = rapid.SliceOfN(rapid.ByteRange('a', 'c'), 0, 2)
	genDeletion = rapid.Custom(func(t *rapid.T) Deletion {
		return Deletion{Timestamp: rapid.Int64Range(-4, 4).Draw(t, "ts"), LocalTime: rapid.Int64Range(1, 9).Draw(t, "local")}
	})
)

// text prints a fragment so that equal ones print equally: ranges by what they cover.
func text(f *Fragment) string {
	return fmt.Sprintf("%v %v %v %v", f.Liveness, f.Deletion, NormalizeRanges(f.Ranges, f.Deletion), f.Cells)
}

func merged(fragments ...*Fragment) string {
	var m Merger
	return text(m.Merge(fragments))
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := genFragment.Draw(t, "a"), genFragment.Draw(t, "b"), genFragment.Draw(t, "c")
		check := func(law, got, want string) {
			if got != want {
				t.Fatalf("%s:\n got %s\nwant %s", law, got, want)
			}
		}
		check("idempotent", merged(a, a), text(a))
		check("commutative", merged(a, b), merged(b, a))
		var m1, m2 Merger
		check("associative", merged(m1.Merge([]*Fragment{a, b}), c), merged(a, m2.Merge([]*Fragment{b, c})))
		check("in any grouping", merged(a, b, c, a, b), merged(c, b, a))
		before := text(a) + text(b)
		merged(a, b)
		check("leaves its inputs alone", text(a)+text(b), before)
	})
}

func TestReconcile(t *testing.T) {
	value := func(ts int64, v string) Cell { return Cell{Timestamp: ts, Value: []byte(v)} }
	expiring := func(ts, at int64, v string) Cell {
		return Cell{Kind: ExpiringCell, Timestamp: ts, LocalTime: at, TTL: 5, Value: []byte(v)}
	}
	tombstone := func(ts, at int64) Cell { return Cell{Kind: Tombstone, Timestamp: ts, LocalTime: at} }
	check := func(winner, loser Cell) {
		t.Helper()
		if !Reconcile(&winner, &loser) || Reconcile(&loser, &winner) {
			t.Errorf("%+v should win over %+v", winner, loser)
		}
	}
	check(value(2, "a"), value(1, "z"))              // the newer one
	check(value(2, "a"), tombstone(1, 9))            //
	check(tombstone(2, 1), value(2, "z"))            // on a tie the deletion
	check(tombstone(2, 1), expiring(2, 9, "z"))      //
	check(expiring(2, 9, "a"), value(2, "z"))        // then what expires
	check(expiring(2, 9, "a"), expiring(2, 8, "z"))  // later
	check(tombstone(2, 9), tombstone(2, 8))          // the deletion that is kept longer
	check(value(2, "b"), value(2, "a"))              // then the greater value
	check(value(2, "ab"), value(2, "a"))             //
	check(expiring(2, 9, "ab"), expiring(2, 9, "a")) //
}

// Of two row livenesses that differ one wins on every replica, by Cassandra's rule and behind that
// by the TTL, as for cells.
func TestLivenessOrder(t *testing.T) {
	check := func(winner, loser Liveness) {
		t.Helper()
		a, b := NewFragment(), NewFragment()
		a.Liveness, b.Liveness = winner, loser
		var m Merger
		if got := m.Merge([]*Fragment{a, b}).Liveness; got != winner {
			t.Errorf("%+v should win over %+v", winner, loser)
		}
		if got := m.Merge([]*Fragment{b, a}).Liveness; got != winner {
			t.Errorf("%+v should win over %+v, which comes first", winner, loser)
		}
	}
	check(Liveness{Timestamp: 2}, Liveness{Timestamp: 1, TTL: 5, Expiry: 9})
	check(Liveness{Timestamp: 2, TTL: 5, Expiry: 9}, Liveness{Timestamp: 2})
	check(Liveness{Timestamp: 2, TTL: 5, Expiry: 9}, Liveness{Timestamp: 2, TTL: 5, Expiry: 8})
	check(Liveness{Timestamp: 2, TTL: 4, Expiry: 9}, Liveness{Timestamp: 2, TTL: 5, Expiry: 9})
	check(Liveness{Timestamp: -2}, NoLiveness)
}

// The value of an expired cell is kept for a while: a reader's clock may be behind.
func TestPurgeKeepsJustExpiredValues(t *testing.T) {
	f := NewFragment()
	f.Cells = []Cell{{Column: 1, Kind: ExpiringCell, Timestamp: 1, TTL: 5, LocalTime: 1000, Value: []byte("v")}}
	f.Purge(1001, 0)
	if !f.Cells[0].IsLive(999) || string(f.Cells[0].Value) != "v" {
		t.Errorf("for a reader two seconds behind it is %+v", f.Cells[0])
	}
	f.Purge(1000+24*3600, 0)
	if len(f.Cells[0].Value) > 0 {
		t.Errorf("a day later it is %+v", f.Cells[0])
	}
	if f.Purge(1000+24*3600, 1001); len(f.Cells) > 0 {
		t.Errorf("after gc_grace_seconds it is %+v", f.Cells[0])
	}
}

func TestDeletionsShadow(t *testing.T) {
	f := NewFragment()
	f.Liveness = Liveness{Timestamp: 5}
	f.Deletion = Deletion{Timestamp: 3, LocalTime: 1}
	f.Cells = []Cell{
		{Column: 1, Timestamp: 3}, {Column: 1, Timestamp: 4, Value: []byte("kept")},
		{Column: 2, Kind: CollectionDeletion, Timestamp: 7, LocalTime: 1},
		{Column: 2, Path: []byte("old"), Timestamp: 7}, {Column: 2, Path: []byte("new"), Timestamp: 8},
	}
	f.Normalize()
	if got, want := fmt.Sprintf("%d %v %s", len(f.Cells), f.Liveness.Exists(), f.Cells[2].Path), "3 true new"; got != want {
		t.Errorf("got %s, want %s: %+v", got, want, f.Cells)
	}
	f.Shadow(Deletion{Timestamp: 7, LocalTime: 1})
	if len(f.Cells) != 1 || f.Liveness.Exists() || f.Deletion.Exists() {
		t.Errorf("an outer deletion left %+v", f)
	}
}

func TestBodyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFragment.Draw(t, "f")
		reference := rapid.Int64().Draw(t, "reference")
		body := AppendBody([]byte("x"), f, reference)
		var got Fragment
		if err := DecodeBody(body[1:], reference, &got); err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", *f); g != w {
			t.Fatalf("got %s, want %s", g, w)
		}
		for n := range body[1:] {
			if n < len(body)-1 && DecodeBody(body[1:1+n], reference, &got) == nil && len(f.Cells) == 0 {
				t.Fatalf("the first %d of %d bytes decode", n, len(body)-1)
			}
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	for i := range 20 {
		f.Add(AppendBody(nil, genFragment.Example(i), 7), int64(7))
	}
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, body []byte, reference int64) {
		var x, y Fragment
		if DecodeBody(body, reference, &x) != nil {
			return
		}
		again := AppendBody(nil, &x, reference)
		if err := DecodeBody(again, reference, &y); err != nil {
			t.Fatalf("%x decodes, %x made from it does not: %v", body, again, err)
		}
		if fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("%x: %v became %v", body, x, y)
		}
	})
}

func TestSeal(t *testing.T) {
	key, sealed := []byte("key"), append(BeginSeal(nil), "body"...)
	EndSeal(key, sealed)
	if body, ok := Open(key, sealed); !ok || string(body) != "body" {
		t.Errorf("Open = %q, %v", body, ok)
	}
	if _, ok := Open([]byte("kez"), sealed); ok {
		t.Error("opens under another key")
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, ok := Open(key, bad); ok {
				t.Errorf("opens with bit %d of byte %d flipped", bit, i)
			}
		}
	}
	for n := range sealed {
		if _, ok := Open(key, sealed[:n]); ok {
			t.Errorf("opens when cut to %d bytes", n)
		}
	}
}

func TestNormalizeRanges(t *testing.T) {
	keys := []string{"", "a", "aa", "ab", "b", "ba", "c", "cc", "d"}
	rapid.Check(t, func(t *rapid.T) {
		f := NewFragment()
		for range 3 {
			f.Ranges = append(f.Ranges, genFragment.Draw(t, "f").Ranges...)
		}
		partition := Live
		if rapid.Bool().Draw(t, "partition") {
			partition = genDeletion.Draw(t, "deletion")
		}
		got := NormalizeRanges(f.Ranges, partition)
		for i, r := range got {
			if i > 0 && (got[i-1].End == nil || bytes.Compare(got[i-1].End, r.Start) > 0) {
				t.Fatalf("not ascending and disjoint: %v", got)
			}
		}
		for _, k := range keys {
			want := Live
			for _, r := range f.Ranges {
				if k >= string(r.Start) && (r.End == nil || k < string(r.End)) && r.Deletion.Supersedes(want) {
					want = r.Deletion
				}
			}
			if !want.Supersedes(partition) {
				want = Live
			}
			if d := Covering(got, []byte(k)); d != want {
				t.Fatalf("key %q in %v from %v: got %v, want %v", k, got, f.Ranges, d, want)
			}
		}
	})
}

func TestKeysSortAsRows(t *testing.T) {
	type id struct {
		token      int64
		partition  string
		kind       Kind
		clustering string
	}
	gen := rapid.Custom(func(t *rapid.T) id {
		return id{rapid.SampledFrom([]int64{-1 << 63, -1, 0, 1, 1<<63 - 1}).Draw(t, "token"),
			string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xFF}), 0, 4).Draw(t, "partition")),
			Kind(rapid.IntRange(0, 1).Draw(t, "kind")), string(genKey.Draw(t, "clustering"))}
	})
	key := func(i id) []byte {
		return append(append(AppendPartition(nil, i.token, []byte(i.partition)), byte(i.kind)), i.clustering...)
	}
	compare := func(a, b id) int {
		for _, c := range []int{cmpInt(a.token, b.token), bytes.Compare([]byte(a.partition), []byte(b.partition)),
			int(a.kind) - int(b.kind), bytes.Compare([]byte(a.clustering), []byte(b.clustering))} {
			if c != 0 {
				return c
			}
		}
		return 0
	}
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(gen, 2, 8).Draw(t, "ids")
		slices.SortFunc(ids, compare)
		for i := range ids[1:] {
			if want, got := compare(ids[i], ids[i+1]), bytes.Compare(key(ids[i]), key(ids[i+1])); sign(want) != sign(got) {
				t.Fatalf("%v and %v: keys compare %d, rows %d", ids[i], ids[i+1], got, want)
			}
		}
		k := key(ids[0])
		end, err := PartitionEnd(k)
		if err != nil {
			t.Fatal(err)
		}
		token, partition, err := SplitPartition(k[:end], nil)
		if err != nil || token != ids[0].token || string(partition) != ids[0].partition {
			t.Fatalf("%v comes back as %d %q, %v", ids[0], token, partition, err)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add(append(AppendPartition(nil, 5, []byte("a\x00b")), 1, 2))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, key []byte) {
		end, err := PartitionEnd(key)
		if err != nil {
			return
		}
		token, partition, err := SplitPartition(key[:end], nil)
		if err != nil {
			t.Fatal(err)
		}
		if again := AppendPartition(nil, token, partition); !bytes.Equal(again, key[:end]) {
			t.Fatalf("%x became %x", key[:end], again)
		}
	})
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sign(n int) int { return cmpInt(int64(n), 0) }
