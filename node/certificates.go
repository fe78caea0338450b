package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	certificate, key string
	truststore       string // empty: clients need no certificate
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
	if !n.config.ClientEncryptionEnabled {
		return nil, nil
	}
	c := &certificates{
		certificate: n.config.ClientEncryptionCertificate, key: n.config.ClientEncryptionKey, truststore: n.config.ClientEncryptionTruststore,
		now: n.opts.Now, log: n.opts.Log,
	}
	var err error
	if c.files, err = c.look(); err != nil {
		return nil, err
	}
	if c.current, err = c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The whole configuration is replaced, not only the certificate, for the authorities belong to it. Tickets of sessions
		// outlive that, but crypto/tls looks whether the authority of the client that has one is still among them.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.get(), nil },
	}, nil
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
	c.log.Info("the certificate for clients was replaced", "certificate", c.certificate)
	return fresh
}

// report says once what is wrong.
func (c *certificates) report(err error) {
	if text := err.Error(); text != c.reported {
		c.reported = text
		c.log.Error("the new certificate for clients cannot be used; the old one stays", "error", err)
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
			return nil, fmt.Errorf("client encryption: %w", err)
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
		return nil, fmt.Errorf("client_encryption_certificate: %w", err)
	}
	key, err := config.ReadSecretFile(c.key)
	if err != nil {
		return nil, fmt.Errorf("client_encryption_key %s: %w", c.key, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("client_encryption_certificate %s with client_encryption_key %s: %w", c.certificate, c.key, err)
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if c.truststore != "" {
		authorities, err := os.ReadFile(c.truststore)
		if err != nil {
			return nil, fmt.Errorf("client_encryption_truststore: %w", err)
		}
		out.ClientCAs, out.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !out.ClientCAs.AppendCertsFromPEM(authorities) {
			return nil, errors.New("client_encryption_truststore " + c.truststore + ": it holds no certificate in PEM")
		}
	}
	return out, nil
}
