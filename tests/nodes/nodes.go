// Package nodes starts nodes for tests of what uses one.
package nodes

import (
	"log/slog"
	"net"
	"testing"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
)

// Main runs tests without the log of their nodes, and fails if they leave goroutines behind.
func Main(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError + 1)
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// Start starts a node with little memory, in a directory of its own. It is stopped when the test ends.
func Start(t testing.TB) *node.Node {
	t.Helper()
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort = t.TempDir(), 64*config.MiB, 0
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Serve starts a node that takes clients, and returns its address too.
func Serve(t testing.TB) (*node.Node, string) {
	t.Helper()
	n := Start(t)
	address, err := n.Serve(t.Context(), node.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return n, address.String()
}

// Unused returns an address at which nobody listens.
func Unused(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}
