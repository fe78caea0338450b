package storage

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/storage/row"
)

const (
	discardInterval = 100 * time.Millisecond // soon, or compactions carry deleted fragments to the last level
	foldInterval    = time.Second            // how often the folder looks for work
	idleFold        = 10 * time.Second       // after so long without writes a table is folded whole
	leastIdleFold   = 1024                   // if it has at least so many fragments
	leastFold       = 4 << 20                // bytes of fragments that a table under load gathers before it is folded
	largeFragment   = 200                    // mean size in bytes from which on they count as large
	leastLargeFold  = 1 << 30                // bytes of large fragments that a table under load gathers before it is folded
	purgeInterval   = 10 * time.Minute       // how often a table is checked for what gc_grace_seconds has released, at most
	rewrites        = 4                      // how often Badger writes again what was folded, roughly, until it is at the last level
	hintedShare     = 10                     // a table that reads ask for is folded in one of so many parts of the time
	emptyPageAge    = 10 * time.Minute       // how long an empty page is kept
)

// A folder folds tables in the background, one step at a time. One goroutine owns it; hint and
// compact are for others.
type folder struct {
	engine *Engine
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
	wake   chan struct{} // capacity 1

	working  sync.Mutex // held while tables are looked at or folded
	mu       sync.Mutex
	hinted   map[uint32]map[string]bool // incarnation -> prefixes of row keys; "" for the whole table
	compacts []*compactRequest

	// Guarded by working.
	tables map[uint32]*foldState
	marks  []horizonMark
}

// A foldState is what the folder remembers of a table.
type foldState struct {
	pageBytes int64         // of rows in pages, as of the last sweep
	seen      int64         // fragments ever counted, at the last look
	changed   time.Time     // when seen last changed
	swept     time.Time     // when the last sweep ended
	took      time.Duration // how long it took
	known     bool          // whether it was ever swept since the engine was opened
}

// A horizonMark says that a commit sequence number is at least so old.
type horizonMark struct {
	at  time.Time
	seq uint64
}

type compactRequest struct {
	incarnation uint32
	done        chan error
}

func newFolder(e *Engine) *folder {
	f := &folder{
		engine: e,
		wake:   make(chan struct{}, 1),
		hinted: make(map[uint32]map[string]bool),
		tables: make(map[uint32]*foldState),
		marks:  []horizonMark{{at: time.Now(), seq: e.visible.Load()}},
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.done.Add(1)
	go f.run()
	return f
}

func (f *folder) close() {
	f.cancel()
	f.done.Wait()
}

// mostHints is how many partitions of a table are remembered to be folded.
const mostHints = 100

// hint asks for a partition to be folded soon, because reads merge many of its fragments, or for
// the whole table if its prefix is nil.
func (f *folder) hint(incarnation uint32, partition []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hinted[incarnation]
	if h == nil {
		h = make(map[string]bool)
		f.hinted[incarnation] = h
	}
	if len(h) < mostHints { // others will be hinted again
		h[string(partition)] = true
	}
}

// compact folds all of a table and returns when that is done.
func (f *folder) compact(ctx context.Context, incarnation uint32) error {
	r := &compactRequest{incarnation: incarnation, done: make(chan error, 1)}
	f.mu.Lock()
	f.compacts = append(f.compacts, r)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-r.done:
		return err
	case <-f.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *folder) run() {
	defer f.done.Done()
	tick := time.NewTicker(foldInterval)
	defer tick.Stop()
	discard := time.NewTicker(discardInterval)
	defer discard.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-f.wake:
		case <-discard.C:
			f.engine.advanceDiscard()
			continue
		case <-tick.C:
			f.exclusively(func() {
				f.mark()
				f.look()
			})
		}
		f.exclusively(f.serveCompacts)
	}
}

// exclusively runs work while no other folding goes on.
func (f *folder) exclusively(work func()) {
	f.working.Lock()
	defer f.working.Unlock()
	work()
}

func (f *folder) serveCompacts() {
	f.mu.Lock()
	todo := f.compacts
	f.compacts = nil
	f.mu.Unlock()
	for _, r := range todo {
		t, ok := f.engine.opts.Tables(r.incarnation)
		if !ok {
			r.done <- nil
			continue
		}
		r.done <- f.sweep(r.incarnation, f.everything(t))
	}
}

