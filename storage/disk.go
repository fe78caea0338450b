package storage

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// A diskGuard watches the free space of the data directory's disk.
type diskGuard struct {
	dir   string
	floor int64                 // bytes
	free  func() (int64, error) // bytes
}

func newDiskGuard(dir string, floor int64) diskGuard {
	return diskGuard{dir: dir, floor: floor, free: func() (int64, error) {
		var s unix.Statfs_t
		err := unix.Statfs(dir, &s)
		return int64(s.Bavail) * int64(s.Bsize), err
	}}
}

// check returns a *DiskFullError if writing so many bytes more could leave less than the floor. A
// disk that cannot be asked is taken for one with space: the write itself will tell.
func (g *diskGuard) check(bytes int64) error {
	if free, err := g.free(); err == nil && free < g.floor+2*bytes {
		return &DiskFullError{Dir: g.dir, Free: free, Floor: g.floor}
	}
	return nil
}

// writable returns why a write of so many bytes may not be tried, or nil.
func (e *Engine) writable(bytes int64) error {
	if err := e.failure(); err != nil {
		return err
	}
	if list := e.damage.Load(); list != nil {
		return &DamagedError{First: e.corruptError((*list)[0].entry())}
	}
	return e.disk.check(bytes)
}

// HasRoom reports whether the engine would take a write now, as far as the disk goes.
func (e *Engine) HasRoom() bool { return e.disk.check(0) == nil }

// Size returns how many bytes the engine's data take: table files, values beside them, and the logs of memtables.
func (e *Engine) Size() int64 {
	entries, err := os.ReadDir(e.db.Opts().Dir)
	if err != nil {
		return 0
	}
	total := int64(0)
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".sst", ".vlog", ".mem":
			if info, err := entry.Info(); err == nil { // or it was removed meanwhile
				total += allocated(info)
			}
		}
	}
	return total
}

// allocated returns what a file takes of the disk. Logs are created as large as they may become.
func allocated(info os.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return min(info.Size(), s.Blocks*512)
	}
	return info.Size()
}
