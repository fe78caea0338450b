package raftlog

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/codec"
)

// A message is the kind of a request, one byte, and the request's fields in order. The version is part of the
// kind: a request with other fields gets another number.
type kind byte

const (
	kindAppend kind = iota + 1
	kindVote
	kindPreVote
	kindTimeoutNow
	kindPart    // of a snapshot
	kindInstall // the snapshot whose parts came before
)

func appendHeader(dst []byte, h raft.RPCHeader) []byte {
	dst = binary.AppendUvarint(dst, uint64(h.ProtocolVersion))
	return codec.AppendBytes(codec.AppendBytes(dst, h.ID), h.Addr)
}

func readHeader(r *codec.Reader) raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersion(r.Uvarint() & 0xFF), ID: r.Bytes(), Addr: r.Bytes()}
}

// appendEntry appends an entry of the log. Entries are stored in the same form.
func appendEntry(dst []byte, l *raft.Log) []byte {
	dst = binary.AppendUvarint(dst, l.Index)
	dst = binary.AppendUvarint(dst, l.Term)
	dst = append(dst, byte(l.Type))
	dst = codec.AppendBytes(dst, l.Data)
	dst = codec.AppendBytes(dst, l.Extensions)
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixMicro()
	}
	return binary.AppendVarint(dst, at)
}

func readEntry(r *codec.Reader) *raft.Log {
	l := &raft.Log{Index: r.Uvarint(), Term: r.Uvarint(), Type: raft.LogType(r.Byte()), Data: r.Bytes(), Extensions: r.Bytes()}
	if at := r.Varint(); at != 0 {
		l.AppendedAt = time.UnixMicro(at)
	}
	switch l.Type {
	case raft.LogCommand, raft.LogNoop, raft.LogBarrier:
	case raft.LogConfiguration:
		if _, err := readConfiguration(l.Data); err != nil {
			r.Fail()
		}
	default:
		r.Fail()
	}
	return l
}

// readConfiguration is raft.DecodeConfiguration, which panics if it is given other bytes.
func readConfiguration(b []byte) (c raft.Configuration, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = raft.Configuration{}, fmt.Errorf("a configuration of raft cannot be read: %v", p)
		}
	}()
	return raft.DecodeConfiguration(b), nil
}

// appendRequest appends a request with its kind in front.
func appendRequest(dst []byte, request any) []byte {
	switch q := request.(type) {
	case *raft.AppendEntriesRequest:
		dst = appendHeader(append(dst, byte(kindAppend)), q.RPCHeader)
		for _, n := range []uint64{q.Term, q.PrevLogEntry, q.PrevLogTerm, q.LeaderCommitIndex, uint64(len(q.Entries))} {
			dst = binary.AppendUvarint(dst, n)
		}
		for _, l := range q.Entries {
			dst = appendEntry(dst, l)
		}
	case *raft.RequestVoteRequest:
		dst = appendHeader(append(dst, byte(kindVote)), q.RPCHeader)
		for _, n := range []uint64{q.Term, q.LastLogIndex, q.LastLogTerm} {
			dst = binary.AppendUvarint(dst, n)
		}
		dst = appendBool(dst, q.LeadershipTransfer)
	case *raft.RequestPreVoteRequest:
		dst = appendHeader(append(dst, byte(kindPreVote)), q.RPCHeader)
		for _, n := range []uint64{q.Term, q.LastLogIndex, q.LastLogTerm} {
			dst = binary.AppendUvarint(dst, n)
		}
	case *raft.TimeoutNowRequest:
		dst = appendHeader(append(dst, byte(kindTimeoutNow)), q.RPCHeader)
	case *raft.InstallSnapshotRequest:
		dst = appendHeader(append(dst, byte(kindInstall)), q.RPCHeader)
		for _, n := range []uint64{uint64(q.SnapshotVersion), q.Term, q.LastLogIndex, q.LastLogTerm, q.ConfigurationIndex, uint64(q.Size)} {
			dst = binary.AppendUvarint(dst, n)
		}
		dst = codec.AppendBytes(dst, q.Configuration)
	}
	return dst
}

