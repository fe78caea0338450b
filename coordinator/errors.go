package coordinator

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// The messages of these errors are Cassandra's.

// An UnavailableError reports that too few replicas were alive to try a request. Nothing was done.
type UnavailableError struct {
	Level           consistency.Level
	Required, Alive int
	Datacenter      string // that has too few; empty unless the level asks for a number in each
}

func (e *UnavailableError) Error() string {
	if e.Datacenter != "" {
		return fmt.Sprintf("Cannot achieve consistency level %s in DC %s", e.Level, e.Datacenter)
	}
	return fmt.Sprintf("Cannot achieve consistency level %s", e.Level)
}

// A WriteTimeoutError reports that too few replicas acknowledged a write in time. It may still be
// carried out.
type WriteTimeoutError struct {
	Level              consistency.Level
	Required, Received int
	WriteType          string // as the native protocol names it, such as SIMPLE or BATCH_LOG; empty: that of the statement
}

func (e *WriteTimeoutError) Error() string { return timedOut(e.Received) }

// A ReadTimeoutError reports that too few replicas answered a read in time.
type ReadTimeoutError struct {
	Level              consistency.Level
	Required, Received int
	DataPresent        bool // the replica that was asked for data, and not for a digest, has answered
}

func (e *ReadTimeoutError) Error() string { return timedOut(e.Received) }

func timedOut(received int) string {
	return fmt.Sprintf("Operation timed out - received only %d responses.", received)
}

// A WriteFailureError reports that so many replicas failed at a write that the level cannot be met anymore. Others
// have it, or may still carry it out.
type WriteFailureError struct {
	Level              consistency.Level
	Required, Received int
	Failures           map[netip.Addr]uint16 // reasons by node, as the native protocol numbers them
	WriteType          string                // as in a WriteTimeoutError
}

func (e *WriteFailureError) Error() string { return failed(e.Received, e.Failures) }

// A ReadFailureError reports that so many replicas failed at a read that the level cannot be met anymore.
type ReadFailureError struct {
	Level              consistency.Level
	Required, Received int
	DataPresent        bool                  // as in a ReadTimeoutError
	Failures           map[netip.Addr]uint16 // as in a WriteFailureError
}

func (e *ReadFailureError) Error() string { return failed(e.Received, e.Failures) }

// failed lists who failed in order of their addresses, as Cassandra does but for the ports.
func failed(received int, failures map[netip.Addr]uint16) string {
	list := make([]string, 0, len(failures))
	for _, address := range slices.SortedFunc(maps.Keys(failures), netip.Addr.Compare) {
		list = append(list, fmt.Sprintf("%s from /%s", failureReason(failures[address]), address))
	}
	return fmt.Sprintf("Operation failed - received %d responses and %d failures: %s", received, len(failures), strings.Join(list, ", "))
}

// failureReason returns Cassandra's name of a reason.
func failureReason(reason uint16) string {
	names := [...]string{
		"UNKNOWN", "READ_TOO_MANY_TOMBSTONES", "TIMEOUT", "INCOMPATIBLE_SCHEMA", "READ_SIZE", "NODE_DOWN",
		"INDEX_NOT_AVAILABLE", "READ_TOO_MANY_INDEXES",
	}
	if int(reason) >= len(names) {
		return names[0]
	}
	return names[reason]
}

// A CASUnknownError reports that it is not known whether a conditional change was made, or will be: some replicas have
// agreed to it, or may have, but too few have said so.
type CASUnknownError struct {
	Level              consistency.Level
	Required, Received int // that must agree, and that have
}

func (e *CASUnknownError) Error() string {
	return fmt.Sprintf("CAS operation result is unknown - proposal accepted by %d but not a quorum.", e.Received)
}
