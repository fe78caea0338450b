package peer

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

var _ Sockets = (*memory.Host)(nil)

func TestJudge(t *testing.T) {
	h := &Hub{options: Options{Cluster: "test", Self: ring.HostID{1}, Compression: true}}
	good := hello{min: 1, max: 1, class: classRequests, self: ring.HostID{2}, cluster: "test"}
	tests := map[string]struct {
		change func(*hello)
		want   refusal
		reason string
	}{
		"good":    {func(*hello) {}, accepted, ""},
		"newer":   {func(m *hello) { m.max = 200 }, accepted, ""},
		"wanted":  {func(m *hello) { m.want = ring.HostID{1} }, accepted, ""},
		"stream":  {func(m *hello) { m.class, m.self = classStream, ring.HostID{1} }, accepted, ""},
		"version": {func(m *hello) { m.min, m.max = 2, 9 }, refusedVersion, "speaks versions 1 to 1 of the protocol, not 2 to 9"},
		"cluster": {func(m *hello) { m.cluster = "other" }, refusedCluster, `belongs to cluster "other", this node to "test"`},
		"other":   {func(m *hello) { m.want = ring.HostID{3} }, refusedIdentity, "not " + ring.HostID{3}.String()},
		"itself":  {func(m *hello) { m.self = ring.HostID{1} }, refusedIdentity, "this node itself"},
		"class":   {func(m *hello) { m.class = 9 }, refusedClass, "unknown class 9"},
	}
	for name, test := range tests {
		m := good
		test.change(&m)
		w := h.judge(&m)
		if w.refusal != test.want || !strings.Contains(w.reason, test.reason) || (w.version == 0) != (test.want != accepted) || w.compress {
			t.Errorf("%s: %+v", name, w)
		}
		if said := h.refused(&m, w); test.want != accepted && !strings.Contains(said, test.reason) {
			t.Errorf("%s: %s", name, said)
		}
	}
	good.compress = true
	if w := h.judge(&good); !w.compress {
		t.Error("compression is refused")
	}
}

// listen opens a hub at 10.0.0.1 that answers VerbRead with a handler.
func listen(t *testing.T, n *memory.Network, read Handler, limit int64) *Hub {
	t.Helper()
	h, err := Listen(t.Context(), "10.0.0.1:7000", Options{
		Cluster: "test", Self: ring.HostID{1}, Sockets: n.Host("10.0.0.1"), MaxInFlight: limit, Handlers: map[Verb]Handler{VerbRead: read},
		Resolve: func(ring.HostID) (string, bool) { return "10.0.0.2:7000", true },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// TestNoReader has a node ask for much and take no answers.
func TestNoReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory.New(1)
		const limit = 4 << 20
		h := listen(t, n, func(context.Context, *Request) ([]byte, error) { return make([]byte, 1<<20), nil }, limit)
		conn, err := n.Host("10.0.0.2").Dial(t.Context(), "10.0.0.1:7000")
		if err != nil {
			t.Fatal(err)
		}
		m := hello{min: 1, max: 1, class: classRequests, self: ring.HostID{2}, cluster: "test"}
		if _, err := conn.Write(m.append(nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := readGreeting(conn); err != nil {
			t.Fatal(err)
		}
		h.usual[VerbRead].bytes.Store(1 << 20)
		if err := conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		sent, request := 0, encode(header{kind: kindRequest, verb: VerbRead, id: 1, remaining: unlimited}, nil, false)
		for err == nil && sent < 1_000_000 {
			_, err = conn.Write(request)
			sent++
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%d requests, %v", sent, err)
		}
		if held, _ := h.Load(); held > limit {
			t.Errorf("%d bytes are held", held)
		}
		<-time.After(2 * writeTimeout) // the node gives up
		synctest.Wait()
		if held, _ := h.Load(); held != 0 {
			t.Errorf("%d bytes are held at the end", held)
		}
	})
}

// TestBrokenAnswers has a node answer with what is no answer.
func TestBrokenAnswers(t *testing.T) {
	damaged := encode(header{kind: kindAnswer}, []byte("answer"), false)
	damaged[headerSize]++
	tests := map[string]struct {
		answer []byte
		want   string
	}{
		"damaged":    {damaged, "checksum of the payload"},
		"request":    {encode(header{kind: kindRequest}, nil, false), "a request where answers are expected"},
		"cut":        {damaged[:headerSize], "unexpected EOF"},
		"none":       {nil, "EOF"},
		"unexpected": {encode(header{kind: kindAnswer, id: 1 << 40}, nil, false), "EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memory.New(1)
				h := listen(t, n, nil, 0)
				l, err := n.Host("10.0.0.2").Listen(t.Context(), ":7000")
				if err != nil {
					t.Fatal(err)
				}
				go answerOnce(t, l, test.answer)
				_, err = h.Call(t.Context(), ring.HostID{2}, VerbRead, []byte("question"))
				if u, ok := errors.AsType[*UnreachableError](err); !ok || !strings.Contains(u.Error(), test.want) {
					t.Errorf("%v, want %s", err, test.want)
				}
			})
		})
	}
}

// answerOnce introduces itself as node 2, takes a request, answers it and hangs up.
func answerOnce(t *testing.T, l net.Listener, answer []byte) {
	conn, err := l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }() // nothing is under way
	if _, err := readGreeting(conn); err != nil {
		t.Error(err)
	}
	w := welcome{version: 1, self: ring.HostID{2}, cluster: "test"}
	if _, err := conn.Write(w.append(nil)); err != nil {
		t.Error(err)
	}
	if _, _, err := newInput(conn).next(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Write(answer); err != nil {
		t.Error(err)
	}
}

