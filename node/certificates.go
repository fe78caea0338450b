package node

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/iliumdb/ilium/config"
)

// lookEvery is the time between two looks at the files of certificates.
const lookEvery = time.Second

// certificates serve TLS from files that may be replaced while the node runs. A handshake looks whether they have changed,
// at most once a second; nothing has to be told to the node, and nothing happens while nobody connects. When the new
// files cannot be used, the old certificate stays, the log says so, and the files are read again from second to second: a key
// that is replaced after its certificate does not match it for a moment. certificates are safe for concurrent use.
type certificates struct {
	name             string // of the settings, without what follows: client_encryption
	certificate, key string
	truststore       string // empty: nobody needs a certificate
	version          uint16 // of TLS, at least
	optional         bool   // whoever connects needs no certificate, whatever the truststore
	now              func() time.Time
	log              *slog.Logger

	mu       sync.Mutex
	current  *tls.Config
	files    []os.FileInfo // that current was made of
	nextLook time.Time
	reported string // what is wrong with the files, as the log has it
}

// tlsConfig returns the configuration of TLS for clients, nil if they connect without.
func (n *Node) tlsConfig() (*tls.Config, error) {
	cfg := &n.config
	if !cfg.ClientEncryptionEnabled {
		return nil, nil
	}
	c := &certificates{
		name: "client_encryption", version: tls.VersionTLS12, certificate: cfg.ClientEncryptionCertificate, key: cfg.ClientEncryptionKey,
		truststore: cfg.ClientEncryptionTruststore, now: n.opts.Now, log: n.opts.Log,
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	return c.server(), nil
}

// internodeTLS returns the configurations of TLS for connections that other nodes make, and for those to them; nil if
// they are not encrypted.
func (n *Node) internodeTLS() (server, client *tls.Config, err error) {
	cfg := &n.config
	if !cfg.ServerEncryptionEnabled {
		return nil, nil, nil
	}
	c := &certificates{
		name: "server_encryption", version: tls.VersionTLS13, certificate: cfg.ServerEncryptionCertificate, key: cfg.ServerEncryptionKey,
		truststore: cfg.ServerEncryptionTruststore, optional: !cfg.ServerEncryptionRequireClientAuth, now: n.opts.Now, log: n.opts.Log,
	}
	if err := c.open(); err != nil {
		return nil, nil, err
	}
	return c.server(), c.client(), nil
}

// open reads the files for the first time.
func (c *certificates) open() (err error) {
	if c.files, err = c.look(); err == nil {
		c.current, err = c.load()
	}
	return err
}

// server returns a configuration for those who connect.
func (c *certificates) server() *tls.Config {
	return &tls.Config{
		MinVersion: c.version,
		// The whole configuration is replaced, not only the certificate, for the authorities belong to it. Tickets of sessions
		// outlive that, but crypto/tls looks whether the authority of the client that has one is still among them.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.get(), nil },
	}
}

// client returns a configuration for connections to others, whose certificates are checked by the same authorities and
// for the address that they are reached at.
func (c *certificates) client() *tls.Config {
	return &tls.Config{
		MinVersion: c.version,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &c.get().Certificates[0], nil
		},
		InsecureSkipVerify: true, // VerifyConnection verifies, by authorities that may have been replaced
		VerifyConnection: func(s tls.ConnectionState) error {
			o := x509.VerifyOptions{Roots: c.get().ClientCAs, DNSName: s.ServerName, Intermediates: x509.NewCertPool()}
			for _, other := range s.PeerCertificates[1:] {
				o.Intermediates.AddCert(other)
			}
			_, err := s.PeerCertificates[0].Verify(o)
			return err
		},
	}
}

// get returns the configuration for a handshake.
func (c *certificates) get() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Before(c.nextLook) {
		return c.current
	}
	c.nextLook = now.Add(lookEvery)
	files, err := c.look()
	if err == nil && !changed(files, c.files) {
		c.reported = ""
		return c.current
	}
	var fresh *tls.Config
	if err == nil {
		fresh, err = c.load()
	}
	if err != nil {
		c.report(err)
		return c.current
	}
	c.current, c.files, c.reported = fresh, files, ""
	c.log.Info("a certificate was replaced", "setting", c.name, "certificate", c.certificate)
	return fresh
}

// report says once what is wrong.
func (c *certificates) report(err error) {
	if text := err.Error(); text != c.reported {
		c.reported = text
		c.log.Error("a new certificate cannot be used; the old one stays", "setting", c.name, "error", err)
	}
}

// look returns what the files are now. It is called before they are read, so that a change meanwhile is seen the next time.
func (c *certificates) look() ([]os.FileInfo, error) {
	var out []os.FileInfo
	for _, name := range []string{c.certificate, c.key, c.truststore} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		out = append(out, info)
	}
	return out, nil
}

// changed reports whether files have other content, as far as can be told without reading them.
func changed(now, before []os.FileInfo) bool {
	for i := range now {
		if !now[i].ModTime().Equal(before[i].ModTime()) || now[i].Size() != before[i].Size() || !os.SameFile(now[i], before[i]) {
			return true
		}
	}
	return false
}

// load makes a configuration of the files.
func (c *certificates) load() (*tls.Config, error) {
	certificate, err := os.ReadFile(c.certificate)
	if err != nil {
		return nil, fmt.Errorf("%s_certificate: %w", c.name, err)
	}
	key, err := config.ReadSecretFile(c.key)
	if err != nil {
		return nil, fmt.Errorf("%s_key %s: %w", c.name, c.key, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%s_certificate %s with %s_key %s: %w", c.name, c.certificate, c.name, c.key, err)
	}
	out := &tls.Config{MinVersion: c.version, Certificates: []tls.Certificate{pair}}
	if c.truststore != "" {
		authorities, err := os.ReadFile(c.truststore)
		if err != nil {
			return nil, fmt.Errorf("%s_truststore: %w", c.name, err)
		}
		out.ClientCAs = x509.NewCertPool()
		if !c.optional {
			out.ClientAuth = tls.RequireAndVerifyClientCert
		}
		if !out.ClientCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("%s_truststore %s: it holds no certificate in PEM", c.name, c.truststore)
		}
	}
	return out, nil
}
