package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/memberlist"
)

// ErrNoKeys reports that the gossip of this node is not encrypted. It cannot begin to be while it runs.
var ErrNoKeys = errors.New("gossip: it is not encrypted")

// keyring returns the ring of keys that memberlist uses, or nil for none.
func keyring(keys [][]byte) (*memberlist.Keyring, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ring, err := memberlist.NewKeyring(keys, keys[0])
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	return ring, nil
}

// Keys returns the keys, of 16, 24 or 32 bytes, in the order in which they are tried. The first one
// encrypts what this node sends.
//
// To change keys while all nodes run, add the new one on all nodes, then use it on all nodes, and then
// remove the old one on all nodes.
func (m *Member) Keys() [][]byte {
	m.keysMu.Lock()
	defer m.keysMu.Unlock()
	if m.keys == nil {
		return nil
	}
	return slices.Clone(m.keys.GetKeys())
}

// AddKey makes this node understand what is encrypted with a key.
func (m *Member) AddKey(key []byte) error {
	return m.changeKeys(func(ring *memberlist.Keyring) error { return ring.AddKey(slices.Clone(key)) })
}

// UseKey makes this node encrypt what it sends with one of its keys. All others must have it.
func (m *Member) UseKey(key []byte) error {
	return m.changeKeys(func(ring *memberlist.Keyring) error { return ring.UseKey(key) })
}

// RemoveKey makes this node forget a key, which must not be the one in use.
func (m *Member) RemoveKey(key []byte) error {
	return m.changeKeys(func(ring *memberlist.Keyring) error {
		if err := moveToEnd(ring, key); err != nil {
			return err
		}
		return ring.RemoveKey(key)
	})
}

// moveToEnd makes a key the last one. memberlist removes keys from a list that others are reading;
// only for the last one nothing in it moves. Keys that were added later are in use for a moment, which
// makes no difference: the first one is the one in use in the end.
func moveToEnd(ring *memberlist.Keyring, key []byte) error {
	keys := slices.Clone(ring.GetKeys())
	at := slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
	if at < 1 || at == len(keys)-1 {
		return nil // RemoveKey says what is wrong, if anything is
	}
	for _, later := range slices.Concat(keys[at+1:], keys[:1]) {
		if err := ring.UseKey(later); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) changeKeys(change func(*memberlist.Keyring) error) error {
	m.keysMu.Lock()
	defer m.keysMu.Unlock()
	if m.keys == nil {
		return ErrNoKeys
	}
	if err := change(m.keys); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	return nil
}
