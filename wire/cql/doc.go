// Package cql serves Cassandra's native protocol, versions 3, 4 and 5, to drivers. Bytes are taken
// apart and put together by package frame; statements are carried out by package query. What lies
// between is here: connections, the handshake, prepared statements, events, limits.
//
//	server := cql.New(executor, cql.Options{})
//	go server.Serve(listener)
//	...
//	server.Shutdown(ctx)
//
// # A connection
//
// Each connection has one goroutine, which reads. It finds the frames in what has arrived and
// carries out by itself, in the order of their arrival, all requests that do not wait for anything:
// OPTIONS, REGISTER, PREPARE, USE, and reads of a row or of a bounded slice of one partition. They
// pay for no hand-over, no copy of their bytes and no lock of the server, and their answers leave
// with one system call when the bytes that came with one are used up.
//
// Everything else is handed to a worker: writes, because a durable write waits for the disk, and
// the disk takes as many at once as are there; scans, whose length nobody knows; changes of the
// schema; texts too long to be parsed in passing. Behind them the connection reads on, so one
// connection can have as many requests under way as it has streams. Workers are kept for reuse with
// the stacks that they have grown. Handing everything over would cost a read of a row a quarter more time
// (6.5 instead of 5.3 microseconds with 64 under way, both ends on two cores, 2026-11).
//
// Nothing writes but who has something to say: an answer is appended to the connection's output,
// and who finds nobody writing, writes, until the output is empty. All that is appended while a
// system call lasts goes with the next. A worker lets others run before it looks whether somebody writes:
// writes become durable together, and so their answers go together, which took a third off a write.
// There is no goroutine for it, so a silent connection costs one goroutine and four kilobytes.
//
// # Limits
//
//   - Before a client has authenticated: a frame has at most 128 KiB, and the handshake 10 seconds.
//   - Options.MaxConnections, MaxConnectionsPerIP and MaxHandshakes bound connections. One too many is
//     closed at once, as Cassandra does.
//   - Options.MaxInFlight and MaxInFlightPerIP bound the bytes of requests that were handed over or
//     have arrived in part. Beyond, a connection is not read until there is room, so that TCP
//     holds its client up; a client that has asked for THROW_ON_OVERLOAD gets OVERLOADED instead.
//   - A connection with a megabyte of output is not read, and its workers wait. It is closed if its
//     client takes nothing for Options.WriteTimeout.
//   - Eight scans at most are under way on a connection, 32 on a server, so that results which
//     nobody takes do not gather in memory.
//   - Options.MaxBacklog bounds the answers that have not left, of all connections together. Beyond, scans wait,
//     and a connection may have one answer in its output. If waiting does not help, the client that holds most is
//     dropped, of those that have taken nothing for a second.
//
// # TLS
//
// With Options.TLS, connections are those of crypto/tls; the handshake takes place when the connection's goroutine reads for the
// first time, under the handshake's deadline, and counts as a part of it. What does not begin with it is closed.
//
// # Errors
//
// ErrorOf is the one place where errors of this program become errors of the protocol. A panic is
// not caught: it is a broken invariant, after which no data should be written. The log says
// whose request it was, then the process ends with Go's report.
//
// # Tracing
//
// A request with the tracing flag gets a Trace, which is handed down to all that carry it out. When the answer is made the trace ends and goes to
// Options.Traces, so that a client that has the answer finds it in system_traces. As in Cassandra QUERY, PREPARE, EXECUTE and BATCH are traced.
// A request that cannot be decoded is answered without a trace.
//
// # What is not there
//
// Custom payloads are ignored, as Cassandra's default does.
// Who may log in is for an Authenticator to say: the package has none.
package cql
