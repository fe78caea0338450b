package hint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/ring"
)

// A modelHint is what the model knows of one hint.
type modelHint struct {
	number  int
	expires time.Time
	written bool // so that a crash does not lose it
	loose   bool // a crash may have lost it, or a replay may have sent it
}

// A model has what a store should have.
type model struct {
	t     *rapid.T
	root  string // of all directories
	dir   string
	store *Store
	now   time.Time
	hints map[ring.HostID][]*modelHint
	added int
	moves int
}

func (m *model) open() {
	s, err := Open(Options{
		Dir: m.dir, FlushPeriod: time.Hour, MaxFileSize: 400, // no flush but those that are called for
		Now: func() time.Time { return m.now },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.store = s
}

func (m *model) host() ring.HostID { return hostID(rapid.Byte().Draw(m.t, "host") % 2) }

func (m *model) add(durable bool) {
	id, h := m.host(), &modelHint{number: m.added}
	m.added++
	h.expires = m.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(m.t, "expires")) * time.Minute)
	body := append(binary.BigEndian.AppendUint64(nil, uint64(h.number)), make([]byte, rapid.IntRange(0, 200).Draw(m.t, "size"))...)
	err := error(nil)
	if durable {
		err = m.store.AddDurable(m.t.Context(), id, body, h.expires)
	} else {
		err = m.store.Add(id, body, h.expires)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.hints[id] = append(m.hints[id], h)
	if durable {
		m.written(id)
	}
}

func (m *model) written(id ring.HostID) {
	for _, h := range m.hints[id] {
		h.written = true
	}
}

// replay replays, up to a number of hints, and checks what comes.
func (m *model) replay(most int) {
	id := m.host()
	var got []int
	gone := errors.New("gone")
	err := m.store.Replay(m.t.Context(), id, func(body []byte, done func(error)) {
		if len(got) == most {
			done(gone)
			return
		}
		got = append(got, int(binary.BigEndian.Uint64(body)))
		done(nil)
	})
	if err != nil && !errors.Is(err, gone) {
		m.t.Fatal(err)
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		m.t.Fatalf("not in order: %v", got)
	}
	m.written(id)
	var left []*modelHint
	for _, h := range m.hints[id] {
		i := slices.Index(got, h.number)
		alive := h.expires.After(m.now)
		switch {
		case i >= 0 && !alive:
			m.t.Fatalf("hint %d has expired", h.number)
		case i >= 0:
			got = slices.Delete(got, i, i+1)
			h.loose = true
		case err == nil && alive && !h.loose:
			m.t.Fatalf("hint %d is missing", h.number)
		}
		left = append(left, h)
	}
	if len(got) > 0 {
		m.t.Fatalf("never added, or replayed long ago: %v", got)
	}
	if m.hints[id] = left; err == nil {
		m.hints[id] = nil
		if p := m.store.Pending(); slices.ContainsFunc(p, func(p Pending) bool { return p.To == id }) {
			m.t.Fatalf("left behind: %+v", p)
		}
	}
}

func (m *model) reopen() {
	if err := m.store.Close(); err != nil {
		m.t.Fatal(err)
	}
	for id := range m.hints {
		m.written(id)
	}
	m.open()
}

// crash goes on with a copy of the files, of which one is cut or has a torn write at its end.
func (m *model) crash() {
	m.moves++
	next := filepath.Join(m.root, fmt.Sprint(m.moves))
	if err := os.CopyFS(next, os.DirFS(m.dir)); err != nil {
		m.t.Fatal(err)
	}
	if err := m.store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.dir = next
	for id, list := range m.hints {
		m.hints[id] = slices.DeleteFunc(list, func(h *modelHint) bool { return !h.written })
	}
	names, err := filepath.Glob(filepath.Join(next, "*"))
	if err != nil {
		m.t.Fatal(err)
	}
	if len(names) > 0 {
		m.hurt(rapid.SampledFrom(names).Draw(m.t, "file"))
	}
	m.open()
}

func (m *model) hurt(path string) {
	file, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	if rapid.Bool().Draw(m.t, "torn") {
		file = append(file, rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(m.t, "tail")...)
	} else {
		size := rapid.IntRange(0, len(file)).Draw(m.t, "size")
		id, _ := parseName(filepath.Base(path))
		for number, end := range recordEnds(m.t, file, id) {
			for _, h := range m.hints[id.host] {
				h.loose = h.loose || h.number == number && end > size
			}
		}
		file = file[:size]
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// recordEnds returns where the hints in a file end, by their numbers.
func recordEnds(t *rapid.T, file []byte, id identity) map[int]int {
	out := map[int]int{}
	r := reader{file: bytesAt(file), seed: id.seed(), at: headerSize, end: int64(len(file))}
	for {
		rec, err := r.next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if !rec.seal {
			out[int(binary.BigEndian.Uint64(rec.body))] = int(rec.end())
		}
	}
}

// bytesAt is a file in memory.
type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, at int64) (int, error) {
	if at >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root, err := os.MkdirTemp("", "hints")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		m := &model{t: t, root: root, dir: filepath.Join(root, "0"), now: time.Unix(1e9, 0), hints: map[ring.HostID][]*modelHint{}}
		m.open()
		defer func() { _ = m.store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"add":     func(*rapid.T) { m.add(false) },
			"add2":    func(*rapid.T) { m.add(false) },
			"durable": func(*rapid.T) { m.add(true) },
			"replay":  func(*rapid.T) { m.replay(-1) },
			"part":    func(t *rapid.T) { m.replay(rapid.IntRange(0, 5).Draw(t, "most")) },
			"reopen":  func(*rapid.T) { m.reopen() },
			"crash":   func(*rapid.T) { m.crash() },
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "minutes")) * time.Minute)
			},
			"expire": func(*rapid.T) {
				m.store.disk.Lock()
				m.store.expire()
				m.store.disk.Unlock()
			},
			"truncate": func(*rapid.T) {
				id := m.host()
				m.store.Truncate(id)
				m.hints[id] = nil
			},
		})
	})
}
