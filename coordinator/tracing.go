package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// A traced request goes to replicas inside of VerbTraced: its verb, and its body. The replica has a trace of its own, and
// answers with what it would answer otherwise, the trace's events, and how long each of the two is. What is said is
// in Cassandra's words where it has some.

// The kinds of goroutines, as traces call them.
const (
	replicaThread = "replica" // carries out requests of other nodes
	peerThread    = "peer"    // takes their answers
)

// The kinds of answers to VerbTraced.
const (
	tracedAnswer  = 0
	tracedFailure = 1
)

// send is Peers.Send, and tells t what goes to the other node, what comes back and what that node did.
func (c *Coordinator) send(t *trace.Trace, e *ring.Endpoint, v peer.Verb, deadline time.Time, body []byte, done func(answer []byte, err error)) {
	if !t.On() {
		c.peers.Send(e.ID, v, deadline, body, done)
		return
	}
	name := messageName(v, body)
	t.AddIn("", "Sending %s_REQ message to /%s message size %d bytes", name, e.Address, len(body))
	asked := t.Now()
	c.peers.Send(e.ID, peer.VerbTraced, deadline, append([]byte{byte(v)}, body...), func(answer []byte, err error) {
		if err == nil {
			answer, err = takeTraced(t, e, asked, answer)
		}
		if err != nil {
			t.AddIn(peerThread, "%s_REQ message to /%s failed: %s", name, e.Address, err)
		} else {
			t.AddIn(peerThread, "%s_RSP message received from /%s", name, e.Address)
		}
		done(answer, err)
	})
}

// messageName returns Cassandra's name of a request.
func messageName(v peer.Verb, body []byte) string {
	switch v {
	case peer.VerbMutate:
		return "MUTATION"
	case peer.VerbHint: // hints themselves are nobody's request, and never traced
		return "READ_REPAIR"
	case peer.VerbBatchStore:
		return "BATCH_STORE"
	case peer.VerbBatchRemove:
		return "BATCH_REMOVE"
	}
	var e epochs
	if rest, err := e.take(body); err == nil && len(rest) > 0 && rest[0]&flagScan != 0 {
		return "RANGE"
	}
	return "READ"
}

// answerTraced carries out the request inside of VerbTraced.
func (c *Coordinator) answerTraced(ctx context.Context, r *peer.Request) ([]byte, error) {
	if len(r.Body) == 0 {
		return nil, malformed(errShort)
	}
	t, from := trace.New(replicaThread), r.From.String()
	if e := c.cluster.Topology().Endpoint(r.From); e != nil {
		from = "/" + e.Address.String()
	}
	inner := *r
	inner.Verb, inner.Body = peer.Verb(r.Body[0]), r.Body[1:]
	t.Add("%s_REQ message received from %s", messageName(inner.Verb, inner.Body), from)
	var answer []byte
	var err error
	switch inner.Verb {
	case peer.VerbMutate, peer.VerbHint:
		answer, err = c.mutateFor(ctx, t, &inner)
	case peer.VerbRead:
		answer, err = c.answerFor(ctx, t, &inner)
	case peer.VerbPrepare:
		answer, err = c.handlePrepare(ctx, &inner)
	case peer.VerbAccept, peer.VerbCommit:
		answer, err = c.handleProposal(ctx, &inner)
	case peer.VerbBatchStore, peer.VerbBatchRemove:
		answer, err = c.handleBatch(ctx, &inner)
	default:
		return nil, malformed(fmt.Errorf("verb %d cannot be traced", inner.Verb))
	}
	if err != nil {
		t.Add("The request has failed: %s", err)
	}
	t.Add("Enqueuing response to %s", from)
	return appendTraced(answer, err, t), nil
}

