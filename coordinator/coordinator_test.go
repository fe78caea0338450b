package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// fakeCluster is a cluster of nodes 1, 2, ..., of which this one is node 1. Node n has the token 100n.
type fakeCluster struct {
	topology *ring.Topology
	down     []int
}

func id(n int) ring.HostID { return ring.HostID{15: byte(n)} }

func (c *fakeCluster) Self() ring.HostID        { return id(1) }
func (c *fakeCluster) Topology() *ring.Topology { return c.topology }
func (c *fakeCluster) IsAlive(h ring.HostID) bool {
	return !slices.ContainsFunc(c.down, func(n int) bool { return id(n) == h })
}

// nodes makes a cluster: of each node its datacenter, in capitals if the node is joining.
func nodes(t testing.TB, datacenters string, down ...int) *fakeCluster {
	t.Helper()
	c := &fakeCluster{down: down}
	var endpoints []ring.Endpoint
	for i, name := range strings.Fields(datacenters) {
		e := ring.Endpoint{ID: id(i + 1), Datacenter: strings.ToLower(name), Rack: "r", Tokens: []ring.Token{ring.Token(100 * (i + 1))}}
		if name != e.Datacenter {
			e.State = ring.Joining
		}
		endpoints = append(endpoints, e)
	}
	var err error
	if c.topology, err = ring.New(endpoints...); err != nil {
		t.Fatal(err)
	}
	return c
}

func keyspace(class string, options ...string) *schema.Keyspace {
	r := schema.Replication{Class: class, Options: map[string]string{}}
	for i := 0; i < len(options); i += 2 {
		r.Options[options[i]] = options[i+1]
	}
	return schema.NewKeyspace("ks", r, true)
}

func simple(factor string) *schema.Keyspace {
	return keyspace("SimpleStrategy", "replication_factor", factor)
}

func topologyStrategy(factors ...string) *schema.Keyspace {
	return keyspace("NetworkTopologyStrategy", factors...)
}

// check returns what is wrong with a level.
func check(c *Coordinator, k *schema.Keyspace, level consistency.Level, token ring.Token, write bool) error {
	_, err := c.plan(k, level, token, write)
	return err
}

func TestAvailabilityAlone(t *testing.T) {
	alone, err := NewAlone(ring.Endpoint{ID: id(1), Datacenter: "dc1", Tokens: []ring.Token{0}})
	if err != nil {
		t.Fatal(err)
	}
	c := New(nil, alone, Options{})
	read := &storage.Read{Partition: row.AppendPartition(nil, 7, []byte("k"))}
	expect := func(k *schema.Keyspace, level consistency.Level, required, alive int) {
		t.Helper()
		err := check(c, k, level, 7, true)
		var unavailable *UnavailableError
		switch {
		case required == 0 && err != nil:
			t.Errorf("%s: %v", level, err)
		case required > 0 && !errors.As(err, &unavailable):
			t.Errorf("%s is available", level)
		case required > 0 && (unavailable.Required != required || unavailable.Alive != alive || unavailable.Level != level):
			t.Errorf("%s: %+v, want %d required and %d alive", level, unavailable, required, alive)
		}
		if required > 0 {
			if err := c.Write(context.Background(), nil, level, Write{Keyspace: k, Mutation: &row.Mutation{}}); !errors.As(err, &unavailable) {
				t.Errorf("Write: %v", err)
			}
			if _, err := c.Read(context.Background(), &Reading{Keyspace: k, Level: level}, read); !errors.As(err, &unavailable) {
				t.Errorf("Read: %v", err)
			}
			if _, err := c.Scan(context.Background(), &Reading{Keyspace: k, Level: level}, &storage.Scan{}); !errors.As(err, &unavailable) {
				t.Errorf("Scan: %v", err)
			}
		}
	}
	for _, level := range []consistency.Level{consistency.One, consistency.Quorum, consistency.All, consistency.LocalQuorum, consistency.EachQuorum, consistency.LocalOne} {
		expect(simple("1"), level, 0, 0)
		expect(keyspace("LocalStrategy"), level, 0, 0)
	}
	expect(simple("1"), consistency.Two, 2, 1)
	expect(simple("3"), consistency.One, 0, 0)
	expect(simple("3"), consistency.Quorum, 2, 1)
	expect(simple("3"), consistency.EachQuorum, 2, 1)
	expect(simple("3"), consistency.All, 3, 1)
	two := topologyStrategy("dc1", "1", "dc2", "1")
	expect(two, consistency.LocalQuorum, 0, 0)
	expect(two, consistency.Quorum, 2, 1)
	expect(two, consistency.EachQuorum, 1, 0) // in dc2
	expect(topologyStrategy("dc1", "0"), consistency.One, 1, 0)
	expect(topologyStrategy("dc2", "3"), consistency.LocalOne, 1, 0)
}

