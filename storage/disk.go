package storage

import (
	"golang.org/x/sys/unix"
)

// A diskGuard watches the free space of the data directory's disk.
type diskGuard struct {
	dir   string
	floor int64 // bytes
}

// check returns a *DiskFullError if less than the floor is free. A disk that cannot be asked
// is taken for one with space: the write itself will tell.
func (g *diskGuard) check() error {
	var s unix.Statfs_t
	if unix.Statfs(g.dir, &s) != nil {
		return nil
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < g.floor {
		return &DiskFullError{Dir: g.dir, Free: free, Floor: g.floor}
	}
	return nil
}

// writable returns why no write may be tried, or nil.
func (e *Engine) writable() error {
	if err := e.failure(); err != nil {
		return err
	}
	return e.disk.check()
}
