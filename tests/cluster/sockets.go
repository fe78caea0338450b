package cluster

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/iliumdb/ilium/wire/peer"
)

// sockets are the network of one process. When it has been killed, what is left of it reaches nobody anymore, though another
// process uses the same host.
type sockets struct {
	peer.Sockets
	dead atomic.Bool
}

func (s *sockets) Listen(ctx context.Context, address string) (net.Listener, error) {
	if s.dead.Load() {
		return nil, syscall.ENETDOWN
	}
	return s.Sockets.Listen(ctx, address)
}

func (s *sockets) ListenPacket(ctx context.Context, address string) (net.PacketConn, error) {
	if s.dead.Load() {
		return nil, syscall.ENETDOWN
	}
	return s.Sockets.ListenPacket(ctx, address)
}

func (s *sockets) Dial(ctx context.Context, address string) (net.Conn, error) {
	if s.dead.Load() {
		return nil, syscall.ENETDOWN
	}
	conn, err := s.Sockets.Dial(ctx, address)
	if err == nil && s.dead.Load() {
		_ = conn.Close()
		return nil, syscall.ENETDOWN
	}
	return conn, err
}
