package admin

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/wire/http"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a command line on the node at an address and returns what it prints.
func run(ctx context.Context, address string, args ...string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	root := &cobra.Command{Use: "ilium", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(Commands()...)
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(args, "--host", host, "--http-port", port))
	err = root.ExecuteContext(ctx)
	return out.String(), err
}

// TestOutput runs commands on a node whose answer is the input of a block. "run" takes the command line; "status" is that of the
// answer, 200 if it is missing.
func TestOutput(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return runBlock(t, d) })
	})
}

func runBlock(t *testing.T, d *datadriven.TestData) string {
	status := 200
	var args []string
	for _, a := range d.CmdArgs {
		if a.Key == "status" && len(a.Vals) == 1 {
			if _, err := fmt.Sscan(a.Vals[0], &status); err != nil {
				d.Fatalf(t, "%v", err)
			}
			continue
		}
		args = append(args, a.Key)
	}
	asked := ""
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		asked = r.Method + " " + r.URL.String()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(d.Input))
	}))
	defer server.Close()
	out, err := run(t.Context(), server.Listener.Addr().String(), args...)
	if err != nil {
		out += "error: " + err.Error() + "\n"
	}
	return strings.ReplaceAll(asked+"\n"+out, server.Listener.Addr().String(), "ADDRESS")
}

// fake is an operator of which tests use some methods.
type fake struct {
	http.Operator
	decommission func(ctx context.Context, told func(string)) error
	forced       bool
}

func (f *fake) Hints() ([]http.PendingHints, error) { return nil, nil }

func (f *fake) RemoveNode(_ context.Context, id string, _ func(string)) error {
	return &http.RefusedError{Status: nethttp.StatusNotFound, Cause: errors.New("there is no node " + id)}
}

func (f *fake) Decommission(ctx context.Context, force bool, told func(string)) error {
	f.forced = force
	return f.decommission(ctx, told)
}

func serve(t *testing.T, o http.Operator, opts http.Options) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := http.New(o, opts)
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Stop(context.Background()), <-done); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func TestActionOnServer(t *testing.T) {
	f := &fake{decommission: func(_ context.Context, told func(string)) error {
		told("1 of 2")
		told("2 of 2")
		return nil
	}}
	address := serve(t, f, http.Options{})
	if out, err := run(t.Context(), address, "decommission"); err != nil || out != "1 of 2\n2 of 2\nThe node has left the cluster and can be stopped.\n" {
		t.Errorf("%q, error %v", out, err)
	}
	if out, err := run(t.Context(), address, "decommission", "--json"); err != nil || out != `{"progress":"1 of 2"}`+"\n"+`{"progress":"2 of 2"}`+"\n"+`{"done":true}`+"\n" {
		t.Errorf("%q, error %v", out, err)
	}
	if _, err := run(t.Context(), address, "decommission", "--force"); err != nil || !f.forced {
		t.Errorf("forced %t, error %v", f.forced, err)
	}
	out, err := run(t.Context(), address, "removenode", "x&y")
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Status != 404 || status.Reason != "there is no node x&y" || out != "" {
		t.Errorf("%q, error %v", out, err)
	}
	f.decommission = func(_ context.Context, told func(string)) error {
		told("1 of 2")
		return errors.New("broken")
	}
	if out, err := run(t.Context(), address, "decommission"); out != "1 of 2\n" || err == nil || err.Error() != "broken" {
		t.Errorf("%q, error %v", out, err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	address := serve(t, &fake{decommission: func(ctx context.Context, told func(string)) error {
		told("1 of 2")
		cancel()
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}}, http.Options{})
	if _, err := run(ctx, address, "decommission"); err == nil || err.Error() != "interrupted: the node stays LEAVING; the same command goes on there" {
		t.Errorf("error %v", err)
	}
	<-ended
}

func TestPassword(t *testing.T) {
	address := serve(t, &fake{}, http.Options{Login: func(_ context.Context, _ netip.Addr, role, password string) error {
		if role != "cassandra" || password != "se:cret" {
			return &http.RefusedError{Status: nethttp.StatusUnauthorized, Cause: errors.New("wrong")}
		}
		return nil
	}})
	file := filepath.Join(t.TempDir(), "password")
	write := func(content string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(content), 0o600), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
	}
	try := func(want string, args ...string) {
		t.Helper()
		_, err := run(t.Context(), address, append([]string{"listpendinghints"}, args...)...)
		if got := fmt.Sprint(err); !strings.Contains(got, want) {
			t.Errorf("error %v, want %s", got, want)
		}
	}
	try("are needed (basic authentication); see --username and --password-file")
	write("se:cret\r\n", 0o600)
	try("<nil>", "-u", "cassandra", "--password-file", file)
	try("wrong; see --username", "-u", "other", "--password-file", file)
	try("[password-file]", "-u", "cassandra")
	write("\n", 0o600)
	try("its first line is empty", "-u", "cassandra", "--password-file", file)
	write("se:cret", 0o644)
	try("let others read", "-u", "cassandra", "--password-file", file)
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte("[]")) }))
	defer server.Close()
	address, file := server.Listener.Addr().String(), filepath.Join(t.TempDir(), "ca")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t.Context(), address, "listpendinghints", "--cafile", file); err != nil || out != "This node does not have hints pending.\n" {
		t.Errorf("%q, error %v", out, err)
	}
	if _, err := run(t.Context(), address, "listpendinghints", "--tls"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: error %v", err)
	}
	if _, err := run(t.Context(), address, "listpendinghints"); err == nil {
		t.Error("without TLS: no error")
	}
	plain := serve(t, &fake{}, http.Options{})
	if _, err := run(t.Context(), plain, "listpendinghints", "--tls"); err == nil || !strings.Contains(err.Error(), "see --tls") {
		t.Errorf("TLS with a server that has none: error %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t.Context(), address, "status"); err == nil || !strings.HasPrefix(err.Error(), "nobody listens at "+address+": does the node run, with the setting http_port") {
		t.Errorf("error %v", err)
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1.00 KiB", 107817: "105.29 KiB", 1 << 40: "1.00 TiB", 1 << 51: "2048.00 TiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}
