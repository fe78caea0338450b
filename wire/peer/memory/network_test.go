package memory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/wire/peer/memory"
)

const (
	one = "10.0.0.1"
	two = "10.0.0.2"
)

// connect returns the ends of a stream from one to two.
func connect(t *testing.T, n *memory.Network) (near, far net.Conn) {
	t.Helper()
	l, err := n.Host(two).Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	near, err = n.Host(one).Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if near.LocalAddr().String() != far.RemoteAddr().String() || near.RemoteAddr().String() != far.LocalAddr().String() {
		t.Fatalf("addresses %v-%v, %v-%v", near.LocalAddr(), near.RemoteAddr(), far.LocalAddr(), far.RemoteAddr())
	}
	return near, far
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// read reads as many bytes as want has, and says how long that took.
func read(t *testing.T, c net.Conn, want string) time.Duration {
	t.Helper()
	start := time.Now()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("%q, %v, want %q", b, err, want)
	}
	return time.Since(start)
}

// silent checks that nothing arrives for a while.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(1)
		n.SetDelay(time.Second, time.Second)
		start := time.Now()
		near, far := connect(t, n)
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("dialling took %v", d)
		}
		write(t, near, "a")
		write(t, near, "b")
		if d := read(t, far, "ab"); d != time.Second {
			t.Errorf("bytes took %v", d)
		}
		n.SetDelay(0, time.Second)
		n.SetLoss(0.5)
		for range 20 {
			write(t, near, "abc")
			if d := read(t, far, "abc"); d > maxLateness {
				t.Errorf("lost bytes took %v", d)
			}
		}
	})
}

// maxLateness is a second of delay and ten losses.
const maxLateness = 3 * time.Second

func TestBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(1)
		near, far := connect(t, n)
		n.Block(one, two)
		write(t, near, "late")
		silent(t, far)
		write(t, far, "back") // the other direction works
		read(t, near, "back")
		n.Unblock(one, two)
		read(t, far, "late")

		n.Partition([]string{one}, []string{two})
		write(t, near, "late")
		silent(t, far)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Host(one).Dial(ctx, far.LocalAddr().String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialling across a partition: %v", err)
		}
		n.Heal()
		read(t, far, "late")
	})
}

// TestWindow fills a stream whose acknowledgements are blocked, and empties it after that.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(1)
		near, far := connect(t, n)
		n.Block(two, one)
		received := make(chan int)
		go func() {
			b, err := io.ReadAll(far)
			if err != nil {
				t.Error(err)
			}
			received <- len(b)
		}()
		if err := near.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		sent, err := near.Write(make([]byte, 1<<20))
		if sent == 0 || sent == 1<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%d bytes, %v", sent, err)
		}
		n.Heal()
		if err := near.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		more, err := near.Write(make([]byte, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		if err := near.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-received; got != sent+more {
			t.Errorf("%d bytes, want %d", got, sent+more)
		}
	})
}

func TestEnds(t *testing.T) {
	tests := map[string]struct {
		end              func(*memory.Network, net.Conn)
		readErr, sendErr error
	}{
		"close":         {func(_ *memory.Network, c net.Conn) { _ = c.Close() }, io.EOF, syscall.EPIPE},
		"kill":          {func(n *memory.Network, _ net.Conn) { n.Kill(two) }, syscall.ECONNRESET, syscall.ECONNRESET},
		"blocked close": {func(n *memory.Network, c net.Conn) { n.Block(two, one); _ = c.Close() }, os.ErrDeadlineExceeded, nil},
		"blocked kill":  {func(n *memory.Network, _ net.Conn) { n.Block(two, one); n.Kill(two) }, os.ErrDeadlineExceeded, nil},
		"own close":     {nil, net.ErrClosed, net.ErrClosed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memory.New(1)
				near, far := connect(t, n)
				if err := near.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
					t.Fatal(err)
				}
				if test.end == nil {
					_ = near.Close() // is what is tested
				} else {
					test.end(n, far)
				}
				if _, err := near.Read(make([]byte, 1)); !errors.Is(err, test.readErr) {
					t.Errorf("read: %v, want %v", err, test.readErr)
				}
				if _, err := near.Write([]byte("a")); !errors.Is(err, test.sendErr) {
					t.Errorf("write: %v, want %v", err, test.sendErr)
				}
			})
		})
	}
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(1)
		h := n.Host(two)
		if _, err := n.Host(one).Dial(t.Context(), two+":7000"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		l, err := h.Listen(t.Context(), two+":7000")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Listen(t.Context(), two+":7000"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener: %v", err)
		}
		if _, err := h.Listen(t.Context(), one+":7000"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("another host's address: %v", err)
		}
		accepted := make(chan error)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		synctest.Wait()
		n.Kill(two)
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Errorf("killed: %v", err)
		}
		if _, err := h.Listen(t.Context(), two+":7000"); err != nil {
			t.Errorf("after the restart: %v", err)
		}
	})
}

func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(7)
		a, err := n.Host(one).ListenPacket(t.Context(), ":0")
		if err != nil {
			t.Fatal(err)
		}
		b, err := n.Host(two).ListenPacket(t.Context(), ":7000")
		if err != nil {
			t.Fatal(err)
		}
		const count = 200
		// arrive sends packets and returns those that arrive.
		arrive := func() (got []byte) {
			for i := range count {
				if _, err := a.WriteTo([]byte{byte(i)}, b.LocalAddr()); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			for {
				p := make([]byte, 10)
				k, from, err := b.ReadFrom(p)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return got
				}
				if err != nil || k != 1 || from.String() != a.LocalAddr().String() {
					t.Fatal(k, from, err)
				}
				got = append(got, p[0])
			}
		}
		if got := arrive(); len(got) != count || !slices.IsSorted(got) {
			t.Errorf("without faults: %d", got)
		}
		n.SetDuplicate(0.5)
		if got := arrive(); len(got) < count*5/4 {
			t.Errorf("duplicated: %d", len(got))
		}
		n.SetDuplicate(0)
		n.SetReorder(0.5)
		if got := arrive(); len(got) != count || slices.IsSorted(got) {
			t.Errorf("reordered: %d", len(got))
		}
		n.SetLoss(0.5)
		if got := arrive(); len(got) < count/4 || len(got) > count*3/4 {
			t.Errorf("lossy: %d", len(got))
		}
		n.SetLoss(0)
		n.Block(one, two)
		if got := arrive(); len(got) != 0 {
			t.Errorf("blocked: %d", len(got))
		}
		n.Kill(two)
		if _, _, err := b.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("killed: %v", err)
		}
	})
}
