package http_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/iliumdb/ilium/auth"
	"github.com/iliumdb/ilium/wire/http"
)

const (
	get  = nethttp.MethodGet
	post = nethttp.MethodPost
)

var asJSON = []string{"Content-Type", "application/json"}

func TestQuestions(t *testing.T) {
	f := &fake{}
	address, _ := start(t, f, http.Options{})
	for _, c := range []struct{ path, asked, answer string }{
		{"status", "status ", `{"nodes":[{"host_id":"a","address":"10.0.0.1:7000","native_address":"","datacenter":"","rack":"","up":true,` +
			`"state":"NORMAL","load_bytes":null,"tokens":0,"owns":0.5}]}`},
		{"status?keyspace=k", "status k", `{"keyspace":"k","nodes"`},
		{"ring?keyspace=k", "ring k", `{"nodes":null,"ring":[{"token":"-5","host_id":"a"}]}`},
		{"info", "info", `{"host_id":"a"`},
		{"gossipinfo", "gossip", `[]`},
		{"describecluster", "describe", `{"name":"c"`},
		{"netstats", "netstats", `{"mode":"NORMAL"`},
		{"hints", "hints", `[]`},
	} {
		status, text, header := send(t, client(t), get, "http://"+address+"/api/v1/"+c.path, "")
		if asked := f.take(); status != 200 || asked != c.asked || !strings.HasPrefix(text, c.answer) || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: status %d, asked %q, answer %s", c.path, status, asked, text)
		}
	}
}

func TestActions(t *testing.T) {
	f := &fake{}
	address, _ := start(t, f, http.Options{})
	for _, c := range []struct{ path, asked string }{
		{"decommission", "decommission"},
		{"decommission?force=true", "decommission force"},
		{"decommission?force=false", "decommission"},
		{"removenode?id=x", "removenode x"},
		{"abort?id=x", "abort x"},
		{"cleanup", "cleanup "},
		{"cleanup?keyspace=k", "cleanup k"},
		{"truncatehints", "truncatehints "},
		{"truncatehints?id=x", "truncatehints x"},
		{"compact", "compact  "},
		{"compact?keyspace=k&table=t", "compact k t"},
	} {
		for _, body := range []string{"", "{}", " { }\n"} {
			status, text, _ := send(t, client(t), post, "http://"+address+"/api/v1/"+c.path, body, asJSON...)
			if asked := f.take(); status != 200 || asked != c.asked || text != `{"done":true}` {
				t.Errorf("%s: status %d, asked %q, answer %s", c.path, status, asked, text)
			}
		}
	}
}

