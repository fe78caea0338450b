package http_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/wire/http"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an Operator that answers what it is told to, and remembers what it was asked.
type fake struct {
	act   func(ctx context.Context, told func(string)) error // all actions
	err   error                                              // of questions and Ready
	panic any                                                // of Netstats

	mu    sync.Mutex
	asked []string
}

func (f *fake) note(parts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, strings.Join(parts, " "))
}

func (f *fake) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := strings.Join(f.asked, ";")
	f.asked = nil
	return out
}

func (f *fake) do(ctx context.Context, told func(string), parts ...string) error {
	f.note(parts...)
	if f.act == nil {
		return nil
	}
	return f.act(ctx, told)
}

func (f *fake) Ready() error { return f.err }

func (f *fake) Status(keyspace string) (*http.Status, error) {
	f.note("status", keyspace)
	owns := 0.5
	return &http.Status{Keyspace: keyspace, Nodes: []http.Node{{ID: "a", Address: "10.0.0.1:7000", Up: true, State: "NORMAL", Owns: &owns}}}, f.err
}

func (f *fake) Ring(keyspace string) (*http.Ring, error) {
	f.note("ring", keyspace)
	return &http.Ring{Ring: []http.Token{{Token: "-5", Node: "a"}}}, f.err
}

func (f *fake) Info() (*http.Info, error) {
	f.note("info")
	return &http.Info{Node: http.Node{ID: "a"}, Cluster: "c"}, f.err
}

func (f *fake) Gossip() ([]http.GossipNode, error) { f.note("gossip"); return nil, f.err }

func (f *fake) Describe() (*http.Cluster, error) {
	f.note("describe")
	return &http.Cluster{Name: "c"}, f.err
}

func (f *fake) Netstats() (*http.Netstats, error) {
	f.note("netstats")
	if f.panic != nil {
		panic(f.panic)
	}
	return &http.Netstats{Mode: "NORMAL"}, f.err
}

func (f *fake) Hints() ([]http.PendingHints, error) { f.note("hints"); return nil, f.err }

func (f *fake) Decommission(ctx context.Context, force bool, told func(string)) error {
	if force {
		return f.do(ctx, told, "decommission", "force")
	}
	return f.do(ctx, told, "decommission")
}

func (f *fake) RemoveNode(ctx context.Context, id string, told func(string)) error {
	return f.do(ctx, told, "removenode", id)
}

func (f *fake) AbortJoin(ctx context.Context, id string, told func(string)) error {
	return f.do(ctx, told, "abort", id)
}

func (f *fake) Cleanup(ctx context.Context, keyspace string, told func(string)) error {
	return f.do(ctx, told, "cleanup", keyspace)
}

func (f *fake) TruncateHints(ctx context.Context, id string) error {
	return f.do(ctx, func(string) {}, "truncatehints", id)
}

func (f *fake) Compact(ctx context.Context, keyspace, table string, told func(string)) error {
	return f.do(ctx, told, "compact", keyspace, table)
}

// start serves an operator until the test ends, and returns its address.
func start(t *testing.T, operator http.Operator, opts http.Options) (address string, s *http.Server) {
	t.Helper()
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = http.New(operator, opts)
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), s
}

// client returns a client whose connections are closed when the test ends, before the server is stopped.
func client(t *testing.T) *nethttp.Client {
	transport := &nethttp.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &nethttp.Client{Transport: transport}
}

// send sends a request, with headers as name and value in turn, and returns the status and the body.
func send(t *testing.T, c *nethttp.Client, method, url, body string, headers ...string) (status int, text string, header nethttp.Header) {
	t.Helper()
	r, err := nethttp.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSuffix(string(b), "\n"), answer.Header
}
