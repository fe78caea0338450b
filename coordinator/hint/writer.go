package hint

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// flushAfter returns after how many bytes an endpoint's hints are written before their time.
func (s *Store) flushAfter() int { return int(min(4<<20, s.o.MaxBuffer/4)) }

// write is the writer: it flushes until the store is closed.
func (s *Store) write() {
	tick := time.NewTicker(s.o.FlushPeriod)
	defer tick.Stop()
	for {
		ticked := false
		select {
		case <-s.stop:
			return
		case <-s.kick:
		case <-tick.C:
			ticked = true
		}
		full := !s.o.Free()
		s.mu.Lock()
		s.full = full
		s.mu.Unlock()
		s.disk.Lock()
		for _, h := range s.due(ticked) {
			_ = s.flush(h) // logged, counted, and told those who wait
		}
		if ticked {
			s.expire()
		}
		s.disk.Unlock()
	}
}

// due returns the hosts whose hints are to be written now: all, or those that somebody waits for or
// that have many.
func (s *Store) due(all bool) []*host {
	s.mu.Lock()
	defer s.mu.Unlock()
	crowded := s.buffered >= s.o.MaxBuffer/2
	var out []*host
	for _, h := range s.hosts {
		if len(h.buffer) > 0 && (all || crowded || len(h.waiters) > 0 || len(h.buffer) >= s.flushAfter()) {
			out = append(out, h)
		}
		if all && len(h.buffer) == 0 {
			h.spare = nil
		}
	}
	return out
}

// flush writes a host's hints and syncs them. The caller holds s.disk.
func (s *Store) flush(h *host) error {
	s.mu.Lock()
	buffer, waiters := h.buffer, h.waiters
	h.buffer, h.waiters = nil, nil
	s.mu.Unlock()
	if len(buffer) == 0 {
		return nil
	}
	lost, err := s.append(h, buffer)
	if err == nil {
		err = h.active.file.Sync()
		if err != nil {
			lost = records(buffer) // nobody knows what is on the disk
		}
	}
	if err != nil {
		err = &WriteError{h.id, err}
		s.o.Log.Error("hints are lost", "error", err, "hints", lost)
		s.abandon(h)
	}
	s.mu.Lock()
	s.counters.Failed += lost
	h.buffered -= int64(len(buffer))
	s.buffered -= int64(len(buffer))
	if cap(buffer) <= 2*s.flushAfter() {
		h.spare = buffer
	}
	s.mu.Unlock()
	for _, w := range waiters {
		w <- err
	}
	return err
}

// append writes records to the active file and those after it. After an error it returns how many are
// lost.
func (s *Store) append(h *host, rest []byte) (lost uint64, err error) {
	for len(rest) > 0 {
		first, created, _ := recordLength(rest)
		if a := h.active; a != nil && a.count > 0 && a.size+int64(first) > s.o.MaxFileSize {
			if err := s.seal(h); err != nil {
				return records(rest), err
			}
		}
		if h.active == nil {
			if err := s.begin(h, created); err != nil {
				return records(rest), err
			}
		}
		next := *h.active.segment // as it will be
		n := 0
		for n < len(rest) {
			size, created, expires := recordLength(rest[n:])
			if next.count > 0 && next.size+int64(size) > s.o.MaxFileSize {
				break
			}
			finish(rest[n:], next.sum, next.size)
			next.note(created, expires)
			next.size += int64(size)
			n += size
		}
		if _, err := h.active.file.WriteAt(rest[:n], h.active.size); err != nil {
			return records(rest), err
		}
		s.mu.Lock()
		h.stored += next.size - h.active.size
		g := h.active.segment
		g.size, g.count, g.newest, g.expires = next.size, next.count, next.newest, next.expires
		s.mu.Unlock()
		rest = rest[n:]
	}
	return 0, nil
}

// records returns how many records there are in a buffer.
func records(b []byte) (n uint64) {
	for len(b) > 0 {
		size, _, _ := recordLength(b)
		b = b[size:]
		n++
	}
	return n
}

