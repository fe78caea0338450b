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
// Other nodes that carry out a part have a Trace of their own. Its events travel beside their answer, see Append, and AddFrom
// puts them where they belong. What is added after End, by those who answer when the client has its answer already, is
// told to Follow.
//
// A Trace is bounded: it keeps maxEvents events of maxActivity bytes, twice as many of other nodes, and says how many more there
// were.
package trace

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxEvents   = 200
	maxForeign  = 2 * maxEvents
	maxLate     = 100
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
	foreign int // of them, from other nodes
	dropped int
	last    time.Duration // when the newest event happened
	ended   bool
	late    []Event // that were added after the end
	follow  func([]Event)
}

// An Event is one step of a request.
type Event struct {
	At       time.Duration  // since the trace began; no two events of a trace have the same
	Elapsed  time.Duration  // since the request began where it happened
	Activity string         // what was done, or is about to be done, in words
	Thread   string         // the kind of goroutine
	Source   netip.AddrPort // the node where it happened; not valid: this one
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
	if thread == "" {
		thread = t.thread
	}
	t.last = max(elapsed, t.last+resolution)
	t.keep(len(t.events)-t.foreign < maxEvents, Event{At: t.last, Elapsed: t.last, Activity: activity, Thread: thread})
}

// keep adds an event if there is room. The caller holds mu.
func (t *Trace) keep(room bool, e Event) {
	switch {
	case t.ended && t.follow != nil:
		t.follow([]Event{e})
	case t.ended && len(t.late) < maxLate:
		t.late = append(t.late, e)
	case t.ended:
	case !room:
		t.dropped++
	default:
		t.events = append(t.events, e)
	}
}

// Now returns the time since the trace began, at which the newest event lies or later.
func (t *Trace) Now() time.Duration {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(time.Since(t.started), t.last)
}

// AddFrom adds the events of another node, which was asked at a time of Now and has answered now, after it has worked for
// took. Their times are by its clock; they get a place between the question and the answer.
func (t *Trace) AddFrom(source netip.AddrPort, asked, took time.Duration, events []Event) {
	if t == nil {
		return
	}
	now := t.Now()
	begin := asked + resolution + max(now-asked-took, 0)/2
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		e.Source, e.At = source, min(begin+e.Elapsed, now) // whatever its clock says
		if t.ended {                                       // what has happened before was told
			e.At = max(e.At, t.last+resolution)
		}
		t.last = max(t.last, e.At)
		before := len(t.events)
		t.keep(t.foreign < maxForeign, e)
		t.foreign += len(t.events) - before
	}
}

// End returns all events and how long the request has taken. What is added later is left to Follow.
func (t *Trace) End() (events []Event, took time.Duration) {
	if t == nil {
		return nil, 0
	}
	took = time.Since(t.started)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return t.events, took
	}
	t.ended = true
	slices.SortStableFunc(t.events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	for i := 1; i < len(t.events); i++ {
		t.events[i].At = max(t.events[i].At, t.events[i-1].At+resolution)
	}
	if n := len(t.events); n > 0 {
		t.last = max(t.last, t.events[n-1].At)
	}
	if t.dropped > 0 {
		t.last = max(took, t.last+resolution)
		t.events = append(t.events, Event{At: t.last, Elapsed: t.last, Activity: fmt.Sprintf("%d more events are not kept", t.dropped), Thread: t.thread})
	}
	return t.events, took
}

// Follow hands over the events that have come since End, and then those that come, until a bound. follow must not
// use the trace.
func (t *Trace) Follow(follow func([]Event)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.late) > 0 {
		follow(t.late)
	}
	left := maxLate - len(t.late)
	t.late = nil
	t.follow = func(events []Event) {
		if left -= len(events); left >= 0 {
			follow(events)
		}
	}
}

// Shorten returns at most n bytes of text, and three dots where it was cut.
func Shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}
