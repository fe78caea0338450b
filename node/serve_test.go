package node_test

import (
	"errors"
	"net"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

func serving(t *testing.T) *node.Node {
	t.Helper()
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort = t.TempDir(), 64<<20, 0
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

// greet sends STARTUP and returns the opcode of the answer.
func greet(t *testing.T, conn net.Conn) frame.Opcode {
	t.Helper()
	b, err := frame.AppendFrame(nil, frame.V5, 0, nil, &frame.Startup{Options: map[string]string{frame.OptionCQLVersion: "3.0.0"}})
	if err == nil {
		_, err = conn.Write(b)
	}
	answer := make([]byte, frame.HeaderSize)
	if err == nil {
		_, err = conn.Read(answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return frame.Opcode(answer[4])
}

func TestServe(t *testing.T) {
	n := serving(t)
	address, err := n.Serve(t.Context(), node.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Serve(t.Context(), node.ServeOptions{}); err == nil {
		t.Error("it serves twice")
	}
	conn, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	if o := greet(t, conn); o != frame.OpReady {
		t.Errorf("STARTUP is answered by %s", o)
	}
	var port int
	var stage string
	err = n.Session().Query("SELECT port, connection_stage FROM system_views.clients").Scan(t.Context(), &port, &stage)
	if err != nil || stage != "ready" || port != conn.LocalAddr().(*net.TCPAddr).Port {
		t.Errorf("clients: port %d, %q, %v", port, stage, err)
	}
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open after Stop")
	}
	if _, err := n.Serve(t.Context(), node.ServeOptions{}); err == nil {
		t.Error("a stopped node serves")
	}
}

func TestServeRefusesToBeExposed(t *testing.T) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort, cfg.RPCAddress = t.TempDir(), 64<<20, 0, "0.0.0.0"
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	_, err = n.Serve(t.Context(), node.ServeOptions{})
	if _, exposed := errors.AsType[*node.ExposedError](err); !exposed {
		t.Fatalf("got %v", err)
	}
	if _, err := n.Serve(t.Context(), node.ServeOptions{Insecure: true}); err != nil {
		t.Error(err)
	}
}
