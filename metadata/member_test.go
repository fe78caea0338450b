package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/ring"
)

func TestMembers(t *testing.T) {
	inBubble(t, 7, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		voters := func(want ...int) {
			t.Helper()
			pause(2 * time.Second)
			var ids []ring.HostID
			for _, i := range want {
				ids = append(ids, w.nodes[i].id)
			}
			for _, m := range w.nodes {
				if l := m.current(); l != nil {
					got := l.Voters()
					slices.SortFunc(got, func(a, b ring.HostID) int { return slices.Compare(a[:], b[:]) })
					if !slices.Equal(got, ids) {
						t.Errorf("node %d knows the voters %v, want %v", m.i, got, ids)
					}
				}
			}
		}
		voters(0, 1, 2, 3, 4)
		w.mustPropose(6, "CREATE TABLE a (k int PRIMARY KEY)")
		leave := func(from, i int) {
			t.Helper()
			for _, c := range []TopologyChange{Leave{w.nodes[i].id}, Left{w.nodes[i].id}} {
				if err := w.nodes[from].current().ProposeTopology(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			pause(2 * time.Second)
			w.nodes[i].stop()
		}
		leave(6, 2)
		voters(0, 1, 3, 4, 5)
		if l := w.leader(); l != 0 {
			t.Fatalf("node %d leads", l)
		}
		leave(0, 0) // the leader, by itself
		voters(1, 3, 4, 5, 6)
		w.mustPropose(6, "CREATE TABLE b (k int PRIMARY KEY)")
		w.nodes[3].stop() // dead for good
		if err := w.nodes[1].current().ProposeTopology(t.Context(), Left{w.nodes[3].id}); err != nil {
			t.Fatal(err)
		}
		voters(1, 4, 5, 6)
		leave(1, 4)
		leave(1, 5)
		leave(1, 6)
		voters(1)
		w.mustPropose(1, "CREATE TABLE c (k int PRIMARY KEY)")
		var last *ring.ChangeError
		if err := w.nodes[1].current().ProposeTopology(t.Context(), Leave{w.nodes[1].id}); !errors.As(err, &last) {
			t.Errorf("the last node leaves: %v", err)
		}
		w.nodes[1].stop()
		w.nodes[1].start()
		w.mustPropose(1, "CREATE TABLE d (k int PRIMARY KEY)")
	})
}

func TestJoinErrors(t *testing.T) {
	inBubble(t, 4, func(t *testing.T, w *network) {
		w.bootstrap()
		w.join(1, 0)
		if err := w.tryJoin(2, 3, 1); err != nil { // 3 is down
			t.Fatal(err)
		}
		l := w.nodes[2].current()
		if e := l.Topology().Endpoint(w.nodes[2].id); e == nil || e.State != ring.Joining || len(e.Tokens) != 4 {
			t.Fatalf("it has joined as %+v", e)
		}
		var busy *ChangeInProgressError
		if err := w.tryJoin(3, 1); !errors.As(err, &busy) || busy.ID != w.nodes[2].id || busy.State != ring.Joining {
			t.Errorf("two join at a time: %v", err)
		}
		if err := w.tryJoin(2, 1); err != nil {
			t.Errorf("it joins twice: %v", err)
		}
		propose := func(i int, c TopologyChange) error { return w.nodes[i].current().ProposeTopology(t.Context(), c) }
		if err := propose(2, Leave{w.nodes[0].id}); !errors.As(err, &busy) {
			t.Errorf("one leaves while another one joins: %v", err)
		}
		var unknown *UnknownNodeError
		if err := propose(2, Left{w.nodes[3].id}); !errors.As(err, &unknown) || unknown.ID != w.nodes[3].id {
			t.Errorf("a node is removed that is not there: %v", err)
		}
		if err := propose(0, Abort{w.nodes[2].id}); err != nil {
			t.Fatal(err)
		}
		pause(2 * time.Second)
		w.nodes[2].stop()
		w.nodes[3].address = w.nodes[1].address // it listens nowhere: it is the second of that address
		var conflict *ring.ConflictError
		if err := w.tryJoin(3, 0); !errors.As(err, &conflict) {
			t.Errorf("an address is taken twice: %v", err)
		}
		if err := w.nodes[0].current().Join(t.Context(), nil, Join{}); err != nil {
			t.Errorf("the first node joins: %v", err)
		}
		var notMember *NotMemberError
		if err := w.propose(3, createKS); !errors.As(err, &notMember) {
			t.Errorf("who has not joined changes the schema: %v", err)
		}
		if got := w.nodes[0].current().cluster.raft.Servers(); len(got) != 2 {
			t.Errorf("the log has servers %v", got)
		}
	})
}

// A node that dies while it joins may ask again, and may be given up.
func TestJoinIsInterrupted(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *network) {
		w.bootstrap()
		w.block(0, 1, true) // the answer is lost
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		l := w.nodes[1].start()
		j := Join{Endpoint: w.nodes[1].endpoint(), Tokens: 4}
		if err := l.Join(ctx, []string{w.nodes[0].address}, j); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		w.nodes[1].stop()
		if e := w.nodes[0].current().Topology().Endpoint(w.nodes[1].id); e == nil {
			t.Fatal("it was not let in")
		}
		w.mustPropose(0, createKS) // the cluster goes on without it
		w.heal()
		w.join(1, 0)
		w.mustPropose(1, "CREATE TABLE a (k int PRIMARY KEY)")
		if err := w.tryJoin(2, 1); err != nil {
			t.Fatal(err)
		}
		w.nodes[2].stop()
		if err := w.nodes[1].current().ProposeTopology(t.Context(), Abort{w.nodes[2].id}); err != nil {
			t.Fatal(err)
		}
		w.checkSame()
	})
}

