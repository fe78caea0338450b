package cql_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// serves fails unless the server takes good care of a new client.
func (h *host) serves(t *testing.T) {
	t.Helper()
	c := h.connect(t, frame.V5, frame.LZ4)
	if m := c.ask(queryOf("SELECT * FROM nowhere.t")); m.Opcode() != frame.OpError {
		t.Errorf("got %v", m)
	}
	if err := c.conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestOutOfOrder has many durable writes under way on one connection, and reads that pass them.
func TestOutOfOrder(t *testing.T) {
	h := newHostOn(t, cql.Options{}, storage.Options{Sync: storage.SyncGroup})
	c := h.connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	insert, read := c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)"), c.prepare("SELECT v FROM t WHERE k = ? AND c = ?")
	const n = 2000
	for i := range n {
		c.add(int16(i), nil, executeOf(insert, bigEndian(i%7), bigEndian(i), []byte("x")))
	}
	c.add(n, nil, executeOf(read, bigEndian(0), bigEndian(-1)))
	c.flush()
	seen, at := make(map[int16]bool), 0
	for i := range n + 1 {
		a := c.receive()
		if a.message.Opcode() != frame.OpResult || seen[a.stream] {
			t.Fatalf("stream %d: %v", a.stream, a.message)
		}
		if seen[a.stream] = true; a.stream == n {
			at = i
		}
	}
	if at == n {
		t.Error("a read had to wait for all writes in front of it")
	}
	if rows := c.query("SELECT * FROM t").(*frame.Rows).Count; rows != n {
		t.Errorf("%d rows", rows)
	}
}

