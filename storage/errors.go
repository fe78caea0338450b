package storage

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed says that the engine was closed.
	ErrClosed = errors.New("storage is closed")

	// ErrLocked says that another process has the data directory open.
	ErrLocked = errors.New("another process is using the data directory")
)

// A CorruptError reports stored bytes that are not what was written. Nothing of the row was returned.
type CorruptError struct {
	Table string // keyspace and table
	Key   string // the primary key as far as it can be read, or a file
	Cause string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt data in table %s at key %s: %s", e.Table, e.Key, e.Cause)
}

// A DiskFullError reports that a write was refused because too little disk space is free.
// Reads go on.
type DiskFullError struct {
	Dir         string
	Free, Floor int64 // bytes
}

func (e *DiskFullError) Error() string {
	return fmt.Sprintf("no space for writes: %d MiB are free on the disk of %s, and %d MiB must stay free; reads are still served",
		e.Free>>20, e.Dir, e.Floor>>20)
}

// A NoRoomError reports that the disk is so full that the commit log cannot be turned into table
// files. What is in the log is safe; it is recovered when there is space.
type NoRoomError struct {
	Dir        string
	Free, Need int64 // bytes
}

func (e *NoRoomError) Error() string {
	return fmt.Sprintf("the disk of %s is full: %d KiB are free, and recovering the commit log needs up to %d KiB", e.Dir, e.Free>>10, e.Need>>10)
}

// A MutationTooLargeError reports a write over the limit. Nothing was written.
type MutationTooLargeError struct {
	Size, Max int64 // bytes
}

func (e *MutationTooLargeError) Error() string {
	return fmt.Sprintf("Mutation of %d bytes is too large for the maximum size of %d", e.Size, e.Max)
}

// A KeyTooLongError reports a primary key that storage cannot hold. Nothing was written.
type KeyTooLongError struct {
	Size, Max int // bytes, encoded
}

func (e *KeyTooLongError) Error() string {
	return fmt.Sprintf("Key length of %d is longer than maximum of %d", e.Size, e.Max)
}

// A TombstoneError reports a read that was given up because it passed too many tombstones.
type TombstoneError struct {
	Table string
	Count int
}

func (e *TombstoneError) Error() string {
	return fmt.Sprintf("Scanned over %d tombstones during a read of %s; query aborted", e.Count, e.Table)
}

// A FailedError reports that the engine stopped taking writes because one could not be made
// durable. What was acknowledged before is on disk.
type FailedError struct {
	Cause error
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("storage has failed and takes no more writes: %v", e.Cause)
}

func (e *FailedError) Unwrap() error { return e.Cause }

// A DamagedError reports a write that was refused because stored data is damaged. Reads that do
// not need the damaged data are served.
type DamagedError struct {
	First error // what was found first
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("stored data is damaged, so no writes are taken: %v", e.First)
}

func (e *DamagedError) Unwrap() error { return e.First }

// A LostCommitsError reports that acknowledged writes are missing: the commit log or the list of
// table files was damaged or removed. Nothing was changed. Opening again after removing the file that promises them accepts the loss.
type LostCommitsError struct {
	Promised, Found uint64 // commit sequence numbers
	File            string
}

func (e *LostCommitsError) Error() string {
	return fmt.Sprintf("the commit log or the MANIFEST is damaged: writes were acknowledged up to commit %d and only %d are there; to start without them remove the file %s",
		e.Promised, e.Found, e.File)
}
