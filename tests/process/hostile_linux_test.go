package process

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// How much a server may grow, at the peak, while strangers do what they like at its port, and while clients ask for
// more than they take: the scans of those may have a page each under way, of files that are mapped meanwhile.
const (
	growth      = 64 << 20
	growthScans = 128 << 20
)

// TestHostilePort has a server with a good client, and beside it clients that send garbage, hang, or
// do not take what they have asked for.
func TestHostilePort(t *testing.T) {
	s := startServer(t, "--set", "memory=128MiB")
	good := s.client(t)
	good.query(t, "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	good.query(t, "CREATE TABLE ks.t (k int, c int, v text, PRIMARY KEY (k, c))")
	const rows, width = 8000, 4000 // 32 MB
	text := string(bytes.Repeat([]byte("x"), width))
	for i := range rows {
		good.query(t, fmt.Sprintf("INSERT INTO ks.t (k, c, v) VALUES (1, %d, '%s')", i, text))
	}

	random, _ := newRandom(t)
	attacks := []struct {
		name string
		make func(t *testing.T, s *server, random *rand.Rand)
		most int
	}{
		{"random bytes", randomBytes, growth},
		{"half frames", halfFrames, growth},
		{"declared lengths", declaredLengths, growth},
		{"flipped bits", flippedBits, growth},
		{"idle connections", idleConnections, growth},
		{"slow readers", slowReaders, growthScans},
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			before := s.forgetPeak(t)
			served, stop := make(chan error, 1), make(chan struct{})
			var answers atomic.Int64
			go func() { served <- keepAsking(good, &answers, stop) }()
			a.make(t, s, random)
			close(stop)
			if err := <-served; err != nil {
				t.Errorf("the good client: %v", err)
			}
			if answers.Load() == 0 {
				t.Error("the good client got no answer")
			}
			grown := s.memory(t, "VmHWM") - before
			t.Logf("grown by %d KiB; the good client got %d answers", grown>>10, answers.Load())
			if grown > a.most {
				t.Errorf("the server has grown by %d MiB", grown>>20)
			}
			s.client(t).close() // and a new one is let in
		})
	}
	s.signal(syscall.SIGTERM)
	if o := s.wait(); o.code != 0 {
		t.Errorf("exit status %d: %s", o.code, o.err)
	}
}

// keepAsking makes requests until stop is closed.
func keepAsking(c *wireClient, answers *atomic.Int64, stop chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		m, err := c.ask(&frame.Query{Text: "SELECT c FROM ks.t WHERE k = 1 AND c = 7", Parameters: frame.Parameters{Consistency: consistency.One}})
		if err != nil {
			return err
		}
		if r, ok := m.(*frame.Rows); !ok || r.Count != 1 {
			return fmt.Errorf("answer: %v", m)
		}
		answers.Add(1)
	}
}

