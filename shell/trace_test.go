package shell

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/tests/fakes"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A tracer is a server that traces SELECT x, and writes the trace only while it is asked for it.
type tracer struct {
	t     *testing.T
	polls atomic.Int64 // of the session until now
	never bool
}

const traceID = "50554d6e-29bb-11e5-b345-feff819cdc9f"

// answer is that of fakes.Server.
func (tr *tracer) answer(p frame.Prologue, m frame.Message) (*frame.Prologue, frame.Message) {
	q, ok := m.(*frame.Query)
	if !ok {
		return nil, &frame.Ready{}
	}
	switch {
	case q.Text == "SELECT x":
		id, err := cqltype.ParseUUID(traceID)
		if err != nil || !p.Tracing {
			tr.t.Errorf("error %v, traced %v", err, p.Tracing)
		}
		return &frame.Prologue{Tracing: true, TracingID: id}, tr.rows("x", cqltype.TypeInt, 7)
	case p.Tracing:
		tr.t.Errorf("%s is traced too", q.Text)
		return nil, &frame.Void{}
	case !strings.HasSuffix(q.Text, " WHERE session_id = "+traceID):
		return nil, &frame.Error{Code: frame.ErrorInvalid, Message: q.Text}
	case strings.Contains(q.Text, "FROM system_traces.events"):
		return nil, tr.rows("activity", cqltype.TypeText, "Reading", "event_id", cqltype.TypeTimeUUID, traceID,
			"source", cqltype.TypeInet, "10.0.0.1", "source_elapsed", cqltype.TypeInt, 42, "thread", cqltype.TypeText, "reader-1")
	}
	polls := tr.polls.Add(1)
	session := []any{"request", cqltype.TypeText, "Execute CQL3 query", "started_at", cqltype.TypeTimestamp, int64(1436795996123),
		"coordinator", cqltype.TypeInet, "10.0.0.1", "client", cqltype.TypeInet, "10.0.0.2", "duration", cqltype.TypeInt, nil}
	switch {
	case polls == 1: // nothing yet
		rows := tr.rows(session...)
		rows.Count, rows.Content = 0, nil
		return nil, rows
	case polls < 4 || tr.never:
		return nil, tr.rows(session...)
	default:
		session[len(session)-1] = 1234
		return nil, tr.rows(session...)
	}
}

// rows returns a row of columns, each given as a name, a type and a value.
func (tr *tracer) rows(columns ...any) *frame.Rows {
	rows := &frame.Rows{Count: 1}
	for i := 0; i < len(columns); i += 3 {
		typ := columns[i+1].(*cqltype.Type)
		value, err := typ.Encode(columns[i+2])
		if err != nil {
			tr.t.Error(err)
		}
		rows.Metadata.Columns = append(rows.Metadata.Columns, frame.Column{Keyspace: "ks", Table: "t", Name: columns[i].(string), Type: typ})
		rows.Content = frame.AppendValue(rows.Content, value)
	}
	return rows
}

// traced runs a traced statement on a tracer.
func (tr *tracer) traced(wait time.Duration) string {
	server := (&fakes.Server{Answer: tr.answer}).Start(tr.t, nil)
	s, out := connected(tr.t, server.Address, "")
	s.traceWait = wait
	s.run(tr.t.Context(), "TRACING ON")
	s.run(tr.t.Context(), "SELECT x;")
	return out.String()
}

func TestTracing(t *testing.T) {
	tr := &tracer{t: t}
	got := tr.traced(time.Hour)
	event, err := cqltype.ParseUUID(traceID)
	if err != nil {
		t.Fatal(err)
	}
	began := time.UnixMilli(1436795996123)
	want := "TRACING set to ON\n\n x\n---\n 7\n\n(1 rows)\n\nTracing session: " + traceID + "\n\n" +
		" activity           | timestamp                  | source   | source_elapsed | client\n" +
		"--------------------+----------------------------+----------+----------------+----------\n" +
		" Execute CQL3 query | " + traceTime(began) + " | 10.0.0.1 |              0 | 10.0.0.2\n" +
		" Reading [reader-1] | " + traceTime(event.Time()) + " | 10.0.0.1 |             42 | 10.0.0.2\n" +
		"   Request complete | " + traceTime(began.Add(1234*time.Microsecond)) + " | 10.0.0.1 |           1234 | 10.0.0.2\n\n"
	if polls := tr.polls.Load(); got != want || polls != 4 {
		t.Errorf("after %d looks got\n%s\nwant\n%s", polls, got, want)
	}
}

func TestTraceThatIsNotFinished(t *testing.T) {
	tr := &tracer{t: t, never: true}
	got := tr.traced(20 * time.Millisecond)
	if !strings.Contains(got, "did not complete within 20ms; trace data may be incomplete.") || !strings.Contains(got, "Reading [reader-1]") ||
		strings.Contains(got, "Request complete") {
		t.Errorf("got\n%s\nwant what there is of the trace, and a warning", got)
	}
}
