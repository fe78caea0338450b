package node

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/iliumdb/ilium/config"
)

// gossipKeySize is the size of a key for AES-256.
const gossipKeySize = 32

// gossipKeys reads the keys that gossip is encrypted with, one to a line, in base64 or hexadecimal. The first is used to
// send. There are none without a file.
func gossipKeys(file string) ([][]byte, error) {
	if file == "" {
		return nil, nil
	}
	content, err := config.ReadSecretFile(file)
	if err != nil {
		return nil, fmt.Errorf("gossip_encryption_key_file %s: %w", file, err)
	}
	var keys [][]byte
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := hex.DecodeString(line)
		if err != nil {
			key, err = base64.StdEncoding.DecodeString(line)
		}
		if err != nil || len(key) != gossipKeySize {
			return nil, fmt.Errorf("gossip_encryption_key_file %s: line %d is no key of %d bytes in base64 or hexadecimal", file, i+1, gossipKeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("gossip_encryption_key_file %s: it holds no key", file)
	}
	return keys, nil
}

// lookAtKeysEvery is the time between two looks at the file with the keys of gossip.
const lookAtKeysEvery = 10 * time.Second

// A keyring is the keys that gossip uses. *gossip.Member is one.
type keyring interface {
	Keys() [][]byte // the first one encrypts
	AddKey(key []byte) error
	UseKey(key []byte) error
	RemoveKey(key []byte) error
}

// A keyFile is the file with the keys of gossip, which may be replaced while the node runs. It is for one goroutine.
type keyFile struct {
	name     string
	log      *slog.Logger
	seen     os.FileInfo // whose keys are in use
	reported string      // what is wrong with the file, as the log has it
}

// openKeyFile reads the keys for the first time. Without a file there are none, and there cannot be later.
func openKeyFile(name string, log *slog.Logger) (*keyFile, [][]byte, error) {
	f := &keyFile{name: name, log: log}
	if name == "" {
		return f, nil, nil
	}
	seen, err := os.Stat(name) // before it is read: a change meanwhile is seen the next time
	if err != nil {
		return nil, nil, fmt.Errorf("gossip_encryption_key_file: %w", err)
	}
	keys, err := gossipKeys(name)
	f.seen = seen
	return f, keys, err
}

// look takes changes of the file over. If it cannot be read, the keys stay, and it is read again the next time.
func (f *keyFile) look(ring keyring) {
	if f.name == "" {
		return
	}
	now, err := os.Stat(f.name)
	if err == nil && !changed([]os.FileInfo{now}, []os.FileInfo{f.seen}) {
		f.reported = ""
		return
	}
	var keys [][]byte
	if err == nil {
		keys, err = gossipKeys(f.name)
	}
	if err == nil {
		err = f.use(ring, keys)
	}
	if err == nil {
		f.seen, f.reported = now, ""
		return
	}
	if text := err.Error(); text != f.reported {
		f.reported = text
		f.log.Error("the new keys of gossip cannot be used; the old ones stay", "error", err)
	}
}

// use changes the keys in an order in which this node understands all that it did, and whatever it sends: new ones are added,
// then the first is used, then those are removed that are gone.
func (f *keyFile) use(ring keyring, keys [][]byte) error {
	has := func(list [][]byte, key []byte) bool {
		return slices.ContainsFunc(list, func(k []byte) bool { return bytes.Equal(k, key) })
	}
	before, added, removed := ring.Keys(), 0, 0
	for _, key := range keys {
		if has(before, key) {
			continue
		}
		if err := ring.AddKey(key); err != nil {
			return err
		}
		added++
	}
	used := len(before) == 0 || !bytes.Equal(before[0], keys[0])
	if used {
		if err := ring.UseKey(keys[0]); err != nil {
			return err
		}
	}
	for _, key := range before {
		if has(keys, key) {
			continue
		}
		if err := ring.RemoveKey(key); err != nil {
			return err
		}
		removed++
	}
	f.log.Info("the keys of gossip were read again", "file", f.name, "keys", len(keys), "added", added, "another one encrypts", used, "removed", removed)
	return nil
}
