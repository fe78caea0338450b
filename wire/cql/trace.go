package cql

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"

	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// The kinds of goroutines that carry out requests, as traces call them.
const (
	readerThread = "connection"
	workerThread = "worker"
)

const (
	tracedText   = 4 << 10 // bytes of a text that a trace keeps
	tracedValue  = 1000    // and of a value, as in Cassandra
	tracedValues = 8 << 10 // and of all values of a request: traces are kept in memory
)

// A tracer records the requests whose clients have asked for it.
type tracer struct {
	store    *system.Traces // nil: none is recorded
	source   netip.AddrPort // not valid: where the client has connected to
	node     [6]byte        // random: makes ids of different servers different
	sequence atomic.Uint32
}

func (t *tracer) open(store *system.Traces, source netip.AddrPort) {
	t.store, t.source = store, source
	for i := range t.node {
		t.node[i] = byte(rand.Uint32())
	}
	t.node[0] |= 1 // as RFC 4122 asks of addresses that are not a network card's
}

// begin returns a trace for a request if its client wants one and it is of a kind that is traced, as in Cassandra.
func (t *tracer) begin(wanted bool, kind frame.Opcode) *trace.Trace {
	if !wanted || t.store == nil {
		return nil
	}
	switch kind {
	case frame.OpQuery, frame.OpPrepare, frame.OpExecute, frame.OpBatch:
		return trace.New(readerThread)
	default:
		return nil
	}
}

// recordTrace ends r's trace and records it, so that the client finds it as soon as it has the answer m. It returns its id. What
// replicas do after that is added when they say so.
func (r *request) recordTrace(m frame.Message) cqltype.UUID {
	if e, ok := m.(*frame.Error); ok {
		r.trace.Add("Answering with an error: %s", e)
	}
	t := &r.server.tracer
	events, took := r.trace.End()
	sequence := uint16(t.sequence.Add(1))
	session := system.TraceSession{
		ID: cqltype.TimeUUID(r.trace.Started(), sequence, t.node), Client: r.conn.ip, Command: "QUERY",
		Coordinator: addressAndPort(r.conn.conn.LocalAddr()), Started: r.trace.Started(), Duration: took,
	}
	if t.source.IsValid() {
		session.Coordinator = t.source
	}
	session.Request, session.Parameters = r.inWords()
	convert := func(events []trace.Event) []system.TraceEvent {
		out := make([]system.TraceEvent, len(events))
		for i, e := range events {
			out[i] = system.TraceEvent{
				ID:       cqltype.TimeUUID(session.Started.Add(e.At), sequence, t.node),
				Activity: e.Activity, Source: e.Source, Elapsed: e.Elapsed, Thread: e.Thread,
			}
			if !e.Source.IsValid() {
				out[i].Source = session.Coordinator
			}
		}
		return out
	}
	session.Events = convert(events)
	t.store.Record(session)
	r.trace.Follow(func(late []trace.Event) { t.store.Add(session.ID, convert(late)) })
	return session.ID
}

// inWords says what a request is and what it has asked for, with the names and words of Cassandra. What an EXECUTE
// was refused before is left out.
func (r *request) inWords() (request string, parameters map[string]string) {
	parameters = make(map[string]string)
	switch r.header.Opcode {
	case frame.OpPrepare:
		parameters["query"] = trace.Shorten(r.prepare.Text, tracedText)
		return "Preparing CQL3 query", parameters
	case frame.OpBatch:
		parameters["consistency_level"] = r.batch.Consistency.String()
		addSerial(parameters, &r.batch.Settings)
		return "Execute batch of CQL3 queries", parameters
	case frame.OpQuery:
		parameters["query"] = trace.Shorten(r.query.Text, tracedText)
		addCommon(parameters, &r.query.Parameters)
		return "Execute CQL3 query", parameters
	default:
		if r.entry != nil {
			parameters["query"] = trace.Shorten(r.entry.text, tracedText)
		}
		if r.execute.ID != nil {
			addCommon(parameters, &r.execute.Parameters)
		}
		if r.plan != nil {
			addValues(parameters, r.plan.Markers(), r.values)
		}
		return "Execute CQL3 prepared query", parameters
	}
}

func addCommon(to map[string]string, p *frame.Parameters) {
	if p.PageSize > 0 {
		to["page_size"] = fmt.Sprint(p.PageSize)
	}
	to["consistency_level"] = p.Consistency.String()
	addSerial(to, &p.Settings)
}

func addSerial(to map[string]string, s *frame.Settings) {
	to["serial_consistency_level"] = "SERIAL"
	if s.SerialConsistency != 0 {
		to["serial_consistency_level"] = s.SerialConsistency.String()
	}
}

// addValues adds values as literals, until there are too many.
func addValues(to map[string]string, markers []plan.Spec, values []plan.Value) {
	size := 0
	for i, v := range values[:min(len(values), len(markers))] {
		text := "unset"
		switch {
		case v.Unset:
		case len(v.Bytes) > tracedText: // not worth its literal, which may take several times as much
			text = fmt.Sprintf("... (%d bytes)", len(v.Bytes))
		default:
			text = trace.Shorten(string(markers[i].Type.AppendLiteral(nil, v.Bytes)), tracedValue)
		}
		if size += len(text); size > tracedValues {
			return
		}
		to[fmt.Sprintf("bound_var_%d_%s", i, markers[i].Name)] = text
	}
}
