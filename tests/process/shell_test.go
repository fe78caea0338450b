package process

import (
	"strings"
	"testing"
)

// The exit codes of `ilium shell`, and what it prints where.
func TestShell(t *testing.T) {
	address := startServer(t).address

	check := func(input string, code int, wantOut, wantErr string, args ...string) {
		t.Helper()
		s := ilium(t, append([]string{"shell"}, args...)...)
		if _, err := s.in.Write([]byte(input)); err != nil && input != "" {
			t.Fatal(err)
		}
		if o := s.wait(); o.code != code || o.out != wantOut || !strings.Contains(o.err, wantErr) || wantErr == "" && o.err != "" {
			t.Errorf("%q %q: exit status %d, %q %q; want %d, %q %q", args, input, o.code, o.out, o.err, code, wantOut, wantErr)
		}
	}
	const row = "\n key\n-------\n local\n\n(1 rows)"
	check("", 0, row, "", address, "-e", "SELECT key FROM system.local")
	check("SELECT key FROM system.local;", 0, row, "", address)
	check("SELECT nope FROM system.local; SELECT key FROM local;", 2, row, "<stdin>:1:InvalidRequest: ", address, "-k", "system")
	check("", 1, "", "ilium: connecting to 127.0.0.1:1: ", "127.0.0.1:1", "-e", "SELECT key FROM system.local")
	check("", 1, "", "ilium: connecting to "+address+": INVALID: Keyspace 'nope' does not exist", address, "-k", "nope", "-e", "SELECT key FROM system.local")
}
