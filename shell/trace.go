package shell

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/client"
)

const (
	// defaultTraceWait is how long cqlsh waits for a trace: it is written behind the answer.
	defaultTraceWait = 10 * time.Second

	firstTraceRetry = 3 * time.Millisecond
	lastTraceRetry  = 250 * time.Millisecond
)

// showTrace prints a trace. With wait it waits until the trace is complete.
func (s *shell) showTrace(ctx context.Context, id string, wait bool) {
	session, complete, err := s.traceSession(ctx, id, wait)
	if err != nil {
		s.fail("Unable to fetch query trace: %s", describeError(err, s.timeout))
		return
	}
	if session == nil {
		s.fail("Session %s wasn't found.", id)
		return
	}
	if wait && !complete {
		s.fail("Statement trace did not complete within %v; trace data may be incomplete.", s.traceWait)
	}
	events, _, err := s.queryAll(ctx, s.traceRequest(
		"SELECT activity, event_id, source, source_elapsed, thread FROM system_traces.events WHERE session_id = "+id))
	if err != nil {
		s.fail("Unable to fetch query trace: %s", describeError(err, s.timeout))
		return
	}
	if len(events) == 0 {
		s.fail("No rows for session %s found.", id)
		return
	}
	s.printTrace(id, session, events)
}

func (s *shell) traceRequest(text string) client.Request {
	return client.Request{Text: text, Consistency: consistency.One, PageSize: defaultPageSize}
}

// traceSession reads the session of a trace; nil if there is none. It is complete once it has a duration.
func (s *shell) traceSession(ctx context.Context, id string, wait bool) (session record, complete bool, err error) {
	request := s.traceRequest(
		"SELECT request, started_at, coordinator, duration, client FROM system_traces.sessions WHERE session_id = " + id)
	deadline := time.Now().Add(s.traceWait)
	for pause := firstTraceRetry; ; pause = min(2*pause, lastTraceRetry) {
		records, _, err := s.queryAll(ctx, request)
		if err != nil {
			return nil, false, err
		}
		if len(records) > 0 {
			session = records[0]
			complete = session.has("duration")
		}
		if complete || !wait || time.Now().After(deadline) {
			return session, complete, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, false, ctx.Err()
		}
	}
}

// printTrace prints the table of a trace: the request, its events, and its end.
func (s *shell) printTrace(id string, session record, events []record) {
	header := s.traceRow(magenta, "activity", "timestamp", "source", "source_elapsed", "client")
	began, _ := session.time("started_at")
	from := session.text("client")
	rows := [][]cell{s.traceRow(yellow, session.raw("request"), traceTime(began), session.text("coordinator"), "0", from)}
	for _, e := range events {
		at, _ := e.time("event_id")
		elapsed := "--"
		if n, ok := e.number("source_elapsed"); ok && n != 0 {
			elapsed = strconv.FormatInt(n, 10)
		}
		activity := fmt.Sprintf("%s [%s]", e.raw("activity"), e.raw("thread"))
		rows = append(rows, s.traceRow(yellow, activity, traceTime(at), e.text("source"), elapsed, from))
	}
	if n, ok := session.number("duration"); ok && n != 0 {
		end := began.Add(time.Duration(n) * time.Microsecond)
		rows = append(rows, s.traceRow(yellow, "Request complete", traceTime(end), session.text("coordinator"), strconv.FormatInt(n, 10), from))
	}
	s.printf("\n%s%s\n", s.in(magenta, "Tracing session: "), id)
	s.table(header, rows, true)
	s.printf("")
}

func (s *shell) traceRow(color string, texts ...string) []cell {
	row := make([]cell, len(texts))
	for i, t := range texts {
		row[i] = s.text(t, color)
	}
	return row
}

// traceTime writes a time as Python does: in local time, with microseconds if there are any.
func traceTime(t time.Time) string {
	t = t.Local().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05.000000")
}
