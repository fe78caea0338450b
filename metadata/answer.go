package metadata

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/metadata/raftlog"
	"github.com/iliumdb/ilium/ring"
)

// An answer to a request of peer.VerbPropose is one of these bytes and, if it was done, an outcome without its event. A
// member takes the outcome from its own state; who wants to become one has none yet.
const (
	answerNoLeader byte = iota + 1 // nothing was done
	answerDone
)

// The kinds of errors in an answer.
const (
	errorNone byte = iota
	errorText
	errorInProgress
	errorUnknownNode
	errorConflict
	errorChange
	errorNotMember
)

func appendAnswer(dst []byte, o outcome) []byte {
	dst = binary.AppendUvarint(append(dst, answerDone), o.index)
	var inProgress *ChangeInProgressError
	var unknown *UnknownNodeError
	var conflict *ring.ConflictError
	var change *ring.ChangeError
	var notMember *NotMemberError
	switch {
	case o.err == nil:
		return append(dst, errorNone)
	case errors.As(o.err, &inProgress):
		return append(append(append(dst, errorInProgress), inProgress.ID[:]...), byte(inProgress.State))
	case errors.As(o.err, &unknown):
		return append(append(dst, errorUnknownNode), unknown.ID[:]...)
	case errors.As(o.err, &conflict):
		dst = append(append(append(dst, errorConflict), conflict.A[:]...), conflict.B[:]...)
		return codec.AppendBytes(dst, conflict.What)
	case errors.As(o.err, &change):
		return codec.AppendBytes(append(append(dst, errorChange), change.ID[:]...), change.Reason)
	case errors.As(o.err, &notMember):
		return append(dst, errorNotMember)
	}
	return codec.AppendBytes(append(dst, errorText), o.err.Error())
}

// readAnswer reads an answer. The error is a *raftlog.NotLeaderError if nothing was done.
func readAnswer(b []byte) (o outcome, err error) {
	r := codec.NewReader(b)
	switch answer := r.Byte(); answer {
	case answerNoLeader:
		if err := r.End(); err != nil {
			return outcome{}, err
		}
		return outcome{}, &raftlog.NotLeaderError{}
	case answerDone:
	default:
		return outcome{}, fmt.Errorf("an answer about the metadata log is the unknown %d", answer)
	}
	o.index = r.Uvarint()
	id := func() (id ring.HostID) {
		copy(id[:], r.Take(len(id)))
		return id
	}
	switch kind := r.Byte(); kind {
	case errorNone:
	case errorText:
		o.err = &RefusedError{r.String()}
	case errorInProgress:
		o.err = &ChangeInProgressError{ID: id(), State: ring.State(r.Byte())}
	case errorUnknownNode:
		o.err = &UnknownNodeError{id()}
	case errorConflict:
		o.err = &ring.ConflictError{A: id(), B: id(), What: r.String()}
	case errorChange:
		o.err = &ring.ChangeError{ID: id(), Reason: r.String()}
	case errorNotMember:
		o.err = &NotMemberError{}
	default:
		return outcome{}, fmt.Errorf("an answer about the metadata log has an error of the unknown kind %d", kind)
	}
	if err := r.End(); err != nil {
		return outcome{}, fmt.Errorf("an answer about the metadata log cannot be read: %w", err)
	}
	return o, nil
}
