package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/iliumdb/ilium/ring"
)

const (
	// dialTimeout is how long a connection and its handshake may take.
	dialTimeout = 5 * time.Second
	// handshakeTimeout is how long a stranger may take to introduce itself.
	handshakeTimeout = 5 * time.Second
)

// tlsAlert is a record of TLS that refuses the other side's version.
const tlsAlert = "\x15\x03\x01\x00\x02\x02\x46"

// A session is a connection after its handshake.
type session struct {
	conn     net.Conn
	raw      net.Conn // below TLS
	class    class
	compress bool
	other    ring.HostID
}

// dial connects to an address. Any node will do if want is zero.
func (h *Hub) dial(ctx context.Context, address string, c class, want ring.HostID) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := h.options.Sockets.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // an error says that conn is closed
	s, err := h.introduce(ctx, conn, address, c, want)
	if !stop() {
		err = ctx.Err()
		if errors.Is(err, context.DeadlineExceeded) {
			err = &HandshakeError{Remote: address, Reason: "the other side does not introduce itself in time"}
		}
	}
	if err != nil {
		_ = conn.Close() // of no use
		h.complain(address, err)
		return nil, err
	}
	return s, nil
}

// introduce is the dialler's side of a handshake.
func (h *Hub) introduce(ctx context.Context, raw net.Conn, address string, c class, want ring.HostID) (*session, error) {
	fail := func(reason string) error { return &HandshakeError{Remote: address, Reason: reason} }
	conn := raw
	if h.options.ClientTLS != nil {
		secured := tls.Client(raw, withName(h.options.ClientTLS, address))
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fail("TLS: " + err.Error())
		}
		conn = secured
	}
	m := hello{
		min: minVersion, max: maxVersion, class: c, compress: h.options.Compression,
		self: h.options.Self, want: want, cluster: h.options.Cluster,
	}
	if _, err := conn.Write(m.append(nil)); err != nil {
		return nil, err
	}
	body, err := readGreeting(conn)
	if err != nil {
		return nil, fail(excuse(err))
	}
	var w welcome
	if err := w.parse(body); err != nil {
		return nil, fail(err.Error())
	}
	switch {
	case w.refusal == refusedIdentity || w.refusal == accepted && want != (ring.HostID{}) && w.self != want:
		return nil, &IdentityError{Address: address, Want: want, Got: w.self}
	case w.refusal != accepted:
		return nil, fail("refused: " + w.reason)
	case w.cluster != h.options.Cluster:
		return nil, fail(otherCluster(w.cluster, h.options.Cluster))
	}
	return &session{conn: conn, raw: raw, class: c, compress: w.compress && h.options.Compression, other: w.self}, nil
}

// excuse says why there is no first message.
func excuse(err error) string {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "the other side has hung up instead of introducing itself"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "the other side does not introduce itself in time"
	}
	return err.Error()
}

func otherCluster(theirs, ours string) string {
	return fmt.Sprintf("the other side belongs to cluster %q, this node to %q", theirs, ours)
}

// withName returns a configuration that checks whether the server's certificate is for address.
func withName(c *tls.Config, address string) *tls.Config {
	if c.ServerName != "" {
		return c
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	c = c.Clone()
	c.ServerName = host
	return c
}

// receive is the acceptor's side of a handshake.
func (h *Hub) receive(ctx context.Context, raw net.Conn) (*session, error) {
	conn, remote := raw, raw.RemoteAddr().String()
	fail := func(reason string) error { return &HandshakeError{Remote: remote, Reason: reason} }
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, err
	}
	if h.options.ServerTLS != nil {
		secured := tls.Server(raw, h.options.ServerTLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil {
				_, _ = io.WriteString(raw, tlsAlert) // who speaks no TLS learns from this that this side does
			}
			return nil, fail("TLS: " + err.Error())
		}
		conn = secured
	}
	body, err := readGreeting(conn)
	if err != nil {
		return nil, fail(excuse(err))
	}
	var m hello
	if err := m.parse(body); err != nil {
		return nil, fail(err.Error())
	}
	w := h.judge(&m)
	if _, err := conn.Write(w.append(nil)); err != nil {
		return nil, err
	}
	if w.refusal != accepted {
		return nil, fail(h.refused(&m, w))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return &session{conn: conn, raw: raw, class: m.class, compress: w.compress, other: m.self}, nil
}

// judge answers a hello.
func (h *Hub) judge(m *hello) *welcome {
	o := &h.options
	w := &welcome{version: min(m.max, maxVersion), compress: m.compress && o.Compression, self: o.Self, cluster: o.Cluster}
	refuse := func(r refusal, reason string) {
		w.version, w.refusal, w.reason = 0, r, reason
	}
	switch {
	case !m.fits():
		refuse(refusedVersion, fmt.Sprintf("node %s speaks versions %d to %d of the protocol, not %d to %d",
			o.Self, minVersion, maxVersion, m.min, m.max))
	case m.cluster != o.Cluster:
		refuse(refusedCluster, otherCluster(m.cluster, o.Cluster))
	case m.want != (ring.HostID{}) && m.want != o.Self:
		refuse(refusedIdentity, fmt.Sprintf("this is node %s, not %s", o.Self, m.want))
	case m.class == classRequests || m.class == classBulk:
		if m.self == o.Self {
			refuse(refusedIdentity, fmt.Sprintf("node %s is this node itself", o.Self))
		}
	case m.class != classStream:
		refuse(refusedClass, fmt.Sprintf("unknown class %d of connections", m.class))
	}
	return w
}

// refused says, for this node's log, why a hello was not accepted.
func (h *Hub) refused(m *hello, w *welcome) string {
	if w.refusal == refusedVersion {
		return "refused: " + w.reason
	}
	return fmt.Sprintf("node %s refused: %s", m.self, w.reason)
}
