package peer

import (
	"errors"
	"math"
	"net"
	"sync/atomic"
	"time"

	"github.com/iliumdb/ilium/ring"
)

const (
	// outputLimit is how many bytes of answers may wait before no more requests are read.
	outputLimit = 8 << 20
	// beatInterval is how long this side may be silent in the middle of a request.
	beatInterval = time.Second
	// requestCost is what a request holds besides its body.
	requestCost = 2 << 10
	// maxMessage is how many bytes of an error travel.
	maxMessage = 4 << 10
	// maxAcceptPause is how long no connection is accepted after errors.
	maxAcceptPause = time.Second
)

// accept takes connections until the hub closes.
func (h *Hub) accept() {
	pause := time.Duration(0)
	for {
		conn, err := h.listener.Accept()
		if h.ctx.Err() != nil {
			if err == nil {
				_ = conn.Close() // too late
			}
			return
		}
		if err != nil {
			if pause == 0 {
				h.options.Log.Error("no connection from other nodes can be accepted", "error", err)
			}
			pause = min(max(2*pause, 5*time.Millisecond), maxAcceptPause)
			if !h.pause(pause) {
				return
			}
			continue
		}
		pause = 0
		select {
		case h.strangers <- struct{}{}:
			if !h.goroutines.run(func() { h.serve(conn) }) {
				_ = conn.Close() // too late
			}
		default:
			_ = conn.Close() // there are too many already
		}
	}
}

// pause waits. It reports whether the hub is still open.
func (h *Hub) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// serve does what is asked for on a connection, until its end.
func (h *Hub) serve(conn net.Conn) {
	if !h.track(conn) {
		<-h.strangers
		return
	}
	s, err := h.receive(h.ctx, conn)
	<-h.strangers
	if err != nil {
		h.untrack(conn)
		_ = conn.Close() // of no use
		h.complain(conn.RemoteAddr().String(), err)
		return
	}
	if s.class == classStream {
		h.untrack(conn)
		select {
		case h.streams <- s.conn:
		case <-h.ctx.Done():
			_ = s.conn.Close() // nobody takes it
		}
		return
	}
	defer h.untrack(conn)
	in := &inbound{hub: h, from: s.other, compress: s.compress, output: newOutput(s, &h.chunks, math.MaxInt)}
	in.input = input{r: s.conn, limit: h.options.MaxFrame, heard: in.beat}
	if !h.goroutines.run(in.output.run) {
		in.output.stop(ErrClosed)
		return
	}
	in.output.stop(in.read())
}

// track remembers a connection, for Close. After Close, it closes the connection and returns false.
func (h *Hub) track(conn net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		_ = conn.Close() // too late
		return false
	}
	h.accepted[conn] = struct{}{}
	return true
}

func (h *Hub) untrack(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.accepted, conn)
}

// An inbound is a connection on which another node sends requests.
type inbound struct {
	hub      *Hub
	from     ring.HostID
	compress bool
	input    input
	output   *output
	underWay atomic.Int64 // requests
}

// beat shows that this side lives, if it is silent although the other side waits for it.
func (in *inbound) beat(partial bool) {
	if !partial && in.underWay.Load() == 0 {
		return
	}
	now := time.Now().UnixNano()
	last := in.output.wrote.Load()
	if last == 0 {
		in.output.wrote.CompareAndSwap(0, now)
	} else if now-last >= int64(beatInterval) && in.output.wrote.CompareAndSwap(last, now) {
		in.send(&header{kind: kindPong}, nil)
	}
}

// send adds a frame. That the connection is broken is the reader's to see.
func (in *inbound) send(h *header, payload []byte) {
	p := in.hub.chunks.pack(payload, in.compress && in.hub.compresses(in.from), false)
	_ = in.output.add(h, &p)
}

// read starts what is asked for, until the connection breaks.
func (in *inbound) read() error {
	for {
		h, payload, err := in.input.next()
		if err != nil {
			return err
		}
		switch h.kind {
		case kindRequest:
			err = in.request(&h, payload)
		case kindPing:
			in.send(&header{kind: kindPong}, nil)
		default:
			err = &frameError{"an answer where requests are expected"}
		}
		if err != nil {
			in.hub.complain(in.output.conn.RemoteAddr().String(), err)
			return err
		}
		in.output.await(outputLimit)
	}
}

// request hands a request to a worker, or refuses it.
func (in *inbound) request(h *header, payload []byte) error {
	hub := in.hub
	size, err := h.decodedLen(payload, in.input.limit)
	if err != nil {
		return err
	}
	handler := hub.handlers[h.verb]
	held := int64(size) + requestCost + hub.usual[h.verb].bytes.Load()
	switch {
	case handler == nil && h.verb == VerbPing:
		in.send(&header{kind: kindAnswer, verb: h.verb, id: h.id}, nil)
		return nil
	case handler == nil:
		in.fail(h.verb, h.id, &Failure{CodeUnknownVerb, "the node does not know what it is asked for"})
		return nil
	case !hub.gate.enter(held, h.verb.governs()):
		in.fail(h.verb, h.id, &Failure{CodeOverloaded, "the node is overloaded"})
		return nil
	}
	t := hub.task()
	t.in, t.handler, t.id, t.held = in, handler, h.id, held
	t.request = Request{From: in.from, Verb: h.verb, Body: t.room(size), Memory: t.memory}
	if h.remaining != unlimited {
		t.request.Deadline = time.Now().Add(time.Duration(h.remaining) * time.Millisecond)
	}
	in.underWay.Add(1)
	if err := h.decode(t.request.Body, payload); err != nil {
		t.end()
		return err
	}
	if !hub.workers.Run(t) { // the hub is closing
		t.end()
	}
	return nil
}

func (in *inbound) fail(v Verb, id uint64, err error) {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		f = &Failure{Message: err.Error()}
	}
	in.send(&header{kind: kindFailure, verb: v, id: id, code: f.Code}, []byte(f.Message[:min(len(f.Message), maxMessage)]))
}
