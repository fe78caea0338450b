package cql

import (
	"context"
	"errors"
	"net/netip"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

// An Authenticator finds out who a client is. A Server without one lets everybody in, as Cassandra's
// AllowAllAuthenticator does: it answers STARTUP with READY.
type Authenticator interface {
	// Name returns the class that AUTHENTICATE names, by which drivers choose what to answer, such as
	// frame.PasswordAuthenticator.
	Name() string

	// Begin starts the negotiation with a client at an address.
	Begin(client netip.Addr) Negotiation
}

// A Negotiation is the talk with one client, on its connection's goroutine.
type Negotiation interface {
	// Respond judges what the client has said in AUTH_RESPONSE; token is valid during the call alone. It may
	// take its time, but returns when ctx ends, as it does with the connection and after Options.HandshakeTimeout. An error refuses the client:
	// it is told the text of a *CredentialsError, and of others only that something went wrong.
	Respond(ctx context.Context, token []byte) (Step, error)
}

// A Step is an answer in a Negotiation.
type Step struct {
	Token []byte // for the client
	Done  bool   // the client is let in; otherwise it is asked for more
	Role  string // who it is, once Done
}

// A CredentialsError says why a client was refused: BAD_CREDENTIALS.
type CredentialsError struct {
	Message string
}

func (e *CredentialsError) Error() string { return e.Message }

// refusedLogin tells a client why it was refused.
func refusedLogin(err error) *frame.Error {
	if e, ok := errors.AsType[*CredentialsError](err); ok {
		return &frame.Error{Code: frame.ErrorBadCredentials, Message: e.Message}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &frame.Error{Code: frame.ErrorOverloaded, Message: "Server is in overloaded state. It has not got to this login in time"}
	}
	return &frame.Error{Code: frame.ErrorServer, Message: "authentication failed for a reason that is in the server's log"}
}
