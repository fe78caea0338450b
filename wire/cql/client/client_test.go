package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/client"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server answers as a test wants it to.
type server struct {
	address string
	newest  frame.Version // 0: all

	// answer returns the answer to a request; nil leaves the client waiting.
	answer func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message)

	mu    sync.Mutex
	asked []frame.Version // of each STARTUP
}

// start makes the server listen until the test ends.
func (s *server) start(t *testing.T, config *tls.Config) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		connections.Wait()
	})
	return s
}

// serve answers a client until it goes.
func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	reader := frame.NewServerReader(frame.DefaultMaxLength)
	var writer frame.Writer
	buffer := make([]byte, 4096)
	for {
		f, err := reader.Next()
		if err == frame.ErrIncomplete {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			reader.Feed(buffer[:n])
			continue
		}
		if err != nil {
			return
		}
		p, m, err := frame.DecodeMessage(f)
		if err != nil {
			return
		}
		if !s.handle(f, p, m, &writer, reader) {
			return
		}
		if _, err := conn.Write(writer.Bytes()); err != nil {
			return
		}
		writer.Reset()
	}
}

// handle adds the answer to a request. It returns false to hang up.
func (s *server) handle(f frame.Frame, p frame.Prologue, m frame.Message, w *frame.Writer, r *frame.Reader) bool {
	startup, begins := m.(*frame.Startup)
	if begins {
		s.mu.Lock()
		s.asked = append(s.asked, f.Version)
		s.mu.Unlock()
		if s.newest != 0 && f.Version > s.newest {
			refusal := &frame.Error{Code: frame.ErrorProtocol, Message: "Invalid or unsupported protocol version"}
			return w.Add(s.newest, f.Stream, nil, refusal) == nil
		}
	}
	prologue, answer := s.answer(p, m)
	if answer == nil {
		return true
	}
	if err := w.Add(f.Version, f.Stream, prologue, answer); err != nil {
		return false
	}
	if begins {
		compression, err := frame.ParseCompression(startup.Options[frame.OptionCompression], f.Version)
		if err != nil {
			return false
		}
		r.Negotiate(f.Version, compression)
		w.Negotiate(f.Version, compression)
	}
	return true
}

// words answers queries with a row that holds their text, behind READY.
func words(_ frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
	switch m := m.(type) {
	case *frame.Startup:
		return nil, &frame.Ready{}
	case *frame.Query:
		if name, ok := strings.CutPrefix(m.Text, "USE "); ok {
			return nil, &frame.SetKeyspace{Keyspace: strings.Trim(name, `"`)}
		}
		return nil, row(m.Text)
	default:
		return nil, &frame.Error{Code: frame.ErrorServer, Message: "?"}
	}
}

func row(text string) *frame.Rows {
	column := frame.Column{Keyspace: "ks", Table: "t", Name: "word", Type: cqltype.TypeText}
	rows := &frame.Rows{Metadata: frame.Metadata{Columns: []frame.Column{column}}}
	rows.AppendRow([]byte(text))
	return rows
}

