package raftlog

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: 3, ID: []byte("id"), Addr: []byte("address")}
}

func configuration() raft.Configuration {
	return raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "b"}, {Suffrage: raft.Nonvoter, ID: "c", Address: "d"}}}
}

// requests are one of each kind.
func requests() []any {
	return []any{
		&raft.AppendEntriesRequest{RPCHeader: header(), Term: 1, PrevLogEntry: 2, PrevLogTerm: 3, LeaderCommitIndex: 4, Entries: []*raft.Log{
			{Index: 1, Term: 2, Type: raft.LogCommand, Data: []byte("data"), Extensions: []byte("more"), AppendedAt: time.UnixMicro(5)},
			{Index: 2, Term: 2, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(configuration()), Extensions: []byte{}},
			{Index: 3, Term: 1 << 63, Type: raft.LogNoop, Data: []byte{}, Extensions: []byte{}},
		}},
		&raft.AppendEntriesRequest{RPCHeader: header(), Term: 1},
		&raft.RequestVoteRequest{RPCHeader: header(), Term: 1, LastLogIndex: 2, LastLogTerm: 3, LeadershipTransfer: true},
		&raft.RequestPreVoteRequest{RPCHeader: header(), Term: 1, LastLogIndex: 2, LastLogTerm: 3},
		&raft.TimeoutNowRequest{RPCHeader: header()},
		&raft.InstallSnapshotRequest{RPCHeader: header(), SnapshotVersion: 1, Term: 1, LastLogIndex: 2, LastLogTerm: 3,
			ConfigurationIndex: 4, Size: 5, Configuration: raft.EncodeConfiguration(configuration())},
	}
}

// answers are one of each kind.
func answers() []any {
	return []any{
		&raft.AppendEntriesResponse{RPCHeader: header(), Term: 1, LastLog: 2, Success: true, NoRetryBackoff: true},
		&raft.RequestVoteResponse{RPCHeader: header(), Term: 1, Granted: true},
		&raft.RequestPreVoteResponse{RPCHeader: header(), Term: 1, Granted: true},
		&raft.TimeoutNowResponse{RPCHeader: header()},
		&raft.InstallSnapshotResponse{RPCHeader: header(), Term: 1, Success: true},
	}
}

func TestMessages(t *testing.T) {
	for _, q := range requests() {
		b := appendRequest(nil, q)
		got, err := readRequest(b)
		if err != nil || !reflect.DeepEqual(got, q) {
			t.Errorf("%+v became %+v, %v", q, got, err)
		}
		for i := range b {
			if _, err := readRequest(b[:i]); err == nil {
				t.Errorf("%d of %d bytes are a %T", i, len(b), q)
			}
		}
	}
	for _, a := range answers() {
		b := appendAnswer(nil, a)
		got := reflect.New(reflect.TypeOf(a).Elem()).Interface()
		if err := readAnswer(b, got); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%+v became %+v, %v", a, got, err)
		}
		for i := range b {
			if err := readAnswer(b[:i], got); err == nil {
				t.Errorf("%d of %d bytes are a %T", i, len(b), a)
			}
		}
	}
	if _, err := readRequest([]byte{99}); err == nil {
		t.Error("an unknown kind is a request")
	}
}

func TestHeartbeats(t *testing.T) {
	for i, q := range requests() {
		if got := isHeartbeat(q); got != (i == 1) {
			t.Errorf("%+v is a heartbeat: %t", q, got)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, q := range requests() {
		f.Add(appendRequest(nil, q))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readRequest(b)
		if err != nil {
			return
		}
		again, err := readRequest(appendRequest(nil, q))
		if err != nil || !bytes.Equal(appendRequest(nil, again), appendRequest(nil, q)) {
			t.Fatalf("%+v became %+v, %v", q, again, err)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	for _, a := range answers() {
		f.Add(appendAnswer(nil, a))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, a := range answers() {
			_ = readAnswer(b, a)
		}
	})
}

func FuzzSnapshotInfo(f *testing.F) {
	f.Add(appendSnapshotInfo(nil, &raft.SnapshotMeta{Index: 1, Term: 2, Configuration: configuration(), ConfigurationIndex: 3, Size: 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readSnapshotInfo(b)
		if err != nil {
			return
		}
		if again, err := readSnapshotInfo(appendSnapshotInfo(nil, m)); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
