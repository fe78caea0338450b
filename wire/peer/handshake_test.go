package peer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

// A journal is a log that can be read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// take returns what was logged since the last call.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.text.String()
	j.text.Reset()
	return s
}

func (j *journal) use(o *peer.Options) { o.Log = slog.New(slog.NewTextHandler(j, nil)) }

func expectLine(t *testing.T, log, want string) {
	t.Helper()
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, want) {
		t.Errorf("log %q, want a line with %q", log, want)
	}
}

func TestOtherCluster(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		var ours, theirs journal
		h := c.node(1, echo, ours.use)
		c.node(2, echo, theirs.use, func(o *peer.Options) { o.Cluster = "other" })
		const want = `the other side belongs to cluster "test", this node to "other"`
		for range 10 {
			err := c.call(h, time.Second)
			if e, ok := errors.AsType[*peer.HandshakeError](err); !ok || e.Remote != ip(2)+":7000" {
				t.Errorf("%v", err)
			}
			unreachable(t, err, want)
			<-time.After(5 * time.Second)
		}
		synctest.Wait()
		expectLine(t, ours.take(), `refused: the other side belongs`)
		expectLine(t, theirs.take(), hostID(1).String()+" refused: the other side belongs")
		<-time.After(time.Minute)
		unreachable(t, c.call(h, time.Second), want)
		synctest.Wait()
		expectLine(t, ours.take(), "refused")
		expectLine(t, theirs.take(), "refused")
	})
}

func TestIdentity(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		var theirs journal
		h := c.node(1, echo)
		c.node(3, echo, theirs.use)
		c.move(hostID(2), ip(3)+":7000")
		err := c.call(h, time.Second)
		want := peer.IdentityError{Address: ip(3) + ":7000", Want: hostID(2), Got: hostID(3)}
		if e, ok := errors.AsType[*peer.IdentityError](err); !ok || *e != want {
			t.Errorf("%v", err)
		}
		unreachable(t, err, "node "+hostID(2).String()+" was looked for at 10.0.0.3:7000, but node "+hostID(3).String()+" answers there")
		synctest.Wait()
		expectLine(t, theirs.take(), "this is node "+hostID(3).String()+", not "+hostID(2).String())

		if _, _, err := h.CallAddress(t.Context(), h.Address().String(), peer.VerbRead, nil); err == nil || !strings.Contains(err.Error(), "is this node itself") {
			t.Errorf("itself by address: %v", err)
		}
		if _, err := h.Call(t.Context(), hostID(1), peer.VerbRead, nil); !errors.Is(err, peer.ErrSelf) {
			t.Errorf("itself: %v", err)
		}
		answer, id, err := h.CallAddress(t.Context(), ip(3)+":7000", peer.VerbRead, []byte("a"))
		if err != nil || id != hostID(3) || string(answer) != "a" {
			t.Errorf("%q, %v, %v", answer, id, err)
		}
		if _, _, err := h.CallAddress(t.Context(), ip(8)+":7000", peer.VerbRead, nil); err == nil || !strings.Contains(err.Error(), "node at 10.0.0.8:7000 cannot be reached") {
			t.Errorf("nobody: %v", err)
		}
	})
}

// TestStrangers connects to a node with what is none.
func TestStrangers(t *testing.T) {
	tests := map[string]struct {
		says string
		took time.Duration
		want string
	}{
		"HTTP":   {"GET / HTTP/1.1\r\n\r\n", 0, "no node of this database"},
		"TLS":    {"\x16\x03\x01", 0, "speaks TLS"},
		"silent": {"", 5 * time.Second, "does not introduce itself in time"},
		"slow":   {"ILP", 5 * time.Second, "does not introduce itself in time"},
		"frames": {"ILPR\x10\x00" + strings.Repeat("x", 2000), 0, "damaged"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, c *cluster) {
				var log journal
				h := c.node(1, echo, log.use)
				conn, err := c.network.Host(ip(2)).Dial(t.Context(), h.Address().String())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, test.says); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF || time.Since(start) != test.took {
					t.Errorf("%d bytes, %v after %v", n, err, time.Since(start))
				}
				synctest.Wait()
				expectLine(t, log.take(), test.want)
			})
		})
	}
}

// TestFlood has more strangers come than may introduce themselves at the same time, and then a node.
func TestFlood(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		h := c.node(1, echo)
		c.node(2, echo)
		for range 1000 {
			if _, err := c.network.Host(ip(9)).Dial(t.Context(), ip(2)+":7000"); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.call(h, time.Second); err == nil {
			t.Error("there is room")
		}
		<-time.After(6 * time.Second)
		if err := c.call(h, time.Second); err != nil {
			t.Error(err)
		}
	})
}

// TestNotANode dials what is no node.
func TestNotANode(t *testing.T) {
	tests := map[string]struct{ says, want string }{
		"SSH":    {"SSH-2.0-OpenSSH_9.6\r\n", "no node of this database"},
		"TLS":    {"\x15\x03\x01\x00\x02\x02\x46", "speaks TLS"},
		"nobody": {"", "hung up"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, c *cluster) {
				h := c.node(1, echo)
				l, err := c.network.Host(ip(2)).Listen(t.Context(), ":7000")
				if err != nil {
					t.Fatal(err)
				}
				c.move(hostID(2), ip(2)+":7000")
				go func() {
					conn, err := l.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.WriteString(conn, test.says) // the other side may hang up first
					_ = conn.Close()
				}()
				unreachable(t, c.call(h, time.Minute), test.want)
			})
		})
	}
}

func TestStreams(t *testing.T) {
	simulate(t, func(t *testing.T, c *cluster) {
		one, two := c.node(1, echo), c.node(2, echo)
		streams(t.Context(), t, one, two)
		streams(t.Context(), t, one, one) // a node's own address may be among the seeds
		if _, err := one.DialStream(t.Context(), ip(2)+":7000"); err != nil {
			t.Fatal(err)
		}
		c.network.Block(ip(2), ip(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := one.DialStream(ctx, ip(2)+":7000"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("blocked: %v", err)
		}
		c.network.Heal()
		if err := two.Close(); err != nil { // nobody has taken its stream
			t.Fatal(err)
		}
	})
}

// TestBareTLS has one side speak TLS and the other not.
func TestBareTLS(t *testing.T) {
	tls := secure(t)
	first := true
	one, two := pair(t, func(o *peer.Options) {
		if first {
			tls(o)
		}
		first = false
	})
	_, err := one.Call(t.Context(), hostID(2), peer.VerbRead, nil)
	unreachable(t, err, "TLS: ")
	_, err = two.Call(t.Context(), hostID(1), peer.VerbRead, nil)
	unreachable(t, err, "the other side speaks TLS")
}

// TestListenErrors opens hubs that cannot be.
func TestListenErrors(t *testing.T) {
	o := peer.Options{Cluster: strings.Repeat("x", 256), Self: ring.HostID{1}, Sockets: peer.TCP()}
	if _, err := peer.Listen(t.Context(), "127.0.0.1:0", o); err == nil || !strings.Contains(err.Error(), "256 bytes") {
		t.Error(err)
	}
	o.Cluster = "test"
	if _, err := peer.Listen(t.Context(), "127.0.0.1:none", o); err == nil {
		t.Error("a bad address")
	}
}
