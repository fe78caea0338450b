package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// The committer turns the writes of many goroutines into few Badger transactions.
//
// Badger syncs once for every transaction, so the committer takes all writes that have arrived
// and makes one transaction of them: one commit sequence number, one sync, all or nothing after
// a crash. While a group is being synced the next one gathers and is built.
//
//	Apply -> queue -> run: build and send a group -> finish: publish it, answer its writers
//
// Two goroutines own the state: run has the sequence and the building of groups, finish has the
// order in which groups become visible. Groups become visible in the order of their numbers.
type committer struct {
	engine *Engine

	mu     sync.Mutex
	queue  []*request
	closed bool
	wake   chan struct{} // capacity 1

	inflight chan *group // sent, in order; its capacity bounds the pipeline
	done     sync.WaitGroup

	// Owned by run.
	seq     uint64
	carried []*request       // did not fit the group before
	index   map[uint64]int   // hash of key -> its entry in the group being built
	twins   map[int][][]byte // entry -> further sealed fragments of the same row
	seed    maphash.Seed
	watch   *watch
	merger  row.Merger

	marker, markerValue []byte // an entry of every group

	free chan *group // for reuse
}

// A request is one atomic set of changes on its way through the committer.
type request struct {
	mutations []*row.Mutation
	pairs     []pair   // a part of a staged mutation
	hold      bool     // do not publish yet: more parts follow
	changes   []change // for the engine's own keys; makes the request exclusive
	watch     *watch   // to install, or to check deletions against
	exclusive bool     // gets a group, and so a sequence number, of its own
	sequence  *sequence
	trace     *trace.Trace
	size      int64 // bytes in Badger's transaction
	payload   int64 // bytes of the values beside it, in the value log
	count     int   // entries
	done      chan error
}

// A sequence is what requests share that are carried out all or not at all. It is decided when
// the first one comes up, so that a disk that fills up meanwhile does not end it halfway.
type sequence struct {
	size  int64 // bytes, of all its requests
	begun bool
	sent  bool  // a part is on its way: there is no going back
	err   error // why none is carried out
}

// A change puts or deletes one Badger key.
type change struct {
	key, value []byte
	op         changeOp
}

type changeOp byte

const (
	opPut     changeOp = iota
	opReplace          // a put that lets compaction drop all older versions
	opDelete
	opDeleteUnlessWritten // a deletion that is skipped if the key was written since the watch began
)

// A watch records which keys in a range were written since it was installed.
type watch struct {
	low, high []byte // storage keys, [low, high)
	written   map[string]struct{}
}

func (w *watch) note(key []byte) {
	if bytes.Compare(key, w.low) >= 0 && bytes.Compare(key, w.high) < 0 {
		w.written[string(key)] = struct{}{}
	}
}

// A group is one Badger transaction on its way to disk.
type group struct {
	seq      uint64 // 0 if it changes nothing
	hold     bool   // not to be published by itself
	sequence *sequence
	requests []*request
	entries  []badger.Entry
	deletes  []bool // which entries are deletions
	arena    []byte // for values that were merged here
	marked   []*tableState
	traced   bool      // one of requests is
	sent     time.Time // if it is traced
	result   chan error
}

func newCommitter(e *Engine, seq uint64) *committer {
	c := &committer{
		engine:   e,
		wake:     make(chan struct{}, 1),
		inflight: make(chan *group, 1),
		free:     make(chan *group, 4),
		seq:      seq,
		index:    make(map[uint64]int),
		twins:    make(map[int][][]byte),
		seed:     maphash.MakeSeed(),
		marker:   metaKey(metaCommit, nil),
	}
	c.markerValue = sealMeta(c.marker, nil)
	c.done.Add(2)
	go c.run()
	go c.finish()
	return c
}

// close answers all queued requests, then stops.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.signal()
	c.done.Wait()
}

