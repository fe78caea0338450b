package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// The codes of failures that replicas answer with.
const (
	codeInvalid    = 16 // the request makes no sense to this node: trying again is of no use
	codeTombstones = 17 // a read has passed too many tombstones
	codeSchema     = 18 // the table is not known
	codeDisk       = 19 // the disk is full, or has failed
	codeStale      = 20 // whoever asks knows an older topology than this node
)

// Reasons that clients are told, by the number of the native protocol (v5, section 9, Read_failure).
const (
	reasonUnknown    = 0x0000
	reasonTombstones = 0x0001
	reasonSchema     = 0x0003
	reasonDown       = 0x0005
)

// reasonOf returns the reason that clients are told of an error.
func reasonOf(err error) uint16 {
	var failure *peer.Failure
	var tombstones *storage.TombstoneError
	var unreachable *peer.UnreachableError
	switch {
	case errors.As(err, &unreachable):
		return reasonDown
	case errors.As(err, &failure) && failure.Code == codeTombstones, errors.As(err, &tombstones):
		return reasonTombstones
	case errors.As(err, &failure) && failure.Code == codeSchema:
		return reasonSchema
	default:
		return reasonUnknown
	}
}

// failure gives an error of the engine the code that tells others what it is.
func failure(err error) error {
	var tombstones *storage.TombstoneError
	var full *storage.DiskFullError
	var failed *storage.FailedError
	var tooLarge *storage.MutationTooLargeError
	var tooLong *storage.KeyTooLongError
	code := uint16(0)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tombstones):
		code = codeTombstones
	case errors.As(err, &full), errors.As(err, &failed):
		code = codeDisk
	case errors.As(err, &tooLarge), errors.As(err, &tooLong):
		code = codeInvalid
	}
	return &peer.Failure{Code: code, Message: err.Error()}
}

// IsFinal reports whether a hint that a replica has failed at with f will fail again.
func IsFinal(f *peer.Failure) bool { return f.Code == codeInvalid }

func malformed(err error) error {
	return &peer.Failure{Code: codeInvalid, Message: fmt.Sprintf("a request that cannot be read: %v", err)}
}

// Handlers returns what this node does for the coordinators of others.
func (c *Coordinator) Handlers() map[peer.Verb]peer.Handler {
	return map[peer.Verb]peer.Handler{
		peer.VerbBatchStore:  c.handleBatch,
		peer.VerbBatchRemove: c.handleBatch,
		peer.VerbMutate:      c.mutate,
		peer.VerbHint:        c.mutate,
		peer.VerbRead:        c.answer,
		peer.VerbPull:        c.answer,
		peer.VerbTraced:      c.answerTraced,
		peer.VerbPrepare:     c.handlePrepare,
		peer.VerbAccept:      c.handleProposal,
		peer.VerbCommit:      c.handleProposal,
	}
}

// epochs are those of the world that a request was planned in. They are in front of all requests.
type epochs struct{ schema, topology uint64 }

func (e epochs) append(dst []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, e.schema), e.topology)
}

// take reads what append has made.
func (e *epochs) take(b []byte) (rest []byte, err error) {
	if e.schema, b, err = takeUvarint(b); err == nil {
		e.topology, b, err = takeUvarint(b)
	}
	return b, err
}

// refuse returns an error if whoever asks knows an older topology than this node: it may not have asked
// all that are, or become, replicas, or have asked one that is none anymore.
func (c *Coordinator) refuse(e epochs) error {
	if now := c.cluster.Topology().Epoch(); e.topology < now {
		return &peer.Failure{Code: codeStale, Message: fmt.Sprintf("the topology of epoch %d is out of date: it is at %d", e.topology, now)}
	}
	return nil
}

func isStale(err error) bool {
	var failure *peer.Failure
	return errors.As(err, &failure) && failure.Code == codeStale
}

// mutate carries out mutations on this node: the replica's part of a write. Those of hints and repairs are for
// this replica, whatever the topology.
func (c *Coordinator) mutate(ctx context.Context, r *peer.Request) ([]byte, error) {
	return c.mutateFor(ctx, nil, r)
}

func (c *Coordinator) mutateFor(ctx context.Context, t *trace.Trace, r *peer.Request) ([]byte, error) {
	epochs, mutations, err := decodeMutations(r.Body)
	if err != nil {
		return nil, malformed(err)
	}
	if r.Verb == peer.VerbMutate {
		if err := c.refuse(epochs); err != nil {
			return nil, err
		}
	}
	kept := mutations[:0]
	for _, m := range mutations {
		known, err := c.knows(ctx, epochs.schema, m.Incarnation)
		if err != nil {
			return nil, err
		}
		if known { // or the table has been dropped or truncated meanwhile, and with it what this would change
			kept = append(kept, m)
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	if err := c.guard.enter(ctx, epochs.topology); err != nil {
		return nil, err
	}
	return nil, failure(c.engine.ApplyTraced(ctx, t, kept...))
}

// knows reports whether a table exists, after this node has caught up with whoever knows of it.
func (c *Coordinator) knows(ctx context.Context, epoch uint64, incarnation uint32) (bool, error) {
	s := c.opts.Schema()
	if s.TableOf(incarnation) != nil || incarnation == PaxosIncarnation {
		return true, nil
	}
	if s.Epoch >= epoch {
		return false, nil
	}
	if err := c.opts.CatchUp(ctx, epoch); err != nil {
		return false, &peer.Failure{Code: codeSchema, Message: fmt.Sprintf("this node has not learned of the schema of epoch %d yet: %v", epoch, err)}
	}
	return c.opts.Schema().TableOf(incarnation) != nil, nil
}

// minMutation is the least size of an encoded mutation.
const minMutation = 4

// decodeMutations takes apart what appendMutations made.
func decodeMutations(b []byte) (e epochs, mutations []*row.Mutation, err error) {
	var n uint64
	if b, err = e.take(b); err == nil {
		n, b, err = takeUvarint(b)
	}
	if err != nil {
		return e, nil, err
	}
	if n > uint64(len(b)/minMutation) {
		return e, nil, fmt.Errorf("%d mutations in %d bytes", n, len(b))
	}
	for range n {
		m := new(row.Mutation)
		if b, err = m.Decode(b); err != nil {
			return e, nil, err
		}
		mutations = append(mutations, m)
	}
	if len(b) > 0 {
		return e, nil, errLong
	}
	return e, mutations, nil
}

var (
	errShort = errors.New("it ends early")
	errLong  = errors.New("it goes on behind its end")
	errFlags = errors.New("it has flags that are not known")
)

func takeUvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, b[n:], nil
}