func randomBytes(t *testing.T, s *server, random *rand.Rand) {
	for range 1000 {
		conn := s.dial(t)
		b := make([]byte, random.IntN(2000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if random.IntN(2) == 0 && len(b) > 0 {
			b[0] = byte(3 + random.IntN(3)) // a version that there is
		}
		if _, err := conn.Write(b); err != nil && !isReset(err) {
			t.Fatal(err)
		}
		_ = conn.Close() // the server may have closed it
	}
}

// halfFrames opens connections that begin a frame and fall silent, before and after their handshake.
func halfFrames(t *testing.T, s *server, _ *rand.Rand) {
	for i := range 200 {
		if i%2 == 0 {
			conn := s.dial(t)
			if _, err := conn.Write([]byte{4, 0, 0, 1, byte(frame.OpStartup), 0, 0, 1}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		c := s.client(t)
		if _, err := c.conn.Write([]byte{4, 0, 0, 1, byte(frame.OpQuery), 0, 0, 1, 0, 'S', 'E', 'L'}); err != nil {
			t.Fatal(err)
		}
	}
}

// declaredLengths announces frames of 256 MiB, and of as much as is allowed, of which little comes.
func declaredLengths(t *testing.T, s *server, _ *rand.Rand) {
	for i := range 300 {
		header := []byte{4, 0, 0, 1, byte(frame.OpQuery), 0x10, 0, 0, 0}
		if i%2 == 0 {
			header = []byte{4, 0, 0, 1, byte(frame.OpQuery), 0, 0xff, 0xff, 0xff} // just below 16 MiB
		}
		c := s.client(t)
		if _, err := c.conn.Write(append(header, make([]byte, 1000)...)); err != nil && !isReset(err) {
			t.Fatal(err)
		}
	}
}

// flippedBits flips one bit in each of many requests of version 5.
func flippedBits(t *testing.T, s *server, random *rand.Rand) {
	for range 500 {
		c := s.clientOf(t, frame.V5)
		if err := c.writer.Add(frame.V5, 1, nil, &frame.Query{Text: "SELECT * FROM system.local"}); err != nil {
			t.Fatal(err)
		}
		b := c.writer.Bytes()
		bit := random.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := c.conn.Write(b); err != nil {
			t.Fatal(err)
		}
		c.writer.Reset()
		m, err := c.receive()
		if e, ok := m.(*frame.Error); err != nil || !ok || e.Code != frame.ErrorProtocol {
			t.Fatalf("bit %d: %v, %v", bit, m, err)
		}
		c.close()
	}
}

func idleConnections(t *testing.T, s *server, _ *rand.Rand) {
	for range 2000 {
		s.clientOf(t, frame.V5)
	}
}

// slowReaders ask for all of a table, over and over, and take nothing.
func slowReaders(t *testing.T, s *server, _ *rand.Rand) {
	for range 50 {
		c := s.client(t)
		for i := range 20 {
			q := &frame.Query{Text: "SELECT * FROM ks.t", Parameters: frame.Parameters{Consistency: consistency.One, PageSize: 5000}}
			if err := c.writer.Add(c.version, int16(i), nil, q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.conn.Write(c.writer.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	other := s.client(t) // is served meanwhile, for as long as this takes
	for range 20_000 {
		other.query(t, "SELECT c FROM ks.t WHERE k = 1 AND c = 7")
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// forgetPeak makes VmHWM begin anew, and returns the bytes of memory that the server has.
func (s *server) forgetPeak(t *testing.T) int {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return s.memory(t, "VmRSS")
}

// memory returns a line of the server's status, in bytes.
func (s *server) memory(t *testing.T, line string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(status)
	if match == nil {
		t.Fatalf("no %s in %s", line, status)
	}
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func (s *server) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	return conn
}

// A wireClient is a connection on which one request at a time is made.
type wireClient struct {
	conn    net.Conn
	version frame.Version
	reader  *frame.Reader
	writer  frame.Writer
	buffer  []byte
}

// client returns a connection after its handshake, of version 4.
func (s *server) client(t *testing.T) *wireClient { t.Helper(); return s.clientOf(t, frame.V4) }

func (s *server) clientOf(t *testing.T, v frame.Version) *wireClient {
	t.Helper()
	c := &wireClient{conn: s.dial(t), version: v, reader: frame.NewClientReader(frame.MaxLength), buffer: make([]byte, 4<<10)}
	c.reader.Negotiate(v, frame.NoCompression) // holds from behind the answer
	m, err := c.ask(&frame.Startup{Options: map[string]string{frame.OptionCQLVersion: "3.0.0"}})
	if _, ok := m.(*frame.Ready); !ok {
		t.Fatalf("STARTUP: %v, %v", m, err)
	}
	c.writer.Negotiate(v, frame.NoCompression)
	return c
}

func (c *wireClient) close() { _ = c.conn.Close() }

func (c *wireClient) query(t *testing.T, text string) {
	t.Helper()
	m, err := c.ask(&frame.Query{Text: text, Parameters: frame.Parameters{Consistency: consistency.One}})
	if _, failed := m.(*frame.Error); failed || err != nil {
		t.Fatalf("%.100s: %v, %v", text, m, err)
	}
}

func (c *wireClient) ask(m frame.Message) (frame.Message, error) {
	if err := c.writer.Add(c.version, 1, nil, m); err != nil {
		return nil, err
	}
	_, err := c.conn.Write(c.writer.Bytes())
	c.writer.Reset()
	if err != nil {
		return nil, err
	}
	return c.receive()
}

// receive returns the next answer. Its bytes are its own.
func (c *wireClient) receive() (frame.Message, error) {
	for {
		f, err := c.reader.Next()
		if err == nil {
			_, m, err := frame.DecodeMessage(frame.Frame{Header: f.Header, Body: bytes.Clone(f.Body)})
			return m, err
		}
		if err != frame.ErrIncomplete {
			return nil, err
		}
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return nil, err
		}
		n, err := c.conn.Read(c.buffer)
		c.reader.Feed(bytes.Clone(c.buffer[:n]))
		if n == 0 && err != nil {
			return nil, err
		}
	}
}
