package shell

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/client"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// ErrStatementFailed is what the command `ilium shell` returns when a statement has failed that it was not given at a
// terminal. What was wrong has been printed.
var ErrStatementFailed = errors.New("a statement has failed")

const (
	defaultAddress = "127.0.0.1"
	defaultPort    = "9042"

	// defaultTimeout is that of cqlsh.
	defaultTimeout = 10 * time.Second

	passwordVariable = "CQL_PASSWORD"
)

// flags are those of `ilium shell`.
type flags struct {
	execute, file      string
	username, password string
	keyspace           string
	tls                bool
	cafile             string
	certfile, keyfile  string
	timeout            string
	noColor            bool
}

// Command returns `ilium shell`.
func Command() *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   "shell [HOST[:PORT]]",
		Short: "Run CQL statements on a server, typed or from a file",
		Long: "Run CQL statements on a server of the CQL native protocol, Ilium or Apache Cassandra: those that are typed, those of\n" +
			"--execute or --file, or those on standard input. HELP lists the commands of the shell itself.\n" +
			"The exit code is 1 if the server cannot be reached, and 2 if a statement has failed that was not typed.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			address := defaultAddress
			if len(args) > 0 {
				address = args[0]
			}
			return f.run(c, withPort(address))
		},
	}
	set := c.Flags()
	set.StringVarP(&f.execute, "execute", "e", "", "statements to carry out")
	set.StringVarP(&f.file, "file", "f", "", "file with statements to carry out")
	set.StringVarP(&f.username, "username", "u", "", "user to log in as")
	set.StringVarP(&f.password, "password", "p", "", "password of the user; better is the variable "+passwordVariable+", or to be asked for it")
	set.StringVarP(&f.keyspace, "keyspace", "k", "", "keyspace to use")
	set.BoolVar(&f.tls, "tls", false, "connect by TLS")
	set.StringVar(&f.cafile, "cafile", "", "file with the certificates that the server's is checked against, instead of the system's; implies --tls")
	set.StringVar(&f.certfile, "certfile", "", "file with the certificate to show to a server that asks for one; needs --keyfile and implies --tls")
	set.StringVar(&f.keyfile, "keyfile", "", "file with the private key of that certificate")
	set.StringVar(&f.timeout, "request-timeout", defaultTimeout.String(), "how long to wait for the answer to a request: seconds, or a duration such as 500ms; 0 is forever")
	set.BoolVar(&f.noColor, "no-color", false, "no colors, also at a terminal")
	c.MarkFlagsMutuallyExclusive("execute", "file")
	c.MarkFlagsRequiredTogether("certfile", "keyfile")
	return c
}

// withPort returns an address as net.Dial wants it: an IPv6 address may come without brackets.
func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	if n := len(address); n > 2 && address[0] == '[' && address[n-1] == ']' {
		address = address[1 : n-1]
	}
	return net.JoinHostPort(address, defaultPort)
}

// run runs the command.
func (f *flags) run(c *cobra.Command, address string) error {
	// A terminal's Ctrl-C is for the statement, and only what is not typed ends with it, as c.Context() does.
	typing, stop := signal.NotifyContext(context.WithoutCancel(c.Context()), syscall.SIGTERM)
	defer stop()
	s, err := f.shell(c, address)
	if err != nil {
		return err
	}
	defer s.close()
	err = f.carryOut(typing, c, s)
	if typing.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("ended by SIGTERM")
	}
	return err
}

// carryOut connects and carries out what is given, or else typed. typing ends with SIGTERM alone.
func (f *flags) carryOut(typing context.Context, c *cobra.Command, s *shell) error {
	var e *editor
	earlier := &history{}
	if keyboard, ok := keyboardOf(c.InOrStdin()); ok {
		if f.execute == "" && f.file == "" {
			earlier = openHistory(s)
		}
		e = newEditor(typing, keyboard, c.OutOrStdout(), earlier)
		e.attach(keyboard)
		s.askPassword = e.password
	}
	if s.username != "" && !c.Flags().Changed("password") && !s.fromVariable() && !s.readPassword() {
		return errors.New("no password")
	}
	if err := s.connect(c.Context(), f.keyspace); err != nil {
		if errors.Is(err, io.EOF) && !f.encrypted() {
			err = errors.New("the server has hung up; perhaps it expects TLS, see --tls")
		}
		return fmt.Errorf("connecting to %s: %w", s.address, err)
	}
	if e == nil || f.execute != "" || f.file != "" {
		return f.runScript(c.Context(), s, c.InOrStdin())
	}
	s.terminal = true
	s.showHost(typing)
	s.showVersion(typing)
	s.printf("Use HELP for help.")
	return s.interact(typing, e, earlier)
}

