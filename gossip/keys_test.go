package gossip

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A node without the key is not heard. Keys change while nodes run, and nobody is taken for down.
func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 16)
		g := emptyGroup(t)
		for i, keys := range [][][]byte{{first}, {first}, {first}, nil, {second}} {
			g.startWith(i, i, 1, "c", func(o *MemberOptions) { o.Keys = keys })
		}
		wait(30 * time.Second)
		g.agree(time.Second, func(of, about int) bool { return of == about || of < 3 && about < 3 })
		g.changed()
		each := func(f func(*Member) error) {
			t.Helper()
			for _, m := range g.members[:3] {
				if err := f(m); err != nil {
					t.Error(err)
				}
				wait(6 * time.Second) // longer than a silence that makes somebody down
			}
		}
		each(func(m *Member) error { return m.AddKey(second) })
		each(func(m *Member) error { return m.AddKey(third) })
		each(func(m *Member) error { return m.UseKey(third) })
		each(func(m *Member) error { return m.RemoveKey(second) })
		each(func(m *Member) error { return m.RemoveKey(first) })
		for _, m := range g.members[:3] {
			if keys := m.Keys(); len(keys) != 1 || !bytes.Equal(keys[0], third) {
				t.Errorf("keys %x", keys)
			}
			if m.RemoveKey(third) == nil || m.UseKey(first) == nil || m.AddKey(nil) == nil {
				t.Error("a change is made that cannot be")
			}
		}
		g.agree(time.Second, func(of, about int) bool { // the one with the second key was let in meanwhile
			return of == about || of < 3 && about < 3
		})
		if plain := g.members[3]; !errors.Is(plain.AddKey(first), ErrNoKeys) || plain.Keys() != nil {
			t.Error("gossip begins to be encrypted")
		}
		g.stop()
	})
}

// The key that is removed is not the last one: those behind it are not lost.
func TestMoveToEnd(t *testing.T) {
	key := func(i byte) []byte { return bytes.Repeat([]byte{i}, 16) }
	for at := range 5 {
		ring, err := keyring([][]byte{key(0), key(1), key(2), key(3)})
		if err != nil {
			t.Fatal(err)
		}
		m := &Member{keys: ring}
		err = m.RemoveKey(key(byte(at)))
		keys := m.Keys()
		if (err == nil) == (at == 0) || !bytes.Equal(keys[0], key(0)) {
			t.Errorf("removing key %d: %v, keys %x", at, err, keys)
		}
		for i := range 4 {
			has := slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key(byte(i))) })
			if want := i != at || at == 0; has != want {
				t.Errorf("after removing key %d there are %x", at, keys)
			}
		}
	}
}
