package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/storage/page"
	"github.com/iliumdb/ilium/storage/row"
)

// A foldPolicy says which parts of a table are worth folding.
type foldPolicy struct {
	leastFragments int   // fold the range of a page when it has so many fragments
	gcBefore       int64 // or when the page holds something to purge before this time, seconds
	maxBytes       int64 // stop planning when this much is to be read, or is to be written
	maxCount       int   // or when this many entries are to be written or deleted
	pageTarget     int   // pages much smaller than that are joined with a folded neighbor

	remove *keyRange // rows to be removed; nil for none
}

// A foldRun is a stretch of neighboring page ranges to be rewritten together: all row keys from
// low to high, both inclusive. A nil low is the start of the table. What the new pages cover ends
// with high, be it the key of a row that is left or not.
type foldRun struct {
	low, high []byte
	pages     [][]byte // row keys under which the pages to be replaced are stored

	// If set, high lies inside the range of the page stored here, which keeps its other rows,
	// and still covers them up to the same commit sequence number.
	split        []byte
	splitThrough uint64
}

// A foldPlan is what one step of folding does.
type foldPlan struct {
	runs      []foldRun
	fragments [][]byte // row keys of the fragments to delete
	empties   [][]byte // row keys of old empty pages, to be removed
	bytes     int64    // roughly what will be read
	size      int64    // of the keys that will be written or deleted, at most
	count     int      // entries that will be written or deleted
	pageBytes int64    // rows in pages, before compression, that were walked over
	left      int64    // fragments that were left alone
	next      []byte   // the start of a page range, where the next step starts; nil if there is none
}

// A planner walks over a table's page ranges, counting fragments, without decoding rows.
type planner struct {
	policy foldPolicy
	view   *view
	frags  *fragmentSource
	plan   *foldPlan
	from   []byte   // where the step starts
	open   *foldRun // the run being extended

	// The page range at hand, from low to upper, both inclusive. upper is nil behind the last page.
	low, upper []byte
	info       page.Info
	keys       [][]byte // its fragments
	cut        bool     // there are more of them than fit the step

	small *foldRun // the range before, if it was left alone and is small enough to be joined
	kept  [][]byte // its fragments
	dead  bool     // there are no rows in its page; then small may be several such ranges
}

// planFold plans a step of folding from the row key from on, which must be where a page range
// starts, up to the range that until lies in; nil means the end of the table. Empty pages
// that were committed up to horizon may be removed.
func planFold(v *view, from, until []byte, policy foldPolicy, horizon uint64) (*foldPlan, error) {
	p := &planner{policy: policy, view: v, frags: newFragmentSource(v.frags, v.table, false), plan: &foldPlan{}, from: from, low: from}
	p.frags.seek(from)
	if pages := v.pages(); pages != nil {
		if done, err := p.walkPages(pages, from, until, horizon); done || err != nil {
			return p.plan, err
		}
	}
	p.upper, p.info = nil, page.Info{}
	err := p.takeRange()
	p.closeRun()
	return p.plan, err
}

// walkPages handles the range of every page until the plan is full or until is passed.
func (p *planner) walkPages(it *newest, from, until []byte, horizon uint64) (done bool, err error) {
	table := append([]byte(nil), p.view.table...)
	table[row.TablePrefixSize-1] = byte(row.Pages)
	err = it.seek(append(bytes.Clone(table), from...))
	for ; err == nil && it.valid; err = it.next() {
		upper := bytes.Clone(it.key[len(table):])
		info, err := statPage(it)
		if err != nil {
			return false, err
		}
		if info.RawSize == 0 {
			if it.version > horizon {
				continue
			}
			if p.full() { // the range at hand starts before what was removed
				p.plan.next = append([]byte{}, p.low...)
				p.closeRun()
				return true, nil
			}
			p.plan.empties = append(p.plan.empties, upper)
			p.note(1, int64(len(upper)))
			continue
		}
		p.upper, p.info = upper, info
		if err := p.takeRange(); err != nil {
			return false, err
		}
		if p.plan.next == nil && p.full() {
			p.plan.next = after(upper)
		}
		if p.plan.next != nil || until != nil && bytes.Compare(upper, until) >= 0 {
			p.closeRun()
			return true, nil
		}
		p.plan.pageBytes += int64(info.RawSize)
		p.low = after(upper)
	}
	return false, err
}

// after returns the least key greater than key.
func after(key []byte) []byte { return append(bytes.Clone(key), 0) }

