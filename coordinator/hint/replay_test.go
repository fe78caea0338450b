package hint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

func TestReplayEndsAtTheFirstErrorAndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, MaxFileSize: 300})
	add(t, s, hostID(1), "a", "b", "dropped", "c", "d", "e", "f", "g", "h", "i")
	gone := &peer.UnreachableError{To: hostID(1)}
	k := sink{answer: func(body string) error {
		switch body {
		case "dropped":
			return &peer.Failure{Message: "no such table"}
		case "g":
			return gone
		}
		return nil
	}}
	if err := s.Replay(t.Context(), hostID(1), k.send); !errors.Is(err, error(gone)) {
		t.Errorf("got %v", err)
	}
	expectText(t, strings.Join(k.got, " "), "a b dropped c d e f g")
	if c := s.Counters(); c != (Counters{Created: 10, Replayed: 6, Failed: 1}) {
		t.Errorf("got %+v", c)
	}
	// The position is in the file, so that a crash does not lose it.
	crashed := open(t, Options{Dir: copyDir(t, dir)})
	expectText(t, replayed(t, crashed, hostID(1)), "g h i")
	expectText(t, replayed(t, s, hostID(1)), "g h i")
}

func TestReplayKeepsWhatMayBeTakenLater(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Final: func(f *peer.Failure) bool { return f.Code == 1 }})
	add(t, s, hostID(1), "a", "b", "c")
	k := sink{answer: func(body string) error {
		switch body {
		case "a":
			return &peer.Failure{Code: 1}
		case "b":
			return fmt.Errorf("sending: %w", &peer.Failure{Code: 2, Message: "overloaded"})
		}
		return nil
	}}
	if err := s.Replay(t.Context(), hostID(1), k.send); err == nil {
		t.Error("no error")
	}
	expectText(t, replayed(t, s, hostID(1)), "b c")
}

func TestTransfer(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for i := range 3 {
		if err := s.Add(hostID(1), fmt.Append(nil, i), distant().Add(time.Duration(i))); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	full := &peer.Failure{Message: "too many hints"}
	err := s.Transfer(t.Context(), hostID(1), func(body []byte, expires time.Time, done func(error)) {
		if len(got) == 2 {
			done(full)
			return
		}
		got = append(got, fmt.Sprintf("%s: %d", body, expires.Sub(distant())))
		done(nil)
	})
	if !errors.Is(err, error(full)) {
		t.Errorf("got %v", err)
	}
	expectText(t, strings.Join(got, ", "), "0: 0, 1: 1")
	expectText(t, replayed(t, s, hostID(1)), "2")
}

// TestReplayUnderWay has answers come late and in another order.
func TestReplayUnderWay(t *testing.T) {
	for _, test := range []struct{ size, atOnce int }{{10, maxUnderWay}, {300 << 10, 3}, {2 << 20, 1}} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Options{Dir: t.TempDir()})
			defer s.Close()
			const total = 400
			count := min(total, 8*test.atOnce)
			for i := range count {
				body := make([]byte, test.size)
				copy(body, fmt.Sprint(i, " "))
				add(t, s, hostID(1), string(body))
			}
			var under []func(error)
			next, most := 0, 0
			send := func(body []byte, done func(error)) {
				if !strings.HasPrefix(string(body), fmt.Sprint(next, " ")) {
					t.Errorf("hint %d begins with %q", next, body[:5])
				}
				next++
				under = append(under, done)
				most = max(most, len(under))
			}
			result := make(chan error, 1)
			go func() { result <- s.Replay(t.Context(), hostID(1), send) }()
			for n := 0; n < count; n++ {
				synctest.Wait()
				last := len(under) - 1
				done := under[last]
				under = under[:last]
				done(nil)
			}
			if err := <-result; err != nil || next != count || most > test.atOnce {
				t.Errorf("%v, %d sent, %d at once", err, next, most)
			}
		})
	}
}

