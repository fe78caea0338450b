package cql

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"runtime"

	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

const (
	// longText is the size of a body from which on a text is not parsed by the connection's goroutine.
	longText = 4 << 10
	// shortRead is how many rows of a partition the connection's goroutine reads by itself.
	shortRead = 1000
	// keptBody is the largest memory that a request keeps for the next one, of each kind.
	keptBody = 64 << 10
)

// A request is one request being carried out, and the memory for it: of a connection, for those that are
// carried out in passing, or of its own. Its messages lie in the bytes of the reader or, when it was handed
// over, in body.
type request struct {
	server  *Server
	conn    *connection
	header  frame.Header
	trace   *trace.Trace // nil if it is not traced
	body    []byte       // a copy
	charged int64        // bytes counted as in flight

	prepare frame.Prepare
	query   frame.Query
	execute frame.Execute
	batch   frame.Batch

	entry      *preparedEntry // of EXECUTE
	plan       plan.Plan
	values     []plan.Value
	entries    []query.BatchEntry
	parameters query.Parameters
	writeType  string
	prologue   frame.Prologue
	rows       frame.Rows
	memory     []byte // for the rows of results, of length 0
	scanning   bool   // holds an element of conn.scans
}

// begin makes r ready for a request.
func (r *request) begin(c *connection, h frame.Header) {
	r.conn, r.header, r.trace = c, h, c.trace
	r.entry, r.plan, r.writeType = nil, nil, ""
	if r.trace.On() { // it tells what was asked, and an EXECUTE may be refused before it is decoded: nothing may be left of another
		r.execute, r.values = frame.Execute{}, r.values[:0]
	}
}

// trim gives memory back that r keeps for the next request.
func (r *request) trim() { *r = request{server: r.server, conn: r.conn} }

// handOver lets a worker carry out a request, whose bytes it copies. entry is that of an EXECUTE.
func (c *connection) handOver(f frame.Frame, body []byte, entry *preparedEntry) error {
	charge := int64(len(body)) + requestOverhead
	if !c.server.limits.take(c.used, charge) {
		if c.throwOnOverload {
			c.answer(f.Version, f.Stream, nil, overloaded())
			return nil
		}
		c.out.flush() // or the answers would wait, too
		if err := c.server.limits.wait(c.ctx, c.used, charge); err != nil {
			return err
		}
	}
	r := c.server.requests.Get().(*request)
	r.begin(c, f.Header)
	r.trace.Add("Handing over to a worker")
	r.trace.Enter(workerThread)
	r.charged, r.entry = charge, entry
	r.body = append(r.body[:0], body...)
	c.busy.Add(1)
	c.server.workers.Run(r)
	return nil
}

// Run carries out a request that was handed over, and sends the answer.
func (r *request) Run() {
	served := false
	defer func() {
		if !served { // a panic goes its way
			r.server.reportPanic(r.conn, r.header)
		}
	}()
	r.serve()
	served = true
}

func (r *request) serve() {
	if r.header.Opcode == frame.OpEvent { // the event is in the output
		r.conn.out.flush()
		return
	}
	c := r.conn
	r.trace.Add("Worker begins")
	if err := r.decodeAndRun(); err != nil {
		r.trace = nil // as for those that are decoded in passing
		r.answer(&frame.Error{Code: frame.ErrorProtocol, Message: err.Error()}, nil)
	}
	if r.scanning {
		<-c.scans
	}
	runtime.Gosched() // writes become durable together: let their answers go together
	c.out.flush()
	r.server.limits.give(c.used, r.charged)
	r.release()
	c.busy.Done()
}

func (r *request) decodeAndRun() error {
	v := r.header.Version
	switch r.header.Opcode {
	case frame.OpPrepare:
		if err := r.prepare.Decode(r.body, v); err != nil {
			return err
		}
		r.runPrepare()
	case frame.OpQuery:
		if err := r.query.Decode(r.body, v); err != nil {
			return err
		}
		r.runQuery()
	case frame.OpExecute:
		if err := r.execute.Decode(r.body, v); err != nil {
			return err
		}
		r.runExecute()
	default:
		if err := r.batch.Decode(r.body, v); err != nil {
			return err
		}
		r.runBatch()
	}
	return nil
}