// readRequest reads what appendRequest wrote. The request keeps parts of b.
func readRequest(b []byte) (any, error) {
	r := codec.NewReader(b)
	var request any
	switch k := kind(r.Byte()); k {
	case kindAppend:
		q := &raft.AppendEntriesRequest{RPCHeader: readHeader(r), Term: r.Uvarint(), PrevLogEntry: r.Uvarint(), PrevLogTerm: r.Uvarint(), LeaderCommitIndex: r.Uvarint()}
		for n := r.Count(6); n > 0 && !r.Failed(); n-- {
			q.Entries = append(q.Entries, readEntry(r))
		}
		request = q
	case kindVote:
		q := &raft.RequestVoteRequest{RPCHeader: readHeader(r), Term: r.Uvarint(), LastLogIndex: r.Uvarint(), LastLogTerm: r.Uvarint(), LeadershipTransfer: r.Bool()}
		request = q
	case kindPreVote:
		request = &raft.RequestPreVoteRequest{RPCHeader: readHeader(r), Term: r.Uvarint(), LastLogIndex: r.Uvarint(), LastLogTerm: r.Uvarint()}
	case kindTimeoutNow:
		request = &raft.TimeoutNowRequest{RPCHeader: readHeader(r)}
	case kindInstall:
		request = readInstall(r)
	default:
		return nil, fmt.Errorf("a message of raft has the unknown kind %d", k)
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("a message of raft cannot be read: %w", err)
	}
	return request, nil
}

func readInstall(r *codec.Reader) *raft.InstallSnapshotRequest {
	q := &raft.InstallSnapshotRequest{RPCHeader: readHeader(r), SnapshotVersion: raft.SnapshotVersion(r.Uvarint() & 0xFF), Term: r.Uvarint(),
		LastLogIndex: r.Uvarint(), LastLogTerm: r.Uvarint(), ConfigurationIndex: r.Uvarint(), Size: int64(r.Uvarint()), Configuration: r.Bytes()}
	if _, err := readConfiguration(q.Configuration); err != nil || q.SnapshotVersion != raft.SnapshotVersionMax {
		r.Fail()
	}
	return q
}

// appendAnswer appends the answer to a request. Who reads it knows of which kind it is.
func appendAnswer(dst []byte, answer any) []byte {
	switch a := answer.(type) {
	case *raft.AppendEntriesResponse:
		dst = binary.AppendUvarint(appendHeader(dst, a.RPCHeader), a.Term)
		dst = binary.AppendUvarint(dst, a.LastLog)
		dst = appendBool(appendBool(dst, a.Success), a.NoRetryBackoff)
	case *raft.RequestVoteResponse:
		dst = appendBool(binary.AppendUvarint(appendHeader(dst, a.RPCHeader), a.Term), a.Granted)
	case *raft.RequestPreVoteResponse:
		dst = appendBool(binary.AppendUvarint(appendHeader(dst, a.RPCHeader), a.Term), a.Granted)
	case *raft.TimeoutNowResponse:
		dst = appendHeader(dst, a.RPCHeader)
	case *raft.InstallSnapshotResponse:
		dst = appendBool(binary.AppendUvarint(appendHeader(dst, a.RPCHeader), a.Term), a.Success)
	}
	return dst
}

// readAnswer reads what appendAnswer wrote into answer. It keeps parts of b.
func readAnswer(b []byte, answer any) error {
	r := codec.NewReader(b)
	h := readHeader(r)
	switch a := answer.(type) {
	case *raft.AppendEntriesResponse:
		*a = raft.AppendEntriesResponse{RPCHeader: h, Term: r.Uvarint(), LastLog: r.Uvarint(), Success: r.Bool(), NoRetryBackoff: r.Bool()}
	case *raft.RequestVoteResponse:
		*a = raft.RequestVoteResponse{RPCHeader: h, Term: r.Uvarint(), Granted: r.Bool()}
	case *raft.RequestPreVoteResponse:
		*a = raft.RequestPreVoteResponse{RPCHeader: h, Term: r.Uvarint(), Granted: r.Bool()}
	case *raft.TimeoutNowResponse:
		*a = raft.TimeoutNowResponse{RPCHeader: h}
	case *raft.InstallSnapshotResponse:
		*a = raft.InstallSnapshotResponse{RPCHeader: h, Term: r.Uvarint(), Success: r.Bool()}
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("an answer of raft cannot be read: %w", err)
	}
	return nil
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