// TestReplayWaitsForAnswers cancels a replay whose first hint is not answered, and those behind it are.
func TestReplayWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Dir: t.TempDir()})
		defer s.Close()
		for i := range 300 {
			add(t, s, hostID(1), fmt.Sprint(i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var first func(error)
		sent := 0
		result := make(chan error, 1)
		go func() {
			result <- s.Replay(ctx, hostID(1), func(_ []byte, done func(error)) {
				if sent++; sent == 1 {
					first = done
					return
				}
				done(nil)
			})
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		var busy *ReplayingError
		if err := s.Replay(t.Context(), hostID(1), nil); !errors.As(err, &busy) {
			t.Errorf("got %v", err)
		}
		first(&peer.TimeoutError{To: hostID(1)})
		if err := <-result; err == nil || sent != maxUnderWay {
			t.Errorf("got %v after %d hints", err, sent)
		}
		if got := strings.Fields(replayed(t, s, hostID(1))); len(got) != 300 || got[0] != "0" {
			t.Errorf("got %v", got)
		}
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, Options{Dir: dir})
		defer s.Close()
		for i := range 10 {
			if err := s.Add(hostID(1), fmt.Append(nil, i), time.Now().Add(time.Duration(10-i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Add(hostID(2), nil, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Hour) // to the moment
		expectText(t, replayed(t, s, hostID(1)), "0 1 2 3 4")
		if c := s.Counters(); c != (Counters{Created: 11, Replayed: 5, Expired: 6}) || len(files(t, dir)) > 0 {
			t.Errorf("got %+v, %v", c, files(t, dir))
		}
		if p := s.Pending(); len(p) > 0 {
			t.Errorf("got %+v", p)
		}
	})
}

func TestThrottle(t *testing.T) {
	for _, test := range []struct {
		nodes    int
		transfer bool
		want     time.Duration
	}{{1, false, 10 * time.Second}, {2, false, 10 * time.Second}, {3, false, 20 * time.Second}, {11, false, 100 * time.Second}, {11, true, 10 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Options{Dir: t.TempDir(), Throttle: 1 << 20, Nodes: func() int { return test.nodes }})
			defer s.Close()
			for range 10 << 10 {
				add(t, s, hostID(1), strings.Repeat("x", 1024-recordSize))
			}
			start, err := time.Now(), error(nil)
			if test.transfer {
				err = s.Transfer(t.Context(), hostID(1), func(_ []byte, _ time.Time, done func(error)) { done(nil) })
			} else {
				err = s.Replay(t.Context(), hostID(1), new(sink).send)
			}
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < test.want-2*burst || took > test.want+2*burst {
				t.Errorf("%d nodes: took %v, want %v", test.nodes, took, test.want)
			}
		})
	}
}

func TestWhatEndsAReplay(t *testing.T) {
	ends := map[string]func(*Store, context.CancelFunc){
		"the replay of hints is paused": func(s *Store, _ context.CancelFunc) { s.Pause(); s.Pause() },
		"context canceled":              func(_ *Store, cancel context.CancelFunc) { cancel() },
		"the store of hints is closed":  func(s *Store, _ context.CancelFunc) { _ = s.Close() },
		"the hints for node ab000000-0000-0000-0000-000000000001 were removed": func(s *Store, _ context.CancelFunc) { s.Truncate(hostID(1)) },
	}
	for want, end := range ends {
		for _, rate := range []int64{0, 1000} {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, Options{Dir: t.TempDir(), Throttle: rate})
				defer s.Close()
				add(t, s, hostID(1), "a", "b", strings.Repeat("c", 1000), "d", "e")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var k sink
				k.answer = func(body string) error {
					if len(body) == 1000 {
						end(s, cancel)
					}
					return nil
				}
				err := s.Replay(ctx, hostID(1), k.send)
				if err == nil || err.Error() != want || len(k.got) != 3 {
					t.Errorf("got %v after %d hints, want %s", err, len(k.got), want)
				}
				var paused *PausedError
				if errors.As(err, &paused) {
					if err := s.Replay(ctx, hostID(1), k.send); !errors.As(err, &paused) {
						t.Errorf("got %v", err)
					}
					s.Resume()
					s.Resume()
					expectText(t, replayed(t, s, hostID(1)), "d e")
				}
			})
		}
	}
}

func TestTruncate(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	add(t, s, hostID(1), "a")
	add(t, s, hostID(2), "b")
	if err := s.AddDurable(t.Context(), hostID(1), nil, distant()); err != nil {
		t.Fatal(err)
	}
	add(t, s, hostID(1), "c")
	s.Truncate(hostID(1))
	s.Truncate(hostID(3))
	if p := s.Pending(); len(p) != 1 || p[0].To != hostID(2) {
		t.Errorf("got %+v", p)
	}
	add(t, s, hostID(1), "d")
	expectText(t, replayed(t, s, hostID(1)), "d")
	s.Forget(hostID(1))
	s.TruncateAll()
	if p := s.Pending(); len(p) > 0 || len(files(t, dir)) > 0 {
		t.Errorf("got %+v, %v", p, files(t, dir))
	}
	if c := s.Counters(); c != (Counters{Created: 5, Replayed: 1, Dropped: 4}) {
		t.Errorf("got %+v", c)
	}
}

// TestAllAtOnce is for the race detector, and counts.
func TestAllAtOnce(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), MaxFileSize: 2000, MaxBuffer: 10000, FlushPeriod: time.Millisecond})
	var group sync.WaitGroup
	var added, sent atomic.Uint64
	for i := range 4 {
		group.Go(func() {
			for n := range 200 {
				id, err := hostID(byte(i%2)), error(nil)
				if n%20 == 0 {
					err = s.AddDurable(t.Context(), id, make([]byte, n), distant())
				} else {
					err = s.Add(id, make([]byte, n), distant())
				}
				if err == nil {
					added.Add(1)
				}
			}
		})
	}
	send := func(_ []byte, done func(error)) {
		sent.Add(1)
		go done(nil)
	}
	replay := func() {
		for id := range byte(2) {
			if err := s.Replay(t.Context(), hostID(id), send); err != nil && !errors.As(err, new(*ReplayingError)) {
				t.Error(err)
			}
		}
	}
	for range 2 {
		group.Go(func() {
			for range 20 {
				replay()
				_, _ = s.Pending(), s.Counters()
			}
		})
	}
	group.Wait()
	replay()
	if c := s.Counters(); c.Created != added.Load() || c.Replayed != added.Load() || sent.Load() != added.Load() || len(s.Pending()) > 0 {
		t.Errorf("%d were added, %d sent: %+v, %+v", added.Load(), sent.Load(), c, s.Pending())
	}
}
