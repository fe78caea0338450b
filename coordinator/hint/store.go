package hint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A Store keeps hints for endpoints. It is safe for concurrent use.
type Store struct {
	o    Options
	kick chan struct{} // wakes the writer
	stop chan struct{}
	done sync.WaitGroup

	disk sync.Mutex // held while files are written or removed; taken before mu
	seq  uint64     // of the newest file, guarded by disk

	mu       sync.Mutex
	hosts    map[ring.HostID]*host
	down     map[ring.HostID]time.Time // since when
	buffered int64
	counters Counters
	full     bool // the disk, when it was last asked
	closed   bool
	pause    chan struct{} // closed while replays are paused
}

// A host has the hints for one endpoint. Its fields are guarded by the store's mutex.
type host struct {
	id       ring.HostID
	segments []*segment // by number; the last one may be active

	stored   int64  // bytes of the segments
	buffered int64  // bytes of hints that are not written, or are being written
	buffer   []byte // of records without checksums
	spare    []byte // memory for the next buffer
	first    int64  // when the oldest hint in memory was added
	waiters  []chan error

	replaying bool
	active    *active // guarded by the store's disk mutex
}

// An active file is one that hints are appended to.
type active struct {
	*segment
	file *os.File
}

// Counters count hints since the store was opened.
type Counters struct {
	Created  uint64 // taken by Add and AddDurable
	Replayed uint64 // taken by their endpoint
	Failed   uint64 // refused by their endpoint, or not written because of the disk
	Expired  uint64 // too old to be replayed
	Dropped  uint64 // refused by Add and AddDurable, or removed
	Damaged  uint64 // runs of bytes that could not be read
}

// Open returns the store of the hints in Options.Dir.
func Open(o Options) (*Store, error) {
	s := &Store{
		o: o.complete(), kick: make(chan struct{}, 1), stop: make(chan struct{}), pause: make(chan struct{}),
		hosts: map[ring.HostID]*host{}, down: map[ring.HostID]time.Time{},
	}
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the directory of hints: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.full = !s.o.Free()
	s.done.Go(s.write)
	return s, nil
}

// load takes over the files that are there.
func (s *Store) load() error {
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return fmt.Errorf("opening the directory of hints: %w", err)
	}
	for _, e := range entries {
		id, ok := parseName(e.Name())
		if !ok {
			s.o.Log.Warn("a file among the hints has a name that is none of theirs", "file", e.Name())
			continue
		}
		s.seq = max(s.seq, id.seq)
		if g := openSegment(s.o.Dir, id, s.o.Log); g != nil {
			s.host(id.host).insert(g)
		}
	}
	return nil
}

// host returns the host of that id, and makes it if it is new.
func (s *Store) host(id ring.HostID) *host {
	h := s.hosts[id]
	if h == nil {
		h = &host{id: id}
		s.hosts[id] = h
	}
	return h
}

// insert adds a segment.
func (h *host) insert(g *segment) {
	i := len(h.segments)
	for i > 0 && h.segments[i-1].seq > g.seq {
		i--
	}
	h.segments = append(h.segments, nil)
	copy(h.segments[i+1:], h.segments[i:])
	h.segments[i] = g
	h.stored += g.size
}

// Add takes a hint, which must not be replayed at expires or later. It copies body and does not wait for
// the disk: a crash before the next flush loses the hint.
func (s *Store) Add(to ring.HostID, body []byte, expires time.Time) error {
	s.mu.Lock()
	_, err := s.add(to, body, expires)
	s.mu.Unlock()
	return err
}

// AddDurable takes a hint and returns when it is on disk. If ctx ends before, the hint may still be
// replayed.
func (s *Store) AddDurable(ctx context.Context, to ring.HostID, body []byte, expires time.Time) error {
	written := make(chan error, 1)
	s.mu.Lock()
	h, err := s.add(to, body, expires)
	if err == nil {
		h.waiters = append(h.waiters, written)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.wake()
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) add(to ring.HostID, body []byte, expires time.Time) (*host, error) {
	if s.closed {
		return nil, &ClosedError{}
	}
	now, h, size := s.o.Now(), s.host(to), int64(recordSize+len(body))
	if err := s.refusal(h, size, now); err != nil {
		s.counters.Dropped++
		return nil, err
	}
	if !now.Before(expires) {
		s.counters.Expired++
		return nil, &ExpiredError{to, expires}
	}
	if h.buffer == nil {
		h.buffer, h.spare = h.spare[:0], nil
	}
	if len(h.buffer) == 0 {
		h.first = now.UnixNano()
	}
	h.buffer = appendRecord(h.buffer, now.UnixNano(), expires.UnixNano(), body)
	h.buffered += size
	s.buffered += size
	s.counters.Created++
	if len(h.buffer) >= s.flushAfter() || s.buffered >= s.o.MaxBuffer/2 {
		s.wake()
	}
	return h, nil
}

// refusal returns why there is no room for a hint, or nil.
func (s *Store) refusal(h *host, size int64, now time.Time) error {
	if since, ok := s.down[h.id]; ok && s.o.Window > 0 {
		if oldest, ok := h.oldest(); ok && oldest.Before(since) {
			since = oldest
		}
		if now.Sub(since) > s.o.Window {
			return &WindowError{h.id, since, s.o.Window}
		}
	}
	if bytes := h.stored + h.buffered; s.o.MaxBytesPerHost > 0 && bytes+size > s.o.MaxBytesPerHost {
		return &FullError{h.id, bytes, s.o.MaxBytesPerHost}
	}
	if s.full {
		return &DiskFullError{s.o.Dir}
	}
	if s.buffered+size > s.o.MaxBuffer {
		s.wake()
		return &BusyError{s.buffered, s.o.MaxBuffer}
	}
	return nil
}

// oldest returns when the oldest hint that can be replayed was added, to the millisecond, or earlier.
func (h *host) oldest() (time.Time, bool) {
	for _, g := range h.segments {
		if !g.unreadable {
			return time.UnixMilli(g.stamp), true
		}
	}
	return time.Unix(0, h.first), h.buffered > 0
}

// wake makes the writer write what there is.
func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // it will
	}
}

// Down says that an endpoint is down, and since when. If it is down already, that stays.
func (s *Store) Down(id ring.HostID, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.down[id]; !known {
		s.down[id] = since
	}
}

// Up says that an endpoint is not down anymore.
func (s *Store) Up(id ring.HostID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.down, id)
}

// Counters returns what has happened so far.
func (s *Store) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters
}

// Pause ends all replays, with a *PausedError, and prevents further ones. The hints stay.
func (s *Store) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !isClosed(s.pause) {
		close(s.pause)
	}
}

// Resume allows replays again.
func (s *Store) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(s.pause) {
		s.pause = make(chan struct{})
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Close writes what is in memory, makes all durable and refuses what comes after. Replays end with a
// *ClosedError. If it returns an error, hints are lost.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	s.done.Wait()
	s.disk.Lock()
	defer s.disk.Unlock()
	var errs []error
	for _, h := range s.all() {
		errs = append(errs, s.flush(h), s.seal(h))
	}
	return errors.Join(errs...)
}

// all returns all hosts.
func (s *Store) all() []*host {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*host, 0, len(s.hosts))
	for _, h := range s.hosts {
		out = append(out, h)
	}
	return out
}

// recordLength returns the size of the record at the beginning of a buffer, and its times.
func recordLength(b []byte) (size int, created, expires int64) {
	return recordSize + int(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint64(b[12:]))
}
