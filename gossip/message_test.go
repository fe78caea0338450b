package gossip

import (
	"bytes"
	"errors"
	"net/netip"
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

func FuzzParse(f *testing.F) {
	for _, at := range []string{"10.0.0.1:7000", "[2001:db8::1]:7000"} {
		m := &Member{self: host(1), opts: MemberOptions{Address: netip.MustParseAddrPort(at)}}
		f.Add(append(m.start(kindDeltas), 1, 2, 3))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := parse(b)
		if err != nil {
			return
		}
		m := &Member{self: in.sender, opts: MemberOptions{Address: in.address}}
		if again := append(m.start(in.kind), in.body...); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// What many nodes have said goes out in packets that fit, of whole deltas.
func TestDeltaPackets(t *testing.T) {
	m := &Member{self: host(1), table: NewTable(host(1), 1), opts: MemberOptions{Address: netip.MustParseAddrPort("10.0.0.1:7000")}}
	var deltas []Delta
	for i := range 50 {
		deltas = append(deltas, Delta{Host: host(i), Heartbeat: Heartbeat{1, 1}, Values: map[Key]Value{KeyRack: {1, strings.Repeat("x", 20*i)}}})
	}
	var got []Delta
	packets := m.deltaPackets(deltas)
	for _, packet := range packets {
		in, err := parse(packet)
		if err != nil || in.kind != kindDeltas || len(packet) > packetSize {
			t.Fatalf("a packet of %d bytes: %v", len(packet), err)
		}
		some, err := DecodeDeltas(in.body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
	}
	if !reflect.DeepEqual(got, deltas) || len(packets) > 40 {
		t.Errorf("%d deltas in %d packets became %d", len(deltas), len(packets), len(got))
	}
	if len(m.deltaPackets(nil)) != 0 {
		t.Error("a packet of nothing")
	}
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
