package process

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// The password of a new node is printed once, and never to the log.
func TestGeneratedPassword(t *testing.T) {
	directory := t.TempDir()
	serve := func() outcome {
		t.Helper()
		p := ilium(t, "start", "--set", dataIn(directory), "--set", "native_transport_port=0", "--set", "authenticator=PasswordAuthenticator")
		if p.out.await(regexp.MustCompile(`^ilium is ready in`)) == nil {
			t.Fatal(p.wait().err)
		}
		p.signal(syscall.SIGTERM)
		o := p.wait()
		if o.code != 0 {
			t.Fatalf("exit status %d\n%s", o.code, o.err)
		}
		return o
	}
	first := serve()
	shown := regexp.MustCompile(`(?m)^The password of role cassandra is ([A-Z2-7]{26})$`).FindStringSubmatch(first.out)
	if shown == nil {
		t.Fatalf("no password is printed:\n%s", first.out)
	}
	second := serve()
	if strings.Contains(second.out, "password") {
		t.Errorf("the second start prints:\n%s", second.out)
	}
	if strings.Contains(first.err+second.err, shown[1]) {
		t.Errorf("the log holds the password:\n%s", first.err)
	}
}
