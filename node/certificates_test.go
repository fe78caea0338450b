package node_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/tests/certificates"
)

// A pemFiles is a certificate with its key on disk.
type pemFiles struct {
	t                            *testing.T
	certificate, key, truststore string
	clock                        time.Time // of the files, so that each write is seen as a change
}

func newPEMFiles(t *testing.T) *pemFiles {
	directory := t.TempDir()
	in := func(name string) string { return filepath.Join(directory, name) }
	return &pemFiles{t, in("server.crt"), in("server.key"), in("ca.crt"), time.Now().Add(-time.Hour)}
}

func (f *pemFiles) write(name string, content []byte) {
	f.t.Helper()
	f.clock = f.clock.Add(time.Second)
	if err := errors.Join(os.WriteFile(name, content, 0o600), os.Chtimes(name, f.clock, f.clock)); err != nil {
		f.t.Fatal(err)
	}
}

// issue replaces certificate and key.
func (f *pemFiles) issue(authority *certificates.Authority, name string) {
	f.t.Helper()
	certificate, key, err := authority.Issue(name)
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(f.certificate, certificate)
	f.write(f.key, key)
}

// use makes a node serve by TLS.
func (f *pemFiles) use(c *config.Config) {
	c.SuperuserPassword = "helen"
	c.ClientEncryptionEnabled, c.ClientEncryptionCertificate, c.ClientEncryptionKey = true, f.certificate, f.key
}

func newAuthority(t *testing.T) *certificates.Authority {
	t.Helper()
	authority, err := certificates.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// shakeHands returns the common name of the certificate that a server shows.
func shakeHands(t *testing.T, address string, config *tls.Config) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // the error of the handshake counts
	encrypted := tls.Client(conn, config)
	if err := encrypted.HandshakeContext(t.Context()); err != nil {
		return "", err
	}
	return encrypted.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestEncryptedLogin(t *testing.T) {
	files, authority := newPEMFiles(t), newAuthority(t)
	files.issue(authority, "first")
	g := mustGuard(t, t.TempDir(), files.use)
	c := talkTo(t, g.address, authority.Trust())
	c.startup()
	var user, protocol string
	var encrypted bool
	ask := func() error {
		return g.node.Session().Query("SELECT username, ssl_enabled, ssl_protocol FROM system_views.clients").Scan(t.Context(), &user, &encrypted, &protocol)
	}
	c.ask(authResponse("helen"))
	if err := ask(); err != nil || user != "cassandra" || !encrypted || protocol != "TLSv1.3" {
		t.Errorf("the client is %q, %t %q, %v", user, encrypted, protocol, err)
	}
	if err := g.node.Stop(); err != nil {
		t.Error(err)
	}
}

func TestCertificatesAreReplaced(t *testing.T) {
	files, authority := newPEMFiles(t), newAuthority(t)
	files.issue(authority, "first")
	var log safeBuffer
	now := &clock{}
	now.advance(time.Since(time.Unix(0, 0)))
	opts := node.Options{Now: now.now, Log: slog.New(slog.NewTextHandler(&log, nil))}
	g, err := startGuarded(t, t.TempDir(), opts, files.use)
	if err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		if got, err := shakeHands(t, g.address, authority.Trust()); err != nil || got != want {
			t.Errorf("the certificate is that of %q, %v; want %s\n%s", got, err, want, log.String())
		}
	}
	check("first")
	files.issue(authority, "second")
	check("first") // nobody has looked again
	now.advance(time.Second)
	check("second")

	refused := func(want string) {
		t.Helper()
		for range 3 {
			now.advance(time.Second)
			check("second")
		}
		if got := strings.Count(log.String(), want); got != 1 {
			t.Errorf("the log says %d times %q:\n%s", got, want, log.String())
		}
	}
	key, err := os.ReadFile(files.key)
	if err != nil {
		t.Fatal(err)
	}
	third, thirdKey, err := authority.Issue("third")
	if err != nil {
		t.Fatal(err)
	}
	files.write(files.certificate, third)
	refused("private key does not match public key")
	files.write(files.key, []byte("no key"))
	refused("failed to find any PEM data in key input")
	if err := os.Remove(files.key); err != nil {
		t.Fatal(err)
	}
	refused("no such file or directory")
	files.write(files.key, thirdKey)
	now.advance(time.Second)
	check("third")
	if strings.Contains(log.String(), string(key)) || !strings.Contains(log.String(), "a certificate was replaced") {
		t.Errorf("the log:\n%s", log.String())
	}
}

