package raftlog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/peer"
)

// A memory is a Store that may fail.
type memory struct {
	values map[string][]byte
	fail   func() (stored bool, err error)
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) Put(_ context.Context, puts ...storage.Put) error {
	stored, err := true, error(nil)
	if m.fail != nil {
		stored, err = m.fail()
	}
	for _, p := range puts {
		switch {
		case !stored:
		case p.Value == nil:
			delete(m.values, p.Name)
		default:
			m.values[p.Name] = bytes.Clone(p.Value)
		}
	}
	return err
}

func (m *memory) Values(prefix string, visit func(name string, value []byte) error) error {
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		if strings.HasPrefix(name, prefix) {
			if err := visit(name, m.values[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// The log is a slice of entries, also after failures, and after it has been opened again if nothing has failed since
// something was stored last.
func TestEntries(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		m.fail = func() (bool, error) {
			switch rapid.IntRange(0, 5).Draw(rt, "outcome") {
			case 0:
				return true, errors.New("broken")
			case 1:
				return false, errors.New("broken")
			}
			return true, nil
		}
		e, err := openEntries(m)
		if err != nil {
			rt.Fatal(err)
		}
		var model []*raft.Log
		term := uint64(1)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			failed := false
			switch rapid.SampledFrom([]string{"append", "append", "replace", "truncate", "compact", "gap"}).Draw(rt, "step") {
			case "append":
				next := uint64(1)
				if n := len(model); n > 0 {
					next = model[n-1].Index + 1
				}
				added := someEntries(rt, next, term)
				if failed = e.StoreLogs(added) != nil; !failed {
					model = append(slices.Clip(model), added...)
				}
			case "replace":
				if len(model) == 0 {
					continue
				}
				at := rapid.IntRange(0, len(model)-1).Draw(rt, "at")
				term++
				added := someEntries(rt, model[at].Index, term)
				if failed = e.StoreLogs(added) != nil; !failed {
					model = append(slices.Clip(model[:at]), added...)
				}
			case "truncate", "compact":
				if len(model) == 0 {
					continue
				}
				at := rapid.IntRange(0, len(model)-1).Draw(rt, "at")
				if rapid.Bool().Draw(rt, "end") {
					if failed = e.DeleteRange(model[at].Index, model[len(model)-1].Index) != nil; !failed {
						model = model[:at]
					}
				} else if failed = e.DeleteRange(model[0].Index, model[at].Index) != nil; !failed {
					if at == len(model)-1 {
						at++ // with nothing behind it the last of them goes too
					}
					failed = at == 0 // nothing was stored
					model = model[at:]
				}
			case "gap":
				if len(model) == 0 {
					continue
				}
				added := someEntries(rt, model[len(model)-1].Index+10, term)
				if failed = e.StoreLogs(added) != nil; !failed {
					model = added
				}
			}
			checkEntries(rt, e, model)
			if !failed {
				again, err := openEntries(m)
				if err != nil {
					rt.Fatal(err)
				}
				checkEntries(rt, again, model)
			}
		}
	})
}

func someEntries(rt *rapid.T, first, term uint64) (list []*raft.Log) {
	for i := range rapid.IntRange(1, 4).Draw(rt, "count") {
		list = append(list, &raft.Log{Index: first + uint64(i), Term: term, Data: rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(rt, "data")})
	}
	return list
}

func checkEntries(rt *rapid.T, e *entries, model []*raft.Log) {
	rt.Helper()
	first, _ := e.FirstIndex()
	last, _ := e.LastIndex()
	if len(model) == 0 {
		if first != 0 || last != 0 {
			rt.Fatalf("an empty log has entries %d to %d", first, last)
		}
		return
	}
	if first != model[0].Index || last != model[len(model)-1].Index {
		rt.Fatalf("it has entries %d to %d, not %d to %d", first, last, model[0].Index, model[len(model)-1].Index)
	}
	for _, want := range model {
		var got raft.Log
		if err := e.GetLog(want.Index, &got); err != nil || got.Term != want.Term || !bytes.Equal(got.Data, want.Data) {
			rt.Fatalf("entry %d is %+v, %v; want %+v", want.Index, got, err, want)
		}
	}
	var none raft.Log
	if e.GetLog(first-1, &none) != raft.ErrLogNotFound || e.GetLog(last+1, &none) != raft.ErrLogNotFound {
		rt.Fatalf("it has entries outside of it")
	}
}

func TestDamagedEntries(t *testing.T) {
	check := func(change func(*memory)) {
		t.Helper()
		m := newMemory()
		e, err := openEntries(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.StoreLogs([]*raft.Log{{Index: 1}, {Index: 2}, {Index: 3}}); err != nil {
			t.Fatal(err)
		}
		change(m)
		if _, err := openEntries(m); err == nil {
			t.Error("it was opened")
		}
	}
	check(func(m *memory) { delete(m.values, entryName(2)) })
	check(func(m *memory) { m.values[entryName(2)] = []byte{1} })
	check(func(m *memory) { m.values[entryName(2)] = m.values[entryName(3)] })
}

func TestVotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		stop := make(chan struct{})
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		v, err := openVotes(m, log, stop)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := v.GetUint64([]byte("term")); n != 0 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		failures := 3
		m.fail = func() (bool, error) {
			if failures--; failures < 0 {
				return true, nil
			}
			return false, errors.New("broken")
		}
		began := time.Now()
		if err := v.SetUint64([]byte("term"), 7); err != nil || time.Since(began) != 3*retryStoring {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if err := v.Set([]byte("candidate"), []byte("a")); err != nil {
			t.Error(err)
		}
		v, err = openVotes(m, log, stop)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := v.GetUint64([]byte("term"))
		if b, _ := v.Get([]byte("candidate")); n != 7 || string(b) != "a" {
			t.Errorf("got %d, %s", n, b)
		}
		m.fail = func() (bool, error) { return false, errors.New("broken") }
		close(stop)
		if err := v.SetUint64([]byte("term"), 8); err != nil {
			t.Error(err)
		}
		if n, _ := v.GetUint64([]byte("term")); n != 7 {
			t.Errorf("what could not be stored is %d", n)
		}
	})
}

