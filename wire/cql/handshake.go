package cql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

// cqlVersion is the version of CQL in SUPPORTED: that of Cassandra 5.0.
const cqlVersion = "3.4.7"

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// dispatch carries out a request or hands it over. A ProtocolError is for the client; others end the connection.
func (c *connection) dispatch(f frame.Frame, body []byte) error {
	if err := c.expects(f.Opcode); err != nil {
		return err
	}
	switch f.Opcode {
	case frame.OpOptions:
		c.answer(f.Version, f.Stream, nil, &frame.Supported{Options: map[string][]string{
			frame.OptionCQLVersion:       {cqlVersion},
			frame.OptionCompression:      {frame.Snappy.String(), frame.LZ4.String()},
			frame.OptionProtocolVersions: frame.SupportedVersions(),
		}})
		return nil
	case frame.OpStartup:
		return c.start(f, body)
	case frame.OpAuthResponse:
		return c.authenticate(f, body)
	case frame.OpRegister:
		return c.registerEvents(f, body)
	case frame.OpPrepare:
		return c.prepareStatement(f, body)
	case frame.OpQuery:
		return c.query(f, body)
	case frame.OpExecute:
		return c.execute(f, body)
	default: // BATCH; the reader knows no other request
		return c.handOver(f, body, nil)
	}
}

// expects refuses messages that do not belong into the state of the connection, in Cassandra's words.
func (c *connection) expects(o frame.Opcode) error {
	switch {
	case c.state == fresh && o != frame.OpOptions && o != frame.OpStartup:
		return broken("Unexpected message %s, expecting STARTUP or OPTIONS", o)
	case c.state == authenticating && o != frame.OpAuthResponse:
		return broken("Unexpected message %s, expecting SASL_RESPONSE", o)
	case c.state == ready && (o == frame.OpStartup || o == frame.OpAuthResponse):
		return broken("Unexpected message %s, the connection is already initialized", o)
	}
	return nil
}

func broken(format string, args ...any) error {
	return &frame.ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

// start carries out STARTUP.
func (c *connection) start(f frame.Frame, body []byte) error {
	if err := c.startup.Decode(body, f.Version); err != nil {
		return err
	}
	options := c.startup.Options
	if err := checkCQLVersion(options); err != nil {
		return err
	}
	compression, err := frame.ParseCompression(options[frame.OptionCompression], f.Version)
	if err != nil {
		return err
	}
	c.throwOnOverload = options[frame.OptionThrowOnOverload] == "1"
	c.version.Store(uint32(f.Version))
	var welcome frame.Message = &frame.Ready{}
	c.profile.Store(&profile{stage: "authenticating", options: maps.Clone(options)})
	if a := c.server.opts.Authenticator; a != nil {
		c.negotiation = a.Begin(c.ip)
		c.state = authenticating
		welcome = &frame.Authenticate{Authenticator: a.Name()}
	}
	c.answer(f.Version, f.Stream, nil, welcome)
	c.reader.Negotiate(f.Version, compression)
	c.out.negotiate(f.Version, compression)
	if c.state == fresh {
		c.established("anonymous") // as Cassandra calls everybody then
	}
	return nil
}

func checkCQLVersion(options map[string]string) error {
	version, ok := options[frame.OptionCQLVersion]
	if !ok {
		return broken("Missing value CQL_VERSION in STARTUP message")
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return broken("Invalid version value: %s (must be in the form x.y.z)", version)
	}
	if n < 3 {
		return broken("CQL version %s is not supported by the binary protocol (supported version are >= 3.0.0)", version)
	}
	return nil
}

// established opens the connection for requests.
func (c *connection) established(role string) {
	c.state = ready
	c.profile.Store(&profile{stage: "ready", options: c.profile.Load().options, role: role})
	c.negotiation = nil
	c.reader.SetMaxLength(c.server.opts.MaxFrame)
	c.server.limits.established()
	if err := c.setReadDeadline(time.Time{}); err != nil {
		c.fail(err)
	}
}

// authenticate carries out AUTH_RESPONSE.
func (c *connection) authenticate(f frame.Frame, body []byte) error {
	if err := c.token.Decode(body, f.Version); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.server.opts.HandshakeTimeout) // nobody reads meanwhile, so no deadline holds
	defer cancel()
	step, err := c.negotiation.Respond(ctx, c.token.Token)
	if err != nil {
		c.answer(f.Version, f.Stream, nil, refusedLogin(err))
		return fmt.Errorf("%w: %w", errHangUp, err)
	}
	if !step.Done {
		c.answer(f.Version, f.Stream, nil, &frame.AuthChallenge{Token: step.Token})
		return nil
	}
	c.answer(f.Version, f.Stream, nil, &frame.AuthSuccess{Token: step.Token})
	c.established(step.Role)
	return nil
}

// The kinds of events, as bits of connection.events.
const (
	topologyEvents = 1 << iota
	statusEvents
	schemaEvents
)

// registerEvents carries out REGISTER.
func (c *connection) registerEvents(f frame.Frame, body []byte) error {
	if err := c.register.Decode(body, f.Version); err != nil {
		return err
	}
	kinds := uint32(0)
	for _, name := range c.register.Events {
		switch strings.ToUpper(name) {
		case frame.EventTopologyChange:
			kinds |= topologyEvents
		case frame.EventStatusChange:
			kinds |= statusEvents
		case frame.EventSchemaChange:
			kinds |= schemaEvents
		default:
			return broken("Invalid value '%s' for Type", name)
		}
	}
	c.events.Or(kinds)
	c.answer(f.Version, f.Stream, nil, &frame.Ready{})
	return nil
}