// What is refused must not reach the operator.
func TestRefused(t *testing.T) {
	f := &fake{}
	address, _ := start(t, f, http.Options{Hosts: []string{"db.example"}})
	host, port, _ := net.SplitHostPort(address)
	with := func(more ...string) []string { return append(more, asJSON...) }
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		reason             string
	}{
		{get, "/", "", nil, 404, "there is nothing at /"},
		{get, "/api/v1/nothing", "", nil, 404, "there is nothing at /api/v1/nothing"},
		{get, "/api/v1/status/", "", nil, 404, "there is nothing at /api/v1/status/"},
		{post, "/api/v1/status", "", asJSON, 405, "the method must be GET, HEAD"},
		{get, "/api/v1/decommission", "", asJSON, 405, "the method must be POST"},
		{post, "/api/v1/decommission?force=yes", "", asJSON, 400, `the parameter force must be true or false, not "yes"`},
		{"PUT", "/api/v1/decommission", "", asJSON, 405, "the method must be POST"},
		{"OPTIONS", "/api/v1/decommission", "", with("Origin", "http://evil.example", "Access-Control-Request-Method", "POST"), 405, "the method must be POST"},
		{post, "/healthz", "", nil, 405, "the method must be GET, HEAD"},
		{get, "/api/v1/status?keyspaces=k", "", nil, 400, `there is no parameter "keyspaces" here`},
		{get, "/api/v1/status?keyspace=k&keyspace=l", "", nil, 400, "the parameter keyspace must have one value"},
		{get, "/api/v1/status?keyspace=%zz", "", nil, 400, `the parameters cannot be read: invalid URL escape "%zz"`},
		{post, "/api/v1/cleanup?keyspace=", "", asJSON, 400, "the parameter keyspace must have one value"},
		{post, "/api/v1/removenode", "", asJSON, 400, "the parameter id is missing"},
		{post, "/api/v1/compact?table=t", "", asJSON, 400, "a table needs its keyspace"},
		{post, "/api/v1/decommission", "", nil, 415, "an action needs the header Content-Type: application/json"},
		{post, "/api/v1/decommission", "", []string{"Content-Type", "text/plain"}, 415, "an action needs the header Content-Type: application/json"},
		{post, "/api/v1/decommission", "", []string{"Content-Type", "application/json-"}, 415, "an action needs the header Content-Type: application/json"},
		{post, "/api/v1/decommission", "", with("Origin", "http://evil.example"), 403, "a page of another origin has sent the request"},
		{post, "/api/v1/decommission", "", with("Origin", "null"), 403, "a page of another origin has sent the request"},
		{post, "/api/v1/decommission", "", with("Sec-Fetch-Site", "cross-site"), 403, "a page of another origin has sent the request"},
		{post, "/api/v1/decommission", "[]", asJSON, 400, "the body must be empty or {}: what an action needs is in its URL"},
		{post, "/api/v1/decommission", `{"id":1}`, asJSON, 400, "the body must be empty or {}: what an action needs is in its URL"},
		{post, "/api/v1/decommission", strings.Repeat(" ", 4097), asJSON, 413, "the body is larger than 4096 bytes"},
		{get, "/api/v1/status", "", []string{"Host", "evil.example"}, 403, `the request is for the host "evil.example", which is not http_address`},
		{get, "/api/v1/status", "", []string{"Host", "127.0.0.1.evil.example:" + port}, 403, `the request is for the host "127.0.0.1.evil.example", which is not http_address`},
	} {
		status, text, header := send(t, client(t), c.method, "http://"+address+c.path, c.body, c.headers...)
		want := `{"error":` + quoted(c.reason) + `}`
		if status != c.status || text != want {
			t.Errorf("%s %s %q: status %d, answer %s\nwant %d, %s", c.method, c.path, c.headers, status, text, c.status, want)
		}
		if header.Get("Access-Control-Allow-Origin") != "" || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: headers %v", c.method, c.path, header)
		}
	}
	if asked := f.take(); strings.Contains(asked, "c") {
		t.Errorf("the operator was asked for %s", asked)
	}
	for _, name := range []string{host, "localhost", "LOCALHOST:" + port, "[::1]", "[::1]:1", "db.example:" + port, "DB.example."} {
		if status, text, _ := send(t, client(t), get, "http://"+address+"/api/v1/info", "", "Host", name); status != 200 {
			t.Errorf("host %s: status %d, answer %s", name, status, text)
		}
	}
	if status, _, _ := send(t, client(t), post, "http://"+address+"/api/v1/cleanup", "", with("Origin", "http://"+address)...); status != 200 {
		t.Errorf("its own page: status %d", status)
	}
	if status, _, _ := send(t, client(t), get, "http://"+address+"/healthz", "", "Host", "any.example"); status != 200 {
		t.Errorf("health under another name: status %d", status)
	}
}

func quoted(text string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`) + `"`
}

func TestHealth(t *testing.T) {
	f := &fake{}
	address, _ := start(t, f, http.Options{Login: func(context.Context, netip.Addr, string, string) error { return errors.New("no") }})
	check := func(path string, want int, answer string) {
		t.Helper()
		if status, text, _ := send(t, client(t), get, "http://"+address+path, ""); status != want || text != answer {
			t.Errorf("%s: status %d, answer %s", path, status, text)
		}
	}
	check("/healthz", 200, `{"done":true}`)
	check("/readyz", 200, `{"done":true}`)
	f.err = errors.New("a secret")
	check("/healthz", 200, `{"done":true}`)
	check("/readyz", 503, `{"error":"the node takes no clients now"}`)
	if status, text, _ := send(t, client(t), nethttp.MethodHead, "http://"+address+"/readyz", ""); status != 503 || text != "" {
		t.Errorf("HEAD: status %d, answer %s", status, text)
	}
}

