package storage

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dgraph-io/badger/v4"
)

// Badger maps its table files, and pages that were touched once stay resident while memory lasts:
// a process with a small budget would show the size of its data. So the mapped part is kept in
// bounds too: beyond its share, table files are unmapped page by page. The data stays in the
// operating system's page cache, from where the next access maps it again. That access costs
// about as much as the rest of a read, so the share is what the process may have in all, less what
// it needs anyway: a node that only reads maps more than one that folds and compacts.

const (
	trimInterval = 20 * time.Millisecond // a compaction reads hundreds of megabytes in a second
	// trimParts is in how many parts, one at a time, files are unmapped, so that reads do not have to map all of
	// them again.
	trimParts = 4
)

// residentShare is how much a process with a budget may have resident, mapped files included, and how much beyond
// that makes it unmap all files at once.
func residentShare(memory int64) (share, slack int64) { return memory / 4 * 5, memory / 4 }

// trimMapped runs until the engine stops, and keeps what is resident within the share of a budget.
func (e *Engine) trimMapped(memory int64) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	share, slack := residentShare(memory)
	for part := uint64(0); ; {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			if all, files := resident(); all > share && files > memory/8 {
				part = (part + 1) % trimParts
				if err := e.unmapTables(part, all > share+slack); err != nil {
					e.opts.Log.Debug("mapped tables stay resident", "error", err)
				}
			}
		}
	}
}

// resident returns how many bytes this process has resident, and how many of them are of mapped files.
func resident() (all, files int64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0, 0
	}
	all, _ = strconv.ParseInt(fields[1], 10, 64)
	files, _ = strconv.ParseInt(fields[2], 10, 64)
	return all * int64(os.Getpagesize()), files * int64(os.Getpagesize())
}

// unmapTables releases the resident pages of one part of the table files, or of all. A file must not vanish, and its
// address not be given to something else, between looking it up and releasing it: an iterator
// over everything keeps all files of its time, and only those that were there before and after
// it was opened are touched.
func (e *Engine) unmapTables(part uint64, whole bool) error {
	e.view.RLock()
	if e.closed {
		e.view.RUnlock()
		return ErrClosed
	}
	before := e.tableIDs()
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	pin := txn.NewIterator(badger.IteratorOptions{})
	e.view.RUnlock()
	defer txn.Discard()
	defer pin.Close()
	pinned := e.tableIDs()
	for id := range pinned {
		if !before[id] {
			delete(pinned, id)
		}
	}
	dir, err := filepath.Abs(e.opts.Dir)
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var from, to uintptr
		path, ok := tableMapping(lines.Text(), dir, &from, &to)
		if id, err := strconv.ParseUint(strings.TrimSuffix(path, ".sst"), 10, 64); !ok || err != nil || !pinned[id] || !whole && id%trimParts != part {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); errno != 0 {
			return errno
		}
	}
	return lines.Err()
}

func (e *Engine) tableIDs() map[uint64]bool {
	ids := make(map[uint64]bool)
	for _, t := range e.db.Tables() {
		ids[t.ID] = true
	}
	return ids
}

// tableMapping takes a line of /proc/self/maps apart, if it is of a table file in dir.
func tableMapping(line, dir string, from, to *uintptr) (name string, ok bool) {
	i := strings.IndexByte(line, '/')
	if i < 0 || filepath.Dir(line[i:]) != dir || filepath.Ext(line) != ".sst" {
		return "", false
	}
	n, err := fmt.Sscanf(line, "%x-%x", from, to)
	return filepath.Base(line[i:]), err == nil && n == 2
}
