// Package storage keeps the rows of one node on disk, on one Badger instance.
//
// # Writing
//
// Apply takes mutations: encoded changes of single partitions, as package row makes them. A
// change is written as a fragment under its row's key without reading what is there. The
// committer gathers the writes of many goroutines into one Badger transaction and one sync
// (commit.go). Badger's version of an entry is a commit sequence number of this node; write
// timestamps, TTLs and tombstones are inside the value and are reconciled when a row is read.
//
// # Reading
//
// Read and Scan return a Cursor, which merges the fragments of each row, applies deletions of
// the partition and of ranges, and yields live rows in key order. A cursor sees the state as of
// its creation: all of a mutation or nothing of it.
//
// # Blocks
//
// ReadBlock and ScanBlock give the same rows to other nodes: a block is a run of merged entries with tombstones, the same
// bytes on every replica that has the same data, so that replicas are compared by Digest (block.go). The node that
// asked merges the blocks of several replicas with MergeBlocks, which also says what each of them lacks, and reads
// the result through a Cursor that fetches block after block: NewReadCursor and NewScanCursor.
//
// # Folding
//
// In the background, fragments are merged into pages: runs of neighboring rows, compressed and
// checksummed together (package page, fold.go). There TTLs turn into tombstones, tombstones
// older than gc_grace_seconds are dropped, and the fragments are deleted. Pages make narrow rows
// small and slices fast; fragments make writes cheap.
//
// # Failure
//
// Every value carries a checksum over its key and itself, checked on every read. A write that
// cannot be made durable stops the engine for good: see Options.OnFailure. When the disk is
// nearly full writes are refused and reads go on, because Badger faults on a full disk.
package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/page"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// An Engine is the storage of one node. All its methods may be called concurrently.
type Engine struct {
	opts   Options
	db     *badger.DB
	codec  *page.Codec
	commit *committer
	folder *folder

	groupSize      int64 // bytes that fit one Badger transaction
	groupCount     int   // entries that fit one
	groupPayload   int64 // bytes of values that one may put into Badger's value log
	valueThreshold int64 // values from this size on go there
	valueMax       int64 // no value may be larger
	rowMax         int64 // merged rows that are larger are not put into pages
	stagedID       atomic.Uint64

	// visible is the newest commit sequence number that reads may see. view guards the moment
	// between choosing a read's number and pinning its files: while it is held for writing,
	// nothing a reader could still want becomes discardable.
	visible atomic.Uint64
	view    sync.RWMutex
	closed  bool           // guarded by view
	calls   sync.WaitGroup // what reads files; added to while view is held and closed is false
	closing atomic.Bool

	pool pagePool

	compacting  sync.Mutex // Badger flattens for one caller at a time
	closeWait   time.Duration
	filesClosed chan struct{}

	tables    sync.Map // incarnation -> *tableState
	lock      *os.File // keeps other processes out
	committed *watermark
	damage    atomic.Pointer[[]damage] // nil as long as none is known
	failed    atomic.Pointer[FailedError]
	failing   chan struct{} // closed when failed is set
	disk      diskGuard
	reclaims  chan struct{} // capacity 1
	stop      chan struct{}
	tasks     sync.WaitGroup
}

// count adds what is about to be written.
func (t *tableState) count(fragments, bytes int) {
	t.fragments.Add(int64(fragments))
	t.fragmentBytes.Add(int64(bytes))
	t.written.Add(int64(fragments))
}

// A tableState is what the engine remembers of a table while it runs.
type tableState struct {
	headers atomic.Bool // whether any partition has a header
	pages   atomic.Bool // whether there may be pages

	foldsBegun, foldsEnded atomic.Uint64 // commits of folds: they alone change pages

	// Roughly what was not folded yet, and what was ever written.
	fragments, fragmentBytes, written atomic.Int64
}

// Open opens the engine in opts.Dir, and recovers what was acknowledged before a crash.
// It fails with ErrLocked if another process has the directory open, and with a *CorruptError
// that names the file if a stored file is damaged.
func Open(opts Options) (*Engine, error) {
	opts = opts.withDefaults()
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	e := &Engine{opts: opts, disk: newDiskGuard(opts.Dir, opts.DiskFloor), closeWait: failedCloseWait,
		filesClosed: make(chan struct{}), failing: make(chan struct{}), stop: make(chan struct{}), reclaims: make(chan struct{}, 1)}
	files, err := e.openFiles()
	if err == nil {
		err = e.openDB()
	}
	if err != nil {
		return nil, openError(opts.Dir, errors.Join(err, e.unlock()))
	}
	e.commit = newCommitter(e, e.visible.Load())
	if err := e.finishStaged(); err != nil {
		e.commit.close()
		return nil, errors.Join(err, e.closeFiles())
	}
	e.folder = newFolder(e)
	e.tasks.Go(func() { e.trimMapped(opts.Memory) })
	e.tasks.Go(e.sweepPages)
	e.tasks.Go(func() { e.scrub(files) })
	e.tasks.Go(e.reclaim)
	e.tasks.Go(e.collect)
	if opts.Sync == SyncPeriodic {
		e.tasks.Go(func() { e.syncPeriodically(opts.SyncPeriod) })
	}
	return e, nil
}

