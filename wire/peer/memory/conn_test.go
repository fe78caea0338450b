package memory_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/iliumdb/ilium/wire/peer/memory"
)

// TestConn holds streams to what net.Conn promises.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		n := memory.New(1)
		l, err := n.Host("10.0.0.2").Listen(t.Context(), "10.0.0.2:7000")
		if err != nil {
			return nil, nil, nil, err
		}
		near, err := n.Host("10.0.0.1").Dial(t.Context(), "10.0.0.2:7000")
		if err != nil {
			return nil, nil, nil, err
		}
		far, err := l.Accept()
		return near, far, func() {
			for _, c := range []interface{ Close() error }{near, far, l} {
				_ = c.Close() // tests have closed some already
			}
		}, err
	})
}