// dial connects, and closes when the test ends.
func dial(t *testing.T, s *server, opts client.Options) *client.Conn {
	t.Helper()
	c, err := client.Dial(t.Context(), s.address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // some tests have closed it
	return c
}

// query wants a single text as the answer to itself.
func query(t *testing.T, c *client.Conn, text string) {
	t.Helper()
	result, err := c.Query(t.Context(), client.Request{Text: text, Consistency: consistency.One})
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	for row := range result.Each() {
		if string(row[0]) != text {
			t.Errorf("got %q, want %q", row[0], text)
		}
	}
	if result.Rows == nil || result.Rows.Count != 1 || len(result.Columns()) != 1 {
		t.Errorf("%s: got %v, want one row", text, result.Rows)
	}
}

func TestStepsDown(t *testing.T) {
	check := func(newest frame.Version, want ...frame.Version) {
		t.Helper()
		s := (&server{newest: newest, answer: words}).start(t, nil)
		c := dial(t, s, client.Options{})
		query(t, c, "hello")
		if c.Version() != newest || !reflect.DeepEqual(s.asked, want) {
			t.Errorf("version %s after %v, want %s after %v", c.Version(), s.asked, newest, want)
		}
	}
	check(frame.V5, frame.V5)
	check(frame.V4, frame.V5, frame.V4)
	check(frame.V3, frame.V5, frame.V4, frame.V3)
	s := (&server{newest: 0xff, answer: func(frame.Prologue, frame.Message) (*frame.Prologue, frame.Message) {
		return nil, &frame.Error{Code: frame.ErrorOverloaded, Message: "later"}
	}}).start(t, nil)
	_, err := client.Dial(t.Context(), s.address, client.Options{})
	if refused, ok := errors.AsType[*frame.Error](err); !ok || refused.Code != frame.ErrorOverloaded || len(s.asked) != 1 {
		t.Errorf("error %v after %v, want the server's, at once", err, s.asked)
	}
}

func TestCompressionAndLongAnswers(t *testing.T) {
	for _, newest := range []frame.Version{frame.V5, frame.V4} {
		for _, compression := range []frame.Compression{frame.NoCompression, frame.LZ4} {
			s := (&server{newest: newest, answer: words}).start(t, nil)
			c := dial(t, s, client.Options{Compression: compression})
			query(t, c, "short")
			query(t, c, strings.Repeat("long and longer ", 100_000)) // longer than a segment
		}
	}
	if _, err := client.Dial(t.Context(), "127.0.0.1:1", client.Options{Compression: frame.Snappy}); err == nil || !strings.Contains(err.Error(), "Snappy") {
		t.Errorf("error %v, want one that names Snappy", err)
	}
}

func TestLogin(t *testing.T) {
	s := (&server{answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		switch m := m.(type) {
		case *frame.Startup:
			return nil, &frame.Authenticate{Authenticator: frame.PasswordAuthenticator}
		case *frame.AuthResponse:
			switch string(m.Token) {
			case "\x00ada\x00secret":
				return nil, &frame.AuthSuccess{}
			case "\x00ada\x00more":
				return nil, &frame.AuthChallenge{}
			}
			return nil, &frame.Error{Code: frame.ErrorBadCredentials, Message: "wrong"}
		default:
			return words(p, m)
		}
	}}).start(t, nil)
	query(t, dial(t, s, client.Options{Username: "ada", Password: "secret", Compression: frame.LZ4}), "hello")

	_, err := client.Dial(t.Context(), s.address, client.Options{Username: "ada", Password: "x"})
	if refused, ok := errors.AsType[*frame.Error](err); !ok || refused.Code != frame.ErrorBadCredentials {
		t.Errorf("error %v, want BAD_CREDENTIALS", err)
	}
	for opts, want := range map[client.Options]string{{}: "no user name", {Username: "ada", Password: "more"}: "more than a name"} {
		_, err := client.Dial(t.Context(), s.address, opts)
		if missing, ok := errors.AsType[*client.LoginError](err); !ok || !strings.Contains(missing.Error(), want) {
			t.Errorf("error %v, want one of the login: %s", err, want)
		}
	}
}

func TestKeyspace(t *testing.T) {
	s := (&server{answer: words}).start(t, nil)
	c := dial(t, s, client.Options{Keyspace: "Mixed"})
	if c.Keyspace() != "Mixed" {
		t.Errorf("keyspace %q, want that of the options", c.Keyspace())
	}
	if _, err := c.Query(t.Context(), client.Request{Text: "USE other"}); err != nil || c.Keyspace() != "other" {
		t.Errorf("keyspace %q and error %v, want that of USE", c.Keyspace(), err)
	}
}

