package system

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A TraceSession is one traced request: a row of system_traces.sessions, with its rows of system_traces.events.
type TraceSession struct {
	ID          cqltype.UUID
	Client      netip.Addr
	Command     string // QUERY, for example
	Request     string // what is done, in words
	Parameters  map[string]string
	Coordinator netip.AddrPort
	Started     time.Time
	Duration    time.Duration
	Events      []TraceEvent // in order of time
}

// A TraceEvent is one step of a traced request.
type TraceEvent struct {
	ID       cqltype.UUID // a timeuuid: events are shown in its order
	Activity string
	Source   netip.AddrPort
	Elapsed  time.Duration // since the request began, at the source
	Thread   string
}

// Traces keeps the newest traced requests, in memory. It is safe for concurrent use.
type Traces struct {
	limit int

	mu       sync.RWMutex
	events   int
	sessions []*TraceSession // oldest first
}

// NewTraces returns a store for requests with so many events in all, counting a request as one event more.
func NewTraces(limit int) *Traces { return &Traces{limit: limit} }

// Record adds a request, which must not be changed afterwards. The oldest ones make room for it. A request that is
// recorded again replaces what was recorded of it.
func (t *Traces) Record(s TraceSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, old := range t.sessions {
		if old.ID == s.ID {
			t.events -= len(old.Events) + 1
			t.sessions = append(t.sessions[:i:i], t.sessions[i+1:]...)
			break
		}
	}
	t.sessions = append(t.sessions, &s)
	t.events += len(s.Events) + 1
	for t.events > t.limit && len(t.sessions) > 0 {
		t.events -= len(t.sessions[0].Events) + 1
		t.sessions[0] = nil
		t.sessions = t.sessions[1:]
	}
}

// Find returns a request that is kept.
func (t *Traces) Find(id cqltype.UUID) (found TraceSession, ok bool) {
	t.each(id[:], func(s *TraceSession) { found, ok = *s, true })
	return found, ok
}

// eachTrace visits the traced requests that are wanted: one, wherever it is kept, or all that this node keeps.
func (f *filler) eachTrace(visit func(*TraceSession)) {
	var id cqltype.UUID
	if len(f.only) != len(id) || f.sources.OtherTrace == nil {
		f.sources.Traces.each(f.only, visit)
		return
	}
	copy(id[:], f.only)
	s, ok := f.sources.Traces.Find(id)
	if !ok {
		s, ok = f.sources.OtherTrace(id)
	}
	if ok {
		visit(&s)
	}
}

// each visits the session of that id, or all if it is nil.
func (t *Traces) each(id []byte, visit func(*TraceSession)) {
	if t == nil {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.sessions {
		if id == nil || bytes.Equal(id, s.ID[:]) {
			visit(s)
		}
	}
}

func (f *filler) traceSessions() {
	f.eachTrace(func(s *TraceSession) {
		f.add(values{
			"session_id":       s.ID,
			"client":           addressOrNull(s.Client),
			"command":          s.Command,
			"coordinator":      addressOrNull(s.Coordinator.Addr()),
			"coordinator_port": s.Coordinator.Port(),
			"duration":         microseconds(s.Duration),
			"parameters":       s.Parameters,
			"request":          s.Request,
			"started_at":       s.Started,
		})
	})
}

func (f *filler) traceEvents() {
	f.eachTrace(func(s *TraceSession) {
		for _, e := range s.Events {
			f.add(values{
				"session_id":     s.ID,
				"event_id":       e.ID,
				"activity":       e.Activity,
				"source":         addressOrNull(e.Source.Addr()),
				"source_elapsed": microseconds(e.Elapsed),
				"source_port":    e.Source.Port(),
				"thread":         e.Thread,
			})
		}
	})
}

// microseconds returns a duration as an int of CQL can hold it.
func microseconds(d time.Duration) int64 {
	const maxInt = 1<<31 - 1
	return min(d.Microseconds(), maxInt)
}

// addressOrNull returns null for no address.
func addressOrNull(a netip.Addr) any {
	if !a.IsValid() {
		return nil
	}
	return a.Unmap().WithZone("")
}
