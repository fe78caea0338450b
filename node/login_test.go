package node_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A guarded is a node that asks for passwords.
type guarded struct {
	node      *node.Node
	address   string
	generated string // password that it has shown
}

// startGuarded starts a node with PasswordAuthenticator in a directory.
func startGuarded(t *testing.T, directory string, opts node.Options, change func(*config.Config)) (*guarded, error) {
	t.Helper()
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort, cfg.Authenticator = directory, 64<<20, 0, config.PasswordAuthenticator
	if change != nil {
		change(&cfg)
	}
	n, err := node.StartWith(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	g := &guarded{node: n}
	address, err := n.Serve(t.Context(), node.ServeOptions{Generated: func(role, password string) error {
		if role != "cassandra" || g.generated != "" {
			t.Errorf("generated for %s, after %q", role, g.generated)
		}
		g.generated = password
		return nil
	}})
	if err == nil {
		g.address = address.String()
	}
	return g, err
}

func mustGuard(t *testing.T, directory string, change func(*config.Config)) *guarded {
	t.Helper()
	g, err := startGuarded(t, directory, node.Options{}, change)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// withPassword sets superuser_password.
func withPassword(password config.Secret) func(*config.Config) {
	return func(c *config.Config) { c.SuperuserPassword = password }
}

// A talk is a connection in version 4 of the protocol.
type talk struct {
	t      *testing.T
	conn   net.Conn
	reader *frame.Reader
}

// talkTo connects, by TLS if there is a configuration for it.
func talkTo(t *testing.T, address string, config *tls.Config) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the node may have closed it
	return &talk{t, conn, frame.NewClientReader(frame.MaxLength)}
}

// ask sends a message and returns the answer.
func (c *talk) ask(m frame.Message) frame.Message {
	c.t.Helper()
	answer, err := c.try(m)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

func (c *talk) try(m frame.Message) (frame.Message, error) {
	b, err := frame.AppendFrame(nil, frame.V4, 0, nil, m)
	if err == nil {
		err = c.conn.SetDeadline(time.Now().Add(30 * time.Second))
	}
	if err == nil {
		_, err = c.conn.Write(b)
	}
	for buffer := make([]byte, 4096); err == nil; {
		f, incomplete := c.reader.Next()
		if incomplete == nil {
			_, answer, err := frame.DecodeMessage(f)
			return answer, err
		}
		var n int
		n, err = c.conn.Read(buffer)
		c.reader.Feed(bytes.Clone(buffer[:n]))
	}
	return nil, err
}

// startup begins the handshake and expects to be asked for a password.
func (c *talk) startup() {
	c.t.Helper()
	m := c.ask(&frame.Startup{Options: map[string]string{frame.OptionCQLVersion: "3.0.0"}})
	if a, ok := m.(*frame.Authenticate); !ok || a.Authenticator != "org.apache.cassandra.auth.PasswordAuthenticator" {
		c.t.Fatalf("STARTUP was answered by %#v", m)
	}
}

// login says a token, and returns the error it is answered with, "" for success.
func (g *guarded) login(t *testing.T, token string) string {
	t.Helper()
	c := talkTo(t, g.address, nil)
	c.startup()
	switch m := c.ask(&frame.AuthResponse{Token: []byte(token)}).(type) {
	case *frame.AuthSuccess:
		return ""
	case *frame.Error:
		if m.Code != frame.ErrorBadCredentials {
			t.Errorf("%q is answered by %s", token, m.Code)
		}
		if _, err := c.try(&frame.Options{}); err == nil {
			t.Errorf("the connection goes on after %q", token)
		}
		return m.Message
	default:
		t.Fatalf("%q is answered by %#v", token, m)
		return ""
	}
}

const wrongPassword = "Provided username cassandra and/or password are incorrect"

func TestLogin(t *testing.T) {
	now := &clock{}
	now.advance(time.Since(time.Unix(0, 0)))
	g, err := startGuarded(t, t.TempDir(), node.Options{Now: now.now}, withPassword("helen"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(token, want string) {
		t.Helper()
		if got := g.login(t, token); got != want {
			t.Errorf("%q: %q", token, got)
		}
	}
	check("\x00cassandra\x00helen", "")
	check("cassandra\x00cassandra\x00helen", "")
	check("\x00paris\x00helen", "Provided username paris and/or password are incorrect")
	check("", "Password must not be null")
	check("helen", "Password must not be null")
	check("cassandra\x00helen", "Authentication ID must not be null")
	check("\x00cassandra\x00helen\x00", `Credential format error: username or password is empty or contains NUL(\0) character`)
	for range 5 {
		check("\x00cassandra\x00cassandra", wrongPassword)
	}
	check("\x00cassandra\x00helen", "Too many failed logins with username cassandra from this address: wait for 1s before the next")
	now.advance(time.Second)
	check("\x00cassandra\x00helen", "")
}

func TestLoggedInClients(t *testing.T) {
	g := mustGuard(t, t.TempDir(), withPassword("helen"))
	c := talkTo(t, g.address, nil)
	c.startup()
	if m, ok := c.ask(&frame.Query{Text: "SELECT * FROM system.local"}).(*frame.Error); !ok || m.Code != frame.ErrorProtocol {
		t.Fatalf("a statement before the login is answered by %#v", m)
	}
	c = talkTo(t, g.address, nil)
	c.startup()
	if _, ok := c.ask(&frame.AuthResponse{Token: []byte("\x00cassandra\x00helen")}).(*frame.AuthSuccess); !ok {
		t.Fatal("no AUTH_SUCCESS")
	}
	if _, ok := c.ask(&frame.Query{Text: "SELECT * FROM system.local", Parameters: frame.Parameters{Consistency: consistency.One}}).(*frame.Rows); !ok {
		t.Error("no rows after the login")
	}
	var user string
	err := g.node.Session().Query("SELECT username FROM system_views.clients WHERE address = '127.0.0.1' AND port = ?",
		c.conn.LocalAddr().(*net.TCPAddr).Port).Scan(t.Context(), &user)
	if err != nil || user != "cassandra" {
		t.Errorf("the user is %q, %v", user, err)
	}
	var shown string
	err = g.node.Session().Query("SELECT value FROM system_views.settings WHERE name = 'superuser_password'").Scan(t.Context(), &shown)
	if err != nil || shown != "****" {
		t.Errorf("the password is shown as %q, %v", shown, err)
	}
}

func TestPasswordIsGeneratedOnce(t *testing.T) {
	directory := t.TempDir()
	g := mustGuard(t, directory, nil)
	password := g.generated
	if len(password) < 20 {
		t.Fatalf("generated %q", password)
	}
	right := "\x00cassandra\x00" + password
	if got := g.login(t, right); got != "" {
		t.Error(got)
	}
	if got := g.login(t, "\x00cassandra\x00cassandra"); got != wrongPassword {
		t.Errorf("Cassandra's own password: %q", got)
	}
	if err := g.node.Stop(); err != nil {
		t.Fatal(err)
	}

	g = mustGuard(t, directory, nil)
	if got := g.login(t, right); got != "" || g.generated != "" {
		t.Errorf("after a restart: %q, generated %q", got, g.generated)
	}
	if err := g.node.Stop(); err != nil {
		t.Fatal(err)
	}

	g = mustGuard(t, directory, withPassword("helen")) // the way back when it was lost
	if got := g.login(t, right); got != wrongPassword {
		t.Errorf("the password before the reset: %q", got)
	}
	if got := g.login(t, "\x00cassandra\x00helen"); got != "" {
		t.Errorf("the password after the reset: %q", got)
	}
	if err := g.node.Stop(); err != nil {
		t.Fatal(err)
	}

	g = mustGuard(t, directory, nil) // it lasts without the setting
	if got := g.login(t, "\x00cassandra\x00helen"); got != "" || g.generated != "" {
		t.Errorf("after the reset and a restart: %q, generated %q", got, g.generated)
	}
}

// TestPasswordThatCannotBeShown expects that a password which nobody has seen is none.
func TestPasswordThatCannotBeShown(t *testing.T) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.NativeTransportPort, cfg.Authenticator = t.TempDir(), 64<<20, 0, config.PasswordAuthenticator
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := n.Serve(t.Context(), node.ServeOptions{}); err == nil || !strings.Contains(err.Error(), "has no password yet: set superuser_password") {
		t.Errorf("nobody to show it to: %v", err)
	}
	broken := errors.New("broken pipe")
	fail := func(string, string) error { return broken }
	if _, err := n.Serve(t.Context(), node.ServeOptions{Generated: fail}); !errors.Is(err, broken) {
		t.Errorf("it cannot be shown: %v", err)
	}
	shown := ""
	show := func(_, password string) error {
		shown = password
		return nil
	}
	if _, err := n.Serve(t.Context(), node.ServeOptions{Generated: show}); err != nil || shown == "" {
		t.Errorf("shown %q, %v", shown, err)
	}
}

func TestPasswordFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string, mode fs.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
	}
	use := func(c *config.Config) { c.SuperuserPasswordFile = file }
	write("he len\n", 0o600)
	g := mustGuard(t, t.TempDir(), use)
	if got := g.login(t, "\x00cassandra\x00he len"); got != "" {
		t.Error(got)
	}
	refused := func(text string, mode fs.FileMode, want string) {
		t.Helper()
		write(text, mode)
		if _, err := startGuarded(t, t.TempDir(), node.Options{}, use); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	refused("helen", 0o644, "superuser_password_file "+file+": it holds a secret, and its permissions 0644 let others read or change it")
	refused("", 0o600, "its first line is empty")
	refused("\nhelen", 0o600, "its first line is empty")
	refused("helen\nparis\n", 0o600, "it has more than one line")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := startGuarded(t, t.TempDir(), node.Options{}, use); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestPasswordsStaySecret looks for passwords in the log and in the files of the node.
func TestPasswordsStaySecret(t *testing.T) {
	const planted, guessed = "planted-password-of-the-superuser", "planted-password-of-a-guesser"
	directory := t.TempDir()
	var log safeBuffer
	opts := node.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	secrets := []string{planted, guessed}
	for _, password := range []config.Secret{"", planted} { // generated, then replaced
		g, err := startGuarded(t, directory, opts, withPassword(password))
		if err != nil {
			t.Fatal(err)
		}
		if password == "" {
			secrets = append(secrets, g.generated)
			password = config.Secret(g.generated)
		}
		if got := g.login(t, "\x00cassandra\x00"+string(password)); got != "" {
			t.Error(got)
		}
		for _, token := range []string{"\x00cassandra\x00" + guessed, "\x00paris\x00" + guessed, guessed, "\x00x\x00y\x00" + guessed} {
			if got := g.login(t, token); got == "" || strings.Contains(got, guessed) {
				t.Errorf("%q is answered by %q", token, got)
			}
		}
		if err := g.node.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(log.String(), "the password of the superuser is replaced") || !strings.Contains(log.String(), wrongPassword) {
		t.Errorf("the log does not say who was refused:\n%s", log.String())
	}
	verifiers := 0
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		verifiers += bytes.Count(content, []byte("SCRAM-SHA-256$"))
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %s", path, secret)
			}
		}
		return err
	})
	if err != nil || verifiers == 0 {
		t.Errorf("%d verifiers are stored, %v", verifiers, err)
	}
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, log.String())
		}
	}
}

// A safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestSessionsNeedNoPassword uses a node from inside that nobody can log in to.
func TestSessionsNeedNoPassword(t *testing.T) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.Authenticator = t.TempDir(), 64<<20, config.PasswordAuthenticator
	n, err := node.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if err := n.Session().Query("SELECT cluster_name FROM system.local").Scan(t.Context(), &name); err != nil || name == "" {
		t.Errorf("%q, %v", name, err)
	}
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
}

// authResponse says the superuser's name and a password.
func authResponse(password string) *frame.AuthResponse {
	return &frame.AuthResponse{Token: []byte("\x00cassandra\x00" + password)}
}
