package hint

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

// Endpoints take hints after a time.
type endpoints struct {
	mu    sync.Mutex
	delay time.Duration
	gone  map[ring.HostID]bool
	got   map[ring.HostID][]string
	now   int // how many endpoints are being sent to
	most  int
}

func (e *endpoints) send(to ring.HostID, body []byte, done func(error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone[to] {
		done(&peer.UnreachableError{To: to})
		return
	}
	e.got[to] = append(e.got[to], string(body))
	e.now++
	e.most = max(e.most, e.now)
	time.AfterFunc(e.delay, func() {
		e.mu.Lock()
		e.now--
		e.mu.Unlock()
		done(nil)
	})
}

func (e *endpoints) leave(n byte, gone bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone[hostID(n)] = gone
}

func (e *endpoints) text(n byte) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.got[hostID(n)], " ")
}

func newDispatcher(t *testing.T, s *Store, e *endpoints, threads int) *Dispatcher {
	e.gone, e.got = map[ring.HostID]bool{}, map[ring.HostID][]string{}
	d := NewDispatcher(DispatcherOptions{Store: s, Send: e.send, MaxThreads: threads})
	t.Cleanup(d.Close)
	return d
}

func TestDispatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Dir: t.TempDir(), Window: time.Hour})
		e := &endpoints{delay: time.Millisecond}
		d := newDispatcher(t, s, e, 2)
		d.Down(hostID(1), time.Now())
		add(t, s, hostID(1), "a", "b")
		add(t, s, hostID(2), "c")
		pass(time.Minute)
		expectText(t, e.text(1)+e.text(2), "")
		d.Up(hostID(1))
		pass(time.Second)
		expectText(t, e.text(1), "a b")
		add(t, s, hostID(1), "d") // missed although it is up
		pass(10 * time.Second)
		expectText(t, e.text(1), "a b d")

		e.leave(2, true)
		d.Up(hostID(2))
		d.Up(hostID(2))
		pass(20 * time.Second)
		e.leave(2, false)
		pass(10 * time.Second)
		expectText(t, e.text(2), "c")

		d.Down(hostID(2), time.Now())
		pass(time.Hour + 1)
		if err := s.Add(hostID(2), nil, distant()); err == nil {
			t.Error("a hint was taken after the window")
		}
		d.Up(hostID(2))
		add(t, s, hostID(2), "e")
		pass(10 * time.Second)
		expectText(t, e.text(2), "c e")
	})
}

func TestDispatcherServesAFewAtOnceAndAllInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Dir: t.TempDir(), Throttle: 1 << 10})
		e := &endpoints{delay: time.Second}
		d := newDispatcher(t, s, e, 3)
		for n := range byte(10) {
			add(t, s, hostID(n), fmt.Sprint("a", n))
			d.Up(hostID(n))
		}
		pass(9 * time.Second)
		e.mu.Lock()
		defer e.mu.Unlock()
		if len(e.got) != 10 || e.most != 3 {
			t.Errorf("%d endpoints, %d at once", len(e.got), e.most)
		}
		if p := s.Pending(); len(p) > 0 {
			t.Errorf("got %+v", p)
		}
	})
}

func TestDispatcherEndsReplays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Dir: t.TempDir(), Throttle: 100})
		e := &endpoints{delay: time.Millisecond}
		d := newDispatcher(t, s, e, 0)
		all := strings.Fields("a b c d e f g h i j k l m n o p q r s t")
		add(t, s, hostID(1), all...)
		d.Up(hostID(1))
		pass(time.Second)
		d.Down(hostID(1), time.Now())
		pass(time.Second)
		some := e.text(1)
		if some == "" || len(strings.Fields(some)) == len(all) {
			t.Errorf("got %q", some)
		}
		pass(time.Minute)
		expectText(t, e.text(1), some)
		d.Up(hostID(1))
		pass(2 * time.Second)
		d.Close()
		rest := e.text(1)
		if len(rest) <= len(some) || len(strings.Fields(rest)) == len(all) {
			t.Errorf("got %q", rest)
		}
		got := append(strings.Fields(rest), strings.Fields(replayed(t, s, hostID(1)))...)
		if !slices.Equal(got, all) {
			t.Errorf("got %v", got)
		}
	})
}
