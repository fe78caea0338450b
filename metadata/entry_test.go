package metadata

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/metadata/raftlog"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func testEndpoint(i byte, tokens ...ring.Token) ring.Endpoint {
	return ring.Endpoint{ID: ring.HostID{i, 15: i}, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 7000),
		Datacenter: "dc", Rack: "r", Tokens: tokens}
}

// topologyChanges are one of each kind.
func topologyChanges() []TopologyChange {
	joining := testEndpoint(3)
	joining.Address = netip.MustParseAddrPort("[fe80::1%eth0]:7000")
	return []TopologyChange{
		Join{Endpoint: joining, Tokens: 16, Replaces: ring.HostID{9}},
		Join{},
		Joined{ring.HostID{1}},
		Leave{ring.HostID{2}},
		Left{ring.HostID{3}},
		Abort{ring.HostID{4}},
		Update{ring.HostID{5}, netip.MustParseAddrPort("10.0.0.1:1")},
		Update{},
	}
}

func TestEntryRoundTrip(t *testing.T) {
	check := func(e *entry) *entry {
		t.Helper()
		e.id = proposalID{1, 2, 15: 3}
		b := e.encode()
		got, err := decodeEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		if got.id != e.id || !bytes.Equal(got.encode(), b) {
			t.Errorf("%+v became %+v", e, got)
		}
		for i := range b {
			if _, err := decodeEntry(b[:i]); err == nil {
				t.Errorf("%d of %d bytes are an entry", i, len(b))
			}
		}
		if _, err := decodeEntry(append(b, 0)); err == nil {
			t.Error("an entry with something behind it is one")
		}
		return got
	}
	for _, c := range topologyChanges() {
		if got := check(&entry{topology: c}); !reflect.DeepEqual(got.topology, c) {
			t.Errorf("%+v became %+v", c, got.topology)
		}
	}
	c := Change{Keyspace: "ks", Statement: parse(t, "CREATE TABLE t (k int PRIMARY KEY) WITH comment = 'it''s'"), TableID: cqltype.UUID{7}, Timestamp: math.MinInt64, DefaultReplicationFactor: 3}
	got := *check(&entry{change: &c}).change
	if got.Statement.String() != c.Statement.String() {
		t.Errorf("%s became %s", c.Statement, got.Statement)
	}
	if got.Statement = c.Statement; !reflect.DeepEqual(got, c) {
		t.Errorf("%+v became %+v", c, got)
	}
	first := &firstNode{cluster: cqltype.UUID{1}, schema: build(t, createKS, "CREATE TABLE t (k int PRIMARY KEY)"), endpoint: testEndpoint(1, 5, 6)}
	again := check(&entry{first: first}).first
	if again.cluster != first.cluster || len(again.schema.Diff(first.schema)) != 0 || !reflect.DeepEqual(again.endpoint, first.endpoint) {
		t.Errorf("%+v became %+v", first, again)
	}
}

// A statement makes the same of a schema when it has been printed and parsed on the way.
func TestStatementsSurviveTheLog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := generator{rt}
		s := emptyState()
		s.cluster = cqltype.UUID{1}
		s.topology, _ = ring.New(testEndpoint(1, 5))
		for i := range rapid.IntRange(1, 30).Draw(rt, "length") {
			text := g.statement()
			if i < len(beginning) {
				text = beginning[i]
			}
			c := Change{Keyspace: "ka", Statement: parse(rt, text), TableID: cqltype.UUID{byte(i + 1)}, Timestamp: int64(i), DefaultReplicationFactor: 1}
			e, err := decodeEntry((&entry{change: &c}).encode())
			if err != nil {
				rt.Fatalf("%s: %v", text, err)
			}
			after, event, err := s.apply(e)
			c.Datacenters = []string{"dc"}
			direct, directEvent, directErr := Apply(s.schema, c)
			if class(err) != class(directErr) || err != nil && err.Error() != directErr.Error() || !reflect.DeepEqual(event, directEvent) {
				rt.Fatalf("%s: %v, %v; directly %v, %v", text, event, err, directEvent, directErr)
			}
			if err != nil {
				continue
			}
			if len(after.schema.Diff(direct)) > 0 {
				rt.Fatalf("%s: another schema than directly", text)
			}
			s = after
		}
	})
}

func TestAnswerRoundTrip(t *testing.T) {
	id, other := ring.HostID{1}, ring.HostID{2}
	for _, err := range []error{nil, &ChangeInProgressError{id, ring.Leaving}, &UnknownNodeError{id}, &ring.ConflictError{A: id, B: other, What: "one"},
		&ring.ChangeError{ID: id, Reason: "is"}, &NotMemberError{}, &RefusedError{"no"}} {
		o := outcome{index: 1 << 40, err: err}
		b := appendAnswer(nil, o)
		got, failure := readAnswer(b)
		if failure != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%+v became %+v, %v", o, got, failure)
		}
		for i := range b {
			if _, err := readAnswer(b[:i]); err == nil {
				t.Errorf("%d of %d bytes are an answer", i, len(b))
			}
		}
	}
	if o, _ := readAnswer(appendAnswer(nil, outcome{err: errors.New("other")})); o.err.Error() != "other" {
		t.Errorf("got %v", o.err)
	}
	var elsewhere *raftlog.NotLeaderError
	if _, err := readAnswer([]byte{answerNoLeader}); !errors.As(err, &elsewhere) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	for _, c := range topologyChanges() {
		f.Add((&entry{topology: c}).encode())
	}
	f.Add((&entry{first: &firstNode{schema: schema.Empty(), endpoint: testEndpoint(1, 5)}}).encode())
	for _, text := range beginning {
		parsed, err := grammar.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add((&entry{change: &Change{Statement: parsed.Statement}}).encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		again, err := decodeEntry(e.encode())
		if err != nil || !bytes.Equal(again.encode(), e.encode()) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
		if j, ok := e.topology.(Join); ok && j.Tokens > 64 {
			return // slow
		}
		topology, _ := ring.New(testEndpoint(1, 5), testEndpoint(2, 7))
		_, _, _ = (&state{schema: schema.Empty(), topology: topology, cluster: cqltype.UUID{1}}).apply(e)
		_, _, _ = emptyState().apply(e)
	})
}

func FuzzReadSnapshot(f *testing.F) {
	topology, _ := ring.New(testEndpoint(1, 5), testEndpoint(2, 7))
	s := &state{schema: schema.Empty(), topology: topology, cluster: cqltype.UUID{1}, applied: 77}
	f.Add(s.appendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSnapshot(b)
		if err != nil {
			return
		}
		again, err := readSnapshot(s.appendSnapshot(nil))
		if err != nil || !bytes.Equal(again.appendSnapshot(nil), s.appendSnapshot(nil)) {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, outcome{index: 5, err: &ChangeInProgressError{}}))
	f.Add(appendAnswer(nil, outcome{index: 5, err: &ring.ConflictError{What: "one"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := readAnswer(b); err == nil && o.err != nil {
			_ = o.err.Error()
		}
	})
}
