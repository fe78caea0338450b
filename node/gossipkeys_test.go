package node

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// someKeys is a ring of keys that notes what is done to it.
type someKeys struct {
	keys [][]byte
	done []string
	err  error
}

func (r *someKeys) Keys() [][]byte { return slices.Clone(r.keys) }

func (r *someKeys) note(what string, key []byte) error {
	r.done = append(r.done, fmt.Sprint(what, key[0]))
	return r.err
}

func (r *someKeys) AddKey(key []byte) error {
	r.keys = append(r.keys, key)
	return r.note("+", key)
}

func (r *someKeys) UseKey(key []byte) error {
	r.keys = slices.DeleteFunc(r.keys, func(k []byte) bool { return bytes.Equal(k, key) })
	r.keys = slices.Insert(r.keys, 0, key)
	return r.note("!", key)
}

func (r *someKeys) RemoveKey(key []byte) error {
	r.keys = slices.DeleteFunc(r.keys, func(k []byte) bool { return bytes.Equal(k, key) })
	return r.note("-", key)
}

func gossipKey(n byte) []byte { return bytes.Repeat([]byte{n}, gossipKeySize) }

func keyLines(numbers ...byte) string {
	out := "# the first one encrypts\n"
	for _, n := range numbers {
		if n%2 == 0 {
			out += hex.EncodeToString(gossipKey(n)) + "\n"
		} else {
			out += base64.StdEncoding.EncodeToString(gossipKey(n)) + "\n"
		}
	}
	return out
}

func TestGossipKeysAreReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	at := time.Now().Add(-time.Hour)
	write := func(text string, mode os.FileMode) {
		t.Helper()
		at = at.Add(time.Second)
		if err := errors.Join(os.WriteFile(name, []byte(text), mode), os.Chmod(name, mode), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	write(keyLines(1), 0o600)
	var log bytes.Buffer
	f, keys, err := openKeyFile(name, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || len(keys) != 1 || !bytes.Equal(keys[0], gossipKey(1)) {
		t.Fatalf("%x, error %v", keys, err)
	}
	ring := &someKeys{keys: keys}
	for _, c := range []struct {
		text string
		mode os.FileMode
		done string
		log  string
	}{
		{"", 0, "", ""}, // nothing has changed
		{keyLines(1, 2), 0o600, "+2", `keys=2 added=1 "another one encrypts"=false removed=0`},
		{keyLines(2, 1), 0o600, "!2", `added=0 "another one encrypts"=true removed=0`},
		{"rubbish", 0o600, "", "the old ones stay"},
		{"", 0o600, "", "it holds no key"},
		{keyLines(2), 0o644, "", "the old ones stay"}, // others can read it
		{keyLines(2), 0o600, "-1", "removed=1"},
		{keyLines(4, 3), 0o600, "+4 +3 !4 -2", `keys=2 added=2 "another one encrypts"=true removed=1`},
	} {
		if c.mode != 0 {
			write(c.text, c.mode)
		}
		log.Reset()
		ring.done = nil
		f.look(ring)
		f.look(ring) // nothing more to do, or to say
		if done := strings.Join(ring.done, " "); done != c.done {
			t.Errorf("%q: %s, want %s", c.text, done, c.done)
		}
		if said := log.String(); !strings.Contains(said, c.log) || strings.Count(said, "\n") > 1 || c.log == "" && said != "" {
			t.Errorf("%q: the log has %q, want %s", c.text, said, c.log)
		}
		for n := range byte(5) {
			if said := log.String(); strings.Contains(said, hex.EncodeToString(gossipKey(n))) || strings.Contains(said, base64.StdEncoding.EncodeToString(gossipKey(n))) {
				t.Errorf("the log has a key: %s", said)
			}
		}
	}
	write(keyLines(5), 0o600)
	ring.err = errors.New("no")
	f.look(ring)
	ring.err, ring.done = nil, nil
	f.look(ring)
	if done := strings.Join(ring.done, " "); done != "!5 -4 -3" { // 5 was added the first time
		t.Errorf("%s", done)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	f.look(ring)
	if !strings.Contains(log.String(), "no such file") || len(ring.keys) != 1 {
		t.Errorf("%d keys, and the log has %s", len(ring.keys), log.String())
	}
	if _, _, err := openKeyFile(name, nil); err == nil {
		t.Error("a file that is not there")
	}
	f, keys, err = openKeyFile("", nil)
	if f.look(nil); err != nil || keys != nil {
		t.Errorf("%v without a file, error %v", keys, err)
	}
}
