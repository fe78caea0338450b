package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/iliumdb/ilium/storage/row"
)

func FuzzDecodePairs(f *testing.F) {
	m := mutation("pk\x00")
	insert(m, "a", 5, "v")
	key, value := m.Entry(0)
	f.Add(encodePairs(pair{key, value}, pair{key, value}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		pairs, err := decodePairs(encoded)
		if err != nil {
			return
		}
		for _, p := range pairs { // what carrying them out relies on
			end, err := row.PartitionEnd(p.key[row.TablePrefixSize:])
			if err != nil {
				t.Fatal(err)
			}
			_ = p.key[row.TablePrefixSize+end]
		}
		again, err := decodePairs(encodePairs(pairs...))
		if err != nil || len(again) != len(pairs) {
			t.Fatalf("%d pairs become %d, %v", len(pairs), len(again), err)
		}
		for i := range again {
			if !bytes.Equal(again[i].key, pairs[i].key) || !bytes.Equal(again[i].value, pairs[i].value) {
				t.Fatalf("pair %d changes", i)
			}
		}
	})
}

// FuzzVerifyTable looks at damaged table files: no damage may pass, and none may stop the process.
func FuzzVerifyTable(f *testing.F) {
	dir := f.TempDir()
	e := openEngine(f, testOptions(dir))
	m := mutation("pk")
	for _, k := range []string{"a", "b", "c"} {
		insert(m, k, 1, "v")
	}
	apply(f, e, m)
	closeEngine(f, e)
	files, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	sound, err := os.ReadFile(files[0])
	if err != nil {
		f.Fatal(err)
	}
	if found, err := verifyTable("x", sound); err != nil || len(found) > 0 {
		f.Fatalf("a sound file: %v, %v", found, err)
	}
	f.Add(10, byte(1), len(sound))
	f.Add(len(sound)-1, byte(1), len(sound))
	f.Add(0, byte(0), 3)
	f.Fuzz(func(t *testing.T, at int, change byte, size int) {
		data := bytes.Clone(sound)
		if at >= 0 && at < len(data) {
			data[at] ^= change
		}
		if size >= 0 && size < len(data) {
			data = data[:size]
		}
		if found, err := verifyTable("x", data); err == nil && len(found) == 0 && !bytes.Equal(data, sound) {
			t.Fatalf("byte %d changed by %d, cut to %d of %d: nothing found", at, change, len(data), len(sound))
		}
	})
}

func FuzzVerifyAnything(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = verifyTable("x", data)
		_ = verifyBlock(data)
	})
}