func TestClientsNeedCertificates(t *testing.T) {
	files, servers, clients := newPEMFiles(t), newAuthority(t), newAuthority(t)
	files.issue(servers, "server")
	files.write(files.truststore, clients.PEM)
	now := &clock{}
	now.advance(time.Since(time.Unix(0, 0)))
	g, err := startGuarded(t, t.TempDir(), node.Options{Now: now.now}, func(c *config.Config) {
		files.use(c)
		c.ClientEncryptionRequireClientAuth, c.ClientEncryptionTruststore = true, files.truststore
	})
	if err != nil {
		t.Fatal(err)
	}
	sessions := map[*certificates.Authority]tls.ClientSessionCache{ // clients come back with their tickets
		servers: tls.NewLRUClientSessionCache(1), clients: tls.NewLRUClientSessionCache(1),
	}
	connects := func(authority *certificates.Authority) bool {
		t.Helper()
		config := servers.Trust()
		if authority != nil {
			config.ClientSessionCache = sessions[authority]
			pair, err := authority.Pair("client")
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		config.MaxVersion = tls.VersionTLS12 // in which the handshake itself fails
		_, err := shakeHands(t, g.address, config)
		return err == nil
	}
	if !connects(clients) || connects(servers) || connects(nil) {
		t.Error("a client with a certificate is refused, or one without is let in")
	}
	files.write(files.truststore, servers.PEM)
	now.advance(time.Second)
	if connects(clients) || !connects(servers) {
		t.Error("the truststore was not replaced")
	}
}

func TestCertificatesThatCannotBeUsed(t *testing.T) {
	files := newPEMFiles(t)
	files.issue(newAuthority(t), "server")
	refused := func(change func(*config.Config), want string) {
		t.Helper()
		_, err := startGuarded(t, t.TempDir(), node.Options{}, func(c *config.Config) {
			files.use(c)
			change(c)
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refused(func(c *config.Config) { c.ClientEncryptionCertificate += "x" }, "server.crtx: no such file or directory")
	refused(func(c *config.Config) { c.ClientEncryptionKey = files.certificate }, "client_encryption_key "+files.certificate)
	refused(func(c *config.Config) {
		c.ClientEncryptionRequireClientAuth, c.ClientEncryptionTruststore = true, files.key
	}, "client_encryption_truststore "+files.key+": it holds no certificate in PEM")
	if err := os.Chmod(files.key, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(func(*config.Config) {}, "client_encryption_key "+files.key+": it holds a secret, and its permissions 0644")
}

// TestExposure tries all that a node may do where other machines can connect.
func TestExposure(t *testing.T) {
	files := newPEMFiles(t)
	files.issue(newAuthority(t), "server")
	files.write(files.truststore, newAuthority(t).PEM)
	check := func(change func(*config.Config), want string) {
		t.Helper()
		g, err := startGuarded(t, t.TempDir(), node.Options{}, func(c *config.Config) {
			c.RPCAddress = "0.0.0.0"
			change(c)
		})
		got := ""
		if exposed, ok := errors.AsType[*node.ExposedError](err); ok {
			got = exposed.Danger
		} else if err != nil {
			t.Error(err)
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("refused as %q, want %q", got, want)
		}
		if got != "" && g.generated != "" {
			t.Error("a password was generated for a server that does not serve")
		}
	}
	allowAll := func(c *config.Config) { c.Authenticator, c.SuperuserPassword = config.AllowAllAuthenticator, "" }
	check(allowAll, "clients are not authenticated")
	check(func(*config.Config) {}, "in clear")
	check(files.use, "")
	check(func(c *config.Config) { files.use(c); allowAll(c) }, "clients are not authenticated")
	check(func(c *config.Config) {
		files.use(c)
		allowAll(c)
		c.ClientEncryptionRequireClientAuth, c.ClientEncryptionTruststore = true, files.truststore
	}, "")
}

// TestStrangersAreNotTrusted makes sure that the clients of these tests check certificates.
func TestStrangersAreNotTrusted(t *testing.T) {
	files := newPEMFiles(t)
	files.issue(newAuthority(t), "server")
	g := mustGuard(t, t.TempDir(), files.use)
	_, err := shakeHands(t, g.address, newAuthority(t).Trust())
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %v", err)
	}
}