// begin makes the next file of a host active.
func (s *Store) begin(h *host, created int64) error {
	s.seq++
	g := newSegment(s.o.Dir, identity{h.id, time.Unix(0, created).UnixMilli(), s.seq})
	f, err := g.create()
	if err != nil {
		return err
	}
	h.active = &active{g, f}
	s.mu.Lock()
	h.insert(g)
	s.mu.Unlock()
	return nil
}

// seal completes the active file of a host, if there is one. The caller holds s.disk.
func (s *Store) seal(h *host) error {
	a := h.active
	if a == nil {
		return nil
	}
	h.active = nil
	sealed := *a.segment
	err := errors.Join(sealed.seal(a.file), a.file.Close())
	if err != nil {
		s.o.Log.Error("a file of hints cannot be completed", "file", a.path, "error", err)
		return &WriteError{h.id, err}
	}
	s.mu.Lock()
	h.stored += sealed.size - a.size
	a.segment.size = sealed.size
	s.mu.Unlock()
	return nil
}

// abandon makes nothing more be written to the active file of a host, after an error. What is in it
// will be replayed.
func (s *Store) abandon(h *host) {
	a := h.active
	if a == nil {
		return
	}
	h.active = nil
	_ = a.file.Close() // there is an error already
	if a.count == 0 {
		s.remove(h, a.segment)
	}
}

// expire removes the files in which all hints have expired. The caller holds s.disk.
func (s *Store) expire() {
	now := s.o.Now().UnixNano()
	for _, h := range s.all() {
		s.mu.Lock()
		var old []*segment
		for _, g := range h.segments {
			if g.count > 0 && g.expires <= now && !h.replaying && (h.active == nil || h.active.segment != g) {
				old = append(old, g)
			}
		}
		s.mu.Unlock()
		for _, g := range old {
			s.o.Log.Info("a file of hints has expired", "file", g.path, "hints", g.count)
			s.remove(h, g)
			s.mu.Lock()
			s.counters.Expired += g.count
			s.mu.Unlock()
		}
		if h.active != nil && h.active.expires <= now {
			_ = s.seal(h) // so that it goes the next time
		}
	}
}

// remove removes a file. The caller holds s.disk.
func (s *Store) remove(h *host, g *segment) {
	if err := os.Remove(g.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.o.Log.Warn("a file of hints cannot be removed", "file", g.path, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.removed = true
	if i := slices.Index(h.segments, g); i >= 0 {
		h.segments = slices.Delete(h.segments, i, i+1)
		h.stored -= g.size
	}
}

// Truncate removes the hints for an endpoint.
func (s *Store) Truncate(id ring.HostID) {
	s.disk.Lock()
	defer s.disk.Unlock()
	s.mu.Lock()
	h := s.hosts[id]
	s.mu.Unlock()
	if h != nil {
		s.truncate(h)
	}
}

// TruncateAll removes all hints.
func (s *Store) TruncateAll() {
	s.disk.Lock()
	defer s.disk.Unlock()
	for _, h := range s.all() {
		s.truncate(h)
	}
}

func (s *Store) truncate(h *host) {
	s.abandon(h)
	s.mu.Lock()
	segments, waiters := slices.Clone(h.segments), h.waiters
	dropped := records(h.buffer)
	for _, g := range segments {
		dropped += g.count
	}
	s.counters.Dropped += dropped
	s.buffered -= int64(len(h.buffer))
	h.buffered -= int64(len(h.buffer))
	h.buffer, h.waiters = h.buffer[:0], nil
	s.mu.Unlock()
	for _, w := range waiters {
		w <- &TruncatedError{h.id}
	}
	for _, g := range segments {
		s.remove(h, g)
	}
}

// Forget removes the hints for an endpoint that is not a part of the cluster anymore, and all that is
// known of it.
func (s *Store) Forget(id ring.HostID) {
	s.Truncate(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.down, id)
	if h := s.hosts[id]; h != nil && h.buffered == 0 && len(h.segments) == 0 && !h.replaying {
		delete(s.hosts, id)
	}
}