// TestRequestContext looks at the context of a request from all sides.
func TestRequestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &requestContext{parent: parent, deadline: time.Now().Add(time.Second)}
		child, stop := context.WithCancel(c)
		defer stop()
		if c.Err() != nil || child.Err() != nil {
			t.Error(c.Err(), child.Err())
		}
		<-child.Done()
		if c.Err() != context.DeadlineExceeded || child.Err() != context.DeadlineExceeded {
			t.Error(c.Err(), child.Err())
		}
		c = &requestContext{parent: parent, deadline: time.Now().Add(-time.Second)}
		if c.Err() != context.DeadlineExceeded {
			t.Error("nobody waits:", c.Err())
		}
		<-c.Done()
		c = &requestContext{parent: parent}
		c.end()
		if c.Err() != context.Canceled {
			t.Error("the handler has returned:", c.Err())
		}
		<-c.Done()
		c = &requestContext{parent: parent}
		if _, ok := c.Deadline(); ok || c.Err() != nil {
			t.Error("no deadline:", c.Err())
		}
		cancel()
		if c.Err() != context.Canceled {
			t.Error("the hub closes:", c.Err())
		}
		<-c.Done()
	})
}

// TestTable checks that calls are not mistaken for one another.
func TestTable(t *testing.T) {
	var table table
	first := table.add(call{deadline: 1})
	if _, ok := table.take(first); !ok {
		t.Error("the call is lost")
	}
	second := table.add(call{deadline: 2})
	if _, ok := table.take(first); ok || uint32(first) != uint32(second) {
		t.Errorf("%x was taken for %x", second, first)
	}
	for _, id := range []uint64{0, 1, 1 << 63, second + 1} {
		if table.has(id) {
			t.Errorf("there is a call %x", id)
		}
	}
	table.add(call{deadline: 5})
	if expired, next := table.expire(3); len(expired) != 1 || next != 5 || table.len() != 1 {
		t.Errorf("%d have expired, next at %d, %d left", len(expired), next, table.len())
	}
	var ids []uint64
	for range 2 * keptCalls {
		ids = append(ids, table.add(call{deadline: forever}))
	}
	if calls := table.drain(); len(calls) != len(ids)+1 || table.len() != 0 || table.slots != nil {
		t.Errorf("%d calls", len(calls))
	}
}

// TestCompression has compression save bytes if both sides want it, and only then.
func TestCompression(t *testing.T) {
	for _, both := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := memory.New(1)
			var counted counter
			open := func(id byte, s Sockets, compress bool) *Hub {
				h, err := Listen(t.Context(), ":7000", Options{
					Cluster: "test", Self: ring.HostID{id}, Sockets: s, Compression: compress,
					Resolve:  func(ring.HostID) (string, bool) { return "10.0.0.2:7000", true },
					Handlers: map[Verb]Handler{VerbRead: func(_ context.Context, r *Request) ([]byte, error) { return r.Body, nil }},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = h.Close() })
				return h
			}
			counted.Host = n.Host("10.0.0.1")
			one := open(1, &counted, true)
			open(2, n.Host("10.0.0.2"), both)
			body := []byte(strings.Repeat("much of the same, ", 5000))
			for range 10 {
				answer, err := one.Call(t.Context(), ring.HostID{2}, VerbRead, body)
				if err != nil || string(answer) != string(body) {
					t.Fatal(len(answer), err)
				}
			}
			if limit := 3 * len(body); both && counted.bytes > limit || !both && counted.bytes < limit {
				t.Errorf("both: %v, %d bytes for 20 times %d", both, counted.bytes, len(body))
			}
		})
	}
}

// TestCompressTo has nothing be compressed toward nodes that compression is not for.
func TestCompressTo(t *testing.T) {
	for _, both := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := memory.New(1)
			var counted counter
			open := func(id byte, s Sockets, compress bool) *Hub {
				h, err := Listen(t.Context(), ":7000", Options{
					Cluster: "test", Self: ring.HostID{id}, Sockets: s, Compression: compress,
					Resolve:  func(ring.HostID) (string, bool) { return "10.0.0.2:7000", true },
					Handlers: map[Verb]Handler{VerbRead: func(_ context.Context, r *Request) ([]byte, error) { return r.Body, nil }},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = h.Close() })
				return h
			}
			counted.Host = n.Host("10.0.0.1")
			one := open(1, &counted, true)
			two := open(2, n.Host("10.0.0.2"), true)
			if !both { // each side is told not to
				none := func(ring.HostID) bool { return false }
				one.options.Compress, two.options.Compress = none, none
			}
			body := []byte(strings.Repeat("much of the same, ", 5000))
			for range 10 {
				answer, err := one.Call(t.Context(), ring.HostID{2}, VerbRead, body)
				if err != nil || string(answer) != string(body) {
					t.Fatal(len(answer), err)
				}
			}
			if limit := 3 * len(body); both && counted.bytes > limit || !both && counted.bytes < limit {
				t.Errorf("both: %v, %d bytes for 20 times %d", both, counted.bytes, len(body))
			}
		})
	}
}

// A counter counts the bytes of dialled connections.
type counter struct {
	*memory.Host
	bytes int
}

func (c *counter) Dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := c.Host.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn, counter: c}, nil
}

type countedConn struct {
	net.Conn
	counter *counter
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.counter.bytes += n
	return n, err
}
