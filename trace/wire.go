package trace

import (
	"encoding/binary"
	"errors"
	"time"
)

// The bounds of what a node tells another one beside an answer.
const (
	maxSentEvents = 100
	maxSentBytes  = 16 << 10
)

// errMalformed reports events that cannot be read.
var errMalformed = errors.New("the events of a trace cannot be read")

// Append ends the trace and appends its events for the node that has asked. Those that are too many are left out; the
// last one says how many.
func (t *Trace) Append(dst []byte) []byte {
	events, took := t.End()
	kept, size := 0, 0
	for kept < min(len(events), maxSentEvents) && size < maxSentBytes {
		size += len(events[kept].Activity) + len(events[kept].Thread)
		kept++
	}
	left := len(events) - kept
	dst = binary.AppendUvarint(dst, uint64(took))
	dst = binary.AppendUvarint(dst, uint64(left))
	dst = binary.AppendUvarint(dst, uint64(kept))
	for _, e := range events[:kept] {
		dst = binary.AppendUvarint(dst, uint64(e.Elapsed))
		dst = appendText(dst, e.Activity)
		dst = appendText(dst, e.Thread)
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// A decoder takes apart what Append has made. After an error all that it returns is zero.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || d.failed {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) duration() time.Duration {
	const longest = uint64(24 * time.Hour) // no request takes so long
	return time.Duration(min(d.number(), longest))
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) || d.failed {
		d.failed = true
		return ""
	}
	text := string(d.rest[:n])
	d.rest = d.rest[n:]
	return Shorten(text, maxActivity+len("..."))
}

// Decode returns the events that Append has made, and how long that trace was.
func Decode(b []byte) (events []Event, took time.Duration, err error) {
	d := &decoder{rest: b}
	took = d.duration()
	left, kept := d.number(), d.number()
	if d.failed || kept > maxSentEvents {
		return nil, 0, errMalformed
	}
	for range kept {
		events = append(events, Event{Elapsed: d.duration(), Activity: d.text(), Thread: d.text()})
	}
	if d.failed || len(d.rest) > 0 {
		return nil, 0, errMalformed
	}
	if left > 0 {
		events = append(events, Event{Elapsed: took, Activity: "There were more events, which were not sent"})
	}
	return events, took, nil
}
