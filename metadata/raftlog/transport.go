package raftlog

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/peer"
)

// Peers are how requests reach other nodes. *peer.Hub is one.
type Peers interface {
	// Call asks a node and waits for the answer.
	Call(ctx context.Context, to ring.HostID, v peer.Verb, body []byte) ([]byte, error)
	// CallAddress asks whoever is at an address, and says who that was.
	CallAddress(ctx context.Context, address string, v peer.Verb, body []byte) ([]byte, ring.HostID, error)
}

const (
	entriesTimeout = 5 * time.Second  // for entries to be stored
	partTimeout    = 10 * time.Second // for a part of a snapshot to be taken
	installTimeout = time.Minute      // for a snapshot to be put in place
	partSize       = 1 << 20
	maxSnapshot    = 1 << 30
)

var errStopped = errors.New("the node is stopping")

// A transport carries raft's messages as requests between peers.
type transport struct {
	self      raft.ServerAddress // and id
	peers     Peers
	quick     time.Duration // for what is about time itself: heartbeats and votes
	ctx       context.Context
	received  chan raft.RPC
	heartbeat atomic.Pointer[func(raft.RPC)]

	mu    sync.Mutex
	parts map[ring.HostID]*parts
}

// parts is a snapshot that comes in.
type parts struct {
	session []byte
	data    []byte
}

const sessionSize = 8

func newTransport(ctx context.Context, self ring.HostID, peers Peers, quick time.Duration) *transport {
	return &transport{self: raft.ServerAddress(self.String()), peers: peers, quick: quick, ctx: ctx,
		received: make(chan raft.RPC), parts: map[ring.HostID]*parts{}}
}

// Consumer returns what has been received.
func (t *transport) Consumer() <-chan raft.RPC { return t.received }

// LocalAddr returns the node's own name.
func (t *transport) LocalAddr() raft.ServerAddress { return t.self }

// EncodePeer returns the name of a server in bytes.
func (t *transport) EncodePeer(id raft.ServerID, _ raft.ServerAddress) []byte { return []byte(id) }

// DecodePeer returns the name of a server.
func (t *transport) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

// SetHeartbeatHandler says who takes heartbeats without waiting for what raft is at.
func (t *transport) SetHeartbeatHandler(f func(raft.RPC)) { t.heartbeat.Store(&f) }