// Replicas of tokens up to 100 are nodes 1, 2, ...; behind that, nodes 2, 3, ... and so on.
func TestAvailabilityOfMany(t *testing.T) {
	check := func(cluster *fakeCluster, k *schema.Keyspace, level consistency.Level, token ring.Token, write bool, want string) {
		t.Helper()
		got := "available"
		var unavailable *UnavailableError
		if err := check(New(nil, cluster, Options{}), k, level, token, write); errors.As(err, &unavailable) {
			got = fmt.Sprint(unavailable.Alive, " of ", unavailable.Required)
			if unavailable.Datacenter != "" {
				got += " in " + unavailable.Datacenter
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s for token %d: %s, want %s", level, token, got, want)
		}
	}
	five := nodes(t, "dc1 dc1 dc1 dc1 dc1", 2, 3)
	check(five, simple("3"), consistency.Quorum, 50, false, "1 of 2")
	check(five, simple("3"), consistency.Quorum, 350, false, "available") // nodes 4, 5 and 1
	check(five, simple("3"), consistency.All, 350, false, "available")
	check(five, simple("3"), consistency.One, 150, false, "available")
	check(five, simple("2"), consistency.One, 150, false, "0 of 1") // nodes 2 and 3

	two := nodes(t, "dc1 dc1 dc1 dc2 dc2 dc2", 5, 6)
	three := topologyStrategy("dc1", "3", "dc2", "3")
	check(two, three, consistency.LocalQuorum, 0, false, "available")
	check(two, three, consistency.Quorum, 0, false, "available")
	check(two, three, consistency.EachQuorum, 0, false, "1 of 2 in dc2")
	check(two, three, consistency.All, 0, false, "4 of 6")
	check(two, simple("6"), consistency.LocalQuorum, 0, false, "3 of 4") // it counts the local ones, but needs half of all

	// Node 4 joins: it will be a replica of what lies up to 400.
	joining := nodes(t, "dc1 dc1 dc1 DC1")
	check(joining, simple("1"), consistency.One, 350, true, "available")
	joining.down = []int{4}
	check(joining, simple("1"), consistency.One, 350, true, "1 of 2")
	check(joining, simple("1"), consistency.One, 350, false, "available") // it does not read from it
	check(joining, simple("1"), consistency.One, 250, true, "available")
	check(joining, simple("1"), consistency.LocalOne, 350, true, "1 of 2")
	check(nodes(t, "dc1 dc1 dc1 DC2", 4), topologyStrategy("dc1", "1", "dc2", "1"), consistency.LocalOne, 350, true, "available")
}

func TestUnavailableWording(t *testing.T) {
	check := func(err *UnavailableError, want string) {
		t.Helper()
		if got := err.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(&UnavailableError{Level: consistency.Quorum}, "Cannot achieve consistency level QUORUM")
	check(&UnavailableError{Level: consistency.EachQuorum, Datacenter: "dc2"}, "Cannot achieve consistency level EACH_QUORUM in DC dc2")
}

func TestReplicationWarnings(t *testing.T) {
	c := New(nil, nodes(t, "dc1 dc1 dc2"), Options{})
	check := func(k *schema.Keyspace, want ...string) {
		t.Helper()
		if got := c.ReplicationWarnings(k); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(nil)
	check(simple("3"))
	check(simple("4"), "Your replication factor 4 for keyspace ks is higher than the number of nodes 3")
	check(topologyStrategy("dc1", "2", "dc2", "2"),
		"Your replication factor 2 for keyspace ks is higher than the number of nodes 1 for datacenter dc2")
}

// Placements are made once for each replication, and anew when the topology or the keyspace changes.
func TestPlacementsAreKept(t *testing.T) {
	cluster := nodes(t, "dc1 dc1")
	p := &placements{cluster: cluster}
	of := func(k *schema.Keyspace) *ring.Placement {
		t.Helper()
		made, datacenter, err := p.of(k)
		if err != nil || datacenter != "dc1" {
			t.Fatalf("datacenter %q, error %v", datacenter, err)
		}
		return made
	}
	k := simple("2")
	first := of(k)
	other := schema.NewKeyspace("other", k.Replication, true)
	if of(k) != first || of(k.WithTable(&schema.Table{Name: "t"})) != first || of(simple("2")) != first || of(other) != first {
		t.Error("the placement is not kept")
	}
	if of(simple("1")).Replication().Factor() != 1 {
		t.Error("the keyspace has changed, and its placement has not")
	}
	cluster.topology = nodes(t, "dc1 dc1 dc1").topology
	if got := of(k); got == first || got.Topology() != cluster.topology {
		t.Error("the topology has changed, and the placement has not")
	}
	for i := range 3 * maxPlaced {
		of(schema.NewKeyspace(fmt.Sprint("ks", i), k.Replication, true))
	}
	if n := len(p.world.Load().keyspaces); n > maxPlaced {
		t.Errorf("%d keyspaces are kept", n)
	}
	if _, _, err := p.of(keyspace("Unknown")); err == nil {
		t.Error("an unknown strategy has replicas")
	}
}

func BenchmarkCheck(b *testing.B) {
	c := New(nil, nodes(b, "dc1 dc1 dc1 dc2 dc2 dc2"), Options{})
	k := topologyStrategy("dc1", "3", "dc2", "3")
	b.ReportAllocs()
	for b.Loop() {
		if err := check(c, k, consistency.LocalQuorum, 250, true); err != nil {
			b.Fatal(err)
		}
	}
}