// runScript carries out statements that nobody types.
func (f *flags) runScript(ctx context.Context, s *shell, in io.Reader) error {
	name := "<stdin>" // so says cqlsh also of --execute
	if f.execute != "" {
		in = strings.NewReader(f.execute)
	}
	if f.file != "" {
		file, err := os.Open(f.file)
		if err != nil {
			return err
		}
		defer file.Close()
		name, in = f.file, file
	}
	if err := s.runScript(ctx, name, in); err != nil {
		return err
	}
	if s.failed {
		return ErrStatementFailed
	}
	return nil
}

// shell returns a shell that is not connected yet.
func (f *flags) shell(c *cobra.Command, address string) (*shell, error) {
	timeout, err := parseTimeout(f.timeout)
	if err != nil {
		return nil, err
	}
	config, err := f.tlsConfig()
	if err != nil {
		return nil, err
	}
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	s := &shell{
		printer: printer{out: c.OutOrStdout(), colors: !f.noColor && isTerminal(c.OutOrStdout())},
		errOut:  c.ErrOrStderr(), address: address, version: version,
		username: f.username, password: f.password, timeout: timeout,
		consistency: consistency.One, serial: consistency.Serial,
		traceWait: defaultTraceWait, paging: true, pageSize: defaultPageSize,
	}
	s.dial = func(ctx context.Context, username, password, keyspace string) (*client.Conn, error) {
		return client.Dial(ctx, address, client.Options{Username: username, Password: password, Keyspace: keyspace,
			TLS: config, Compression: frame.LZ4, Name: "ilium shell", Version: version})
	}
	return s, nil
}

// encrypted reports whether to connect by TLS.
func (f *flags) encrypted() bool { return f.tls || f.cafile != "" || f.certfile != "" }

// tlsConfig returns how to connect by TLS, nil for plain TCP.
func (f *flags) tlsConfig() (*tls.Config, error) {
	if !f.encrypted() {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.certfile != "" {
		certificate, err := tls.LoadX509KeyPair(f.certfile, f.keyfile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	if f.cafile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(f.cafile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", f.cafile)
	}
	return config, nil
}

// parseTimeout reads a number of seconds, as cqlsh takes it, or a duration.
func parseTimeout(text string) (time.Duration, error) {
	if seconds, err := strconv.Atoi(text); err == nil {
		text = strconv.Itoa(seconds) + "s"
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout < 0 {
		return 0, fmt.Errorf("--request-timeout: %q is neither a number of seconds nor a duration such as 500ms", text)
	}
	return timeout, nil
}

// fromVariable takes the password from the environment, and reports whether it is there.
func (s *shell) fromVariable() bool {
	password, ok := os.LookupEnv(passwordVariable)
	if ok {
		s.password = password
	}
	return ok
}

// openHistory reads the file of earlier statements. Without one the shell works too.
func openHistory(s *shell) *history {
	home, err := os.UserHomeDir()
	if err != nil {
		return &history{}
	}
	h, err := loadHistory(filepath.Join(home, historyFile))
	if err != nil {
		fmt.Fprintf(s.errOut, "Earlier statements are not there: %v\n", err)
	}
	return h
}

// keyboardOf returns the terminal that an input is, if it is one.
func keyboardOf(in io.Reader) (*os.File, bool) {
	file, ok := in.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// attach makes the editor switch a terminal to raw mode while it reads.
func (e *editor) attach(keyboard *os.File) {
	fd := int(keyboard.Fd())
	e.raw = func() (func() error, error) {
		state, err := term.MakeRaw(fd)
		if err != nil {
			return nil, err
		}
		return func() error { return term.Restore(fd, state) }, nil
	}
	e.size = func() (int, int, error) { return term.GetSize(fd) }
}