func statPage(it *newest) (page.Info, error) {
	info, err := page.Stat(it.key, it.value)
	if err != nil {
		return info, &corruptEntry{key: bytes.Clone(it.key), cause: err}
	}
	return info, nil
}

// takeRange counts the fragments in the range at hand and decides about it. If they do not fit
// the step, it ends before the range; or, if the range is the step's first, inside it.
func (p *planner) takeRange() error {
	if err := p.collect(); err != nil {
		return err
	}
	if p.cut && !p.first() {
		p.plan.next = p.low
		return nil
	}
	p.decide()
	if p.cut {
		p.plan.next = after(p.keys[len(p.keys)-1])
	}
	return nil
}

// first reports whether the range at hand is the first of the step.
func (p *planner) first() bool { return bytes.Equal(p.low, p.from) }

// collect gathers the keys of the fragments in the range at hand.
func (p *planner) collect() error {
	p.keys, p.cut = nil, false
	for {
		if err := p.frags.load(p.upper); err != nil {
			return err
		}
		if !p.frags.valid || p.upper != nil && bytes.Compare(p.frags.key, p.upper) > 0 {
			return nil
		}
		if p.full() && (len(p.keys) > 0 || !p.first()) {
			p.cut = true
			return nil
		}
		p.keys = append(p.keys, bytes.Clone(p.frags.key))
		p.note(1, keysWritten(p.frags.key))
		p.plan.bytes += p.frags.size + int64(p.frags.count*len(p.frags.key))
		p.frags.skip()
	}
}

// keysWritten returns how many bytes of keys folding a fragment may write: where it is deleted, and
// if the key is long beside and above its row's page, which it may fill alone. Of short keys pages
// hold little more than what tells them apart.
func keysWritten(key []byte) int64 {
	if n := int64(len(key)); n < pageTarget/8 {
		return n
	}
	return 3 * int64(len(key))
}

// note counts entries, with keys of so many bytes, that the step may write or delete.
func (p *planner) note(entries int, keys int64) {
	p.plan.count += entries
	p.plan.size += keys
}

func (p *planner) full() bool {
	return p.plan.count >= p.policy.maxCount || p.plan.bytes >= p.policy.maxBytes || p.plan.size >= p.policy.maxBytes
}

// decide puts the range at hand into a run, or ends the run before it.
func (p *planner) decide() {
	purge := p.info.HasTimes && p.info.FirstTime < p.policy.gcBefore
	small := p.upper != nil && p.info.RawSize < p.policy.pageTarget/2
	remove := p.policy.remove != nil && p.policy.remove.touches(p.low, p.upper)
	worth := len(p.keys) >= p.policy.leastFragments || purge || remove || p.cut || small && p.open != nil
	if !worth || len(p.keys) == 0 && p.upper == nil {
		p.closeRun()
		p.plan.left += int64(len(p.keys))
		p.keepSmall()
		return
	}
	if p.open == nil {
		p.open = &foldRun{low: p.low}
		if p.small != nil && (p.upper == nil || small || p.dead) {
			p.open = p.small
			for _, upper := range p.small.pages {
				p.note(1, 2*int64(len(upper)))
			}
			p.plan.fragments = append(p.plan.fragments, p.kept...)
			p.plan.left -= int64(len(p.kept))
		}
	}
	p.small = nil
	p.plan.fragments = append(p.plan.fragments, p.keys...)
	p.plan.bytes += int64(p.info.RawSize)
	p.note(1, 2*int64(len(p.upper)))
	if p.cut || p.upper == nil {
		p.open.high = p.keys[len(p.keys)-1]
	} else {
		p.open.high, p.open.pages = p.upper, append(p.open.pages, p.upper)
	}
	if p.cut {
		p.open.split, p.open.splitThrough = p.upper, p.info.Through
	}
}

// mostDead is how many neighboring ranges without rows are joined at once.
const mostDead = 100

// keepSmall remembers the range at hand, which is left alone, if it may be joined with the next.
func (p *planner) keepSmall() {
	dead := p.info.RawSize == page.CoverSize
	switch {
	case p.upper == nil || p.info.RawSize >= p.policy.pageTarget:
		p.small = nil
	case dead && p.dead && p.small != nil && len(p.small.pages) < mostDead:
		p.small.pages = append(p.small.pages, p.upper)
		p.kept = append(p.kept, p.keys...)
	default:
		p.small, p.kept, p.dead = &foldRun{low: p.low, pages: [][]byte{p.upper}}, p.keys, dead
	}
}

func (p *planner) closeRun() {
	if p.open != nil {
		p.plan.runs = append(p.plan.runs, *p.open)
		p.open = nil
	}
}
