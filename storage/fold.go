package storage

import (
	"bytes"
	"context"
	"math"

	"github.com/iliumdb/ilium/storage/page"
	"github.com/iliumdb/ilium/storage/row"
)

// Folding replaces fragments by pages. It goes over a table in steps, each one Badger
// transaction: a step plans which page ranges are worth rewriting (foldplan.go), merges their
// fragments and pages at one view of the table, writes the new pages, and deletes the fragments.
//
// Writers do not wait for a step. The committer records which rows are written while it runs,
// from before its view was opened, and leaves their fragments in place: the new pages say up to
// which commit sequence number they hold everything, so what they hold already is ignored there,
// and what came later is not. That must hold for every fragment that may stay in place, also if
// nothing of its row is left; and the page that the next step makes must not claim to hold what is
// written meanwhile into the range of this one. So there is a page at the end of every range that
// was folded, if need be one without rows. It goes when its range is folded together with the next.
//
// A page that is no longer needed is replaced by an empty one, and removed much later: if it
// were deleted at once, a compaction among the newest files could drop the deletion before the
// page.

// A foldStep is one step at work.
type foldStep struct {
	engine *Engine
	table  Table
	view   *view
	plan   *foldPlan
	now    int64
	policy foldPolicy

	purgeHeader []byte   // prefix of the partition whose deletions may be purged
	purgeable   [][]byte // prefixes of partitions that have deletions old enough

	entries *entries
	at      partition
	last    []byte          // row key taken last in the run
	left    map[string]bool // row keys of rows that are too large for a page: their fragments stay
	changes []change
	bytes   int64
	writer  *page.Writer
}

// fold carries out one step on a table, from the row key from on, and returns where the next one
// starts: nil behind the end, or behind the range of until. See planFold.
func (f *folder) fold(ctx context.Context, incarnation uint32, from, until []byte, purgeHeader []byte, policy foldPolicy) (*foldStep, error) {
	e := f.engine
	w := &watch{
		low:     row.AppendTable(nil, incarnation, row.Fragments),
		high:    row.AppendTable(nil, incarnation, row.Fragments+1),
		written: make(map[string]struct{}),
	}
	// Once this returns, every write is either visible, or recorded from now on.
	if err := e.commit.submit(ctx, &request{watch: w, exclusive: true}); err != nil {
		return nil, err
	}
	s := &foldStep{engine: e, plan: &foldPlan{}, policy: policy, purgeHeader: purgeHeader, now: e.opts.Now().Unix()}
	err := s.merge(incarnation, from, until, f.horizon())
	if err == nil && len(s.changes) > 0 {
		e.table(incarnation).pages.Store(true) // before the pages become visible
	}
	// Even without changes the watch must be taken back.
	end := &request{watch: w, exclusive: true, changes: append([]change{}, s.changes...)}
	if err != nil {
		end.changes = []change{}
	}
	state := e.table(incarnation)
	state.foldsBegun.Add(1)
	commitErr := e.commit.submit(context.WithoutCancel(ctx), end)
	state.foldsEnded.Add(1)
	if err == nil {
		err = commitErr
	}
	return s, err
}

// merge plans the step and computes its changes.
func (s *foldStep) merge(incarnation uint32, from, until []byte, horizon uint64) error {
	v, err := s.engine.openView(incarnation, nil, false, false)
	if err != nil {
		return err
	}
	defer v.close()
	s.view = v
	// Asked for only now: who wrote what the view sees, in whatever columns, knew the table no later than this.
	var ok bool
	if s.table, ok = s.engine.opts.Tables(incarnation); !ok {
		return nil
	}
	if s.plan, err = planFold(v, from, until, s.policy, horizon); err != nil {
		return s.explain(err)
	}
	pages := row.AppendTable(nil, incarnation, row.Pages)
	s.writer = page.NewWriter(s.engine.codec, s.policy.pageTarget, s.table.Compress,
		func(upper []byte, info page.Info, seal page.Seal) {
			key := append(bytes.Clone(pages), upper...)
			s.put(key, seal(nil, key), opReplace)
		})
	s.entries = newEntries(v, false)
	for i := range s.plan.runs {
		if err := s.rewrite(&s.plan.runs[i], pages); err != nil {
			return s.explain(err)
		}
	}
	used := make(map[string]bool)
	for _, ch := range s.changes {
		used[string(ch.key[len(pages):])] = true
	}
	for _, upper := range s.plan.empties {
		if !used[string(upper)] {
			s.put(append(bytes.Clone(pages), upper...), nil, opDelete)
		}
	}
	for _, rowKey := range s.plan.fragments {
		if s.left[string(rowKey)] {
			continue
		}
		s.put(append(bytes.Clone(v.table), rowKey...), nil, opDeleteUnlessWritten)
	}
	return nil
}

func (s *foldStep) put(key, value []byte, op changeOp) {
	s.changes = append(s.changes, change{key: key, value: value, op: op})
	s.bytes += int64(len(key) + len(value))
}

