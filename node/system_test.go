package node

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/iliumdb/ilium/config"
)

func TestIdentityIsKept(t *testing.T) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = t.TempDir(), 64<<20
	var first string
	for range 2 {
		n, err := Start(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var host string
		var tokens []string
		if err := n.Session().Query("SELECT host_id, tokens FROM system.local").Scan(context.Background(), &host, &tokens); err != nil {
			t.Error(err)
		}
		if len(tokens) != cfg.NumTokens {
			t.Errorf("%d tokens", len(tokens))
		}
		if first != "" && host != first {
			t.Errorf("host id %s became %s", first, host)
		}
		first = host
		if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdentityEncoding(t *testing.T) {
	cfg := config.Default()
	id := newIdentity(&cfg)
	decoded, err := decodeIdentity(id.encode())
	if err != nil || decoded.host != id.host || !slices.Equal(decoded.tokens, id.tokens) {
		t.Errorf("%v became %v, %v", id, decoded, err)
	}
	for _, bad := range [][]byte{{}, make([]byte, 15), make([]byte, 17)} {
		if _, err := decodeIdentity(bad); err == nil {
			t.Errorf("%d bytes are an identity", len(bad))
		}
	}
}

func TestAnnounce(t *testing.T) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = t.TempDir(), 64<<20
	n, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	check := func(at net.Addr, wantHost string, wantPort int) {
		t.Helper()
		n.announce(at)
		var host string
		var port int
		if err := n.Session().Query("SELECT rpc_address, rpc_port FROM system.local").Scan(context.Background(), &host, &port); err != nil {
			t.Fatal(err)
		}
		if host != wantHost || port != wantPort {
			t.Errorf("clients are told %s %d", host, port)
		}
	}
	check(&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5}, "10.1.2.3", 5)
	check(&net.TCPAddr{IP: net.IPv6zero, Port: 6}, "127.0.0.1", 6)
	check(&net.UnixAddr{}, "127.0.0.1", 6)
}
