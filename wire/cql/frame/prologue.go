package frame

import (
	"maps"
	"slices"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Prologue is what the flags of a header announce in front of a message.
type Prologue struct {
	// Tracing asks, in a request, for the request to be traced. In a response it says that TracingID is given.
	Tracing   bool
	TracingID cqltype.UUID // responses only

	// Warnings tell of what the server did not like about the request. Responses only; version 3 has no place for them, so
	// they are left out there.
	Warnings []string

	// Payload is data for a server with a custom query handler, or from it. A nil value is null. Version 3 has no place for it.
	Payload map[string][]byte
}

func (p *Prologue) flags(v Version, response bool) Flags {
	var f Flags
	if p.Tracing {
		f |= FlagTracing
	}
	if v >= V4 && response && len(p.Warnings) > 0 {
		f |= FlagWarning
	}
	if v >= V4 && len(p.Payload) > 0 {
		f |= FlagCustomPayload
	}
	return f
}

// append appends what h.Flags say: trace id, warnings, payload, in that order.
func (p *Prologue) append(dst []byte, h Header) ([]byte, error) {
	e := newEncoder("prologue", dst)
	if h.Response && h.Flags&FlagTracing != 0 {
		e.b = append(e.b, p.TracingID[:]...)
	}
	if h.Flags&FlagWarning != 0 {
		e.stringList("warnings", p.Warnings)
	}
	if h.Flags&FlagCustomPayload != 0 {
		e.short("custom payload", len(p.Payload))
		for _, key := range slices.Sorted(maps.Keys(p.Payload)) {
			e.string("custom payload", key)
			e.bytes("custom payload", p.Payload[key])
		}
	}
	return e.result()
}

// Decode reads the prologue of f and returns the message behind it. It overwrites all fields; values of Payload are parts
// of the frame's body.
func (p *Prologue) Decode(f Frame) (message []byte, err error) {
	*p = Prologue{Warnings: p.Warnings[:0]}
	if f.Flags&(FlagTracing|FlagWarning|FlagCustomPayload) == 0 {
		return f.Body, nil
	}
	d := decoder{message: "prologue", body: f.Body}
	p.Tracing = f.Flags&FlagTracing != 0
	if p.Tracing && f.Response {
		copy(p.TracingID[:], d.take("tracing id", len(p.TracingID)))
	}
	if f.Flags&FlagWarning != 0 && f.Response && f.Version >= V4 {
		p.Warnings = d.stringList("warnings", p.Warnings)
	}
	if f.Flags&FlagCustomPayload != 0 {
		if f.Version < V4 {
			d.fail("custom payload", 0, "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4")
		}
		for range d.count("custom payload", 6) {
			if p.Payload == nil {
				p.Payload = make(map[string][]byte)
			}
			key := d.string("custom payload")
			p.Payload[key] = d.bytes("custom payload")
		}
	}
	return f.Body[d.at:], d.result()
}
