package shell

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/tests/nodes"
)

// serve starts a node that takes clients, and returns its address.
func serve(t testing.TB) string {
	t.Helper()
	_, address := nodes.Serve(t)
	return address
}

// runShell runs `ilium shell` and returns what it prints, first to the standard output and then to the standard error.
func runShell(ctx context.Context, input string, arguments ...string) (string, error) {
	return runShellOn(ctx, strings.NewReader(input), arguments...)
}

func runShellOn(ctx context.Context, input io.Reader, arguments ...string) (string, error) {
	c := Command()
	var out, errOut strings.Builder
	c.SetIn(input)
	c.SetOut(&out)
	c.SetErr(&errOut)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(arguments)
	err := c.ExecuteContext(ctx)
	return out.String() + errOut.String(), err
}

// connected returns a shell on a connection that is closed when the test ends, and all that it prints.
func connected(t *testing.T, address, keyspace string) (*shell, *strings.Builder) {
	t.Helper()
	var out strings.Builder
	c := Command()
	c.SetOut(&out)
	c.SetErr(&out)
	s, err := (&flags{timeout: "10"}).shell(c, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.connect(t.Context(), keyspace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s, &out
}

// TestRecorded compares the shell with what cqlsh has printed for the same statements. The commands are:
//
//	run   carry out statements on standard input
//	cql   carry out statements as --execute, in the keyspace ks
func TestRecorded(t *testing.T) {
	address := serve(t)
	datadriven.RunTest(t, "testdata/cqlsh", func(t *testing.T, d *datadriven.TestData) string {
		return runBlock(t, address, d)
	})
}

func TestCommands(t *testing.T) {
	address := serve(t)
	t.Chdir("testdata") // for the names of files
	datadriven.RunTest(t, "commands", func(t *testing.T, d *datadriven.TestData) string {
		return strings.ReplaceAll(runBlock(t, address, d), address, "ADDRESS")
	})
}

func runBlock(t *testing.T, address string, d *datadriven.TestData) string {
	var out string
	var err error
	switch d.Cmd {
	case "run":
		out, err = runShell(t.Context(), d.Input, address)
	case "cql":
		out, err = runShell(t.Context(), "", address, "-k", "ks", "-e", d.Input)
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	switch err {
	case nil:
		return out
	case ErrStatementFailed:
		return out + "exit code 2\n"
	default:
		return out + "error " + err.Error() + "\n"
	}
}

func TestFile(t *testing.T) {
	address := serve(t)
	file := filepath.Join(t.TempDir(), "statements.cql")
	const text = "CONSISTENCY QUORUM -- without a semicolon\n\nSELECT nope\n FROM system.local; SELECT key\n FROM system.local\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := runShell(t.Context(), "", address, "--file", file)
	want := "Consistency level set to QUORUM.\n\n key\n-------\n local\n\n(1 rows)\n" + file +
		":3:InvalidRequest: Error from server: code=2200 [Invalid query] message=\"Undefined column name nope in table system.local\"\n"
	if got != want || err != ErrStatementFailed {
		t.Errorf("got %q and error %v, want %q and %v", got, err, want, ErrStatementFailed)
	}
	if _, err := runShell(t.Context(), "", address, "-f", file+"x"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v, want one of a missing file", err)
	}
}

func TestCannotConnect(t *testing.T) {
	address := nodes.Unused(t)
	got, err := runShell(t.Context(), "SELECT 1;", address)
	if got != "" || err == nil || !strings.HasPrefix(err.Error(), "connecting to "+address) {
		t.Errorf("got %q and error %v, want an error that names %s", got, err, address)
	}
}

func TestServerGoes(t *testing.T) {
	n, address := nodes.Serve(t)
	in := &stopping{n: n, text: "SELECT key FROM system.local;\n"}
	out, err := runShellOn(t.Context(), in, address)
	if in.err != nil {
		t.Error(in.err)
	}
	if err == nil || !strings.Contains(err.Error(), "there is no new one") {
		t.Errorf("error %v, want one of the lost connection", err)
	}
	if got := strings.Count(out, "ConnectionError"); got != 2 || !strings.Contains(out, "(1 rows)") {
		t.Errorf("got %s, want a row and two errors", out)
	}
}

// A stopping input stops the node behind the first statement, and goes on forever.
type stopping struct {
	n     *node.Node
	text  string
	reads int
	err   error
}

func (s *stopping) Read(p []byte) (int, error) {
	if s.reads++; s.reads == 2 {
		s.err = s.n.Stop()
	}
	return copy(p, s.text), nil
}

func TestFlags(t *testing.T) {
	check := func(want string, arguments ...string) {
		t.Helper()
		if _, err := runShell(t.Context(), "", arguments...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", arguments, err, want)
		}
	}
	check("neither a number of seconds nor a duration", "--request-timeout", "soon")
	check("neither a number of seconds nor a duration", "--request-timeout", "-1")
	check("no such file", "--cafile", "missing.pem")
	check("no certificate", "--cafile", "testdata/commands")
	check("no such file", "--certfile", "missing.pem", "--keyfile", "missing.pem")
	check("must all be set", "--certfile", "x")
	check("none of the others can be", "-e", "x", "-f", "y")
	check("no password", "-u", "ada")
	check("at most 1 arg", "host", "9042")
}

func TestAddress(t *testing.T) {
	for given, want := range map[string]string{"host": "host:9042", "host:1": "host:1", "::1": "[::1]:9042",
		"[::1]": "[::1]:9042", "[::1]:7": "[::1]:7", "10.0.0.1": "10.0.0.1:9042"} {
		if got := withPort(given); got != want {
			t.Errorf("%s became %s, want %s", given, got, want)
		}
	}
}
