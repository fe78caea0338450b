package gossip

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestMessages(t *testing.T) {
	table := NewTable(host(1), 77)
	table.Set(KeyRack, "r1")
	table.Set(KeyStatus, "")
	table.Set(KeyLoad, strings.Repeat("x", 100_000))
	table.Observe([]Digest{{Host: host(2), Heartbeat: Heartbeat{5, 6}}})
	digests, deltas := table.Digests(nil), table.All()
	b := AppendDigests(nil, digests)
	if got, err := DecodeDigests(nil, b); err != nil || !reflect.DeepEqual(got, digests) || len(b) != 2*DigestSize {
		t.Errorf("%v became %v in %d bytes, %v", digests, got, len(b), err)
	}
	b = AppendDeltas(nil, deltas)
	if got, err := DecodeDeltas(b); err != nil || !reflect.DeepEqual(got, deltas) {
		t.Errorf("%v became %v, %v", deltas, got, err)
	}
	whole := map[int]bool{0: true, len(AppendDeltas(nil, deltas[:1])): true}
	for n := range b {
		_, err := DecodeDeltas(b[:n])
		var bad *MessageError
		if errors.As(err, &bad) == whole[n] {
			t.Errorf("the first %d bytes of %d: %v", n, len(b), err)
		}
	}
	long := []Delta{{Host: host(1), Values: map[Key]Value{KeyRack: {1, strings.Repeat("x", maxText+1)}}}}
	if _, err := DecodeDeltas(AppendDeltas(nil, long)); err == nil {
		t.Error("a long value is taken")
	}
}

func FuzzDecode(f *testing.F) {
	table := NewTable(host(1), 77)
	table.Set(KeyRack, "r1")
	table.Set(KeyStatus, "")
	f.Add(AppendDigests(nil, table.Digests(nil)))
	f.Add(AppendDeltas(nil, table.All()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if digests, err := DecodeDigests(nil, b); err == nil {
			if again := AppendDigests(nil, digests); !bytes.Equal(again, b) {
				t.Errorf("%x became %x", b, again)
			}
			table.Wanted(digests)
			table.Deltas(digests)
		}
		if deltas, err := DecodeDeltas(b); err == nil {
			if again := AppendDeltas(nil, deltas); !bytes.Equal(again, b) {
				t.Errorf("%x became %x", b, again)
			}
			fresh := NewTable(host(0), 1)
			fresh.Merge(deltas)
			if changes := fresh.Merge(deltas); len(deltas) == 1 && len(changes) > 0 && !changes[0].Contested {
				t.Errorf("merging again brings %+v", changes)
			}
		}
	})
}

func BenchmarkDigests50(b *testing.B) {
	table := NewTable(host(0), 1)
	for i := range 50 {
		table.Observe([]Digest{{Host: host(i), Heartbeat: Heartbeat{1, 1}}})
	}
	var packet []byte
	var digests []Digest
	b.ReportAllocs()
	for b.Loop() {
		packet = AppendDigests(packet[:0], table.Digests(digests[:0]))
		var err error
		if digests, err = DecodeDigests(digests[:0], packet); err != nil {
			b.Fatal(err)
		}
		table.Observe(digests)
	}
}
