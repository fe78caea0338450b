package hint

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A Send begins to send a hint to an endpoint. It calls done once, when the endpoint has answered or
// will not; body is valid until then. done does not block and may be called at once. It is made for
// peer.Hub's Send.
type Send func(body []byte, done func(error))

const (
	maxUnderWay      = 128
	maxBytesUnderWay = 1 << 20
	saveAfter        = 1 << 20 // bytes of progress
)

// Replay sends an endpoint the hints that are there when it is called, in order, and removes them.
// It returns nil when it has tried all of them. A *peer.Failure that is final is logged, and the hint
// skipped; any other error ends the replay, as do ctx, Pause and Close, and the rest is kept. Replay
// returns when nothing is under way anymore, so done must be called in any case.
func (s *Store) Replay(ctx context.Context, id ring.HostID, send Send) error {
	rate := float64(s.o.Throttle) / float64(max(1, s.o.Nodes()-1))
	return s.replay(ctx, id, &replay{send: func(h *sending) { send(h.body, h.ack) }, throttle: throttle{rate: rate}})
}

// A Keep is a Send that also says when the hint expires.
type Keep func(body []byte, expires time.Time, done func(error))

// Transfer is Replay for a node that leaves and sends its hints to one that is to keep them for their
// endpoint: at the whole rate of Options.Throttle, and any error ends it.
func (s *Store) Transfer(ctx context.Context, id ring.HostID, keep Keep) error {
	return s.replay(ctx, id, &replay{
		send:     func(h *sending) { keep(h.body, time.Unix(0, h.expires), h.ack) },
		throttle: throttle{rate: float64(s.o.Throttle)}, transfer: true,
	})
}

func (s *Store) replay(ctx context.Context, id ring.HostID, r *replay) error {
	h, err := s.beginReplay(id)
	if h == nil {
		return err
	}
	defer s.endReplay(h)
	segments, err := s.sealed(h)
	if err != nil {
		return err
	}
	r.ctx, r.s, r.h, r.acks = ctx, s, h, make(chan *sending, maxUnderWay)
	for _, g := range segments {
		if g.unreadable {
			continue
		}
		if err := r.segment(g); err != nil {
			return err
		}
	}
	return nil
}

// beginReplay returns the host, or nil if there is nothing to replay.
func (s *Store) beginReplay(id ring.HostID) (*host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[id]
	switch {
	case s.closed:
		return nil, &ClosedError{}
	case isClosed(s.pause):
		return nil, &PausedError{}
	case h == nil:
		return nil, nil
	case h.replaying:
		return nil, &ReplayingError{id}
	}
	h.replaying = true
	return h, nil
}

func (s *Store) endReplay(h *host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.replaying = false
}

// sealed writes what a host has in memory and returns its files, all complete.
func (s *Store) sealed(h *host) ([]*segment, error) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if err := errors.Join(s.flush(h), s.seal(h)); err != nil {
		s.o.Log.Warn("the newest hints may not be replayed", "node", h.id, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &ClosedError{}
	}
	return slices.Clone(h.segments), nil
}

func (s *Store) paused() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pause
}

func (s *Store) count(change func(*Counters)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counters)
}

// setAside leaves a file that cannot be read out of further replays.
func (s *Store) setAside(g *segment, err error) {
	s.o.Log.Error("a file of hints cannot be read and is left out until the next start", "file", g.path, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	g.damaged, g.unreadable = true, true
}

// removeReplayed removes a file when nothing in it is left.
func (s *Store) removeReplayed(h *host, g *segment) {
	s.disk.Lock()
	defer s.disk.Unlock()
	s.remove(h, g)
}
