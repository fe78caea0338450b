package peer

import (
	"context"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/ring"
)

// Codes of failures that this package itself answers with.
const (
	CodeOverloaded  uint16 = 1  // the node is at work on too much; the request was not looked at
	CodeUnknownVerb uint16 = 2  // the node has no handler for the verb
	FirstCode       uint16 = 16 // the first code that is the handlers'
)

var (
	// ErrClosed says that the hub was closed.
	ErrClosed = errors.New("the hub is closed")
	// ErrBacklog says that too many bytes wait to be sent to a node.
	ErrBacklog = errors.New("too many bytes wait to be sent")
	// ErrSelf says that a node was to send a request to itself.
	ErrSelf = errors.New("a node does not send requests to itself")

	errSilent = errors.New("nothing has arrived for too long")
)

// A Failure is an error that has travelled: the other node could not do what it was asked. A handler
// that returns one chooses the code; other errors have code 0.
type Failure struct {
	Code    uint16
	Message string
}

func (f *Failure) Error() string { return f.Message }

// A TimeoutError says that the deadline of a request passed without an answer. The other node may have
// carried it out. It is a context.DeadlineExceeded, too.
type TimeoutError struct {
	To      ring.HostID
	Address string // if To was not known
}

func (e *TimeoutError) Error() string { return nodeName(e.To, e.Address) + " did not answer in time" }

func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// An UnreachableError says that there is no connection to a node. The request may have been carried out if the
// connection ended while it was under way.
type UnreachableError struct {
	To      ring.HostID
	Address string // if To was not known
	Cause   error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %v", nodeName(e.To, e.Address), e.Cause)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

func nodeName(id ring.HostID, address string) string {
	if id == (ring.HostID{}) {
		return "node at " + address
	}
	return "node " + id.String()
}

// A HandshakeError says why a connection is of no use.
type HandshakeError struct {
	Remote string // the other side's address
	Reason string
}

func (e *HandshakeError) Error() string { return "connection with " + e.Remote + ": " + e.Reason }

// An IdentityError says that another node than was looked for answers at an address. Want is zero if any other
// than this node would have done.
type IdentityError struct {
	Address   string
	Want, Got ring.HostID
}

func (e *IdentityError) Error() string {
	if e.Want == (ring.HostID{}) {
		return fmt.Sprintf("node %s at %s is this node itself", e.Got, e.Address)
	}
	return fmt.Sprintf("node %s was looked for at %s, but node %s answers there", e.Want, e.Address, e.Got)
}

// A SizeError says that a request is larger than a frame may be.
type SizeError struct{ Size, Max int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("a request of %d bytes is too large, at most %d", e.Size, e.Max)
}

// A frameError says how a frame breaks the protocol.
type frameError struct{ reason string }

func (e *frameError) Error() string { return "broken frame: " + e.reason }
