package cql_test

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"), // Badger's dependencies start these
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// patience is how long an answer may take before the test fails.
const patience = 30 * time.Second

// A host is a server on a socket with a database behind it.
type host struct {
	server  *cql.Server
	address string
}

// newHost starts a server; t.Cleanup ends it.
func newHost(t testing.TB, opts cql.Options) *host {
	t.Helper()
	return newHostOn(t, opts, storage.Options{Sync: storage.SyncPeriodic})
}

func newHostOn(t testing.TB, opts cql.Options, store storage.Options) *host {
	t.Helper()
	var (
		mu     sync.Mutex
		log    *metadata.Log
		server *cql.Server
	)
	store.Dir, store.Memory = t.TempDir(), 64<<20
	store.Tables = func(incarnation uint32) (storage.Table, bool) {
		mu.Lock()
		defer mu.Unlock()
		if log == nil || log.Schema().TableOf(incarnation) == nil {
			return storage.Table{}, false
		}
		return storage.Table{Name: "t", GCGrace: time.Hour, HasColumn: func(uint32) bool { return true }}, true
	}
	store.Log = slog.New(slog.DiscardHandler)
	engine, err := storage.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := metadata.Open(engine, metadata.Options{OnChange: func(_ *schema.Schema, e *metadata.Event) {
		if e != nil {
			server.SchemaChanged(e)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	log = opened
	mu.Unlock()
	alone, err := coordinator.NewAlone(ring.Endpoint{Datacenter: "datacenter1", Rack: "rack1", Tokens: []ring.Token{0}})
	if err != nil {
		t.Fatal(err)
	}
	traces := system.NewTraces(1000)
	tables, err := system.New(system.Node{Cluster: "test"}, system.Sources{Topology: alone.Topology, Traces: traces})
	if err != nil {
		t.Fatal(err)
	}
	opts.Traces = traces
	opts.Log = slog.New(slog.DiscardHandler)
	server = cql.New(query.New(log, coordinator.New(engine, alone, coordinator.Options{}), tables, query.Options{}), opts)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(t.Context()), <-served, engine.Close()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	return &host{server: server, address: listener.Addr().String()}
}

// A client is a connection that a test drives message by message.
type client struct {
	t       testing.TB
	conn    net.Conn
	version frame.Version
	reader  *frame.Reader
	writer  frame.Writer
	buffer  []byte
}

// dial connects without a handshake.
func (h *host) dial(t testing.TB, v frame.Version) *client {
	t.Helper()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	return &client{t: t, conn: conn, version: v, reader: frame.NewClientReader(frame.MaxLength), buffer: make([]byte, 64<<10)}
}

// connect connects and shakes hands.
func (h *host) connect(t testing.TB, v frame.Version, c frame.Compression) *client {
	t.Helper()
	cl := h.dial(t, v)
	cl.startup(c)
	if _, ok := cl.receive().message.(*frame.Ready); !ok {
		t.Fatal("STARTUP was not answered by READY")
	}
	cl.writer.Negotiate(v, c)
	return cl
}

func (c *client) startup(compression frame.Compression, more ...string) {
	c.t.Helper()
	options := map[string]string{frame.OptionCQLVersion: "3.0.0", frame.OptionDriverName: "test", frame.OptionDriverVersion: "1"}
	if compression != frame.NoCompression {
		options[frame.OptionCompression] = compression.String()
	}
	for i := 0; i < len(more); i += 2 {
		options[more[i]] = more[i+1]
	}
	c.send(0, &frame.Startup{Options: options})
	c.reader.Negotiate(c.version, compression)
}

// send sends a message.
func (c *client) send(stream int16, m frame.Message) {
	c.t.Helper()
	c.add(stream, nil, m)
	c.flush()
}

func (c *client) add(stream int16, prologue *frame.Prologue, m frame.Message) {
	c.t.Helper()
	if err := c.writer.Add(c.version, stream, prologue, m); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) flush() {
	c.t.Helper()
	_, err := c.conn.Write(c.writer.Bytes())
	c.writer.Reset()
	if err != nil {
		c.t.Fatal(err)
	}
}

// An answer is a response.
type answer struct {
	stream   int16
	prologue frame.Prologue
	message  frame.Message
}

// receive returns the next response.
func (c *client) receive() answer {
	c.t.Helper()
	a, err := c.tryReceive()
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) tryReceive() (answer, error) {
	for {
		f, err := c.reader.Next()
		if err == nil {
			prologue, m, err := frame.DecodeMessage(frame.Frame{Header: f.Header, Body: append([]byte(nil), f.Body...)})
			return answer{f.Stream, prologue, m}, err
		}
		if err != frame.ErrIncomplete {
			return answer{}, err
		}
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return answer{}, err
		}
		n, err := c.conn.Read(c.buffer)
		c.reader.Feed(append([]byte(nil), c.buffer[:n]...))
		if n == 0 && err != nil {
			return answer{}, err
		}
	}
}

// ask sends a message and returns the response.
func (c *client) ask(m frame.Message) frame.Message {
	c.t.Helper()
	c.send(1, m)
	return c.receive().message
}

// query runs a statement that must succeed.
func (c *client) query(text string) frame.Message {
	c.t.Helper()
	m := c.ask(queryOf(text))
	if e, failed := m.(*frame.Error); failed {
		c.t.Fatalf("%s: %v", text, e)
	}
	return m
}

func queryOf(text string) *frame.Query {
	return &frame.Query{Text: text, Parameters: frame.Parameters{Consistency: consistency.One}}
}

// prepare prepares a statement.
func (c *client) prepare(text string) *frame.Prepared {
	c.t.Helper()
	m := c.ask(&frame.Prepare{Text: text})
	p, ok := m.(*frame.Prepared)
	if !ok {
		c.t.Fatalf("%s: %v", text, m)
	}
	return p
}

func executeOf(p *frame.Prepared, values ...[]byte) *frame.Execute {
	x := &frame.Execute{ID: p.ID, ResultMetadataID: p.ResultMetadataID, Parameters: frame.Parameters{Consistency: consistency.One}}
	for _, v := range values {
		x.Values = append(x.Values, frame.Value{Bytes: v})
	}
	return x
}

// expectError returns the ERROR that a message must be answered with.
func (c *client) expectError(m frame.Message, code frame.ErrorCode) *frame.Error {
	c.t.Helper()
	got := c.ask(m)
	e, ok := got.(*frame.Error)
	if !ok || e.Code != code {
		c.t.Fatalf("%s: got %v, want %s", m.Opcode(), got, code)
	}
	return e
}

// expectClosed fails unless the server closes the connection.
func (c *client) expectClosed() {
	c.t.Helper()
	for {
		if _, err := c.tryReceive(); err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				c.t.Fatal("the connection is still open")
			}
			return
		}
	}
}

// keyspace makes an empty keyspace ks with a table t (k int, c int, v text).
func (c *client) keyspace() {
	c.t.Helper()
	c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	c.query("USE ks")
	c.query("CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))")
}

func bigEndian(n int) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// eventually waits until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}