// look sweeps the tables for which it is time.
func (f *folder) look() {
	f.mu.Lock()
	hinted := f.hinted
	f.hinted = make(map[uint32]map[string]bool)
	f.mu.Unlock()
	if f.engine.writable(0) != nil {
		return
	}
	active := make(map[uint32]*tableState)
	f.engine.tables.Range(func(k, v any) bool {
		active[k.(uint32)] = v.(*tableState)
		return true
	})
	for _, incarnation := range slices.Sorted(maps.Keys(active)) {
		t, ok := f.engine.opts.Tables(incarnation)
		if !ok || f.ctx.Err() != nil {
			delete(f.tables, incarnation)
			continue
		}
		var err error
		if policy, due := f.due(incarnation, active[incarnation], t, hinted[incarnation][""]); due {
			err = f.sweep(incarnation, policy)
		} else {
			err = f.foldHinted(incarnation, t, hinted[incarnation])
		}
		if err != nil && f.ctx.Err() == nil {
			f.engine.opts.Log.Warn("folding failed", "table", t.Name, "error", err)
		}
	}
}

// foldAt returns from how many bytes of fragments on a table under load is folded. Folding rewrites most of its pages,
// and saves what Badger adds to each entry: much of a small row, and next to nothing of a large one. To load a million
// rows of 300 bytes took twice the CPU time when large ones were folded as early as small ones.
func foldAt(pageBytes, fragments, bytes int64) int64 {
	if bytes >= largeFragment*fragments {
		return max(leastLargeFold, 2*pageBytes)
	}
	return max(leastFold, pageBytes/2)
}

// due decides whether a table is to be swept now, and how thoroughly.
func (f *folder) due(incarnation uint32, state *tableState, t Table, hinted bool) (foldPolicy, bool) {
	s := f.tables[incarnation]
	if s == nil {
		s = &foldState{changed: time.Now(), swept: time.Now()}
		f.tables[incarnation] = s
	}
	if n := state.written.Load(); n != s.seen {
		s.seen, s.changed = n, time.Now()
	}
	fragments, bytes := state.fragments.Load(), state.fragmentBytes.Load()
	idle := time.Since(s.changed) >= idleFold
	switch {
	case bytes >= foldAt(s.pageBytes, fragments, bytes):
		return f.policy(t), true
	case hinted && fragments > 0 && time.Since(s.swept) > hintedShare*s.took:
		return f.everything(t), true
	case idle && (fragments >= leastIdleFold || !s.known || fragments > 0 && time.Since(s.swept) > purgeInterval):
		return f.everything(t), true
	case time.Since(s.swept) > max(purgeInterval, t.GCGrace/4):
		return f.policy(t), true
	default:
		return foldPolicy{}, false
	}
}

// sweep folds what the policy finds worth it in a whole table.
func (f *folder) sweep(incarnation uint32, policy foldPolicy) error {
	begun := time.Now()
	state := f.engine.table(incarnation)
	countBefore, bytesBefore := state.fragments.Load(), state.fragmentBytes.Load()
	var pageBytes, left int64
	var purgeable [][]byte
	for from, more := []byte(nil), true; more; {
		s, err := f.step(incarnation, from, nil, nil, policy)
		if err != nil {
			return err
		}
		pageBytes += s.plan.pageBytes
		left += s.plan.left
		purgeable = append(purgeable, s.purgeable...)
		from, more = s.plan.next, s.plan.next != nil
	}
	// What was written meanwhile stays counted; of the rest, what the policy left alone.
	state.fragments.Add(left - countBefore)
	if countBefore > 0 {
		bytesBefore -= bytesBefore * min(left, countBefore) / countBefore
	}
	state.fragmentBytes.Add(-bytesBefore)
	if s := f.tables[incarnation]; s != nil {
		s.pageBytes, s.swept, s.took, s.known = pageBytes, time.Now(), time.Since(begun), true
	}
	for _, prefix := range purgeable {
		if err := f.purgePartition(incarnation, prefix, policy); err != nil {
			return err
		}
	}
	return nil
}

// foldHinted folds the partitions whose reads asked for it.
func (f *folder) foldHinted(incarnation uint32, t Table, partitions map[string]bool) error {
	for prefix := range partitions {
		if prefix == "" {
			continue // the whole table
		}
		if _, err := f.foldPartition(incarnation, []byte(prefix), f.everything(t)); err != nil {
			return err
		}
	}
	return nil
}

// foldPartition folds the page ranges that a partition lies in. It reports whether all its rows
// were folded.
func (f *folder) foldPartition(incarnation uint32, prefix []byte, policy foldPolicy) (whole bool, err error) {
	whole = true
	behind := append(append([]byte(nil), prefix...), byte(row.KindRow)+1)
	err = f.foldBetween(f.ctx, incarnation, prefix, behind, policy, func(s *foldStep) { whole = whole && len(s.left) == 0 })
	return whole && err == nil, err
}