// submit queues requests, one directly after the other, and waits for the outcome of the last.
// Once queued they are carried out even if ctx ends; the outcome is then unknown to the caller,
// as ctx's error says.
func (c *committer) submit(ctx context.Context, requests ...*request) error {
	for _, r := range requests {
		r.done = make(chan error, 1)
	}
	done := requests[len(requests)-1].done
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.queue = append(c.queue, requests...)
	c.mu.Unlock()
	c.signal()
	if ctx.Done() == nil {
		return <-done
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run builds groups until the committer is closed and nothing is queued.
func (c *committer) run() {
	defer c.done.Done()
	defer close(c.inflight)
	for {
		c.mu.Lock()
		queued := c.queue
		c.queue = nil
		closed := c.closed
		c.mu.Unlock()
		c.carried = append(c.carried, queued...)
		if len(c.carried) == 0 {
			if closed {
				return
			}
			<-c.wake
			if w := c.engine.opts.GroupWindow; w > 0 {
				time.Sleep(w)
			}
			continue
		}
		c.send(c.build())
	}
}

// build makes a group of as many carried requests as fit, in order.
func (c *committer) build() *group {
	g := c.newGroup()
	clear(c.index)
	e := c.engine
	size, payload, count, taken := int64(0), int64(0), 0, 0
	for _, r := range c.carried {
		if taken > 0 && (r.exclusive || c.carried[0].exclusive ||
			size+r.size > e.groupSize || count+r.count > e.groupCount || payload+r.payload > e.groupPayload) {
			break
		}
		c.add(g, r)
		size, payload, count, taken = size+r.size, payload+r.payload, count+r.count, taken+1
	}
	c.mergeTwins(g)
	g.requests = append(g.requests, c.carried[:taken]...)
	c.carried = slices.Delete(c.carried, 0, taken)
	return g
}

func (c *committer) newGroup() *group {
	select {
	case g := <-c.free:
		return g
	default:
		return &group{result: make(chan error, 1)}
	}
}

func (c *committer) recycle(g *group) {
	clear(g.requests)
	g.traced = false
	g.marked = g.marked[:0]
	g.requests, g.entries, g.deletes, g.arena = g.requests[:0], g.entries[:0], g.deletes[:0], g.arena[:0]
	select {
	case c.free <- g:
	default:
	}
}

// add puts a request's entries into g.
func (c *committer) add(g *group, r *request) {
	for _, m := range r.mutations {
		state := c.engine.table(m.Incarnation)
		state.count(m.Len(), m.Size())
		if m.HasHeader() {
			c.markHeaders(g, m.Incarnation, state)
		}
		for i := range m.Len() {
			key, value := m.Entry(i)
			c.addFragment(g, key, value)
		}
	}
	for _, p := range r.pairs {
		incarnation := binary.BigEndian.Uint32(p.key)
		state := c.engine.table(incarnation)
		state.count(1, len(p.key)+len(p.value))
		if end, err := row.PartitionEnd(p.key[row.TablePrefixSize:]); err == nil && row.Kind(p.key[row.TablePrefixSize+end]) == row.KindHeader {
			c.markHeaders(g, incarnation, state)
		}
		c.addFragment(g, p.key, p.value)
	}
	c.addChanges(g, r)
	g.hold, g.sequence = r.hold, r.sequence
	g.traced = g.traced || r.trace.On()
}

// addChanges adds a request's own changes, and installs or takes back its watch.
func (c *committer) addChanges(g *group, r *request) {
	for _, ch := range r.changes {
		if ch.op == opDeleteUnlessWritten {
			if _, written := r.watch.written[string(ch.key)]; written {
				continue
			}
			ch.op = opDelete
		}
		g.put(ch)
	}
	switch {
	case r.watch == nil:
	case r.changes == nil:
		c.watch = r.watch
	default:
		c.watch = nil
	}
}

// addFragment adds one row's fragment. If there is one of the same row already it is put aside for
// mergeTwins: a Badger transaction holds a key once.
func (c *committer) addFragment(g *group, key, value []byte) {
	if c.watch != nil {
		c.watch.note(key)
	}
	hash := maphash.Bytes(c.seed, key)
	for ; ; hash++ {
		i, found := c.index[hash]
		if !found {
			break
		}
		if bytes.Equal(g.entries[i].Key, key) {
			c.twins[i] = append(c.twins[i], value)
			return
		}
	}
	c.index[hash] = len(g.entries)
	g.put(change{key: key, value: value})
}

// mergeTwins merges the fragments of rows that the group changes more than once. They are merged
// all at once: one by one, the states in between would take memory by the square of their number.
func (c *committer) mergeTwins(g *group) {
	for i, twins := range c.twins {
		e := &g.entries[i]
		fragments := []*row.Fragment{ownFragment(e.Key, e.Value)}
		for _, sealed := range twins {
			fragments = append(fragments, ownFragment(e.Key, sealed))
		}
		start := len(g.arena)
		g.arena = row.AppendBody(row.BeginSeal(g.arena), c.merger.Merge(fragments), 0)
		e.Value = g.arena[start:len(g.arena):len(g.arena)]
		row.EndSeal(e.Key, e.Value)
	}
	clear(c.twins)
}

// ownFragment decodes a sealed fragment that this process just made.
func ownFragment(key, sealed []byte) *row.Fragment {
	f := row.NewFragment()
	if err := openFragment(key, sealed, f); err != nil {
		panic(fmt.Sprintf("a fragment was changed between Apply and its commit: %v", err))
	}
	return f
}

// markHeaders notes durably that a table has partition headers, before its first one becomes
// visible. Reads of tables without the mark need not look for them.
func (c *committer) markHeaders(g *group, incarnation uint32, state *tableState) {
	if state.headers.CompareAndSwap(false, true) {
		key := headersKey(incarnation)
		g.put(change{key: key, value: sealMeta(key, nil)})
		g.marked = append(g.marked, state)
	}
}

func (g *group) put(ch change) {
	e := badger.Entry{Key: ch.key, Value: ch.value}
	if ch.op == opReplace {
		e.WithDiscard()
	}
	g.entries = append(g.entries, e)
	g.deletes = append(g.deletes, ch.op == opDelete)
}

// send hands a group to Badger, and to finish.
func (c *committer) send(g *group) {
	g.seq = 0
	if len(g.entries) == 0 {
		g.result <- nil
		c.inflight <- g
		return
	}
	err := c.admit(g)
	if err == nil {
		g.put(change{key: c.marker, value: c.markerValue, op: opReplace})
		g.traceSending()
		err = c.commit(g)
	}
	if g.sequence != nil && err == nil {
		g.sequence.sent = true
	}
	if err != nil { // nothing was tried
		for _, state := range g.marked {
			state.headers.Store(false) // the next one has to be marked again
		}
		if s := g.sequence; s != nil {
			if s.sent {
				err = c.engine.fail(err)
			}
			s.err = err
		}
		g.result <- err
	}
	c.inflight <- g
}

// admit returns why a group may not be tried, or nil.
func (c *committer) admit(g *group) error {
	s := g.sequence
	switch {
	case s == nil:
		return c.engine.writable(g.bytes())
	case !s.begun:
		s.begun = true
		return c.engine.writable(s.size)
	case s.err != nil:
		return s.err
	default:
		return c.engine.failure()
	}
}

func (g *group) bytes() int64 {
	n := int64(0)
	for i := range g.entries {
		n += int64(len(g.entries[i].Key) + len(g.entries[i].Value))
	}
	return n
}

// commit starts a group's transaction and gives it its sequence number. If it fails nothing was
// tried; otherwise g.result gets the outcome.
func (c *committer) commit(g *group) error {
	txn := c.engine.db.NewTransactionAt(math.MaxUint64, true)
	defer txn.Discard()
	if err := c.fits(g); err != nil {
		return err
	}
	for i := range g.entries {
		var err error
		if g.deletes[i] {
			err = txn.Delete(g.entries[i].Key)
		} else {
			err = txn.SetEntry(&g.entries[i])
		}
		if err != nil {
			return err
		}
	}
	if err := txn.CommitAt(c.seq+1, func(err error) { g.result <- err }); err != nil {
		return err
	}
	c.seq++
	g.seq = c.seq
	return nil
}

// fits returns an error for a group that Badger would not take: it would print the values.
func (c *committer) fits(g *group) error {
	e := c.engine
	size := int64(0)
	for i := range g.entries {
		value := g.entries[i].Value
		if int64(len(value)) > e.valueMax {
			return &MutationTooLargeError{Size: int64(len(value)), Max: e.valueMax}
		}
		size += e.footprint(g.entries[i].Key, value)
	}
	const mark = 100 // more than Badger adds to a transaction
	if most := e.db.MaxBatchSize() - mark; size > most {
		return &MutationTooLargeError{Size: size, Max: most}
	}
	if most := int(e.db.MaxBatchCount()) - 2; len(g.entries) > most {
		return fmt.Errorf("%d changes at once are more than the maximum of %d", len(g.entries), most)
	}
	return nil
}

// finish publishes groups in order and answers their writers. After the first failure nothing
// more is published: the sequence would have a hole.
func (c *committer) finish() {
	defer c.done.Done()
	for g := range c.inflight {
		err := <-g.result
		if g.traced {
			c.traceWritten(g, err)
		}
		if err == nil {
			err = c.engine.failure()
		}
		if err == nil && g.seq != 0 && !g.hold {
			err = c.engine.publish(g.seq)
		}
		if g.traced && err == nil {
			g.trace("Visible to readers")
		}
		if err != nil && g.seq != 0 {
			err = c.engine.fail(err)
		}
		for _, r := range g.requests {
			r.done <- err
		}
		c.recycle(g)
	}
}
