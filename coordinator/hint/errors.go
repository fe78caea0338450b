package hint

import (
	"fmt"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A WindowError reports that an endpoint is down for so long that no more hints are kept for it.
type WindowError struct {
	To     ring.HostID
	Since  time.Time // it is down, or its oldest hint waits
	Window time.Duration
}

func (e *WindowError) Error() string {
	return fmt.Sprintf("no more hints for node %s: it missed writes since %s, longer than the window of %s",
		e.To, e.Since.UTC().Format(time.RFC3339), e.Window)
}

// A FullError reports that there are too many hints for an endpoint.
type FullError struct {
	To           ring.HostID
	Bytes, Limit int64
}

func (e *FullError) Error() string {
	return fmt.Sprintf("no more hints for node %s: there are %d bytes of at most %d", e.To, e.Bytes, e.Limit)
}

// A BusyError reports that hints are added faster than the disk takes them.
type BusyError struct{ Bytes, Limit int64 }

func (e *BusyError) Error() string {
	return fmt.Sprintf("hints are written too slowly: %d bytes are waiting, at most %d may", e.Bytes, e.Limit)
}

// A DiskFullError reports that the disk has too little room for hints.
type DiskFullError struct{ Dir string }

func (e *DiskFullError) Error() string {
	return fmt.Sprintf("the disk of %s has too little free space for hints", e.Dir)
}

// An ExpiredError reports a hint that must not be replayed anymore.
type ExpiredError struct {
	To      ring.HostID
	Expires time.Time
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("a hint for node %s has expired at %s", e.To, e.Expires.UTC().Format(time.RFC3339))
}

// A WriteError reports that a hint could not be made durable.
type WriteError struct {
	To    ring.HostID
	Cause error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("writing hints for node %s: %v", e.To, e.Cause)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Cause }

// A TruncatedError reports that hints were removed while they were being written or replayed.
type TruncatedError struct{ To ring.HostID }

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("the hints for node %s were removed", e.To)
}

// A PausedError reports that hints are not replayed because of Pause.
type PausedError struct{}

func (e *PausedError) Error() string { return "the replay of hints is paused" }

// A ReplayingError reports that an endpoint's hints are being replayed already.
type ReplayingError struct{ To ring.HostID }

func (e *ReplayingError) Error() string {
	return fmt.Sprintf("the hints for node %s are being replayed already", e.To)
}

// A ClosedError reports a call after Close.
type ClosedError struct{}

func (e *ClosedError) Error() string { return "the store of hints is closed" }