// release gives r back for the next request.
func (r *request) release() {
	if cap(r.body) > keptBody || len(r.values) > keptBody/64 {
		return // not worth keeping
	}
	clear(r.values)
	clear(r.entries)
	r.conn, r.trace, r.charged, r.scanning = nil, nil, 0, false
	r.entry, r.plan, r.query, r.prepare = nil, nil, frame.Query{}, frame.Prepare{}
	r.parameters.Trace = nil
	r.server.requests.Put(r)
}

// session returns the session in which unqualified names are looked up in keyspace, or in the
// connection's if that is empty.
func (r *request) session(keyspace string) *query.Session {
	if keyspace == "" {
		return r.conn.session
	}
	return r.server.executor.NewSessionIn(keyspace)
}

// answer adds the answer to the output.
func (r *request) answer(m frame.Message, warnings []string) {
	if len(warnings) == 0 && !r.trace.On() {
		r.conn.answer(r.header.Version, r.header.Stream, nil, m)
		return
	}
	r.prologue.Warnings = warnings
	if r.trace.On() {
		r.prologue.Tracing, r.prologue.TracingID = true, r.recordTrace(m)
	}
	r.conn.answer(r.header.Version, r.header.Stream, &r.prologue, m)
	r.prologue = frame.Prologue{}
}

// refuse answers with an error.
func (r *request) refuse(err error) {
	r.answer(ErrorOf(err, Failed{Level: r.parameters.Consistency, WriteType: r.writeType}), nil)
}

// set takes over what a QUERY or EXECUTE says beside the statement. p is the statement's plan.
func (r *request) set(p plan.Plan, from *frame.Parameters) error {
	r.plan = p
	if err := r.setCommon(&from.Settings); err != nil {
		return err
	}
	r.parameters.Consistency = from.Consistency
	r.parameters.PageSize = int(max(from.PageSize, 0))
	r.parameters.PagingState = from.PagingState
	r.parameters.Memory = r.memory
	r.values = r.values[:0]
	if len(from.Names) > 0 {
		if err := r.byName(p.Markers(), from); err != nil {
			return err
		}
	} else {
		for _, v := range from.Values {
			r.values = append(r.values, plan.Value{Bytes: v.Bytes, Unset: v.Unset})
		}
	}
	r.parameters.Values = r.values
	return nil
}

func (r *request) setCommon(from *frame.Settings) error {
	r.parameters = query.Parameters{Trace: r.trace, Serial: from.SerialConsistency}
	if from.HasTimestamp {
		if from.Timestamp == math.MinInt64 {
			return schema.Invalid("Out of bound timestamp, must be in [%d, %d]", int64(math.MinInt64)+1, int64(math.MaxInt64))
		}
		r.parameters.Timestamp = query.Given(from.Timestamp)
	}
	if from.HasNow {
		r.parameters.Now = query.Given(int64(from.Now))
	}
	return nil
}

// byName puts values with names into the order of the markers. As in Cassandra a name that no marker has is ignored.
func (r *request) byName(markers []plan.Spec, from *frame.Parameters) error {
	if len(from.Names) != len(from.Values) {
		return schema.Invalid("there were %d names and %d values", len(from.Names), len(from.Values))
	}
markers:
	for _, m := range markers {
		for i := len(from.Names) - 1; i >= 0; i-- {
			if from.Names[i] == m.Name {
				r.values = append(r.values, plan.Value{Bytes: from.Values[i].Bytes, Unset: from.Values[i].Unset})
				continue markers
			}
		}
		return schema.Invalid("Invalid amount of bind variables: no value for :%s", m.Name)
	}
	return nil
}

// peekID returns the id at the front of an EXECUTE.
func peekID(body []byte) ([]byte, bool) {
	if len(body) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body)-2 < n {
		return nil, false
	}
	return body[2 : 2+n], true
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// reportPanic says whose request has broken the program, which is about to end.
func (s *Server) reportPanic(c *connection, h frame.Header) {
	s.opts.Log.Error("a request has led to a panic", "client", c.conn.RemoteAddr(), "request", h.Opcode,
		"version", h.Version, "stream", h.Stream, "length", h.Length)
}
