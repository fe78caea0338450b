package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/iliumdb/ilium/config"
	pki "github.com/iliumdb/ilium/tests/certificates"
)

// A nodeLog is the log of a node.
type nodeLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *nodeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *nodeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *nodeLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// A fortress makes settings of nodes that protect what is between them.
type fortress struct {
	*testing.T
	dir    string
	first  string // address of the first node
	number int
}

func (f *fortress) file(name string, content []byte) string {
	f.Helper()
	name = filepath.Join(f.dir, fmt.Sprint(f.number, name))
	if err := os.WriteFile(name, content, 0o600); err != nil {
		f.Fatal(err)
	}
	return name
}

func (f *fortress) authority() *pki.Authority {
	f.Helper()
	a, err := pki.NewAuthority()
	if err != nil {
		f.Fatal(err)
	}
	return a
}

// config returns the settings of a node whose certificate is of one authority and that trusts another, or both nil; with keys
// of gossip, if there are any.
func (f *fortress) config(signs, trusts *pki.Authority, keys ...byte) config.Config {
	f.Helper()
	f.number++
	cfg := clusterConfig(f.T, "127.0.0.1")
	cfg.StoragePort = unusedPort(f.T)
	if f.first == "" {
		f.first = hostPort(cfg.ListenAddress, cfg.StoragePort)
	}
	cfg.Seeds = config.Addresses(f.first)
	if signs != nil {
		certificate, key, err := signs.Issue("node")
		if err != nil {
			f.Fatal(err)
		}
		cfg.ServerEncryptionEnabled, cfg.ServerEncryptionRequireClientAuth = true, true
		cfg.ServerEncryptionCertificate, cfg.ServerEncryptionKey = f.file("crt", certificate), f.file("key", key)
		cfg.ServerEncryptionTruststore = f.file("ca", trusts.PEM)
	}
	if len(keys) > 0 {
		cfg.GossipEncryptionKeyFile = f.file("keys", []byte(keyLines(keys...)))
	}
	return cfg
}

// TestNodesProtectThemselves forms a cluster of two nodes that protect what is between them, over real sockets.
func TestNodesProtectThemselves(t *testing.T) {
	f := &fortress{T: t, dir: t.TempDir()}
	authority := f.authority()
	first := startOperated(t, f.config(authority, authority, 1, 2), Options{Log: slog.New(slog.DiscardHandler)})
	second := startOperated(t, f.config(authority, authority, 2, 1), Options{Log: slog.New(slog.DiscardHandler)})
	eventually(t, "both are up", func() bool { return len(first.cluster.live()) == 1 && len(second.cluster.live()) == 1 })
	exec(t, first, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2}")
	exec(t, second, "CREATE TABLE k.t (a int PRIMARY KEY)")
	exec(t, first, "INSERT INTO k.t (a) VALUES (1)")
	old := &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}
	if conn, err := tls.Dial("tcp", f.first, old); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.2: %v, error %v", conn, err)
	}
}

// TestStrangersStayOutside expects nodes not to get in that cannot prove who they are, and both logs to say why.
func TestStrangersStayOutside(t *testing.T) {
	const gossips = "joining has to wait: no other node is heard of by gossip"
	f := &fortress{T: t, dir: t.TempDir()}
	authority, other := f.authority(), f.authority()
	for _, c := range []struct {
		name          string
		signs, trusts *pki.Authority
		keys          []byte
		inside, mine  string // what the logs say
	}{
		{"no TLS", nil, nil, []byte{1}, "TLS: tls: first record does not look like a TLS handshake", "TLS"},
		{"a certificate of another authority", other, authority, []byte{1}, "certificate signed by unknown authority", "remote error: tls"},
		{"it trusts another authority", authority, other, []byte{1}, "remote error: tls", "certificate signed by unknown authority"},
		{"another key of gossip", authority, authority, []byte{3}, "gossip: .*crypt", gossips},
		{"no key of gossip", authority, authority, nil, "gossip: .*crypt", gossips},
	} {
		f.first = ""
		inside, mine := &nodeLog{}, &nodeLog{}
		guarded, stranger := f.config(authority, authority, 1), f.config(c.signs, c.trusts, c.keys...)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first := startOperated(t, guarded, Options{Log: inside.logger()})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() {
				n, err := StartWith(ctx, stranger, Options{Log: mine.logger()})
				if err == nil {
					err = n.Stop()
				}
				ended <- err
			}()
			says := func(log *nodeLog, want string) func() bool {
				return func() bool { return regexp.MustCompile(want).MatchString(log.String()) }
			}
			eventually(t, "the node itself says why", says(mine, c.mine))
			eventually(t, "those inside say why", says(inside, c.inside))
			cancel()
			if err := <-ended; err == nil {
				t.Error("it got in")
			}
			if n := len(first.cluster.Topology().Endpoints()); n != 1 {
				t.Errorf("there are %d nodes", n)
			}
			t.Logf("mine:\n%s\ninside:\n%s", mine, inside)
		})
	}
}
