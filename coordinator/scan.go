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
		if err = s.coordinator.opts.Refresh(s.ctx); err != nil {
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

// part returns the part that what is left begins with. A part without enough live replicas is an error, unless
// it is empty.
func (s *scanning) part() (*scanPart, error) {
	c, level := s.coordinator, s.reading.Level
	placement, _, err := c.placements.of(s.reading.Keyspace)
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
	p, err := c.plan(s.reading.Keyspace, level, token, false)
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
		next, err := c.plan(s.reading.Keyspace, level, token, false)
		if err != nil || !part.plan.join(c, &next) {
			part.end = end
			return part, nil // what is wrong with the next part is said when it is read
		}
	}
}

// join makes p a plan for what both p and next are plans for, if they have live replicas enough in common.
func (p *plan) join(c *Coordinator, next *plan) bool {
	if slices.Equal(p.replicas, next.replicas) {
		return true
	}
	common := make([]*ring.Endpoint, 0, len(p.replicas))
	quotas := slices.Clone(p.quotas)
	for i := range quotas {
		quotas[i].replicas = 0
	}
	for _, e := range p.replicas {
		if !slices.Contains(next.replicas, e) {
			continue
		}
		common = append(common, e)
		for i := range quotas {
			if quotas[i].counts(e) && c.cluster.IsAlive(e.ID) {
				quotas[i].replicas++
			}
		}
	}
	if slices.ContainsFunc(quotas, func(q quota) bool { return q.replicas < q.required }) {
		return false
	}
	p.replicas, p.quotas = common, quotas
	return true
}
