package coordinator

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// Scan returns a cursor over many partitions of a table, in the order of their tokens. The caller must close it.
// It is cut where the replicas change: each part is read from replicas of all of it, in blocks as in Read.
func (c *Coordinator) Scan(ctx context.Context, q *Reading, s *storage.Scan) (*storage.Cursor, error) {
	whole := &scanning{coordinator: c, ctx: ctx, reading: q, at: *s}
	first, err := whole.part()
	if err != nil {
		return nil, err
	}
	if q.Trace.On() {
		q.Trace.Add("Submitting range request to %s", c.describe(&first.plan, q.Level))
	}
	if first.end == nil && c.answersAlone(&first.plan) {
		return c.engine.Scan(s), nil
	}
	return storage.NewScanCursor(s, whole.next, c.blockOptions(q)), nil
}

// A scanning is one call of Scan.
type scanning struct {
	coordinator *Coordinator
	ctx         context.Context
	reading     *Reading
	at          storage.Scan // what is left
	current     *scanPart
}

// A scanPart is a run of ranges that have replicas in common, as many as the level asks for.
type scanPart struct {
	plan plan
	end  []byte // of the part, a row key; nil if that is the end of the scan
}

// next fetches a block of the part at hand. When a part is complete, the next one begins where it ends.
func (s *scanning) next(after []byte) (*storage.Entries, error) {
	switch order := bytes.Compare(after, s.at.Start); {
	case after == nil, order < 0:
	case s.current != nil && bytes.Equal(after, s.current.end):
		s.at.Start, s.current = s.current.end, nil
	case !s.at.After(after):
		return &storage.Entries{}, nil
	}
	if p := s.current; p == nil || p.end != nil && bytes.Compare(s.at.Start, p.end) >= 0 {
		next, err := s.part()
		if err != nil {
			return nil, err
		}
		s.current = next
	}
	entries, err := s.block()
	if stale := (*staleError)(nil); errors.As(err, &stale) {
		b := &blocks{coordinator: s.coordinator, ctx: s.ctx, reading: s.reading}
		if err = b.refresh(stale); err != nil {
			return nil, err
		}
		s.current = nil
		return s.next(nil)
	}
	if err == nil && entries.Complete() && s.current.end != nil {
		entries.Continue(s.current.end)
	}
	return entries, err
}

// block fetches a block of the part at hand.
func (s *scanning) block() (*storage.Entries, error) {
	part := s.at
	if s.current.end != nil {
		part.End = s.current.end
	}
	b := &blocks{coordinator: s.coordinator, ctx: s.ctx, reading: s.reading, plan: s.current.plan}
	return b.next(query{scan: &part, limit: b.limit()})
}

// part returns the part that what is left begins with. A part without enough live replicas is an error; what is wrong
// with the parts behind it is said when they are read.
func (s *scanning) part() (*scanPart, error) {
	c := s.coordinator
	placement, datacenter, err := c.placements.of(s.reading.Keyspace)
	if err != nil {
		return nil, err
	}
	token := ring.MinToken
	if len(s.at.Start) >= row.TokenSize {
		t, err := row.PartitionToken(append(slices.Clone(s.at.Start[:row.TokenSize]), 0, 0))
		if err != nil {
			return nil, err
		}
		token = ring.Token(t)
	}
	p, err := c.planAt(placement, datacenter, s.reading.Level, token, false)
	if err != nil {
		return nil, err
	}
	part := &scanPart{plan: p}
	for {
		last := placement.RangeEnd(token)
		if last == ring.MaxToken {
			return part, nil
		}
		end := row.AppendToken(nil, int64(last)+1)
		if s.at.End != nil && bytes.Compare(end, s.at.End) >= 0 {
			return part, nil
		}
		token = last + 1
		if !part.plan.join(c, placement.Replicas(token)) {
			part.end = end
			return part, nil
		}
	}
}

// join restricts p to the replicas that it has in common with another range, if enough of them live. It reports whether
// p is a plan for both then.
func (p *plan) join(c *Coordinator, others []*ring.Endpoint) bool {
	missing := func(e *ring.Endpoint) bool { return !slices.Contains(others, e) }
	if !slices.ContainsFunc(p.replicas, missing) {
		return true
	}
	quotas := p.quotas.renewed(nil)
	for _, e := range p.replicas {
		if !missing(e) && c.cluster.IsAlive(e.ID) {
			quotas.count(e)
		}
	}
	if quotas.unavailable(0) != nil {
		return false
	}
	p.replicas, p.quotas = slices.DeleteFunc(slices.Clone(p.replicas), missing), quotas
	return true
}
