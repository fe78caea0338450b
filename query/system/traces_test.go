package system

import (
	"testing"

	"github.com/iliumdb/ilium/schema/cqltype"
)

func TestTracesTakeLateEvents(t *testing.T) {
	traces := NewTraces(6)
	for id := range byte(2) {
		traces.Record(TraceSession{ID: cqltype.UUID{id}, Events: []TraceEvent{{Activity: "in time"}}})
	}
	count := func(id byte) (events int) {
		only := cqltype.UUID{id}
		traces.each(only[:], func(s *TraceSession) { events = len(s.Events) })
		return events
	}
	traces.Add(cqltype.UUID{1}, []TraceEvent{{Activity: "late"}, {Activity: "later"}})
	traces.Add(cqltype.UUID{9}, []TraceEvent{{Activity: "of nobody"}})
	if count(0) != 1 || count(1) != 3 {
		t.Errorf("%d and %d events", count(0), count(1))
	}
	traces.Add(cqltype.UUID{1}, []TraceEvent{{Activity: "too many"}})
	if count(0) != 0 || count(1) != 4 {
		t.Errorf("%d and %d events", count(0), count(1))
	}
}
