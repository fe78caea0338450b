package peer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

// TestBacklog has requests wait for a connection, up to a bound.
func TestBacklog(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo, func(o *peer.Options) { o.MaxFrame = 10_000 })
		c.node(2, echo)
		c.network.Block(ip(1), ip(2))
		results := make(chan error, 20)
		for range 20 {
			h.Send(hostID(2), peer.VerbRead, time.Time{}, make([]byte, 1000), func(_ []byte, err error) { results <- err })
		}
		for range 10 {
			if err := <-results; !errors.Is(err, peer.ErrBacklog) {
				t.Errorf("beyond the bound: %v", err)
			}
		}
		c.network.Heal()
		for range 10 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if _, err := h.Call(t.Context(), hostID(2), peer.VerbRead, make([]byte, 10_001)); err == nil || !strings.Contains(err.Error(), "10001 bytes is too large") {
			t.Error(err)
		}
		// All that wait fail with the attempt.
		c.network.Kill(ip(2))
		c.network.Block(ip(1), ip(2))
		synctest.Wait()
		first, second := c.send(h), c.send(h)
		for _, done := range []<-chan result{first, second} {
			if r := <-done; r.took != 5*time.Second {
				t.Errorf("after %v", r.took)
			} else {
				unreachable(t, r.err, "deadline exceeded")
			}
		}
	})
}

func TestOverload(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		enough := make(chan struct{})
		two := c.node(2, func(context.Context, *peer.Request) ([]byte, error) {
			<-enough
			return nil, nil
		}, func(o *peer.Options) { o.MaxInFlight = 100_000 })
		const calls = 30
		results := make(chan error, calls)
		send := func(v peer.Verb) {
			h.Send(hostID(2), v, time.Time{}, make([]byte, 8<<10), func(_ []byte, err error) { results <- err })
		}
		for range calls {
			send(peer.VerbRead)
		}
		synctest.Wait()
		refused := len(results)
		for range refused {
			if f, ok := errors.AsType[*peer.Failure](<-results); !ok || f.Code != peer.CodeOverloaded {
				t.Errorf("failure %v", f)
			}
		}
		if held, n := two.Load(); refused != calls-100_000/(10<<10) || n != uint64(refused) || held > 100_000 {
			t.Errorf("%d refused, load %d, %d", refused, held, n)
		}
		send(peer.VerbRaft) // has room still
		if _, err := h.Call(t.Context(), hostID(2), peer.VerbPing, nil); err != nil {
			t.Error(err)
		}
		if _, err := h.Call(t.Context(), hostID(2), peer.VerbHint, nil); err == nil || err.(*peer.Failure).Code != peer.CodeUnknownVerb {
			t.Errorf("unknown verb: %v", err)
		}
		close(enough)
		for range calls - refused + 1 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if held, _ := two.Load(); held != 0 {
			t.Errorf("%d bytes are held", held)
		}
	})
}

func TestManyCalls(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		c.network.SetDelay(0, time.Millisecond)
		h := c.node(1, echo)
		c.node(2, echo)
		const calls = 10_000
		results := make(chan error, calls)
		for i := range calls {
			body := fmt.Append(nil, i)
			h.Send(hostID(2), peer.VerbRead, time.Now().Add(time.Minute), body, func(answer []byte, err error) {
				if err == nil && string(answer) != fmt.Sprint(i) {
					err = fmt.Errorf("%d: %q", i, answer)
				}
				results <- err
			})
			clear(body) // it is not kept
		}
		for range calls {
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestSlowTaker has a node take nothing for a while: what is sent to it meanwhile is bounded, and arrives in the end.
func TestSlowTaker(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo, func(o *peer.Options) { o.MaxFrame = 100_000 })
		c.node(2, echo)
		if err := c.call(h, time.Second); err != nil {
			t.Fatal(err)
		}
		c.network.Block(ip(1), ip(2))
		const calls = 1000
		results := make(chan error, calls)
		for range calls {
			h.Send(hostID(2), peer.VerbRead, time.Time{}, make([]byte, 4000), func(_ []byte, err error) { results <- err })
			synctest.Wait()
		}
		refused := len(results)
		for range refused {
			if err := <-results; !errors.Is(err, peer.ErrBacklog) {
				t.Error(err)
			}
		}
		if s := h.Stats()[0]; refused < calls/2 || s.Unanswered != calls-refused || s.Waiting > 150_000 {
			t.Errorf("%d refused, stats %+v", refused, s)
		}
		<-time.After(3 * time.Second)
		c.network.Heal()
		for range calls - refused {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}
