package peer_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A cluster is nodes on a simulated network. Node n has host 10.0.0.n.
type cluster struct {
	t       *testing.T
	network *memory.Network

	mu        sync.Mutex
	addresses map[ring.HostID]string
}

func ip(n byte) string { return fmt.Sprintf("10.0.0.%d", n) }

// simulate runs a test in a bubble.
func simulate(t *testing.T, f func(*testing.T, *cluster)) {
	synctest.Test(t, func(t *testing.T) {
		f(t, &cluster{t: t, network: memory.New(1), addresses: make(map[ring.HostID]string)})
	})
}

func (c *cluster) resolve(id ring.HostID) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.addresses[id]
	return a, ok
}

func (c *cluster) move(id ring.HostID, address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addresses[id] = address
}

// node opens a hub that answers VerbRead with a handler.
func (c *cluster) node(n byte, read peer.Handler, change ...func(*peer.Options)) *peer.Hub {
	c.t.Helper()
	o := peer.Options{
		Cluster: "test", Self: hostID(n), Sockets: c.network.Host(ip(n)), Resolve: c.resolve,
		Handlers: map[peer.Verb]peer.Handler{peer.VerbRead: read, peer.VerbRaft: read},
	}
	for _, f := range change {
		f(&o)
	}
	h, err := peer.Listen(c.t.Context(), ip(n)+":7000", o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = h.Close() })
	c.move(o.Self, h.Address().String())
	return h
}

// call calls node 2.
func (c *cluster) call(h *peer.Hub, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	_, err := h.Call(ctx, hostID(2), peer.VerbRead, []byte("question"))
	return err
}

// A result is how a call has ended.
type result struct {
	err  error
	took time.Duration
}

// send makes a request to node 2 without a deadline.
func (c *cluster) send(h *peer.Hub) <-chan result {
	done := make(chan result, 1)
	start := time.Now()
	h.Send(hostID(2), peer.VerbRead, time.Time{}, []byte("question"), func(_ []byte, err error) {
		done <- result{err, time.Since(start)}
	})
	return done
}

// wait is a handler that returns when its context ends.
func wait(ctx context.Context, _ *peer.Request) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func unreachable(t *testing.T, err error, cause string) {
	t.Helper()
	if u, ok := errors.AsType[*peer.UnreachableError](err); !ok || !strings.Contains(u.Cause.Error(), cause) {
		t.Errorf("%v, want unreachable: %s", err, cause)
	}
}

func timedOut(err error) bool {
	_, ok := errors.AsType[*peer.TimeoutError](err)
	return ok && errors.Is(err, context.DeadlineExceeded)
}

func TestLostConnection(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		c.node(2, wait)
		first, second := c.send(h), c.send(h)
		synctest.Wait()
		c.network.Kill(ip(2))
		for _, done := range []<-chan result{first, second} {
			r := <-done
			unreachable(t, r.err, "reset")
			if r.took > 0 {
				t.Errorf("took %v", r.took)
			}
		}
	})
}

func TestOneWayPartition(t *testing.T) {
	for name, way := range map[string][2]byte{"requests": {1, 2}, "answers": {2, 1}} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, c *cluster) {
				h := c.node(1, echo)
				c.node(2, echo)
				if err := c.call(h, time.Second); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Hour)
				c.network.Block(ip(way[0]), ip(way[1]))
				r := <-c.send(h)
				unreachable(t, r.err, "nothing has arrived")
				if r.took < 5*time.Second || r.took > 5*time.Second+20*time.Millisecond {
					t.Errorf("took %v", r.took)
				}
				c.network.Heal()
				if err := c.call(h, time.Second); err != nil {
					t.Error(err)
				}
				// Deadlines shorter than the silence do not hide it.
				c.network.Block(ip(way[0]), ip(way[1]))
				start := time.Now()
				var err error
				for err = c.call(h, 700*time.Millisecond); timedOut(err); err = c.call(h, 700*time.Millisecond) {
				}
				unreachable(t, err, "nothing has arrived")
				if d := time.Since(start); d > 6*time.Second {
					t.Errorf("short calls: %v", d)
				}
			})
		})
	}
}