// rewrite merges one run into new pages.
func (s *foldStep) rewrite(run *foldRun, pages []byte) error {
	written := len(s.changes)
	s.writer.Begin(s.view.seq)
	s.last = s.last[:0]
	if err := s.start(run.low); err != nil {
		return err
	}
	for {
		ok, err := s.entries.next(run.high)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := s.add(run); err != nil {
			return err
		}
		s.last = append(s.last[:0], s.entries.key...)
	}
	if !s.left[string(run.high)] { // otherwise it has its page already
		s.writer.Cover(run.high)
	}
	if run.split != nil {
		if err := s.keepRest(run); err != nil {
			return err
		}
	}
	kept := make(map[string]bool)
	for _, ch := range s.changes[written:] {
		kept[string(ch.key[len(pages):])] = true
	}
	for _, old := range run.pages {
		if !kept[string(old)] {
			s.writer.Begin(s.view.seq)
			s.writer.Finish(old) // empty
		}
	}
	return nil
}

// start moves to the first entry of a run, and finds the header of the partition it lies in.
func (s *foldStep) start(low []byte) error {
	if end, err := row.PartitionEnd(low); err == nil && !s.at.holds(low) {
		if err := s.at.enter(low[:end+1]); err != nil {
			return err
		}
		found, err := s.at.findHeader(s.entries)
		if err != nil {
			return err
		}
		if found {
			s.at.keep(s.entries.merged, nil, nil)
		}
	}
	return s.entries.seek(low)
}

// add purges the entry at hand and gives what is left to the writer.
func (s *foldStep) add(run *foldRun) error {
	key, f := s.entries.key, s.entries.merged
	if s.policy.remove != nil && s.policy.remove.holds(key) {
		return nil
	}
	if !s.at.holds(key) {
		if err := s.at.enter(key); err != nil {
			return err
		}
	}
	dropColumns(f, s.table.HasColumn) // that were dropped from the table
	if s.at.isHeader(key) {
		s.at.keep(f, nil, nil)
		s.purgeHeaderOf(f)
	} else {
		s.at.shadow(f, s.at.clustering(key))
		f.Purge(s.now, s.policy.gcBefore)
	}
	switch {
	case f.IsEmpty():
		return nil
	case s.entries.size > s.engine.rowMax && f.Size() > s.engine.rowMax:
		return s.leave(run)
	default:
		s.writer.Add(key, f)
		return nil
	}
}

// leave leaves the row at hand as it is stored: its fragments, and beside them, in a page of its
// own that covers no more of its changes than before, what was in pages of it.
func (s *foldStep) leave(run *foldRun) error {
	key, source := s.entries.key, s.entries.pages
	before := s.last
	for _, upper := range run.pages {
		if bytes.Compare(upper, key) < 0 && bytes.Compare(upper, before) > 0 {
			before = upper
		}
	}
	if len(before) > 0 && !s.left[string(before)] {
		s.writer.Cover(before)
	}
	s.writer.Begin(source.through(key))
	if s.entries.onPage {
		var old row.Fragment
		if err := row.DecodeBody(source.reader.Body(), source.reader.Reference(), &old); err != nil {
			return source.corrupt(err)
		}
		s.writer.Add(key, &old)
	}
	s.writer.Cover(key)
	s.writer.Begin(s.view.seq)
	if s.left == nil {
		s.left = make(map[string]bool)
	}
	s.left[string(key)] = true
	return nil
}

// purgeHeaderOf purges a header's cells. Its deletions may be purged only when all rows of the
// partition have been folded with them, so they are noted for later unless that is now.
func (s *foldStep) purgeHeaderOf(f *row.Fragment) {
	f.Ranges = append(f.Ranges[:0:0], s.at.header.Ranges...) // normalized
	deletion, ranges := f.Deletion, append([]row.RangeTombstone(nil), f.Ranges...)
	f.Purge(s.now, s.policy.gcBefore)
	if bytes.Equal(s.purgeHeader, s.at.prefix) {
		return
	}
	if f.Deletion != deletion || len(f.Ranges) != len(ranges) {
		s.purgeable = append(s.purgeable, bytes.Clone(s.at.prefix))
	}
	f.Deletion, f.Ranges = deletion, ranges
}

// keepRest writes the rows of a split page that lie behind the run under the page's own key.
func (s *foldStep) keepRest(run *foldRun) error {
	p := s.entries.pages
	if err := p.seek(after(run.high)); err != nil {
		return err
	}
	s.entries.onPage = false
	s.writer.Begin(run.splitThrough)
	var f row.Fragment
	for p.loaded && bytes.Equal(p.upper, run.split) {
		if err := row.DecodeBody(p.reader.Body(), p.reader.Reference(), &f); err != nil {
			return p.corrupt(err)
		}
		s.writer.Add(p.key(), &f)
		if err := p.next(); err != nil {
			return err
		}
	}
	s.writer.Cover(run.split)
	return nil
}

func (s *foldStep) explain(err error) error {
	if bad, ok := err.(*corruptEntry); ok {
		return s.engine.corruptError(bad)
	}
	return err
}

// everything is a policy that folds all there is, without purging anything that gc_grace_seconds protects.
func (f *folder) everything(t Table) foldPolicy {
	p := f.policy(t)
	p.leastFragments = 1
	return p
}

// policy returns the policy of background folding.
func (f *folder) policy(t Table) foldPolicy {
	e := f.engine
	return foldPolicy{
		leastFragments: 12,
		gcBefore:       e.opts.Now().Add(-t.GCGrace).Unix(),
		maxBytes:       min(e.groupSize/2, 1<<20),
		maxCount:       min(e.groupCount/2, math.MaxInt32),
		pageTarget:     pageTarget,
	}
}
