package coordinator

import "context"

// stripes are locks of partitions. Partitions may share one.
type stripes [256]chan struct{}

func newStripes() *stripes {
	s := new(stripes)
	for i := range s {
		s[i] = make(chan struct{}, 1)
	}
	return s
}

func (s *stripes) of(token int64) chan struct{} { return s[uint64(token)%uint64(len(s))] }

// lock returns an error if ctx ends before the lock is free.
func (s *stripes) lock(ctx context.Context, token int64) error {
	select {
	case s.of(token) <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stripes) unlock(token int64) { <-s.of(token) }
