package hint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/ring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func hostID(n byte) ring.HostID { return ring.HostID{0: 0xab, 15: n} }

// distant is an expiry that no test reaches.
func distant() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t testing.TB, s *Store, to ring.HostID, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := s.Add(to, []byte(body), distant()); err != nil {
			t.Fatal(err)
		}
	}
}

// A sink is an endpoint that takes hints.
type sink struct {
	got    []string
	answer func(body string) error // or nil
}

func (k *sink) send(body []byte, done func(error)) {
	k.got = append(k.got, string(body))
	if k.answer != nil {
		done(k.answer(string(body)))
		return
	}
	done(nil)
}

func replayed(t testing.TB, s *Store, id ring.HostID) string {
	t.Helper()
	var k sink
	if err := s.Replay(t.Context(), id, k.send); err != nil {
		t.Fatal(err)
	}
	return strings.Join(k.got, " ")
}

func expectText(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReplaySendsEverythingOnceAndInOrder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, MaxFileSize: 200})
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint("hint", i))
	}
	add(t, s, hostID(1), want...)
	add(t, s, hostID(2), "other")
	expectText(t, replayed(t, s, hostID(1)), strings.Join(want, " "))
	expectText(t, replayed(t, s, hostID(1)), "")
	expectText(t, replayed(t, s, hostID(2)), "other")
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
	if c := s.Counters(); c != (Counters{Created: 51, Replayed: 51}) {
		t.Errorf("got %+v", c)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		s := open(t, Options{Dir: dir})
		add(t, s, hostID(1), fmt.Sprint("a", i), fmt.Sprint("b", i))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Options{Dir: dir})
	p := s.Pending()
	if len(p) != 1 || p[0].To != hostID(1) || p[0].Files != 3 || p[0].Newest.Before(p[0].Oldest) || p[0].DamagedFiles != 0 {
		t.Errorf("got %+v", p)
	}
	expectText(t, replayed(t, s, hostID(1)), "a0 b0 a1 b1 a2 b2")
}

func TestClosed(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	var closed *ClosedError
	if err := s.Add(hostID(1), nil, distant()); !errors.As(err, &closed) {
		t.Errorf("got %v", err)
	}
	if err := s.Replay(t.Context(), hostID(1), nil); !errors.As(err, &closed) {
		t.Errorf("got %v", err)
	}
}

// TestDurable looks at the files while the store is open, as after a crash.
func TestDurable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if err := s.AddDurable(t.Context(), hostID(byte(i%3)), fmt.Appendf(nil, "hint%02d", i), distant()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	crashed := open(t, Options{Dir: copyDir(t, dir)})
	var got []string
	for id := range byte(3) {
		got = append(got, strings.Fields(replayed(t, crashed, hostID(id)))...)
	}
	slices.Sort(got)
	if len(got) != 20 || len(slices.Compact(got)) != 20 {
		t.Errorf("got %v", got)
	}
}

// pass lets time pass, in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func copyDir(t testing.TB, dir string) string {
	t.Helper()
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var noRoom atomic.Bool
		s := open(t, Options{
			Dir: t.TempDir(), Window: 3 * time.Hour, MaxBytesPerHost: 1000, MaxBuffer: 2000,
			Free: func() bool { return !noRoom.Load() },
		})
		var window *WindowError
		var full *FullError
		var busy *BusyError
		var disk *DiskFullError
		var expired *ExpiredError
		body, now := make([]byte, 400), time.Now()
		expect := func(to byte, target any) {
			t.Helper()
			err := s.Add(hostID(to), body, distant())
			if target == nil && err != nil || target != nil && !errors.As(err, target) {
				t.Errorf("got %v", err)
			}
		}
		s.Down(hostID(1), now.Add(-3*time.Hour))
		expect(1, nil)
		expect(1, nil)
		expect(1, &full)
		s.Down(hostID(2), now.Add(-3*time.Hour-1))
		s.Down(hostID(2), now) // it was down before
		expect(2, &window)
		s.Up(hostID(2))
		expect(2, nil)
		expect(2, nil)
		expect(3, &busy)
		pass(time.Second)
		expect(1, &window)
		if err := s.Add(hostID(3), nil, time.Now()); !errors.As(err, &expired) {
			t.Errorf("got %v", err)
		}
		noRoom.Store(true)
		pass(10 * time.Second)
		expect(3, &disk)
		noRoom.Store(false)
		pass(10 * time.Second)
		expect(3, nil)
		if c := s.Counters(); c != (Counters{Created: 5, Dropped: 5, Expired: 1}) {
			t.Errorf("got %+v", c)
		}
	})
}

// TestOrderOfFiles has more files than one digit counts, of one millisecond.
func TestOrderOfFiles(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	o := Options{Dir: dir, MaxFileSize: 1, Now: func() time.Time { return now }}
	s := open(t, o)
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprint(i))
	}
	add(t, s, hostID(1), want...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour) // clocks are set back
	s = open(t, o)
	add(t, s, hostID(1), "last")
	if got := len(files(t, dir)); got != 12 {
		t.Errorf("got %d files", got)
	}
	expectText(t, replayed(t, s, hostID(1)), strings.Join(want, " ")+" last")
}

func TestDiskFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hints")
	s := open(t, Options{Dir: dir})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	add(t, s, hostID(1), "lost")
	var failed *WriteError
	if err := s.AddDurable(t.Context(), hostID(1), nil, distant()); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	if c := s.Counters(); c != (Counters{Created: 2, Failed: 2}) || len(s.Pending()) > 0 {
		t.Errorf("got %+v, %+v", c, s.Pending())
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.AddDurable(t.Context(), hostID(1), []byte("found"), distant()); err != nil {
		t.Fatal(err)
	}
	// A file that cannot be written anymore: what was synced in it is replayed all the same.
	s.disk.Lock()
	_ = s.hosts[hostID(1)].active.file.Close()
	s.disk.Unlock()
	if err := s.AddDurable(t.Context(), hostID(1), nil, distant()); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	add(t, s, hostID(1), "next")
	expectText(t, replayed(t, s, hostID(1)), "found next")
	// A file that nothing could be written to does not stay.
	s.disk.Lock()
	h := s.hosts[hostID(1)]
	if err := s.begin(h, 0); err != nil {
		t.Error(err)
	}
	_ = h.active.file.Close()
	s.disk.Unlock()
	if err := s.AddDurable(t.Context(), hostID(1), nil, distant()); !errors.As(err, &failed) || len(files(t, dir)) > 0 {
		t.Errorf("got %v, %v", err, files(t, dir))
	}
}
