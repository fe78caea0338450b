package admin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/config"
)

const (
	defaultHost = "127.0.0.1"
	// defaultPort is the one that the manual gives as an example of http_port, which has no default.
	defaultPort = 7080
)

// flags say which node to ask, and how.
type flags struct {
	host                   string
	port                   uint16
	username, passwordFile string
	tls                    bool
	cafile                 string
	certfile, keyfile      string
	json                   bool
}

func (f *flags) add(c *cobra.Command) {
	set := c.Flags()
	set.StringVar(&f.host, "host", defaultHost, "node to ask: its http_address")
	set.Uint16Var(&f.port, "http-port", defaultPort, "its http_port")
	set.StringVarP(&f.username, "username", "u", "", "role to log in as")
	set.StringVar(&f.passwordFile, "password-file", "", "file with the password of the role in its first line")
	set.BoolVar(&f.tls, "tls", false, "connect by TLS")
	set.StringVar(&f.cafile, "cafile", "", "file with the certificates that the node's is checked against, instead of the system's; implies --tls")
	set.StringVar(&f.certfile, "certfile", "", "file with the certificate to show to a node that asks for one; needs --keyfile and implies --tls")
	set.StringVar(&f.keyfile, "keyfile", "", "file with the private key of that certificate")
	set.BoolVar(&f.json, "json", false, "print the node's answer as it is")
	c.MarkFlagsRequiredTogether("username", "password-file")
	c.MarkFlagsRequiredTogether("certfile", "keyfile")
}

// client returns a client of the node.
func (f *flags) client() (*client, error) {
	host := strings.TrimSuffix(strings.TrimPrefix(f.host, "["), "]")
	c := &client{base: url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(int(f.port)))}, username: f.username}
	if f.username != "" {
		var err error
		if c.password, err = readPassword(f.passwordFile); err != nil {
			return nil, err
		}
	}
	transport := &nethttp.Transport{}
	if f.tls || f.cafile != "" || f.certfile != "" {
		c.base.Scheme = "https"
		var err error
		if transport.TLSClientConfig, err = f.tlsConfig(); err != nil {
			return nil, err
		}
	}
	c.http = newHTTP(transport)
	return c, nil
}

// readPassword reads the first line of a file that others must not be able to read.
func readPassword(file string) (string, error) {
	content, err := config.ReadSecretFile(file)
	if err != nil {
		return "", fmt.Errorf("--password-file %s: %w", file, err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("--password-file " + file + ": its first line is empty")
	}
	return line, nil
}

func (f *flags) tlsConfig() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.certfile != "" {
		certificate, err := tls.LoadX509KeyPair(f.certfile, f.keyfile)
		if err != nil {
			return nil, err
		}
		out.Certificates = []tls.Certificate{certificate}
	}
	if f.cafile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(f.cafile)
	if err != nil {
		return nil, err
	}
	out.RootCAs = x509.NewCertPool()
	if !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", f.cafile)
	}
	return out, nil
}