// AppendEntriesPipeline says that requests do not overtake each other: changes of the metadata are rare.
func (t *transport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

// AppendEntries sends entries or a heartbeat.
func (t *transport) AppendEntries(id raft.ServerID, _ raft.ServerAddress, q *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) error {
	timeout := t.quick
	if len(q.Entries) > 0 {
		timeout = entriesTimeout
	}
	return t.call(id, timeout, q, a)
}

// RequestVote asks for a vote.
func (t *transport) RequestVote(id raft.ServerID, _ raft.ServerAddress, q *raft.RequestVoteRequest, a *raft.RequestVoteResponse) error {
	return t.call(id, t.quick, q, a)
}

// RequestPreVote asks whether there would be a vote.
func (t *transport) RequestPreVote(id raft.ServerID, _ raft.ServerAddress, q *raft.RequestPreVoteRequest, a *raft.RequestPreVoteResponse) error {
	return t.call(id, t.quick, q, a)
}

// TimeoutNow hands over leadership.
func (t *transport) TimeoutNow(id raft.ServerID, _ raft.ServerAddress, q *raft.TimeoutNowRequest, a *raft.TimeoutNowResponse) error {
	return t.call(id, t.quick, q, a)
}

func (t *transport) call(id raft.ServerID, timeout time.Duration, request, answer any) error {
	return t.send(id, peer.VerbRaft, timeout, appendRequest(nil, request), func(b []byte) error { return readAnswer(b, answer) })
}

// send sends a body and hands the answer to read.
func (t *transport) send(id raft.ServerID, v peer.Verb, timeout time.Duration, body []byte, read func([]byte) error) error {
	to, err := parseServer(id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	b, err := t.peers.Call(ctx, to, v, body)
	if err != nil {
		return err
	}
	return read(b)
}

// InstallSnapshot sends a snapshot in parts, so that no request is too large, and then says what to do with it.
func (t *transport) InstallSnapshot(id raft.ServerID, _ raft.ServerAddress, q *raft.InstallSnapshotRequest, a *raft.InstallSnapshotResponse, data io.Reader) error {
	session := make([]byte, sessionSize)
	rand.Read(session) // never fails
	buffer := make([]byte, partSize)
	for offset := 0; ; {
		n, err := io.ReadFull(data, buffer)
		if n > 0 {
			body := append([]byte{byte(kindPart)}, session...)
			body = append(binary.AppendUvarint(body, uint64(offset)), buffer[:n]...)
			if err := t.send(id, peer.VerbSnapshot, partTimeout, body, func([]byte) error { return nil }); err != nil {
				return err
			}
			offset += n
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	body := appendRequest(nil, q)
	body = append(append(make([]byte, 0, len(body)+sessionSize), body...), session...)
	return t.send(id, peer.VerbSnapshot, installTimeout, body, func(b []byte) error { return readAnswer(b, a) })
}

// handle answers a request of VerbRaft.
func (t *transport) handle(ctx context.Context, r *peer.Request) ([]byte, error) {
	request, err := readRequest(bytes.Clone(r.Body)) // raft keeps it
	if err != nil {
		return nil, err
	}
	if _, ok := request.(*raft.InstallSnapshotRequest); ok {
		return nil, fmt.Errorf("a snapshot of the metadata log came as the wrong verb")
	}
	return t.deliver(ctx, raft.RPC{Command: request}, r.Memory[:0])
}

// deliver hands a request to raft and appends the answer to memory.
func (t *transport) deliver(ctx context.Context, rpc raft.RPC, memory []byte) ([]byte, error) {
	answer := make(chan raft.RPCResponse, 1)
	rpc.RespChan = answer
	if f := t.heartbeat.Load(); f != nil && isHeartbeat(rpc.Command) {
		(*f)(rpc)
	} else {
		select {
		case t.received <- rpc:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.ctx.Done():
			return nil, errStopped
		}
	}
	select {
	case a := <-answer:
		if t.ctx.Err() != nil {
			return nil, errStopped // what it says may not be stored: see votes.Set
		}
		if a.Error != nil {
			return nil, a.Error
		}
		return appendAnswer(memory, a.Response), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.ctx.Done():
		return nil, errStopped
	}
}

// isHeartbeat reports whether a request only says that there is a leader.
func isHeartbeat(request any) bool {
	q, ok := request.(*raft.AppendEntriesRequest)
	return ok && q.Term != 0 && q.PrevLogEntry == 0 && q.PrevLogTerm == 0 && len(q.Entries) == 0 && q.LeaderCommitIndex == 0
}

// handleSnapshot answers a request of VerbSnapshot.
func (t *transport) handleSnapshot(ctx context.Context, r *peer.Request) ([]byte, error) {
	if len(r.Body) > 0 && kind(r.Body[0]) == kindPart {
		return nil, t.takePart(r.From, r.Body[1:])
	}
	n := len(r.Body) - sessionSize
	if n < 0 {
		return nil, fmt.Errorf("a message of raft cannot be read")
	}
	request, err := readRequest(bytes.Clone(r.Body[:n]))
	if err != nil {
		return nil, err
	}
	install, ok := request.(*raft.InstallSnapshotRequest)
	if !ok {
		return nil, fmt.Errorf("a message of raft came as the wrong verb")
	}
	t.mu.Lock()
	p := t.parts[r.From]
	delete(t.parts, r.From)
	t.mu.Unlock()
	if p == nil || !bytes.Equal(p.session, r.Body[n:]) || int64(len(p.data)) != install.Size {
		return nil, fmt.Errorf("parts of the snapshot are missing")
	}
	return t.deliver(ctx, raft.RPC{Command: install, Reader: bytes.NewReader(p.data)}, r.Memory[:0])
}

// takePart keeps a part of a snapshot. Parts come in order; the first one of a snapshot ends the one before.
func (t *transport) takePart(from ring.HostID, b []byte) error {
	r := codec.NewReader(b)
	session, offset, data := r.Take(sessionSize), r.Uvarint(), r.Rest()
	if err := r.End(); err != nil {
		return fmt.Errorf("a part of a snapshot cannot be read: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.parts[from]
	if offset == 0 {
		p = &parts{session: bytes.Clone(session)}
		t.parts[from] = p
	}
	if p == nil || !bytes.Equal(p.session, session) || offset != uint64(len(p.data)) || offset > maxSnapshot {
		return fmt.Errorf("a part of a snapshot does not continue the one before")
	}
	p.data = append(p.data, data...)
	return nil
}

// serverOf returns raft's name for a node.
func serverOf(id ring.HostID) raft.ServerID { return raft.ServerID(id.String()) }

// parseServer returns the node that raft's name stands for.
func parseServer(s raft.ServerID) (ring.HostID, error) {
	id, err := cqltype.ParseUUID(string(s))
	if err != nil {
		return ring.HostID{}, fmt.Errorf("raft names a server %q: %w", s, err)
	}
	return ring.HostID(id), nil
}