func TestErrors(t *testing.T) {
	f := &fake{}
	address, _ := start(t, f, http.Options{})
	for _, c := range []struct {
		err    error
		status int
		answer string
	}{
		{errors.New("broken"), 500, `{"error":"broken"}`},
		{&http.RefusedError{Status: 409, Cause: errors.New("another node joins")}, 409, `{"error":"another node joins"}`},
		{&http.RefusedError{Status: 501, Cause: errors.New("not <yet>")}, 501, `{"error":"not \u003cyet\u003e"}`},
	} {
		f.err, f.act = c.err, func(context.Context, func(string)) error { return c.err }
		if status, text, _ := send(t, client(t), get, "http://"+address+"/api/v1/status", ""); status != c.status || text != c.answer {
			t.Errorf("question: status %d, answer %s", status, text)
		}
		if status, text, _ := send(t, client(t), post, "http://"+address+"/api/v1/decommission", "", asJSON...); status != c.status || text != c.answer {
			t.Errorf("action: status %d, answer %s", status, text)
		}
		f.act = func(_ context.Context, told func(string)) error { told("half"); return c.err }
		want := `{"progress":"half"}` + "\n" + c.answer
		if status, text, _ := send(t, client(t), post, "http://"+address+"/api/v1/decommission", "", asJSON...); status != 200 || text != want {
			t.Errorf("action with progress: status %d, answer %s", status, text)
		}
	}
}

func TestPanic(t *testing.T) {
	f := &fake{panic: "oh"}
	log := &safeLog{}
	address, _ := start(t, f, http.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if _, err := client(t).Get("http://" + address + "/api/v1/netstats"); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want the end of the connection", err)
	}
	if status, _, _ := send(t, client(t), get, "http://"+address+"/api/v1/info", ""); status != 200 {
		t.Errorf("afterwards: status %d", status)
	}
	if text := log.String(); !strings.Contains(text, "problem=oh") {
		t.Errorf("log %q", text)
	}
}

// safeLog keeps what is logged.
type safeLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *safeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestLogged expects actions and some of the refused logins in the log, and no password.
func TestLogged(t *testing.T) {
	log := &safeLog{}
	address, _ := start(t, &fake{}, http.Options{Log: slog.New(slog.NewTextHandler(log, nil)),
		Login: func(_ context.Context, _ netip.Addr, role, password string) error {
			if password == "secret" {
				return nil
			}
			return &auth.WrongPasswordError{Role: role}
		}})
	headers := append([]string{"Authorization", "Basic cjpzZWNyZXQ="}, asJSON...) // r:secret
	if status, text, _ := send(t, client(t), post, "http://"+address+"/api/v1/removenode?id=x", "", headers...); status != 200 {
		t.Errorf("status %d, answer %s", status, text)
	}
	c := client(t)
	for range 100 {
		send(t, c, get, "http://"+address+"/api/v1/info", "", "Authorization", "Basic cjpvb3Bz") // r:oops
	}
	text := log.String()
	if !strings.Contains(text, `action=removenode parameters="id=x"`) {
		t.Errorf("the action is missing: %q", text)
	}
	if n := strings.Count(text, "could not log in"); n < 10 || n > 60 {
		t.Errorf("%d refused logins", n)
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "oops") {
		t.Errorf("a password: %q", text)
	}
}

