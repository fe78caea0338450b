package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/tests/fakes"
	"github.com/iliumdb/ilium/wire/cql/client"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
func dial(t *testing.T, s *fakes.Server, opts client.Options) *client.Conn {
	t.Helper()
	c, err := client.Dial(t.Context(), s.Address, opts)
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
		s := (&fakes.Server{Newest: newest, Answer: words}).Start(t, nil)
		c := dial(t, s, client.Options{})
		query(t, c, "hello")
		if c.Version() != newest || !reflect.DeepEqual(s.Asked(), want) {
			t.Errorf("version %s after %v, want %s after %v", c.Version(), s.Asked(), newest, want)
		}
	}
	check(frame.V5, frame.V5)
	check(frame.V4, frame.V5, frame.V4)
	check(frame.V3, frame.V5, frame.V4, frame.V3)
	s := (&fakes.Server{Newest: 0xff, Answer: func(frame.Prologue, frame.Message) (*frame.Prologue, frame.Message) {
		return nil, &frame.Error{Code: frame.ErrorOverloaded, Message: "later"}
	}}).Start(t, nil)
	_, err := client.Dial(t.Context(), s.Address, client.Options{})
	if refused, ok := errors.AsType[*frame.Error](err); !ok || refused.Code != frame.ErrorOverloaded || len(s.Asked()) != 1 {
		t.Errorf("error %v after %v, want the server's, at once", err, s.Asked())
	}
}

func TestCompressionAndLongAnswers(t *testing.T) {
	for _, newest := range []frame.Version{frame.V5, frame.V4} {
		for _, compression := range []frame.Compression{frame.NoCompression, frame.LZ4} {
			s := (&fakes.Server{Newest: newest, Answer: words}).Start(t, nil)
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
	s := (&fakes.Server{Answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
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
	}}).Start(t, nil)
	query(t, dial(t, s, client.Options{Username: "ada", Password: "secret", Compression: frame.LZ4}), "hello")

	_, err := client.Dial(t.Context(), s.Address, client.Options{Username: "ada", Password: "x"})
	if refused, ok := errors.AsType[*frame.Error](err); !ok || refused.Code != frame.ErrorBadCredentials {
		t.Errorf("error %v, want BAD_CREDENTIALS", err)
	}
	for opts, want := range map[client.Options]string{{}: "no user name", {Username: "ada", Password: "more"}: "more than a name"} {
		_, err := client.Dial(t.Context(), s.Address, opts)
		if missing, ok := errors.AsType[*client.LoginError](err); !ok || !strings.Contains(missing.Error(), want) {
			t.Errorf("error %v, want one of the login: %s", err, want)
		}
	}
}

func TestKeyspace(t *testing.T) {
	s := (&fakes.Server{Answer: words}).Start(t, nil)
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
	s := (&fakes.Server{Answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
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
	}}).Start(t, nil)
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
	s := (&fakes.Server{Answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		if q, ok := m.(*frame.Query); ok && q.Text == "slow" {
			close(asked)
			<-released
		}
		return words(p, m)
	}}).Start(t, nil)
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
	s := (&fakes.Server{Answer: func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
		if q, ok := m.(*frame.Query); ok && q.Text == "hang up" {
			return nil, &frame.Prepared{ID: make([]byte, 1<<17)} // cannot be encoded
		}
		return words(p, m)
	}}).Start(t, nil)
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
	s := (&fakes.Server{Answer: words}).Start(t, &tls.Config{Certificates: web.TLS.Certificates})
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	query(t, dial(t, s, client.Options{TLS: &tls.Config{RootCAs: trusted}}), "hello")
	_, err := client.Dial(t.Context(), s.Address, client.Options{TLS: &tls.Config{}})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("error %v, want that the certificate is not trusted", err)
	}
}