func TestReplace(t *testing.T) {
	inBubble(t, 4, func(t *testing.T, w *network) {
		w.bootstrap()
		w.join(1, 0)
		w.join(2, 0)
		dead := w.nodes[1].id
		tokens := w.nodes[0].current().Topology().Endpoint(dead).Tokens
		w.nodes[1].stop()
		m := w.nodes[3]
		if err := m.start().Join(t.Context(), []string{w.nodes[0].address}, Join{Endpoint: m.endpoint(), Replaces: dead}); err != nil {
			t.Fatal(err)
		}
		topology := m.current().Topology()
		if e := topology.Endpoint(m.id); e == nil || e.Replaces != dead || !slices.Equal(e.Tokens, tokens) || topology.Endpoint(dead) == nil {
			t.Errorf("it joins as %+v", e)
		}
		if err := m.current().ProposeTopology(t.Context(), Joined{m.id}); err != nil {
			t.Fatal(err)
		}
		topology = w.nodes[2].current().Topology()
		if e := topology.Endpoint(m.id); e.State != ring.Normal || !slices.Equal(e.Tokens, tokens) || topology.Endpoint(dead) != nil {
			t.Errorf("it has joined as %+v", e)
		}
		pause(5 * time.Second)
		if got := m.current().Voters(); len(got) != 3 || slices.Contains(got, dead) {
			t.Errorf("%v vote", got)
		}
	})
}

func TestAllRestart(t *testing.T) {
	inBubble(t, 5, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS, "CREATE TABLE a (k int PRIMARY KEY)")
		before := contents(w.nodes[0].current())
		w.stop()
		for _, m := range w.nodes {
			if l := m.start(); contents(l) != before {
				t.Errorf("node %d has lost something", m.i)
			}
		}
		w.mustPropose(3, "CREATE TABLE b (k int PRIMARY KEY)")
		w.checkSame()
		for _, m := range w.nodes {
			if got := strings.Join(m.told, ", "); got != "CREATED KEYSPACE ks., CREATED TABLE ks.a, CREATED TABLE ks.b" {
				t.Errorf("node %d was told %s", m.i, got)
			}
		}
	})
}

func TestAddressesChange(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *network) {
		w.form()
		w.mustPropose(0, createKS)
		for i := range w.nodes {
			m := w.nodes[i]
			m.stop()
			m.address = fmt.Sprintf("10.1.0.%d:7001", i+1)
			l := m.start()
			w.mustPropose(i, fmt.Sprintf("CREATE TABLE t%d (k int PRIMARY KEY)", i))
			pause(5 * time.Second)
			for _, n := range w.nodes {
				if e := n.current().Topology().Endpoint(m.id); e.Address.String() != m.address {
					t.Errorf("node %d believes that node %d is at %s", n.i, i, e.Address)
				}
			}
			if e := l.Topology().Endpoint(m.id); e.State != ring.Normal || len(e.Tokens) != 4 {
				t.Errorf("it is %+v", e)
			}
		}
		w.checkSame()
	})
}

// A node that was alone takes its schema along when it becomes the first one of a cluster, and cannot be alone again.
func TestAloneBecomesFirst(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, w *network) {
		alone := open(t, w.nodes[0].store, Options{})
		propose(t, alone, createKS, "CREATE TABLE a (k int PRIMARY KEY)", "TRUNCATE a")
		want := stored(alone.Schema())
		alone.Stop()
		w.bootstrap()
		if got := stored(w.nodes[0].current().Schema()); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("got %s, want %s", got, want)
		}
		if len(w.nodes[0].told) != 0 {
			t.Errorf("it was told %q", w.nodes[0].told)
		}
		w.join(1, 0)
		w.mustPropose(1, "CREATE TABLE b (k int PRIMARY KEY)")
		if got := w.nodes[0].current().Schema().Table("ks", "b").Incarnation; got != 3 {
			t.Errorf("the new table has incarnation %d", got)
		}
		w.checkSame()
		w.nodes[1].stop()
		var member *MemberError
		if _, err := Open(w.nodes[1].store, Options{}); !errors.As(err, &member) {
			t.Errorf("it runs alone: %v", err)
		}
		other := newNetwork(t, 2)
		defer other.stop()
		propose(t, open(t, other.nodes[1].store, Options{}), createKS)
		other.bootstrap()
		var refused *RefusedError
		if err := other.tryJoin(1, 0); !errors.As(err, &refused) {
			t.Errorf("one with a schema joins: %v", err)
		}
	})
}
