package storage

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// A Sync says when a write counts as done.
type Sync int

// The ways to synchronize. Cassandra calls the setting commitlog_sync.
const (
	SyncGroup    Sync = iota // after its group of writes is on disk
	SyncPeriodic             // at once; the disk follows every Options.SyncPeriod
)

// Options configures an Engine. Zero fields take the default.
type Options struct {
	Dir string // required; created if missing, with mode 0700

	Memory     int64         // budget in bytes for memtables, indexes and caches; default 1 GiB, at least 64 MiB
	Sync       Sync          // default SyncGroup
	SyncPeriod time.Duration // for SyncPeriodic; default 10 s

	// GroupWindow is how long the committer waits for more writes before it syncs; default none:
	// a group is what arrived while the group before was being synced.
	GroupWindow time.Duration

	// DiskFloor is the free disk space, in bytes, under which writes are refused. Default, and
	// least: what the engine may still have to write for what it has accepted.
	DiskFloor int64

	// MaxMutation is the largest size, in bytes, of the changes that one Apply may carry; default 16 MiB.
	MaxMutation int64

	// Throughput bounds what folding reads and writes, Badger's compactions of it included, roughly, in bytes per
	// second; 0 means no bound.
	Throughput int64

	TombstoneWarn int // tombstones that one read may pass before it is reported in its ReadStats; default 1,000
	TombstoneFail int // and before it fails; default 100,000

	// Tables tells what the engine must know of a table, and false for one that does not exist
	// anymore: its data is then removed. It must be safe for concurrent use.
	Tables func(incarnation uint32) (Table, bool)

	// Now is the clock that local deletion times and expiries are compared with. Default time.Now.
	Now func() time.Time

	// OnFailure is called once, on a goroutine of its own, when the engine stops accepting writes
	// for good because one could not be made durable. The process should end.
	OnFailure func(error)

	Log *slog.Logger // default slog.Default()
}

// A Table is what the engine knows of one table.
type Table struct {
	Name     string        // keyspace and table, for errors
	GCGrace  time.Duration // how long tombstones are kept
	Compress bool          // whether its pages are compressed

	// FormatKey prints a row key, for errors. nil prints it in hexadecimal.
	FormatKey func(rowKey []byte) string

	// HasColumn reports whether a column still exists; the cells of others are dropped when rows
	// are folded. nil keeps all.
	HasColumn func(id uint32) bool
}

const (
	minMemory  = 64 << 20
	pageTarget = 6 << 10 // bytes of rows per page: small enough to decompress in some 10 us

	memtables = 3 // memtables waiting to be flushed, beside the active one
)

func (o Options) withDefaults() Options {
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	o.Memory = max(o.Memory, minMemory)
	if o.SyncPeriod == 0 {
		o.SyncPeriod = 10 * time.Second
	}
	if o.MaxMutation == 0 {
		o.MaxMutation = 16 << 20
	}
	if o.TombstoneWarn == 0 {
		o.TombstoneWarn = 1000
	}
	if o.TombstoneFail == 0 {
		o.TombstoneFail = 100_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Tables == nil {
		o.Tables = func(uint32) (Table, bool) { return Table{Name: "unknown"}, true }
	}
	o.DiskFloor = max(o.DiskFloor, o.leastDiskFloor())
	return o
}

// memtableSize gives a sixty-fourth of the budget to each memtable, within what Badger works well with: the buffers
// that tables are made in are twice as large, and stay.
func (o Options) memtableSize() int64 {
	return min(max(o.Memory/64, 4<<20), 64<<20)
}

// leastDiskFloor is the room that accepted writes may still need: Badger faults when a mapped
// file cannot grow, so it must never come to that. The write-ahead logs of all memtables are
// sparse files of twice their size, every memtable will be flushed, and a compaction holds its
// input and its output at the same time.
func (o Options) leastDiskFloor() int64 {
	m := o.memtableSize()
	return (memtables+1)*2*m + int64(levelZeroStall)*m + 2*o.baseLevelSize()
}

const (
	levelZeroTables = 6
	levelZeroStall  = 18

	// mostTableSize stays under 10 MB, because pages carry Badger's discard mark, which counts as
	// stale data: Badger rewrites larger tables with that much stale data once an hour for ever.
	mostTableSize = 8 << 20
)

// tableSize is a sixty-fourth of the budget, within bounds: Badger keeps buffers of twice that size for ten
// tables or so that it builds, and files that are much smaller would be too many.
func (o Options) tableSize() int64 { return min(max(o.Memory/64, 2<<20), mostTableSize) }

// mostValueLog is Badger's limit for a file of its value log, with some room.
const mostValueLog = 2<<30 - 1<<20

// baseLevelSize is large beside the memtables: what falls into it is merged with all of it, and what falls out of it
// with ten times as much, or less in small databases.
func (o Options) baseLevelSize() int64 { return o.Memory / 2 }

// valueThreshold is the size from which on values go to the value log: of smaller ones several
// must fit one transaction.
func (o Options) valueThreshold() int64 { return min(1<<20, o.memtableSize()*15/400) }

// badger returns the options of the key-value engine below. Compression is left to package
// page: Badger then reads straight from the mapped file and needs no block cache, and a damaged
// block cannot make rows vanish silently, as a failed decompression does.
//
// failed is told when Badger reports what no call of it returns: that it goes on although it could
// not write.
func (o Options) badger(failed func(error)) badger.Options {
	m := o.memtableSize()
	b := badger.DefaultOptions(o.Dir).
		WithLogger(badgerLog{o.Log, failed}).
		WithBypassLockGuard(true). // Open has locked the directory
		WithMetricsEnabled(false).
		WithSyncWrites(o.Sync == SyncGroup).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(math.MaxInt).
		WithMemTableSize(m).
		WithNumMemtables(memtables).
		WithNumLevelZeroTables(levelZeroTables).
		WithNumLevelZeroTablesStall(levelZeroStall).
		WithBaseTableSize(o.tableSize()).
		WithBaseLevelSize(o.baseLevelSize()).
		WithNumCompactors(2).
		WithCompactL0OnClose(false).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithBlockSize(8 << 10).
		WithIndexCacheSize(o.Memory / 16).
		WithValueThreshold(o.valueThreshold()).
		WithValueLogFileSize(min(max(2*m, 4*o.MaxMutation), mostValueLog))
	b.TableSizeMultiplier = 1
	return b
}

// badgerLog passes Badger's messages on: its errors and warnings as such, the rest for debugging.
type badgerLog struct {
	log    *slog.Logger
	failed func(error)
}

// lostWrites are the beginnings of the messages in which Badger says that it could not write.
var lostWrites = [...]string{
	"error flushing memtable to disk", // it tries again for ever, and takes no more writes
	"Error while curlf sync",          // it acknowledges the writes nevertheless
}

func (l badgerLog) Errorf(format string, args ...any) {
	l.print(slog.LevelError, format, args)
	for _, begin := range lostWrites {
		if strings.HasPrefix(format, begin) {
			l.failed(fmt.Errorf("badger: %s", strings.TrimSpace(fmt.Sprintf(format, args...))))
		}
	}
}
func (l badgerLog) Warningf(format string, args ...any) { l.print(slog.LevelWarn, format, args) }
func (l badgerLog) Infof(format string, args ...any)    { l.print(slog.LevelDebug, format, args) }
func (l badgerLog) Debugf(format string, args ...any)   { l.print(slog.LevelDebug, format, args) }

func (l badgerLog) print(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "badger: "+strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
