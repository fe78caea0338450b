// Package trace notes what happens to one request, for a client that has asked for it.
//
//	t := trace.New("connection")
//	t.Add("Parsing %s", text)
//	...
//	events, took := t.End()
//
// Whoever carries out a part of a request is handed its *Trace and adds events in words. For nearly all requests it is nil,
// on which every method does nothing, so that they pay for a comparison. Where the words have arguments, ask On first: to
// put them into the list of arguments may take memory even if nobody looks at it.
//
// A Trace is bounded: it keeps maxEvents events of maxActivity bytes, and says how many more there were.
package trace

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	maxEvents   = 200
	maxActivity = 1000
)

// resolution is the least time between two events, which are told apart, and ordered, by their times in steps of 100 ns.
const resolution = 100 * time.Nanosecond

// A Trace collects the events of one request. It is safe for concurrent use. All methods may be called on nil.
type Trace struct {
	started time.Time

	mu      sync.Mutex
	thread  string
	events  []Event
	dropped int
	ended   bool
}

// An Event is one step of a request.
type Event struct {
	Elapsed  time.Duration // since the request began
	Activity string        // what was done, or is about to be done, in words
	Thread   string        // the kind of goroutine
}

// New begins a trace now. thread says which kind of goroutine carries out the request.
func New(thread string) *Trace { return &Trace{started: time.Now(), thread: thread} }

// On reports whether anything is to be added.
func (t *Trace) On() bool { return t != nil }

// Started returns when the trace began. The trace must not be nil.
func (t *Trace) Started() time.Time { return t.started }

// Enter says that the request goes on in a goroutine of another kind.
func (t *Trace) Enter(thread string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.thread = thread
}

// Add adds an event that happens now in the request's goroutine.
func (t *Trace) Add(format string, args ...any) {
	if t == nil {
		return
	}
	t.add("", format, args)
}

// AddIn adds an event that happens now in another goroutine.
func (t *Trace) AddIn(thread, format string, args ...any) {
	if t == nil {
		return
	}
	t.add(thread, format, args)
}

func (t *Trace) add(thread, format string, args []any) {
	elapsed := time.Since(t.started)
	activity := Shorten(fmt.Sprintf(format, args...), maxActivity)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended: // a write that has timed out goes on without its client
		return
	case len(t.events) >= maxEvents:
		t.dropped++
		return
	case thread == "":
		thread = t.thread
	}
	t.events = append(t.events, Event{Elapsed: t.after(elapsed), Activity: activity, Thread: thread})
}

// after returns elapsed, or the next time at which an event can be told from the one before.
func (t *Trace) after(elapsed time.Duration) time.Duration {
	if n := len(t.events); n > 0 {
		elapsed = max(elapsed, t.events[n-1].Elapsed+resolution)
	}
	return elapsed
}

// End returns all events and how long the request has taken. What is added later is ignored.
func (t *Trace) End() (events []Event, took time.Duration) {
	if t == nil {
		return nil, 0
	}
	took = time.Since(t.started)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dropped > 0 && !t.ended {
		t.events = append(t.events, Event{Elapsed: t.after(took), Activity: fmt.Sprintf("%d more events are not kept", t.dropped), Thread: t.thread})
	}
	t.ended = true
	return t.events, took
}

// Shorten returns at most n bytes of text, and three dots where it was cut.
func Shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}