// appendTraced returns the answer to VerbTraced: an answer or a failure, of which kind it is, the events, and how long these
// are.
func appendTraced(answer []byte, err error, t *trace.Trace) []byte {
	kind := byte(tracedAnswer)
	if err != nil {
		f := &peer.Failure{Message: err.Error()}
		errors.As(err, &f)
		kind, answer = tracedFailure, append(binary.BigEndian.AppendUint16(nil, f.Code), f.Message...)
	}
	answer = append(answer, kind)
	before := len(answer)
	answer = t.Append(answer)
	return binary.BigEndian.AppendUint32(answer, uint32(len(answer)-before))
}

// takeTraced takes apart what appendTraced has made, and adds the events to t.
func takeTraced(t *trace.Trace, from *ring.Endpoint, asked time.Duration, b []byte) (answer []byte, err error) {
	answer, failed, events, took, err := decodeTraced(b)
	if err != nil {
		return nil, err
	}
	t.AddFrom(from.Address, asked, took, events)
	if failed != nil {
		return nil, failed
	}
	return answer, nil
}

// decodeTraced takes apart what appendTraced has made. The answer shares b's memory.
func decodeTraced(b []byte) (answer []byte, failed *peer.Failure, events []trace.Event, took time.Duration, err error) {
	end := len(b) - 4
	if end < 0 {
		return nil, nil, nil, 0, errShort
	}
	size := binary.BigEndian.Uint32(b[end:])
	if uint64(size)+1 > uint64(end) {
		return nil, nil, nil, 0, errShort
	}
	begin := end - int(size)
	if events, took, err = trace.Decode(b[begin:end]); err != nil {
		return nil, nil, nil, 0, err
	}
	answer = b[:begin-1]
	switch kind := b[begin-1]; {
	case kind == tracedAnswer:
	case kind == tracedFailure && len(answer) >= 2:
		failed = &peer.Failure{Code: binary.BigEndian.Uint16(answer), Message: string(answer[2:])}
		answer = nil
	default:
		return nil, nil, nil, 0, errFlags
	}
	return answer, failed, events, took, nil
}

// shared fetches one block, together with others that want the same. What is traced is carried out by itself: its trace is to
// say what was done for it.
func (b *blocks) shared(q query, request []byte) (*storage.Entries, error) {
	try := func() (result, error) { return b.try(q, request) }
	if b.reading.Trace.On() {
		got, err := try()
		return got.entries, err
	}
	return b.coordinator.flights.do(string(append(request, byte(b.reading.Level))), try)
}

// traceAsking says what a replica is asked for.
func (r *round) traceAsking(e *ring.Endpoint, digest bool) {
	t := r.reading.Trace
	if !t.On() {
		return
	}
	what, where := "data", "/"+e.Address.String()
	if digest {
		what = "digests"
	}
	if e.ID == r.coordinator.cluster.Self() {
		where = "this node"
	}
	t.Add("reading %s from %s", what, where)
}

// traceQuery says what is read from the node's own data.
func (c *Coordinator) traceQuery(t *trace.Trace, q *query) {
	if !t.On() {
		return
	}
	table := "a table that was dropped"
	if found := c.opts.Schema().TableOf(q.incarnation()); found != nil {
		table = found.String()
	}
	if q.scan != nil {
		t.Add("Executing seq scan on %s", table)
	} else {
		t.Add("Executing single-partition query on %s", table)
	}
}

// traceBlock says what was read from the node's own data.
func traceBlock(t *trace.Trace, info *storage.BlockInfo, err error) {
	if !t.On() || err != nil {
		return
	}
	s := &info.Stats
	t.Add("Read %d live rows and %d tombstone cells", s.Rows, s.Tombstones)
	t.Add("Merged %d fragments that are not folded and %d pages, as of commit %d", s.Fragments, s.Pages, s.Commit)
}

// traceHint says that a hint was kept, or was not.
func traceHint(t *trace.Trace, e *ring.Endpoint, err error) {
	switch {
	case !t.On():
	case err != nil:
		t.AddIn("", "No hint is kept for /%s: %s", e.Address, err)
	default:
		t.AddIn("", "Adding hint for /%s", e.Address)
	}
}
