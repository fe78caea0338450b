package coordinator

import (
	"context"

	"github.com/iliumdb/ilium/coordinator/paxos"
)

// stripes are locks of partitions. Partitions may share one. Each also keeps some states of its partitions in memory, so that
// those of a contested partition are not read again and again from what is written for every promise.
type stripes [256]stripe

type stripe struct {
	free   chan struct{} // holds one value while somebody has the lock
	states map[string]paxos.State
}

const (
	keptStates = 8       // of each stripe
	keptChange = 2 << 10 // bytes; states with larger changes are not kept
)

func newStripes() *stripes {
	s := new(stripes)
	for i := range s {
		s[i] = stripe{free: make(chan struct{}, 1), states: map[string]paxos.State{}}
	}
	return s
}

func (s *stripes) of(token int64) *stripe { return &s[uint64(token)%uint64(len(s))] }

// lock returns an error if ctx ends before the lock is free.
func (s *stripes) lock(ctx context.Context, token int64) error {
	select {
	case s.of(token).free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stripes) unlock(token int64) { <-s.of(token).free }

// keep keeps a state, whose memory must not change. The caller holds the lock.
func (s *stripe) keep(key string, state paxos.State) {
	if len(state.Accepted.Change)+len(state.Committed.Change) > keptChange {
		delete(s.states, key)
		return
	}
	if _, known := s.states[key]; !known && len(s.states) >= keptStates {
		for other := range s.states { // any
			delete(s.states, other)
			break
		}
	}
	s.states[key] = state
}