// openFiles locks the directory and checks the files in it. It removes empty logs and changes
// nothing else. It returns what is left to check.
func (e *Engine) openFiles() (*verifier, error) {
	var err error
	if e.lock, err = lockDir(e.opts.Dir); err != nil {
		return nil, err
	}
	if err := checkFiles(e.opts.Dir); err != nil {
		return nil, err
	}
	promised := uint64(0)
	if e.committed, promised, err = openWatermark(e.opts.Dir); err != nil {
		return nil, err
	}
	files, err := newVerifier(e.opts.Dir)
	if err != nil {
		return nil, err
	}
	if err := checkCommits(e.opts.Dir, files.todo, promised); err != nil {
		return nil, err
	}
	if free, err := e.disk.free(); err == nil {
		if err := checkRoom(e.opts.Dir, free); err != nil {
			return nil, err
		}
	}
	if err := e.verify(files, verifyAtOpen); err != nil {
		return nil, err
	}
	return files, e.damagedMeta(metaKey(metaStaged, nil)) // what has to be finished may be hidden
}

// unlock closes what openFiles has opened.
func (e *Engine) unlock() error {
	var errs []error
	if e.committed != nil {
		errs = append(errs, e.committed.file.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// openDB opens Badger and recovers the commit sequence.
func (e *Engine) openDB() (err error) {
	options := e.opts.badger(func(err error) { _ = e.fail(err) })
	if e.damage.Load() != nil {
		options = options.WithNumCompactors(0) // which would rewrite the damage as if it were sound
	}
	if e.codec, err = page.NewCodec(); err != nil {
		return err
	}
	if e.db, err = badger.OpenManaged(options); err != nil {
		e.codec.Close()
		return err
	}
	recovered := e.db.MaxVersion()
	e.visible.Store(recovered)
	e.db.SetDiscardTs(recovered)
	e.valueThreshold = options.ValueThreshold
	e.rowMax = e.opts.MaxMutation * 3 / 2
	e.valueMax, e.groupPayload = options.ValueLogFileSize, options.ValueLogFileSize/2
	e.groupSize, e.groupCount = e.db.MaxBatchSize()*9/10, int(e.db.MaxBatchCount()*9/10)
	return nil
}

func openError(dir string, err error) error {
	if errors.Is(err, ErrLocked) {
		return fmt.Errorf("%w: %s", ErrLocked, dir)
	}
	return fmt.Errorf("data directory %s: %w", dir, err)
}

// Close makes everything durable and closes the engine. Calls that are under way finish first, and
// open cursors are waited for; later calls fail with ErrClosed.
//
// Close of an engine that has failed returns its *FailedError. It waits a few seconds at most for
// Badger, which does not give up writing to a broken disk; the process should end.
func (e *Engine) Close() error {
	if !e.closing.CompareAndSwap(false, true) {
		return ErrClosed
	}
	e.folder.close()
	e.view.Lock()
	e.closed = true
	e.view.Unlock()
	late := time.AfterFunc(10*time.Second, func() { e.opts.Log.Warn("closing storage waits for open cursors") })
	e.calls.Wait()
	e.pool.close()
	late.Stop()
	e.commit.close()
	close(e.stop)
	e.tasks.Wait()
	return e.closeFiles()
}

// failedCloseWait is how long Close of a failed engine waits for Badger.
const failedCloseWait = 5 * time.Second

// closeFiles closes Badger, which flushes the write-ahead log. If the disk has no room for that
// the log stays as it is; so does the lock, because Badger goes on.
func (e *Engine) closeFiles() error {
	if free, err := e.disk.free(); err == nil && e.failure() == nil {
		if full := checkRoom(e.opts.Dir, free); full != nil {
			return errors.Join(full, e.syncLogs())
		}
	}
	var err error
	go func() {
		defer close(e.filesClosed)
		if err = e.db.Close(); err == nil {
			err = e.committed.set(e.visible.Load()) // all of it is in synced files now
		}
		err = errors.Join(err, e.unlock())
		e.codec.Close()
	}()
	select {
	case <-e.filesClosed:
		return errors.Join(e.failure(), err)
	case <-e.failing:
	}
	select {
	case <-e.filesClosed:
		return errors.Join(e.failure(), err)
	case <-time.After(e.closeWait):
		return e.failure()
	}
}

// begin notes that files are about to be read; the caller must call e.calls.Done. It fails with
// ErrClosed.
func (e *Engine) begin() error {
	e.view.RLock()
	defer e.view.RUnlock()
	if e.closed {
		return ErrClosed
	}
	e.calls.Add(1)
	return nil
}

// Apply carries out all mutations, atomically: after a crash all of them are there or none, and
// no read sees some of them only. It returns when they are as durable as Options.Sync promises.
//
// If ctx ends first the mutations may still be carried out. The caller must not change them
// until Apply returns nil or an error that is not ctx's.
func (e *Engine) Apply(ctx context.Context, mutations ...*row.Mutation) error {
	return e.apply(ctx, nil, mutations)
}

func (e *Engine) apply(ctx context.Context, t *trace.Trace, mutations []*row.Mutation) error {
	r, err := e.request(mutations)
	if err != nil {
		return err
	}
	r.trace = t
	if r.size > e.groupSize || r.count > e.groupCount || r.payload > e.groupPayload {
		return e.applyLarge(ctx, t, mutations)
	}
	t.Add("Queued for the next commit group")
	return e.commit.submit(ctx, r)
}

// Check returns the error that Apply would give because of what is in the mutations: a *KeyTooLongError or
// *MutationTooLargeError.
func (e *Engine) Check(mutations ...*row.Mutation) error {
	_, err := e.request(mutations)
	return err
}

// request adds up what the mutations take.
func (e *Engine) request(mutations []*row.Mutation) (*request, error) {
	r := &request{mutations: mutations, count: len(mutations) + 1}
	size := int64(0)
	for _, m := range mutations {
		for i := range m.Len() {
			key, value := m.Entry(i)
			if len(key) > maxKey {
				return nil, &KeyTooLongError{Size: len(key) - keyOverhead, Max: maxKey - keyOverhead}
			}
			r.size += e.footprint(key, value)
			size += int64(len(key) + len(value))
			r.payload += e.payload(value)
		}
		r.count += m.Len()
	}
	if size > e.opts.MaxMutation {
		return nil, &MutationTooLargeError{Size: size, Max: e.opts.MaxMutation}
	}
	return r, nil
}

const (
	entryOverhead = 16    // what Badger counts for an entry beside its key and value, rounded up
	maxKey        = 65000 // Badger's limit
	keyOverhead   = row.TablePrefixSize + row.TokenSize
)

// publish makes a committed group visible to reads.
func (e *Engine) publish(seq uint64) error {
	e.visible.Store(seq)
	if e.opts.Sync == SyncPeriodic {
		return nil // it is not durable yet
	}
	return e.committed.set(seq)
}

// advanceDiscard lets compaction drop what no present or future reader can see.
func (e *Engine) advanceDiscard() {
	e.view.Lock()
	defer e.view.Unlock()
	if !e.closed {
		e.db.SetDiscardTs(e.visible.Load())
	}
}

// table returns what the engine remembers of a table.
func (e *Engine) table(incarnation uint32) *tableState {
	if t, ok := e.tables.Load(incarnation); ok {
		return t.(*tableState)
	}
	t := &tableState{}
	t.headers.Store(e.exists(headersKey(incarnation)))
	t.pages.Store(e.exists(row.AppendTable(nil, incarnation, row.Pages)))
	kept, _ := e.tables.LoadOrStore(incarnation, t)
	return kept.(*tableState)
}

// exists reports whether any key starts with prefix, deleted or not, or may do so where data is
// damaged.
func (e *Engine) exists(prefix []byte) bool {
	if e.damageIn(prefix, append(bytes.Clone(prefix), 0xFF)) != nil {
		return true
	}
	e.view.RLock()
	defer e.view.RUnlock()
	if e.closed {
		return false
	}
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix, AllVersions: true})
	defer it.Close()
	it.Seek(prefix)
	return it.Valid()
}

// fail stops the engine from taking writes, once, and returns what writers are told.
func (e *Engine) fail(cause error) error {
	failed := &FailedError{Cause: cause}
	if e.failed.CompareAndSwap(nil, failed) {
		close(e.failing)
		e.opts.Log.Error("storage failed; no more writes are taken", "error", cause)
		if e.opts.OnFailure != nil {
			go e.opts.OnFailure(failed) // not waited for: it may wait for Close
		}
	}
	return e.failure()
}

// failure returns the *FailedError of a failed engine, or nil.
func (e *Engine) failure() error {
	if f := e.failed.Load(); f != nil {
		return f
	}
	return nil
}
