package peer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/tests/certificates"
	"github.com/iliumdb/ilium/wire/peer"
)

func hostID(n byte) ring.HostID { return ring.HostID{15: n} }

// echo answers with the request.
func echo(_ context.Context, r *peer.Request) ([]byte, error) {
	return append(r.Memory[:0], r.Body...), nil
}

// pair opens two hubs over TCP: 1 asks, 2 answers.
func pair(t testing.TB, change func(*peer.Options)) (*peer.Hub, *peer.Hub) {
	t.Helper()
	var mu sync.Mutex
	addresses := make(map[ring.HostID]string)
	open := func(n byte) *peer.Hub {
		o := peer.Options{
			Cluster: "test", Self: hostID(n), Sockets: peer.TCP(),
			Resolve: func(id ring.HostID) (string, bool) {
				mu.Lock()
				defer mu.Unlock()
				a, ok := addresses[id]
				return a, ok
			},
			Handlers: map[peer.Verb]peer.Handler{
				peer.VerbRead: echo, peer.VerbPull: echo,
				peer.VerbMutate: func(context.Context, *peer.Request) ([]byte, error) {
					return nil, &peer.Failure{Code: 17, Message: "no"}
				},
			},
		}
		change(&o)
		h, err := peer.Listen(t.Context(), "127.0.0.1:0", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		mu.Lock()
		defer mu.Unlock()
		addresses[o.Self] = h.Address().String()
		return h
	}
	return open(1), open(2)
}

func secure(t *testing.T) func(*peer.Options) {
	t.Helper()
	authority, err := certificates.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Pair("node")
	if err != nil {
		t.Fatal(err)
	}
	client := authority.Trust()
	client.Certificates = []tls.Certificate{certificate}
	client.ServerName = ""
	return func(o *peer.Options) {
		o.ServerTLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: client.Certificates, ClientCAs: client.RootCAs, ClientAuth: tls.RequireAndVerifyClientCert}
		o.ClientTLS = client
	}
}

func TestTCP(t *testing.T) {
	for name, change := range map[string]func(*peer.Options){
		"plain":      func(*peer.Options) {},
		"TLS":        secure(t),
		"compressed": func(o *peer.Options) { o.Compression = true },
	} {
		t.Run(name, func(t *testing.T) {
			one, two := pair(t, change)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			exchange(ctx, t, one)
			streams(ctx, t, one, two)
			if _, id, err := one.CallAddress(ctx, two.Address().String(), peer.VerbPing, nil); err != nil || id != hostID(2) {
				t.Fatalf("by address: %v, %v", id, err)
			}
			if err := two.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := one.Call(ctx, hostID(2), peer.VerbRead, []byte("gone"))
			if _, ok := errors.AsType[*peer.UnreachableError](err); !ok {
				t.Fatalf("after Close: %v", err)
			}
		})
	}
}

// exchange has requests of many sizes answered, many at once.
func exchange(ctx context.Context, t *testing.T, from *peer.Hub) {
	var wg sync.WaitGroup
	for i, size := range []int{0, 1, 100, 1 << 10, 4 << 10, 5000, 32 << 10, 100_000, 1 << 20, 5 << 20} {
		for _, v := range []peer.Verb{peer.VerbRead, peer.VerbPull} {
			body := bytes.Repeat([]byte(fmt.Sprint(i)), size)[:size]
			wg.Go(func() {
				for range 2 {
					answer, err := from.Call(ctx, hostID(2), v, body)
					if err != nil || !bytes.Equal(answer, body) {
						t.Errorf("%d bytes: %d bytes, %v", size, len(answer), err)
					}
				}
			})
		}
	}
	wg.Wait()
	_, err := from.Call(ctx, hostID(2), peer.VerbMutate, nil)
	if f, ok := errors.AsType[*peer.Failure](err); !ok || *f != (peer.Failure{Code: 17, Message: "no"}) {
		t.Errorf("a failure: %v", err)
	}
}

// streams sends bytes over a raw connection.
func streams(ctx context.Context, t *testing.T, from, to *peer.Hub) {
	a, err := from.DialStream(ctx, to.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	b := <-to.Streams()
	if _, err := a.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err != nil || string(got) != "hello" {
		t.Fatalf("stream: %q, %v", got, err)
	}
	_ = b.Close() // it has been read
}