func TestLogin(t *testing.T) {
	verifier, err := auth.NewVerifier("right")
	if err != nil {
		t.Fatal(err)
	}
	roles, err := auth.New(auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	roles.Set("cassandra", verifier)
	f := &fake{}
	address, _ := start(t, f, http.Options{Login: roles.Login})
	url := "http://" + address + "/api/v1/info"
	try := func(name, password string) (int, string, nethttp.Header) {
		r, err := nethttp.NewRequestWithContext(t.Context(), get, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(name, password)
		return send(t, client(t), get, url, "", "Authorization", r.Header.Get("Authorization"), "Host", "any.example")
	}
	status, text, header := send(t, client(t), get, url, "")
	if status != 401 || text != `{"error":"name and password of a role are needed (basic authentication)"}` || !strings.HasPrefix(header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("without a password: status %d, answer %s, headers %v", status, text, header)
	}
	if status, _, _ := send(t, client(t), post, "http://"+address+"/api/v1/decommission", "", asJSON...); status != 401 {
		t.Errorf("an action without a password: status %d", status)
	}
	if status, text, _ := try("cassandra", "right"); status != 200 {
		t.Errorf("the right password: status %d, answer %s", status, text)
	}
	for _, c := range [][2]string{{"", "x"}, {"cassandra", ""}, {"cas\x00sandra", "right"}, {strings.Repeat("x", 256), "x"}, {"\xff", "x"}} {
		if status, text, _ := try(c[0], c[1]); status != 401 {
			t.Errorf("%q: status %d, answer %s", c, status, text)
		}
	}
	for range 5 {
		if status, text, _ := try("cassandra", "wrong"); status != 401 || text != `{"error":"Provided username cassandra and/or password are incorrect"}` {
			t.Errorf("a wrong password: status %d, answer %s", status, text)
		}
	}
	if status, text, header := try("cassandra", "right"); status != 429 || header.Get("Retry-After") != "1" {
		t.Errorf("after guessing: status %d, answer %s, headers %v", status, text, header)
	}
	if asked := f.take(); asked != "info" {
		t.Errorf("the operator was asked for %s", asked)
	}
}

// begin sends an action whose progress is "begun", and returns when that is here.
func begin(t *testing.T, ctx context.Context, address string) (*bufio.Reader, func()) {
	t.Helper()
	r, err := nethttp.NewRequestWithContext(ctx, post, "http://"+address+"/api/v1/decommission", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(answer.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != `{"progress":"begun"}`+"\n" {
		t.Fatalf("line %q, error %v", line, err)
	}
	return lines, func() { _ = answer.Body.Close() }
}

// TestStreaming expects lines as soon as they are there, and none twice.
func TestStreaming(t *testing.T) {
	step := make(chan string)
	address, _ := start(t, &fake{act: func(_ context.Context, told func(string)) error {
		told("begun")
		for text := range step {
			told(text)
		}
		return nil
	}}, http.Options{})
	lines, end := begin(t, t.Context(), address)
	defer end()
	for _, text := range []string{"begun", "", "one", "one", "two"} {
		step <- text
	}
	for i, want := range []string{`{"progress":"one"}`, `{"progress":"two"}`, `{"done":true}`} {
		if i == 2 {
			close(step)
		}
		if line, err := lines.ReadString('\n'); err != nil || line != want+"\n" {
			t.Fatalf("line %q, error %v, want %s", line, err, want)
		}
	}
	if line, err := lines.ReadString('\n'); err != io.EOF {
		t.Errorf("after the end: %q, error %v", line, err)
	}
}

// TestClientGone expects an action to end when nobody waits for it anymore.
func TestClientGone(t *testing.T) {
	ended := make(chan error, 1)
	address, _ := start(t, &fake{act: func(ctx context.Context, told func(string)) error {
		told("begun")
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}}, http.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, end := begin(t, ctx, address)
	defer end()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestStopping expects clients to be told why an action has ended.
func TestStopping(t *testing.T) {
	address, s := start(t, &fake{act: func(ctx context.Context, told func(string)) error {
		told("begun")
		<-ctx.Done()
		return ctx.Err()
	}}, http.Options{})
	lines, end := begin(t, t.Context(), address)
	defer end()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(t.Context()) }()
	if line, err := lines.ReadString('\n'); err != nil || line != `{"error":"the node is stopping"}`+"\n" {
		t.Errorf("line %q, error %v", line, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestStopCutsOff expects an action that does not end to be cut off.
func TestStopCutsOff(t *testing.T) {
	release := make(chan struct{})
	address, s := start(t, &fake{act: func(_ context.Context, told func(string)) error {
		told("begun")
		<-release
		return nil
	}}, http.Options{})
	lines, end := begin(t, t.Context(), address)
	defer end()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if line, err := lines.ReadString('\n'); err == nil {
		t.Errorf("line %q", line)
	}
	close(release)
}

func TestMaxConnections(t *testing.T) {
	address, _ := start(t, &fake{}, http.Options{MaxConnections: 1})
	first := client(t)
	if status, _, _ := send(t, first, get, "http://"+address+"/healthz", ""); status != 200 {
		t.Fatal(status)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes for a connection too many", n)
	}
	if status, _, _ := send(t, first, get, "http://"+address+"/healthz", ""); status != 200 {
		t.Errorf("the first connection: status %d", status)
	}
}
