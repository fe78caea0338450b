package node

import (
	"fmt"
	"slices"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/client"
	"github.com/iliumdb/ilium/wire/peer/memory"
)

// TestTraceOfTwoNodes expects a client to be shown what both nodes do, with the addresses by which they know each other.
func TestTraceOfTwoNodes(t *testing.T) {
	network := memory.New(1)
	var first *Node
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		n := startOperated(t, clusterConfig(t, host), Options{Sockets: network.Host(host)})
		if first == nil {
			first = n
			exec(t, first, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2}")
			exec(t, first, "CREATE TABLE k.t (a int PRIMARY KEY)")
		}
	}
	address, err := first.Serve(t.Context(), ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(t.Context(), address.String(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const all, here, there = consistency.All, "127.0.0.1 7000 ", "127.0.0.2 7000 "
	for text, want := range map[string][]string{
		"INSERT INTO k.t (a) VALUES (1)": {there + "MUTATION_REQ message received from /127.0.0.1:7000", there + "Visible to readers",
			there + "Enqueuing response to /127.0.0.1:7000", here + "MUTATION_RSP message received from /127.0.0.2:7000", here + "Received 2 of 2 answers"},
		"SELECT * FROM k.t WHERE a = 1": {here + "reading digests from /127.0.0.2:7000", there + "READ_REQ message received from /127.0.0.1:7000",
			there + "Executing single-partition query on k.t", here + "READ_RSP message received from /127.0.0.2:7000"},
	} {
		result, err := conn.Query(t.Context(), client.Request{Text: text, Consistency: all, Tracing: true})
		if err != nil || !result.Traced {
			t.Fatalf("%s: error %v", text, err)
		}
		var got []string
		rows := first.Session().Query("SELECT source, source_port, activity FROM system_traces.events WHERE session_id = ?", result.TracingID).Iter(t.Context())
		for rows.Next() {
			var source, activity string
			var port int
			if err := rows.Scan(&source, &port, &activity); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(source, " ", port, " ", activity))
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, line := range want {
			i := slices.Index(got[at:], line)
			if i < 0 {
				t.Fatalf("%s: there is no %q behind event %d of %q", text, line, at, got)
			}
			at += i
		}
	}
}
