// Package fakes is a server of Cassandra's native protocol without a database, for tests of clients.
package fakes

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A Server answers as a test wants it to.
type Server struct {
	Address string        // where it listens, once it has been started
	Newest  frame.Version // that it speaks; 0: all

	// Answer returns the answer to a request; nil leaves the client waiting.
	Answer func(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message)

	mu    sync.Mutex
	asked []frame.Version // of each STARTUP
}

// Start makes the server listen until the test ends, by TLS if it has a configuration for it.
func (s *Server) Start(t testing.TB, config *tls.Config) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = listener.Addr().String()
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

// Asked returns the version of each STARTUP until now.
func (s *Server) Asked() []frame.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// serve answers a client until it goes.
func (s *Server) serve(conn net.Conn) {
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
func (s *Server) handle(f frame.Frame, p frame.Prologue, m frame.Message, w *frame.Writer, r *frame.Reader) bool {
	startup, begins := m.(*frame.Startup)
	if begins {
		s.mu.Lock()
		s.asked = append(s.asked, f.Version)
		s.mu.Unlock()
		if s.Newest != 0 && f.Version > s.Newest {
			refusal := &frame.Error{Code: frame.ErrorProtocol, Message: "Invalid or unsupported protocol version"}
			return w.Add(s.Newest, f.Stream, nil, refusal) == nil
		}
	}
	prologue, answer := s.Answer(p, m)
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
