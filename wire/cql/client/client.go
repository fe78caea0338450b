package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// Options say how to connect. The zero Options connect without a password, without TLS and without compression.
type Options struct {
	Username, Password string // for servers that ask

	Keyspace    string            // to USE, as it is called: without quotes, in its own case of letters
	Compression frame.Compression // LZ4 or none
	TLS         *tls.Config       // nil: plain TCP; ServerName is taken from the address unless set

	Name, Version string // of the program, for the server's list of clients
}

// receiveSize is how many bytes are read from the socket at once.
const receiveSize = 64 << 10

// A Conn is a connection that takes requests. It is not safe for concurrent use, but for Close.
type Conn struct {
	conn    net.Conn
	reader  *frame.Reader
	writer  frame.Writer
	buffer  []byte
	version frame.Version
	stream  int16 // of the last request

	keyspace string
	broken   error // why the connection is of no use any more
}

// Dial connects to the server at an address of the form host:port, and logs in. A refusal is a *frame.Error.
func Dial(ctx context.Context, address string, opts Options) (*Conn, error) {
	if opts.Compression == frame.Snappy {
		return nil, errors.New("version 5 of the protocol has no Snappy; use LZ4")
	}
	for version := frame.MaxVersion; ; version-- {
		c, err := dialVersion(ctx, address, version, opts)
		if err == nil || version == frame.V3 || !refusesVersion(err, version) {
			return c, err
		}
	}
}

func dialVersion(ctx context.Context, address string, version frame.Version, opts Options) (*Conn, error) {
	conn, err := dialSocket(ctx, address, opts.TLS)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, reader: frame.NewClientReader(frame.MaxLength), buffer: make([]byte, receiveSize), version: version}
	err = c.shakeHands(ctx, opts)
	if err == nil && opts.Keyspace != "" {
		_, err = c.Query(ctx, Request{Text: "USE " + quoted(opts.Keyspace), Consistency: consistency.One})
	}
	if err != nil {
		_ = conn.Close() // what went wrong before matters more
		return nil, err
	}
	return c, nil
}

func dialSocket(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	if config == nil {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", address)
	}
	dialer := tls.Dialer{Config: config}
	return dialer.DialContext(ctx, "tcp", address)
}

// quoted writes a name so that its case of letters is kept.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Version returns the version of the protocol that was agreed upon.
func (c *Conn) Version() frame.Version { return c.version }

// Keyspace returns the keyspace of the last USE, "" if there is none.
func (c *Conn) Keyspace() string { return c.keyspace }

// Broken returns why the connection is of no use any more, nil as long as it takes requests.
func (c *Conn) Broken() error { return c.broken }

// Close closes the connection. A request in flight fails.
func (c *Conn) Close() error { return c.conn.Close() }

// call sends a request and waits for its answer, which is the caller's.
func (c *Conn) call(ctx context.Context, prologue *frame.Prologue, request frame.Message) (frame.Frame, error) {
	if c.broken != nil {
		return frame.Frame{}, fmt.Errorf("the connection was lost: %w", c.broken)
	}
	if err := ctx.Err(); err != nil {
		return frame.Frame{}, err
	}
	c.stream = (c.stream + 1) & 0x7fff // so that late answers to requests that were given up are told from this one
	if err := c.writer.Add(c.version, c.stream, prologue, request); err != nil {
		return frame.Frame{}, err
	}
	release, err := c.bound(ctx)
	if err != nil {
		return frame.Frame{}, c.lose(err)
	}
	defer release()
	if _, err := c.conn.Write(c.writer.Bytes()); err != nil {
		// A part of the request may be on its way: nothing can follow it.
		return frame.Frame{}, errors.Join(ctx.Err(), c.lose(err))
	}
	c.writer.Reset()
	return c.receive(ctx)
}

// bound makes the socket fail when ctx ends. release undoes it.
func (c *Conn) bound(ctx context.Context) (release func(), err error) {
	if err := c.conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = c.conn.SetDeadline(time.Unix(1, 0)) // it fails only if the socket is closed, which ends reading too
	})
	return func() {
		if !stop() {
			<-fired // it must not come behind the next request's deadline
		}
	}, nil
}

// receive waits for the answer to the last request.
func (c *Conn) receive(ctx context.Context) (frame.Frame, error) {
	for {
		f, err := c.reader.Next()
		switch {
		case err == nil && f.Stream == c.stream:
			f.Body = append([]byte(nil), f.Body...) // the reader's memory is used again
			return f, nil
		case err == nil: // a late answer
			continue
		case err != frame.ErrIncomplete:
			return frame.Frame{}, c.lose(err)
		}
		n, err := c.conn.Read(c.buffer)
		if n > 0 {
			c.reader.Feed(c.buffer[:n])
			continue
		}
		if ctx.Err() != nil {
			return frame.Frame{}, ctx.Err()
		}
		if err != nil {
			return frame.Frame{}, c.lose(err)
		}
	}
}

// lose remembers why the connection is of no use any more.
func (c *Conn) lose(err error) error {
	c.broken = err
	return err
}
