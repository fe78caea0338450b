package cql

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// TestScripts runs every script against Ilium, in the process and over a connection, or against the Cassandra that
// -peer names.
func TestScripts(t *testing.T) {
	peer := peerAddress()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if peer != "" {
			runOnPeer(t, path, peer)
			return
		}
		Run(t, path, ilium{newIlium(t).Executor().NewSession()}, Options{Keyspace: "h_cql"})
		Run(t, path, newWire(t, newIlium(t)), Options{Keyspace: "h_wire"})
	})
}

// peerFlag is registered here because package flag knows no other way for a test to have a flag.
var peerFlag = flag.String("peer", "", "run the scripts against the Cassandra at this `address`")

func peerAddress() string { return *peerFlag }

// runOnPeer runs a script against a Cassandra, in a keyspace whose name no one else has.
func runOnPeer(t *testing.T, path, address string) {
	t.Helper()
	peer, err := Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	var random [5]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	keyspace := "h_cql_" + hex.EncodeToString(random[:])
	t.Cleanup(func() {
		dropKeyspaces(t, peer, keyspace)
		if err := peer.Close(); err != nil {
			t.Error(err)
		}
	})
	Run(t, path, quiet{peer}, Options{Keyspace: keyspace, Reference: true})
}

// dropKeyspaces drops the keyspaces whose names begin with prefix.
func dropKeyspaces(t *testing.T, peer *Peer, prefix string) {
	t.Helper()
	ctx := context.Background() // that of the test has ended
	result, err := peer.Exec(ctx, Statement{Text: "SELECT keyspace_name FROM system_schema.keyspaces", Consistency: "ONE"})
	if err != nil {
		t.Error(err)
	}
	for _, row := range result.Rows {
		if name := string(row[0]); strings.HasPrefix(name, prefix) {
			statement := Statement{Text: "DROP KEYSPACE " + cqltype.QuoteName(name), Consistency: "ONE"}
			if _, err := peer.Exec(ctx, statement); err != nil {
				t.Errorf("%s: %v", statement.Text, err)
			}
		}
	}
}

// quiet is a Cassandra that says the same in every run: without the warnings that depend on what else is in the cluster,
// without the addresses of nodes, and without the details of exceptions, which Java leaves out after a while.
type quiet struct{ *Peer }

var (
	nodeAddress = regexp.MustCompile(`/[0-9.]+:[0-9]+`)
	exception   = regexp.MustCompile(`^(java[.a-z]+[A-Za-z]+).*`)
)

func (q quiet) Exec(ctx context.Context, s Statement) (Result, error) {
	result, err := q.Peer.Exec(ctx, s)
	if refused, ok := errors.AsType[*Error](err); ok {
		refused.Message = nodeAddress.ReplaceAllString(refused.Message, "/...")
		refused.Message = exception.ReplaceAllString(refused.Message, "$1")
	}
	var warnings []string
	for _, w := range result.Warnings {
		if !strings.HasPrefix(w, "Cluster already contains ") {
			warnings = append(warnings, w)
		}
	}
	result.Warnings = warnings
	return result, err
}
