package node

import (
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

// TestHintsAreHandedOn lets the node leave that has hints for one that is down.
func TestHintsAreHandedOn(t *testing.T) {
	network := memory.New(1)
	hosts := []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}
	var nodes []*Node
	last := clusterConfig(t, hosts[3])
	for _, host := range hosts[:3] {
		nodes = append(nodes, startOperated(t, clusterConfig(t, host), Options{Sockets: network.Host(host)}))
	}
	down, err := StartWith(t.Context(), last, Options{Sockets: network.Host(hosts[3])})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, nodes[0], "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 4}")
	exec(t, nodes[0], "CREATE TABLE k.t (a int PRIMARY KEY)")
	if err := down.Stop(); err != nil {
		t.Fatal(err)
	}
	leaver := nodes[1]
	eventually(t, "the node is down", func() bool { return !leaver.view.IsAlive(down.view.Self()) })
	for i := range 20 {
		if err := leaver.Session().WithConsistency(consistency.Quorum).Query("INSERT INTO k.t (a) VALUES (?)", i).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := leaver.Decommission(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	kept := append(nodes[0].cluster.hints.Pending(), nodes[2].cluster.hints.Pending()...)
	if len(kept) != 1 || kept[0].To != down.view.Self() {
		t.Fatalf("those that stay have hints %+v", kept)
	}
	if err := leaver.Stop(); err != nil {
		t.Fatal(err)
	}
	back := startOperated(t, last, Options{Sockets: network.Host(hosts[3])})
	eventually(t, "the node has what it missed", func() bool {
		var rows int
		err := back.Session().WithConsistency(consistency.NodeLocal).Query("SELECT count(*) FROM k.t").Scan(t.Context(), &rows)
		return err == nil && rows == 20
	})
}
