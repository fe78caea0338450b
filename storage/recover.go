package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"golang.org/x/sys/unix"
)

// Badger repairs what it finds when it opens: it cuts a write-ahead log behind the last entry it
// can read, and deletes table files that its manifest does not name. After a crash that is right.
// After damage it makes things worse, so Open first looks at the files, without changing any, and
// refuses to go on if acknowledged writes would be missing. Whoever puts the damaged file back
// from a copy then has everything.

// lockDir locks a directory against other processes, in the way Badger does it. The lock ends
// when the file is closed.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkFiles returns an error that names a file if one is missing that Badger would do without or
// could not name, and removes those that a crash left empty, which Badger refuses.
func checkFiles(dir string) error {
	tables, err := numbered(dir, ".sst")
	if err != nil {
		return err
	}
	logs, err := numbered(dir, ".mem")
	if err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) && len(tables)+len(logs) > 0 {
		return fmt.Errorf("file %s is missing", badger.ManifestFilename)
	}
	registry, err := badger.OpenKeyRegistry(badger.KeyRegistryOptions{Dir: dir, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("file %s: %w", badger.KeyRegistryFileName, err)
	}
	if err := registry.Close(); err != nil {
		return err
	}
	return removeEmpty(dir)
}

// removeEmpty removes empty log files: those that the process did not come to give their size,
// and those that it emptied and did not come to remove. What a file held that was emptied by
// damage is missed later, by checkCommits or when a value is read.
func removeEmpty(dir string) error {
	for _, extension := range []string{".mem", ".vlog"} {
		files, err := numbered(dir, extension)
		if err != nil {
			return err
		}
		for _, name := range files {
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err == nil && info.Size() == 0 {
				err = os.Remove(path)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// numbered returns the names of the files of a kind, the oldest first.
func numbered(dir, extension string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return nil, err
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(strings.TrimSuffix(name, extension), 10, 64) // Badger refuses other names
		return n
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = filepath.Base(p)
	}
	slices.SortFunc(names, func(a, b string) int { return int(int64(number(a)) - int64(number(b))) })
	return names, nil
}

// checkCommits returns a *LostCommitsError if not all commits up to promised are there: in the
// tables, and behind what they hold in the write-ahead logs, without a gap. A log that is damaged
// in the middle leaves a gap even if a later log is whole.
func checkCommits(dir string, tables []uint64, promised uint64) error {
	last := uint64(0)
	for _, id := range tables {
		name := table.IDToFilename(id)
		err := mapped(filepath.Join(dir, name), func(data []byte) error {
			index, err := tableIndex(name, data)
			if err == nil {
				last = max(last, index.MaxVersion())
			}
			return err
		})
		if errors.Is(err, os.ErrNotExist) {
			err = errTable(name, "is missing")
		}
		if err != nil {
			return err
		}
	}
	logs, err := numbered(dir, ".mem")
	if err != nil {
		return err
	}
	for _, name := range logs {
		err := mapped(filepath.Join(dir, name), func(data []byte) error {
			for seq := range logCommits(data) {
				if seq == last+1 {
					last = seq
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if last < promised {
		return &LostCommitsError{Promised: promised, Found: last, File: watermarkName}
	}
	return nil
}

// checkRoom returns an error if flushing the write-ahead logs could fill the disk. Badger writes
// mapped files: it would not get an error then, the process would die.
func checkRoom(dir string, free int64) error {
	logs, err := numbered(dir, ".mem")
	if err != nil {
		return err
	}
	need := int64(flushReserve)
	for _, name := range logs {
		var s unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, name), &s); err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
		need += s.Blocks * 512 // what is not a hole
	}
	if free < need {
		return &NoRoomError{Dir: dir, Free: free, Need: need}
	}
	return nil
}

// flushReserve is the room that Badger needs beside the flushed logs, for new files and their headers.
const flushReserve = 2 << 20

// mapped lets read look at a file without loading what it does not touch: the logs are mostly holes.
func mapped(path string, read func(data []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return read(nil)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping %s: %w", path, err)
	}
	return errors.Join(read(data), unix.Munmap(data))
}

// Badger's write-ahead log: a header of 20 bytes, then entries
//
//	meta u8 | user meta u8 | key length | value length | expiry (uvarints) | key | value | crc32c u32
//
// The key of an entry ends in its version, eight bytes. The entries of a transaction are marked
// as such; one with another mark follows them, whose value is the version in decimal. Behind the
// last entry are zeros.
const (
	logHeaderSize = 20
	logInTxn      = 1 << 6
	logEndTxn     = 1 << 7
)

// logCommits yields the sequence number of every whole transaction in a log, up to the first
// entry that cannot be read, as Badger does.
func logCommits(data []byte) func(yield func(uint64) bool) {
	return func(yield func(uint64) bool) {
		if len(data) < logHeaderSize || binary.BigEndian.Uint64(data) != 0 { // the id of an encryption key
			return
		}
		rest := data[logHeaderSize:]
		for {
			meta, value, n := logEntry(rest)
			if n == 0 {
				return
			}
			rest = rest[n:]
			if meta&logEndTxn == 0 {
				continue
			}
			seq, err := strconv.ParseUint(string(value), 10, 64)
			if err != nil || !yield(seq) {
				return
			}
		}
	}
}

// logEntry reads the entry at the start of data; size 0 means that there is none.
func logEntry(data []byte) (meta byte, value []byte, size int) {
	if len(data) < 2 {
		return 0, nil, 0
	}
	at := 2
	var lengths [3]uint64
	for i := range lengths {
		v, n := binary.Uvarint(data[at:])
		if n <= 0 {
			return 0, nil, 0
		}
		lengths[i], at = v, at+n
	}
	left := uint64(len(data) - at)
	if lengths[0] == 0 || lengths[0] > left || lengths[1] > left || lengths[0]+lengths[1]+crc32.Size > left {
		return 0, nil, 0
	}
	start := at + int(lengths[0])
	end := start + int(lengths[1])
	if crc32.Checksum(data[:end], castagnoli) != binary.BigEndian.Uint32(data[end:]) {
		return 0, nil, 0
	}
	return data[0], data[start:end], end + crc32.Size
}