// foldBetween folds the page ranges that row keys in [low, behind) lie in; a nil behind is the end of the
// table. It calls done after each step, and stops when ctx ends.
func (f *folder) foldBetween(ctx context.Context, incarnation uint32, low, behind []byte, policy foldPolicy, done func(*foldStep)) error {
	from, err := f.rangeStart(incarnation, low)
	if err != nil {
		return err
	}
	state := f.engine.table(incarnation)
	for more := true; more; {
		if err := ctx.Err(); err != nil && f.ctx.Err() == nil {
			return err
		}
		s, err := f.step(incarnation, from, behind, nil, policy)
		if err != nil {
			return err
		}
		folded := int64(len(s.plan.fragments))
		if count := state.fragments.Add(-folded) + folded; count > 0 {
			state.fragmentBytes.Add(-state.fragmentBytes.Load() * min(folded, count) / count)
		}
		done(s)
		from, more = s.plan.next, s.plan.next != nil && (behind == nil || bytes.Compare(s.plan.next, behind) < 0)
	}
	return nil
}

// purgePartition folds a whole partition, so that its header's deletions are applied to all its
// rows, and then purges those deletions. It purges nothing if a row cannot be folded.
func (f *folder) purgePartition(incarnation uint32, prefix []byte, policy foldPolicy) error {
	policy.leastFragments = -1
	if whole, err := f.foldPartition(incarnation, prefix, policy); err != nil || !whole {
		return err
	}
	start, err := f.rangeStart(incarnation, prefix)
	if err != nil {
		return err
	}
	rows := append(append([]byte(nil), prefix...), byte(row.KindRow))
	_, err = f.step(incarnation, start, rows, prefix, policy)
	return err
}

// rangeStart returns the row key at which the page range that rowKey lies in starts.
func (f *folder) rangeStart(incarnation uint32, rowKey []byte) ([]byte, error) {
	v, err := f.engine.openView(incarnation, nil, false, true)
	if err != nil {
		return nil, err
	}
	defer v.close()
	pages := v.pages()
	if pages == nil {
		return nil, nil
	}
	table := row.AppendTable(nil, incarnation, row.Pages)
	err = pages.seek(append(bytes.Clone(table), rowKey...))
	for ; err == nil && pages.valid; err = pages.next() {
		upper := pages.key[len(table):]
		info, err := statPage(pages)
		if err != nil {
			return nil, err
		}
		if info.RawSize > 0 && !bytes.Equal(upper, rowKey) {
			return after(upper), nil
		}
	}
	return nil, err
}

// step carries out one step and then waits as long as the throughput asks for.
func (f *folder) step(incarnation uint32, from, until, purgeHeader []byte, policy foldPolicy) (*foldStep, error) {
	if f.ctx.Err() != nil {
		return nil, ErrClosed
	}
	begun := time.Now()
	s, err := f.fold(f.ctx, incarnation, from, until, purgeHeader, policy)
	if errors.Is(err, context.Canceled) {
		err = ErrClosed
	}
	if rate := f.engine.opts.Throughput; err == nil && rate > 0 {
		f.pause(time.Duration(float64(s.plan.bytes+rewrites*s.bytes)/float64(rate)*float64(time.Second)) - time.Since(begun))
	}
	return s, err
}

func (f *folder) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.ctx.Done():
	}
}

// mark notes the age of the present commit sequence number, for horizon.
func (f *folder) mark() {
	last := f.marks[len(f.marks)-1]
	if time.Since(last.at) >= emptyPageAge/4 {
		f.marks = append(f.marks, horizonMark{at: time.Now(), seq: f.engine.visible.Load()})
	}
	for len(f.marks) > 1 && time.Since(f.marks[1].at) >= emptyPageAge {
		f.marks = f.marks[1:]
	}
}

// horizon returns a commit sequence number that is older than emptyPageAge, or 0.
func (f *folder) horizon() uint64 {
	if m := f.marks[0]; time.Since(m.at) >= emptyPageAge {
		return m.seq
	}
	return 0
}

// Compact folds all of a table and gives back the space of what that replaced, as nodetool compact
// does, and returns when that is done.
func (e *Engine) Compact(ctx context.Context, incarnation uint32) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.calls.Done()
	if err := e.folder.compact(ctx, incarnation); err != nil {
		return err
	}
	e.compacting.Lock()
	defer e.compacting.Unlock()
	if err := e.writable(0); err != nil { // damage would become right checksums over wrong data
		return err
	}
	if err := e.flush(ctx); err != nil {
		return err
	}
	e.advanceDiscard()
	e.pool.sweep()
	return e.db.Flatten(1)
}