// TestSlowHandler has a healthy connection survive a handler that takes long, and large requests on a slow network.
func TestSlowHandler(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		c.node(2, func(ctx context.Context, r *peer.Request) ([]byte, error) {
			select {
			case <-time.After(time.Minute):
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		if r := <-c.send(h); r.err != nil || r.took != time.Minute {
			t.Errorf("%v after %v", r.err, r.took)
		}
		c.network.SetDelay(time.Second, time.Second)
		start := time.Now()
		if _, err := h.Call(t.Context(), hostID(2), peer.VerbRead, make([]byte, 20<<20)); err != nil {
			t.Errorf("a large request: %v after %v", err, time.Since(start))
		}
	})
}

// TestExpiry has calls expire, each in time, and their handlers' contexts with them.
func TestExpiry(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		late := make(chan time.Duration, 200)
		c.node(2, func(ctx context.Context, r *peer.Request) ([]byte, error) {
			if d, ok := ctx.Deadline(); !ok || !d.Equal(r.Deadline) || ctx.Err() != nil {
				t.Errorf("deadline %v, request's %v, %v", d, r.Deadline, ctx.Err())
			}
			<-ctx.Done()
			late <- time.Since(r.Deadline)
			return nil, ctx.Err()
		})
		for i := range 100 {
			deadline := time.Now().Add(time.Second + time.Duration(i*i)*time.Millisecond/10)
			h.Send(hostID(2), peer.VerbRead, deadline, nil, func(_ []byte, err error) {
				if !timedOut(err) {
					t.Error(err)
				}
				late <- time.Since(deadline)
			})
		}
		for range 200 {
			if d := <-late; d < 0 || d > 20*time.Millisecond {
				t.Errorf("late by %v", d)
			}
		}
		if s := h.Stats(); len(s) != 1 || s[0].Unanswered != 0 || !s[0].Connected || s[0].Requests != 100 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestExpiredBefore checks that what is too late already is neither sent nor carried out.
func TestExpiredBefore(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		handled := make(chan struct{}, 10)
		c.node(2, func(context.Context, *peer.Request) ([]byte, error) {
			handled <- struct{}{}
			return nil, nil
		})
		if err := c.call(h, time.Second); err != nil {
			t.Fatal(err)
		}
		<-handled
		if err := c.call(h, -time.Second); !timedOut(err) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c.network.Block(ip(1), ip(2))
		if _, err := h.Call(ctx, hostID(2), peer.VerbRead, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(handled) > 0 {
			t.Error("a request was carried out that nobody waited for")
		}
	})
}

func TestReconnect(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		unreachable(t, c.call(h, time.Second), "address")
		<-time.After(time.Second)
		two := c.node(2, echo)
		if err := c.call(h, time.Second); err != nil {
			t.Fatal(err)
		}
		if err := two.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		// The first attempt after a connection that was of use is made at once, those after that later and later.
		var attempts []time.Duration
		start := time.Now()
		for range 1000 {
			before := h.Stats()[0].Failures
			unreachable(t, c.call(h, time.Second), "refused")
			if h.Stats()[0].Failures > before {
				attempts = append(attempts, time.Since(start))
			}
			<-time.After(10 * time.Millisecond)
		}
		if n := len(attempts); n < 8 || n > 12 || attempts[0] != 0 || attempts[n-1]-attempts[n-2] < 1700*time.Millisecond {
			t.Errorf("attempts at %v", attempts)
		}
		// The node comes back elsewhere, and somebody says so.
		c.node(2, echo, func(o *peer.Options) { o.Sockets = moved{c.network.Host(ip(9))} })
		c.move(hostID(2), ip(9)+":7000")
		h.Retry(hostID(2))
		if err := c.call(h, time.Second); err != nil {
			t.Error(err)
		}
		if s := h.Stats()[0]; s.Address != ip(9)+":7000" || !s.Connected || s.Connections != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// moved are the sockets of a host that listen at its own address whatever they are told.
type moved struct{ *memory.Host }

func (m moved) Listen(ctx context.Context, _ string) (net.Listener, error) {
	return m.Host.Listen(ctx, ":7000")
}

// TestRetryWhileDialling cuts an attempt short that hangs.
func TestRetryWhileDialling(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		c.node(2, echo)
		c.node(3, echo)
		c.move(hostID(2), ip(3)+":7000")
		c.network.Block(ip(1), ip(3))
		done := c.send(h)
		<-time.After(time.Second)
		c.move(hostID(2), ip(2)+":7000")
		h.Retry(hostID(2))
		if r := <-done; r.err != nil || r.took != time.Second {
			t.Errorf("%v after %v", r.err, r.took)
		}
		h.Retry(hostID(3)) // nobody has called it
	})
}

// TestClose closes hubs with calls under way in both directions and in all states.
func TestClose(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		one, two := c.node(1, wait), c.node(2, wait)
		c.move(hostID(3), ip(3)+":7000")
		c.network.Block(ip(1), ip(3))
		results, others := make(chan error, 200), make(chan error, 50)
		done := func(_ []byte, err error) { results <- err }
		for range 50 {
			one.Send(hostID(2), peer.VerbRead, time.Time{}, nil, done)
			two.Send(hostID(1), peer.VerbRead, time.Time{}, nil, func(_ []byte, err error) { others <- err })
			one.Send(hostID(3), peer.VerbRead, time.Now().Add(time.Hour), nil, done)
		}
		go func() {
			_, _, err := one.CallAddress(t.Context(), two.Address().String(), peer.VerbRead, nil)
			results <- err
		}()
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if err := one.Close(); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("Close took %v", d)
		}
		for range 101 {
			if err := <-results; !errors.Is(err, peer.ErrClosed) {
				t.Error(err)
			}
		}
		one.Send(hostID(2), peer.VerbRead, time.Time{}, nil, done)
		if err := <-results; !errors.Is(err, peer.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		for range 50 {
			if err := <-others; err == nil { // the connection is gone, or the handler has ended
				t.Error("an answer")
			}
		}
		if _, ok := <-one.Streams(); ok {
			t.Error("a stream")
		}
	})
}
