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
	return fmt.Sprintf("primary key of %d encoded bytes is longer than the maximum of %d", e.Size, e.Max)
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
