package cql_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/tests/certificates"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// newEncryptedHost starts a server with TLS and returns what its clients need as well.
func newEncryptedHost(t *testing.T, opts cql.Options) (*host, *tls.Config) {
	t.Helper()
	authority, err := certificates.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Pair("server")
	if err != nil {
		t.Fatal(err)
	}
	opts.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	return newHost(t, opts), authority.Trust()
}

// encrypt goes on with TLS.
func (c *client) encrypt(config *tls.Config) *client {
	c.conn = tls.Client(c.conn, config)
	return c
}

func TestTLS(t *testing.T) {
	h, config := newEncryptedHost(t, cql.Options{})
	c := h.dial(t, frame.V5).encrypt(config)
	c.startup(frame.LZ4)
	if _, ok := c.receive().message.(*frame.Ready); !ok {
		t.Fatal("STARTUP was not answered by READY")
	}
	c.writer.Negotiate(frame.V5, frame.LZ4)
	c.keyspace()
	long := strings.Repeat("0123456789", 100_000) // many records
	c.query("INSERT INTO t (k, c, v) VALUES (1, 1, '" + long + "')")
	rows, ok := c.query("SELECT v FROM t").(*frame.Rows)
	if !ok || !strings.Contains(string(rows.Content), long) {
		t.Error("a long value does not come back")
	}
	clients := h.server.Clients()
	if len(clients) != 1 || clients[0].TLSVersion != "TLSv1.3" || clients[0].TLSCipher == "" || !clients[0].Address.IsValid() {
		t.Errorf("%+v", clients)
	}
}

func TestTLSShutdown(t *testing.T) {
	h, config := newEncryptedHost(t, cql.Options{})
	c := h.dial(t, frame.V4).encrypt(config)
	c.startup(frame.NoCompression)
	c.receive()
	if err := h.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Read(make([]byte, 1)); err != io.EOF { // without a last message of TLS it would be an unexpected one
		t.Errorf("the end of the connection is %v", err)
	}
}

// TestTLSHandshakeTakesTooLong expects that who does not shake hands neither stays nor holds up others.
func TestTLSHandshakeTakesTooLong(t *testing.T) {
	h, config := newEncryptedHost(t, cql.Options{HandshakeTimeout: 500 * time.Millisecond})
	silent := h.dial(t, frame.V5)
	eventually(t, "the connection is not there", func() bool { return h.server.Connections() == 1 })
	if clients := h.server.Clients(); clients[0].TLSVersion != "" {
		t.Errorf("%+v", clients)
	}
	c := h.dial(t, frame.V5).encrypt(config)
	c.startup(frame.NoCompression)
	if _, ok := c.receive().message.(*frame.Ready); !ok {
		t.Error("STARTUP was not answered by READY")
	}
	silent.expectClosed()
}

func TestTLSRefuses(t *testing.T) {
	h, config := newEncryptedHost(t, cql.Options{})
	plain := h.dial(t, frame.V5)
	plain.startup(frame.NoCompression)
	plain.expectClosed()
	old := config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if err := tls.Client(h.dial(t, frame.V5).conn, old).HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	if err := tls.Client(h.dial(t, frame.V5).conn, config).HandshakeContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTLSSlowReader expects that a client which takes nothing is dropped, and does not hold up a stop.
func TestTLSSlowReader(t *testing.T) {
	h, config := newEncryptedHost(t, cql.Options{WriteTimeout: 200 * time.Millisecond})
	c := h.dial(t, frame.V5).encrypt(config)
	c.startup(frame.NoCompression)
	c.receive()
	c.writer.Negotiate(frame.V5, frame.NoCompression)
	c.keyspace()
	c.query("INSERT INTO t (k, c, v) VALUES (1, 1, '" + strings.Repeat("x", 1<<20) + "')")
	for i := range 40 {
		c.add(int16(i), nil, queryOf("SELECT v FROM t"))
	}
	if _, err := c.conn.Write(c.writer.Bytes()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a client that takes nothing stays", func() bool { return h.server.Connections() == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
