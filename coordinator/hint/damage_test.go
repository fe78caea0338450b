package hint

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small returns the name and the content of a file with three hints, with or without a seal.
func small(t testing.TB, sealed bool) (string, []byte) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	for _, body := range []string{"first", "second", "third"} {
		if err := s.AddDurable(t.Context(), hostID(1), []byte(body), distant()); err != nil {
			t.Fatal(err)
		}
	}
	if sealed {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	name := files(t, dir)[0]
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(name), content
}

// TestDamage changes each byte of a file.
func TestDamage(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		name, content := small(t, sealed)
		bodies := []string{"first", "second", "third"}
		start := headerSize
		var starts []int
		for _, body := range bodies {
			starts = append(starts, start)
			start += recordSize + len(body)
		}
		dir := t.TempDir()
		for at := range content {
			for _, flip := range []byte{1, 0x80, 0xff} {
				damaged := bytes.Clone(content)
				damaged[at] ^= flip
				if err := os.WriteFile(filepath.Join(dir, name), damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				want := slices.Clone(bodies)
				for i := len(starts) - 1; i >= 0; i-- {
					if at >= starts[i] && at < starts[i]+recordSize+len(bodies[i]) {
						want = slices.Delete(want, i, i+1)
					}
				}
				s, err := Open(Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				if got := replayed(t, s, hostID(1)); got != strings.Join(want, " ") {
					t.Errorf("byte %d changed by %x, sealed %v: got %s", at, flip, sealed, got)
				}
				if err := s.Close(); err != nil || len(files(t, dir)) > 0 {
					t.Fatal(err, files(t, dir))
				}
			}
		}
	}
}

func TestEveryCut(t *testing.T) {
	name, content := small(t, true)
	dir := t.TempDir()
	for size := range content {
		if err := os.WriteFile(filepath.Join(dir, name), content[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		var want []string
		end := headerSize
		for _, body := range []string{"first", "second", "third"} {
			if end += recordSize + len(body); end <= size {
				want = append(want, body)
			}
		}
		s, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		expectText(t, replayed(t, s, hostID(1)), strings.Join(want, " "))
		if err := s.Close(); err != nil || len(files(t, dir)) > 0 {
			t.Fatal(err, files(t, dir))
		}
	}
}

func TestDamageIsCounted(t *testing.T) {
	name, content := small(t, true)
	dir := t.TempDir()
	content[headerSize+recordSize] ^= 1
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	k := sink{answer: func(body string) error {
		if body == "third" {
			return io.ErrClosedPipe
		}
		return nil
	}}
	if err := s.Replay(t.Context(), hostID(1), k.send); err == nil {
		t.Error("no error")
	}
	if p := s.Pending(); len(p) != 1 || p[0].DamagedFiles != 1 || p[0].DamagedBytes != int64(len(content)) {
		t.Errorf("got %+v", p)
	}
	expectText(t, replayed(t, s, hostID(1)), "third")
	if c := s.Counters(); c != (Counters{Replayed: 2, Damaged: 1}) {
		t.Errorf("got %+v", c)
	}
}

func TestFilesOfOthers(t *testing.T) {
	name, content := small(t, true)
	dir := t.TempDir()
	newer := bytes.Clone(content)
	binary.BigEndian.PutUint32(newer[8:], formatVersion+1)
	id, _ := parseName(name)
	binary.BigEndian.PutUint32(newer[headerSummed:], headerSum(newer))
	for other, content := range map[string][]byte{name: newer, "README": nil, "x.hints": content,
		strings.Replace(name, "-", "+", 1): content, strings.ToUpper(name): content,
		newSegment("", identity{id.host, id.stamp, id.seq + 1}).path: content, // under a wrong name
	} {
		if err := os.WriteFile(filepath.Join(dir, other), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Options{Dir: dir})
	if got := replayed(t, s, hostID(1)); got != "" {
		t.Errorf("got %s", got)
	}
	if p := s.Pending(); len(p) != 1 || p[0].Files != 1 || p[0].DamagedFiles != 1 || len(s.waiting()) > 0 {
		t.Errorf("got %+v", p)
	}
	if left := files(t, dir); len(left) != 5 {
		t.Errorf("got %v", left)
	}
}

// TestUnreadable has a file that is a directory.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, newSegment("", identity{hostID(1), 1, 7}).path), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	add(t, s, hostID(1), "a")
	expectText(t, replayed(t, s, hostID(1)), "a")
	if p := s.Pending(); len(p) != 1 || p[0].DamagedFiles != 1 {
		t.Errorf("got %+v", p)
	}
}

// TestHintInAHint has a hint that contains a record, in a file whose lengths are damaged.
func TestHintInAHint(t *testing.T) {
	name, content := small(t, true)
	id, _ := parseName(name)
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if err := s.AddDurable(t.Context(), id.host, content[headerSize:], distant()); err != nil {
		t.Fatal(err)
	}
	crashed := copyDir(t, dir)
	file := files(t, crashed)[0]
	outer, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	outer[headerSize] ^= 1
	if err := os.WriteFile(file, outer, 0o600); err != nil {
		t.Fatal(err)
	}
	expectText(t, replayed(t, open(t, Options{Dir: crashed}), id.host), "")
}

// FuzzReader reads any bytes, as they are and behind a record.
func FuzzReader(f *testing.F) {
	_, content := small(f, true)
	f.Add(content[headerSize:], int64(headerSize), uint32(1))
	f.Add([]byte{}, int64(0), uint32(0))
	id := identity{hostID(1), 1, 1}
	seal := makeSeal(id.seed(), headerSize, 1, 2, 3)
	f.Add(append(seal, seal[:30]...), int64(headerSize), id.seed())
	f.Fuzz(func(t *testing.T, garbage []byte, at int64, seed uint32) {
		at &= 1<<40 - 1
		body := []byte("a hint")
		b := appendRecord(bytes.Clone(garbage), 5, 6, body)
		finish(b[len(garbage):], seed, at+int64(len(garbage)))
		b = append(b, garbage...)
		r := reader{file: shifted{bytesAt(b), at}, seed: seed, at: at, end: at + int64(len(b))}
		found := false
		for last := at; ; {
			rec, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil || rec.at < last || rec.end() > r.end {
				t.Fatalf("%v: %d to %d", err, rec.at, rec.end())
			}
			last = rec.end()
			found = found || string(rec.body) == string(body) && rec.created == 5 && rec.expires == 6
		}
		if !found {
			t.Error("the hint between the bytes is lost")
		}
		if len(garbage) > 0 && r.damaged == 0 && bytes.Count(garbage, []byte{0}) == len(garbage) {
			t.Error("the damage was not seen")
		}
	})
}

// shifted is a file that begins at a position.
type shifted struct {
	file bytesAt
	at   int64
}

func (s shifted) ReadAt(p []byte, at int64) (int, error) { return s.file.ReadAt(p, at-s.at) }

func FuzzParseName(f *testing.F) {
	f.Add(filepath.Base(newSegment("", identity{hostID(1), 123, 4}).path))
	f.Add("ab000000-0000-0000-0000-000000000001-1-1.hints.hints")
	f.Fuzz(func(t *testing.T, name string) {
		if id, ok := parseName(name); ok && newSegment("", id).path != name {
			t.Errorf("%q is read as %+v", name, id)
		}
	})
}

// FuzzHeader reads any bytes as the beginning of a file.
func FuzzHeader(f *testing.F) {
	f.Add(identity{hostID(1), 1, 1}.header())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		id := identity{hostID(1), 1, 1}
		_ = id.readHeader(b)
		if at := readPosition(b, id.seed(), 1000); at < headerSize || at > 1000 {
			t.Errorf("position %d", at)
		}
	})
}
