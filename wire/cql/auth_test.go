package cql_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// queue never gets to anybody.
type queue struct{}

func (queue) Name() string                     { return frame.PasswordAuthenticator }
func (queue) Begin(netip.Addr) cql.Negotiation { return queue{} }

func (queue) Respond(ctx context.Context, _ []byte) (cql.Step, error) {
	<-ctx.Done()
	return cql.Step{}, ctx.Err()
}

// TestLoginTakesTooLong expects a client to hear that it was not its password.
func TestLoginTakesTooLong(t *testing.T) {
	h := newHost(t, cql.Options{Authenticator: queue{}, HandshakeTimeout: 200 * time.Millisecond})
	c := h.dial(t, frame.V4)
	c.startup(frame.NoCompression)
	c.receive()
	c.writer.Negotiate(frame.V4, frame.NoCompression)
	c.expectError(&frame.AuthResponse{Token: []byte("\x00ada\x00love")}, frame.ErrorOverloaded)
	c.expectClosed()
}

// TestShutdownDuringLogins stops a server while clients wait for their login.
func TestShutdownDuringLogins(t *testing.T) {
	h := newHost(t, cql.Options{Authenticator: queue{}})
	c := h.dial(t, frame.V4)
	c.startup(frame.NoCompression)
	c.receive()
	c.writer.Negotiate(frame.V4, frame.NoCompression)
	c.send(0, &frame.AuthResponse{Token: []byte("\x00ada\x00love")})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = h.server.Shutdown(ctx) // it says that it has not waited
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop has taken %s", took)
	}
	c.expectClosed()
}
