package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

// cqlVersion is what STARTUP has to say; every server since Cassandra 2.0 takes it.
const cqlVersion = "3.0.0"

// A LoginError says that the server asks for something that the options do not have.
type LoginError struct {
	Authenticator string // the class that the server names
	Reason        string
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("the server asks for a login (%s): %s", e.Authenticator, e.Reason)
}

// shakeHands opens the conversation: STARTUP, and the password if it is asked for.
func (c *Conn) shakeHands(ctx context.Context, opts Options) error {
	options := map[string]string{frame.OptionCQLVersion: cqlVersion}
	for name, value := range map[string]string{frame.OptionCompression: opts.Compression.String(),
		frame.OptionDriverName: opts.Name, frame.OptionDriverVersion: opts.Version} {
		if value != "" {
			options[name] = value
		}
	}
	c.reader.Negotiate(c.version, opts.Compression) // for the answer already
	answer, err := c.exchange(ctx, &frame.Startup{Options: options})
	if err != nil {
		return err
	}
	c.writer.Negotiate(c.version, opts.Compression)
	switch answer := answer.(type) {
	case *frame.Ready:
		return nil
	case *frame.Authenticate:
		return c.logIn(ctx, answer.Authenticator, opts)
	default:
		return unexpected(answer, "STARTUP")
	}
}

// logIn says name and password, by SASL PLAIN (RFC 4616).
func (c *Conn) logIn(ctx context.Context, authenticator string, opts Options) error {
	if opts.Username == "" {
		return &LoginError{authenticator, "no user name was given"}
	}
	token := []byte("\x00" + opts.Username + "\x00" + opts.Password)
	answer, err := c.exchange(ctx, &frame.AuthResponse{Token: token})
	if err != nil {
		return err
	}
	switch answer.(type) {
	case *frame.AuthSuccess:
		return nil
	case *frame.AuthChallenge:
		return &LoginError{authenticator, "it wants more than a name and a password"}
	default:
		return unexpected(answer, "AUTH_RESPONSE")
	}
}

// exchange sends a message of the handshake and returns the answer. An ERROR is an error.
func (c *Conn) exchange(ctx context.Context, request frame.Message) (frame.Message, error) {
	f, err := c.call(ctx, nil, request)
	if err != nil {
		return nil, err
	}
	_, answer, err := frame.DecodeMessage(f)
	if err != nil {
		return nil, c.lose(err)
	}
	if refused, ok := answer.(*frame.Error); ok {
		return nil, refused
	}
	return answer, nil
}

func unexpected(answer frame.Message, to string) error {
	return fmt.Errorf("the server has answered %s with %s", to, answer.Opcode())
}

// refusesVersion reports whether an error of the handshake says that the server does not speak the version. It does so
// with a PROTOCOL_ERROR, most often in a frame of a version that it does speak, or of one that nobody speaks.
func refusesVersion(err error, version frame.Version) bool {
	if refused, ok := errors.AsType[*frame.Error](err); ok {
		return refused.Code == frame.ErrorProtocol
	}
	if odd, ok := errors.AsType[*frame.FrameError](err); ok {
		return odd.Header.Version != version && odd.Header.Opcode == frame.OpError
	}
	_, ok := errors.AsType[*frame.VersionError](err)
	return ok
}