func TestSnapshots(t *testing.T) {
	m := newMemory()
	s, err := openSnapshots(m)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Errorf("there are %v, %v", list, err)
	}
	write := func(index uint64, text string) error {
		k, err := s.Create(1, index, 2, configuration(), 3, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(k, text); err != nil {
			t.Fatal(err)
		}
		return k.Close()
	}
	check := func(index uint64, text string) {
		t.Helper()
		for range 2 {
			list, err := s.List()
			if len(list) != 1 || err != nil || list[0].Index != index || list[0].Term != 2 || list[0].ConfigurationIndex != 3 || len(list[0].Configuration.Servers) != 2 {
				t.Fatalf("there are %+v, %v", list, err)
			}
			_, from, err := s.Open(list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(from); string(b) != text || err != nil {
				t.Errorf("got %s, %v", b, err)
			}
			if s, err = openSnapshots(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := write(10, "ten"); err != nil {
		t.Fatal(err)
	}
	check(10, "ten")
	if err := write(20, ""); err != nil {
		t.Fatal(err)
	}
	check(20, "")
	m.fail = func() (bool, error) { return false, errors.New("broken") }
	if err := write(30, "thirty"); err == nil {
		t.Error("a snapshot that is not stored is")
	}
	check(20, "")
	m.fail = func() (bool, error) { return true, errors.New("broken") }
	if err := write(40, "forty"); err == nil {
		t.Error("a snapshot of which nobody knows is stored")
	}
	check(40, "forty")
	if _, _, err := s.Open("1-1"); err == nil {
		t.Error("there are more")
	}
	k, _ := s.Create(1, 50, 2, configuration(), 3, nil)
	if err := k.Cancel(); err != nil || k.Close() == nil {
		t.Error("a snapshot is closed that was given up")
	}
}

// Parts of snapshots that do not belong together are refused.
func TestParts(t *testing.T) {
	tr := newTransport(t.Context(), ring.HostID{1}, nil, time.Second)
	from := ring.HostID{2}
	part := func(session, offset byte, data string) error {
		body := append([]byte{byte(kindPart)}, bytes.Repeat([]byte{session}, sessionSize)...)
		_, err := tr.handleSnapshot(t.Context(), &peer.Request{From: from, Body: append(append(body, offset), data...)})
		return err
	}
	check := func(err error, want bool) {
		t.Helper()
		if (err == nil) != want {
			t.Errorf("got %v", err)
		}
	}
	check(part(1, 3, "x"), false)
	check(part(1, 0, "abc"), true)
	check(part(2, 3, "x"), false)
	check(part(1, 2, "x"), false)
	check(part(1, 3, "de"), true)
	check(part(2, 0, "abc"), true)
	check(part(1, 5, "x"), false)
	install := appendRequest(nil, requests()[5]) // of five bytes
	_, err := tr.handleSnapshot(t.Context(), &peer.Request{From: from, Body: append(install, bytes.Repeat([]byte{2}, sessionSize)...)})
	check(err, false)
	for _, body := range [][]byte{nil, {1}, {byte(kindPart)}, appendRequest(nil, requests()[0])} {
		_, err := tr.handleSnapshot(t.Context(), &peer.Request{From: from, Body: body})
		check(err, false)
	}
	_, err = tr.handle(t.Context(), &peer.Request{From: from, Body: install})
	check(err, false)
}
