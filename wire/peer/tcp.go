package peer

import (
	"context"
	"net"
)

// TCP returns the operating system's sockets.
func TCP() Sockets { return tcp{} }

type tcp struct{}

func (tcp) Listen(ctx context.Context, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

func (tcp) ListenPacket(ctx context.Context, address string) (net.PacketConn, error) {
	return new(net.ListenConfig).ListenPacket(ctx, "udp", address)
}

func (tcp) Dial(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}
