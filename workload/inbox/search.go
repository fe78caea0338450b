package inbox

import (
	"context"

	"github.com/iliumdb/ilium/workload/client"
)

// pageRows is how many rows of an index are fetched at once while searching.
const pageRows = 100

// Terms returns the messages of a user that hold all words, newest first: at most limit of them
// that come after the hit after, or from the newest on if that is nil. The words must be folded as
// mail.Words does.
func (in *Inbox) Terms(ctx context.Context, user string, words []string, limit int, after *Hit) ([]Hit, error) {
	streams := make([]*stream, 0, len(words))
	for _, w := range words {
		streams = append(streams, &stream{all: in.terms, until: in.termsUntil, user: user, key: w, page: min(limit+1, pageRows)})
	}
	return intersect(ctx, streams, limit, after)
}

// With returns the messages that a user exchanged with an address, as Terms does.
func (in *Inbox) With(ctx context.Context, user, address string, limit int, after *Hit) ([]Hit, error) {
	s := &stream{all: in.interactions, until: in.interactionsUntil, user: user, key: address, page: min(limit+1, pageRows)}
	return intersect(ctx, []*stream{s}, limit, after)
}

// intersect returns what all streams have in common. Each stream jumps to where the furthest one
// stands until all stand at the same hit.
func intersect(ctx context.Context, streams []*stream, limit int, after *Hit) ([]Hit, error) {
	defer func() {
		for _, s := range streams {
			s.close()
		}
	}()
	for _, s := range streams {
		ok, err := s.start(ctx, after)
		if err != nil || !ok {
			return nil, err
		}
	}
	var out []Hit
	for len(out) < limit && len(streams) > 0 {
		target := streams[0].at
		for _, s := range streams[1:] {
			if target.before(s.at) {
				target = s.at
			}
		}
		together := true
		for _, s := range streams {
			ok, err := s.seek(ctx, target)
			if err != nil || !ok {
				return out, err
			}
			together = together && s.at.equal(target)
		}
		if !together {
			continue
		}
		out = append(out, target)
		if len(out) == limit {
			break
		}
		if ok, err := streams[0].next(); err != nil || !ok {
			return out, err
		}
	}
	return out, nil
}

// A stream reads the hits of one word or correspondent, newest first.
type stream struct {
	all, until client.Statement
	user, key  string
	page       int

	rows client.Rows
	at   Hit   // where it stands, after start
	dest []any // points to at
}

// start moves to the first hit, or to the first one behind after.
func (s *stream) start(ctx context.Context, after *Hit) (bool, error) {
	if after == nil {
		s.rows = s.all.Query(ctx, s.page, s.user, s.key)
		return s.next()
	}
	ok, err := s.jump(ctx, *after)
	if ok && s.at.equal(*after) {
		return s.next()
	}
	return ok, err
}

func (s *stream) next() (bool, error) {
	if s.dest == nil {
		s.dest = []any{&s.at.SentAt, &s.at.MessageID}
	}
	return s.rows.Next(s.dest...)
}

// seek moves to target, or to the first hit behind it. What the page holds is walked over; further
// away the index is asked again.
func (s *stream) seek(ctx context.Context, target Hit) (bool, error) {
	for s.at.before(target) {
		if s.rows.PageEnds() {
			return s.jump(ctx, target)
		}
		if ok, err := s.next(); err != nil || !ok {
			return ok, err
		}
	}
	return true, nil
}

// jump asks the index for the hits from target on.
func (s *stream) jump(ctx context.Context, target Hit) (bool, error) {
	s.close()
	s.rows = s.until.Query(ctx, s.page, s.user, s.key, target.SentAt)
	for {
		ok, err := s.next()
		if err != nil || !ok || !s.at.before(target) {
			return ok, err
		}
	}
}

func (s *stream) close() {
	if s.rows != nil {
		s.rows.Close()
	}
}
