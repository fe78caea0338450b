package metadata

import (
	"fmt"

	"github.com/iliumdb/ilium/ring"
)

// A ChangeInProgressError says that the ring cannot be changed because another change is under way: one node at a
// time joins or leaves.
type ChangeInProgressError struct {
	ID    ring.HostID // the node that does
	State ring.State  // Joining or Leaving
}

func (e *ChangeInProgressError) Error() string {
	return fmt.Sprintf("node %s is %s: one node at a time can join or leave", e.ID, e.State)
}

// An UnknownNodeError says that a node is not part of the ring.
type UnknownNodeError struct{ ID ring.HostID }

func (e *UnknownNodeError) Error() string {
	return fmt.Sprintf("node %s is not part of the ring", e.ID)
}

// A NoLeaderError says that the metadata cannot be changed now, and was not: a majority of the nodes that vote is
// down or cannot be reached.
type NoLeaderError struct{ Cause error }

func (e *NoLeaderError) Error() string {
	text := "the metadata cannot be changed now: no leader is reachable, which takes a majority of the nodes that vote"
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause, which may be nil.
func (e *NoLeaderError) Unwrap() error { return e.Cause }

// An UnknownOutcomeError says that a change of the metadata was proposed, and that it is not known whether it has been
// carried out. It may still be, later.
type UnknownOutcomeError struct{ Cause error }

func (e *UnknownOutcomeError) Error() string {
	return "it is unknown whether the metadata has been changed; the change may still be carried out: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *UnknownOutcomeError) Unwrap() error { return e.Cause }

// A NotMemberError says that a node is not part of a cluster yet, and so has no metadata to change.
type NotMemberError struct{}

func (*NotMemberError) Error() string { return "this node has not joined the cluster yet" }

// A MemberError says that a node is part of a cluster and cannot do what only others can: run alone, or
// join another cluster.
type MemberError struct{ Reason string }

func (e *MemberError) Error() string { return "this node is part of a cluster: " + e.Reason }

// A RefusedError is the reason for which the cluster has refused a change, in words: one that this node has no
// struct for.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

// A RemovedError says that a node has been taken out of the ring. With an empty data directory it is another node, which
// can join.
type RemovedError struct{ ID ring.HostID }

func (e *RemovedError) Error() string {
	return fmt.Sprintf("node %s was taken out of the ring, and cannot come back with its data", e.ID)
}
