package cql_test

import (
	"net"
	"testing"

	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// inFlight is how many requests the benchmarks have under way.
const inFlight = 64

// BenchmarkInsert writes rows durably. Allocations are those of both ends; the client makes none.
func BenchmarkInsert(b *testing.B) { benchmarkInsert(b, storage.SyncGroup) }

// BenchmarkInsertPeriodic does not wait for the disk.
func BenchmarkInsertPeriodic(b *testing.B) { benchmarkInsert(b, storage.SyncPeriodic) }

func benchmarkInsert(b *testing.B, sync storage.Sync) {
	c := newHostOn(b, cql.Options{}, storage.Options{Sync: sync}).connect(b, frame.V5, frame.NoCompression)
	c.keyspace()
	c.pipeline(b, executeOf(c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)"), bigEndian(1), bigEndian(1), []byte("some text")))
}

// BenchmarkSelect reads a row.
func BenchmarkSelect(b *testing.B) {
	c := newHost(b, cql.Options{}).connect(b, frame.V5, frame.NoCompression)
	c.keyspace()
	c.query("INSERT INTO t (k, c, v) VALUES (1, 1, 'some text')")
	x := executeOf(c.prepare("SELECT v FROM t WHERE k = ? AND c = ?"), bigEndian(1), bigEndian(1))
	x.SkipMetadata = true
	c.pipeline(b, x)
}

// BenchmarkRegister shows what a request costs that does nothing.
func BenchmarkRegister(b *testing.B) {
	c := newHost(b, cql.Options{}).connect(b, frame.V5, frame.NoCompression)
	c.pipeline(b, &frame.Register{})
}

// pipeline sends a message b.N times: one more for each answer, those together that were answered together.
func (c *client) pipeline(b *testing.B, m frame.Message) {
	send := func(n int) {
		for i := range n {
			c.add(int16(i), nil, m)
		}
		c.flush()
	}
	b.ReportAllocs()
	b.ResetTimer()
	sent := min(inFlight, b.N)
	send(sent)
	for got := 0; got < b.N; {
		n, err := c.conn.Read(c.buffer)
		if err != nil {
			b.Fatal(err)
		}
		c.reader.Feed(c.buffer[:n])
		more := 0
		for {
			f, err := c.reader.Next()
			if err == frame.ErrIncomplete {
				break
			}
			if err != nil || f.Opcode == frame.OpError {
				b.Fatal(f, err)
			}
			if got++; sent < b.N {
				sent++
				more++
			}
		}
		if more > 0 {
			send(more)
		}
	}
	b.StopTimer()
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // many runs would leave many sockets waiting
	}
}
