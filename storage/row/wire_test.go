package row

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func equalMutations(a, b *Mutation) bool {
	if a.Incarnation != b.Incarnation || a.Token != b.Token || !bytes.Equal(a.Key(), b.Key()) || a.HasHeader() != b.HasHeader() || a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		key, value := a.Entry(i)
		otherKey, otherValue := b.Entry(i)
		if !bytes.Equal(key, otherKey) || !bytes.Equal(value, otherValue) {
			return false
		}
	}
	return true
}

func TestMutationWire(t *testing.T) {
	var sent Mutation // used for one after the other
	rapid.Check(t, func(t *rapid.T) {
		var m Mutation
		key := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xFF}), 0, 6).Draw(t, "key")
		m.Begin(rapid.Uint32().Draw(t, "incarnation"), rapid.Int64().Draw(t, "token"), key)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			f := genFragment.Draw(t, "fragment")
			if rapid.IntRange(0, 3).Draw(t, "header") == 0 {
				m.AddHeader(f)
			} else {
				m.AddRow(f, genKey.Draw(t, "clustering"))
			}
		}
		encoded := m.Append([]byte("x"))
		rest, err := sent.Decode(append(encoded, "behind"...)[1:])
		if err != nil || string(rest) != "behind" || !equalMutations(&m, &sent) {
			t.Fatalf("%v, %q is left", err, rest)
		}
		again := new(Mutation)
		for i := range m.Len() {
			storageKey, value := m.Entry(i)
			rowKey := storageKey[TablePrefixSize:]
			if i == 0 {
				if err := again.BeginAt(m.Incarnation, rowKey); err != nil {
					t.Fatal(err)
				}
			}
			body, _ := Open(storageKey, value)
			f := NewFragment()
			if err := DecodeBody(body, 0, f); err != nil || !again.AddEntry(rowKey, f) {
				t.Fatalf("change %d is not taken, %v", i, err)
			}
		}
		if m.Len() > 0 && !equalMutations(&m, again) {
			t.Fatal("made of its entries it differs")
		}
	})
}

func TestAddEntryElsewhere(t *testing.T) {
	var m Mutation
	m.Begin(1, 5, []byte("a"))
	other := append(AppendPartition(nil, 5, []byte("ab")), byte(KindRow))
	if m.AddEntry(other, NewFragment()) || m.AddEntry(m.Partition(), NewFragment()) || m.Len() > 0 {
		t.Error("it takes what is not in its partition")
	}
}

func TestDamagedMutation(t *testing.T) {
	var m, got Mutation
	m.Begin(1, 5, []byte("a\x00b"))
	f := NewFragment()
	f.Liveness.Timestamp = 7
	m.AddHeader(f)
	m.AddRow(f, []byte("c"))
	sound := m.Append(nil)
	for i := range sound {
		if _, err := got.Decode(sound[:i]); err == nil {
			t.Errorf("cut to %d bytes it is taken", i)
		}
		for bit := range 8 {
			damaged := bytes.Clone(sound)
			damaged[i] ^= 1 << bit
			if rest, err := got.Decode(damaged); err == nil && len(rest) == 0 {
				t.Errorf("with bit %d of byte %d changed it is taken", bit, i)
			}
		}
	}
}

func FuzzMutation(f *testing.F) {
	var m Mutation
	m.Begin(1, 5, []byte("a\x00b"))
	fragment := NewFragment()
	fragment.Liveness.Timestamp = 7
	m.AddHeader(fragment)
	m.AddRow(fragment, []byte("c"))
	f.Add(m.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Mutation
		rest, err := m.Decode(b)
		if err != nil {
			return
		}
		if left, err := again.Decode(m.Append(nil)); err != nil || len(left) > 0 || !equalMutations(&m, &again) {
			t.Fatalf("it changes on the way, %v", err)
		}
		if len(rest) > len(b) {
			t.Fatal("more is left than there was")
		}
		for i := range m.Len() {
			key, value := m.Entry(i)
			if _, err := PartitionEnd(key[TablePrefixSize:]); err != nil {
				t.Fatal(err)
			}
			if _, ok := Open(key, value); !ok {
				t.Fatal("a wrong checksum")
			}
		}
	})
}