func TestGarbage(t *testing.T) {
	h := newHost(t, cql.Options{HandshakeTimeout: 500 * time.Millisecond})
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		c := h.dial(t, frame.V5)
		b := make([]byte, random.IntN(300))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if random.IntN(2) == 0 && len(b) > 0 {
			b[0] = byte(3 + random.IntN(3)) // get past the version
		}
		_, err := c.conn.Write(b)
		if err := errors.Join(err, c.conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	h.serves(t)

	long := h.dial(t, frame.V4) // declares 256 MiB
	if _, err := long.conn.Write([]byte{4, 0, 0, 1, byte(frame.OpStartup), 0x10, 0, 0, 0, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if e, ok := long.receive().message.(*frame.Error); !ok || e.Code != frame.ErrorProtocol {
		t.Errorf("256 MiB: %v", e)
	}
	long.expectClosed()

	half := h.dial(t, frame.V4) // half of a frame, and then nothing
	if _, err := half.conn.Write([]byte{4, 0, 0, 1, byte(frame.OpStartup), 0, 0}); err != nil {
		t.Fatal(err)
	}
	half.expectClosed()
	h.serves(t)
	eventually(t, "connections were not closed", func() bool { return h.server.Connections() == 0 })
}

func TestOtherVersions(t *testing.T) {
	h := newHost(t, cql.Options{})
	for _, version := range []byte{1, 2, 6, 0x42} {
		c := h.dial(t, frame.V5)
		if _, err := c.conn.Write([]byte{version, 0, 0, 0, byte(frame.OpOptions), 0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c.conn)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "nvalid or unsupported protocol version") || b[0]&0x80 == 0 {
			t.Errorf("version %d: %q", version, b)
		}
	}
}

// TestDamagedSegments flips each bit of a segment.
func TestDamagedSegments(t *testing.T) {
	h := newHost(t, cql.Options{})
	var w frame.Writer
	w.Negotiate(frame.V5, frame.NoCompression)
	if err := w.Add(frame.V5, 1, nil, queryOf("USE x")); err != nil {
		t.Fatal(err)
	}
	good := w.Bytes()
	for bit := 0; bit < 8*len(good); bit += 5 {
		c := h.connect(t, frame.V5, frame.NoCompression)
		b := append([]byte(nil), good...)
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := c.conn.Write(b); err != nil {
			t.Fatal(err)
		}
		if e, ok := c.receive().message.(*frame.Error); !ok || e.Code != frame.ErrorProtocol {
			t.Fatalf("bit %d: %v", bit, e)
		}
		c.expectClosed()
	}
	h.serves(t)
}

// TestBrokenMessages sends bodies that are cut short. The connection outlives them, and none is traced.
func TestBrokenMessages(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V4, frame.NoCompression)
	for _, o := range []frame.Opcode{frame.OpQuery, frame.OpPrepare, frame.OpExecute, frame.OpBatch, frame.OpRegister} {
		b := frame.AppendHeader(nil, frame.Header{Version: frame.V4, Flags: frame.FlagTracing, Stream: 9, Opcode: o, Length: 1})
		if _, err := c.conn.Write(append(b, 7)); err != nil {
			t.Fatal(err)
		}
		a := c.receive()
		if e, ok := a.message.(*frame.Error); !ok || e.Code != frame.ErrorProtocol || a.stream != 9 || a.prologue.Tracing {
			t.Errorf("%s: %+v", o, a)
		}
	}
	c.ask(&frame.Options{})
}

// TestSlowReader asks for much and takes nothing. It is dropped; others are served meanwhile.
func TestSlowReader(t *testing.T) {
	h := newHost(t, cql.Options{WriteTimeout: 300 * time.Millisecond})
	c := h.connect(t, frame.V4, frame.NoCompression)
	c.keyspace()
	insert := c.prepare("INSERT INTO t (k, c, v) VALUES (1, ?, ?)")
	big := make([]byte, 256<<10)
	for i := range 16 {
		c.ask(executeOf(insert, bigEndian(i), big))
	}
	before := heap()
	slow := h.connect(t, frame.V4, frame.NoCompression)
	for i := range 200 { // 800 MiB
		q := queryOf("SELECT * FROM ks.t")
		slow.add(int16(i), nil, q)
	}
	slow.flush()
	grown := uint64(0)
	eventually(t, "the slow reader was not dropped", func() bool {
		grown = max(grown, max(heap(), before)-before)
		return h.server.Connections() == 1
	})
	if grown > 150<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	h.serves(t)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestManyIdleConnections(t *testing.T) {
	const n = 1000
	h := newHost(t, cql.Options{MaxHandshakes: 16})
	runtime.GC()
	before := heap()
	for range n {
		h.connect(t, frame.V5, frame.LZ4)
	}
	runtime.GC()
	each := (max(heap(), before) - before) / n // of server and client, which has 64 KiB for answers
	t.Logf("%d bytes a connection, both ends", each)
	if each > 128<<10 {
		t.Errorf("%d bytes a connection", each)
	}
	h.serves(t)
}

func TestConnectionLimits(t *testing.T) {
	h := newHost(t, cql.Options{MaxConnections: 3, MaxConnectionsPerIP: 2})
	h.connect(t, frame.V4, frame.NoCompression)
	second := h.connect(t, frame.V4, frame.NoCompression)
	h.dial(t, frame.V4).expectClosed()
	if err := second.conn.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a closed connection still counts", func() bool { return h.server.Connections() == 1 })
	h.connect(t, frame.V4, frame.NoCompression)
}

// TestOverload has more under way than the limit: who wants to know, is told; others wait.
func TestOverload(t *testing.T) {
	h := newHost(t, cql.Options{MaxInFlight: 64 << 10})
	setup := h.connect(t, frame.V4, frame.NoCompression)
	setup.keyspace()
	const n = 500
	flood := func(options ...string) (refused int) {
		c := h.dial(t, frame.V4)
		c.startup(frame.NoCompression, options...)
		c.receive()
		insert := c.prepare("INSERT INTO ks.t (k, c, v) VALUES (?, ?, ?)")
		for i := range n {
			c.add(int16(i), nil, executeOf(insert, bigEndian(i), bigEndian(i), make([]byte, 1000)))
		}
		c.flush()
		for range n {
			switch m := c.receive().message.(type) {
			case *frame.Void:
			case *frame.Error:
				if m.Code != frame.ErrorOverloaded {
					t.Fatal(m)
				}
				refused++
			}
		}
		return refused
	}
	if refused := flood(); refused != 0 {
		t.Errorf("%d of %d were refused, although the client can wait", refused, n)
	}
	if refused := flood(frame.OptionThrowOnOverload, "1"); refused == 0 {
		t.Error("nothing was refused")
	}
	if n := setup.query("SELECT * FROM ks.t").(*frame.Rows).Count; n != 500 {
		t.Errorf("%d rows", n)
	}
}

// TestDrain stops a server under load: what was taken is answered, and what was answered is there.
func TestDrain(t *testing.T) {
	h := newHostOn(t, cql.Options{}, storage.Options{Sync: storage.SyncGroup})
	setup := h.connect(t, frame.V5, frame.NoCompression)
	setup.keyspace()
	var clients sync.WaitGroup
	answered := make(chan int, 8)
	started := make(chan struct{}, 8)
	for w := range 8 {
		c := h.connect(t, frame.V5, frame.NoCompression)
		p := c.prepare("INSERT INTO ks.t (k, c, v) VALUES (?, ?, 'x')")
		clients.Go(func() {
			sent, got := 0, 0
			for {
				var out frame.Writer
				out.Negotiate(frame.V5, frame.NoCompression)
				for range 16 {
					if err := out.Add(frame.V5, int16(sent%100), nil, executeOf(p, bigEndian(w), bigEndian(sent))); err != nil {
						t.Error(err)
					}
					sent++
				}
				_, err := c.conn.Write(out.Bytes())
				for ; err == nil && got < sent; got++ {
					var a answer
					if a, err = c.tryReceive(); err != nil {
						break
					}
					if a.message.Opcode() != frame.OpResult {
						t.Errorf("got %v", a.message)
					}
				}
				if err != nil {
					answered <- got
					return
				}
				if sent == 32 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-started
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	clients.Wait()
	total := 0
	for range 8 {
		total += <-answered
	}
	t.Logf("%d writes were answered", total)
	if _, err := net.Dial("tcp", h.address); err == nil {
		t.Error("the server still listens")
	}
	if n := h.server.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// TestShutdownGivesUp stops a server whose client takes no answers.
func TestShutdownGivesUp(t *testing.T) {
	h := newHost(t, cql.Options{WriteTimeout: time.Hour})
	c := h.connect(t, frame.V4, frame.NoCompression)
	c.keyspace()
	insert := c.prepare("INSERT INTO t (k, c, v) VALUES (1, ?, ?)")
	for i := range 16 {
		c.ask(executeOf(insert, bigEndian(i), make([]byte, 512<<10)))
	}
	for i := range 20 {
		c.add(int16(i), nil, queryOf("SELECT * FROM t"))
	}
	c.flush()
	c.receive()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := h.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestLargeRequests sends rows that span segments.
func TestLargeRequests(t *testing.T) {
	h := newHost(t, cql.Options{MaxFrame: 2 << 20})
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		c := h.connect(t, v, compression)
		name := fmt.Sprintf("l%d%s", byte(v), compression)
		c.query("CREATE KEYSPACE " + name + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
		c.query("CREATE TABLE " + name + ".t (k int PRIMARY KEY, v blob)")
		insert := c.prepare("INSERT INTO " + name + ".t (k, v) VALUES (?, ?)")
		value := make([]byte, 1<<20)
		random := rand.New(rand.NewPCG(3, 4))
		for i := 0; i < len(value); i += 8 {
			binary.LittleEndian.PutUint64(value[i:], random.Uint64())
		}
		if m := c.ask(executeOf(insert, bigEndian(1), value)); m.Opcode() != frame.OpResult {
			t.Fatal(m)
		}
		for row := range c.query("SELECT v FROM " + name + ".t WHERE k = 1").(*frame.Rows).Each() {
			if string(row[0]) != string(value) {
				t.Error("another value came back")
			}
		}
		e := c.expectError(executeOf(insert, bigEndian(1), make([]byte, 3<<20)), frame.ErrorProtocol)
		if !strings.Contains(e.Message, "too big") && compression == frame.NoCompression {
			t.Error(e)
		}
		c.query("DROP KEYSPACE " + name)
	})
}

func TestAnyLevelOfReads(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V4, frame.NoCompression)
	q := queryOf("SELECT * FROM system.local")
	q.Consistency = consistency.LocalQuorum
	if m := c.ask(q); m.Opcode() != frame.OpResult {
		t.Error(m)
	}
}