// What a request asks for arrives, and all that comes with an answer is handed on.
func TestRequestAndResult(t *testing.T) {
	id := cqltype.UUID{1, 2, 3}
	var got frame.Query
	var traced bool
	s := (&server{answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		q, ok := m.(*frame.Query)
		if !ok {
			return words(p, m)
		}
		switch q.Text {
		case "INSERT":
			return nil, &frame.Void{}
		case "CREATE":
			return nil, &frame.SchemaChange{Change: frame.Created, Target: frame.TargetKeyspace, Keyspace: "ks"}
		case "SELEC":
			return nil, &frame.Error{Code: frame.ErrorSyntax, Message: "no"}
		}
		got, traced = *q, p.Tracing
		rows := row("x")
		rows.Metadata.PagingState = []byte("next")
		return &frame.Prologue{Tracing: true, TracingID: id, Warnings: []string{"slow"}}, rows
	}}).start(t, nil)
	c := dial(t, s, client.Options{})
	result, err := c.Query(t.Context(), client.Request{Text: "SELECT", Consistency: consistency.Quorum, SerialConsistency: consistency.LocalSerial,
		PageSize: 7, PagingState: []byte("state"), Tracing: true})
	if err != nil {
		t.Fatal(err)
	}
	if got.Consistency != consistency.Quorum || got.SerialConsistency != consistency.LocalSerial || got.PageSize != 7 || string(got.PagingState) != "state" || !traced {
		t.Errorf("the server was asked for %+v, traced %v", got, traced)
	}
	if string(result.PagingState()) != "next" || !result.Traced || result.TracingID != id || !reflect.DeepEqual(result.Warnings, []string{"slow"}) {
		t.Errorf("got %+v", result)
	}

	result, err = c.Query(t.Context(), client.Request{Text: "INSERT"})
	if err != nil || result.Rows != nil || result.PagingState() != nil || result.Columns() != nil {
		t.Errorf("got %+v and error %v, want no rows", result, err)
	}
	for range result.Each() {
		t.Error("a row of a result without rows")
	}
	result, err = c.Query(t.Context(), client.Request{Text: "CREATE"})
	if err != nil || result.SchemaChange == nil || result.SchemaChange.Keyspace != "ks" {
		t.Errorf("got %+v and error %v, want a change of the schema", result, err)
	}
	_, err = c.Query(t.Context(), client.Request{Text: "SELEC"})
	if refused, ok := errors.AsType[*frame.Error](err); !ok || refused.Code != frame.ErrorSyntax {
		t.Errorf("error %v, want the server's", err)
	}
	query(t, c, "x") // a refusal harms nothing
}

// A request that is given up leaves the connection usable; its answer, when it comes, is not taken for another's.
func TestGivenUp(t *testing.T) {
	asked := make(chan struct{})
	released := make(chan struct{})
	s := (&server{answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		if q, ok := m.(*frame.Query); ok && q.Text == "slow" {
			close(asked)
			<-released
		}
		return words(p, m)
	}}).start(t, nil)
	c := dial(t, s, client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := c.Query(ctx, client.Request{Text: "slow"}); !errors.Is(err, context.Canceled) || c.Broken() != nil {
		t.Fatalf("error %v, broken %v, want %v and a sound connection", err, c.Broken(), context.Canceled)
	}
	close(released)
	query(t, c, "next")
	if _, err := c.Query(ctx, client.Request{Text: "never"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	query(t, c, "last")
}

func TestBroken(t *testing.T) {
	s := (&server{answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		if q, ok := m.(*frame.Query); ok && q.Text == "hang up" {
			return nil, &frame.Prepared{ID: make([]byte, 1<<17)} // cannot be encoded
		}
		return words(p, m)
	}}).start(t, nil)
	c := dial(t, s, client.Options{})
	if _, err := c.Query(t.Context(), client.Request{Text: "hang up"}); err == nil || c.Broken() == nil {
		t.Errorf("error %v, broken %v, want both", err, c.Broken())
	}
	if _, err := c.Query(t.Context(), client.Request{Text: "more"}); err == nil || !strings.Contains(err.Error(), "the connection was lost") {
		t.Errorf("error %v, want one that says that the connection was lost", err)
	}
}

func TestTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil) // it has a certificate for 127.0.0.1
	web.StartTLS()
	defer web.Close()
	s := (&server{answer: words}).start(t, &tls.Config{Certificates: web.TLS.Certificates})
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	query(t, dial(t, s, client.Options{TLS: &tls.Config{RootCAs: trusted}}), "hello")
	_, err := client.Dial(t.Context(), s.address, client.Options{TLS: &tls.Config{}})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("error %v, want that the certificate is not trusted", err)
	}
}
